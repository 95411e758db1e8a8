//! What `trace` makes of recordings.

use experiment::Side;
use trace::{Capture, Flight, KeyLog};

/// Reads the bytes as a key log up to the first zero byte, then flights, each behind two
/// bytes of length; senders take turns.
pub(crate) fn run(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(0);
    let (log, rest) = bytes.split_at(end);
    let log = std::str::from_utf8(log).unwrap_or_default();
    let mut capture = Capture {
        title: "fuzz".to_owned(),
        flights: Vec::new(),
        key_log: KeyLog::parse(log).unwrap_or_default(),
    };
    let mut rest = rest.get(1..).unwrap_or_default();
    let mut senders = Side::BOTH.into_iter().cycle();
    while let [high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (flight, next) = after.split_at(length);
        if let Some(sender) = senders.next() {
            capture.flights.push(Flight::new(sender, flight.to_vec()));
        }
        rest = next;
    }
    let trace = trace::explain(&capture);
    let read: usize = trace.flights.iter().map(|flight| flight.bytes).sum();
    assert!(read <= bytes.len(), "a trace of more bytes than there are");
    let _ = trace::text(&trace);
    let _ = trace::compare_text(std::slice::from_ref(&trace));
    let _ = trace::svg(&[trace]);
}
