//! Application data after the handshake.

use experiment::Side;
use stack::Connection;

use crate::link::{Ends, Kind, links};
use crate::surgery::records;

const HANDSHAKES: [&str; 3] = [
    "1.3/X25519MLKEM768/ecdsa-p256/full",
    "1.2/x25519/ecdsa-p256/full",
    "1.2/static-rsa/rsa-2048/full",
];

/// Sender and receiver.
fn direction(ends: &mut Ends, sender: Side) -> (&mut dyn Connection, &mut dyn Connection) {
    match sender {
        Side::Client => (&mut *ends.client, &mut *ends.server),
        Side::Server => (&mut *ends.server, &mut *ends.client),
    }
}

fn record(sender: &mut dyn Connection, plaintext: &[u8]) -> Vec<u8> {
    let mut record = Vec::new();
    sender.send(plaintext, &mut record).unwrap();
    record
}

/// Every byte of a record's payload, tag included.
#[test]
fn a_flipped_bit_is_noticed() {
    for link in HANDSHAKES.into_iter().flat_map(links) {
        for sender in Side::BOTH {
            let length = record(direction(&mut link.complete(), sender).0, b"data").len();
            for byte in 5..length {
                let mut ends = link.complete();
                let (sender, receiver) = direction(&mut ends, sender);
                let mut record = record(sender, b"data");
                let payloads = records(&record);
                assert!(payloads.len() == 1 && payloads[0] == (5..length));
                record[byte] ^= 1 << (byte % 8);
                let mut plaintext = [0; 64];
                let error = receiver.receive(&record, &mut plaintext).err();
                assert_eq!(
                    error.as_ref().map(Kind::from),
                    Some(Kind::Cryptography),
                    "{}: byte {byte}: {error:?}",
                    link.name
                );
                assert_eq!(plaintext, [0; 64], "{}: plaintext came out", link.name);
            }
        }
    }
}

/// Records that are replayed, swapped or dropped: each is authentic by itself.
#[test]
fn the_order_of_records_is_authentic() {
    for link in HANDSHAKES.into_iter().flat_map(links) {
        for side in Side::BOTH {
            for (what, order) in [
                ("replayed", [0, 0].as_slice()),
                ("swapped", &[1, 0]),
                ("dropped", &[1]),
            ] {
                let mut ends = link.complete();
                let (sender, receiver) = direction(&mut ends, side);
                let sent = [record(sender, b"first"), record(sender, b"second")];
                let mut plaintext = [0; 64];
                let received: Result<Vec<_>, _> = order
                    .iter()
                    .map(|n| receiver.receive(&sent[*n], &mut plaintext))
                    .collect();
                let error = received.err();
                assert_eq!(
                    error.as_ref().map(Kind::from),
                    Some(Kind::Cryptography),
                    "{}: {what}: {error:?}",
                    link.name
                );
            }
        }
    }
}

/// A record that arrives in pieces is late, not wrong.
#[test]
fn a_record_in_pieces_arrives() {
    for link in HANDSHAKES.into_iter().flat_map(links) {
        let mut ends = link.complete();
        let (sender, receiver) = direction(&mut ends, Side::Server);
        let record = record(sender, b"data");
        let mut plaintext = [0; 64];
        let (head, tail) = record.split_at(12);
        assert_eq!(
            receiver.receive(head, &mut plaintext),
            Ok(0),
            "{}",
            link.name
        );
        assert_eq!(
            receiver.receive(tail, &mut plaintext),
            Ok(4),
            "{}",
            link.name
        );
        assert_eq!(&plaintext[..4], b"data", "{}", link.name);
    }
}
