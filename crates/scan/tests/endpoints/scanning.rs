//! One scan from the outside: targets in, endpoints out.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use audit::{Endpoint, Protocol, Service, Target, TlsService};
use scan::{Depth, Limits, Options};
use tokio::sync::mpsc;

/// For servers that answer: it must never be what decides, however busy the machine is.
pub(crate) fn patient() -> Options {
    Options {
        timeout: Duration::from_secs(20),
        limits: Limits {
            connections_per_host: 8,
            rate_per_host: None,
            ..Limits::default()
        },
        ..Options::default()
    }
}

/// For servers that do not.
pub(crate) fn hasty(depth: Depth) -> Options {
    Options {
        depth,
        timeout: Duration::from_secs(1),
        limits: Limits {
            connections_per_host: 16,
            ..patient().limits
        },
        ..patient()
    }
}

pub(crate) fn target(host: &str, port: u16) -> Target {
    Target {
        host: host.to_owned(),
        port,
        protocol: Protocol::Tls,
    }
}

pub(crate) fn at(address: SocketAddr) -> Target {
    target(&address.ip().to_string(), address.port())
}

/// All that a scan of these targets brings, target by target, as it came.
pub(crate) fn scan_all(targets: Vec<Target>, options: &Options) -> Vec<Vec<Endpoint>> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let seen = runtime.block_on(async {
        let (results, mut seen) = mpsc::channel(1);
        let reader = tokio::spawn(async move {
            let mut all = Vec::new();
            while let Some(endpoints) = seen.recv().await {
                all.push(endpoints);
            }
            all
        });
        scan::scan(targets.into_iter(), options, results).await;
        reader.await.unwrap()
    });
    // A lookup that hangs must not hold the test.
    runtime.shutdown_background();
    seen
}

/// What is seen of one address, in bounded time.
pub(crate) fn scan_one(address: SocketAddr, options: &Options) -> Endpoint {
    let begin = Instant::now();
    let mut seen = scan_all(vec![at(address)], options);
    assert!(begin.elapsed() < Duration::from_secs(30), "it takes long");
    assert_eq!(seen.len(), 1);
    let mut endpoints = seen.remove(0);
    assert_eq!(endpoints.len(), 1);
    endpoints.remove(0)
}

pub(crate) fn tls(endpoint: Endpoint) -> TlsService {
    match endpoint.service {
        Service::Tls(service) => *service,
        other => panic!("no TLS: {other:?}"),
    }
}
