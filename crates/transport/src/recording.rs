//! What went over the socket.

use std::time::{Duration, Instant};

/// Bytes and turns, record headers included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// How often something was received after something was sent: for a client these are
    /// the round trips.
    pub turns: u32,
    is_waiting: bool,
}

impl Tally {
    /// Bytes that somebody else counted.
    pub const fn of_bytes(sent: u64, received: u64) -> Self {
        Self {
            sent,
            received,
            turns: 0,
            is_waiting: false,
        }
    }

    pub(crate) fn note_sent(&mut self, count: usize) {
        self.sent += count as u64;
        self.is_waiting = true;
    }

    pub(crate) fn note_received(&mut self, count: usize) {
        self.received += count as u64;
        self.turns += u32::from(self.is_waiting);
        self.is_waiting = false;
    }
}

/// Everything that went over the socket, with times.
#[derive(Debug, Clone)]
pub struct Recording {
    /// When recording began.
    pub start: Instant,
    /// What was sent and received, in order.
    pub pieces: Vec<Piece>,
    /// CPU time of a client's library on its first flight.
    pub first_work: Duration,
}

/// Bytes that were sent or received at once.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Whether this side sent them.
    pub is_own: bool,
    /// When, since the start of the recording.
    pub at: Duration,
    /// CPU time of this side's library on what it received, until it had its answer; zero
    /// for what was sent, and where the system can't tell.
    pub work: Duration,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Default for Recording {
    /// Nothing yet; it begins now.
    fn default() -> Self {
        Self {
            start: Instant::now(),
            pieces: Vec::new(),
            first_work: Duration::ZERO,
        }
    }
}

impl Recording {
    pub(crate) fn note(&mut self, is_own: bool, bytes: &[u8]) {
        self.pieces.push(Piece {
            is_own,
            at: self.start.elapsed(),
            work: Duration::ZERO,
            bytes: bytes.to_vec(),
        });
    }

    pub(crate) fn note_work(&mut self, work: Duration) {
        if let Some(piece) = self.pieces.last_mut() {
            piece.work += work;
        }
    }
}
