//! The frames of Initial packets (RFC 9000 sections 12.4 and 19), and the handshake data that
//! they carry.

use std::collections::{BTreeMap, BTreeSet};

use super::cursor::{Cursor, put_varint};
use crate::dial::Stopped;
use crate::incoming::garbage;

/// Bytes of handshake data that are borne before the first message is whole.
const MOST_DATA: u64 = 64 << 10;
/// Pieces in which they may come.
const MOST_PIECES: usize = 256;
/// Numbers of packets that are remembered for an acknowledgement.
const MOST_NUMBERS: usize = 32;

/// What is of interest in a packet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Frames<'a> {
    /// Handshake data, each with its offset.
    pub(super) data: Vec<(usize, &'a [u8])>,
    pub(super) close: Option<Close>,
    /// Whether it wants to be acknowledged.
    pub(super) is_eliciting: bool,
}

/// The peer gives up (RFC 9000 section 19.19).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u64,
    pub(super) reason: String,
}

/// Characters of a reason that are told.
const MOST_TOLD: usize = 200;

impl<'a> Frames<'a> {
    /// # Errors
    /// When a frame is cut off, or has no place in an Initial packet.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Stopped> {
        let mut frames = Self::default();
        let mut cursor = Cursor(bytes);
        while !cursor.is_empty() {
            let kind = cursor.varint().ok_or_else(cut_off)?;
            frames.read(kind, &mut cursor)?;
        }
        Ok(frames)
    }

    fn read(&mut self, kind: u64, cursor: &mut Cursor<'a>) -> Result<(), Stopped> {
        match kind {
            // PADDING.
            0 => {}
            // PING.
            1 => self.is_eliciting = true,
            // ACK, with counts of congestion marks in the second form.
            2 | 3 => acknowledged(cursor, kind == 3).ok_or_else(cut_off)?,
            // CRYPTO.
            6 => {
                self.is_eliciting = true;
                let offset = cursor.varint().ok_or_else(cut_off)?;
                let data = cursor.vector().ok_or_else(cut_off)?;
                // Both fit, as a variable-length integer has 62 bits.
                if offset + data.len() as u64 > MOST_DATA {
                    return Err(garbage(format!("handshake data beyond {MOST_DATA} bytes")));
                }
                self.data.push((offset as usize, data));
            }
            // CONNECTION_CLOSE of the transport.
            0x1c => {
                let code = cursor.varint().ok_or_else(cut_off)?;
                cursor.varint().ok_or_else(cut_off)?;
                let reason = cursor.vector().ok_or_else(cut_off)?;
                let reason = String::from_utf8_lossy(reason);
                let reason = reason.chars().filter(|character| !character.is_control());
                self.close = Some(Close {
                    code,
                    reason: reason.take(MOST_TOLD).collect(),
                });
            }
            other => {
                return Err(garbage(format!(
                    "a frame of type {other:#x} in an Initial packet"
                )));
            }
        }
        Ok(())
    }
}

fn acknowledged(cursor: &mut Cursor<'_>, has_marks: bool) -> Option<()> {
    cursor.varint()?;
    cursor.varint()?;
    let ranges = cursor.varint()?;
    cursor.varint()?;
    // It ends with the packet, whatever their number.
    for _ in 0..ranges {
        cursor.varint()?;
        cursor.varint()?;
    }
    for _ in 0..if has_marks { 3 } else { 0 } {
        cursor.varint()?;
    }
    Some(())
}

fn cut_off() -> Stopped {
    garbage("a frame that is cut off")
}

/// A CRYPTO frame, but for its data.
pub(super) fn crypto_header(offset: usize, length: usize) -> Vec<u8> {
    let mut frame = vec![6];
    put_varint(&mut frame, offset as u64);
    put_varint(&mut frame, length as u64);
    frame
}

/// A CONNECTION_CLOSE without an error: all that was wanted is known.
pub(super) const CLOSE: [u8; 4] = [0x1c, 0, 0, 0];

/// The numbers of packets that came.
#[derive(Default)]
pub(super) struct Numbers(BTreeSet<u64>);

impl Numbers {
    /// Whether it is new.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        let is_new = self.0.insert(number);
        if self.0.len() > MOST_NUMBERS {
            self.0.pop_first();
        }
        is_new
    }

    /// An ACK frame (RFC 9000 section 19.3); empty where nothing came.
    pub(super) fn acknowledgement(&self) -> Vec<u8> {
        // Ranges from the highest down.
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for number in self.0.iter().rev() {
            match ranges.last_mut() {
                Some((low, _)) if *low == number + 1 => *low = *number,
                _ => ranges.push((*number, *number)),
            }
        }
        let mut frame = Vec::new();
        let Some(((low, high), rest)) = ranges.split_first() else {
            return frame;
        };
        for value in [2, *high, 0, rest.len() as u64, high - low] {
            put_varint(&mut frame, value);
        }
        let mut above = *low;
        for (low, high) in rest {
            put_varint(&mut frame, above - high - 2);
            put_varint(&mut frame, high - low);
            above = *low;
        }
        frame
    }
}

/// Handshake data, which may come out of order and more than once.
#[derive(Default)]
pub(super) struct CryptoStream {
    pieces: BTreeMap<usize, Vec<u8>>,
    held: u64,
}

impl CryptoStream {
    /// # Errors
    /// When more comes than a hello can have.
    pub(super) fn put(&mut self, offset: usize, data: &[u8]) -> Result<(), Stopped> {
        let known = self.pieces.get(&offset).map_or(0, Vec::len);
        if data.len() <= known {
            return Ok(());
        }
        self.held += (data.len() - known) as u64;
        self.pieces.insert(offset, data.to_vec());
        if self.held > MOST_DATA || self.pieces.len() > MOST_PIECES {
            return Err(garbage(
                "more pieces of handshake data than a ServerHello has",
            ));
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The first message, its header of four bytes included; `None` until all of it is there.
    ///
    /// # Errors
    /// When it is longer than all that is borne.
    pub(super) fn message(&self) -> Result<Option<Vec<u8>>, Stopped> {
        let mut stream = Vec::new();
        for (offset, piece) in &self.pieces {
            // What was sent again overlaps what is there.
            let Some(known) = stream.len().checked_sub(*offset) else {
                break;
            };
            stream.extend_from_slice(piece.get(known..).unwrap_or_default());
        }
        let [_, high, middle, low, ..] = stream[..] else {
            return Ok(None);
        };
        let length = 4 + u32::from_be_bytes([0, high, middle, low]) as usize;
        if length as u64 > MOST_DATA {
            return Err(garbage(format!("a handshake message of {length} bytes")));
        }
        Ok(stream.get(..length).map(<[u8]>::to_vec))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_joined_in_any_order() {
        let message = [[2, 0, 0, 6].as_slice(), &[7; 6]].concat();
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let pieces = [0..5, 4..7, 7..10];
            let mut stream = CryptoStream::default();
            for (count, at) in order.into_iter().enumerate() {
                assert_eq!(stream.message().unwrap(), None, "{count} of {order:?}");
                let piece = pieces[at].clone();
                stream.put(piece.start, &message[piece]).unwrap();
            }
            assert_eq!(stream.message().unwrap().as_ref(), Some(&message));
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut stream = CryptoStream::default();
        let pieces = (0..1000).take_while(|piece| stream.put(2 * piece, &[1]).is_ok());
        assert_eq!(pieces.count(), MOST_PIECES);
        let mut stream = CryptoStream::default();
        let pieces = (0..1000).take_while(|piece| stream.put(*piece, &[1; 1000]).is_ok());
        assert_eq!(pieces.count(), 65);
        // An offset near the end of what an integer can say.
        let frame = [[6].as_slice(), &[0xff; 8], &[1, 9]].concat();
        assert!(Frames::parse(&frame).is_err());
        let mut stream = CryptoStream::default();
        stream.put(0, &[2, 0xff, 0xff, 0xff]).unwrap();
        assert!(stream.message().is_err());
    }

    #[test]
    fn frames_are_read_and_cuts_are_found() {
        let mut bytes = vec![0, 1];
        bytes.extend([2, 9, 0, 1, 0, 0, 0]);
        bytes.extend([3, 9, 0, 0, 0, 1, 2, 3]);
        bytes.extend([6, 0x40, 5, 2, 7, 8]);
        let data = bytes.len();
        bytes.extend([0x1c, 0x41, 0x28, 6, 2, b'n', b'o']);
        let frames = Frames::parse(&bytes).unwrap();
        assert_eq!(frames.data, [(5, &[7, 8][..])]);
        let close = Close {
            code: 0x0128,
            reason: "no".to_owned(),
        };
        assert_eq!(frames.close, Some(close));
        for cut in data + 1..bytes.len() {
            assert!(Frames::parse(&bytes[..cut]).is_err(), "{cut}");
        }
        // More ranges than the packet has, and frames that have no place here.
        assert!(Frames::parse(&[2, 9, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
        for kind in [4, 8, 0x1d, 0x1e, 0x3f] {
            assert!(Frames::parse(&[kind, 0, 0, 0, 0]).is_err());
        }
    }

    #[test]
    fn gaps_are_acknowledged() {
        let mut numbers = Numbers::default();
        assert!(numbers.acknowledgement().is_empty());
        for number in [0, 1, 4, 5, 6, 9] {
            assert!(numbers.insert(number));
        }
        assert!(!numbers.insert(5));
        // 9, then 6 to 4 behind a gap of two, then 1 to 0 behind another.
        assert_eq!(numbers.acknowledgement(), [2, 9, 0, 2, 0, 1, 2, 1, 1]);
    }
}
