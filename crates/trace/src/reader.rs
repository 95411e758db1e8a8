//! From flights of bytes to messages: records, decryption, reassembly.

use experiment::Side;
use key_schedule::{RecordKeys, SuiteAlgorithms, Tls12Keys, Tls13Keys};
use wire::{
    Alert, CipherSuite, ContentType, HandshakeType, ProtocolVersion, Record, RecordError, Records,
};

use crate::direction::{Direction, Epoch, MESSAGE_HEADER, missing, open_with_any, take_message};
use crate::error::ReadError;
use crate::message::{Grammar, Message};
use crate::trace::Protection;
use crate::{Flight, KeyLog, SecretLabel};

/// One message, and what it took on the wire.
pub(crate) struct Item {
    /// Index of the flight in which it ended.
    pub(crate) flight: usize,
    pub(crate) sender: Side,
    pub(crate) message: Message,
    /// Content of a handshake message without type and length, or of the record.
    pub(crate) body: Vec<u8>,
    /// Bytes of the message itself.
    pub(crate) bytes: usize,
    /// Bytes of record headers, tags, explicit nonces and padding.
    pub(crate) overhead: usize,
    pub(crate) records: usize,
    pub(crate) protection: Protection,
}

/// Reads as far as possible.
pub(crate) fn read(flights: &[Flight], key_log: &KeyLog) -> (Vec<Item>, Option<ReadError>) {
    let mut reader = Reader {
        key_log,
        negotiation: Negotiation::default(),
        directions: [Direction::default(), Direction::default()],
        items: Vec::new(),
        place: Place {
            flight: 0,
            sender: Side::Client,
            record: 0,
        },
    };
    let error = reader.run(flights).err();
    (reader.items, error)
}

/// What the hellos settled.
#[derive(Default)]
struct Negotiation {
    client_random: Option<[u8; 32]>,
    offered: Vec<CipherSuite>,
    server_random: Option<[u8; 32]>,
    /// `None` before the ServerHello, and for versions before TLS 1.2.
    version: Option<ProtocolVersion>,
    suite: Option<CipherSuite>,
}

/// Type, version and length of a record (RFC 8446 section 5.1).
const HEADER: usize = 5;

/// Where the reader is, for errors.
#[derive(Clone, Copy)]
struct Place {
    flight: usize,
    sender: Side,
    record: usize,
}

impl Place {
    const fn broken(self, rule: &'static str) -> ReadError {
        ReadError::Protocol {
            flight: self.flight + 1,
            sender: self.sender,
            rule,
        }
    }

    const fn record_error(self, source: RecordError) -> ReadError {
        ReadError::Record {
            flight: self.flight + 1,
            sender: self.sender,
            source,
        }
    }
}

/// What a record turned out to be.
enum Content {
    /// Its plaintext, or what was plaintext already.
    Plain {
        content_type: ContentType,
        content: Vec<u8>,
        protection: Protection,
    },
    /// No secret for it.
    Unreadable,
}

struct Reader<'a> {
    key_log: &'a KeyLog,
    negotiation: Negotiation,
    /// Client, server.
    directions: [Direction; 2],
    items: Vec<Item>,
    place: Place,
}

impl Reader<'_> {
    fn run(&mut self, flights: &[Flight]) -> Result<(), ReadError> {
        for (index, flight) in flights.iter().enumerate() {
            self.place = Place {
                flight: index,
                sender: flight.sender,
                record: 0,
            };
            self.flight(&flight.bytes)?;
        }
        for sender in Side::BOTH {
            self.place.sender = sender;
            let direction = self.direction();
            if let Some(Err(error)) = Records::new(&direction.partial_record).next() {
                return Err(self.place.record_error(error));
            }
            if !direction.partial_message.is_empty() {
                let missing = missing(&direction.partial_message);
                return Err(ReadError::Unfinished { sender, missing });
            }
        }
        Ok(())
    }

    fn direction(&mut self) -> &mut Direction {
        &mut self.directions[self.place.sender as usize]
    }

    fn flight(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let mut pending = std::mem::take(&mut self.direction().partial_record);
        pending.extend_from_slice(bytes);
        let mut rest = pending.as_slice();
        for record in Records::new(&pending) {
            match record {
                Ok(record) => {
                    self.place.record += 1;
                    rest = &rest[HEADER + record.payload.len()..];
                    self.record(&record)?;
                }
                Err(RecordError::Truncated { .. }) => break,
                Err(error) => return Err(self.place.record_error(error)),
            }
        }
        self.direction().partial_record = rest.to_vec();
        Ok(())
    }

    fn record(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        let wire_bytes = HEADER + record.payload.len();
        let Content::Plain {
            content_type,
            content,
            protection,
        } = self.open(record)?
        else {
            self.push_bulk(
                Message::Unreadable,
                record.payload,
                HEADER,
                Protection::Unread,
            );
            return Ok(());
        };
        let overhead = wire_bytes - content.len();
        if content_type == ContentType::Handshake {
            return self.handshake(&content, overhead, protection);
        }
        if !self.direction().partial_message.is_empty() {
            return Err(self.place.broken(
                "another record stands within a handshake message, against RFC 8446 section 5.1",
            ));
        }
        match content_type {
            ContentType::ChangeCipherSpec => {
                self.push_bulk(Message::ChangeCipherSpec, &content, overhead, protection);
                self.change_cipher_spec();
                Ok(())
            }
            ContentType::Alert => {
                let alert = Alert::parse(&content).map_err(|source| ReadError::Alert {
                    flight: self.place.flight + 1,
                    sender: self.place.sender,
                    source,
                })?;
                self.push_bulk(Message::Alert(alert), &content, overhead, protection);
                Ok(())
            }
            ContentType::ApplicationData => {
                self.push_bulk(Message::ApplicationData, &content, overhead, protection);
                Ok(())
            }
            ContentType::Handshake | ContentType::Unknown(_) => Err(self
                .place
                .broken("an encrypted record is of a type that TLS does not have")),
        }
    }

    /// Adds what is no handshake message; neighbours of the same kind become one item.
    fn push_bulk(
        &mut self,
        message: Message,
        content: &[u8],
        overhead: usize,
        protection: Protection,
    ) {
        let is_bulk = matches!(message, Message::ApplicationData | Message::Unreadable);
        if let Some(last) = self.items.last_mut()
            && is_bulk
            && last.message == message
            && (last.flight, last.protection) == (self.place.flight, protection)
        {
            last.bytes += content.len();
            last.body.extend_from_slice(content);
            last.overhead += overhead;
            last.records += 1;
            return;
        }
        self.items.push(Item {
            flight: self.place.flight,
            sender: self.place.sender,
            message,
            body: content.to_vec(),
            bytes: content.len(),
            overhead,
            records: 1,
            protection,
        });
    }

    fn handshake(
        &mut self,
        content: &[u8],
        overhead: usize,
        protection: Protection,
    ) -> Result<(), ReadError> {
        if content.is_empty() {
            return Err(self
                .place
                .broken("an empty handshake record, against RFC 8446 section 5.1"));
        }
        let direction = self.direction();
        direction.uncharged.0 += overhead;
        direction.uncharged.1 += 1;
        direction.partial_message.extend_from_slice(content);
        while let Some((kind, body)) = take_message(&mut self.direction().partial_message) {
            let grammar = match (self.negotiation.version, self.negotiation.suite) {
                (Some(version), Some(suite)) => Some(Grammar { version, suite }),
                _ => None,
            };
            let message =
                Message::parse(kind, &body, grammar).map_err(|source| ReadError::Message {
                    flight: self.place.flight + 1,
                    sender: self.place.sender,
                    message: kind,
                    source,
                })?;
            let (overhead, records) = std::mem::take(&mut self.direction().uncharged);
            self.items.push(Item {
                flight: self.place.flight,
                sender: self.place.sender,
                message: message.clone(),
                bytes: MESSAGE_HEADER + body.len(),
                body,
                overhead,
                records,
                protection,
            });
            self.follow(&message);
        }
        Ok(())
    }

    /// Notes what a message settles, and the keys that its sender writes with from now on.
    fn follow(&mut self, message: &Message) {
        let [client, server] = &mut self.directions;
        match message {
            Message::ClientHello(hello) => {
                self.negotiation.client_random = Some(hello.random);
                self.negotiation.offered.clone_from(&hello.cipher_suites);
                if client.epoch == Epoch::Clear && hello.early_data {
                    client.enter(Epoch::Early);
                }
            }
            Message::ServerHello(hello, _) => {
                self.negotiation.server_random = Some(hello.random);
                self.negotiation.version = hello.version;
                self.negotiation.suite = Some(hello.cipher_suite);
                if hello.version == Some(ProtocolVersion::Tls13) {
                    server.enter(Epoch::Handshake);
                    if client.epoch == Epoch::Clear {
                        client.enter(Epoch::Handshake);
                    }
                }
            }
            Message::Handshake(HandshakeType::END_OF_EARLY_DATA) => {
                self.direction().enter(Epoch::Handshake);
            }
            Message::Handshake(HandshakeType::FINISHED)
                if self.direction().epoch == Epoch::Handshake =>
            {
                self.direction().enter(Epoch::Application);
            }
            Message::Handshake(HandshakeType::KEY_UPDATE) => {
                if let Some([RecordKeys::Tls13(keys)]) = self.direction().keys.as_deref_mut()
                    && let Some(next) = keys.next_generation()
                {
                    *keys = next;
                }
            }
            _ => {}
        }
    }

    /// TLS 1.2: what this side sends from now on is encrypted. TLS 1.3: nothing
    /// (RFC 8446 appendix D.4).
    fn change_cipher_spec(&mut self) {
        let is_legacy = self.negotiation.server_random.is_some()
            && self.negotiation.version != Some(ProtocolVersion::Tls13);
        if is_legacy {
            self.direction().enter(Epoch::Legacy);
        }
    }

    /// Opens a record, where it is encrypted and a secret is there.
    fn open(&mut self, record: &Record<'_>) -> Result<Content, ReadError> {
        let current = self.direction().epoch;
        let is_encrypted = match record.content_type {
            ContentType::ApplicationData => true,
            ContentType::ChangeCipherSpec => false,
            _ => current == Epoch::Legacy,
        };
        if !is_encrypted {
            return Ok(Content::Plain {
                content_type: record.content_type,
                content: record.payload.to_vec(),
                protection: Protection::Clear,
            });
        }
        // Keys change with messages. Where those could not be read, and at the end of 0-RTT
        // data that the server refused, the record itself tells which keys it is under.
        let mut epoch = current;
        let mut is_secret_missing = false;
        loop {
            let kept = match epoch == current {
                true => self.direction().keys.take(),
                false => None,
            };
            let mut keys = match kept {
                Some(keys) => keys,
                None => self.load_keys(epoch)?,
            };
            if let Some(opened) = open_with_any(&mut keys, record) {
                let direction = self.direction();
                direction.epoch = epoch;
                direction.keys = Some(keys);
                return Ok(Content::Plain {
                    content_type: opened.content_type,
                    content: opened.content,
                    protection: epoch.protection(),
                });
            }
            let has_secret = !keys.is_empty();
            is_secret_missing |= !has_secret;
            if epoch == current {
                self.direction().keys = Some(keys);
            }
            match epoch.next() {
                Some(next) if !has_secret || epoch == Epoch::Early => epoch = next,
                _ if is_secret_missing => return Ok(Content::Unreadable),
                _ => {
                    return Err(ReadError::Decryption {
                        flight: self.place.flight + 1,
                        sender: self.place.sender,
                        record: self.place.record,
                    });
                }
            }
        }
    }

    /// The keys with which the sender writes in an epoch; none without a secret. Several
    /// for 0-RTT data, which come before the suite is settled.
    fn load_keys(&self, epoch: Epoch) -> Result<Vec<RecordKeys>, ReadError> {
        let label = match (epoch, self.place.sender) {
            (Epoch::Clear, _) | (Epoch::Early, Side::Server) => return Ok(Vec::new()),
            (Epoch::Early, Side::Client) => SecretLabel::ClientEarly,
            (Epoch::Handshake, Side::Client) => SecretLabel::ClientHandshake,
            (Epoch::Handshake, Side::Server) => SecretLabel::ServerHandshake,
            (Epoch::Application, Side::Client) => SecretLabel::ClientApplication,
            (Epoch::Application, Side::Server) => SecretLabel::ServerApplication,
            (Epoch::Legacy, _) => SecretLabel::Master,
        };
        let negotiation = &self.negotiation;
        let secret = negotiation
            .client_random
            .and_then(|random| self.key_log.secret(label, random));
        let Some(secret) = secret else {
            return Ok(Vec::new());
        };
        let mut suites = negotiation.suite.as_slice();
        if epoch == Epoch::Early {
            suites = &negotiation.offered;
        }
        let known: Vec<_> = suites
            .iter()
            .filter_map(|suite| Some((*suite, SuiteAlgorithms::of(*suite)?)))
            .collect();
        let keys: Vec<_> = known
            .iter()
            .filter_map(|(_, algorithms)| match epoch {
                Epoch::Legacy => self.legacy_keys(*algorithms, secret),
                _ => Tls13Keys::new(*algorithms, secret).map(RecordKeys::Tls13),
            })
            .collect();
        match known.first() {
            Some((suite, _)) if keys.is_empty() => Err(ReadError::Secret {
                label,
                length: secret.len(),
                suite: *suite,
            }),
            _ => Ok(keys),
        }
    }

    fn legacy_keys(&self, algorithms: SuiteAlgorithms, secret: &[u8]) -> Option<RecordKeys> {
        let negotiation = &self.negotiation;
        let randoms = [negotiation.client_random?, negotiation.server_random?];
        let of_client = self.place.sender == Side::Client;
        Tls12Keys::new(algorithms, secret, randoms, of_client).map(RecordKeys::Tls12)
    }
}
