//! tmp
use client::load::*;
use stack::*;
use std::sync::{Arc, atomic::AtomicBool};
use std::time::Duration;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let address = a[1].parse().unwrap();
    let secs: f64 = a[2].parse().unwrap();
    let conc: usize = a[3].parse().unwrap();
    let rate: f64 = a[4].parse().unwrap();
    let group = a[5].parse().unwrap();
    let threads: usize = a[6].parse().unwrap();
    let stack = stack::by_name(&a[7].parse().unwrap()).unwrap();
    let profile = ClientProfile {
        offer: Offer {
            groups: vec![group],
            versions: vec![wire::ProtocolVersion::Tls13],
            ..Offer::default()
        },
        server_name: "localhost".into(),
        trust: Trust::Unverified,
        certificate: None,
        resumes: false,
    };
    let endpoints: Vec<_> = (0..threads)
        .map(|_| WorkerEndpoints {
            full: Arc::from(stack.client(&profile).unwrap()),
            resuming: None,
        })
        .collect();
    let plan = Plan {
        address,
        arrivals: if rate > 0.0 {
            Arrivals::Poisson { per_second: rate }
        } else {
            Arrivals::Closed { concurrency: conc }
        },
        duration: Some(Duration::from_secs_f64(secs)),
        handshakes: None,
        max_in_flight: 4096,
        timeout: Duration::from_secs(5),
        resumed_share: 0.0,
        request: None,
        expected_group: None,
        seed: 1,
    };
    let report = run(
        &plan,
        &endpoints,
        &AtomicBool::new(false),
        Duration::from_secs(1),
        |s| {
            eprintln!(
                "{:?} {} {} p99 {:?}",
                s.elapsed,
                s.offered,
                s.succeeded,
                s.recent.quantile(0.99)
            )
        },
    )
    .unwrap();
    let t = &report.tally;
    println!("{:?}", report.rates());
    println!("failures {:?} not started {}", t.failures, t.not_started);
    for (n, l) in [
        ("connect", &t.connect),
        ("handshake", &t.handshake),
        ("service", &t.service_time),
        ("response", &t.response_time),
        ("late", &t.lateness),
    ] {
        println!(
            "{n}: {:?} {:?} {:?} max {:?}",
            l.quantile(0.5),
            l.quantile(0.9),
            l.quantile(0.99),
            l.max()
        );
    }
    println!(
        "cpu {:?} per core second {:?} limit {:?}",
        report.cpu(),
        report.per_core_second(),
        report.client_limit()
    );
}
