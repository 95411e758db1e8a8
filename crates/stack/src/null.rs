//! A stack that does nothing: what is left of a measurement is the harness itself.

use experiment::{Handshake, Library, Side, StackName};
use wire::{NamedGroup, ProtocolVersion};

use crate::{
    Connection, Credentials, Endpoint, Negotiated, PhaseTiming, StackError, TlsStack, Unsupported,
};

/// Hands over flights of about the size of a real handshake, prepared beforehand.
pub static NULL: &dyn TlsStack = &Null;

struct Null;

struct NullEndpoint {
    side: Side,
    handshake: Handshake,
}

struct NullConnection {
    side: Side,
    handshake: Handshake,
    is_handshaking: bool,
}

impl TlsStack for Null {
    fn name(&self) -> StackName {
        // The literal is of lower-case letters alone, which every name may have.
        "null".parse().unwrap_or_else(|_| unreachable!())
    }

    fn library(&self) -> Library {
        Library {
            name: "null".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            caveat: Some("no TLS: the harness' own cost".to_owned()),
        }
    }

    fn supports(&self, side: Side, handshake: &Handshake) -> Result<(), Unsupported> {
        let is_plain = handshake.version() == ProtocolVersion::Tls13
            && handshake.group() == Some(NamedGroup::X25519)
            && handshake.client_authentication().is_none()
            && handshake.kind() == experiment::HandshakeKind::Full;
        if is_plain {
            return Ok(());
        }
        let reason = "stands for a full TLS 1.3 handshake with x25519 only".to_owned();
        Err(Unsupported {
            stack: self.name(),
            side,
            reason,
        })
    }

    fn endpoint(
        &self,
        side: Side,
        handshake: &Handshake,
        _: &Credentials,
        _: PhaseTiming,
    ) -> Result<Box<dyn Endpoint>, StackError> {
        Ok(Box::new(NullEndpoint {
            side,
            handshake: *handshake,
        }))
    }
}

impl Endpoint for NullEndpoint {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        let Self { side, handshake } = *self;
        Ok(Box::new(NullConnection {
            side,
            handshake,
            is_handshaking: true,
        }))
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        self.connection()
    }

    fn tickets(&self) -> usize {
        0
    }
}

impl Connection for NullConnection {
    fn advance(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        match (self.side, input.len()) {
            (Side::Client, 0) => output.extend_from_slice(&CLIENT_HELLO),
            (Side::Server, n) if n == CLIENT_HELLO.len() => {
                output.extend_from_slice(&SERVER_FLIGHT);
            }
            (Side::Client, n) if n == SERVER_FLIGHT.len() => {
                output.extend_from_slice(&FINISHED);
                self.is_handshaking = false;
            }
            _ => self.is_handshaking = false,
        }
        Ok(())
    }

    fn is_handshaking(&self) -> bool {
        self.is_handshaking
    }

    fn send(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        output.extend_from_slice(plaintext);
        Ok(())
    }

    fn receive(&mut self, input: &[u8], plaintext: &mut [u8]) -> Result<usize, StackError> {
        plaintext[..input.len()].copy_from_slice(input);
        Ok(input.len())
    }

    fn negotiated(&self) -> Negotiated {
        Negotiated {
            version: Some(self.handshake.version()),
            cipher_suite: Some(self.handshake.cipher_suite()),
            group: self.handshake.group(),
            has_peer_certificate: self.side == Side::Client,
            ..Negotiated::default()
        }
    }

    fn export_keying_material(&self, _: &str, output: &mut [u8]) -> Result<(), StackError> {
        output.fill(0);
        Ok(())
    }
}

const CLIENT_HELLO: [u8; 232] = client_hello();
const SERVER_FLIGHT: [u8; 1087] = server_flight();
const FINISHED: [u8; 80] = encrypted([0; 80], 0);

/// A grammatical ClientHello with one X25519 share of zeros, padded (RFC 7685).
const fn client_hello() -> [u8; 232] {
    let mut bytes = [0; 232];
    let head = [22, 3, 3, 0, 227, 1, 0, 0, 223, 3, 3];
    let mut at = put(&mut bytes, 0, &head);
    at += 32; // random
    at = put(&mut bytes, at, &[0, 0, 2, 0x13, 0x02, 1, 0]);
    let extensions = 232 - at - 2;
    at = put(&mut bytes, at, &[(extensions >> 8) as u8, extensions as u8]);
    at = put(&mut bytes, at, &[0, 51, 0, 38, 0, 36, 0, 29, 0, 32]);
    at += 32; // key share
    let padding = 232 - at - 4;
    put(
        &mut bytes,
        at,
        &[0, 21, (padding >> 8) as u8, padding as u8],
    );
    bytes
}

/// A grammatical ServerHello, then one record that looks encrypted.
const fn server_flight() -> [u8; 1087] {
    let mut bytes = [0; 1087];
    let mut at = put(&mut bytes, 0, &[22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3]);
    at += 32; // random
    at = put(
        &mut bytes,
        at,
        &[0, 0x13, 0x02, 0, 0, 46, 0, 51, 0, 36, 0, 29, 0, 32],
    );
    at += 32; // key share
    at = put(&mut bytes, at, &[0, 43, 0, 2, 3, 4]);
    encrypted(bytes, at)
}

/// Puts a record header of application data at `at` that reaches to the end.
const fn encrypted<const N: usize>(mut bytes: [u8; N], at: usize) -> [u8; N] {
    let length = N - at - 5;
    put(
        &mut bytes,
        at,
        &[23, 3, 3, (length >> 8) as u8, length as u8],
    );
    bytes
}

const fn put<const N: usize>(bytes: &mut [u8; N], at: usize, content: &[u8]) -> usize {
    let mut i = 0;
    while i < content.len() {
        bytes[at + i] = content[i];
        i += 1;
    }
    at + content.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_hellos_are_grammatical() {
        let messages = wire::plaintext_messages(&CLIENT_HELLO).unwrap();
        let hello = wire::ClientHello::parse(&messages[0].body).unwrap();
        assert_eq!(hello.key_shares[0].group, NamedGroup::X25519);
        let messages = wire::plaintext_messages(&SERVER_FLIGHT).unwrap();
        let hello = wire::ServerHello::parse(&messages[0].body).unwrap();
        assert_eq!(hello.version, Some(ProtocolVersion::Tls13));
        assert_eq!(
            wire::Records::new(&SERVER_FLIGHT)
                .filter(Result::is_ok)
                .count(),
            2
        );
        assert_eq!(
            wire::Records::new(&FINISHED).filter(Result::is_ok).count(),
            1
        );
    }
}
