//! Ciphers and hashes as CycloneDX describes them.

use serde_json::{Map, Value, json};
use wire::CipherSuite;

use super::CbomVersion;
use super::algorithms::crypto_properties;
use crate::output::text::encoded;

/// What protects records or packets: a cipher, or a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Symmetric {
    pub(super) name: String,
    primitive: &'static str,
    family: Option<&'static str>,
    set: Option<String>,
    mode: Option<&'static str>,
    bits: Option<u16>,
    category: Option<u8>,
    oid: Option<&'static str>,
}

impl Symmetric {
    /// The cipher and the hash of a suite; nothing for suites without a name.
    pub(super) fn of_suite(suite: CipherSuite) -> Vec<Self> {
        let name = suite.to_string();
        let Some(rest) = name.split_once("_WITH_").map(|(_, rest)| rest).or_else(|| {
            suite.facts().filter(|facts| facts.tls13)?;
            name.strip_prefix("TLS_")
        }) else {
            return Vec::new();
        };
        match rest.rsplit_once('_') {
            Some((cipher, hash)) => {
                let hash = match hash {
                    "SHA" => "SHA-1".to_owned(),
                    other => other.replace("SHA", "SHA-"),
                };
                let cipher = Self::cipher(&cipher.replace('_', "-"));
                cipher.into_iter().chain(Self::hash(&hash)).collect()
            }
            None => Vec::new(),
        }
    }

    /// A cipher of SSH: `aes256-gcm@openssh.com`.
    pub(super) fn of_ssh(name: &str) -> Option<Self> {
        let name = name.split('@').next().unwrap_or(name).to_uppercase();
        Self::cipher(&name.replace("AES1", "AES-1").replace("AES2", "AES-2"))
    }

    fn cipher(name: &str) -> Option<Self> {
        if name == "CHACHA20-POLY1305" {
            return Some(Self {
                name: "ChaCha20-Poly1305".to_owned(),
                primitive: "ae",
                family: Some("ChaCha20"),
                set: None,
                mode: None,
                bits: Some(256),
                category: None,
                oid: Some("1.2.840.113549.1.9.16.3.18"),
            });
        }
        let (bits, mode) = name.strip_prefix("AES-")?.split_once('-')?;
        let (bits, category, arc) = match bits {
            "128" => (128, 1, 0),
            "192" => (192, 3, 1),
            "256" => (256, 5, 2),
            _ => return None,
        };
        const CBC: [&str; 3] = [
            "2.16.840.1.101.3.4.1.2",
            "2.16.840.1.101.3.4.1.22",
            "2.16.840.1.101.3.4.1.42",
        ];
        const GCM: [&str; 3] = [
            "2.16.840.1.101.3.4.1.6",
            "2.16.840.1.101.3.4.1.26",
            "2.16.840.1.101.3.4.1.46",
        ];
        const CCM: [&str; 3] = [
            "2.16.840.1.101.3.4.1.7",
            "2.16.840.1.101.3.4.1.27",
            "2.16.840.1.101.3.4.1.47",
        ];
        let (primitive, mode, oid) = match mode {
            "GCM" => ("ae", "gcm", Some(GCM[arc])),
            "CCM" | "CCM-8" => ("ae", "ccm", Some(CCM[arc])),
            "CBC" => ("block-cipher", "cbc", Some(CBC[arc])),
            "CTR" => ("block-cipher", "ctr", None),
            _ => return None,
        };
        Some(Self {
            name: name.to_owned(),
            primitive,
            family: Some("AES"),
            set: Some(bits.to_string()),
            mode: Some(mode),
            bits: Some(bits),
            category: Some(category),
            oid,
        })
    }

    /// Categories 2 and 4 are defined by collisions of SHA-256 and SHA-384.
    fn hash(name: &str) -> Option<Self> {
        let (bits, category, family, oid) = match name {
            "SHA-1" => (None, Some(0), "SHA-1", "1.3.14.3.2.26"),
            "SHA-256" => (Some(128), Some(2), "SHA-2", "2.16.840.1.101.3.4.2.1"),
            "SHA-384" => (Some(192), Some(4), "SHA-2", "2.16.840.1.101.3.4.2.2"),
            "SHA-512" => (Some(256), Some(5), "SHA-2", "2.16.840.1.101.3.4.2.3"),
            _ => return None,
        };
        Some(Self {
            name: name.to_owned(),
            primitive: "hash",
            family: Some(family),
            set: name.strip_prefix("SHA-").map(str::to_owned),
            mode: None,
            bits,
            category,
            oid: Some(oid),
        })
    }

    pub(super) fn reference(&self) -> String {
        format!("crypto/algorithm/symmetric/{}", encoded(&self.name, ""))
    }

    pub(super) fn properties(&self, version: CbomVersion) -> Value {
        let mut properties = Map::new();
        properties.insert("primitive".to_owned(), json!(self.primitive));
        let family = self.family.filter(|_| version == CbomVersion::V1_7);
        let functions = match self.primitive {
            "hash" => json!(["digest"]),
            "ae" => json!(["encrypt", "decrypt", "tag"]),
            _ => json!(["encrypt", "decrypt"]),
        };
        for (key, value) in [
            ("algorithmFamily", family.map(Value::from)),
            ("parameterSetIdentifier", self.set.clone().map(Value::from)),
            ("mode", self.mode.map(Value::from)),
            ("cryptoFunctions", Some(functions)),
            ("classicalSecurityLevel", self.bits.map(Value::from)),
            ("nistQuantumSecurityLevel", self.category.map(Value::from)),
        ] {
            if let Some(value) = value {
                properties.insert(key.to_owned(), value);
            }
        }
        crypto_properties(properties, self.oid.map(str::to_owned))
    }
}
