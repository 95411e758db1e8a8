//! A client's first flight and what may answer it, without a socket.

use audit::{Cause, Refusal};
use rand::RngExt as _;
use wire::{AlertDescription, HandshakeType, Offer};

use super::cursor::put_varint;
use super::frames::{CLOSE, Close, CryptoStream, Frames, Numbers, crypto_header};
use super::packet::{self, Kind, Packet, VERSION_1, initial_header, room};
use super::protection::{InitialKeys, is_retry_to};
use crate::dial::Stopped;
use crate::incoming::garbage;

/// The state of one attempt.
pub(super) struct Attempt {
    /// The ClientHello, its header included.
    hello: Vec<u8>,
    /// The client's own connection ID.
    source: [u8; ID],
    /// Whom the packets are for: chosen at random at first, then as the server says.
    destination: Vec<u8>,
    /// From a Retry.
    token: Vec<u8>,
    keys: InitialKeys,
    next_number: u32,
    numbers: Numbers,
    crypto: CryptoStream,
    progress: Progress,
}

/// How far the server has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Nothing was heard.
    Silence,
    /// It wanted the token back, once (RFC 9000 section 17.2.5).
    Retry,
    /// It has sent an Initial packet.
    Heard,
    /// It has closed.
    Closed,
}

/// What a datagram means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing, or not yet.
    Nothing,
    /// All has to be sent again, with a token.
    Again,
    /// The server waits for an acknowledgement.
    Acknowledge,
    /// The first message, a ServerHello or HelloRetryRequest.
    Message(Vec<u8>),
    /// The server's TLS gave up.
    Alert(AlertDescription),
}

/// Bytes of the connection IDs that are made here: the least that RFC 9000 section 7.2 allows
/// for the first destination.
const ID: usize = 8;
/// The longest token that leaves room for a ClientHello.
const LONGEST_TOKEN: usize = 800;
/// More than the header of a CRYPTO frame has.
const CRYPTO_HEADER: usize = 1 + 4 + 2;
/// Versions of a server that are told.
const MOST_VERSIONS: usize = 16;

impl Attempt {
    /// With what QUIC needs in a ClientHello besides the offer.
    pub(super) fn new(offer: &Offer) -> Result<Self, Stopped> {
        let mut random = rand::rng();
        Self::with_ids(offer, random.random(), random.random())
    }

    pub(super) fn with_ids(
        offer: &Offer,
        source: [u8; ID],
        destination: [u8; ID],
    ) -> Result<Self, Stopped> {
        let mut offer = Offer {
            // There is no middlebox to please (RFC 9001 section 8.4).
            session_id: Vec::new(),
            quic_transport_parameters: Some(transport_parameters(&source)),
            ..offer.clone()
        };
        if offer.alpn.is_empty() {
            // A server must refuse who names no protocol (RFC 9001 section 8.1).
            offer.alpn.push(b"h3".to_vec());
        }
        Ok(Self {
            hello: offer.message(),
            source,
            destination: destination.to_vec(),
            token: Vec::new(),
            keys: InitialKeys::of(&destination).ok_or_else(no_keys)?,
            next_number: 0,
            numbers: Numbers::default(),
            crypto: CryptoStream::default(),
            progress: Progress::Silence,
        })
    }

    /// The datagrams with the ClientHello, under new packet numbers each time.
    pub(super) fn flight(&mut self) -> Result<Vec<Vec<u8>>, Stopped> {
        let room = room(&self.header(0)).saturating_sub(CRYPTO_HEADER).max(1);
        let hello = std::mem::take(&mut self.hello);
        let pieces = hello.chunks(room).enumerate().map(|(index, piece)| {
            let mut frames = crypto_header(index * room, piece.len());
            frames.extend(piece);
            self.datagram(frames)
        });
        let flight = pieces.collect();
        self.hello = hello;
        flight
    }

    pub(super) fn acknowledgement(&mut self) -> Result<Vec<Vec<u8>>, Stopped> {
        let frames = self.numbers.acknowledgement();
        Ok(vec![self.datagram(frames)?])
    }

    /// Tells a server that was heard, and has not closed, that this is all.
    pub(super) fn close(&mut self) -> Option<Vec<u8>> {
        if self.progress != Progress::Heard {
            return None;
        }
        let mut frames = self.numbers.acknowledgement();
        frames.extend(CLOSE);
        self.datagram(frames).ok()
    }

    /// Why there is nothing at the end of the time.
    pub(super) fn too_late(&self) -> Stopped {
        let detail = match self.progress {
            Progress::Silence => "no answer",
            Progress::Retry => "no answer after a Retry",
            Progress::Heard | Progress::Closed if self.crypto.is_empty() => {
                "packets, but no ServerHello in them"
            }
            Progress::Heard | Progress::Closed => "a part of a ServerHello",
        };
        Stopped::unknown(Cause::Timeout, detail)
    }

    fn header(&self, number: u32) -> Vec<u8> {
        initial_header(&self.destination, &self.source, &self.token, number)
    }

    fn datagram(&mut self, mut frames: Vec<u8>) -> Result<Vec<u8>, Stopped> {
        let number = self.next_number;
        self.next_number += 1;
        let header = self.header(number);
        // PADDING is zeros.
        frames.resize(room(&header), 0);
        let sealed = self.keys.client.seal(&header, number, frames);
        sealed.ok_or_else(no_keys)
    }

    /// Reads a datagram. Packets that are damaged, or of another connection, are passed over:
    /// everyone can send them.
    pub(super) fn take(&mut self, mut datagram: &[u8]) -> Result<Outcome, Stopped> {
        let mut outcome = Outcome::Nothing;
        while let Some(packet) = packet::next(&mut datagram) {
            if packet.destination != self.source {
                continue;
            }
            let next = match packet.kind {
                Kind::Initial { number_at } => self.initial(&packet, number_at)?,
                Kind::Retry { token } => self.retry(&packet, token)?,
                Kind::VersionNegotiation { versions } => self.versions(&packet, versions)?,
                Kind::Opaque => continue,
            };
            if matches!(next, Outcome::Message(_) | Outcome::Alert(_)) {
                return Ok(next);
            }
            if next != Outcome::Nothing {
                outcome = next;
            }
        }
        Ok(outcome)
    }

    fn initial(&mut self, packet: &Packet<'_>, number_at: usize) -> Result<Outcome, Stopped> {
        let is_heard = self.progress == Progress::Heard;
        // RFC 9000 section 7.2: the server's ID does not change after its first packet.
        if is_heard && packet.source != self.destination {
            return Ok(Outcome::Nothing);
        }
        let Some(opened) = self.keys.server.open(packet.bytes, number_at) else {
            return Ok(Outcome::Nothing);
        };
        if !is_heard {
            self.progress = Progress::Heard;
            self.destination = packet.source.to_vec();
        }
        if !self.numbers.insert(opened.number) {
            return Ok(Outcome::Nothing);
        }
        let frames = Frames::parse(&opened.frames)?;
        for (offset, data) in &frames.data {
            self.crypto.put(*offset, data)?;
        }
        // A server may close right behind its hello: the hello is the answer then.
        if let Some(message) = self.crypto.message()? {
            return match HandshakeType(message[0]) {
                HandshakeType::SERVER_HELLO => Ok(Outcome::Message(message)),
                other => Err(garbage(format!("{other} in the place of a ServerHello"))),
            };
        }
        if let Some(close) = frames.close {
            self.progress = Progress::Closed;
            return closed(&close);
        }
        Ok(match frames.is_eliciting {
            true => Outcome::Acknowledge,
            false => Outcome::Nothing,
        })
    }

    /// RFC 9000 section 17.2.5.2: once, and before all else.
    fn retry(&mut self, packet: &Packet<'_>, token: &[u8]) -> Result<Outcome, Stopped> {
        let is_meant = self.progress == Progress::Silence
            && !token.is_empty()
            && packet.source != self.destination
            && is_retry_to(&self.destination, packet.bytes);
        if !is_meant {
            return Ok(Outcome::Nothing);
        }
        if token.len() > LONGEST_TOKEN {
            let detail = format!("a Retry with a token of {} bytes", token.len());
            return Err(Stopped::unknown(Cause::NotImplemented, detail));
        }
        self.progress = Progress::Retry;
        self.destination = packet.source.to_vec();
        self.token = token.to_vec();
        self.keys = InitialKeys::of(&self.destination).ok_or_else(no_keys)?;
        Ok(Outcome::Again)
    }

    /// RFC 9000 section 6.2.
    fn versions(&self, packet: &Packet<'_>, versions: &[u8]) -> Result<Outcome, Stopped> {
        let (versions, rest) = versions.as_chunks();
        let versions: Vec<_> = versions
            .iter()
            .map(|version| u32::from_be_bytes(*version))
            .collect();
        let is_meant = self.progress == Progress::Silence
            && packet.source == self.destination
            && rest.is_empty()
            && !versions.is_empty()
            && !versions.contains(&VERSION_1);
        if !is_meant {
            return Ok(Outcome::Nothing);
        }
        let shown = versions.iter().take(MOST_VERSIONS);
        let shown: Vec<_> = shown.map(|version| format!("{version:#010x}")).collect();
        let more = match versions.len() > MOST_VERSIONS {
            true => " and others",
            false => "",
        };
        let shown = shown.join(", ");
        let said = format!("not QUIC version 1, but {shown}{more}");
        Err(Stopped::Refused(Refusal::by_choice(said)))
    }
}

/// RFC 9000 section 20.1.
fn closed(close: &Close) -> Result<Outcome, Stopped> {
    let Close { code, reason } = close;
    if let 0x0100..=0x01ff = code {
        return Ok(Outcome::Alert(AlertDescription(*code as u8)));
    }
    let name = match code {
        0x00 => "NO_ERROR",
        0x01 => "INTERNAL_ERROR",
        0x02 => "CONNECTION_REFUSED",
        0x03 => "FLOW_CONTROL_ERROR",
        0x07 => "FRAME_ENCODING_ERROR",
        0x08 => "TRANSPORT_PARAMETER_ERROR",
        0x0a => "PROTOCOL_VIOLATION",
        0x0b => "INVALID_TOKEN",
        0x0c => "APPLICATION_ERROR",
        0x0d => "CRYPTO_BUFFER_EXCEEDED",
        0x10 => "NO_VIABLE_PATH",
        _ => "an unknown code",
    };
    let mut detail = format!("the server closes with {name} ({code:#x})");
    if !reason.is_empty() {
        detail = format!("{detail}: {reason}");
    }
    Err(Stopped::unknown(Cause::Alert, detail))
}

fn no_keys() -> Stopped {
    Stopped::unknown(Cause::Connect, "a packet could not be protected")
}

/// RFC 9000 section 18.2: enough for any server to go on.
fn transport_parameters(source: &[u8]) -> Vec<u8> {
    let mut parameters = Vec::new();
    for (id, value) in [
        // max_idle_timeout in milliseconds, max_udp_payload_size.
        (0x01, 5_000),
        (0x03, 1_472),
        // initial_max_data, and of a stream of each kind.
        (0x04, 1 << 20),
        (0x05, 1 << 18),
        (0x06, 1 << 18),
        (0x07, 1 << 18),
        // initial_max_streams of both kinds, as HTTP/3 needs them.
        (0x08, 100),
        (0x09, 3),
        // active_connection_id_limit.
        (0x0e, 2),
    ] {
        let mut encoded = Vec::new();
        put_varint(&mut encoded, value);
        put_parameter(&mut parameters, id, &encoded);
    }
    // initial_source_connection_id.
    put_parameter(&mut parameters, 0x0f, source);
    parameters
}

fn put_parameter(to: &mut Vec<u8>, id: u64, value: &[u8]) {
    put_varint(to, id);
    put_varint(to, value.len() as u64);
    to.extend(value);
}
