//! Captures that are cut short, changed, or no TLS at all.

use experiment::Side;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustls::crypto::aws_lc_rs::cipher_suite;
use rustls::version;
use trace::{Capture, Flight, KeyLog, ReadError, Trace, compare_text, explain, svg, text};
use wire::{HandshakeType, HelloError, RecordError};

use crate::live::{Setup, full};
use crate::vectors::section;

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;

fn record(content_type: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let mut record = vec![content_type, 3, 3];
    record.extend(length);
    record.extend(payload);
    record
}

fn client(bytes: Vec<u8>) -> Capture {
    Capture {
        flights: vec![Flight::new(Side::Client, bytes)],
        ..Capture::default()
    }
}

/// The steps of a part of a capture are the first of the whole's.
fn assert_prefix(part: &Trace, whole: &Trace) {
    assert!(part.steps.len() <= whole.steps.len());
    for (part, whole) in part.steps.iter().zip(&whole.steps) {
        assert_eq!(part.message, whole.message);
    }
}

#[test]
fn every_truncation_is_named_and_what_came_before_it_kept() {
    for number in 3..=7 {
        let capture = section(number).capture;
        let whole = explain(&capture);
        let mut full_steps = 0;
        for index in 0..capture.flights.len() {
            let bytes = &capture.flights[index].bytes;
            let mut boundary = 0;
            for length in 0..bytes.len() {
                if length == boundary + 5 + record_length(&bytes[boundary..]) {
                    boundary = length;
                }
                let mut cut = capture.clone();
                cut.flights.truncate(index + 1);
                cut.flights[index].bytes.truncate(length);
                let trace = explain(&cut);
                assert_eq!(
                    trace.error.is_some(),
                    length != boundary,
                    "section {number}, flight {index}, {length} bytes"
                );
                assert!(trace.steps.len() >= full_steps);
                // Application data of one flight are one step, whatever is there of them.
                assert_prefix(&trace, &whole);
            }
            let mut upto = capture.clone();
            upto.flights.truncate(index + 1);
            full_steps = explain(&upto).steps.len();
        }
    }
}

fn record_length(record: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([record[3], record[4]]))
}

/// Authenticated encryption notices a change of any bit.
#[test]
fn every_change_of_an_encrypted_record_is_noticed() {
    let capture = section(3).capture;
    let whole = explain(&capture);
    let hellos = 5 + record_length(&capture.flights[1].bytes);
    let sent = capture.flights[1].bytes.len();
    for at in (hellos + 5)..sent {
        let mut tampered = capture.clone();
        tampered.flights[1].bytes[at] ^= 0x40;
        let trace = explain(&tampered);
        let expected = ReadError::Decryption {
            flight: 2,
            sender: Side::Server,
            record: 2,
        };
        assert_eq!(trace.error, Some(expected));
        assert_eq!(trace.steps.len(), 2, "the hellos remain");
        assert_prefix(&trace, &whole);
    }
}

#[test]
fn a_key_log_that_does_not_fit_is_named() {
    let capture = section(3).capture;
    let random = &capture.flights[0].bytes[11..43];
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let with = |secret: &str| {
        let line = format!("SERVER_HANDSHAKE_TRAFFIC_SECRET {random} {secret}");
        explain(&Capture {
            key_log: KeyLog::parse(&line).unwrap(),
            ..capture.clone()
        })
    };
    let wrong = with(&"00".repeat(32)).error;
    assert!(matches!(wrong, Some(ReadError::Decryption { .. })));
    let short = with("0000").error;
    assert!(matches!(short, Some(ReadError::Secret { length: 2, .. })));
}

#[test]
fn what_breaks_the_protocol_is_named() {
    let error = |bytes: Vec<u8>| explain(&client(bytes)).error.expect("an error");
    let protocol = |error: &ReadError| matches!(error, ReadError::Protocol { .. });

    assert_eq!(
        error(b"GET / HTTP/1.1\r\n".to_vec()),
        ReadError::Record {
            flight: 1,
            sender: Side::Client,
            source: RecordError::NotTls(b'G'),
        }
    );
    assert!(protocol(&error(record(HANDSHAKE, &[]))));
    let mut interrupted = record(HANDSHAKE, &[1, 0, 0, 9]);
    interrupted.extend(record(ALERT, &[2, 40]));
    assert!(protocol(&error(interrupted)));
    assert_eq!(
        error(record(HANDSHAKE, &[1, 0, 0, 9, 3, 3])),
        ReadError::Unfinished {
            sender: Side::Client,
            missing: 7,
        }
    );
    assert_eq!(
        error(record(HANDSHAKE, &[1, 0, 0, 2, 3, 3])),
        ReadError::Message {
            flight: 1,
            sender: Side::Client,
            message: HandshakeType::CLIENT_HELLO,
            source: HelloError::Overrun("the random"),
        }
    );
    let alert = error(record(ALERT, &[2]));
    assert!(matches!(alert, ReadError::Alert { .. }));
}

/// A record may begin in one flight of its sender and end in the next.
#[test]
fn flights_may_be_cut_anywhere() {
    let capture = section(6).capture;
    let whole = explain(&capture);
    for piece in [1, 7, 100] {
        let mut cut = capture.clone();
        cut.flights = capture
            .flights
            .iter()
            .flat_map(|flight| {
                let pieces = flight.bytes.chunks(piece);
                pieces.map(|bytes| Flight::new(flight.sender, bytes.to_vec()))
            })
            .collect();
        let trace = explain(&cut);
        assert_eq!(trace.error, None);
        assert_eq!(trace.steps.len(), whole.steps.len());
        assert_prefix(&trace, &whole);
    }
}

/// Whatever is in a capture: it is read, explained and drawn without a panic, and terminals
/// and pages get nothing to act upon.
#[test]
fn random_changes_never_panic() {
    let mut random = StdRng::seed_from_u64(8448);
    let legacy = Setup {
        version: &version::TLS12,
        suite: cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        is_mutual: true,
        ..Setup::default()
    };
    let mut captures: Vec<Capture> = (3..=7).map(|number| section(number).capture).collect();
    captures.push(full(&legacy));
    for round in 0..1500 {
        let mut capture = captures[round % captures.len()].clone();
        for _ in 0..random.random_range(1..5) {
            mutate(&mut capture, &mut random);
        }
        let trace = explain(&capture);
        let text = text(&trace);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        assert!(text.lines().all(|line| line.chars().count() <= 100));
        let picture = svg(std::slice::from_ref(&trace));
        roxmltree::Document::parse(&picture).unwrap();
        serde_json::to_string(&trace).unwrap();
        compare_text(&[trace]);
    }
}

fn mutate(capture: &mut Capture, random: &mut StdRng) {
    let index = random.random_range(0..capture.flights.len());
    // The hellos are what is not authenticated: most changes go there.
    let index = index.min(random.random_range(0..capture.flights.len()));
    let flight = &mut capture.flights[index];
    if flight.bytes.is_empty() {
        return;
    }
    let at = random.random_range(0..flight.bytes.len());
    match random.random_range(0..6) {
        0 => flight.bytes.truncate(at),
        1 => flight.bytes.insert(at, random.random()),
        2 => drop(flight.bytes.remove(at)),
        3 => flight.sender = flight.sender.peer(),
        _ => flight.bytes[at] = random.random(),
    }
}
