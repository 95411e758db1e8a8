//! What the tests of loads share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client::load::{
    Arrivals, ExpectedStatus, Parting, Plan, Report, Snapshot, Tally, WorkerEndpoints, run,
};
use experiment::{Handshake, Side};
use server::{Limits, ServeMode, Server};
use stack::{Credentials, Endpoint, PhaseTiming};
use tokio::runtime::Runtime;

pub(crate) const FULL: &str = "1.3/X25519MLKEM768/ecdsa-p256/full";
pub(crate) const RESUMED: &str = "1.3/X25519MLKEM768/ecdsa-p256/resumed";
pub(crate) const STACKS: [&str; 2] = ["rustls", "openssl"];

pub(crate) fn endpoint(stack: &str, side: Side, handshake: &str) -> Arc<dyn Endpoint> {
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    let handshake: Handshake = handshake.parse().unwrap();
    let credentials = Credentials::for_handshake(&handshake, &cache).unwrap();
    stack::by_name(&stack.parse().unwrap())
        .unwrap()
        .endpoint(side, &handshake, &credentials, PhaseTiming::Off)
        .unwrap()
        .into()
}

pub(crate) fn full(stack: &str, handshake: &str, workers: usize) -> Vec<WorkerEndpoints> {
    let worker = || WorkerEndpoints {
        full: endpoint(stack, Side::Client, handshake),
        resuming: None,
    };
    (0..workers).map(|_| worker()).collect()
}

/// A server, which ends with this.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    _runtime: Runtime,
}

pub(crate) fn start(stack: &str, handshake: &str, mode: ServeMode) -> Running {
    let server = endpoint(stack, Side::Server, handshake);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let bound = Server::bind(any, server, mode, Limits::default());
    let server = runtime.block_on(bound).unwrap();
    let address = server.local_addr();
    runtime.spawn(server.serve(std::future::pending()));
    Running {
        address,
        _runtime: runtime,
    }
}

pub(crate) fn plan(address: SocketAddr, arrivals: Arrivals) -> Plan {
    Plan {
        address,
        arrivals,
        duration: None,
        handshakes: Some(100),
        max_in_flight: 1000,
        timeout: Duration::from_secs(20),
        resumed_share: 0.0,
        request: None,
        parting: Parting::default(),
        expected_group: None,
        expected_status: ExpectedStatus::any(),
        seed: 1,
    }
}

pub(crate) const CLOSED: Arrivals = Arrivals::Closed { concurrency: 4 };

pub(crate) fn performed(plan: &Plan, endpoints: &[WorkerEndpoints]) -> Report {
    performed_until(plan, endpoints, |_| false)
}

/// The load is interrupted once this is so.
pub(crate) fn performed_until(
    plan: &Plan,
    endpoints: &[WorkerEndpoints],
    is_enough: impl Fn(&Snapshot) -> bool,
) -> Report {
    let stop = AtomicBool::new(false);
    let watch = |now: &Snapshot| stop.store(is_enough(now), Ordering::Relaxed);
    let report = run(plan, endpoints, &stop, Duration::from_millis(20), watch).unwrap();
    assert_adds_up(&report.tally);
    report
}

pub(crate) fn assert_adds_up(tally: &Tally) {
    assert_eq!(tally.offered, tally.not_started + tally.started());
    assert_eq!(
        tally.started(),
        tally.succeeded + tally.for_tickets + tally.failed + tally.unfinished,
        "{tally:?}"
    );
    let counted: u64 = tally.failures.iter().map(|failure| failure.count).sum();
    assert_eq!(counted, tally.failed);
    let negotiated: u64 = tally.negotiated.iter().map(|(_, count)| count).sum();
    assert_eq!(negotiated, tally.succeeded);
    for times in [
        &tally.connect,
        &tally.handshake,
        &tally.client_delay,
        &tally.service_time,
        &tally.response_time,
    ] {
        assert_eq!(times.count(), tally.succeeded);
    }
    assert_eq!(tally.lateness.count(), tally.started());
}
