//! Where things stand in a flight, and how to change them there. These flights come from
//! honest stacks: a length in them is right, or the test fails.

use std::ops::Range;

use experiment::Side;

/// A change to one flight.
pub(crate) type Tamper = fn(&mut Vec<u8>);

const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const CHANGE_CIPHER_SPEC: u8 = 20;
const KEY_SHARE: usize = 51;

/// Flips a bit of the random in the hello at the start of a flight.
pub(crate) fn flip_random(flight: &mut [u8]) {
    flight[RECORD_HEADER + MESSAGE_HEADER + 2] ^= 1;
}

/// The key exchange field of the hello at the start of a flight of `sender`.
pub(crate) fn key_share(flight: &[u8], sender: Side) -> Range<usize> {
    let (_, extension) = key_share_extension(flight, sender);
    // A client has a list of shares, here of one.
    let list = match sender {
        Side::Client => 2,
        Side::Server => 0,
    };
    extension.start + list + 4..extension.end
}

/// Flips a bit of one byte of the key share.
pub(crate) fn flip_share(flight: &mut [u8], sender: Side, byte: usize) {
    let share = key_share(flight, sender);
    flight[share][byte] ^= 1;
}

/// Overwrites a part of the key share.
pub(crate) fn fill_share(flight: &mut [u8], sender: Side, part: Range<usize>, byte: u8) {
    let share = key_share(flight, sender);
    flight[share][part].fill(byte);
}

/// Cuts the last byte off the key share and mends every length around it.
pub(crate) fn shorten_share(flight: &mut Vec<u8>, sender: Side) {
    let share = key_share(flight, sender);
    let (extensions, extension) = key_share_extension(flight, sender);
    flight.remove(share.end - 1);
    let list = (sender == Side::Client).then(|| extension.start..extension.start + 2);
    let lengths = [
        3..RECORD_HEADER,
        RECORD_HEADER + 1..RECORD_HEADER + MESSAGE_HEADER,
        extensions,
        extension.start - 2..extension.start,
        share.start - 2..share.start,
    ];
    for place in lengths.into_iter().chain(list) {
        let length = number(&flight[place.clone()]) - 1;
        let width = place.len();
        flight[place].copy_from_slice(&length.to_be_bytes()[size_of::<usize>() - width..]);
    }
}

/// The length field of all extensions, and the content of that with the key share.
fn key_share_extension(flight: &[u8], sender: Side) -> (Range<usize>, Range<usize>) {
    let mut at = RECORD_HEADER + MESSAGE_HEADER + 2 + 32;
    at += 1 + number(&flight[at..=at]);
    match sender {
        Side::Client => {
            at += 2 + number(&flight[at..at + 2]);
            at += 1 + number(&flight[at..=at]);
        }
        Side::Server => at += 2 + 1,
    }
    let extensions = at..at + 2;
    at += 2;
    loop {
        let content = at + 4..at + 4 + number(&flight[at + 2..at + 4]);
        if number(&flight[at..at + 2]) == KEY_SHARE {
            return (extensions, content);
        }
        at = content.end;
    }
}

/// The payload of each record.
pub(crate) fn records(flight: &[u8]) -> Vec<Range<usize>> {
    let mut records = Vec::new();
    let mut at = 0;
    while at < flight.len() {
        let payload = at + RECORD_HEADER;
        at = payload + number(&flight[at + 3..payload]);
        records.push(payload..at);
    }
    records
}

/// The payloads that are encrypted: in TLS 1.3 by their type, in TLS 1.2 all that come
/// after the ChangeCipherSpec.
pub(crate) fn encrypted(flight: &[u8]) -> Vec<Range<usize>> {
    let mut is_changed = false;
    let mut encrypted = Vec::new();
    for record in records(flight) {
        match flight[record.start - RECORD_HEADER] {
            APPLICATION_DATA => encrypted.push(record),
            CHANGE_CIPHER_SPEC => is_changed = true,
            _ if is_changed => encrypted.push(record),
            _ => {}
        }
    }
    encrypted
}

/// Where the first plaintext handshake message of a type has its body.
pub(crate) fn message(flight: &[u8], message_type: u8) -> Range<usize> {
    let of_type = |(at, _): &(usize, _)| flight[at - MESSAGE_HEADER] == message_type;
    let found = messages(flight).into_iter().find(of_type);
    let (start, end) = found.unwrap_or_else(|| panic!("no message of type {message_type}"));
    start..end
}

/// Puts another body into the first plaintext handshake message of a type, which makes a
/// record of its own of each message.
pub(crate) fn replace_message(flight: &mut Vec<u8>, message_type: u8, body: &[u8]) {
    let mut replaced = Vec::new();
    for (start, end) in messages(flight) {
        let kind = flight[start - MESSAGE_HEADER];
        let body = if kind == message_type {
            body
        } else {
            &flight[start..end]
        };
        let [.., a, b, c] = body.len().to_be_bytes();
        let [.., d, e] = (body.len() + MESSAGE_HEADER).to_be_bytes();
        replaced.extend([HANDSHAKE, 3, 3, d, e, kind, a, b, c]);
        replaced.extend_from_slice(body);
    }
    *flight = replaced;
}

/// Starts and ends of the bodies of all messages in records of handshake type; none here
/// runs over the end of its record.
fn messages(flight: &[u8]) -> Vec<(usize, usize)> {
    let mut messages = Vec::new();
    for record in records(flight) {
        let mut at = record.start;
        while flight[record.start - RECORD_HEADER] == HANDSHAKE && at < record.end {
            let body = at + MESSAGE_HEADER;
            at = body + number(&flight[at + 1..body]);
            messages.push((body, at));
        }
        if flight[record.start - RECORD_HEADER] == CHANGE_CIPHER_SPEC {
            break;
        }
    }
    messages
}

fn number(bytes: &[u8]) -> usize {
    let append = |sum, byte: &u8| (sum << 8) | usize::from(*byte);
    bytes.iter().fold(0, append)
}
