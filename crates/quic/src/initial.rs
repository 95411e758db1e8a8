//! The hellos within Initial packets, which every observer of the path can read.
//!
//! The keys of Initial packets follow from the connection ID that the client first sends
//! to (RFC 9001 section 5.2): they keep accidents out, and no attacker. So the negotiated
//! group and cipher suite can be checked on the wire, as in TLS over TCP.

use std::collections::BTreeMap;

use experiment::Side;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::quic::{HeaderProtectionKey, PacketKey, Suite, Version};
use wire::{ClientHello, HandshakeMessage, HandshakeType, ServerHello};

use crate::packet::{Packet, PacketError, PacketKind, Reader};

/// The suite that protects Initial packets, whichever is negotiated (RFC 9001 section 5.2).
pub(crate) fn initial_suite() -> Option<Suite> {
    TLS13_AES_128_GCM_SHA256.tls13()?.quic_suite()
}

/// Follows the Initial packets of one connection.
#[derive(Default)]
pub(crate) struct InitialReader {
    keys: Option<Keys>,
    streams: [CryptoStream; 2],
}

/// The keys of packets that the client and the server send.
struct Keys([Protection; 2]);

struct Protection {
    header: Box<dyn HeaderProtectionKey>,
    payload: Box<dyn PacketKey>,
}

/// More than the hellos of one side have, retransmissions included, in bytes.
const MAX_HELD: usize = 1 << 15;
/// More pieces than a hello comes in; browsers cut theirs into a dozen.
const MAX_PIECES: usize = 256;

impl InitialReader {
    /// Takes a packet off the wire. What can't be read, because it is damaged or forged,
    /// is left out: the endpoints do the same.
    pub(crate) fn read(&mut self, sender: Side, packet: &Packet<'_>) {
        match (packet.kind, sender) {
            // The client begins again, with keys from the ID that the Retry names.
            (PacketKind::Retry, Side::Server) => *self = Self::default(),
            (PacketKind::Initial, _) => {
                if self.keys.is_none() && sender == Side::Client {
                    self.keys = Keys::of(packet.destination);
                }
                let Some(Keys(keys)) = &self.keys else {
                    return;
                };
                if let Some(frames) = keys[sender as usize].open(packet) {
                    // Frames after one that is not understood are lost with it.
                    let _ = self.streams[sender as usize].take(&frames);
                }
            }
            _ => {}
        }
    }

    /// The hellos of the client: two, where the server asked for another key share.
    pub(crate) fn client_hellos(&self) -> Vec<ClientHello> {
        self.messages(Side::Client, HandshakeType::CLIENT_HELLO)
            .filter_map(|message| ClientHello::parse(&message.body).ok())
            .collect()
    }

    /// The hellos of the server, a HelloRetryRequest among them.
    pub(crate) fn server_hellos(&self) -> Vec<ServerHello> {
        self.messages(Side::Server, HandshakeType::SERVER_HELLO)
            .filter_map(|message| ServerHello::parse(&message.body).ok())
            .collect()
    }

    fn messages(
        &self,
        sender: Side,
        wanted: HandshakeType,
    ) -> impl Iterator<Item = HandshakeMessage> {
        let messages = self.streams[sender as usize].messages();
        messages
            .into_iter()
            .filter(move |message| message.handshake_type == wanted)
    }
}

impl Keys {
    fn of(connection_id: &[u8]) -> Option<Self> {
        // As the client has them: it seals with `local` and opens with `remote`. The keys
        // are symmetric, so that `local` opens as well what the client sent.
        let keys = initial_suite()?.keys(connection_id, rustls::Side::Client, Version::V1);
        Some(Self([keys.local, keys.remote].map(|keys| Protection {
            header: keys.header,
            payload: keys.packet,
        })))
    }
}

/// A packet number has one to four bytes (RFC 9000 section 17.1).
const MAX_NUMBER: usize = 4;

impl Protection {
    /// The frames of a packet (RFC 9001 section 5.4.1); nothing when it fails its check.
    fn open(&self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let mut bytes = packet.bytes.to_vec();
        let (header, rest) = bytes.split_at_mut_checked(packet.number_at)?;
        let (number, sampled) = rest.split_at_mut_checked(MAX_NUMBER)?;
        let sample = sampled.get(..self.header.sample_len())?;
        let first = header.first_mut()?;
        self.header.decrypt_in_place(sample, first, number).ok()?;
        let length = usize::from(*first & 3) + 1;
        // Initial packets are few: their numbers need no expansion.
        let number = number[..length]
            .iter()
            .fold(0, |number, byte| (number << 8) | u64::from(*byte));
        let (header, payload) = bytes.split_at_mut(packet.number_at + length);
        let opened = self.payload.decrypt_in_place(number, header, payload);
        opened.ok().map(<[u8]>::to_vec)
    }
}

/// The handshake data of one side, which may come out of order.
#[derive(Default)]
pub(crate) struct CryptoStream {
    pieces: BTreeMap<usize, Vec<u8>>,
    held: usize,
}

impl CryptoStream {
    /// Takes the CRYPTO frames of a packet; knows those frames that an Initial packet may
    /// hold (RFC 9000 section 12.4).
    pub(crate) fn take(&mut self, frames: &[u8]) -> Result<(), PacketError> {
        let mut reader = Reader {
            bytes: frames,
            at: 0,
        };
        while reader.at < frames.len() {
            match reader.varint("a frame type")? {
                // PADDING and PING.
                0 | 1 => {}
                // ACK, with counts of congestion marks in the second form.
                kind @ (2 | 3) => {
                    reader.varint("an acknowledged number")?;
                    reader.varint("an acknowledgement delay")?;
                    let ranges = reader.varint("the number of ranges")?;
                    reader.varint("the first range")?;
                    for _ in 0..ranges {
                        reader.varint("a gap")?;
                        reader.varint("a range")?;
                    }
                    for _ in 0..if kind == 3 { 3 } else { 0 } {
                        reader.varint("a count of marks")?;
                    }
                }
                6 => {
                    let offset = reader.varint("an offset")?;
                    let length = reader.varint("a length")?;
                    let data = reader.take(length, "handshake data")?;
                    self.keep(offset, data);
                }
                // CONNECTION_CLOSE ends it; anything else has no place here.
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    fn keep(&mut self, offset: usize, data: &[u8]) {
        let known = self.pieces.get(&offset).map_or(0, Vec::len);
        let has_room = self.held + data.len() <= MAX_HELD && self.pieces.len() < MAX_PIECES;
        if data.len() > known && has_room {
            self.held += data.len() - known;
            self.pieces.insert(offset, data.to_vec());
        }
    }

    /// The messages that are whole from the beginning.
    pub(crate) fn messages(&self) -> Vec<HandshakeMessage> {
        let mut stream = Vec::new();
        for (offset, piece) in &self.pieces {
            // A piece that was sent again overlaps what is there.
            let Some(known) = stream.len().checked_sub(*offset) else {
                break;
            };
            stream.extend_from_slice(piece.get(known..).unwrap_or_default());
        }
        let mut messages = Vec::new();
        let mut rest = stream.as_slice();
        while let [kind, a, b, c, after @ ..] = rest {
            let length = [*a, *b, *c]
                .iter()
                .fold(0, |length, byte| (length << 8) | usize::from(*byte));
            let Some((body, next)) = after.split_at_checked(length) else {
                break;
            };
            messages.push(HandshakeMessage {
                handshake_type: HandshakeType(*kind),
                body: body.to_vec(),
            });
            rest = next;
        }
        messages
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::packet::Packets;
    use wire::{CipherSuite, NamedGroup, ProtocolVersion};

    pub(crate) fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<_> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
        digits.chunks(2).map(|pair| byte(pair).unwrap()).collect()
    }

    /// The datagrams of RFC 9001 appendix A.2 and A.3.
    fn client_initial() -> Vec<u8> {
        bytes(include_str!("../tests/vectors/rfc9001-client-initial.hex"))
    }

    fn server_initial() -> Vec<u8> {
        bytes(include_str!("../tests/vectors/rfc9001-server-initial.hex"))
    }

    fn read(reader: &mut InitialReader, sender: Side, datagram: &[u8]) {
        for packet in Packets::new(datagram) {
            reader.read(sender, &packet.unwrap());
        }
    }

    #[test]
    fn the_header_of_the_known_answer() {
        let datagram = client_initial();
        let packets: Vec<_> = Packets::new(&datagram).map(Result::unwrap).collect();
        let [packet] = packets[..] else {
            panic!("{packets:?}");
        };
        assert_eq!(packet.kind, PacketKind::Initial);
        assert_eq!(packet.destination, bytes("8394c8f03e515708"));
        assert!(packet.source.is_empty() && packet.token.is_empty());
        assert_eq!((packet.bytes.len(), packet.number_at), (1200, 18));
    }

    #[test]
    fn the_hellos_of_the_known_answer() {
        let mut reader = InitialReader::default();
        read(&mut reader, Side::Client, &client_initial());
        read(&mut reader, Side::Server, &server_initial());
        let [client] = &reader.client_hellos()[..] else {
            panic!("one ClientHello");
        };
        assert_eq!(
            client.cipher_suites,
            [CipherSuite(0x1301), CipherSuite(0x1302)]
        );
        assert_eq!(client.key_shares[0].group, NamedGroup::X25519);
        let [server] = reader.server_hellos()[..] else {
            panic!("one ServerHello");
        };
        assert_eq!(server.version, Some(ProtocolVersion::Tls13));
        assert_eq!(server.key_share.unwrap().group, NamedGroup::X25519);
    }

    #[test]
    fn a_damaged_packet_tells_nothing() {
        let mut datagram = client_initial();
        datagram[700] ^= 1;
        let mut reader = InitialReader::default();
        read(&mut reader, Side::Client, &datagram);
        assert!(reader.client_hellos().is_empty());
    }

    /// A stranger must not fill the memory of an observer.
    #[test]
    fn what_is_kept_is_bounded() {
        let mut stream = CryptoStream::default();
        for offset in 0..10_000_u16 {
            let [high, low] = (0x4000 | offset).to_be_bytes();
            stream.take(&[6, high, low, 1, 0xaa]).unwrap();
        }
        assert_eq!(stream.pieces.len(), MAX_PIECES);
        let large = [[6, 0x40, 0, 0x44, 0].as_slice(), &[0; 1024]].concat();
        let mut stream = CryptoStream::default();
        for offset in 0..64_u8 {
            let mut frame = large.clone();
            frame[2] = offset;
            stream.take(&frame).unwrap();
        }
        assert!(stream.held <= MAX_HELD);
    }

    #[test]
    fn pieces_are_joined_in_any_order() {
        let message = [[2, 0, 0, 6].as_slice(), &[7; 6]].concat();
        let frame = |from: usize, to: usize| {
            let length = u8::try_from(to - from).unwrap();
            [
                &[6, u8::try_from(from).unwrap(), length],
                &message[from..to],
            ]
            .concat()
        };
        // PING, an acknowledgement of two ranges, padding.
        let others = [1, 2, 9, 0, 1, 0, 0, 0, 0, 0];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let frames = [frame(0, 5), frame(4, 7), frame(7, 10)];
            let mut stream = CryptoStream::default();
            for at in order {
                let packet = [&others, &frames[at][..]].concat();
                stream.take(&packet).unwrap();
            }
            let messages = stream.messages();
            assert_eq!(messages.len(), 1, "{order:?}");
            assert_eq!(messages[0].body, [7; 6]);
        }
    }
}
