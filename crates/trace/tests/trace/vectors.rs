//! The example handshakes of RFC 8448, with their published secrets and messages.

use experiment::Side;
use trace::{Capture, Flight, KeyLog, Protection};

/// One section of RFC 8448.
pub(crate) struct Vector {
    pub(crate) capture: Capture,
    /// The handshake messages: sender, protection, and the whole message.
    pub(crate) messages: Vec<(Side, Protection, Vec<u8>)>,
}

/// Sections 3 to 7: simple, resumed with 0-RTT, HelloRetryRequest, client authentication,
/// middlebox compatibility.
pub(crate) fn section(number: u8) -> Vector {
    let text = match number {
        3 => include_str!("data/rfc8448-section-3.txt"),
        4 => include_str!("data/rfc8448-section-4.txt"),
        5 => include_str!("data/rfc8448-section-5.txt"),
        6 => include_str!("data/rfc8448-section-6.txt"),
        7 => include_str!("data/rfc8448-section-7.txt"),
        _ => panic!("no vectors for section {number}"),
    };
    let mut vector = Vector {
        capture: Capture {
            title: format!("RFC 8448 section {number}"),
            ..Capture::default()
        },
        messages: Vec::new(),
    };
    let mut key_log = String::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        match fields.as_slice() {
            ["key", entry @ ..] => key_log.push_str(&format!("{}\n", entry.join(" "))),
            ["flight", sender, bytes] => {
                let flight = Flight::new(side(sender), hex(bytes));
                vector.capture.flights.push(flight);
            }
            ["message", sender, protection, bytes] => {
                let protection = match *protection {
                    "clear" => Protection::Clear,
                    "early" => Protection::EarlyData,
                    "handshake" => Protection::Handshake,
                    _ => Protection::Application,
                };
                let message = (side(sender), protection, hex(bytes));
                vector.messages.push(message);
            }
            _ => assert!(line.starts_with('#'), "{line}"),
        }
    }
    vector.capture.key_log = KeyLog::parse(&key_log).unwrap();
    vector
}

fn side(name: &str) -> Side {
    match name {
        "client" => Side::Client,
        _ => Side::Server,
    }
}

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}
