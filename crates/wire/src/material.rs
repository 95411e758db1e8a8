//! The bytes that a participant needs in order to go on, where the other parsers keep lengths
//! only: an observer has no use for them.

use crate::reader::Reader;
use crate::{ExtensionType, HelloError};

/// What a client needs of a ServerHello or HelloRetryRequest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServerMaterial<'a> {
    /// The server's key share; empty in a HelloRetryRequest.
    pub key_share: &'a [u8],
    /// The cookie of a HelloRetryRequest.
    pub cookie: Option<&'a [u8]>,
}

impl<'a> ServerMaterial<'a> {
    /// Reads the body of a ServerHello.
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn parse(body: &'a [u8]) -> Result<Self, HelloError> {
        let mut reader = Reader { bytes: body };
        reader.u16("the version")?;
        reader.random()?;
        reader.vector(1, "the session id")?;
        reader.take(2 + 1, "the cipher suite and compression method")?;
        let mut material = Self::default();
        reader.extensions(|kind, mut content| {
            match kind {
                // A HelloRetryRequest has the group alone.
                ExtensionType::KEY_SHARE if content.bytes.len() > 2 => {
                    content.u16("a key share's group")?;
                    material.key_share = content.vector(2, "a key share")?.bytes;
                }
                ExtensionType(44) => {
                    material.cookie = Some(content.vector(2, "the cookie")?.bytes);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(material)
    }
}

/// What a client keeps of a NewSessionTicket of TLS 1.3 (RFC 8446 section 4.6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketMaterial<'a> {
    /// What the ticket's age is blurred with.
    pub age_add: u32,
    /// What its key is derived with.
    pub nonce: &'a [u8],
    /// The ticket.
    pub ticket: &'a [u8],
}

impl<'a> TicketMaterial<'a> {
    /// Reads the body of a NewSessionTicket of TLS 1.3.
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn parse(body: &'a [u8]) -> Result<Self, HelloError> {
        let mut reader = Reader { bytes: body };
        reader.u32("the ticket's lifetime")?;
        Ok(Self {
            age_add: reader.u32("the ticket's age")?,
            nonce: reader.vector(1, "the ticket's nonce")?.bytes,
            ticket: reader.vector(2, "the ticket")?.bytes,
        })
    }
}

/// Bits of the prime of a TLS 1.2 ServerKeyExchange with finite-field Diffie-Hellman
/// (RFC 5246 section 7.4.3).
///
/// # Errors
/// When the length runs past the end of the message.
pub fn dh_prime_bits(body: &[u8]) -> Result<u32, HelloError> {
    let prime = Reader { bytes: body }.vector(2, "the prime")?.bytes;
    let zeros = prime.iter().take_while(|byte| **byte == 0).count();
    Ok(match prime.get(zeros) {
        // At most 65535 bytes: no overflow.
        Some(first) => 8 * (prime.len() - zeros) as u32 - first.leading_zeros(),
        None => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_cookies_are_found() {
        let mut hello = vec![3, 3];
        hello.extend([1; 32]);
        hello.extend([0, 0x13, 0x01, 0]);
        let with = |extensions: &[u8]| {
            let mut body = hello.clone();
            body.extend([0, extensions.len() as u8]);
            body.extend(extensions);
            body
        };
        let body = with(&[0, 51, 0, 7, 0, 0x1d, 0, 3, 9, 8, 7]);
        assert_eq!(ServerMaterial::parse(&body).unwrap().key_share, [9, 8, 7]);
        let body = with(&[0, 51, 0, 2, 0, 0x1d, 0, 44, 0, 4, 0, 2, 5, 6]);
        let material = ServerMaterial::parse(&body).unwrap();
        assert_eq!(
            (material.key_share, material.cookie),
            (&[][..], Some(&[5, 6][..]))
        );
        assert!(ServerMaterial::parse(&body[..body.len() - 1]).is_err());
    }

    #[test]
    fn primes_are_measured_without_leading_zeros() {
        assert_eq!(dh_prime_bits(&[0, 3, 0, 0x80, 1]), Ok(16));
        assert_eq!(dh_prime_bits(&[0, 2, 0x01, 0]), Ok(9));
        assert_eq!(dh_prime_bits(&[0, 0]), Ok(0));
        assert!(dh_prime_bits(&[0, 9, 1]).is_err());
    }
}
