mod peers;

use audit::Unknown;
use wire::{AlertDescription, CipherSuite, ClientHello, NamedGroup, SignatureScheme};

use super::cursor::put_varint;
use super::frames::{Frames, crypto_header};
use super::packet::{Kind, Packet, initial_header, next, room};
use super::protection::{InitialKeys, is_retry_to};
use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
    digits.chunks(2).map(|pair| byte(pair).unwrap()).collect()
}

/// The datagrams of RFC 9001 appendix A.2, A.3 and A.4.
fn client_initial() -> Vec<u8> {
    bytes(include_str!(
        "../../../quic/tests/vectors/rfc9001-client-initial.hex"
    ))
}

fn server_initial() -> Vec<u8> {
    bytes(include_str!(
        "../../../quic/tests/vectors/rfc9001-server-initial.hex"
    ))
}

const RETRY: &str = "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba";
/// The ID that the client of the appendix sends to.
const DESTINATION: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

fn only(datagram: &[u8]) -> Packet<'_> {
    let mut rest = datagram;
    let packet = next(&mut rest).unwrap();
    assert!(rest.is_empty());
    packet
}

#[test]
fn the_client_initial_of_the_standard() {
    let datagram = client_initial();
    let keys = InitialKeys::of(&DESTINATION).unwrap();
    let packet = only(&datagram);
    assert_eq!(packet.destination, DESTINATION);
    assert_eq!(packet.kind, Kind::Initial { number_at: 18 });
    let opened = keys.client.open(packet.bytes, 18).unwrap();
    assert_eq!(opened.number, 2);
    assert_eq!(
        opened.frames[..8],
        [0x06, 0x00, 0x40, 0xf1, 0x01, 0x00, 0x00, 0xed]
    );
    // Written again it is the same to the byte.
    let header = initial_header(&DESTINATION, &[], &[], 2);
    assert_eq!(opened.frames.len(), room(&header));
    assert_eq!(
        keys.client.seal(&header, 2, opened.frames).unwrap(),
        datagram
    );
}

#[test]
fn the_server_initial_of_the_standard_and_damaged() {
    let datagram = server_initial();
    let keys = InitialKeys::of(&DESTINATION).unwrap();
    let packet = only(&datagram);
    let Kind::Initial { number_at } = packet.kind else {
        panic!("{packet:?}");
    };
    let opened = keys.server.open(packet.bytes, number_at).unwrap();
    assert_eq!(opened.number, 1);
    let frames = Frames::parse(&opened.frames).unwrap();
    let [(0, data)] = frames.data[..] else {
        panic!("{frames:?}");
    };
    let hello = wire::ServerHello::parse(&data[4..]).unwrap();
    assert_eq!(hello.key_share.unwrap().group, NamedGroup::X25519);
    for at in 0..datagram.len() {
        let mut damaged = datagram.clone();
        damaged[at] ^= 0x10;
        assert!(keys.server.open(&damaged, number_at).is_none(), "{at}");
        assert!(
            keys.server.open(&datagram[..at], number_at).is_none(),
            "{at}"
        );
    }
}

#[test]
fn the_retry_of_the_standard_and_damaged() {
    let datagram = bytes(RETRY);
    let packet = only(&datagram);
    assert_eq!(packet.kind, Kind::Retry { token: b"token" });
    assert!(is_retry_to(&DESTINATION, packet.bytes));
    assert!(!is_retry_to(&DESTINATION[..7], packet.bytes));
    for at in 0..datagram.len() {
        let mut damaged = datagram.clone();
        damaged[at] ^= 1;
        assert!(!is_retry_to(&DESTINATION, &damaged), "{at}");
        assert!(!is_retry_to(&DESTINATION, &datagram[..at]), "{at}");
    }
}

const SOURCE: [u8; 8] = [0xa1; 8];
const SERVER: &[u8] = &[0xb2; 5];

/// X25519 alone, without a share.
fn offer() -> Offer {
    Offer {
        versions: vec![0x0304],
        cipher_suites: vec![CipherSuite::AES_128_GCM_SHA256],
        groups: vec![NamedGroup::X25519],
        signature_schemes: vec![SignatureScheme(0x0403), SignatureScheme(0x0804)],
        ..Offer::default()
    }
}

fn attempt() -> Attempt {
    Attempt::with_ids(&offer(), SOURCE, DESTINATION).unwrap()
}

/// A datagram of the server that answers an attempt to `destination`.
fn from_server(
    destination: &[u8],
    source: &[u8],
    to: &[u8],
    number: u32,
    frames: &[u8],
) -> Vec<u8> {
    let header = initial_header(to, source, &[], number);
    let mut frames = frames.to_vec();
    frames.resize(room(&header), 0);
    InitialKeys::of(destination)
        .unwrap()
        .server
        .seal(&header, number, frames)
        .unwrap()
}

fn sent(number: u32, frames: &[u8]) -> Vec<u8> {
    from_server(&DESTINATION, SERVER, &SOURCE, number, frames)
}

fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
    [&crypto_header(offset, data.len()), data].concat()
}

fn close(code: u64, reason: &str) -> Vec<u8> {
    let mut frame = vec![0x1c];
    for value in [code, 6, reason.len() as u64] {
        put_varint(&mut frame, value);
    }
    frame.extend(reason.as_bytes());
    frame
}

/// A HelloRetryRequest for X25519 (RFC 8446 section 4.1.4).
fn retry_request() -> Vec<u8> {
    bytes(
        "0200003403 03cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c
         00 1301 00 000c 002b00020304 00330002001d",
    )
}

fn unknown(stopped: Stopped) -> Unknown {
    match stopped {
        Stopped::Unknown(unknown) => unknown,
        Stopped::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// What a client has sent, as a server reads it: the handshake data of its datagrams.
fn hello_of(flight: &[Vec<u8>], destination: &[u8]) -> Vec<u8> {
    let keys = InitialKeys::of(destination).unwrap();
    let mut stream = Vec::new();
    for datagram in flight {
        assert_eq!(datagram.len(), 1200);
        let Kind::Initial { number_at } = only(datagram).kind else {
            panic!("no Initial");
        };
        let opened = keys.client.open(datagram, number_at).unwrap();
        let frames = Frames::parse(&opened.frames).unwrap();
        let [(offset, data)] = frames.data[..] else {
            panic!("{frames:?}");
        };
        assert_eq!(offset, stream.len());
        stream.extend(data);
    }
    stream
}

#[test]
fn a_first_flight_has_what_quic_needs() {
    let mut attempt = attempt();
    let message = hello_of(&attempt.flight().unwrap(), &DESTINATION);
    let hello = ClientHello::parse(&message[4..]).unwrap();
    assert_eq!(hello.alpn, [b"h3"]);
    assert_eq!((hello.session_id, hello.key_shares.len()), (0, 0));
    assert!(hello.extensions.contains(&wire::ExtensionType(57)));
    // initial_source_connection_id.
    let parameter = [&[0x0f, 8][..], &SOURCE].concat();
    assert!(message.windows(10).any(|window| window == parameter));
    // Sent again it is the same message under another number.
    let again = attempt.flight().unwrap();
    assert_eq!(hello_of(&again, &DESTINATION), message);
}

#[test]
fn a_long_hello_takes_several_datagrams() {
    let long = Offer {
        padded_to: Some(5000),
        ..offer()
    };
    let mut attempt = Attempt::with_ids(&long, SOURCE, DESTINATION).unwrap();
    let flight = attempt.flight().unwrap();
    assert_eq!(flight.len(), 5);
    assert_eq!(hello_of(&flight, &DESTINATION).len(), 5000);
}

#[test]
fn pieces_in_any_order_and_packets_make_one_message() {
    let message = retry_request();
    let (begin, end) = (crypto(0, &message[..20]), crypto(15, &message[15..]));
    for (first, second) in [(&begin, &end), (&end, &begin)] {
        let mut attempt = attempt();
        let (first, second) = (sent(0, first), sent(7, second));
        assert_eq!(attempt.take(&first).unwrap(), Outcome::Acknowledge);
        // Once more it is nothing new.
        assert_eq!(attempt.take(&first).unwrap(), Outcome::Nothing);
        assert_eq!(
            attempt.take(&second).unwrap(),
            Outcome::Message(message.clone())
        );
        assert!(attempt.close().is_some());
    }
    // Byte by byte, two packets to a datagram; the client knows its own end of a datagram.
    let mut whole = attempt();
    let pieces: Vec<_> = (0..message.len())
        .map(|at| crypto(at, &message[at..=at]))
        .collect();
    let packets: Vec<_> = (0..)
        .zip(&pieces)
        .map(|(number, piece)| sent(number, piece))
        .collect();
    let mut last = Outcome::Nothing;
    for pair in packets.chunks(2) {
        last = whole.take(&pair.concat()).unwrap();
    }
    assert_eq!(last, Outcome::Message(message));
}

#[test]
fn a_cut_anywhere_is_waited_for() {
    let message = retry_request();
    for cut in 1..message.len() {
        let mut attempt = attempt();
        let outcome = attempt.take(&sent(0, &crypto(0, &message[..cut]))).unwrap();
        assert_eq!(outcome, Outcome::Acknowledge);
        assert!(unknown(attempt.too_late()).detail.contains("part"));
    }
    let datagram = sent(0, &crypto(0, &message));
    for cut in 0..datagram.len() {
        assert_eq!(attempt().take(&datagram[..cut]).unwrap(), Outcome::Nothing);
    }
}

#[test]
fn closes_are_told_by_their_codes() {
    let mut refused = attempt();
    let outcome = refused.take(&sent(0, &close(0x0128, "no group"))).unwrap();
    assert_eq!(outcome, Outcome::Alert(AlertDescription::HANDSHAKE_FAILURE));
    // Who has closed needs no close.
    assert!(refused.close().is_none());
    let stopped = unknown(attempt().take(&sent(0, &close(2, "busy\x1b"))).unwrap_err());
    assert_eq!(stopped.cause, Cause::Alert);
    assert!(
        stopped.detail.ends_with("CONNECTION_REFUSED (0x2): busy"),
        "{stopped}"
    );
}

#[test]
fn what_no_server_would_send_is_garbage() {
    for frames in [
        crypto(0, &[1, 0, 0, 0]),
        crypto((64 << 10) - 3, b"beyond"),
        crypto(0, &[2, 0xff, 0xff, 0xff]),
        // STREAM, and a CRYPTO frame that ends behind its packet.
        vec![0x08, 0, 0],
        vec![6, 0, 0x50, 0],
    ] {
        let stopped = unknown(attempt().take(&sent(0, &frames)).unwrap_err());
        assert_eq!(stopped.cause, Cause::Garbage, "{stopped}");
    }
}

#[test]
fn packets_of_others_are_passed_over() {
    let alert = close(0x0128, "");
    let mut attempt = attempt();
    let other = [0xc3; 8];
    for datagram in [
        from_server(&DESTINATION, SERVER, &other, 0, &alert),
        from_server(&other, SERVER, &SOURCE, 0, &alert),
        vec![0; 1200],
        vec![0xff; 1200],
        vec![0x40; 40],
        b"HTTP/1.1 400 Bad Request".to_vec(),
        Vec::new(),
    ] {
        assert_eq!(attempt.take(&datagram).unwrap(), Outcome::Nothing);
    }
    // And once the server has an ID, those with another one.
    attempt.take(&sent(0, &[1])).unwrap();
    let stranger = from_server(&DESTINATION, &other, &SOURCE, 1, &alert);
    assert_eq!(attempt.take(&stranger).unwrap(), Outcome::Nothing);
    let outcome = attempt.take(&sent(1, &alert)).unwrap();
    assert!(matches!(outcome, Outcome::Alert(_)));
}

fn version_negotiation(versions: &[u32]) -> Vec<u8> {
    let mut datagram = vec![0xaa, 0, 0, 0, 0, 8];
    datagram.extend(SOURCE);
    datagram.push(8);
    datagram.extend(DESTINATION);
    datagram.extend(versions.iter().flat_map(|version| version.to_be_bytes()));
    datagram
}

#[test]
fn other_versions_are_a_refusal() {
    let datagram = version_negotiation(&[0x6b33_43cf, 0xff00_001d]);
    let Err(Stopped::Refused(refusal)) = attempt().take(&datagram) else {
        panic!("not refused");
    };
    assert_eq!(
        refusal.said,
        "not QUIC version 1, but 0x6b3343cf, 0xff00001d"
    );
    // One that names version 1 is not meant for this attempt, nor one that comes later.
    let with_own = version_negotiation(&[1, 0x6b33_43cf]);
    assert_eq!(attempt().take(&with_own).unwrap(), Outcome::Nothing);
    assert_eq!(
        attempt().take(&version_negotiation(&[])).unwrap(),
        Outcome::Nothing
    );
    let mut heard = attempt();
    heard.take(&sent(0, &[1])).unwrap();
    assert_eq!(heard.take(&datagram).unwrap(), Outcome::Nothing);
}
