//! Public-key algorithms down to their parameter sets: what a policy speaks about.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wire::{GroupKind, NamedGroup, SignatureScheme};

/// What a public-key algorithm is used for. Policies and risk differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It protects the secrecy of what is sent or stored now: harvest now, decrypt later.
    KeyEstablishment,
    /// It proves who someone is, or who wrote something: it must hold while it is verified.
    Signature,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::KeyEstablishment => "key establishment",
            Self::Signature => "signature",
        })
    }
}

/// An algorithm with its parameters.
///
/// `Display` and `FromStr` use one spelling: `RSA-2048`, `P-256`, `X25519`, `Ed25519`,
/// `DH-2048`, `ML-KEM-768`, `ML-DSA-65`, `SLH-DSA-SHA2-128s`, `X25519+ML-KEM-768`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// RSA with a modulus of so many bits.
    Rsa(u32),
    /// DSA over a prime field of so many bits.
    Dsa(u32),
    /// Diffie-Hellman over a prime field of so many bits.
    Dh(u32),
    /// An elliptic curve: ECDH, ECDSA or EdDSA by its role.
    Ec(Curve),
    /// ML-KEM (FIPS 203): 512, 768 or 1024.
    MlKem(u16),
    /// ML-DSA (FIPS 204): 44, 65 or 87.
    MlDsa(u16),
    /// SLH-DSA (FIPS 205), its parameter set as in the standard: `SHA2-128s`.
    SlhDsa(String),
    /// LMS, HSS, XMSS or XMSS^MT (SP 800-208), as it calls itself.
    HashBased(String),
    /// Kyber before the standard, sntrup761, HQC, FrodoKEM, Classic McEliece…: post-quantum,
    /// and in no standard that a policy names.
    OtherPostQuantum(String),
    /// Both at once, the classical half first; safe while either holds.
    Hybrid(Box<Algorithm>, Box<Algorithm>),
    /// What is not known here, as it calls itself: a name or an object identifier.
    Other(String),
}

/// Elliptic curves of keys and key exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Curve {
    /// NIST P-224.
    P224,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// secp256k1.
    Secp256k1,
    /// brainpoolP256r1.
    BrainpoolP256,
    /// brainpoolP384r1.
    BrainpoolP384,
    /// brainpoolP512r1.
    BrainpoolP512,
    /// curveSM2.
    Sm2,
    /// Curve25519 for key exchange.
    X25519,
    /// Curve448 for key exchange.
    X448,
    /// Edwards25519 for signatures.
    Ed25519,
    /// Edwards448 for signatures.
    Ed448,
}

/// Whether an algorithm stands against a quantum computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Resistance {
    /// Shor's algorithm breaks it.
    Vulnerable,
    /// One half would be broken, the other stands.
    Hybrid,
    /// No quantum attack is known.
    PostQuantum,
    /// Nothing is known about it here.
    Unknown,
}

const CURVES: [(Curve, &str, u16); 13] = [
    (Curve::P224, "P-224", 112),
    (Curve::P256, "P-256", 128),
    (Curve::P384, "P-384", 192),
    (Curve::P521, "P-521", 256),
    (Curve::Secp256k1, "secp256k1", 128),
    (Curve::BrainpoolP256, "brainpoolP256r1", 128),
    (Curve::BrainpoolP384, "brainpoolP384r1", 192),
    (Curve::BrainpoolP512, "brainpoolP512r1", 256),
    (Curve::Sm2, "curveSM2", 128),
    (Curve::X25519, "X25519", 128),
    (Curve::X448, "X448", 224),
    (Curve::Ed25519, "Ed25519", 128),
    (Curve::Ed448, "Ed448", 224),
];

impl Curve {
    fn row(self) -> (Self, &'static str, u16) {
        CURVES[self as usize]
    }

    /// As it is spelt here.
    pub fn name(self) -> &'static str {
        self.row().1
    }
}

impl Algorithm {
    /// The algorithm of a TLS named group.
    pub fn of_group(group: NamedGroup) -> Self {
        use Curve::{P256, P384, P521, Sm2, X448, X25519};
        let hybrid = |classical, kem| Self::Hybrid(Box::new(classical), Box::new(kem));
        let kyber = || Self::OtherPostQuantum("Kyber768Draft00".to_owned());
        match group.0 {
            0x0015 => Self::Ec(Curve::P224),
            0x0016 => Self::Ec(Curve::Secp256k1),
            0x0017 => Self::Ec(P256),
            0x0018 => Self::Ec(P384),
            0x0019 => Self::Ec(P521),
            0x001a | 0x001f => Self::Ec(Curve::BrainpoolP256),
            0x001b | 0x0020 => Self::Ec(Curve::BrainpoolP384),
            0x001c | 0x0021 => Self::Ec(Curve::BrainpoolP512),
            0x001d => Self::Ec(X25519),
            0x001e => Self::Ec(X448),
            0x0029 => Self::Ec(Sm2),
            0x0100 => Self::Dh(2048),
            0x0101 => Self::Dh(3072),
            0x0102 => Self::Dh(4096),
            0x0103 => Self::Dh(6144),
            0x0104 => Self::Dh(8192),
            0x0200 => Self::MlKem(512),
            0x0201 => Self::MlKem(768),
            0x0202 => Self::MlKem(1024),
            0x11eb => hybrid(Self::Ec(P256), Self::MlKem(768)),
            0x11ec => hybrid(Self::Ec(X25519), Self::MlKem(768)),
            0x11ed => hybrid(Self::Ec(P384), Self::MlKem(1024)),
            0x11ee => hybrid(Self::Ec(Sm2), Self::MlKem(768)),
            0x6399 => hybrid(Self::Ec(X25519), kyber()),
            0x639a => hybrid(Self::Ec(P256), kyber()),
            _ => match group.facts().map(|facts| (facts.kind, facts.name)) {
                Some((GroupKind::PostQuantum | GroupKind::Hybrid, name)) => {
                    Self::OtherPostQuantum(name.to_owned())
                }
                _ => Self::Other(group.to_string()),
            },
        }
    }

    /// The algorithm of a TLS signature scheme; the size of an RSA key does not follow from
    /// it, and is 0.
    pub fn of_scheme(scheme: SignatureScheme) -> Self {
        match scheme.0 {
            0x0201 | 0x0401 | 0x0501 | 0x0601 | 0x0804..=0x0806 | 0x0809..=0x080b => Self::Rsa(0),
            0x0403 => Self::Ec(Curve::P256),
            0x0503 => Self::Ec(Curve::P384),
            0x0603 => Self::Ec(Curve::P521),
            0x0807 => Self::Ec(Curve::Ed25519),
            0x0808 => Self::Ec(Curve::Ed448),
            0x081a => Self::Ec(Curve::BrainpoolP256),
            0x081b => Self::Ec(Curve::BrainpoolP384),
            0x081c => Self::Ec(Curve::BrainpoolP512),
            0x0904 => Self::MlDsa(44),
            0x0905 => Self::MlDsa(65),
            0x0906 => Self::MlDsa(87),
            // slhdsa_sha2_128s, as the standard spells it: SHA2-128s.
            0x0911..=0x091c => {
                let name = scheme.to_string();
                let set = name.trim_start_matches("slhdsa_").replace('_', "-");
                let set = set.replace("sha2", "SHA2").replace("shake", "SHAKE");
                Self::SlhDsa(set)
            }
            _ => Self::Other(scheme.to_string()),
        }
    }

    /// Bits of security against a classical computer (SP 800-57 part 1, table 2); `None` where
    /// nothing is known.
    pub fn classical_bits(&self) -> Option<u16> {
        Some(match self {
            Self::Rsa(bits) | Self::Dh(bits) | Self::Dsa(bits) => match bits {
                0 => return None,
                ..1024 => 0,
                1024..2048 => 80,
                2048..3072 => 112,
                3072..7680 => 128,
                7680..15360 => 192,
                15360.. => 256,
            },
            Self::Ec(curve) => curve.row().2,
            Self::MlKem(512) | Self::MlDsa(44) => 128,
            Self::MlKem(768) | Self::MlDsa(65) => 192,
            Self::MlKem(1024) | Self::MlDsa(87) => 256,
            Self::Hybrid(classical, kem) => classical.classical_bits().max(kem.classical_bits())?,
            _ => return None,
        })
    }

    /// Whether it stands against a quantum computer.
    pub fn resistance(&self) -> Resistance {
        match self {
            Self::Rsa(_) | Self::Dsa(_) | Self::Dh(_) | Self::Ec(_) => Resistance::Vulnerable,
            Self::MlKem(_)
            | Self::MlDsa(_)
            | Self::SlhDsa(_)
            | Self::HashBased(_)
            | Self::OtherPostQuantum(_) => Resistance::PostQuantum,
            Self::Hybrid(..) => Resistance::Hybrid,
            Self::Other(_) => Resistance::Unknown,
        }
    }

    /// The algorithms it is made of: itself, or both halves.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Hybrid(one, other) => vec![one, other],
            single => vec![single],
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sized = |name: &str, bits: &u32| match bits {
            0 => name.to_owned(),
            bits => format!("{name}-{bits}"),
        };
        f.pad(&match self {
            Self::Rsa(bits) => sized("RSA", bits),
            Self::Dsa(bits) => sized("DSA", bits),
            Self::Dh(bits) => sized("DH", bits),
            Self::Ec(curve) => curve.name().to_owned(),
            Self::MlKem(set) => format!("ML-KEM-{set}"),
            Self::MlDsa(set) => format!("ML-DSA-{set}"),
            Self::SlhDsa(set) => format!("SLH-DSA-{set}"),
            Self::Hybrid(classical, other) => format!("{classical}+{other}"),
            Self::HashBased(name) | Self::OtherPostQuantum(name) | Self::Other(name) => {
                name.clone()
            }
        })
    }
}

/// A name that no algorithm has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no algorithm: use a name as RSA-2048, P-256, X25519, ML-KEM-768 or X25519+ML-KEM-768"
)]
pub struct ParseAlgorithmError(String);

impl FromStr for Algorithm {
    type Err = ParseAlgorithmError;

    /// What no other variant has is `OtherPostQuantum` or `Other` by its name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err(ParseAlgorithmError(text.to_owned()));
        }
        if let Some((one, other)) = text.split_once('+') {
            return Ok(Self::Hybrid(
                Box::new(one.parse()?),
                Box::new(other.parse()?),
            ));
        }
        if let Some((curve, ..)) = CURVES.iter().find(|(_, name, _)| *name == text) {
            return Ok(Self::Ec(*curve));
        }
        let sized = |name: &str| match text.strip_prefix(name)? {
            "" => Some(0),
            rest => rest.strip_prefix('-')?.parse().ok(),
        };
        if let Some(bits) = sized("RSA") {
            return Ok(Self::Rsa(bits));
        }
        if let Some(bits) = sized("DSA") {
            return Ok(Self::Dsa(bits));
        }
        if let Some(bits) = sized("DH") {
            return Ok(Self::Dh(bits));
        }
        let set = |name: &str| text.strip_prefix(name)?.parse().ok();
        if let Some(set @ (512 | 768 | 1024)) = set("ML-KEM-") {
            return Ok(Self::MlKem(set));
        }
        if let Some(set @ (44 | 65 | 87)) = set("ML-DSA-") {
            return Ok(Self::MlDsa(set));
        }
        if let Some(set) = text.strip_prefix("SLH-DSA-") {
            return Ok(Self::SlhDsa(set.to_owned()));
        }
        let begins = |names: &[&str]| names.iter().any(|name| text.starts_with(name));
        Ok(match text {
            _ if begins(&["LMS", "HSS", "XMSS"]) => Self::HashBased(text.to_owned()),
            _ if begins(&[
                "Kyber",
                "sntrup",
                "HQC",
                "FrodoKEM",
                "McEliece",
                "Falcon",
                "X25519HQC",
            ]) =>
            {
                Self::OtherPostQuantum(text.to_owned())
            }
            _ => Self::Other(text.to_owned()),
        })
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::by_name::deserialize(deserializer)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Algorithm {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Algorithm".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "An algorithm with its parameters: `RSA-2048`, `P-256`, `X25519`, \
                `ML-KEM-768`, `ML-DSA-65`, `X25519+ML-KEM-768`, or the name or object identifier \
                of another.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for (index, (curve, ..)) in CURVES.iter().enumerate() {
            assert_eq!(*curve as usize, index, "the table is in the enum's order");
        }
        for name in [
            "RSA-2048",
            "RSA",
            "DSA-1024",
            "DH-2048",
            "P-256",
            "X25519",
            "Ed448",
            "ML-KEM-768",
            "ML-DSA-87",
            "SLH-DSA-SHA2-128s",
            "X25519+ML-KEM-768",
            "sntrup761",
            "LMS",
            "X25519+Kyber768Draft00",
            "1.2.3.4",
        ] {
            let algorithm: Algorithm = name.parse().unwrap();
            assert_eq!(algorithm.to_string(), name);
        }
        assert!(" ".parse::<Algorithm>().is_err());
    }

    #[test]
    fn every_group_of_the_tables_has_an_algorithm_of_its_kind() {
        for facts in NamedGroup::known() {
            let algorithm = Algorithm::of_group(facts.code_point);
            let expected = match facts.kind {
                GroupKind::Classical => Resistance::Vulnerable,
                GroupKind::PostQuantum => Resistance::PostQuantum,
                GroupKind::Hybrid => Resistance::Hybrid,
            };
            // A hybrid on a private code point is known by its name alone.
            if facts.status != wire::GroupStatus::Experimental {
                assert_eq!(algorithm.resistance(), expected, "{}", facts.name);
            }
            assert_ne!(
                algorithm.resistance(),
                Resistance::Unknown,
                "{}",
                facts.name
            );
        }
        let hybrid = Algorithm::of_group(NamedGroup::X25519MLKEM768);
        assert_eq!(hybrid.to_string(), "X25519+ML-KEM-768");
        assert_eq!(hybrid.classical_bits(), Some(192));
    }

    #[test]
    fn schemes_are_the_algorithms_that_certificates_name() {
        for (scheme, name) in [
            (0x0911, "SLH-DSA-SHA2-128s"),
            (0x091c, "SLH-DSA-SHAKE-256f"),
            (0x0905, "ML-DSA-65"),
            (0x0804, "RSA"),
        ] {
            let algorithm = Algorithm::of_scheme(SignatureScheme(scheme));
            assert_eq!(algorithm.to_string(), name);
        }
    }

    #[test]
    fn p256_is_not_a_112_bit_curve() {
        assert_eq!(Algorithm::Ec(Curve::P256).classical_bits(), Some(128));
        assert_eq!(Algorithm::Rsa(2048).classical_bits(), Some(112));
        assert_eq!(Algorithm::Rsa(0).classical_bits(), None);
    }
}
