//! What traces of live handshakes say.

use std::time::Duration;

use experiment::{Phase, Side};
use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::version;
use trace::{
    Capture, EarlyData, Flight, INITIAL_WINDOW, Message, Protection, Step, Subject, Trace, Verdict,
    explain,
};
use wire::{NamedGroup, SignatureScheme};

use crate::live::{Live, SERVER_NAME, Setup, full};

fn read(capture: &Capture) -> Trace {
    let trace = explain(capture);
    assert_eq!(trace.error, None, "{}", capture.title);
    trace
}

fn verdict(trace: &Trace, subject: Subject) -> Verdict {
    let finding = trace
        .findings
        .iter()
        .find(|finding| finding.subject == subject);
    finding.expect("a finding").verdict
}

fn step<'t>(trace: &'t Trace, sender: Side, name: &str) -> &'t Step {
    trace
        .steps
        .iter()
        .find(|step| step.sender == sender && step.message.to_string() == name)
        .unwrap_or_else(|| panic!("no {name} of the {sender}"))
}

fn tls12(suite: rustls::SupportedCipherSuite) -> Setup {
    Setup {
        version: &version::TLS12,
        suite,
        ..Setup::default()
    }
}

fn hybrid() -> Setup {
    Setup {
        client_groups: vec![kx_group::X25519MLKEM768, kx_group::X25519],
        server_groups: vec![kx_group::X25519MLKEM768],
        ..Setup::default()
    }
}

/// The verdict is that of the group's kind in `wire`, not of a name.
#[test]
fn recorded_traffic_falls_or_holds_with_the_kind_of_the_group() {
    let classical = read(&full(&Setup::default()));
    assert_eq!(
        verdict(&classical, Subject::Confidentiality),
        Verdict::Falls
    );
    for groups in [kx_group::X25519MLKEM768, kx_group::MLKEM768] {
        let trace = read(&full(&Setup {
            client_groups: vec![groups],
            server_groups: vec![groups],
            ..Setup::default()
        }));
        assert!(trace.negotiated.group.unwrap().is_post_quantum());
        assert_eq!(verdict(&trace, Subject::Confidentiality), Verdict::Holds);
        assert_eq!(
            verdict(&trace, Subject::ServerAuthentication),
            Verdict::Falls
        );
    }
    let signed = read(&full(&Setup {
        certificate: &rcgen::PKCS_ML_DSA_65,
        ..Setup::default()
    }));
    assert_eq!(
        signed.negotiated.server_scheme,
        Some(SignatureScheme::MLDSA65)
    );
    assert_eq!(verdict(&signed, Subject::Confidentiality), Verdict::Falls);
    assert_eq!(
        verdict(&signed, Subject::ServerAuthentication),
        Verdict::Holds
    );
    let totals = &signed.totals;
    assert!(totals.largest_server_flight > INITIAL_WINDOW && !totals.fits_initial_window);
    assert!(classical.totals.fits_initial_window);
}

#[test]
fn every_aead_of_both_versions_is_undone() {
    let tls13 = [
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ]
    .map(|suite| Setup {
        suite,
        ..Setup::default()
    });
    let tls12 = [
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ]
    .map(tls12);
    for setup in tls13.into_iter().chain(tls12) {
        let trace = read(&full(&setup));
        for side in Side::BOTH {
            let data = step(&trace, side, "Application data");
            assert_eq!(data.body, b"hello", "{:?}", setup.suite.suite());
            let finished = step(&trace, side, "Finished");
            assert!(finished.protection.is_encrypted());
            assert!(step(&trace, side, "Alert").protection.is_encrypted());
        }
    }
}

/// The same certificate: hidden by TLS 1.3, shown to everybody by TLS 1.2.
#[test]
fn certificates_are_in_the_clear_in_tls_1_2_alone() {
    let old = cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
    for (setup, protection) in [
        (tls12(old), Protection::Clear),
        (Setup::default(), Protection::Handshake),
    ] {
        let trace = read(&full(&Setup {
            is_mutual: true,
            ..setup
        }));
        for side in Side::BOTH {
            let certificate = step(&trace, side, "Certificate");
            assert_eq!(certificate.protection, protection);
            let Message::Certificate(sizes) = &certificate.message else {
                panic!("no certificates");
            };
            assert_eq!(sizes.len(), 2);
            assert_eq!(
                certificate
                    .seen
                    .iter()
                    .any(|seen| seen.contains("whole chain")),
                protection == Protection::Clear
            );
        }
        assert!(trace.negotiated.client_scheme.is_some());
        assert_eq!(
            verdict(&trace, Subject::ClientAuthentication),
            Verdict::Falls
        );
    }
}

#[test]
fn the_server_name_and_the_key_shares_are_seen() {
    let trace = read(&full(&hybrid()));
    let hello = step(&trace, Side::Client, "ClientHello");
    let seen = hello.seen.join("\n");
    assert!(seen.contains(SERVER_NAME), "{seen}");
    let shares = hello.contents.iter().find(|fact| fact.name == "key shares");
    let shares = &shares.unwrap().value;
    assert!(shares.contains("X25519MLKEM768 (1,216 bytes)"), "{shares}");
    assert!(hello.work[0].what.contains("x25519 and MLKEM768"));
}

#[test]
fn tls_1_2_takes_two_round_trips_and_resumes_in_one() {
    let live = Live::new(&tls12(
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ));
    let first = read(&live.connect("full"));
    assert_eq!(first.totals.round_trips, Some(2));
    assert_eq!(first.negotiated.group, Some(NamedGroup::X25519));
    assert!(!first.negotiated.is_resumed);
    let second = read(&live.connect("resumed"));
    assert_eq!(second.totals.round_trips, Some(1));
    assert!(second.negotiated.is_resumed);
    for trace in [first, second] {
        assert_eq!(verdict(&trace, Subject::Confidentiality), Verdict::Falls);
    }
}

#[test]
fn a_resumption_is_as_good_as_the_session_before_or_as_its_own_group() {
    let live = Live::new(&Setup::default());
    read(&live.connect("full"));
    let classical = read(&live.connect("resumed"));
    assert!(classical.negotiated.is_resumed);
    assert_eq!(verdict(&classical, Subject::Confidentiality), Verdict::Open);
    assert_eq!(
        verdict(&classical, Subject::ServerAuthentication),
        Verdict::Open
    );
    let live = Live::new(&hybrid());
    read(&live.connect("full"));
    let hybrid = read(&live.connect("resumed"));
    assert_eq!(verdict(&hybrid, Subject::Confidentiality), Verdict::Holds);
}

#[test]
fn early_data_are_read_whether_taken_or_refused() {
    let setup = Setup {
        early_data: Some(b"early"),
        ..Setup::default()
    };
    let mut live = Live::new(&setup);
    read(&live.connect("full"));
    let taken = read(&live.connect("taken"));
    live.refuse_early_data();
    let refused = read(&live.connect("refused"));
    for (trace, fate) in [
        (taken, EarlyData::Accepted),
        (refused, EarlyData::NotAccepted),
    ] {
        assert_eq!(trace.negotiated.early_data, Some(fate));
        let early = step(&trace, Side::Client, "Application data");
        assert_eq!(early.protection, Protection::EarlyData);
        assert_eq!(early.body, b"early");
        assert_eq!(verdict(&trace, Subject::EarlyData), Verdict::Open);
        let finished = step(&trace, Side::Client, "Finished");
        assert_eq!(finished.protection, Protection::Handshake);
    }
}

#[test]
fn a_second_hello_is_explained() {
    let trace = read(&full(&Setup {
        client_groups: vec![kx_group::X25519, kx_group::SECP256R1],
        server_groups: vec![kx_group::SECP256R1],
        ..Setup::default()
    }));
    assert!(trace.negotiated.has_hello_retry);
    assert_eq!(trace.totals.round_trips, Some(2));
    let request = step(&trace, Side::Server, "HelloRetryRequest");
    assert!(
        request
            .contents
            .iter()
            .any(|fact| fact.value.contains("secp256r1"))
    );
}

/// Small records split every message, and several meet in one.
#[test]
fn records_may_cut_messages_anywhere() {
    let whole = read(&full(&Setup::default()));
    let names = |trace: &Trace| -> Vec<String> {
        trace
            .steps
            .iter()
            .map(|step| step.message.to_string())
            .collect()
    };
    for fragment in [40, 64, 100, 333] {
        let capture = full(&Setup {
            fragment: Some(fragment),
            ..Setup::default()
        });
        let trace = read(&capture);
        assert_eq!(names(&trace), names(&whole), "{fragment}");
        let sent: usize = capture
            .flights
            .iter()
            .map(|flight| flight.bytes.len())
            .sum();
        let steps = trace.steps.iter().map(|step| step.bytes + step.overhead);
        assert_eq!(steps.sum::<usize>(), sent);
        assert!(step(&trace, Side::Server, "Certificate").records > 1);
    }
}

/// Times stand beside the computation that took them, on the side that did it.
#[test]
fn times_are_told_where_they_were_spent() {
    let mut capture = full(&hybrid());
    let microseconds = Duration::from_micros;
    capture.flights[0].phases = vec![(Phase::GenerateShare, microseconds(11))];
    capture.flights[1].phases = vec![
        (Phase::Agree, microseconds(22)),
        (Phase::Sign, microseconds(33)),
    ];
    capture.flights[2].phases = vec![(Phase::Agree, microseconds(44))];
    capture.flights[1].cpu = Some(microseconds(60));
    let trace = read(&capture);
    let times = |sender, name| -> Vec<(Side, Option<u128>)> {
        let work = step(&trace, sender, name).work.iter();
        work.map(|work| (work.side, work.time.map(|time| time.as_micros())))
            .collect()
    };
    assert_eq!(
        times(Side::Client, "ClientHello"),
        [(Side::Client, Some(11))]
    );
    assert_eq!(
        times(Side::Server, "ServerHello"),
        [(Side::Server, Some(22)), (Side::Client, Some(44))]
    );
    assert_eq!(
        times(Side::Server, "CertificateVerify"),
        [(Side::Server, Some(33)), (Side::Client, None)]
    );
    assert_eq!(trace.totals.server.cpu, Some(microseconds(60)));
    assert_eq!(trace.totals.client.cpu, None);
}

#[test]
fn data_are_read_under_updated_keys() {
    let trace = read(&full(&Setup {
        updates_keys: true,
        ..Setup::default()
    }));
    for side in Side::BOTH {
        step(&trace, side, "KeyUpdate");
        assert_eq!(step(&trace, side, "Application data").body, b"hello");
    }
}

/// The client encrypts to the server's key: no forward secrecy, and the two halves of the
/// work are there.
#[test]
fn static_rsa_falls_with_the_servers_key() {
    let message = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[kind], &length[1..], body].concat()
    };
    let record = |messages: &[Vec<u8>]| {
        let payload = messages.concat();
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        [&[22, 3, 3], &length[..], &payload].concat()
    };
    let suite = [0x00, 0x9d];
    let client_hello = [&[3, 3], &[1; 32][..], &[0, 0, 2], &suite, &[1, 0]].concat();
    let server_hello = [&[3, 3], &[2; 32][..], &[0], &suite, &[0]].concat();
    let certificate = [0, 0, 4, 0, 0, 1, 7];
    let capture = Capture {
        flights: vec![
            Flight::new(Side::Client, record(&[message(1, &client_hello)])),
            Flight::new(
                Side::Server,
                record(&[
                    message(2, &server_hello),
                    message(11, &certificate),
                    message(14, &[]),
                ]),
            ),
            Flight::new(Side::Client, record(&[message(16, &[0, 2, 8, 8])])),
        ],
        ..Capture::default()
    };
    let trace = read(&capture);
    let finding = &trace.findings[0];
    assert_eq!(finding.verdict, Verdict::Falls);
    assert!(finding.text.contains("no forward secrecy"));
    let exchange = step(&trace, Side::Client, "ClientKeyExchange");
    let sides: Vec<Side> = exchange.work.iter().map(|work| work.side).collect();
    assert_eq!(sides, Side::BOTH);
}
