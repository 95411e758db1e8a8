//! Signature algorithms of certificate keys.

use std::fmt;
use std::str::FromStr;

use crate::SignatureScheme;

/// The algorithm and size of a certificate's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureAlgorithm {
    /// RSA with a 2048-bit modulus.
    Rsa2048,
    /// RSA with a 3072-bit modulus.
    Rsa3072,
    /// RSA with a 4096-bit modulus.
    Rsa4096,
    /// ECDSA on NIST P-256.
    EcdsaP256,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
    /// ML-DSA-44 (FIPS 204), category 2.
    MlDsa44,
    /// ML-DSA-65 (FIPS 204), category 3.
    MlDsa65,
    /// ML-DSA-87 (FIPS 204), category 5.
    MlDsa87,
}

/// What is known about one signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureAlgorithmFacts {
    /// The name, as it stands in scenario ids.
    pub name: &'static str,
    /// What the reader of a chart sees.
    pub title: &'static str,
    /// Bytes of the public key proper: modulus, uncompressed point or encoded key.
    pub public_key: u16,
    /// Bytes of one signature; the most that it takes where DER makes it vary.
    pub signature: u16,
    /// The scheme that CertificateVerify uses with this key in TLS 1.3.
    pub scheme: SignatureScheme,
    /// The scheme with which this key, held by an issuer, signs certificates.
    pub certificate_scheme: SignatureScheme,
    /// Whether a quantum computer leaves it standing.
    pub post_quantum: bool,
    /// The document that defines its use in TLS or X.509.
    pub reference: &'static str,
}

impl SignatureAlgorithm {
    /// All of them, in the order of every table and chart.
    pub const ALL: [Self; 9] = [
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::Ed25519,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// The facts about this algorithm. Sizes: RFC 8017, RFC 3279, RFC 8410, FIPS 204 table 2.
    pub const fn facts(self) -> SignatureAlgorithmFacts {
        use SignatureScheme as S;
        const fn facts(
            names: (&'static str, &'static str),
            sizes: (u16, u16),
            schemes: (S, S),
            post_quantum: bool,
            reference: &'static str,
        ) -> SignatureAlgorithmFacts {
            SignatureAlgorithmFacts {
                name: names.0,
                title: names.1,
                public_key: sizes.0,
                signature: sizes.1,
                scheme: schemes.0,
                certificate_scheme: schemes.1,
                post_quantum,
                reference,
            }
        }
        const RSA: (S, S) = (S::RSA_PSS_RSAE_SHA256, S::RSA_PKCS1_SHA256);
        const P256: (S, S) = (S::ECDSA_SECP256R1_SHA256, S::ECDSA_SECP256R1_SHA256);
        const P384: (S, S) = (S::ECDSA_SECP384R1_SHA384, S::ECDSA_SECP384R1_SHA384);
        match self {
            Self::Rsa2048 => facts(("rsa-2048", "RSA-2048"), (256, 256), RSA, false, "RFC 8017"),
            Self::Rsa3072 => facts(("rsa-3072", "RSA-3072"), (384, 384), RSA, false, "RFC 8017"),
            Self::Rsa4096 => facts(("rsa-4096", "RSA-4096"), (512, 512), RSA, false, "RFC 8017"),
            Self::EcdsaP256 => facts(
                ("ecdsa-p256", "ECDSA P-256"),
                (65, 72),
                P256,
                false,
                "RFC 8422",
            ),
            Self::EcdsaP384 => facts(
                ("ecdsa-p384", "ECDSA P-384"),
                (97, 104),
                P384,
                false,
                "RFC 8422",
            ),
            Self::Ed25519 => facts(
                ("ed25519", "Ed25519"),
                (32, 64),
                (S::ED25519, S::ED25519),
                false,
                "RFC 8410",
            ),
            Self::MlDsa44 => facts(
                ("ml-dsa-44", "ML-DSA-44"),
                (1312, 2420),
                (S::MLDSA44, S::MLDSA44),
                true,
                "RFC 9881",
            ),
            Self::MlDsa65 => facts(
                ("ml-dsa-65", "ML-DSA-65"),
                (1952, 3309),
                (S::MLDSA65, S::MLDSA65),
                true,
                "RFC 9881",
            ),
            Self::MlDsa87 => facts(
                ("ml-dsa-87", "ML-DSA-87"),
                (2592, 4627),
                (S::MLDSA87, S::MLDSA87),
                true,
                "RFC 9881",
            ),
        }
    }

    /// The name, as it stands in scenario ids.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The modulus length in bits, for RSA.
    pub const fn rsa_bits(self) -> Option<u16> {
        match self {
            Self::Rsa2048 => Some(2048),
            Self::Rsa3072 => Some(3072),
            Self::Rsa4096 => Some(4096),
            _ => None,
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no signature algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown signature algorithm {0:?}: use one of rsa-2048, rsa-3072, rsa-4096, ecdsa-p256, \
     ecdsa-p384, ed25519, ml-dsa-44, ml-dsa-65, ml-dsa-87"
)]
pub struct ParseAlgorithmError(pub String);

impl FromStr for SignatureAlgorithm {
    type Err = ParseAlgorithmError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| ParseAlgorithmError(name.to_owned()))
    }
}
