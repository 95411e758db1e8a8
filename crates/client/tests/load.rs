//! Load against this workspace's server, and against servers that are slow or wrong.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use client::load::{
    Arrivals, ClientLimit, ExpectedStatus, FailureKind, LoadError, Parting, Plan, Report, Snapshot,
    Status, Tally, WorkerEndpoints, run,
};
use experiment::{Handshake, Side};
use server::{Limits, ServeMode, Server};
use stack::{Credentials, Endpoint, PhaseTiming};
use tokio::runtime::Runtime;
use wire::NamedGroup;

const FULL: &str = "1.3/X25519MLKEM768/ecdsa-p256/full";
const RESUMED: &str = "1.3/X25519MLKEM768/ecdsa-p256/resumed";
const STACKS: [&str; 2] = ["rustls", "openssl"];

fn endpoint(stack: &str, side: Side, handshake: &str) -> Arc<dyn Endpoint> {
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    let handshake: Handshake = handshake.parse().unwrap();
    let credentials = Credentials::for_handshake(&handshake, &cache).unwrap();
    stack::by_name(&stack.parse().unwrap())
        .unwrap()
        .endpoint(side, &handshake, &credentials, PhaseTiming::Off)
        .unwrap()
        .into()
}

fn full(stack: &str, handshake: &str, workers: usize) -> Vec<WorkerEndpoints> {
    let worker = || WorkerEndpoints {
        full: endpoint(stack, Side::Client, handshake),
        resuming: None,
    };
    (0..workers).map(|_| worker()).collect()
}

/// A server, which ends with this.
struct Running {
    address: SocketAddr,
    _runtime: Runtime,
}

fn start(stack: &str, handshake: &str, mode: ServeMode) -> Running {
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

fn plan(address: SocketAddr, arrivals: Arrivals) -> Plan {
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

const CLOSED: Arrivals = Arrivals::Closed { concurrency: 4 };

fn performed(plan: &Plan, endpoints: &[WorkerEndpoints]) -> Report {
    let stop = AtomicBool::new(false);
    let report = run(plan, endpoints, &stop, Duration::from_millis(20), |_| {}).unwrap();
    assert_adds_up(&report.tally);
    report
}

fn assert_adds_up(tally: &Tally) {
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

/// That all failed, of this alone.
#[track_caller]
fn assert_all_failed(report: &Report, kind: FailureKind) {
    let tally = &report.tally;
    assert_eq!(tally.failed, tally.offered, "{tally:?}");
    assert_eq!(tally.failures.len(), 1, "{:?}", tally.failures);
    assert_eq!(tally.failures[0].kind, kind, "{:?}", tally.failures);
}

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

#[test]
fn a_closed_port_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for arrivals in [CLOSED, Arrivals::Constant { per_second: 1000.0 }] {
        let report = performed(&plan(address, arrivals), &full("rustls", FULL, 2));
        assert_all_failed(&report, FailureKind::ConnectRefused);
    }
}

/// Answers each connection in turn, and then goes on with the next.
fn one_by_one(answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let answer = answer.clone();
            thread::spawn(move || {
                let _ = socket.read(&mut [0; 1 << 14]);
                answer(&mut socket);
                // Until the client leaves.
                while let Ok(1..) = socket.read(&mut [0; 64]) {}
            });
        }
    });
    address
}

#[test]
fn wrong_servers_are_told_apart() {
    let leave = |socket: &mut TcpStream| {
        socket.shutdown(std::net::Shutdown::Both).unwrap();
    };
    for stack in STACKS {
        let failing = |address| performed(&plan(address, CLOSED), &full(stack, FULL, 1));
        let garbage = one_by_one(|socket| {
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        });
        assert_all_failed(&failing(garbage), FailureKind::Protocol);
        assert_all_failed(&failing(one_by_one(leave)), FailureKind::Closed);
        // handshake_failure, RFC 8446 section 6.2
        let alert = one_by_one(|socket| {
            let _ = socket.write_all(&[21, 3, 3, 0, 2, 2, 40]);
        });
        let report = failing(alert);
        assert_all_failed(&report, FailureKind::Alert);
        let name = report.tally.failures[0].alert.as_ref().unwrap();
        assert_eq!(name, "handshake_failure (40)");
    }
}

#[test]
fn another_authority_s_server_is_not_trusted() {
    // Both are of the lab, and each algorithm has a root of its own.
    let server = start("rustls", FULL, ServeMode::Measured);
    let clients = full("rustls", "1.3/X25519MLKEM768/ecdsa-p256+rsa-2048/full", 1);
    let report = performed(&plan(server.address, CLOSED), &clients);
    assert_all_failed(&report, FailureKind::Untrusted);
}

#[test]
fn another_group_than_expected_is_a_failure() {
    let server = start("rustls", FULL, ServeMode::Measured);
    let plan = Plan {
        expected_group: Some(NamedGroup::X25519),
        ..plan(server.address, CLOSED)
    };
    let report = performed(&plan, &full("rustls", FULL, 1));
    assert_all_failed(&report, FailureKind::OtherGroup);
    assert!(report.tally.failures[0].example.contains("X25519MLKEM768"));
}

#[test]
fn another_status_than_expected_is_a_failure_and_still_a_response() {
    let server = start("rustls", FULL, ServeMode::Measured);
    for (expected, succeeded) in [("2xx", 100), ("any", 100), ("404,5xx", 0)] {
        let plan = Plan {
            request: Some(b"GET / HTTP/1.1\r\nHost: server\r\n\r\n".to_vec()),
            expected_status: expected.parse().unwrap(),
            ..plan(server.address, CLOSED)
        };
        let report = performed(&plan, &full("rustls", FULL, 1));
        assert_eq!(report.tally.succeeded, succeeded, "{expected}");
        assert_eq!(report.tally.statuses, [0, 0, 100, 0, 0, 0]);
        if succeeded == 0 {
            assert_all_failed(&report, FailureKind::Status);
            let failure = report.tally.main_failure().unwrap();
            assert_eq!(failure.status, Some(Status::Code(200)));
        }
    }
}

/// A server that takes connections and never answers.
#[test]
fn silence_is_a_timeout_and_the_schedule_goes_on() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let plan = Plan {
        handshakes: Some(40),
        timeout: Duration::from_millis(100),
        ..plan(
            silent.local_addr().unwrap(),
            Arrivals::Constant { per_second: 400.0 },
        )
    };
    let report = performed(&plan, &full("rustls", FULL, 1));
    assert_eq!(report.tally.started(), 40);
    assert_all_failed(&report, FailureKind::HandshakeTimeout);
}

#[test]
fn what_is_due_beyond_the_limit_is_counted_as_not_started() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let plan = Plan {
        handshakes: Some(40),
        max_in_flight: 10,
        timeout: Duration::from_secs(1),
        ..plan(
            silent.local_addr().unwrap(),
            Arrivals::Constant { per_second: 400.0 },
        )
    };
    let tally = performed(&plan, &full("rustls", FULL, 2)).tally;
    assert_eq!((tally.offered, tally.not_started), (40, 30));
    assert_eq!(tally.failed, 10);
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
        max_in_flight: 10,
        timeout: Duration::from_secs(3),
        ..plan(
            clinging(server.address),
            Arrivals::Constant { per_second: 100.0 },
        )
    };
    let report = performed(&plan, &full("rustls", FULL, 1));
    // All of them stay for three seconds, and begin within one.
    assert!(report.tally.succeeded > 50, "{:?}", report.tally);
}

/// Takes its time before each connection.
struct Slow(Arc<dyn Endpoint>);

impl Slow {
    fn worker() -> WorkerEndpoints {
        WorkerEndpoints {
            full: Arc::new(Self(endpoint("rustls", Side::Client, FULL))),
            resuming: None,
        }
    }
}

impl Endpoint for Slow {
    fn connection(&self) -> Result<Box<dyn stack::Connection>, stack::StackError> {
        thread::sleep(Duration::from_millis(10));
        self.0.connection()
    }
    fn issuing_connection(&self) -> Result<Box<dyn stack::Connection>, stack::StackError> {
        self.0.issuing_connection()
    }
    fn tickets(&self) -> usize {
        self.0.tickets()
    }
}

/// One connection at a time, and a pause before each: the connections that were to begin
/// meanwhile are late, and their response times say so while their service times do not.
#[test]
fn a_client_that_is_held_up_counts_from_the_intended_beginning() {
    let server = start("rustls", FULL, ServeMode::Measured);
    let plan = plan(server.address, Arrivals::Constant { per_second: 1000.0 });
    let report = performed(&plan, &[Slow::worker()]);
    let tally = &report.tally;
    assert_eq!(tally.succeeded, 100);
    let [service, response] = [&tally.service_time, &tally.response_time];
    for share in [0.5, 0.9, 1.0] {
        assert!(response.quantile(share) >= service.quantile(share));
    }
    // The last was to begin after 99 ms, and each of those before it took ten.
    assert!(tally.lateness.max().unwrap() > Duration::from_millis(200));
    assert!(response.max().unwrap() > Duration::from_millis(200));
    let limit = report.client_limit();
    assert!(matches!(limit, Some(ClientLimit::Delay(_))), "{limit:?}");
    assert!(!report.keeps_up(Duration::from_millis(50)));
}

/// A closed loop begins nothing late, but what has an answer waits while the client is busy.
#[test]
fn sockets_that_wait_for_a_busy_client_are_a_delay_of_the_client_s() {
    let server = start("rustls", FULL, ServeMode::Measured);
    let plan = Plan {
        parting: Parting::Reset,
        ..plan(server.address, CLOSED)
    };
    let report = performed(&plan, &[Slow::worker()]);
    let tally = &report.tally;
    assert_eq!(tally.succeeded, 100);
    let [delay, lateness] = [&tally.client_delay, &tally.lateness].map(|times| times.max());
    assert!(delay.unwrap() >= Duration::from_millis(10), "{delay:?}");
    assert!(lateness.unwrap() < delay.unwrap());
    for share in [0.5, 0.9, 1.0] {
        assert!(tally.client_delay.quantile(share) <= tally.response_time.quantile(share));
    }
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
