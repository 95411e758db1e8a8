//! Loads that come to their end.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use client::load::{Arrivals, LoadError, Plan, Snapshot, WorkerEndpoints, run};
use experiment::Side;
use server::ServeMode;
use wire::NamedGroup;

use crate::common::{
    CLOSED, FULL, RESUMED, STACKS, assert_adds_up, endpoint, full, performed, plan, start,
};

#[test]
fn each_loop_makes_as_many_connections_as_planned_with_what_was_asked_for() {
    for stack in STACKS {
        let server = start(stack, FULL, ServeMode::Measured);
        for arrivals in [
            CLOSED,
            Arrivals::Constant { per_second: 400.0 },
            Arrivals::Poisson { per_second: 400.0 },
        ] {
            let plan = Plan {
                request: Some(b"GET / HTTP/1.1\r\nHost: server\r\n\r\n".to_vec()),
                expected_group: Some(NamedGroup::X25519MLKEM768),
                ..plan(server.address, arrivals)
            };
            let report = performed(&plan, &full(stack, FULL, 2));
            let tally = &report.tally;
            assert_eq!((tally.offered, tally.succeeded), (100, 100), "{tally:?}");
            assert_eq!(tally.statuses, [0, 0, 100, 0, 0, 0]);
            assert_eq!(tally.first_byte.count(), 100);
            assert_eq!(report.workers.len(), 2);
            let [(negotiated, 100)] = tally.negotiated.as_slice() else {
                panic!("{:?}", tally.negotiated);
            };
            assert_eq!(negotiated.group, Some(NamedGroup::X25519MLKEM768));
            assert!(!negotiated.is_resumed);
        }
    }
}

/// The flights of ML-DSA-87 do not fit into one read of most programs.
#[test]
fn large_flights_come_through() {
    let large = "1.3/X25519MLKEM768/ml-dsa-87/full";
    let server = start("rustls", large, ServeMode::Measured);
    for stack in STACKS {
        let report = performed(&plan(server.address, CLOSED), &full(stack, large, 1));
        assert_eq!(report.tally.succeeded, 100, "{:?}", report.tally.failures);
    }
}

#[test]
fn a_duration_ends_the_load_and_what_was_under_way_is_waited_for() {
    let server = start("rustls", FULL, ServeMode::Measured);
    let mut shown: Vec<Snapshot> = Vec::new();
    let plan = Plan {
        duration: Some(Duration::from_millis(400)),
        handshakes: None,
        ..plan(server.address, Arrivals::Constant { per_second: 100.0 })
    };
    let stop = AtomicBool::new(false);
    let watch = |snapshot: &Snapshot| shown.push(snapshot.clone());
    let interval = Duration::from_millis(20);
    let report = run(&plan, &full("rustls", FULL, 1), &stop, interval, watch).unwrap();
    assert_adds_up(&report.tally);
    assert_eq!(report.tally.offered, 40);
    assert_eq!(report.window, Duration::from_millis(400));
    assert!(report.elapsed >= report.window);
    assert!((report.rates().offered - 100.0).abs() < 1e-6);
    let last = shown.last().unwrap();
    assert_eq!((last.offered, last.succeeded), (40, report.tally.succeeded));
    let recent: u64 = shown.iter().map(|snapshot| snapshot.recent.count()).sum();
    assert_eq!(recent, report.tally.succeeded);
}

#[test]
fn resumed_handshakes_are_resumed_and_mixed_ones_mixed() {
    for stack in STACKS {
        let server = start("rustls", RESUMED, ServeMode::Issuing);
        let worker = || WorkerEndpoints {
            full: endpoint(stack, Side::Client, FULL),
            resuming: Some(endpoint(stack, Side::Client, RESUMED)),
        };
        let workers = [worker(), worker()];
        for (share, least, most) in [(1.0, 100, 100), (0.5, 20, 80)] {
            let plan = Plan {
                resumed_share: share,
                ..plan(server.address, CLOSED)
            };
            let report = performed(&plan, &workers);
            let tally = &report.tally;
            assert_eq!(tally.failed, 0, "{stack}: {:?}", tally.failures);
            assert_eq!(tally.for_tickets, 0);
            let resumed: u64 = tally
                .negotiated
                .iter()
                .filter(|(negotiated, _)| negotiated.is_resumed)
                .map(|(_, count)| count)
                .sum();
            assert!((least..=most).contains(&resumed), "{stack}: {resumed}");
        }
    }
}

#[test]
fn without_tickets_there_is_nothing_to_resume() {
    let server = start("rustls", FULL, ServeMode::Measured);
    let worker = WorkerEndpoints {
        full: endpoint("rustls", Side::Client, FULL),
        resuming: Some(endpoint("rustls", Side::Client, RESUMED)),
    };
    let plan = Plan {
        resumed_share: 1.0,
        timeout: Duration::from_millis(300),
        ..plan(server.address, CLOSED)
    };
    let stop = AtomicBool::new(false);
    let result = run(&plan, &[worker], &stop, Duration::from_secs(1), |_| {});
    assert!(
        matches!(result, Err(LoadError::NoTickets { .. })),
        "{result:?}"
    );
}
