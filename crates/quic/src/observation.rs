//! What datagrams tell of a handshake: counts, the anti-amplification limit, the hellos.

use experiment::{Handshake, HandshakeKind, Side};
use stack::PairError;
use wire::{CipherSuite, ClientHello, NamedGroup};

use crate::initial::InitialReader;
use crate::packet::{PacketKind, Packets};

/// A server must not send more than this many times what it received from an address that
/// it has not validated (RFC 9000 section 8.1).
const AMPLIFICATION_FACTOR: u64 = 3;

/// The smallest datagram that may carry a client's Initial packet (RFC 9000 section 14.1).
pub(crate) const SMALLEST_INITIAL: u64 = 1200;

/// What the datagrams of one connection tell, seen from one place on its path.
///
/// What was sent before what depends on that place. At the server, the bytes before
/// validation are those that the limit is about. At the client, some of them may not have
/// been with the server yet: there, only more than the limit is a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What the client sent before the server's first word.
    pub first_flight: Traffic,
    /// All that the client sent.
    pub client: Traffic,
    /// All that the server sent.
    pub server: Traffic,
    /// What went either way before the client's address was validated.
    pub before_validation: Amplification,
    /// Whether the server asked the client to come again with a token.
    pub has_retry: bool,
    /// Whether the server asked for another key share (RFC 8446 section 4.1.4).
    pub has_hello_retry: bool,
    /// The client's last hello, where that could be read.
    pub client_hello: Option<ClientHello>,
    /// The group in the server's hello, where that could be read.
    pub group: Option<NamedGroup>,
    /// The cipher suite in the server's hello, where that could be read.
    pub cipher_suite: Option<CipherSuite>,
}

/// What one side sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// UDP datagrams.
    pub datagrams: u64,
    /// Their payloads, in bytes; headers of UDP and IP are not counted.
    pub bytes: u64,
    /// Initial packets within.
    pub initials: u64,
}

/// How far a server went before it knew that the client is at its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amplification {
    /// Bytes of the client until then.
    pub received: u64,
    /// Bytes of the server until then.
    pub sent: u64,
}

impl Amplification {
    /// What the server might have sent, in bytes.
    pub const fn limit(&self) -> u64 {
        AMPLIFICATION_FACTOR * self.received
    }

    /// Whether no further datagram of 1200 bytes would have stayed within the limit: a
    /// server that has more to say must wait for the client.
    pub const fn is_exhausted(&self) -> bool {
        self.sent + SMALLEST_INITIAL > self.limit()
    }
}

impl Observation {
    /// What one side sent.
    pub const fn sent(&self, side: Side) -> Traffic {
        match side {
            Side::Client => self.client,
            Side::Server => self.server,
        }
    }
}

/// Follows the datagrams of one connection.
#[derive(Default)]
pub(crate) struct Observer {
    sent: [Traffic; 2],
    first_flight: Option<Traffic>,
    before_validation: Option<Amplification>,
    has_retry: bool,
    original_destination: Vec<u8>,
    initials: InitialReader,
}

impl Observer {
    /// Takes the next datagram. What is no QUIC in it counts as bytes only.
    pub(crate) fn note(&mut self, sender: Side, datagram: &[u8]) {
        if sender == Side::Server && self.first_flight.is_none() {
            self.first_flight = Some(self.sent(Side::Client));
        }
        let mut traffic = Traffic {
            datagrams: 1,
            bytes: datagram.len() as u64,
            initials: 0,
        };
        for packet in Packets::new(datagram).map_while(Result::ok) {
            self.initials.read(sender, &packet);
            if packet.kind == PacketKind::Initial && self.original_destination.is_empty() {
                self.original_destination = packet.destination.to_vec();
            }
            match (packet.kind, sender) {
                (PacketKind::Initial, _) => traffic.initials += 1,
                (PacketKind::Retry, Side::Server) => self.has_retry = true,
                _ => {}
            }
            // A Handshake packet shows that the client has received the server's Initial,
            // and so does a token of the server (RFC 9000 section 8.1).
            let shows_address = packet.kind == PacketKind::Handshake
                || packet.kind == PacketKind::Initial && !packet.token.is_empty();
            if sender == Side::Client && shows_address && self.before_validation.is_none() {
                self.before_validation = Some(self.until_now());
            }
        }
        self.sent[sender as usize].add(traffic);
    }

    /// The connection ID that the client first sent to; it names the connection.
    pub(crate) fn original_destination(&self) -> &[u8] {
        &self.original_destination
    }

    /// What has been seen so far.
    pub(crate) fn observation(&self) -> Observation {
        let hellos = self.initials.server_hellos();
        let hello = hellos.last();
        let share = hello.and_then(|hello| hello.key_share);
        Observation {
            first_flight: self.first_flight.unwrap_or(self.sent(Side::Client)),
            client: self.sent(Side::Client),
            server: self.sent(Side::Server),
            before_validation: self.before_validation.unwrap_or_else(|| self.until_now()),
            has_retry: self.has_retry,
            has_hello_retry: hellos.iter().any(|hello| hello.is_retry_request),
            client_hello: self.initials.client_hellos().pop(),
            group: share.map(|share| share.group),
            cipher_suite: hello.map(|hello| hello.cipher_suite),
        }
    }

    const fn sent(&self, side: Side) -> Traffic {
        self.sent[side as usize]
    }

    const fn until_now(&self) -> Amplification {
        Amplification {
            received: self.sent(Side::Client).bytes,
            sent: self.sent(Side::Server).bytes,
        }
    }

    /// Checks the hellos against a scenario.
    ///
    /// # Errors
    /// The first thing that differs.
    pub(crate) fn verify(&self, handshake: &Handshake) -> Result<(), PairError> {
        let hellos = self.initials.server_hellos();
        let hello = hellos.last();
        let version = hello.and_then(|hello| hello.version);
        expect(
            "the version on the wire",
            Some(handshake.version()),
            version,
        )?;
        let suite = hello.map(|hello| hello.cipher_suite);
        let expected = Some(handshake.cipher_suite());
        expect("the cipher suite on the wire", expected, suite)?;
        let share = hello.and_then(|hello| hello.key_share);
        let group = share.map(|share| share.group);
        expect("the group on the wire", handshake.group(), group)?;
        let facts = group.and_then(NamedGroup::facts);
        let length = facts.map(|facts| usize::from(facts.server_share));
        expect(
            "the server's key share length",
            length,
            share.map(|share| share.length),
        )?;
        let wants_retry = handshake.kind() == HandshakeKind::FullWithHelloRetryRequest;
        expect(
            "the HelloRetryRequest",
            Some(wants_retry),
            Some(hellos.iter().any(|hello| hello.is_retry_request)),
        )?;
        let shares = self.initials.client_hellos();
        let shares = shares.last().map(|hello| hello.key_shares.len());
        expect("the number of key shares offered", Some(1), shares)
    }
}

impl Traffic {
    fn add(&mut self, other: Self) {
        self.datagrams += other.datagrams;
        self.bytes += other.bytes;
        self.initials += other.initials;
    }
}

fn expect<T: PartialEq + ToString>(
    what: &'static str,
    expected: Option<T>,
    found: Option<T>,
) -> Result<(), PairError> {
    if expected == found {
        return Ok(());
    }
    let show = |value: Option<T>| value.map_or_else(|| "unknown".to_owned(), |v| v.to_string());
    Err(PairError::Mismatch {
        what,
        expected: show(expected),
        found: show(found),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A datagram of one packet with a long header of this first byte.
    fn datagram(first: u8, token: &[u8], length: usize) -> Vec<u8> {
        let mut bytes = vec![first, 0, 0, 0, 1, 0, 0];
        if first & 0x30 == 0 {
            bytes.push(u8::try_from(token.len()).unwrap());
            bytes.extend(token);
        }
        let rest = u16::try_from(length - bytes.len() - 2).unwrap();
        bytes.extend((0x4000 | rest).to_be_bytes());
        bytes.resize(length, 1);
        bytes
    }

    const INITIAL: u8 = 0xc0;
    const HANDSHAKE: u8 = 0xe0;

    #[test]
    fn the_limit_counts_until_the_address_is_validated() {
        let mut seen = Observer::default();
        for _ in 0..2 {
            seen.note(Side::Client, &datagram(INITIAL, &[], 1200));
        }
        for _ in 0..3 {
            seen.note(Side::Server, &datagram(INITIAL, &[], 1200));
        }
        let flight = seen.observation();
        assert_eq!(flight.first_flight.datagrams, 2);
        assert!(!flight.before_validation.is_exhausted());
        seen.note(Side::Client, &datagram(HANDSHAKE, &[], 100));
        seen.note(Side::Server, &datagram(HANDSHAKE, &[], 1200));
        let whole = seen.observation();
        let amplification = whole.before_validation;
        assert_eq!((amplification.received, amplification.sent), (2400, 3600));
        assert_eq!(amplification.limit(), 7200);
        assert_eq!(whole.server.bytes, 4800);
        assert_eq!(whole.client.initials, 2);
    }

    #[test]
    fn a_token_validates_the_address() {
        let mut seen = Observer::default();
        seen.note(Side::Client, &datagram(INITIAL, &[], 1200));
        seen.note(
            Side::Server,
            &[[0xf0, 0, 0, 0, 1, 0, 0].as_slice(), &[5; 40]].concat(),
        );
        assert!(seen.observation().has_retry);
        seen.note(Side::Client, &datagram(INITIAL, &[5; 24], 1200));
        seen.note(Side::Server, &datagram(INITIAL, &[], 1200));
        let amplification = seen.observation().before_validation;
        assert_eq!((amplification.received, amplification.sent), (1200, 47));
    }

    /// Whatever a stranger sends, an observer goes on: every byte of a real packet changed,
    /// and every length of it.
    #[test]
    fn mutilated_packets_are_survived() {
        for vector in [
            include_str!("../tests/vectors/rfc9001-client-initial.hex"),
            include_str!("../tests/vectors/rfc9001-server-initial.hex"),
        ] {
            let whole = crate::initial::tests::bytes(vector);
            for at in 0..whole.len() {
                let mut changed = whole.clone();
                changed[at] ^= 0xa5;
                let mut seen = Observer::default();
                for datagram in [
                    &whole,
                    &changed,
                    &whole[..at].to_vec(),
                    &changed[at..].to_vec(),
                ] {
                    seen.note(Side::Client, datagram);
                    seen.note(Side::Server, datagram);
                }
                let sent = seen.observation().client;
                assert_eq!(sent.bytes, 3 * whole.len() as u64);
            }
        }
    }

    #[test]
    fn what_is_no_quic_counts_as_bytes() {
        let mut seen = Observer::default();
        for garbage in [&[][..], &[0xff; 3], &[0xc0; 1200], &[0x40; 50]] {
            seen.note(Side::Client, garbage);
            seen.note(Side::Server, garbage);
        }
        let seen = seen.observation();
        assert_eq!(seen.client.bytes, 1253);
        assert_eq!(seen.server.initials, 0);
        assert_eq!((seen.group, seen.cipher_suite), (None, None));
    }
}
