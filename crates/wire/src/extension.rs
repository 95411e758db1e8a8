//! Extension types of hellos and certificates (RFC 8446 section 4.2).

use std::fmt;

/// The type of an extension, by its IANA code point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionType(pub u16);

#[rustfmt::skip]
static NAMES: &[(u16, &str)] = &[
    (0, "server_name"),
    (1, "max_fragment_length"),
    (5, "status_request"),
    (10, "supported_groups"),
    (11, "ec_point_formats"),
    (13, "signature_algorithms"),
    (16, "application_layer_protocol_negotiation"),
    (18, "signed_certificate_timestamp"),
    (19, "client_certificate_type"),
    (20, "server_certificate_type"),
    (21, "padding"),
    (22, "encrypt_then_mac"),
    (23, "extended_master_secret"),
    (27, "compress_certificate"),
    (28, "record_size_limit"),
    (34, "delegated_credential"),
    (35, "session_ticket"),
    (41, "pre_shared_key"),
    (42, "early_data"),
    (43, "supported_versions"),
    (44, "cookie"),
    (45, "psk_key_exchange_modes"),
    (47, "certificate_authorities"),
    (48, "oid_filters"),
    (49, "post_handshake_auth"),
    (50, "signature_algorithms_cert"),
    (51, "key_share"),
    (57, "quic_transport_parameters"),
    (0xfe0d, "encrypted_client_hello"),
    (0xff01, "renegotiation_info"),
];

impl ExtensionType {
    /// The name of the host that the client wants (RFC 6066 section 3).
    pub const SERVER_NAME: Self = Self(0);
    /// Named groups that the sender knows.
    pub const SUPPORTED_GROUPS: Self = Self(10);
    /// Signature schemes that the sender can verify.
    pub const SIGNATURE_ALGORITHMS: Self = Self(13);
    /// Application-layer protocol negotiation (RFC 7301).
    pub const ALPN: Self = Self(16);
    /// Offer or choice of a pre-shared key.
    pub const PRE_SHARED_KEY: Self = Self(41);
    /// Offer or acceptance of 0-RTT data.
    pub const EARLY_DATA: Self = Self(42);
    /// Versions, where TLS 1.3 is one of them.
    pub const SUPPORTED_VERSIONS: Self = Self(43);
    /// How a pre-shared key may be used.
    pub const PSK_KEY_EXCHANGE_MODES: Self = Self(45);
    /// The authorities that the sender trusts.
    pub const CERTIFICATE_AUTHORITIES: Self = Self(47);
    /// Public keys of the key exchange.
    pub const KEY_SHARE: Self = Self(51);
    /// The hello proper, encrypted: what stands beside it is for show (RFC 9849).
    pub const ENCRYPTED_CLIENT_HELLO: Self = Self(0xfe0d);

    /// The name in the IANA registry, or `None` for a value that is not known here.
    pub fn name(self) -> Option<&'static str> {
        NAMES
            .iter()
            .find(|(code_point, _)| *code_point == self.0)
            .map(|(_, name)| *name)
    }
}

impl fmt::Display for ExtensionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("0x{:04x}", self.0)),
        }
    }
}

/// Whether a code point is one of those that mean nothing and are sent so that peers
/// learn to ignore what they do not know (RFC 8701 section 2).
pub const fn is_grease(code_point: u16) -> bool {
    let [high, low] = code_point.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grease_is_told_from_what_means_something() {
        let reserved = (0..=u16::MAX).filter(|value| is_grease(*value)).count();
        assert_eq!(reserved, 16);
        assert!(is_grease(0x0a0a) && is_grease(0xfafa));
        assert!(!NAMES.iter().any(|(code_point, _)| is_grease(*code_point)));
    }
}
