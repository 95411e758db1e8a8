//! Many targets, each with all its addresses, as the limits allow; results as they come.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use audit::{Cause, Endpoint, Protocol, Service, Target, Unknown};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::net::lookup_host;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::dial::Dialer;
use crate::pace::{Limits, Pace};
use crate::{ssh, tls};

/// How much is asked of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Each named group of TLS 1.3, and nothing else.
    Groups,
    /// Everything.
    Full,
}

/// How to scan.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much is asked.
    pub depth: Depth,
    /// For one connection, from connecting to the last byte that is waited for.
    pub timeout: Duration,
    /// How fast, and how much at once.
    pub limits: Limits,
    /// The name for SNI, in place of the target's own.
    pub server_name: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            depth: Depth::Full,
            timeout: Duration::from_secs(5),
            limits: Limits::default(),
            server_name: None,
        }
    }
}

/// Scans each address of each target, and sends what was seen of a target as soon as all of
/// its addresses are done.
///
/// Targets are drawn from the iterator as there is room for them, so that memory does not
/// grow with their number; on a thread of its own, since the next one may be long in coming
/// (a pipe). Ends when all are done, or when nobody takes the results any more.
pub async fn scan(
    targets: impl Iterator<Item = Target> + Send + 'static,
    options: &Options,
    results: mpsc::Sender<Vec<Endpoint>>,
) {
    let pace = Pace::new(options.limits);
    // One endpoint has several connections at most; as many endpoints as connections keep all
    // of them busy.
    let at_once = options.limits.connections.max(1);
    let (feed, mut fed) = mpsc::channel(at_once.min(MOST_WAITING));
    // Not one of the runtime's threads: it would wait for a pipe that never ends.
    std::thread::spawn(move || {
        for target in targets {
            if feed.blocking_send(target).is_err() {
                return;
            }
        }
    });
    let all = stream::poll_fn(|context| fed.poll_recv(context))
        .map(|target| one(target, options, &pace, &results))
        .buffer_unordered(at_once)
        .collect::<()>();
    tokio::select! {
        () = all => {}
        () = results.closed() => {}
    }
}

/// Targets that wait for room.
const MOST_WAITING: usize = 64;

async fn one(
    target: Target,
    options: &Options,
    pace: &Arc<Pace>,
    results: &mpsc::Sender<Vec<Endpoint>>,
) {
    let addresses = match resolve(&target, options.timeout).await {
        Ok(addresses) => addresses,
        Err(unknown) => {
            let endpoint = Endpoint {
                target,
                address: None,
                server_name: None,
                scanned: now(),
                probes: 0,
                milliseconds: 0,
                service: Service::Unreachable(unknown),
            };
            // Nobody listens: the caller has given up.
            let _ = results.send(vec![endpoint]).await;
            return;
        }
    };
    let each = addresses
        .into_iter()
        .map(|address| at(target.clone(), address, options, pace));
    let _ = results.send(join_all(each).await).await;
}

/// All addresses of a name, each once.
async fn resolve(target: &Target, limit: Duration) -> Result<Vec<SocketAddr>, Unknown> {
    if let Ok(address) = target.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, target.port)]);
    }
    let failed = |detail: String| Unknown {
        cause: Cause::Lookup,
        detail,
    };
    let found = timeout(limit, lookup_host((target.host.as_str(), target.port))).await;
    let found = match found {
        Err(_) => return Err(failed(format!("no answer within {limit:?}"))),
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Ok(Ok(found)) => found,
    };
    let mut addresses = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    match addresses.is_empty() {
        true => Err(failed("the name has no address".to_owned())),
        false => Ok(addresses),
    }
}

async fn at(target: Target, address: SocketAddr, options: &Options, pace: &Arc<Pace>) -> Endpoint {
    let is_name = target.host.parse::<IpAddr>().is_err();
    let own_name = is_name.then(|| target.host.trim_end_matches('.').to_owned());
    let server_name = options.server_name.clone().or(own_name);
    let dialer = Dialer {
        target,
        address,
        server_name,
        limit: options.timeout,
        pace: pace.towards(address.ip()),
        probes: AtomicU32::new(0),
        at_once: options.limits.connections_per_host.max(1),
    };
    let (scanned, begin) = (now(), Instant::now());
    let service = match dialer.target.protocol {
        Protocol::Ssh => match ssh::scan(&dialer).await {
            Ok(service) => Service::Ssh(service),
            Err(stopped) => Service::Unreachable(stopped.into_unknown()),
        },
        _ => tls::scan(&dialer, options.depth).await,
    };
    Endpoint {
        address: Some(address),
        server_name: dialer.server_name,
        target: dialer.target,
        scanned,
        probes: dialer.probes.load(Ordering::Relaxed),
        milliseconds: begin.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
        service,
    }
}

fn now() -> String {
    // Formatting a time of today in RFC 3339 can't fail; an empty one would show.
    let now = OffsetDateTime::now_utc().replace_nanosecond(0);
    now.ok()
        .and_then(|now| now.format(&Rfc3339).ok())
        .unwrap_or_default()
}
