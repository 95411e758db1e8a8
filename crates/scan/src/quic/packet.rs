//! The packets of a datagram as a client reads them, and Initial packets as it writes them
//! (RFC 9000 section 17).

use super::cursor::{Cursor, put_varint};
use super::protection::{LONGEST_NUMBER, TAG};

pub(super) const VERSION_1: u32 = 1;
/// RFC 9000 section 17.2.
const LONGEST_CONNECTION_ID: usize = 20;
/// The least that a datagram with an Initial packet of a client has (RFC 9000 section 14.1).
pub(super) const DATAGRAM: usize = 1200;
/// A long header, the fixed bit, and a packet number of four bytes.
const INITIAL: u8 = 0xc3;

/// What a packet is, still protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) kind: Kind<'a>,
    /// The receiver's connection ID.
    pub(super) destination: &'a [u8],
    /// The sender's.
    pub(super) source: &'a [u8],
    /// All of it.
    pub(super) bytes: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Its protected number begins at this place.
    Initial { number_at: usize },
    /// A token that the next Initial packet has to bring.
    Retry { token: &'a [u8] },
    /// The versions that the server has, four bytes each.
    VersionNegotiation { versions: &'a [u8] },
    /// Handshake and 0-RTT: the keys are not known.
    Opaque,
}

/// Takes the next packet off a datagram. `None` at its end, and where nothing more of it can be
/// told apart: short headers and other versions have no length.
pub(super) fn next<'a>(datagram: &mut &'a [u8]) -> Option<Packet<'a>> {
    let bytes = *datagram;
    *datagram = &[];
    let mut cursor = Cursor(bytes);
    let first = cursor.u8()?;
    if first & 0x80 == 0 {
        return None;
    }
    let version = cursor.u32()?;
    let mut connection_id = || {
        let length = usize::from(cursor.u8()?);
        cursor.take(length)
    };
    let (destination, source) = (connection_id()?, connection_id()?);
    let packet = |kind, bytes| Packet {
        kind,
        destination,
        source,
        bytes,
    };
    if version == 0 {
        let versions = cursor.0;
        return Some(packet(Kind::VersionNegotiation { versions }, bytes));
    }
    let longest = destination.len().max(source.len());
    // The fixed bit (RFC 9000 section 17.2).
    if version != VERSION_1 || longest > LONGEST_CONNECTION_ID || first & 0x40 == 0 {
        return None;
    }
    match first >> 4 & 3 {
        3 => {
            let token = &cursor.0[..cursor.0.len().checked_sub(TAG)?];
            return Some(packet(Kind::Retry { token }, bytes));
        }
        0 => {
            // A server's has no token (RFC 9000 section 17.2.2).
            cursor.vector().filter(|token| token.is_empty())?;
        }
        _ => {}
    }
    let is_initial = first >> 4 & 3 == 0;
    let length = usize::try_from(cursor.varint()?).ok()?;
    let number_at = bytes.len() - cursor.0.len();
    cursor.take(length)?;
    let (bytes, rest) = bytes.split_at(number_at + length);
    *datagram = rest;
    let kind = match is_initial {
        true => Kind::Initial { number_at },
        false => Kind::Opaque,
    };
    Some(packet(kind, bytes))
}

/// The header of an Initial packet that fills a datagram alone.
pub(super) fn initial_header(
    destination: &[u8],
    source: &[u8],
    token: &[u8],
    number: u32,
) -> Vec<u8> {
    let mut header = vec![INITIAL];
    header.extend(VERSION_1.to_be_bytes());
    for id in [destination, source] {
        // No longer than 20 bytes.
        header.push(id.len() as u8);
        header.extend(id);
    }
    put_varint(&mut header, token.len() as u64);
    header.extend(token);
    // In two bytes, though it may be short enough for one; below 2^14, as the datagram is.
    let length = DATAGRAM.saturating_sub(header.len() + 2) as u16;
    header.extend((0x4000 | length).to_be_bytes());
    header.extend(number.to_be_bytes());
    header
}

/// Bytes of frames that make the packet of such a header fill its datagram.
pub(super) const fn room(header: &[u8]) -> usize {
    DATAGRAM.saturating_sub(header.len() + TAG)
}

const _: () = assert!(LONGEST_NUMBER == size_of::<u32>());

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut datagram: &[u8]) -> Vec<Packet<'_>> {
        std::iter::from_fn(|| next(&mut datagram)).collect()
    }

    #[test]
    fn coalesced_packets_are_told_apart() {
        let mut datagram = vec![
            0xc3, 0, 0, 0, 1, 2, 0xaa, 0xab, 1, 0xbb, 0, 5, 1, 2, 3, 4, 5,
        ];
        let initial = datagram.len();
        // A Handshake packet with a length of two bytes, then a short header.
        datagram.extend([0xe0, 0, 0, 0, 1, 0, 0, 0x40, 0x03, 1, 2, 3]);
        let both = datagram.len();
        datagram.extend([0x41, 0xaa, 0xab, 9, 9]);
        let packets = all(&datagram);
        assert_eq!(packets.len(), 2);
        assert_eq!(packets[0].kind, Kind::Initial { number_at: 12 });
        assert_eq!(packets[0].bytes, &datagram[..initial]);
        assert_eq!(
            (packets[0].destination, packets[0].source),
            (&[0xaa, 0xab][..], &[0xbb][..])
        );
        assert_eq!(packets[1].kind, Kind::Opaque);
        for cut in 0..both {
            assert_eq!(
                all(&datagram[..cut]).len(),
                usize::from(cut >= initial),
                "{cut}"
            );
        }
    }

    #[test]
    fn what_no_server_of_version_1_sends_is_passed_over() {
        for datagram in [
            // Connection IDs of 21 bytes, a token, version 2, no fixed bit, a length of 2^62 - 1.
            &[[0xc0, 0, 0, 0, 1, 21].as_slice(), &[0; 40]].concat()[..],
            &[0xc0, 0, 0, 0, 1, 0, 0, 1, 9, 2, 1, 2],
            &[0xd0, 0x6b, 0x33, 0x43, 0xcf, 0, 0, 0, 0],
            &[0x80, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2],
            &[
                0xe0, 0, 0, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            ],
        ] {
            assert_eq!(all(datagram), [], "{datagram:02x?}");
        }
    }
}
