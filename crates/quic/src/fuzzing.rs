//! Entrances for the fuzz targets; no part of the interface.

use experiment::Side;

use crate::initial::CryptoStream;
use crate::observation::Observer;

/// Reads the bytes as datagrams, each behind a byte that tells its sender and two of length;
/// and as the frames of one packet.
pub fn read(bytes: &[u8]) {
    let mut observer = Observer::default();
    let mut rest = bytes;
    while let [sender, high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (datagram, next) = after.split_at(length);
        observer.note(Side::BOTH[usize::from(sender % 2)], datagram);
        rest = next;
    }
    let _ = observer.observation();
    let mut stream = CryptoStream::default();
    let _ = stream.take(bytes);
    let held: usize = stream.messages().iter().map(|m| m.body.len()).sum();
    assert!(held <= bytes.len(), "more messages than bytes");
}
