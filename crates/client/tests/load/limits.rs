//! Plans that can't be carried out, and what ends or limits a load.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use client::load::{Arrivals, LoadError, Plan, Snapshot, WorkerEndpoints, run};
use server::ServeMode;

use crate::common::{CLOSED, FULL, assert_adds_up, full, performed, performed_until, plan, start};

/// Never, for a test.
const AGE: Duration = Duration::from_secs(3600);
/// When a test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn what_is_due_beyond_the_limit_is_counted_as_not_started() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let plan = Plan {
        handshakes: Some(40),
        max_in_flight: 10,
        timeout: AGE,
        ..plan(
            silent.local_addr().unwrap(),
            Arrivals::Constant { per_second: 400.0 },
        )
    };
    let endpoints = full("rustls", FULL, 2);
    let tally = performed_until(&plan, &endpoints, |now| now.offered == 40).tally;
    assert_eq!((tally.offered, tally.not_started), (40, 30));
    assert_eq!(tally.unfinished, 10);
}

/// In front of a server, a relay that keeps connections open when the server has closed.
fn clinging(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut kept = Vec::new();
        while let Ok((near, _)) = listener.accept() {
            let far = TcpStream::connect(server).unwrap();
            let clone = |socket: &TcpStream| socket.try_clone().unwrap();
            kept.push(clone(&near));
            for (mut from, mut to) in [(clone(&near), clone(&far)), (far, near)] {
                thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    address
}

#[test]
fn connections_that_only_wait_for_the_server_to_close_leave_room_for_others() {
    let server = start("rustls", FULL, ServeMode::Measured);
    let plan = Plan {
        handshakes: None,
        duration: Some(AGE),
        max_in_flight: 10,
        timeout: AGE,
        ..plan(
            clinging(server.address),
            Arrivals::Constant { per_second: 100.0 },
        )
    };
    // None of them is ever closed: if they took the room, no more than ten would succeed.
    let is_enough = |now: &Snapshot| now.succeeded > 10 || now.elapsed > PATIENCE;
    let report = performed_until(&plan, &full("rustls", FULL, 1), is_enough);
    assert!(report.tally.succeeded > 10, "{:?}", report.tally);
}

/// How connections part is no part of the time in which they were made.
#[test]
fn the_rates_of_so_many_connections_hold_no_parting() {
    let server = start("rustls", FULL, ServeMode::Measured);
    let parting = Duration::from_secs(3);
    let plan = Plan {
        handshakes: Some(4),
        timeout: parting,
        ..plan(clinging(server.address), CLOSED)
    };
    let report = performed(&plan, &full("rustls", FULL, 1));
    assert_eq!(report.tally.succeeded, 4, "{:?}", report.tally);
    // The last one was measured before the time of all was over.
    assert!(report.elapsed >= parting);
    assert!(report.window < report.elapsed, "{:?}", report.window);
}

#[test]
fn an_interrupt_ends_it_at_once_and_keeps_the_counts() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let stop = AtomicBool::new(false);
    let plan = Plan {
        handshakes: None,
        duration: Some(Duration::from_secs(3600)),
        timeout: Duration::from_secs(3600),
        ..plan(
            silent.local_addr().unwrap(),
            Arrivals::Constant { per_second: 200.0 },
        )
    };
    let interrupt = |snapshot: &Snapshot| {
        if snapshot.offered > 10 {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let interval = Duration::from_millis(20);
    let report = run(&plan, &full("rustls", FULL, 2), &stop, interval, interrupt).unwrap();
    assert_adds_up(&report.tally);
    assert!(report.is_interrupted);
    assert!(report.tally.unfinished > 10);
    assert_eq!(report.window, report.elapsed);
}

#[test]
fn impossible_plans_are_refused_with_the_reason() {
    let possible = plan("127.0.0.1:1".parse().unwrap(), CLOSED);
    let endpoints = full("rustls", FULL, 2);
    let refused = |plan: &Plan, endpoints: &[WorkerEndpoints]| {
        let stop = AtomicBool::new(false);
        match run(plan, endpoints, &stop, Duration::from_secs(1), |_| {}) {
            Err(LoadError::Plan(reason)) => reason,
            other => panic!("{other:?}"),
        }
    };
    let change = |change: &dyn Fn(&mut Plan)| {
        let mut plan = possible.clone();
        change(&mut plan);
        refused(&plan, &endpoints)
    };
    for per_second in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let reason = change(&|plan| plan.arrivals = Arrivals::Constant { per_second });
        assert!(reason.contains("rate"));
    }
    assert!(
        change(&|plan| plan.arrivals = Arrivals::Closed { concurrency: 1 }).contains("threads")
    );
    assert!(change(&|plan| plan.handshakes = None).contains("must end"));
    assert!(change(&|plan| plan.resumed_share = 1.5).contains("0 to 1"));
    assert!(change(&|plan| plan.resumed_share = 0.5).contains("tickets"));
    assert!(change(&|plan| plan.max_in_flight = 1).contains("in flight"));
    assert!(change(&|plan| plan.timeout = Duration::ZERO).contains("time"));
    assert!(refused(&possible, &[]).contains("worker"));
}
