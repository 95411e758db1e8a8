//! One direction of a connection: what is not read yet, and the keys it is written with.

use key_schedule::{Opened, RecordKeys};
use wire::{HandshakeType, Record};

use crate::trace::Protection;

/// What one side has sent so far, as far as it is not read yet, and its keys.
#[derive(Default)]
pub(crate) struct Direction {
    /// The beginning of a record whose end is in the sender's next flight.
    pub(crate) partial_record: Vec<u8>,
    /// The beginning of a message whose end is in the next record.
    pub(crate) partial_message: Vec<u8>,
    /// Overhead and number of the records that no message has been charged with.
    pub(crate) uncharged: (usize, usize),
    pub(crate) epoch: Epoch,
    /// Those of the epoch; `None` before they were looked for, none where the log has no
    /// secret.
    pub(crate) keys: Option<Vec<RecordKeys>>,
}

/// Which keys a side writes with (RFC 8446 section 2 and appendix A).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Epoch {
    /// None.
    #[default]
    Clear,
    /// Those of 0-RTT data.
    Early,
    Handshake,
    Application,
    /// Those of TLS 1.2, or of an older version.
    Legacy,
}

impl Epoch {
    /// The keys that may come next without a message that could be read.
    pub(crate) const fn next(self) -> Option<Self> {
        match self {
            Self::Early => Some(Self::Handshake),
            Self::Handshake => Some(Self::Application),
            Self::Clear | Self::Application | Self::Legacy => None,
        }
    }

    pub(crate) const fn protection(self) -> Protection {
        match self {
            Self::Clear => Protection::Clear,
            Self::Early => Protection::EarlyData,
            Self::Handshake => Protection::Handshake,
            Self::Application => Protection::Application,
            Self::Legacy => Protection::Tls12,
        }
    }
}

impl Direction {
    pub(crate) fn enter(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.keys = None;
    }
}

/// Opens a record with the first keys that fit, and drops the others.
pub(crate) fn open_with_any(keys: &mut Vec<RecordKeys>, record: &Record<'_>) -> Option<Opened> {
    let (index, opened) = keys
        .iter_mut()
        .enumerate()
        .find_map(|(index, keys)| Some((index, keys.open(record)?)))?;
    keys.swap(0, index);
    keys.truncate(1);
    Some(opened)
}

/// Type and length of a handshake message (RFC 8446 section 4).
pub(crate) const MESSAGE_HEADER: usize = 4;
/// Takes the first whole message.
pub(crate) fn take_message(stream: &mut Vec<u8>) -> Option<(HandshakeType, Vec<u8>)> {
    if missing(stream) > 0 {
        return None;
    }
    let kind = HandshakeType(*stream.first()?);
    let length = declared_length(stream)?;
    let body = stream
        .get(MESSAGE_HEADER..MESSAGE_HEADER + length)?
        .to_vec();
    stream.drain(..MESSAGE_HEADER + length);
    Some((kind, body))
}

/// Bytes that the first message needs to be whole.
pub(crate) fn missing(stream: &[u8]) -> usize {
    let length = declared_length(stream).unwrap_or(0);
    (MESSAGE_HEADER + length).saturating_sub(stream.len())
}

fn declared_length(stream: &[u8]) -> Option<usize> {
    match stream {
        [_, a, b, c, ..] => Some(u32::from_be_bytes([0, *a, *b, *c]) as usize),
        _ => None,
    }
}
