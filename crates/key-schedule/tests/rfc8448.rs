//! The example handshakes of RFC 8448, from the shared secret to the last message.
#![allow(clippy::unwrap_used)]

use key_schedule::{Secret, SuiteAlgorithms, Tls13Keys, Tls13Schedule, TranscriptHash, finished};
use wire::{CipherSuite, ContentType, Records, TicketMaterial};

const SECTION_3: &str = include_str!("../../trace/tests/trace/data/rfc8448-section-3.txt");
const SECTION_4: &str = include_str!("../../trace/tests/trace/data/rfc8448-section-4.txt");
/// The result of X25519 in section 3.
const SHARED: &str = "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// The last field of the lines that begin so.
fn lines(text: &str, begin: &str) -> Vec<Vec<u8>> {
    let found = text.lines().filter(|line| line.starts_with(begin));
    found
        .map(|line| hex(line.rsplit(' ').next().unwrap()))
        .collect()
}

fn suite() -> SuiteAlgorithms {
    SuiteAlgorithms::of(CipherSuite::AES_128_GCM_SHA256).unwrap()
}

struct Section3 {
    schedule: Tls13Schedule,
    transcript: TranscriptHash,
}

/// Plays the client of section 3 up to its own Finished, and checks each step.
fn play_section_3() -> Section3 {
    let shared = hex(SHARED);
    let schedule = Tls13Schedule::new(suite(), None, Some(&shared)).unwrap();
    let mut transcript = TranscriptHash::new(suite());
    for side in ["client", "server"] {
        transcript.add(&lines(SECTION_3, &format!("message {side} clear"))[0]);
    }
    let secret = |secret, transcript: &TranscriptHash| schedule.secret(secret, transcript).unwrap();
    let published = |label: &str| lines(SECTION_3, &format!("key {label}"))[0].clone();

    let server = secret(Secret::ServerHandshake, &transcript);
    let client = secret(Secret::ClientHandshake, &transcript);
    assert_eq!(server, published("SERVER_HANDSHAKE_TRAFFIC_SECRET"));
    assert_eq!(client, published("CLIENT_HANDSHAKE_TRAFFIC_SECRET"));

    let flight = &lines(SECTION_3, "flight server")[0];
    let mut keys = Tls13Keys::new(suite(), &server).unwrap();
    let sealed = Records::new(flight).map(Result::unwrap);
    let sealed = sealed.filter(|record| record.content_type == ContentType::ApplicationData);
    let opened: Vec<u8> = sealed
        .flat_map(|record| keys.open(&record).unwrap().content)
        .collect();
    let messages = lines(SECTION_3, "message server handshake");
    assert_eq!(opened, messages.concat());

    let (last, others) = messages.split_last().unwrap();
    others.iter().for_each(|message| transcript.add(message));
    assert_eq!(finished(&server, &transcript).unwrap(), last[4..]);
    transcript.add(last);
    let application = secret(Secret::ServerApplication, &transcript);
    assert_eq!(application, published("SERVER_TRAFFIC_SECRET_0"));
    let application = secret(Secret::ClientApplication, &transcript);
    assert_eq!(application, published("CLIENT_TRAFFIC_SECRET_0"));

    let answer = &lines(SECTION_3, "message client handshake")[0];
    assert_eq!(finished(&client, &transcript).unwrap(), answer[4..]);
    // The client's records begin with this one: what is sealed here is what was sent there.
    let mut keys = Tls13Keys::new(suite(), &client).unwrap();
    let record = keys.seal(ContentType::Handshake, answer).unwrap();
    assert!(lines(SECTION_3, "flight client")[1].starts_with(&record));
    transcript.add(answer);
    Section3 {
        schedule,
        transcript,
    }
}

#[test]
fn every_secret_and_message_of_a_simple_handshake() {
    play_section_3();
}

#[test]
fn the_ticket_of_section_3_resumes_in_section_4() {
    let Section3 {
        schedule,
        transcript,
    } = play_section_3();
    let master = schedule.secret(Secret::Resumption, &transcript).unwrap();
    let ticket = &lines(SECTION_3, "message server application")[0];
    let material = TicketMaterial::parse(&ticket[4..]).unwrap();
    let key = Tls13Schedule::ticket_key(suite(), &master, material.nonce).unwrap();
    let schedule = Tls13Schedule::new(suite(), Some(&key), None).unwrap();

    let hello = &lines(SECTION_4, "message client clear")[0];
    let (covered, binders) = hello.split_at(hello.len() - 35);
    assert!(
        hello
            .windows(material.ticket.len())
            .any(|part| part == material.ticket)
    );
    let mut truncated = TranscriptHash::new(suite());
    truncated.add(covered);
    assert_eq!(
        schedule.resumption_binder(&truncated).unwrap(),
        binders[3..]
    );
}

#[test]
fn damaged_records_and_wrong_lengths_are_refused() {
    let secret = [7; 32];
    let mut keys = Tls13Keys::new(suite(), &secret).unwrap();
    let record = keys.seal(ContentType::Handshake, b"content").unwrap();
    let opened = |bytes: &[u8]| {
        let record = Records::new(bytes).next().unwrap().unwrap();
        Tls13Keys::new(suite(), &secret)
            .unwrap()
            .open(&record)
            .map(|opened| opened.content)
    };
    assert_eq!(opened(&record).as_deref(), Some(&b"content"[..]));
    for at in [0, 2, 5, record.len() - 1] {
        let mut damaged = record.clone();
        // 23 becomes 22: still a content type, but not the one that was authenticated.
        damaged[at] ^= 1;
        assert_eq!(opened(&damaged), None, "byte {at}");
    }
    assert!(Tls13Keys::new(suite(), &secret[..31]).is_none());
    assert!(
        keys.seal(ContentType::Handshake, &vec![0; (1 << 14) + 1])
            .is_none()
    );
}
