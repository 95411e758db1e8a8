//! The two hellos (RFC 8446 section 4.1), read far enough to tell what was
//! offered and chosen without asking the library that sent them.

use std::fmt;

use crate::reader::Reader;
use crate::{
    CipherSuite, ContentType, ExtensionType, NamedGroup, ProtocolVersion, RecordError, Records,
    SignatureScheme,
};

/// The type of a handshake message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HandshakeType(pub u8);

impl HandshakeType {
    /// TLS 1.2: the server asks for a renegotiation.
    pub const HELLO_REQUEST: Self = Self(0);
    /// The client's offer.
    pub const CLIENT_HELLO: Self = Self(1);
    /// The server's choice, or its HelloRetryRequest.
    pub const SERVER_HELLO: Self = Self(2);
    /// A ticket for a later resumption.
    pub const NEW_SESSION_TICKET: Self = Self(4);
    /// The end of the client's 0-RTT data.
    pub const END_OF_EARLY_DATA: Self = Self(5);
    /// What the server answers to extensions that need not be in the clear.
    pub const ENCRYPTED_EXTENSIONS: Self = Self(8);
    /// A certificate chain.
    pub const CERTIFICATE: Self = Self(11);
    /// TLS 1.2: the server's ephemeral public key, signed.
    pub const SERVER_KEY_EXCHANGE: Self = Self(12);
    /// The server asks for the client's certificate.
    pub const CERTIFICATE_REQUEST: Self = Self(13);
    /// TLS 1.2: the end of the server's first flight.
    pub const SERVER_HELLO_DONE: Self = Self(14);
    /// The signature that proves possession of the certificate's key.
    pub const CERTIFICATE_VERIFY: Self = Self(15);
    /// TLS 1.2: the client's ephemeral public key, or the encrypted premaster secret.
    pub const CLIENT_KEY_EXCHANGE: Self = Self(16);
    /// The MAC over the handshake.
    pub const FINISHED: Self = Self(20);
    /// TLS 1.2: a stapled OCSP response (RFC 6066 section 8).
    pub const CERTIFICATE_STATUS: Self = Self(22);
    /// The sender's next keys.
    pub const KEY_UPDATE: Self = Self(24);
    /// A compressed certificate chain (RFC 8879).
    pub const COMPRESSED_CERTIFICATE: Self = Self(25);

    /// The name in the RFC that defines it, or `None` for a value that is not known here.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::HELLO_REQUEST => "HelloRequest",
            Self::CLIENT_HELLO => "ClientHello",
            Self::SERVER_HELLO => "ServerHello",
            Self::NEW_SESSION_TICKET => "NewSessionTicket",
            Self::END_OF_EARLY_DATA => "EndOfEarlyData",
            Self::ENCRYPTED_EXTENSIONS => "EncryptedExtensions",
            Self::CERTIFICATE => "Certificate",
            Self::SERVER_KEY_EXCHANGE => "ServerKeyExchange",
            Self::CERTIFICATE_REQUEST => "CertificateRequest",
            Self::SERVER_HELLO_DONE => "ServerHelloDone",
            Self::CERTIFICATE_VERIFY => "CertificateVerify",
            Self::CLIENT_KEY_EXCHANGE => "ClientKeyExchange",
            Self::FINISHED => "Finished",
            Self::CERTIFICATE_STATUS => "CertificateStatus",
            Self::KEY_UPDATE => "KeyUpdate",
            Self::COMPRESSED_CERTIFICATE => "CompressedCertificate",
            _ => return None,
        })
    }
}

impl fmt::Display for HandshakeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("handshake type {}", self.0)),
        }
    }
}

/// One handshake message in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeMessage {
    /// What it is.
    pub handshake_type: HandshakeType,
    /// Its content, after the four bytes of type and length.
    pub body: Vec<u8>,
}

/// Something in a hello that is against its grammar, or no handshake at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// The record layer is broken.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A length runs over the end of what holds it.
    #[error("the message is malformed: {0} runs past its end")]
    Overrun(&'static str),
}

/// The unencrypted handshake messages at the start of one flight.
///
/// Messages may be split over records, and records may hold several. Stops at the
/// first record that is no plaintext handshake record, a ChangeCipherSpec of the
/// middlebox compatibility mode excepted (RFC 8446 appendix D.4).
///
/// # Errors
/// When the records, or the lengths within them, do not add up.
pub fn plaintext_messages(flight: &[u8]) -> Result<Vec<HandshakeMessage>, HelloError> {
    let mut stream = Vec::new();
    for record in Records::new(flight) {
        let record = record?;
        match record.content_type {
            ContentType::Handshake => stream.extend_from_slice(record.payload),
            ContentType::ChangeCipherSpec if stream.is_empty() => {}
            _ => break,
        }
    }
    let mut messages = Vec::new();
    let mut rest = Reader { bytes: &stream };
    while !rest.bytes.is_empty() {
        let handshake_type = HandshakeType(rest.u8("a handshake type")?);
        let body = rest.vector(3, "a handshake message")?.bytes.to_vec();
        messages.push(HandshakeMessage {
            handshake_type,
            body,
        });
        // What follows a TLS 1.2 ChangeCipherSpec never comes here, and what follows
        // a TLS 1.3 ServerHello is encrypted: its records are application data.
    }
    Ok(messages)
}

/// A key share entry: the group, and how many bytes stand for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyShare {
    /// The group.
    pub group: NamedGroup,
    /// Bytes of the key exchange field; 0 in a HelloRetryRequest.
    pub length: usize,
}

/// What a ClientHello offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientHello {
    /// The random, by which key logs tell connections apart.
    pub random: [u8; 32],
    /// Bytes of the session id.
    pub session_id: usize,
    /// Cipher suites in the client's order.
    pub cipher_suites: Vec<CipherSuite>,
    /// `supported_groups`, in the client's order.
    pub groups: Vec<NamedGroup>,
    /// `key_share` entries.
    pub key_shares: Vec<KeyShare>,
    /// Whether a pre-shared key (a ticket, mostly) is offered.
    pub offers_psk: bool,
    /// Bytes of each pre-shared key's identity; a ticket, mostly.
    pub psk_identities: Vec<usize>,
    /// `psk_key_exchange_modes`: 0 for the key alone, 1 for one with a fresh key exchange.
    pub psk_modes: Vec<u8>,
    /// Whether 0-RTT data follow.
    pub early_data: bool,
    /// `supported_versions`, in the client's order; empty where TLS 1.3 is not offered.
    pub versions: Vec<u16>,
    /// `signature_algorithms`, in the client's order.
    pub signature_schemes: Vec<SignatureScheme>,
    /// The host name of `server_name` (RFC 6066 section 3), as the peer spelt it.
    pub server_name: Option<Vec<u8>>,
    /// Application protocols (RFC 7301), in the client's order.
    pub alpn: Vec<Vec<u8>>,
    /// The types of all extensions, in the order on the wire.
    pub extensions: Vec<ExtensionType>,
}

/// What a ServerHello chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerHello {
    /// The random; a fixed one in a HelloRetryRequest.
    pub random: [u8; 32],
    /// Whether it is a HelloRetryRequest (RFC 8446 section 4.1.3).
    pub is_retry_request: bool,
    /// TLS 1.3 where `supported_versions` says so, TLS 1.2 for 0x0303; `None` otherwise.
    pub version: Option<ProtocolVersion>,
    /// The cipher suite.
    pub cipher_suite: CipherSuite,
    /// The group of the key share, or the group that a HelloRetryRequest asks for.
    pub key_share: Option<KeyShare>,
    /// Whether the offered pre-shared key was taken: a resumption.
    pub accepts_psk: bool,
}

/// SHA-256 of "HelloRetryRequest", the random that marks one (RFC 8446 section 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

impl ClientHello {
    /// Reads the body of a ClientHello.
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn parse(body: &[u8]) -> Result<Self, HelloError> {
        let mut reader = Reader { bytes: body };
        reader.u16("the version")?;
        let mut hello = Self {
            random: reader.random()?,
            session_id: reader.vector(1, "the session id")?.bytes.len(),
            cipher_suites: reader
                .vector(2, "the cipher suites")?
                .list("a cipher suite", CipherSuite)?,
            ..Self::default()
        };
        reader.vector(1, "the compression methods")?;
        reader.extensions(|kind, content| {
            hello.extensions.push(kind);
            hello.read_extension(kind, content)
        })?;
        Ok(hello)
    }

    fn read_extension(
        &mut self,
        kind: ExtensionType,
        mut content: Reader<'_>,
    ) -> Result<(), HelloError> {
        match kind {
            ExtensionType::SERVER_NAME => {
                let mut names = content.vector(2, "server_name")?;
                while !names.bytes.is_empty() {
                    // Host names are the only kind that was ever defined.
                    let name_type = names.u8("a name's type")?;
                    let name = names.vector(2, "a server name")?.bytes.to_vec();
                    if name_type == 0 {
                        self.server_name = Some(name);
                    }
                }
            }
            ExtensionType::SUPPORTED_GROUPS => {
                let groups = content.vector(2, "supported_groups")?;
                self.groups = groups.list("a named group", NamedGroup)?;
            }
            ExtensionType::SIGNATURE_ALGORITHMS => {
                let schemes = content.vector(2, "signature_algorithms")?;
                self.signature_schemes = schemes.list("a signature scheme", SignatureScheme)?;
            }
            ExtensionType::ALPN => self.alpn = content.protocols()?,
            ExtensionType::PRE_SHARED_KEY => {
                self.offers_psk = true;
                let mut identities = content.vector(2, "pre_shared_key")?;
                while !identities.bytes.is_empty() {
                    let identity = identities.vector(2, "a key's identity")?;
                    identities.take(4, "a ticket's age")?;
                    self.psk_identities.push(identity.bytes.len());
                }
            }
            ExtensionType::PSK_KEY_EXCHANGE_MODES => {
                let modes = content.vector(1, "psk_key_exchange_modes")?;
                self.psk_modes = modes.bytes.to_vec();
            }
            ExtensionType::EARLY_DATA => self.early_data = true,
            ExtensionType::SUPPORTED_VERSIONS => {
                let versions = content.vector(1, "supported_versions")?;
                self.versions = versions.list("a version", |version| version)?;
            }
            ExtensionType::KEY_SHARE => {
                let mut shares = content.vector(2, "key_share")?;
                while !shares.bytes.is_empty() {
                    self.key_shares.push(shares.key_share()?);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl ServerHello {
    /// Reads the body of a ServerHello.
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn parse(body: &[u8]) -> Result<Self, HelloError> {
        let mut reader = Reader { bytes: body };
        let legacy_version = reader.u16("the version")?;
        let random = reader.random()?;
        let is_retry_request = random == RETRY_RANDOM;
        reader.vector(1, "the session id")?;
        let cipher_suite = CipherSuite(reader.u16("the cipher suite")?);
        reader.u8("the compression method")?;
        let mut hello = Self {
            random,
            is_retry_request,
            version: (legacy_version == ProtocolVersion::Tls12.code_point())
                .then_some(ProtocolVersion::Tls12),
            cipher_suite,
            key_share: None,
            accepts_psk: false,
        };
        reader.extensions(|kind, mut content| {
            match kind {
                ExtensionType::SUPPORTED_VERSIONS => {
                    let version = content.u16("supported_versions")?;
                    hello.version = (version == ProtocolVersion::Tls13.code_point())
                        .then_some(ProtocolVersion::Tls13);
                }
                ExtensionType::KEY_SHARE if is_retry_request => {
                    let group = NamedGroup(content.u16("key_share")?);
                    hello.key_share = Some(KeyShare { group, length: 0 });
                }
                ExtensionType::KEY_SHARE => hello.key_share = Some(content.key_share()?),
                ExtensionType::PRE_SHARED_KEY => hello.accepts_psk = true,
                _ => {}
            }
            Ok(())
        })?;
        Ok(hello)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ServerHello of RFC 8448 section 3, whole record.
    const RFC8448_SERVER_HELLO: &str = "160303005a020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304";
    /// The HelloRetryRequest of RFC 8448 section 5, whole record.
    const RFC8448_RETRY: &str = "16030300b0020000ac0303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c0013010000840033000200170 02c0074007271dcd04bb88bc3189119398a00000000eefafc76c146b823b096f8aacad365dd0030953f4edf625636e5f21bb2e23fcc654b1b5b40318d10d137abcbb87574e36e8a1f025f7dfa5d6e50781b5eda4aa15b0c8be778257d16aa3030e9e7841dd9e4c0342267e8ca0caf571fb2b7cff0f934b0002b00020304";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
        digits
            .chunks(2)
            .map(|pair| (pair[0] * 16 + pair[1]) as u8)
            .collect()
    }

    fn only_message(record: &str) -> HandshakeMessage {
        let messages = plaintext_messages(&bytes(record)).unwrap();
        assert_eq!(messages.len(), 1);
        messages[0].clone()
    }

    #[test]
    fn reads_the_server_hellos_of_rfc_8448() {
        let message = only_message(RFC8448_SERVER_HELLO);
        assert_eq!(message.handshake_type, HandshakeType::SERVER_HELLO);
        let hello = ServerHello::parse(&message.body).unwrap();
        assert_eq!(hello.version, Some(ProtocolVersion::Tls13));
        assert_eq!(hello.cipher_suite, CipherSuite::AES_128_GCM_SHA256);
        assert_eq!(
            hello.key_share,
            Some(KeyShare {
                group: NamedGroup::X25519,
                length: 32
            })
        );
        assert!(!hello.is_retry_request && !hello.accepts_psk);

        let retry = ServerHello::parse(&only_message(RFC8448_RETRY).body).unwrap();
        assert!(retry.is_retry_request);
        assert_eq!(
            retry.key_share,
            Some(KeyShare {
                group: NamedGroup::SECP256R1,
                length: 0
            })
        );
    }

    #[test]
    fn reads_a_message_split_over_records_at_any_byte() {
        let whole = bytes(RFC8448_SERVER_HELLO);
        let payload = &whole[5..];
        for cut in 1..payload.len() {
            let mut flight = Vec::new();
            for part in [&payload[..cut], &payload[cut..]] {
                flight.extend([22, 3, 3]);
                flight.extend((part.len() as u16).to_be_bytes());
                flight.extend(part);
            }
            assert_eq!(
                plaintext_messages(&flight).unwrap(),
                plaintext_messages(&whole).unwrap()
            );
        }
    }

    #[test]
    fn refuses_every_truncation_of_a_body() {
        let body = only_message(RFC8448_SERVER_HELLO).body;
        for length in 0..body.len() {
            // 38 bytes are a ServerHello without extensions, which TLS 1.2 allows.
            if length != 38 {
                assert!(
                    ServerHello::parse(&body[..length]).is_err(),
                    "{length} bytes"
                );
            }
        }
    }

    #[test]
    fn reads_what_a_client_offers() {
        let extensions: &[&[u8]] = &[
            &[0, 0, 0, 6, 0, 4, 0, 0, 1, b'h'],        // server_name
            &[0, 10, 0, 6, 0, 4, 0x11, 0xec, 0, 0x1d], // supported_groups
            &[0, 13, 0, 4, 0, 2, 9, 5],                // signature_algorithms
            &[0, 16, 0, 5, 0, 3, 2, b'h', b'2'],       // ALPN
            &[0, 43, 0, 5, 4, 3, 4, 3, 3],             // supported_versions
            &[0, 51, 0, 7, 0, 5, 0, 0x1d, 0, 1, 7],    // key_share
            &[0, 45, 0, 2, 1, 1],                      // psk_key_exchange_modes
            &[0, 42, 0, 0],                            // early_data
            &[0, 41, 0, 13, 0, 8, 0, 2, 5, 5, 0, 0, 0, 9, 0, 1, 6], // pre_shared_key
        ];
        let extensions = extensions.concat();
        let length = u16::try_from(extensions.len()).unwrap().to_be_bytes();
        let fixed = [&[3, 3], &[4; 32][..], &[0, 0, 2, 0x13, 1, 1, 0]].concat();
        let body = [&fixed[..], &length, &extensions].concat();
        let hello = ClientHello::parse(&body).unwrap();
        let expected = ClientHello {
            random: [4; 32],
            session_id: 0,
            cipher_suites: vec![CipherSuite::AES_128_GCM_SHA256],
            groups: vec![NamedGroup::X25519MLKEM768, NamedGroup::X25519],
            key_shares: vec![KeyShare {
                group: NamedGroup::X25519,
                length: 1,
            }],
            offers_psk: true,
            psk_identities: vec![2],
            psk_modes: vec![1],
            early_data: true,
            versions: vec![0x0304, 0x0303],
            signature_schemes: vec![SignatureScheme::MLDSA65],
            server_name: Some(b"h".to_vec()),
            alpn: vec![b"h2".to_vec()],
            extensions: [0, 10, 13, 16, 43, 51, 45, 42, 41]
                .map(ExtensionType)
                .to_vec(),
        };
        assert_eq!(hello, expected);
        for length in 0..body.len() {
            // TLS 1.2 allows a hello without extensions.
            if length != fixed.len() {
                assert!(
                    ClientHello::parse(&body[..length]).is_err(),
                    "{length} bytes"
                );
            }
        }
    }
}
