//! The two hellos (RFC 8446 section 4.1), read far enough to tell what was
//! offered and chosen without asking the library that sent them.

use crate::{CipherSuite, ContentType, NamedGroup, ProtocolVersion, RecordError, Records};

/// The type of a handshake message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HandshakeType(pub u8);

impl HandshakeType {
    /// The client's offer.
    pub const CLIENT_HELLO: Self = Self(1);
    /// The server's choice, or its HelloRetryRequest.
    pub const SERVER_HELLO: Self = Self(2);
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
    /// Cipher suites in the client's order.
    pub cipher_suites: Vec<CipherSuite>,
    /// `supported_groups`, in the client's order.
    pub groups: Vec<NamedGroup>,
    /// `key_share` entries.
    pub key_shares: Vec<KeyShare>,
    /// Whether a pre-shared key (a ticket, mostly) is offered.
    pub offers_psk: bool,
    /// Whether 0-RTT data follow.
    pub early_data: bool,
}

/// What a ServerHello chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerHello {
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

const SUPPORTED_GROUPS: u16 = 10;
const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;
const KEY_SHARE: u16 = 51;

impl ClientHello {
    /// Reads the body of a ClientHello.
    ///
    /// # Errors
    /// When a length runs past the end of what holds it.
    pub fn parse(body: &[u8]) -> Result<Self, HelloError> {
        let mut reader = Reader { bytes: body };
        reader.take(2 + 32, "the random")?;
        reader.vector(1, "the session id")?;
        let mut suites = reader.vector(2, "the cipher suites")?;
        let mut hello = Self::default();
        while !suites.bytes.is_empty() {
            hello
                .cipher_suites
                .push(CipherSuite(suites.u16("a cipher suite")?));
        }
        reader.vector(1, "the compression methods")?;
        reader.extensions(|kind, mut content| {
            match kind {
                SUPPORTED_GROUPS => {
                    let mut groups = content.vector(2, "supported_groups")?;
                    while !groups.bytes.is_empty() {
                        hello.groups.push(NamedGroup(groups.u16("a named group")?));
                    }
                }
                KEY_SHARE => {
                    let mut shares = content.vector(2, "key_share")?;
                    while !shares.bytes.is_empty() {
                        hello.key_shares.push(shares.key_share()?);
                    }
                }
                PRE_SHARED_KEY => hello.offers_psk = true,
                EARLY_DATA => hello.early_data = true,
                _ => {}
            }
            Ok(())
        })?;
        Ok(hello)
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
        let is_retry_request = reader.take(32, "the random")? == RETRY_RANDOM;
        reader.vector(1, "the session id")?;
        let cipher_suite = CipherSuite(reader.u16("the cipher suite")?);
        reader.u8("the compression method")?;
        let mut hello = Self {
            is_retry_request,
            version: (legacy_version == ProtocolVersion::Tls12.code_point())
                .then_some(ProtocolVersion::Tls12),
            cipher_suite,
            key_share: None,
            accepts_psk: false,
        };
        reader.extensions(|kind, mut content| {
            match kind {
                SUPPORTED_VERSIONS => {
                    let version = content.u16("supported_versions")?;
                    hello.version = (version == ProtocolVersion::Tls13.code_point())
                        .then_some(ProtocolVersion::Tls13);
                }
                KEY_SHARE if is_retry_request => {
                    let group = NamedGroup(content.u16("key_share")?);
                    hello.key_share = Some(KeyShare { group, length: 0 });
                }
                KEY_SHARE => hello.key_share = Some(content.key_share()?),
                PRE_SHARED_KEY => hello.accepts_psk = true,
                _ => {}
            }
            Ok(())
        })?;
        Ok(hello)
    }
}

/// A cursor over bytes whose lengths come from the peer.
#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], HelloError> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or(HelloError::Overrun(what))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn u8(&mut self, what: &'static str) -> Result<u8, HelloError> {
        Ok(self.take(1, what)?[0])
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, HelloError> {
        let bytes = self.take(2, what)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A vector behind a length of `width` bytes.
    fn vector(&mut self, width: usize, what: &'static str) -> Result<Reader<'a>, HelloError> {
        let length = self
            .take(width, what)?
            .iter()
            .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
        Ok(Reader {
            bytes: self.take(length, what)?,
        })
    }

    fn key_share(&mut self) -> Result<KeyShare, HelloError> {
        let group = NamedGroup(self.u16("a key share's group")?);
        let length = self.vector(2, "a key share")?.bytes.len();
        Ok(KeyShare { group, length })
    }

    /// Visits the extensions block, which TLS 1.2 allows to be absent.
    fn extensions(
        mut self,
        mut visit: impl FnMut(u16, Reader<'a>) -> Result<(), HelloError>,
    ) -> Result<(), HelloError> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let mut extensions = self.vector(2, "the extensions")?;
        while !extensions.bytes.is_empty() {
            let kind = extensions.u16("an extension's type")?;
            let content = extensions.vector(2, "an extension")?;
            visit(kind, content)?;
        }
        Ok(())
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
}
