//! Signature schemes: what CertificateVerify and certificates are signed with.

use crate::code_point::code_point;

code_point!(
    /// A TLS signature scheme (RFC 8446 section 4.2.3), by its IANA code point.
    SignatureScheme,
    SignatureSchemeFacts,
    SCHEMES,
    "signature scheme"
);

/// What is known about one signature scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureSchemeFacts {
    /// The code point on the wire.
    pub code_point: SignatureScheme,
    /// The name in the IANA registry.
    pub name: &'static str,
    /// Whether a quantum computer leaves it standing.
    pub post_quantum: bool,
}

const fn row(code_point: u16, name: &'static str, post_quantum: bool) -> SignatureSchemeFacts {
    SignatureSchemeFacts {
        code_point: SignatureScheme(code_point),
        name,
        post_quantum,
    }
}

static SCHEMES: &[SignatureSchemeFacts] = &[
    row(0x0401, "rsa_pkcs1_sha256", false),
    row(0x0501, "rsa_pkcs1_sha384", false),
    row(0x0601, "rsa_pkcs1_sha512", false),
    row(0x0403, "ecdsa_secp256r1_sha256", false),
    row(0x0503, "ecdsa_secp384r1_sha384", false),
    row(0x0603, "ecdsa_secp521r1_sha512", false),
    row(0x0804, "rsa_pss_rsae_sha256", false),
    row(0x0805, "rsa_pss_rsae_sha384", false),
    row(0x0806, "rsa_pss_rsae_sha512", false),
    row(0x0809, "rsa_pss_pss_sha256", false),
    row(0x080a, "rsa_pss_pss_sha384", false),
    row(0x080b, "rsa_pss_pss_sha512", false),
    row(0x0807, "ed25519", false),
    row(0x0808, "ed448", false),
    row(0x081a, "ecdsa_brainpoolP256r1tls13_sha256", false),
    row(0x081b, "ecdsa_brainpoolP384r1tls13_sha384", false),
    row(0x081c, "ecdsa_brainpoolP512r1tls13_sha512", false),
    row(0x0201, "rsa_pkcs1_sha1", false),
    row(0x0203, "ecdsa_sha1", false),
    row(0x0904, "mldsa44", true),
    row(0x0905, "mldsa65", true),
    row(0x0906, "mldsa87", true),
    // draft-reddy-tls-slhdsa: no library here has them.
    row(0x0911, "slhdsa_sha2_128s", true),
    row(0x0912, "slhdsa_sha2_128f", true),
    row(0x0913, "slhdsa_sha2_192s", true),
    row(0x0914, "slhdsa_sha2_192f", true),
    row(0x0915, "slhdsa_sha2_256s", true),
    row(0x0916, "slhdsa_sha2_256f", true),
    row(0x0917, "slhdsa_shake_128s", true),
    row(0x0918, "slhdsa_shake_128f", true),
    row(0x0919, "slhdsa_shake_192s", true),
    row(0x091a, "slhdsa_shake_192f", true),
    row(0x091b, "slhdsa_shake_256s", true),
    row(0x091c, "slhdsa_shake_256f", true),
];

impl SignatureScheme {
    /// RSASSA-PKCS1-v1_5 with SHA-256: certificates only in TLS 1.3.
    pub const RSA_PKCS1_SHA256: Self = Self(0x0401);
    /// ECDSA on P-256 with SHA-256.
    pub const ECDSA_SECP256R1_SHA256: Self = Self(0x0403);
    /// ECDSA on P-384 with SHA-384.
    pub const ECDSA_SECP384R1_SHA384: Self = Self(0x0503);
    /// RSASSA-PSS with SHA-256 under an rsaEncryption key.
    pub const RSA_PSS_RSAE_SHA256: Self = Self(0x0804);
    /// Ed25519.
    pub const ED25519: Self = Self(0x0807);
    /// ML-DSA-44.
    pub const MLDSA44: Self = Self(0x0904);
    /// ML-DSA-65.
    pub const MLDSA65: Self = Self(0x0905);
    /// ML-DSA-87.
    pub const MLDSA87: Self = Self(0x0906);
}
