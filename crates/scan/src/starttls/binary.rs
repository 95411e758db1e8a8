//! The protocols of messages: LDAP, PostgreSQL and MySQL.

use super::{Step, other, printable, refused};
use crate::dial::Stopped;
use crate::incoming::garbage;

/// Bytes of an answer: all of them are short.
const MAX_ANSWER: usize = 4096;

/// StartTLS of LDAP (RFC 4511 section 4.14).
#[derive(Default)]
pub(super) struct Ldap {
    is_asked: bool,
}

/// LDAPMessage { 1, extendedReq { requestName 1.3.6.1.4.1.1466.20037 } }.
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
/// [APPLICATION 24].
const EXTENDED_RESPONSE: u8 = 0x78;

impl Ldap {
    pub(super) fn step(&mut self, received: &mut Vec<u8>) -> Result<Step, Stopped> {
        if !self.is_asked {
            self.is_asked = true;
            return Ok(Step::Write(START_TLS.to_vec()));
        }
        match received.first() {
            None => return Ok(Step::Read),
            Some(&SEQUENCE) => {}
            Some(_) => {
                return Err(garbage(format!(
                    "no LDAP message: {:?}",
                    printable(received)
                )));
            }
        }
        let Some(message) = element(received)? else {
            return Ok(Step::Read);
        };
        let step = response(message.content);
        let length = message.length;
        received.drain(..length);
        step
    }
}

/// LDAPMessage { messageID, extendedResp { resultCode, matchedDN, diagnosticMessage, … } }.
fn response(message: &[u8]) -> Result<Step, Stopped> {
    let mut rest = message;
    let id = part(&mut rest, INTEGER)?;
    let mut rest = part(&mut rest, EXTENDED_RESPONSE)?;
    let code = part(&mut rest, ENUMERATED)?;
    part(&mut rest, OCTET_STRING)?;
    let said = printable(part(&mut rest, OCTET_STRING)?);
    let [code] = code else {
        return Err(garbage("an LDAP result code has more than one byte"));
    };
    match (id, code) {
        ([1], 0) => Ok(Step::Begin),
        // protocolError says that the operation is unknown; unwillingToPerform (53).
        ([1], 2 | 53) => Err(refused(format!("LDAP result {code}: {said}"))),
        // A notice of disconnection (RFC 4511 section 4.4.1).
        ([0], _) => Err(other(&format!("disconnection, LDAP result {code}: {said}"))),
        ([1], _) => Err(other(&format!("LDAP result {code}: {said}"))),
        _ => Err(garbage("an LDAP answer to another message")),
    }
}

/// A BER element that is whole.
struct Element<'a> {
    content: &'a [u8],
    /// Of all of it.
    length: usize,
}

/// `None` where more has to come. LDAP has definite lengths only (RFC 4511 section 5.1).
fn element(bytes: &[u8]) -> Result<Option<Element<'_>>, Stopped> {
    let (content, header) = match bytes {
        [_, first @ 0..=0x7f, ..] => (usize::from(*first), 2),
        [_, first @ 0x81..=0x84, rest @ ..] => {
            let width = usize::from(first & 0x7f);
            let Some(length) = rest.get(..width) else {
                return Ok(None);
            };
            let length = length
                .iter()
                .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
            (usize::try_from(length).unwrap_or(usize::MAX), 2 + width)
        }
        [_, _, ..] => {
            return Err(garbage(
                "an LDAP message has a length that BER does not have",
            ));
        }
        _ => return Ok(None),
    };
    if content > MAX_ANSWER {
        return Err(garbage(format!("an LDAP message declares {content} bytes")));
    }
    let length = header + content;
    Ok(bytes
        .get(header..length)
        .map(|content| Element { content, length }))
}

/// The content of the next element, which has this tag.
fn part<'a>(rest: &mut &'a [u8], tag: u8) -> Result<&'a [u8], Stopped> {
    match element(rest)? {
        Some(found) if rest[0] == tag => {
            *rest = &rest[found.length..];
            Ok(found.content)
        }
        _ => Err(garbage("the LDAP answer is no ExtendedResponse")),
    }
}

/// SSLRequest of PostgreSQL ("SSL Session Encryption" in its documentation's chapter on the
/// message flow).
#[derive(Default)]
pub(super) struct Postgresql {
    is_asked: bool,
}

/// A length of 8, and 1234 and 5679 in place of a version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

impl Postgresql {
    pub(super) fn step(&mut self, received: &mut Vec<u8>) -> Result<Step, Stopped> {
        if !self.is_asked {
            self.is_asked = true;
            return Ok(Step::Write(SSL_REQUEST.to_vec()));
        }
        match received.first() {
            None => Ok(Step::Read),
            Some(b'S') => {
                received.remove(0);
                Ok(Step::Begin)
            }
            Some(b'N') => Err(refused("N, no TLS, to PostgreSQL's SSLRequest")),
            // Nothing in it is protected or can be believed; it is told, not judged.
            Some(b'E') => {
                let text: Vec<_> = received[1..]
                    .iter()
                    .copied()
                    .filter(|byte| *byte >= 32)
                    .collect();
                Err(other(&format!("E, an error: {}", printable(&text))))
            }
            Some(_) => Err(garbage(format!(
                "neither S nor N to PostgreSQL's SSLRequest: {:?}",
                printable(received)
            ))),
        }
    }
}

/// SSLRequest of MySQL ("Connection Phase" in its documentation of the protocol).
#[derive(Default)]
pub(super) struct Mysql {
    is_asked: bool,
}

const CLIENT_PROTOCOL_41: u32 = 0x0200;
const CLIENT_SSL: u16 = 0x0800;
const CLIENT_SECURE_CONNECTION: u32 = 0x8000;
/// The version of the greeting for 25 years.
const VERSION_10: u8 = 10;
const ERROR: u8 = 0xff;
/// utf8mb4_general_ci.
const CHARACTER_SET: u8 = 45;

impl Mysql {
    pub(super) fn step(&mut self, received: &mut Vec<u8>) -> Result<Step, Stopped> {
        if self.is_asked {
            // The ClientHello follows the request: there is no answer.
            return Ok(Step::Begin);
        }
        let [low, middle, high, sequence, rest @ ..] = received.as_slice() else {
            return Ok(Step::Read);
        };
        let length = usize::from(*low) | usize::from(*middle) << 8 | usize::from(*high) << 16;
        if length > MAX_ANSWER || length == 0 || *sequence != 0 {
            return Err(garbage(format!(
                "no MySQL greeting: {:?}",
                printable(received)
            )));
        }
        let Some(greeting) = rest.get(..length) else {
            return Ok(Step::Read);
        };
        let capabilities = capabilities(greeting)?;
        if capabilities & CLIENT_SSL == 0 {
            return Err(refused(
                "CLIENT_SSL is not among the capabilities of MySQL's greeting",
            ));
        }
        received.drain(..4 + length);
        self.is_asked = true;
        Ok(Step::Write(ssl_request()))
    }
}

/// The lower half of the capability flags of a greeting of version 10.
fn capabilities(greeting: &[u8]) -> Result<u16, Stopped> {
    match greeting {
        // "Host is blocked", "too many connections": nothing about TLS.
        [ERROR, low, high, said @ ..] => {
            let code = u16::from_le_bytes([*low, *high]);
            Err(other(&format!("error {code}: {}", printable(said))))
        }
        [VERSION_10, rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == 0);
            // The thread's number, eight bytes of a challenge and a filler stand between.
            let flags = end.and_then(|end| rest.get(end + 1 + 13..)?.first_chunk());
            let flags = flags.ok_or_else(|| garbage("MySQL's greeting is too short"))?;
            Ok(u16::from_le_bytes(*flags))
        }
        _ => Err(garbage(format!(
            "no MySQL greeting of version 10: {:?}",
            printable(greeting)
        ))),
    }
}

fn ssl_request() -> Vec<u8> {
    let flags = CLIENT_PROTOCOL_41 | u32::from(CLIENT_SSL) | CLIENT_SECURE_CONNECTION;
    let mut packet = vec![32, 0, 0, 1];
    packet.extend(flags.to_le_bytes());
    // The longest packet.
    packet.extend((1_u32 << 24).to_le_bytes());
    packet.push(CHARACTER_SET);
    packet.resize(4 + 32, 0);
    packet
}
