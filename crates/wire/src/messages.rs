//! The handshake messages after the hellos (RFC 8446 section 4, RFC 5246 section 7.4),
//! read far enough to tell what was said and how large it was.

use crate::reader::Reader;
use crate::{ExtensionType, HelloError, NamedGroup, ProtocolVersion, SignatureScheme};

/// What a server answers to the client's extensions: in its ServerHello, and from TLS 1.3
/// on in EncryptedExtensions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerExtensions {
    /// The types, in the order on the wire.
    pub extensions: Vec<ExtensionType>,
    /// The application protocol chosen.
    pub alpn: Option<Vec<u8>>,
    /// Whether the client's 0-RTT data are taken.
    pub accepts_early_data: bool,
}

impl ServerExtensions {
    /// Reads the extensions at the end of a ServerHello's body.
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn of_server_hello(body: &[u8]) -> Result<Self, HelloError> {
        let mut reader = Reader { bytes: body };
        reader.u16("the version")?;
        reader.random()?;
        reader.vector(1, "the session id")?;
        reader.take(2 + 1, "the cipher suite and compression method")?;
        Self::read(reader)
    }

    /// Reads the body of EncryptedExtensions.
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn of_encrypted_extensions(body: &[u8]) -> Result<Self, HelloError> {
        Self::read(Reader { bytes: body })
    }

    fn read(reader: Reader<'_>) -> Result<Self, HelloError> {
        let mut answer = Self::default();
        reader.extensions(|kind, content| {
            answer.extensions.push(kind);
            match kind {
                ExtensionType::ALPN => answer.alpn = content.protocols()?.into_iter().next(),
                ExtensionType::EARLY_DATA => answer.accepts_early_data = true,
                _ => {}
            }
            Ok(())
        })?;
        Ok(answer)
    }
}

/// A Certificate message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateMessage<'a> {
    /// The certificates in DER, the end entity first; none from a client that has none.
    pub certificates: Vec<&'a [u8]>,
}

impl<'a> CertificateMessage<'a> {
    /// Reads the body of a Certificate message (RFC 8446 section 4.4.2, RFC 5246
    /// section 7.4.2).
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn parse(body: &'a [u8], version: ProtocolVersion) -> Result<Self, HelloError> {
        let mut reader = Reader { bytes: body };
        if version == ProtocolVersion::Tls13 {
            reader.vector(1, "the request's context")?;
        }
        let mut list = reader.vector(3, "the certificates")?;
        let mut certificates = Vec::new();
        while !list.bytes.is_empty() {
            certificates.push(list.vector(3, "a certificate")?.bytes);
            if version == ProtocolVersion::Tls13 {
                list.vector(2, "a certificate's extensions")?;
            }
        }
        Ok(Self { certificates })
    }
}

/// A certificate chain that was compressed (RFC 8879 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompressedCertificate {
    /// 1 for zlib, 2 for brotli, 3 for zstd.
    pub algorithm: u16,
    /// Bytes of the Certificate message that was compressed.
    pub uncompressed: u32,
    /// Bytes of what came of it.
    pub compressed: usize,
}

impl CompressedCertificate {
    /// Reads the body of a CompressedCertificate message.
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn parse(body: &[u8]) -> Result<Self, HelloError> {
        let mut reader = Reader { bytes: body };
        Ok(Self {
            algorithm: reader.u16("the compression algorithm")?,
            uncompressed: reader.u24("the uncompressed length")?,
            compressed: reader.vector(3, "the compressed chain")?.bytes.len(),
        })
    }
}

/// The server asks for the client's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CertificateRequest {
    /// Schemes that the server can verify, in its order.
    pub signature_schemes: Vec<SignatureScheme>,
    /// The distinguished names of certification authorities that it takes, in DER.
    pub authorities: Vec<Vec<u8>>,
}

impl CertificateRequest {
    /// Reads the body of a CertificateRequest (RFC 8446 section 4.3.2, RFC 5246
    /// section 7.4.4).
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn parse(body: &[u8], version: ProtocolVersion) -> Result<Self, HelloError> {
        let mut reader = Reader { bytes: body };
        let mut request = Self::default();
        if version == ProtocolVersion::Tls12 {
            reader.vector(1, "the certificate types")?;
            request.signature_schemes = signature_schemes(&mut reader)?;
            request.authorities = authorities(&mut reader)?;
            return Ok(request);
        }
        reader.vector(1, "the request's context")?;
        reader.extensions(|kind, mut content| {
            match kind {
                ExtensionType::SIGNATURE_ALGORITHMS => {
                    request.signature_schemes = signature_schemes(&mut content)?;
                }
                ExtensionType::CERTIFICATE_AUTHORITIES => {
                    request.authorities = authorities(&mut content)?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(request)
    }
}

fn signature_schemes(reader: &mut Reader<'_>) -> Result<Vec<SignatureScheme>, HelloError> {
    let schemes = reader.vector(2, "the signature schemes")?;
    schemes.list("a signature scheme", SignatureScheme)
}

fn authorities(reader: &mut Reader<'_>) -> Result<Vec<Vec<u8>>, HelloError> {
    let mut names = reader.vector(2, "the certification authorities")?;
    let mut authorities = Vec::new();
    while !names.bytes.is_empty() {
        authorities.push(names.vector(2, "an authority's name")?.bytes.to_vec());
    }
    Ok(authorities)
}

/// The signature over the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateVerify {
    /// The scheme.
    pub scheme: SignatureScheme,
    /// Bytes of the signature.
    pub signature: usize,
}

impl CertificateVerify {
    /// Reads the body of a CertificateVerify, which is the same in both versions.
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn parse(body: &[u8]) -> Result<Self, HelloError> {
        Self::read(&mut Reader { bytes: body })
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, HelloError> {
        Ok(Self {
            scheme: SignatureScheme(reader.u16("the signature scheme")?),
            signature: reader.vector(2, "the signature")?.bytes.len(),
        })
    }
}

/// TLS 1.2: an ephemeral elliptic curve key, signed (RFC 8422 section 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerKeyExchange {
    /// The group.
    pub group: NamedGroup,
    /// Bytes of the public key.
    pub public_key: usize,
    /// The signature over it and both randoms.
    pub signature: CertificateVerify,
}

impl ServerKeyExchange {
    /// Reads the body of a ServerKeyExchange of an ECDHE cipher suite; `None` for explicit
    /// curves, which no group stands for.
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn parse(body: &[u8]) -> Result<Option<Self>, HelloError> {
        const NAMED_CURVE: u8 = 3;
        let mut reader = Reader { bytes: body };
        if reader.u8("the curve's type")? != NAMED_CURVE {
            return Ok(None);
        }
        Ok(Some(Self {
            group: NamedGroup(reader.u16("the named group")?),
            public_key: reader.vector(1, "the public key")?.bytes.len(),
            signature: CertificateVerify::read(&mut reader)?,
        }))
    }
}

/// TLS 1.2: bytes of what a ClientKeyExchange carries: an encrypted premaster secret where
/// the suite is of static RSA, otherwise an elliptic curve public key.
///
/// # Errors
/// When the length runs past the end of the message.
pub fn client_key_exchange_length(body: &[u8], static_rsa: bool) -> Result<usize, HelloError> {
    let mut reader = Reader { bytes: body };
    let content = if static_rsa {
        reader.vector(2, "the encrypted premaster secret")?
    } else {
        reader.vector(1, "the public key")?
    };
    Ok(content.bytes.len())
}

/// A ticket for a later resumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSessionTicket {
    /// Seconds that it may be used for.
    pub lifetime: u32,
    /// Bytes of the ticket.
    pub ticket: usize,
    /// Bytes of 0-RTT data that it allows; `None` where it allows none.
    pub max_early_data: Option<u32>,
}

impl NewSessionTicket {
    /// Reads the body of a NewSessionTicket (RFC 8446 section 4.6.1, RFC 5077 section 3.3).
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn parse(body: &[u8], version: ProtocolVersion) -> Result<Self, HelloError> {
        let mut reader = Reader { bytes: body };
        let lifetime = reader.u32("the ticket's lifetime")?;
        if version == ProtocolVersion::Tls13 {
            reader.take(4, "the ticket's age")?;
            reader.vector(1, "the ticket's nonce")?;
        }
        let mut ticket = Self {
            lifetime,
            ticket: reader.vector(2, "the ticket")?.bytes.len(),
            max_early_data: None,
        };
        if version == ProtocolVersion::Tls13 {
            reader.extensions(|kind, mut content| {
                if kind == ExtensionType::EARLY_DATA {
                    ticket.max_early_data = Some(content.u32("the limit of 0-RTT data")?);
                }
                Ok(())
            })?;
        }
        Ok(ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProtocolVersion::{Tls12, Tls13};

    /// TLS 1.3 puts a context before the list and extensions after each certificate.
    #[test]
    fn certificates_are_read_as_the_version_writes_them() {
        let tls12 = [0, 0, 9, 0, 0, 2, 7, 7, 0, 0, 1, 8];
        let tls13 = [0, 0, 0, 13, 0, 0, 2, 7, 7, 0, 0, 0, 0, 1, 8, 0, 0];
        let chain: Vec<&[u8]> = vec![&[7, 7], &[8]];
        for (body, version) in [(&tls12[..], Tls12), (&tls13[..], Tls13)] {
            let message = CertificateMessage::parse(body, version).unwrap();
            assert_eq!(message.certificates, chain);
            for length in 0..body.len() {
                assert!(CertificateMessage::parse(&body[..length], version).is_err());
            }
        }
    }

    #[test]
    fn requests_are_read_as_the_version_writes_them() {
        let expected = CertificateRequest {
            signature_schemes: vec![
                SignatureScheme::ED25519,
                SignatureScheme::RSA_PSS_RSAE_SHA256,
            ],
            authorities: vec![vec![9]],
        };
        let tls12 = [
            1, 64, 0, 4, 8, 7, 8, 4, // types, schemes
            0, 3, 0, 1, 9, // authorities
        ];
        let tls13 = [
            0, 0, 19, // context, extensions
            0, 13, 0, 6, 0, 4, 8, 7, 8, 4, // signature_algorithms
            0, 47, 0, 5, 0, 3, 0, 1, 9, // certificate_authorities
        ];
        assert_eq!(
            CertificateRequest::parse(&tls12, Tls12),
            Ok(expected.clone())
        );
        assert_eq!(CertificateRequest::parse(&tls13, Tls13), Ok(expected));
        assert!(CertificateRequest::parse(&tls13, Tls12).is_err());
    }

    #[test]
    fn tickets_tell_what_they_allow() {
        let tls13 = [
            0, 0, 0, 30, 1, 2, 3, 4, 1, 0, 0, 2, 5, 5, 0, 8, 0, 42, 0, 4, 0, 0, 4, 0,
        ];
        assert_eq!(
            NewSessionTicket::parse(&tls13, Tls13),
            Ok(NewSessionTicket {
                lifetime: 30,
                ticket: 2,
                max_early_data: Some(1024)
            })
        );
        let tls12 = [0, 0, 0, 30, 0, 2, 5, 5];
        let ticket = NewSessionTicket::parse(&tls12, Tls12).unwrap();
        assert_eq!((ticket.ticket, ticket.max_early_data), (2, None));
    }

    #[test]
    fn a_key_exchange_names_its_group_and_signature() {
        let body = [3, 0, 0x1d, 1, 9, 8, 4, 0, 3, 1, 1, 1];
        let exchange = ServerKeyExchange::parse(&body).unwrap().unwrap();
        assert_eq!(exchange.group, NamedGroup::X25519);
        assert_eq!(exchange.signature.signature, 3);
        assert_eq!(ServerKeyExchange::parse(&[1, 0]), Ok(None));
        assert_eq!(client_key_exchange_length(&[2, 1, 1], false), Ok(2));
        assert_eq!(client_key_exchange_length(&[0, 1, 1], true), Ok(1));
        assert!(client_key_exchange_length(&[2, 1, 1], true).is_err());
    }
}
