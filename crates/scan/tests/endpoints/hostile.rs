//! Servers that lie, stall or send garbage: a scan ends, and knows what it does not know.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use audit::{Answer, Cause, Endpoint, HelloShape, Service, SignatureFamily, TlsService, Tried};
use scan::{Depth, Options};
use wire::{NamedGroup, handshake_records};

use crate::lies::{ENDLESS, LIES, endless};
use crate::scanning::{hasty, patient, scan_one, tls};
use crate::scripted::{
    HYBRID, Hello, X25519, alert, finish, message, records, reset, send_endlessly, serve,
    wait_for_end,
};

/// What each question brought: its cause where nothing is known.
fn answers(seen: &TlsService) -> Vec<(String, Option<Cause>)> {
    fn cause<T>(answer: &Answer<T>) -> Option<Cause> {
        match answer {
            Answer::Unknown(unknown) => Some(unknown.cause),
            _ => None,
        }
    }
    fn add<Q: Debug, A>(all: &mut Vec<(String, Option<Cause>)>, what: &str, tried: &[Tried<Q, A>]) {
        let tried = tried.iter();
        all.extend(tried.map(|one| (format!("{what} {:?}", one.offer), cause(&one.answer))));
    }
    let mut all = vec![
        ("preference".to_owned(), cause(&seen.preference)),
        ("resumption".to_owned(), cause(&seen.resumption)),
        ("client".to_owned(), cause(&seen.client_certificate)),
    ];
    add(&mut all, "version", &seen.versions);
    add(&mut all, "group", &seen.groups);
    add(&mut all, "suite", &seen.tls13_suites);
    add(&mut all, "suite", &seen.tls12_suites);
    add(&mut all, "chain", &seen.chains);
    add(&mut all, "client", &seen.clients);
    add(&mut all, "shape", &seen.tolerance);
    add(&mut all, "protocol", &seen.alpn);
    all
}

fn unreachable(endpoint: Endpoint) -> Cause {
    match endpoint.service {
        Service::Unreachable(unknown) => unknown.cause,
        other => panic!("{other:?}"),
    }
}

fn groups(endpoint: Endpoint) -> Vec<NamedGroup> {
    let groups = tls(endpoint).groups;
    for tried in &groups {
        assert!(!tried.answer.is_unknown(), "{tried:?}");
    }
    let taken = groups.iter().filter(|tried| tried.answer.is_supported());
    taken.map(|tried| tried.offer).collect()
}

fn shapes(endpoint: Endpoint) -> Vec<(HelloShape, Option<Cause>)> {
    let tolerance = tls(endpoint).tolerance;
    let cause = |tried: &Tried<HelloShape, _>| match &tried.answer {
        Answer::Supported(_) => (tried.offer, None),
        Answer::Unknown(unknown) => (tried.offer, Some(unknown.cause)),
        Answer::Refused(_) => panic!("{tried:?}"),
    };
    tolerance.iter().map(cause).collect()
}

fn quick() -> Options {
    Options {
        depth: Depth::Groups,
        ..patient()
    }
}

#[test]
fn a_server_that_lies_from_the_start_is_unreachable() {
    for lie in LIES {
        let address = serve(|socket, _| {
            if let Some(hello) = Hello::peek(&socket) {
                (lie.act)(socket, &hello);
            }
        });
        let seen = scan_one(address, &hasty(Depth::Full));
        match lie.cause {
            // An alert is an answer: whoever sends one speaks TLS.
            Cause::Alert => {
                for (what, cause) in answers(&tls(seen)) {
                    assert!(cause.is_some(), "{}: {what}", lie.name);
                }
            }
            expected => assert_eq!(unreachable(seen), expected, "{}", lie.name),
        }
    }
}

/// The one that answers the control and stalls then is the first of the list.
#[test]
fn a_server_that_lies_after_the_control_supports_and_refuses_nothing() {
    let scans = LIES.iter().map(|lie| {
        std::thread::spawn(|| {
            let address = serve(|socket, _| {
                let Some(hello) = Hello::peek(&socket) else {
                    return;
                };
                match hello.is_control() {
                    true => finish(socket, &hello.honest(&[X25519])),
                    false => (lie.act)(socket, &hello),
                }
            });
            let options = match lie.cause {
                Cause::Timeout => hasty(Depth::Full),
                _ => patient(),
            };
            let seen = tls(scan_one(address, &options));
            let answers = answers(&seen);
            assert!(answers.len() > 80);
            for (what, cause) in answers {
                let is_right = cause == Some(lie.cause) || cause == Some(Cause::NotAsked);
                assert!(is_right, "{}: {what}: {cause:?}", lie.name);
            }
            let asked = seen.groups.iter().all(|tried| match &tried.answer {
                Answer::Unknown(unknown) => unknown.cause == lie.cause,
                _ => false,
            });
            assert!(asked, "{}", lie.name);
        })
    });
    for scan in scans.collect::<Vec<_>>() {
        scan.join().unwrap();
    }
}

/// Old versions alone are refused here: that is no reason to think that the others are.
#[test]
fn a_refusal_of_old_versions_says_nothing_of_new_ones() {
    let address = serve(|mut socket, _| {
        let Some(hello) = Hello::read(&mut socket) else {
            return;
        };
        match hello.offer.versions.is_empty() {
            true => finish(socket, &alert(2, 70)),
            false if hello.is_control() => finish(socket, &hello.honest(&[X25519])),
            false => wait_for_end(socket),
        }
    });
    let seen = tls(scan_one(address, &hasty(Depth::Full)));
    for tried in seen.chains {
        assert!(tried.answer.is_unknown(), "{tried:?}");
    }
    assert!(seen.client_certificate.is_unknown() && seen.resumption.is_unknown());
}

#[test]
fn who_closes_or_resets_before_it_reads_is_unreachable() {
    let at_once = serve(|socket, _| drop(socket));
    let cause = unreachable(scan_one(at_once, &hasty(Depth::Full)));
    assert!(matches!(cause, Cause::Closed | Cause::Reset), "{cause:?}");
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let cause = unreachable(scan_one(nobody, &hasty(Depth::Full)));
    assert_eq!(cause, Cause::Connect);
}

#[test]
fn an_answer_is_read_wherever_it_is_cut() {
    // Each connection is cut one byte later than the one before.
    let address = serve(|mut socket, number| {
        let Some(hello) = Hello::read(&mut socket) else {
            return;
        };
        let answer = hello.honest(&[HYBRID, X25519]);
        let (first, second) = answer.split_at(number % answer.len());
        if socket.write_all(first).is_ok() {
            sleep(Duration::from_millis(3));
            finish(socket, second);
        }
    });
    for _ in 0..5 {
        let seen = scan_one(address, &quick());
        assert_eq!(groups(seen), [HYBRID, X25519]);
    }
}

#[test]
fn records_of_one_byte_are_read() {
    let address = serve(|mut socket, _| {
        let Some(hello) = Hello::read(&mut socket) else {
            return;
        };
        let honest = hello.honest(&[HYBRID, X25519]);
        match honest[0] {
            22 => finish(socket, &handshake_records(&honest[5..], 0x0303, 1)),
            _ => finish(socket, &honest),
        }
    });
    let seen = scan_one(address, &quick());
    assert_eq!(groups(seen), [HYBRID, X25519]);
}

#[test]
fn senders_without_an_end_are_cut_off() {
    for kind in 0..ENDLESS {
        let (most, count) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (most_sent, ended) = (Arc::clone(&most), Arc::clone(&count));
        let address = serve(move |mut socket, _| {
            let Some(hello) = Hello::read(&mut socket) else {
                return;
            };
            if hello.is_control() {
                return finish(socket, &hello.honest(&[X25519]));
            }
            let (begin, piece) = endless(&hello, kind);
            most_sent.fetch_max(send_endlessly(socket, &begin, &piece), Ordering::SeqCst);
            ended.fetch_add(1, Ordering::SeqCst);
        });
        let seen = tls(scan_one(address, &quick()));
        for tried in &seen.groups {
            let cause = match &tried.answer {
                Answer::Unknown(unknown) => Some(unknown.cause),
                _ => None,
            };
            assert_eq!(cause, Some(Cause::Garbage), "{kind}: {tried:?}");
        }
        // The last of them may still notice.
        for _ in 0..2000 {
            if count.load(Ordering::SeqCst) == seen.groups.len() {
                break;
            }
            sleep(Duration::from_millis(5));
        }
        assert_eq!(count.load(Ordering::SeqCst), seen.groups.len());
        // What the kernel's buffers on both sides hold, and not much more.
        let most = most.load(Ordering::SeqCst);
        assert!(most < 32 << 20, "{kind}: {most} bytes");
    }
}

#[test]
fn a_second_retry_request_is_garbage() {
    const P384: NamedGroup = NamedGroup::SECP384R1;
    let address = serve(|mut socket, _| {
        let Some(hello) = Hello::read(&mut socket) else {
            return;
        };
        if !hello.offer.versions.contains(&0x0304) || !hello.offer.groups.contains(&P384) {
            return finish(socket, &alert(2, 40));
        }
        let _ = socket.write_all(&records(&hello.retry_request(P384)));
        if let Some(second) = Hello::read(&mut socket) {
            finish(socket, &records(&second.retry_request(X25519)));
        }
    });
    let seen = tls(scan_one(address, &hasty(Depth::Full)));
    let taken = seen
        .groups
        .iter()
        .filter(|tried| tried.answer.is_supported());
    assert_eq!(taken.map(|tried| tried.offer).collect::<Vec<_>>(), [P384]);
    for tried in &seen.clients {
        assert!(tried.answer.is_unknown(), "{tried:?}");
    }
    for tried in &seen.chains {
        assert!(tried.answer.is_unknown(), "{tried:?}");
    }
}

/// A server of TLS 1.2 that sends this in the place of its chain.
fn chain_of(certificate: &'static [u8]) -> TlsService {
    let address = serve(|mut socket, _| {
        let Some(hello) = Hello::read(&mut socket) else {
            return;
        };
        let suites = hello.offer.cipher_suites.iter().map(|suite| suite.0);
        // ECDHE with either kind of certificate.
        let suite = suites
            .filter(|suite| [0xc02b, 0xc02f].contains(suite))
            .min();
        let (Some(suite), true) = (suite, takes_tls12(&hello)) else {
            return finish(socket, &alert(2, 40));
        };
        let answer = hello.server_hello(&[7; 32], 0x0303, suite, &[]);
        let flight = [answer, message(11, certificate), message(14, &[])].concat();
        finish(socket, &records(&flight));
    });
    tls(scan_one(address, &hasty(Depth::Full)))
}

fn takes_tls12(hello: &Hello) -> bool {
    let versions = &hello.offer.versions;
    versions.contains(&0x0303) || (versions.is_empty() && !hello.offer.signature_schemes.is_empty())
}

#[test]
fn a_chain_that_can_not_be_read_is_unknown() {
    for certificate in [
        // It claims 2^24 bytes less one.
        &[0xff, 0xff, 0xff, 0, 0, 1, 0x30][..],
        &[0, 0, 7, 0xff, 0xff, 0xff, 0x30, 0, 0, 0],
        // No DER.
        &[0, 0, 8, 0, 0, 5, 1, 2, 3, 4, 5],
        // DER whose length lies.
        &[0, 0, 8, 0, 0, 5, 0x30, 0x84, 0xff, 0xff, 0xff],
        // No certificate.
        &[0, 0, 0],
        &[0, 0, 3, 0, 0, 0],
    ] {
        let seen = chain_of(certificate);
        let taken = seen
            .versions
            .iter()
            .filter(|tried| tried.answer.is_supported());
        assert_eq!(taken.map(|tried| tried.offer).collect::<Vec<_>>(), [0x0303]);
        for tried in seen.chains {
            let is_classical = [
                SignatureFamily::Rsa,
                SignatureFamily::Ecdsa,
                SignatureFamily::Eddsa,
            ]
            .contains(&tried.offer);
            match tried.answer {
                Answer::Unknown(unknown) => assert_eq!(unknown.cause, Cause::Garbage),
                answer => assert!(answer.is_refused() && !is_classical, "{answer:?}"),
            }
        }
    }
}

/// Who has got a share waits in vain for the rest of the handshake.
fn brief() -> Options {
    Options {
        timeout: Duration::from_secs(2),
        ..patient()
    }
}

#[test]
fn what_takes_no_large_hello_is_named_by_its_shapes() {
    let address = serve(|socket, _| {
        let Some(hello) = Hello::peek(&socket) else {
            return;
        };
        match hello.length > 1460 {
            true => reset(socket),
            false => finish(socket, &hello.honest(&[HYBRID, X25519])),
        }
    });
    let seen = scan_one(address, &brief());
    let expected = HelloShape::ALL.map(|shape| {
        let is_small = matches!(
            shape,
            HelloShape::Classical | HelloShape::HybridByRetryRequest
        );
        (shape, (!is_small).then_some(Cause::Reset))
    });
    assert_eq!(shapes(seen), expected);
}

#[test]
fn what_reads_only_once_is_named_by_its_shapes() {
    let address = serve(|mut socket, _| {
        let mut buffer = vec![0; 64 << 10];
        let count = socket.read(&mut buffer).unwrap_or(0);
        match Hello::parse(&buffer[..count]) {
            Some(hello) => finish(socket, &hello.honest(&[HYBRID, X25519])),
            None => half_read(socket),
        }
    });
    let seen = scan_one(address, &brief());
    let expected = HelloShape::ALL.map(|shape| {
        let is_split = matches!(
            shape,
            HelloShape::HybridInTwoSegments | HelloShape::HybridDelayed
        );
        (shape, is_split.then_some(Cause::Reset))
    });
    assert_eq!(shapes(seen), expected);
}

/// Resets as soon as the rest comes.
fn half_read(socket: TcpStream) {
    let _ = socket.peek(&mut [0]);
    reset(socket);
}
