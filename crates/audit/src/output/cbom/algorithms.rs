//! Public-key algorithms as CycloneDX describes them.

use serde_json::{Map, Value, json};
use wire::{NamedGroup, SignatureScheme};

use super::CbomVersion;
use crate::output::text::{encoded, visible};
use crate::{Algorithm, Curve, Role};

/// A public-key algorithm in one use: P-256 for key exchange and P-256 for signatures are two
/// assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AlgorithmUse {
    algorithm: Algorithm,
    role: Option<Role>,
    /// The hash that is signed: `SHA-256`.
    hash: Option<String>,
    /// RSA's padding, where it is known: `PSS` or `PKCS1-1.5`.
    padding: Option<&'static str>,
}

impl AlgorithmUse {
    pub(super) fn new(algorithm: &Algorithm, role: Option<Role>) -> Self {
        Self {
            algorithm: algorithm.clone(),
            role: own_role(algorithm).or(role),
            hash: None,
            padding: None,
        }
    }

    pub(super) fn of_group(group: NamedGroup) -> Self {
        Self::new(&Algorithm::of_group(group), Some(Role::KeyEstablishment))
    }

    /// The client encrypts to the server's key (RFC 5246 section 7.4.7.1).
    pub(super) fn static_rsa(key: Option<&Algorithm>) -> Self {
        let algorithm = match key {
            Some(key @ Algorithm::Rsa(_)) => key.clone(),
            _ => Algorithm::Rsa(0),
        };
        Self {
            padding: Some("PKCS1-1.5"),
            ..Self::new(&algorithm, Some(Role::KeyEstablishment))
        }
    }

    /// A signature of a handshake; an RSA key's size comes from its certificate.
    pub(super) fn of_scheme(scheme: SignatureScheme, key: Option<&Algorithm>) -> Self {
        let algorithm = match (Algorithm::of_scheme(scheme), key) {
            (Algorithm::Rsa(0), Some(key @ Algorithm::Rsa(_))) => key.clone(),
            (algorithm, _) => algorithm,
        };
        let name = scheme.to_string();
        let hash = ["sha1", "sha256", "sha384", "sha512"]
            .into_iter()
            .find(|hash| name.ends_with(&format!("_{hash}")))
            .map(|hash| hash.replace("sha", "SHA-"));
        let padding = match () {
            () if name.starts_with("rsa_pss_") => Some("PSS"),
            () if name.starts_with("rsa_pkcs1_") => Some("PKCS1-1.5"),
            () => None,
        };
        Self {
            hash,
            padding,
            ..Self::new(&algorithm, Some(Role::Signature))
        }
    }

    /// The signature of a certificate.
    pub(super) fn of_certificate(signature: &Algorithm, hash: Option<&str>) -> Self {
        Self {
            hash: hash.map(str::to_owned),
            ..Self::new(signature, Some(Role::Signature))
        }
    }

    /// Both halves of a hybrid, and nothing of others.
    pub(super) fn halves(&self) -> Vec<Self> {
        match &self.algorithm {
            Algorithm::Hybrid(one, other) => {
                [one, other].map(|half| Self::new(half, self.role)).into()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn reference(&self) -> String {
        let role = match self.role {
            Some(Role::KeyEstablishment) => "key-establishment",
            Some(Role::Signature) => "signature",
            None => "unknown",
        };
        format!("crypto/algorithm/{role}/{}", encoded(&self.name(), "+"))
    }

    /// After the naming patterns of CycloneDX 1.7's list of algorithm families.
    pub(super) fn name(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut size = None;
        match &self.algorithm {
            Algorithm::Rsa(bits) => {
                parts.push("RSA".to_owned());
                parts.extend(self.padding.map(str::to_owned));
                size = (*bits != 0).then(|| bits.to_string());
            }
            Algorithm::Ec(curve) if !has_own_name(*curve) => {
                match self.role {
                    Some(Role::KeyEstablishment) => parts.push("ECDH".to_owned()),
                    Some(Role::Signature) => parts.push("ECDSA".to_owned()),
                    None => {}
                }
                parts.push(curve.name().to_owned());
            }
            other => parts.push(visible(&other.to_string()).into_owned()),
        }
        parts.extend(self.hash.as_deref().map(|hash| visible(hash).into_owned()));
        parts.extend(size);
        parts.join("-")
    }

    pub(super) fn properties(&self, version: CbomVersion) -> Value {
        let (primitive, functions) = self.primitive();
        let mut properties = Map::new();
        properties.insert("primitive".to_owned(), json!(primitive));
        if let Some(set) = parameter_set(&self.algorithm) {
            properties.insert("parameterSetIdentifier".to_owned(), json!(set));
        }
        if let Algorithm::Ec(curve) = &self.algorithm {
            let (key, name) = match version {
                CbomVersion::V1_6 => ("curve", curve_names(*curve).0),
                CbomVersion::V1_7 => ("ellipticCurve", curve_names(*curve).1),
            };
            properties.insert(key.to_owned(), json!(name));
        }
        if let (CbomVersion::V1_7, Some(family)) = (version, self.family()) {
            properties.insert("algorithmFamily".to_owned(), json!(family));
        }
        if self.padding == Some("PKCS1-1.5") {
            properties.insert("padding".to_owned(), json!("pkcs1v15"));
        }
        properties.insert("cryptoFunctions".to_owned(), json!(functions));
        if let Some(bits) = classical_bits(&self.algorithm) {
            properties.insert("classicalSecurityLevel".to_owned(), json!(bits));
        }
        if let Some(category) = nist_category(&self.algorithm) {
            properties.insert("nistQuantumSecurityLevel".to_owned(), json!(category));
        }
        crypto_properties(properties, oid(&self.algorithm))
    }

    fn primitive(&self) -> (&'static str, &'static [&'static str]) {
        const KEM: &[&str] = &["keygen", "encapsulate", "decapsulate"];
        const SIGNATURE: &[&str] = &["keygen", "sign", "verify"];
        match (&self.algorithm, self.role) {
            (Algorithm::Hybrid(..), Some(Role::Signature)) => ("combiner", SIGNATURE),
            (Algorithm::Hybrid(..), _) => ("combiner", KEM),
            (_, Some(Role::Signature)) => ("signature", SIGNATURE),
            (Algorithm::MlKem(_) | Algorithm::OtherPostQuantum(_), Some(_)) => ("kem", KEM),
            (Algorithm::Rsa(_), Some(_)) => ("pke", &["keygen", "encrypt", "decrypt"]),
            (Algorithm::Dh(_) | Algorithm::Ec(_), Some(_)) => {
                ("key-agree", &["keygen", "keyderive"])
            }
            _ => ("unknown", &["unknown"]),
        }
    }

    fn family(&self) -> Option<&'static str> {
        Some(match (&self.algorithm, self.role) {
            (Algorithm::Rsa(_), Some(role)) => match (self.padding?, role) {
                ("PSS", _) => "RSASSA-PSS",
                (_, Role::Signature) => "RSASSA-PKCS1",
                (_, Role::KeyEstablishment) => "RSAES-PKCS1",
            },
            (Algorithm::Dsa(_), _) => "DSA",
            (Algorithm::Dh(_), _) => "FFDH",
            (Algorithm::Ec(Curve::Ed25519 | Curve::Ed448), _) => "EdDSA",
            (Algorithm::Ec(Curve::Sm2), Some(Role::Signature)) => "SM2",
            (Algorithm::Ec(_), Some(Role::Signature)) => "ECDSA",
            (Algorithm::Ec(_), Some(Role::KeyEstablishment)) => "ECDH",
            (Algorithm::MlKem(_), _) => "ML-KEM",
            (Algorithm::MlDsa(_), _) => "ML-DSA",
            (Algorithm::SlhDsa(_), _) => "SLH-DSA",
            (Algorithm::HashBased(name), _) if name.starts_with("XMSS") => "XMSS",
            (Algorithm::HashBased(_), _) => "LMS",
            _ => return None,
        })
    }
}

/// The role of algorithms that have only one.
fn own_role(algorithm: &Algorithm) -> Option<Role> {
    match algorithm {
        Algorithm::MlKem(_) | Algorithm::Dh(_) | Algorithm::Ec(Curve::X25519 | Curve::X448) => {
            Some(Role::KeyEstablishment)
        }
        Algorithm::MlDsa(_)
        | Algorithm::SlhDsa(_)
        | Algorithm::HashBased(_)
        | Algorithm::Dsa(_)
        | Algorithm::Ec(Curve::Ed25519 | Curve::Ed448) => Some(Role::Signature),
        _ => None,
    }
}

/// Whether the curve's name says by itself what is done on it.
const fn has_own_name(curve: Curve) -> bool {
    matches!(
        curve,
        Curve::X25519 | Curve::X448 | Curve::Ed25519 | Curve::Ed448
    )
}

fn parameter_set(algorithm: &Algorithm) -> Option<String> {
    match algorithm {
        Algorithm::Rsa(0) | Algorithm::Dsa(0) | Algorithm::Dh(0) => None,
        Algorithm::Rsa(bits) | Algorithm::Dsa(bits) | Algorithm::Dh(bits) => Some(bits.to_string()),
        Algorithm::MlKem(set) | Algorithm::MlDsa(set) => Some(set.to_string()),
        Algorithm::SlhDsa(set) => Some(visible(set).into_owned()),
        _ => None,
    }
}

/// The curve as 1.6 recommends (the standard curve database) and as 1.7 enumerates it.
const fn curve_names(curve: Curve) -> (&'static str, &'static str) {
    match curve {
        Curve::P224 => ("secp224r1", "nist/P-224"),
        Curve::P256 => ("secp256r1", "nist/P-256"),
        Curve::P384 => ("secp384r1", "nist/P-384"),
        Curve::P521 => ("secp521r1", "nist/P-521"),
        Curve::Secp256k1 => ("secp256k1", "secg/secp256k1"),
        Curve::BrainpoolP256 => ("brainpoolP256r1", "brainpool/brainpoolP256r1"),
        Curve::BrainpoolP384 => ("brainpoolP384r1", "brainpool/brainpoolP384r1"),
        Curve::BrainpoolP512 => ("brainpoolP512r1", "brainpool/brainpoolP512r1"),
        Curve::Sm2 => ("SM2", "oscaa/SM2"),
        Curve::X25519 => ("Curve25519", "other/Curve25519"),
        Curve::X448 => ("Curve448", "other/Curve448"),
        Curve::Ed25519 => ("Ed25519", "other/Ed25519"),
        Curve::Ed448 => ("Ed448", "other/Ed448"),
    }
}

/// Bits of a public key, where the word has a meaning.
pub(super) fn key_bits(algorithm: &Algorithm) -> Option<u32> {
    match algorithm {
        Algorithm::Rsa(0) | Algorithm::Dsa(0) | Algorithm::Dh(0) => None,
        Algorithm::Rsa(bits) | Algorithm::Dsa(bits) | Algorithm::Dh(bits) => Some(*bits),
        Algorithm::Ec(curve) => Some(match curve {
            Curve::P224 => 224,
            Curve::P384 | Curve::BrainpoolP384 => 384,
            Curve::P521 => 521,
            Curve::BrainpoolP512 => 512,
            Curve::X448 => 448,
            Curve::Ed448 => 456,
            Curve::P256
            | Curve::Secp256k1
            | Curve::BrainpoolP256
            | Curve::Sm2
            | Curve::X25519
            | Curve::Ed25519 => 256,
        }),
        _ => None,
    }
}

fn classical_bits(algorithm: &Algorithm) -> Option<u16> {
    match algorithm {
        // FIPS 205 table 2: the parameter set's name carries the strength.
        Algorithm::SlhDsa(set) => ["128", "192", "256"]
            .into_iter()
            .find(|bits| set.contains(&format!("-{bits}")))
            .and_then(|bits| bits.parse().ok()),
        other => other.classical_bits(),
    }
}

/// The category of NIST's call for post-quantum algorithms, 0 for none: FIPS 203 table 2 and
/// section 8, FIPS 204 table 1, FIPS 205 table 2. A hybrid is as strong as its better half.
fn nist_category(algorithm: &Algorithm) -> Option<u8> {
    Some(match algorithm {
        Algorithm::Rsa(_) | Algorithm::Dsa(_) | Algorithm::Dh(_) | Algorithm::Ec(_) => 0,
        Algorithm::MlKem(512) => 1,
        Algorithm::MlKem(768) | Algorithm::MlDsa(65) => 3,
        Algorithm::MlKem(1024) | Algorithm::MlDsa(87) => 5,
        Algorithm::MlDsa(44) => 2,
        Algorithm::SlhDsa(_) => match classical_bits(algorithm)? {
            128 => 1,
            192 => 3,
            _ => 5,
        },
        Algorithm::Hybrid(one, other) => nist_category(one)?.max(nist_category(other)?),
        _ => return None,
    })
}

fn oid(algorithm: &Algorithm) -> Option<String> {
    match algorithm {
        Algorithm::Rsa(_) => Some("1.2.840.113549.1.1.1".to_owned()),
        Algorithm::Dsa(_) => Some("1.2.840.10040.4.1".to_owned()),
        // What is known by its identifier alone.
        Algorithm::Other(name) => {
            let is_arc =
                |arc: &str| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit());
            let is_oid = name.contains('.') && name.split('.').all(is_arc);
            is_oid.then(|| name.clone())
        }
        known => known.object_identifier().map(str::to_owned),
    }
}

pub(super) fn crypto_properties(properties: Map<String, Value>, oid: Option<String>) -> Value {
    let mut all = json!({ "assetType": "algorithm", "algorithmProperties": properties });
    if let Some(oid) = oid {
        all["oid"] = json!(oid);
    }
    all
}
