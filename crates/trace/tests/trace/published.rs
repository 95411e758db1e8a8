//! Known answers: RFC 8448.

use experiment::Side;
use trace::{EarlyData, KeyLog, Message, Protection, Trace, explain};
use wire::{AlertDescription, NamedGroup, ProtocolVersion};

use crate::vectors::{Vector, section};

/// Type and length of a handshake message, which a step's body lacks.
const MESSAGE_HEADER: usize = 4;

fn names(trace: &Trace, sender: Side) -> Vec<String> {
    let steps = trace.steps.iter().filter(|step| step.sender == sender);
    steps.map(|step| step.message.to_string()).collect()
}

#[test]
fn every_message_is_found_and_decrypted() {
    for number in 3..=7 {
        let Vector { capture, messages } = section(number);
        let trace = explain(&capture);
        assert_eq!(trace.error, None, "section {number}");
        let found: Vec<_> = trace
            .steps
            .iter()
            .filter(|step| {
                !matches!(
                    step.message,
                    Message::ApplicationData | Message::Alert(_) | Message::ChangeCipherSpec
                )
            })
            .collect();
        assert_eq!(found.len(), messages.len(), "section {number}");
        for (step, (sender, protection, message)) in found.iter().zip(&messages) {
            let context = format!("section {number}, {}", step.message);
            assert_eq!(step.sender, *sender, "{context}");
            assert_eq!(step.protection, *protection, "{context}");
            assert_eq!(step.body, message[MESSAGE_HEADER..], "{context}");
            assert_eq!(step.bytes, message.len(), "{context}");
        }
    }
}

/// Nothing is lost and nothing counted twice.
#[test]
fn messages_and_record_overhead_add_up_to_what_was_sent() {
    for number in 3..=7 {
        let capture = section(number).capture;
        let trace = explain(&capture);
        let sent: usize = capture
            .flights
            .iter()
            .map(|flight| flight.bytes.len())
            .sum();
        let steps = trace.steps.iter().map(|step| step.bytes + step.overhead);
        assert_eq!(steps.sum::<usize>(), sent, "section {number}");
        let flights = trace.flights.iter().map(|flight| flight.bytes);
        assert_eq!(flights.sum::<usize>(), sent, "section {number}");
    }
}

#[test]
fn simple_handshake() {
    let trace = explain(&section(3).capture);
    assert_eq!(
        names(&trace, Side::Server),
        [
            "ServerHello",
            "EncryptedExtensions",
            "Certificate",
            "CertificateVerify",
            "Finished",
            "NewSessionTicket",
            "Application data",
            "Alert",
        ]
    );
    assert_eq!(trace.negotiated.version, Some(ProtocolVersion::Tls13));
    assert_eq!(trace.negotiated.group, Some(NamedGroup::X25519));
    assert_eq!(trace.totals.round_trips, Some(1));
    assert!(!trace.negotiated.is_resumed && !trace.negotiated.has_hello_retry);
    // Four messages in one record: the first is charged with its header, type and tag.
    let overhead: Vec<_> = trace
        .steps
        .iter()
        .filter(|step| step.protection == Protection::Handshake && step.sender == Side::Server)
        .map(|step| (step.records, step.overhead))
        .collect();
    assert_eq!(overhead, [(1, 5 + 1 + 16), (0, 0), (0, 0), (0, 0)]);
}

#[test]
fn resumption_with_0_rtt_data() {
    let trace = explain(&section(4).capture);
    assert!(trace.negotiated.is_resumed);
    assert_eq!(trace.negotiated.early_data, Some(EarlyData::Accepted));
    let early: Vec<_> = trace
        .steps
        .iter()
        .filter(|step| step.protection == Protection::EarlyData)
        .map(|step| (step.message.to_string(), step.body.clone()))
        .collect();
    assert_eq!(
        early,
        [
            ("Application data".to_owned(), b"ABCDEF".to_vec()),
            ("EndOfEarlyData".to_owned(), Vec::new())
        ]
    );
}

#[test]
fn hello_retry_request() {
    let trace = explain(&section(5).capture);
    assert!(trace.negotiated.has_hello_retry);
    assert_eq!(trace.negotiated.group, Some(NamedGroup::SECP256R1));
    assert_eq!(trace.totals.round_trips, Some(2));
    assert_eq!(
        names(&trace, Side::Client),
        ["ClientHello", "ClientHello", "Finished", "Alert"]
    );
}

#[test]
fn client_authentication() {
    let trace = explain(&section(6).capture);
    assert_eq!(
        names(&trace, Side::Client),
        [
            "ClientHello",
            "Certificate",
            "CertificateVerify",
            "Finished",
            "Alert"
        ]
    );
    assert!(names(&trace, Side::Server).contains(&"CertificateRequest".to_owned()));
    assert!(trace.negotiated.client_scheme.is_some());
}

#[test]
fn closing_alerts_are_decrypted() {
    let trace = explain(&section(7).capture);
    let closes = trace.steps.iter().filter(|step| {
        matches!(&step.message, Message::Alert(alert)
            if alert.description == AlertDescription::CLOSE_NOTIFY)
    });
    assert_eq!(closes.count(), 2);
    let empty = trace
        .steps
        .iter()
        .filter(|step| step.message == Message::ChangeCipherSpec);
    assert_eq!(empty.count(), 2);
}

/// Without secrets the hellos are there, and all else is what an eavesdropper sees.
#[test]
fn without_a_key_log_the_eavesdroppers_view_remains() {
    for number in 3..=7 {
        let mut capture = section(number).capture;
        let whole = explain(&capture);
        capture.key_log = KeyLog::default();
        let trace = explain(&capture);
        assert_eq!(trace.error, None);
        assert_eq!(trace.negotiated.group, whole.negotiated.group);
        assert_eq!(trace.negotiated.server_scheme, None);
        for step in &trace.steps {
            let is_clear = step.protection == Protection::Clear;
            assert_eq!(is_clear, step.message != Message::Unreadable);
        }
        let bytes = |trace: &Trace| {
            let steps = trace.steps.iter().map(|step| step.bytes + step.overhead);
            steps.sum::<usize>()
        };
        assert_eq!(bytes(&trace), bytes(&whole));
    }
}

/// Each secret opens its own epoch, whatever else is missing.
#[test]
fn the_application_secrets_alone_open_the_application_data() {
    let mut capture = section(3).capture;
    let random = &capture.flights[0].bytes[11..43];
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    capture.key_log = KeyLog::parse(&format!(
        "SERVER_TRAFFIC_SECRET_0 {random} \
         a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"
    ))
    .unwrap();
    let trace = explain(&capture);
    assert_eq!(trace.error, None);
    assert_eq!(
        names(&trace, Side::Server),
        [
            "ServerHello",
            "Encrypted records",
            "NewSessionTicket",
            "Application data",
            "Alert"
        ]
    );
}
