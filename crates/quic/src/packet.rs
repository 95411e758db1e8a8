//! The packets of a datagram, as an observer without keys reads them (RFC 9000 section 17).

use std::fmt;

/// QUIC version 1 (RFC 9000 section 15).
pub(crate) const VERSION_1: u32 = 1;

/// What a packet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PacketKind {
    /// The hellos; its keys can be derived by everyone (RFC 9001 section 5.2).
    Initial,
    /// Application data of a client that resumes.
    ZeroRtt,
    /// The rest of the TLS handshake.
    Handshake,
    /// The server wants the client to show that it is at its address.
    Retry,
    /// The server does not speak the client's version.
    VersionNegotiation,
    /// Application data: the only kind with a short header.
    OneRtt,
    /// A long header of a version other than 1: nothing after it can be told apart.
    OtherVersion(u32),
}

/// One packet with its header taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    /// What it is for.
    pub(crate) kind: PacketKind,
    /// The receiver's connection ID; empty in a short header, which does not say its length.
    pub(crate) destination: &'a [u8],
    /// The sender's connection ID; empty in a short header.
    pub(crate) source: &'a [u8],
    /// The token of an Initial packet, or the one that a Retry packet hands out.
    pub(crate) token: &'a [u8],
    /// Header and payload, still protected.
    pub(crate) bytes: &'a [u8],
    /// Where in `bytes` the protected packet number begins; 0 where there is none.
    pub(crate) number_at: usize,
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}[{} B]", self.kind, self.bytes.len())
    }
}

/// A datagram does not hold whole packets of QUIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PacketError {
    /// A field or a length runs over the end of the datagram.
    #[error("{0} runs past the end of the datagram")]
    Overrun(&'static str),
    /// A connection ID longer than version 1 has them (RFC 9000 section 17.2).
    #[error("a connection ID of {0} bytes: version 1 has at most 20")]
    LongConnectionId(usize),
}

/// Reads the packets that are coalesced in a datagram (RFC 9000 section 12.2); stops for
/// good at the first error.
#[derive(Debug, Clone)]
pub(crate) struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Packets<'a> {
    /// Starts at the first byte of a UDP payload.
    pub(crate) const fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, PacketError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Zeros behind the last packet fill the datagram up: they are no short header.
        if self.rest.iter().all(|byte| *byte == 0) {
            return None;
        }
        let result = split(self.rest);
        self.rest = match &result {
            Ok(packet) => &self.rest[packet.bytes.len()..],
            Err(_) => &[],
        };
        Some(result)
    }
}

const LONG_HEADER: u8 = 0x80;
const MAX_CONNECTION_ID: usize = 20;
/// The AEAD tag at the end of a Retry packet (RFC 9001 section 5.8).
const RETRY_TAG: usize = 16;

/// Takes one packet off the front. The fixed bit is not looked at: endpoints may agree to
/// send any value there (RFC 9287).
fn split(datagram: &[u8]) -> Result<Packet<'_>, PacketError> {
    let mut reader = Reader {
        bytes: datagram,
        at: 0,
    };
    let first = reader.take(1, "the first byte")?[0];
    if first & LONG_HEADER == 0 {
        return Ok(Packet {
            kind: PacketKind::OneRtt,
            destination: &[],
            source: &[],
            token: &[],
            bytes: datagram,
            number_at: 0,
        });
    }
    let version = reader.u32("the version")?;
    let is_version_1 = version == VERSION_1;
    let destination = reader.connection_id(is_version_1, "the destination connection ID")?;
    let source = reader.connection_id(is_version_1, "the source connection ID")?;
    let kind = match (version, first >> 4 & 3) {
        (0, _) => PacketKind::VersionNegotiation,
        (VERSION_1, 0) => PacketKind::Initial,
        (VERSION_1, 1) => PacketKind::ZeroRtt,
        (VERSION_1, 2) => PacketKind::Handshake,
        (VERSION_1, _) => PacketKind::Retry,
        (other, _) => PacketKind::OtherVersion(other),
    };
    let mut packet = Packet {
        kind,
        destination,
        source,
        token: &[],
        bytes: datagram,
        number_at: 0,
    };
    match kind {
        PacketKind::Initial | PacketKind::ZeroRtt | PacketKind::Handshake => {
            if kind == PacketKind::Initial {
                let length = reader.varint("the token's length")?;
                packet.token = reader.take(length, "the token")?;
            }
            let length = reader.varint("the packet's length")?;
            packet.number_at = reader.at;
            reader.take(length, "the packet")?;
            packet.bytes = &datagram[..reader.at];
        }
        PacketKind::Retry => {
            let rest = &datagram[reader.at..];
            let end = rest.len().checked_sub(RETRY_TAG);
            let end = end.ok_or(PacketError::Overrun("the tag of a Retry packet"))?;
            packet.token = &rest[..end];
        }
        _ => {}
    }
    Ok(packet)
}

/// A cursor over bytes whose lengths come from the network.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn take(
        &mut self,
        length: usize,
        what: &'static str,
    ) -> Result<&'a [u8], PacketError> {
        let end = self.at.checked_add(length);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or(PacketError::Overrun(what))?;
        self.at += length;
        Ok(taken)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, PacketError> {
        let bytes = self.take(4, what)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn connection_id(
        &mut self,
        is_version_1: bool,
        what: &'static str,
    ) -> Result<&'a [u8], PacketError> {
        let length = usize::from(self.take(1, what)?[0]);
        if is_version_1 && length > MAX_CONNECTION_ID {
            return Err(PacketError::LongConnectionId(length));
        }
        self.take(length, what)
    }

    /// A variable-length integer (RFC 9000 section 16). One beyond the address space
    /// overruns every datagram.
    pub(crate) fn varint(&mut self, what: &'static str) -> Result<usize, PacketError> {
        let first = self.take(1, what)?[0];
        let rest = self.take((1 << (first >> 6)) - 1, what)?;
        let value = rest.iter().fold(u64::from(first & 0x3f), |value, byte| {
            (value << 8) | u64::from(*byte)
        });
        usize::try_from(value).map_err(|_| PacketError::Overrun(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(datagram: &[u8]) -> Result<Vec<Packet<'_>>, PacketError> {
        Packets::new(datagram).collect()
    }

    /// An Initial, a Handshake and a 1-RTT packet in one datagram, and how long each is.
    fn coalesced() -> (Vec<u8>, [usize; 3]) {
        let mut bytes = vec![0xc3, 0, 0, 0, 1, 2, 0xaa, 0xab, 1, 0xbb, 3, 7, 8, 9, 5];
        bytes.extend([1, 2, 3, 4, 5]);
        let initial = bytes.len();
        // A length of two bytes.
        bytes.extend([0xe0, 0, 0, 0, 1, 0, 0, 0x40, 0x06, 1, 2, 3, 4, 5, 6]);
        let handshake = bytes.len() - initial;
        bytes.extend([0x41, 0xaa, 0xab, 9, 9]);
        let one_rtt = bytes.len() - initial - handshake;
        (bytes, [initial, handshake, one_rtt])
    }

    #[test]
    fn coalesced_packets_are_told_apart() {
        let (datagram, lengths) = coalesced();
        let packets = parse(&datagram).unwrap();
        let kinds: Vec<_> = packets.iter().map(|packet| packet.kind).collect();
        let expected = [
            PacketKind::Initial,
            PacketKind::Handshake,
            PacketKind::OneRtt,
        ];
        assert_eq!(kinds, expected);
        assert_eq!(
            packets.iter().map(|p| p.bytes.len()).collect::<Vec<_>>(),
            lengths
        );
        assert_eq!(packets[0].destination, [0xaa, 0xab]);
        assert_eq!(packets[0].source, [0xbb]);
        assert_eq!(packets[0].token, [7, 8, 9]);
        assert_eq!(packets[0].number_at, 15);
    }

    #[test]
    fn zeros_behind_the_last_packet_are_no_packet() {
        let (mut datagram, [initial, ..]) = coalesced();
        datagram.truncate(initial);
        datagram.resize(1200, 0);
        assert_eq!(parse(&datagram).unwrap().len(), 1);
        assert_eq!(parse(&[]), Ok(Vec::new()));
    }

    #[test]
    fn retry_version_negotiation_and_later_versions_have_no_length() {
        let retry = [
            [0xf0, 0, 0, 0, 1, 0, 1, 0xcc].as_slice(),
            &[0x77; 10],
            &[0xee; 16],
        ]
        .concat();
        let packets = parse(&retry).unwrap();
        assert_eq!(packets[0].kind, PacketKind::Retry);
        assert_eq!(packets[0].token, [0x77; 10]);
        let negotiation = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(
            parse(&negotiation).unwrap()[0].kind,
            PacketKind::VersionNegotiation
        );
        let version_2 = [0xd0, 0x6b, 0x33, 0x43, 0xcf, 0, 0, 0, 0];
        assert_eq!(
            parse(&version_2).unwrap()[0].kind,
            PacketKind::OtherVersion(0x6b33_43cf)
        );
    }

    #[test]
    fn malformed_headers_are_errors() {
        let (datagram, [initial, handshake, _]) = coalesced();
        // Cut anywhere but between two packets or within the last, which has no length.
        for end in 1..initial + handshake {
            let result = parse(&datagram[..end]);
            assert_eq!(result.is_ok(), end == initial, "cut at {end}");
        }
        let long_id = [0xc0, 0, 0, 0, 1, 21];
        assert_eq!(parse(&long_id), Err(PacketError::LongConnectionId(21)));
        // A length of 2^62 - 1.
        let mut huge = vec![0xe0, 0, 0, 0, 1, 0, 0];
        huge.extend([0xff; 8]);
        assert!(matches!(parse(&huge), Err(PacketError::Overrun(_))));
    }
}
