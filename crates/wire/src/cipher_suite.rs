//! Cipher suites: record protection and hash and, up to TLS 1.2, key exchange.

use crate::code_point::code_point;

code_point!(
    /// A TLS cipher suite (RFC 8446 appendix B.4, RFC 5246 appendix A.5), by its IANA code point.
    CipherSuite,
    CipherSuiteFacts,
    SUITES,
    "cipher suite"
);

/// What is known about one cipher suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CipherSuiteFacts {
    /// The code point on the wire.
    pub code_point: CipherSuite,
    /// The name in the IANA registry.
    pub name: &'static str,
    /// OpenSSL's own name; the same as `name` in TLS 1.3.
    pub openssl_name: &'static str,
    /// Whether it belongs to TLS 1.3, which says nothing about key exchange.
    pub tls13: bool,
    /// Whether the client encrypts the premaster secret to the server's RSA key.
    pub static_rsa: bool,
}

const fn row(
    code_point: u16,
    name: &'static str,
    openssl_name: &'static str,
    tls13: bool,
    static_rsa: bool,
) -> CipherSuiteFacts {
    CipherSuiteFacts {
        code_point: CipherSuite(code_point),
        name,
        openssl_name,
        tls13,
        static_rsa,
    }
}

#[rustfmt::skip]
static SUITES: &[CipherSuiteFacts] = &[
    row(0x1301, "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", true, false),
    row(0x1302, "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", true, false),
    row(0x1303, "TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", true, false),
    row(0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", false, false),
    row(0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", false, false),
    row(0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", false, false),
    row(0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", false, false),
    row(0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", false, false),
    row(0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", false, false),
    row(0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", false, true),
    row(0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384", false, true),
    // Seen in offers of other programs; nothing here measures them.
    row(0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA", false, false),
    row(0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA", false, false),
    row(0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256", false, false),
    row(0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384", false, false),
    row(0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA", false, false),
    row(0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA", false, false),
    row(0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256", false, false),
    row(0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE-RSA-AES256-SHA384", false, false),
    row(0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE-RSA-AES128-GCM-SHA256", false, false),
    row(0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384", false, false),
    row(0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE-RSA-CHACHA20-POLY1305", false, false),
    row(0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "DHE-RSA-AES128-SHA", false, false),
    row(0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "DHE-RSA-AES256-SHA", false, false),
    row(0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", "DHE-RSA-AES128-SHA256", false, false),
    row(0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "DHE-RSA-AES256-SHA256", false, false),
    row(0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", false, true),
    row(0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", false, true),
    row(0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256", false, true),
    row(0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256", "AES256-SHA256", false, true),
    // No suites, but signals (RFC 5746 section 3.3, RFC 7507).
    row(0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", "", false, false),
    row(0x5600, "TLS_FALLBACK_SCSV", "", false, false),
];

impl CipherSuite {
    /// AES-128-GCM with SHA-256, TLS 1.3.
    pub const AES_128_GCM_SHA256: Self = Self(0x1301);
    /// AES-256-GCM with SHA-384, TLS 1.3.
    pub const AES_256_GCM_SHA384: Self = Self(0x1302);
    /// ChaCha20-Poly1305 with SHA-256, TLS 1.3.
    pub const CHACHA20_POLY1305_SHA256: Self = Self(0x1303);
    /// TLS 1.2, ECDHE authenticated by an elliptic curve key (ECDSA or Ed25519).
    pub const ECDHE_ECDSA_AES_256_GCM_SHA384: Self = Self(0xc02c);
    /// TLS 1.2, ECDHE authenticated by RSA.
    pub const ECDHE_RSA_AES_256_GCM_SHA384: Self = Self(0xc030);
    /// TLS 1.2, the premaster secret encrypted to the server's RSA key.
    pub const RSA_AES_256_GCM_SHA384: Self = Self(0x009d);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_code_points_are_unique_and_parse_back() {
        for facts in CipherSuite::known() {
            let same = |other: &&CipherSuiteFacts| {
                other.code_point == facts.code_point || other.name == facts.name
            };
            assert_eq!(
                CipherSuite::known().iter().filter(same).count(),
                1,
                "{}",
                facts.name
            );
            assert_eq!(facts.name.parse(), Ok(facts.code_point));
            assert_eq!(facts.static_rsa, facts.name.starts_with("TLS_RSA_"));
        }
    }
}
