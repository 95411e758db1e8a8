//! What was recorded of a connection.

use std::time::Duration;

use experiment::{Phase, Side};

use crate::KeyLog;

/// One recorded connection.
#[derive(Debug, Clone, Default)]
pub struct Capture {
    /// What the reader sees above it, for example `X25519MLKEM768, ECDSA P-256`.
    pub title: String,
    /// The flights in the order in which they were sent. Neighbours of one sender count as
    /// one flight; a record may be split over the flights of its sender.
    pub flights: Vec<Flight>,
    /// The secrets. Without them, the trace is what an eavesdropper sees.
    pub key_log: KeyLog,
}

/// What one side sent before it had to wait for the other, and the work that went into it.
#[derive(Debug, Clone)]
pub struct Flight {
    /// Who sent it.
    pub sender: Side,
    /// The bytes on the wire; none where the side only took in what the other had sent.
    pub bytes: Vec<u8>,
    /// When it was sent, from the start of the connection.
    pub offset: Option<Duration>,
    /// CPU time of the step that took in the other side's flight and made this one.
    pub cpu: Option<Duration>,
    /// The parts of `cpu` that were timed in place.
    pub phases: Vec<(Phase, Duration)>,
}

impl Flight {
    /// A flight of which nothing was timed.
    pub const fn new(sender: Side, bytes: Vec<u8>) -> Self {
        Self {
            sender,
            bytes,
            offset: None,
            cpu: None,
            phases: Vec::new(),
        }
    }
}

/// Joins neighbours of the same sender, so that senders alternate.
pub(crate) fn alternating(flights: &[Flight]) -> Vec<Flight> {
    let mut joined: Vec<Flight> = Vec::with_capacity(flights.len());
    for flight in flights {
        match joined.last_mut() {
            Some(last) if last.sender == flight.sender => {
                last.bytes.extend_from_slice(&flight.bytes);
                last.offset = last.offset.or(flight.offset);
                last.cpu = match (last.cpu, flight.cpu) {
                    (Some(a), Some(b)) => Some(a + b),
                    (a, b) => a.or(b),
                };
                last.phases.extend_from_slice(&flight.phases);
            }
            _ => joined.push(flight.clone()),
        }
    }
    joined
}
