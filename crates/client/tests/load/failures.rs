//! Servers that are not there, wrong, silent, or other than expected.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use client::load::{Arrivals, FailureKind, Plan, Report, Status};
use server::ServeMode;
use wire::NamedGroup;

use crate::common::{CLOSED, FULL, STACKS, full, performed, plan, start};

/// That all failed, of this alone.
#[track_caller]
fn assert_all_failed(report: &Report, kind: FailureKind) {
    let tally = &report.tally;
    assert_eq!(tally.failed, tally.offered, "{tally:?}");
    assert_eq!(tally.failures.len(), 1, "{:?}", tally.failures);
    assert_eq!(tally.failures[0].kind, kind, "{:?}", tally.failures);
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
