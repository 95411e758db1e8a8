//! A ClientHello as it is written: what a prober says that it can do.

use crate::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};

/// What a ClientHello offers (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2). Nothing here
/// is computed: key shares are bytes that the caller brings, or none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offer {
    /// The random.
    pub random: [u8; 32],
    /// The legacy session id, at most 32 bytes.
    pub session_id: Vec<u8>,
    /// Versions by their numbers on the wire, the preferred one first. Where TLS 1.3 is among
    /// them they stand in `supported_versions`; otherwise the highest one is the hello's own.
    pub versions: Vec<u16>,
    /// Cipher suites in order.
    pub cipher_suites: Vec<CipherSuite>,
    /// `server_name`: a DNS name, never an address (RFC 6066 section 3).
    pub server_name: Option<String>,
    /// `supported_groups` in order.
    pub groups: Vec<NamedGroup>,
    /// `key_share`, each with the bytes of its public key. None at all asks the server for a
    /// HelloRetryRequest (RFC 8446 section 4.2.8).
    pub key_shares: Vec<(NamedGroup, Vec<u8>)>,
    /// `signature_algorithms` in order.
    pub signature_schemes: Vec<SignatureScheme>,
    /// `signature_algorithms_cert`, for certificates alone (RFC 8446 section 4.2.3); absent if
    /// empty: then `signature_algorithms` counts for both.
    pub certificate_schemes: Vec<SignatureScheme>,
    /// `application_layer_protocol_negotiation`; absent if empty.
    pub alpn: Vec<Vec<u8>>,
    /// The cookie of a HelloRetryRequest.
    pub cookie: Option<Vec<u8>>,
    /// A ticket to resume with, for `pre_shared_key`.
    pub ticket: Option<OfferedTicket>,
    /// QUIC's transport parameters (RFC 9001 section 8.2).
    pub quic_transport_parameters: Option<Vec<u8>>,
    /// The whole message is padded to at least so many bytes (RFC 7685).
    pub padded_to: Option<usize>,
}

/// A pre-shared key in an offer. Its binder is written by [`Offer::message`] as zeros, at the
/// very end of the message, for whoever holds the key to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedTicket {
    /// The ticket.
    pub identity: Vec<u8>,
    /// Its age in milliseconds, plus the server's `ticket_age_add`.
    pub obfuscated_age: u32,
    /// Bytes of the binder: those of the suite's hash.
    pub binder_length: u8,
    /// Whether resumption without a fresh key exchange is allowed as well.
    pub key_alone: bool,
}

impl OfferedTicket {
    /// Bytes at the end of the message that the binder's hash does not cover
    /// (RFC 8446 section 4.2.11.2): the binder, its length, and that of the list.
    pub const fn binders_length(&self) -> usize {
        self.binder_length as usize + 3
    }
}

const TLS13: u16 = ProtocolVersion::Tls13.code_point();
const TLS12: u16 = ProtocolVersion::Tls12.code_point();

impl Offer {
    /// The handshake message, its header of four bytes included.
    pub fn message(&self) -> Vec<u8> {
        let plain = self.message_with_padding(None);
        match self.padded_to {
            Some(length) if plain.len() < length => {
                // An extension takes four bytes for itself.
                let content = (length - plain.len()).saturating_sub(4);
                self.message_with_padding(Some(content))
            }
            _ => plain,
        }
    }

    fn message_with_padding(&self, padding: Option<usize>) -> Vec<u8> {
        let highest = self.versions.iter().copied().max().unwrap_or(TLS12);
        let mut body = highest.min(TLS12).to_be_bytes().to_vec();
        body.extend(self.random);
        put(&mut body, 1, &self.session_id);
        put(
            &mut body,
            2,
            &code_points(self.cipher_suites.iter().map(|suite| suite.0)),
        );
        // The null compression method, which is the only one left.
        put(&mut body, 1, &[0]);
        put(&mut body, 2, &self.extensions(highest, padding));
        let mut message = vec![1];
        put(&mut message, 3, &body);
        message
    }

    fn extensions(&self, highest: u16, padding: Option<usize>) -> Vec<u8> {
        let mut all = Vec::new();
        let mut add = |kind: ExtensionType, content: &[u8]| {
            all.extend(kind.0.to_be_bytes());
            put(&mut all, 2, content);
        };
        if let Some(name) = &self.server_name {
            let mut entry = vec![0];
            put(&mut entry, 2, name.as_bytes());
            add(ExtensionType::SERVER_NAME, &vector(2, &entry));
        }
        if !self.groups.is_empty() {
            let groups = code_points(self.groups.iter().map(|group| group.0));
            add(ExtensionType::SUPPORTED_GROUPS, &vector(2, &groups));
        }
        if !self.signature_schemes.is_empty() {
            let schemes = code_points(self.signature_schemes.iter().map(|scheme| scheme.0));
            add(ExtensionType::SIGNATURE_ALGORITHMS, &vector(2, &schemes));
        }
        if !self.certificate_schemes.is_empty() {
            let schemes = code_points(self.certificate_schemes.iter().map(|scheme| scheme.0));
            add(ExtensionType(50), &vector(2, &schemes));
        }
        if self.versions.iter().any(|version| *version <= TLS12) {
            // Uncompressed points, the extended master secret, and secure renegotiation: some
            // servers refuse clients without.
            add(ExtensionType(11), &[1, 0]);
            add(ExtensionType(23), &[]);
            add(ExtensionType(0xff01), &[0]);
        }
        if !self.alpn.is_empty() {
            let names: Vec<u8> = self.alpn.iter().flat_map(|name| vector(1, name)).collect();
            add(ExtensionType::ALPN, &vector(2, &names));
        }
        if highest >= TLS13 {
            let versions = code_points(self.versions.iter().copied());
            add(ExtensionType::SUPPORTED_VERSIONS, &vector(1, &versions));
            let mut shares = Vec::new();
            for (group, share) in &self.key_shares {
                shares.extend(group.0.to_be_bytes());
                put(&mut shares, 2, share);
            }
            add(ExtensionType::KEY_SHARE, &vector(2, &shares));
            let modes: &[u8] = match &self.ticket {
                Some(ticket) if ticket.key_alone => &[2, 1, 0],
                _ => &[1, 1],
            };
            add(ExtensionType::PSK_KEY_EXCHANGE_MODES, modes);
        }
        if let Some(cookie) = &self.cookie {
            add(ExtensionType(44), &vector(2, cookie));
        }
        if let Some(parameters) = &self.quic_transport_parameters {
            add(ExtensionType(57), parameters);
        }
        if let Some(length) = padding {
            add(ExtensionType(21), &vec![0; length]);
        }
        // It must be the last one (RFC 8446 section 4.2.11).
        if let Some(ticket) = &self.ticket {
            let mut identities = vector(2, &ticket.identity);
            identities.extend(ticket.obfuscated_age.to_be_bytes());
            let binder = vector(1, &vec![0; usize::from(ticket.binder_length)]);
            add(
                ExtensionType::PRE_SHARED_KEY,
                &[vector(2, &identities), vector(2, &binder)].concat(),
            );
        }
        all
    }
}

/// A handshake message in plaintext records of at most `longest` bytes each. `legacy_version`
/// is 0x0301 for a first ClientHello (RFC 8446 section 5.1).
pub fn handshake_records(message: &[u8], legacy_version: u16, longest: usize) -> Vec<u8> {
    let longest = longest.clamp(1, 1 << 14);
    let mut records = Vec::with_capacity(message.len() + 5 * message.len().div_ceil(longest));
    for piece in message.chunks(longest) {
        records.push(crate::ContentType::Handshake.byte());
        records.extend(legacy_version.to_be_bytes());
        put(&mut records, 2, piece);
    }
    records
}

fn code_points(values: impl Iterator<Item = u16>) -> Vec<u8> {
    values.flat_map(u16::to_be_bytes).collect()
}

fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(width + content.len());
    put(&mut all, width, content);
    all
}

/// Puts a vector behind a length of `width` bytes. What is longer than the length can say is
/// cut off: such an offer can't be made.
fn put(to: &mut Vec<u8>, width: usize, content: &[u8]) {
    let most = (1_usize << (8 * width)) - 1;
    let content = &content[..content.len().min(most)];
    to.extend(&content.len().to_be_bytes()[size_of::<usize>() - width..]);
    to.extend(content);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientHello, plaintext_messages};

    fn offer() -> Offer {
        Offer {
            random: [7; 32],
            session_id: vec![1; 32],
            versions: vec![TLS13, TLS12],
            cipher_suites: vec![CipherSuite::AES_128_GCM_SHA256],
            server_name: Some("server.example.test".to_owned()),
            groups: vec![NamedGroup::X25519MLKEM768, NamedGroup::X25519],
            key_shares: vec![(NamedGroup::X25519, vec![9; 32])],
            signature_schemes: vec![SignatureScheme::MLDSA65],
            alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            ..Offer::default()
        }
    }

    fn read(message: &[u8]) -> ClientHello {
        let records = handshake_records(message, 0x0301, 100);
        let messages = plaintext_messages(&records).unwrap();
        assert_eq!(messages.len(), 1);
        ClientHello::parse(&messages[0].body).unwrap()
    }

    #[test]
    fn an_offer_is_read_back_by_the_parser() {
        let hello = read(&offer().message());
        assert_eq!(hello.random, [7; 32]);
        assert_eq!(hello.versions, [TLS13, TLS12]);
        assert_eq!(hello.groups, offer().groups);
        assert_eq!(hello.key_shares.len(), 1);
        assert_eq!(hello.key_shares[0].length, 32);
        assert_eq!(hello.signature_schemes, offer().signature_schemes);
        assert_eq!(hello.alpn, offer().alpn);
        assert_eq!(
            hello.server_name.as_deref(),
            Some(&b"server.example.test"[..])
        );
        assert!(!hello.offers_psk);
    }

    #[test]
    fn no_key_share_is_an_empty_list_rather_than_no_extension() {
        let mut offer = offer();
        offer.key_shares.clear();
        let hello = read(&offer.message());
        assert!(hello.extensions.contains(&ExtensionType::KEY_SHARE));
        assert!(hello.key_shares.is_empty());
    }

    #[test]
    fn older_versions_stand_in_the_hello_itself() {
        for version in [0x0301, 0x0302, 0x0303] {
            let message = Offer {
                versions: vec![version],
                ..offer()
            }
            .message();
            assert_eq!(message[4..6], version.to_be_bytes());
            let hello = read(&message);
            assert!(hello.versions.is_empty() && hello.key_shares.is_empty());
        }
    }

    #[test]
    fn padding_reaches_the_length() {
        let plain = offer().message().len();
        for length in [plain + 4, plain + 10, 1600] {
            let padded = Offer {
                padded_to: Some(length),
                ..offer()
            };
            assert_eq!(padded.message().len(), length);
        }
    }

    #[test]
    fn a_ticket_comes_last_and_its_binder_ends_the_message() {
        let ticket = OfferedTicket {
            identity: vec![5; 100],
            obfuscated_age: 77,
            binder_length: 32,
            key_alone: false,
        };
        let message = Offer {
            ticket: Some(ticket.clone()),
            ..offer()
        }
        .message();
        let hello = read(&message);
        assert_eq!(
            hello.extensions.last(),
            Some(&ExtensionType::PRE_SHARED_KEY)
        );
        assert_eq!(
            (hello.psk_identities, hello.psk_modes),
            (vec![100], vec![1])
        );
        let binders = &message[message.len() - ticket.binders_length()..];
        assert_eq!(binders[..3], [0, 33, 32]);
    }
}
