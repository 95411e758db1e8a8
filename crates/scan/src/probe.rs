//! One question to a TLS server: a ClientHello, and what it answers first.

use std::time::Duration;

use audit::{Answer, Cause, Protocol, Refusal, Unknown};
use tokio::time::sleep;
use wire::{
    AlertDescription, HandshakeType, HelloError, Offer, ServerHello, ServerMaterial,
    handshake_records, version_name,
};

use crate::dial::{Came, Dialed, Dialer, Stopped};
use crate::incoming::{Incoming, Item, MESSAGE_HEADER, garbage};
use crate::quic;

/// What a server answered first.
pub(crate) enum Reply {
    Hello(Chosen),
    Alert(AlertDescription),
}

/// What a server chose, and the message in which it said so.
pub(crate) struct Chosen {
    pub(crate) hello: ServerHello,
    /// The version, by its number on the wire.
    pub(crate) version: u16,
    /// The whole message.
    pub(crate) message: Vec<u8>,
}

/// How a ClientHello is put on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// In one record and one write.
    Whole,
    /// In two writes, with a pause between them in which the first one leaves as a segment of
    /// its own.
    TwoSegments(Duration),
    /// In two records, in one write.
    TwoRecords,
}

/// A connection that was answered, and may go on.
pub(crate) struct Conversation {
    pub(crate) dialed: Dialed,
    pub(crate) incoming: Incoming,
}

/// For what comes until the ServerHello.
pub(crate) const FIRST_ANSWER: usize = 32 << 10;
/// The version of the record that carries a first ClientHello (RFC 8446 section 5.1).
const FIRST_RECORD: u16 = 0x0301;
/// The longest record.
pub(crate) const LONGEST: usize = 1 << 14;

/// Asks, and forgets the connection.
pub(crate) async fn ask(dialer: &Dialer, offer: &Offer) -> Result<Reply, Stopped> {
    if dialer.target.protocol == Protocol::Quic {
        return quic::ask(dialer, offer).await;
    }
    let message = offer.message();
    let (reply, conversation) =
        converse(dialer, offer, &message, Shape::Whole, FIRST_ANSWER).await?;
    conversation.dialed.drop_at_once();
    Ok(reply)
}

/// Asks, and keeps the connection. `message` is the offer's, and `most` bytes are read of the
/// answer in all.
pub(crate) async fn converse(
    dialer: &Dialer,
    offer: &Offer,
    message: &[u8],
    shape: Shape,
    most: usize,
) -> Result<(Reply, Conversation), Stopped> {
    let mut dialed = dialer.dial().await?;
    send(&mut dialed, message, shape).await?;
    let mut conversation = Conversation {
        dialed,
        incoming: Incoming::new(most),
    };
    let reply = conversation.reply(offer).await?;
    Ok((reply, conversation))
}

async fn send(dialed: &mut Dialed, message: &[u8], shape: Shape) -> Result<(), Stopped> {
    let half = message.len() / 2 + 1;
    match shape {
        Shape::Whole => {
            let records = handshake_records(message, FIRST_RECORD, LONGEST);
            dialed.write(&records).await
        }
        Shape::TwoRecords => {
            let records = handshake_records(message, FIRST_RECORD, half);
            dialed.write(&records).await
        }
        Shape::TwoSegments(pause) => {
            let records = handshake_records(message, FIRST_RECORD, LONGEST);
            dialed.write_at_once()?;
            let (first, second) = records.split_at(half.min(records.len()));
            dialed.write(first).await?;
            sleep(pause).await;
            dialed.write(second).await
        }
    }
}

impl Conversation {
    /// The answer to a ClientHello that was sent.
    pub(crate) async fn reply(&mut self, offer: &Offer) -> Result<Reply, Stopped> {
        match self.next().await? {
            Item::Alert(alert) => Ok(Reply::Alert(alert.description)),
            Item::Message(HandshakeType::SERVER_HELLO, message) => {
                Ok(Reply::Hello(Chosen::read(message, offer)?))
            }
            Item::Message(other, _) => {
                Err(garbage(format!("{other} in the place of a ServerHello")))
            }
        }
    }

    /// The next message or alert; warnings apart that end nothing.
    pub(crate) async fn next(&mut self) -> Result<Item, Stopped> {
        loop {
            match self.incoming.next()? {
                // TLS 1.2: the server does not know the name, and goes on (RFC 6066 section 3).
                Some(Item::Alert(alert))
                    if !alert.is_fatal && alert.description == UNRECOGNIZED_NAME => {}
                Some(item) => return Ok(item),
                None => {
                    let (buffer, most) = self.incoming.room();
                    match self.dialed.read(buffer, most).await? {
                        Came::Bytes(count) => self.incoming.came(count)?,
                        Came::End => {
                            let detail = match self.incoming.total() {
                                0 => "before it answered".to_owned(),
                                some => format!("after {some} bytes"),
                            };
                            return Err(Stopped::unknown(Cause::Closed, detail));
                        }
                    }
                }
            }
        }
    }
}

const UNRECOGNIZED_NAME: AlertDescription = AlertDescription(112);

impl Chosen {
    /// Reads a ServerHello, and holds it against what was offered: a server that chooses what
    /// it was not asked for has told nothing.
    pub(crate) fn read(message: Vec<u8>, offer: &Offer) -> Result<Self, Stopped> {
        let broken = |error: HelloError| garbage(error.to_string());
        let body = message.get(MESSAGE_HEADER..).unwrap_or_default();
        let hello = ServerHello::parse(body).map_err(broken)?;
        let legacy = body
            .first_chunk()
            .map_or(0, |bytes| u16::from_be_bytes(*bytes));
        let version = hello
            .version
            .map_or(legacy, wire::ProtocolVersion::code_point);
        let chosen = Self {
            hello,
            version,
            message,
        };
        let highest = offer.versions.iter().copied().max().unwrap_or_default();
        // An older version than any that was named is the server's way of saying no.
        if version > highest || (version >= TLS12 && !offer.versions.contains(&version)) {
            let name = version_name(version);
            return Err(garbage(format!("it chose {name}, which was not offered")));
        }
        let suite = chosen.hello.cipher_suite;
        if !offer.cipher_suites.contains(&suite) {
            return Err(garbage(format!("it chose {suite}, which was not offered")));
        }
        let is_of_tls13 = suite
            .facts()
            .map_or(suite.0 >> 8 == 0x13, |facts| facts.tls13);
        if is_of_tls13 != (version == TLS13) {
            let name = version_name(version);
            return Err(garbage(format!(
                "it chose {suite} in {name}, which does not have it"
            )));
        }
        if chosen.hello.accepts_psk && offer.ticket.is_none() {
            return Err(garbage("it takes a ticket, and none was offered"));
        }
        if version == TLS13 && chosen.hello.key_share.is_none() {
            let has_reason = match chosen.hello.is_retry_request {
                // Its cookie alone may be wanted back (RFC 8446 section 4.1.4).
                true => {
                    let material = ServerMaterial::parse(chosen.body()).map_err(broken)?;
                    material.cookie.is_some() && !offer.key_shares.is_empty()
                }
                false => chosen.hello.accepts_psk,
            };
            if !has_reason {
                return Err(garbage("a choice without a group"));
            }
        }
        if let Some(share) = chosen.hello.key_share {
            let has_share = offer
                .key_shares
                .iter()
                .any(|(group, _)| *group == share.group);
            if !offer.groups.contains(&share.group) {
                let detail = format!("it chose {}, which was not offered", share.group);
                return Err(garbage(detail));
            }
            if has_share == chosen.hello.is_retry_request {
                let detail = match has_share {
                    true => format!("it asks for a share of {}, which it has", share.group),
                    false => format!("it uses a share of {}, which was not sent", share.group),
                };
                return Err(garbage(detail));
            }
        }
        Ok(chosen)
    }

    /// The body of the message.
    pub(crate) fn body(&self) -> &[u8] {
        self.message.get(MESSAGE_HEADER..).unwrap_or_default()
    }
}

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;

/// What an alert answers to the question whether something is supported.
pub(crate) fn alert_answer<T>(alert: AlertDescription) -> Answer<T> {
    match says_no(alert) {
        true => Answer::Refused(Refusal::by_alert(alert)),
        false => Answer::Unknown(Unknown {
            cause: Cause::Alert,
            detail: alert.to_string(),
        }),
    }
}

/// Whether an alert says that what was offered is not taken: handshake_failure,
/// protocol_version, insufficient_security and no_application_protocol (RFC 8446 section 6.2).
/// All others tell of something else that went wrong; so does illegal_parameter, with which a
/// server may answer a hello without key shares that it can't read.
const fn says_no(alert: AlertDescription) -> bool {
    matches!(alert.0, 40 | 70 | 71 | 120)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{CipherSuite, NamedGroup};

    fn offer() -> Offer {
        Offer {
            versions: vec![0x0304],
            cipher_suites: vec![CipherSuite::AES_128_GCM_SHA256],
            groups: vec![NamedGroup::X25519],
            ..Offer::default()
        }
    }

    /// A ServerHello of TLS 1.3 with a share of this group.
    fn hello(group: u16, suite: u16, version: u16) -> Vec<u8> {
        let mut message = vec![2, 0, 0, 0, 3, 3];
        message.extend([1; 32]);
        message.push(0);
        message.extend(suite.to_be_bytes());
        message.extend([0, 0, 15, 0, 51, 0, 5]);
        message.extend(group.to_be_bytes());
        message.extend([0, 1, 9, 0, 43, 0, 2]);
        message.extend(version.to_be_bytes());
        message
    }

    #[test]
    fn a_server_that_chooses_what_was_not_offered_has_told_nothing() {
        let with_share = Offer {
            key_shares: vec![(NamedGroup::X25519, vec![1; 32])],
            ..offer()
        };
        assert!(Chosen::read(hello(0x1d, 0x1301, 0x0304), &with_share).is_ok());
        for (message, offer) in [
            (hello(0x17, 0x1301, 0x0304), &with_share),
            (hello(0x1d, 0x1302, 0x0304), &with_share),
            (hello(0x1d, 0x1301, 0x0305), &with_share),
            // A share that nobody sent.
            (hello(0x1d, 0x1301, 0x0304), &offer()),
        ] {
            assert!(Chosen::read(message, offer).is_err());
        }
    }

    #[test]
    fn only_some_alerts_mean_no() {
        assert!(alert_answer::<()>(AlertDescription::HANDSHAKE_FAILURE).is_refused());
        assert!(alert_answer::<()>(AlertDescription::PROTOCOL_VERSION).is_refused());
        for other in [10, 47, 50, 80, 90, 112] {
            assert!(alert_answer::<()>(AlertDescription(other)).is_unknown());
        }
    }
}
