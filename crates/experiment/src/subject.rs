//! What is measured: a handshake, a transfer, a primitive, or the yardstick.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wire::{NamedGroup, SignatureAlgorithm};

use crate::{ParseScenarioError, Scenario, StackName};

/// The thing that samples belong to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A handshake. Its id is the scenario's own.
    Handshake(Scenario),
    /// Bulk data after a handshake: `transfer:SCENARIO#BYTES`.
    Transfer(Transfer),
    /// One cryptographic operation: `primitive:PROVIDER/ALGORITHM/OPERATION`.
    Primitive(Primitive),
    /// A fixed piece of work, the same in every version of pqlab, that tells how fast
    /// the machine was in a block: `yardstick`.
    Yardstick,
}

/// Records of one size through one connection, in one direction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transfer {
    /// The connection; its server sends, its client receives.
    pub scenario: Scenario,
    /// Plaintext bytes in each record, 16384 at most.
    pub record_size: u16,
}

/// One cryptographic operation of one library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Primitive {
    /// The library: `aws-lc-rs`, `openssl`, `pqcrypto`, …
    pub provider: StackName,
    /// What it does, and with which algorithm.
    pub operation: PrimitiveOperation,
}

/// An operation with its algorithm. Key exchange is seen as a KEM throughout: for a
/// Diffie-Hellman group, encapsulation is a key generation and an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrimitiveOperation {
    /// The client's key share.
    GenerateShare(NamedGroup),
    /// The server's key share and the shared secret.
    Encapsulate(NamedGroup),
    /// The client's shared secret from the server's share.
    Decapsulate(NamedGroup),
    /// One signature over 130 bytes, about what CertificateVerify covers.
    Sign(SignatureAlgorithm),
    /// The check of one such signature.
    Verify(SignatureAlgorithm),
    /// RSA encryption of a premaster secret (RSAES-PKCS1-v1_5).
    Encrypt(SignatureAlgorithm),
    /// Its decryption.
    Decrypt(SignatureAlgorithm),
}

impl PrimitiveOperation {
    /// The operation alone, without its algorithm.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GenerateShare(_) => "generate-share",
            Self::Encapsulate(_) => "encapsulate",
            Self::Decapsulate(_) => "decapsulate",
            Self::Sign(_) => "sign",
            Self::Verify(_) => "verify",
            Self::Encrypt(_) => "encrypt",
            Self::Decrypt(_) => "decrypt",
        }
    }

    /// The three operations of key exchange in a group.
    pub const fn of_group(group: NamedGroup) -> [Self; 3] {
        [
            Self::GenerateShare(group),
            Self::Encapsulate(group),
            Self::Decapsulate(group),
        ]
    }

    /// The two operations of a signature algorithm.
    pub const fn of_signature(algorithm: SignatureAlgorithm) -> [Self; 2] {
        [Self::Sign(algorithm), Self::Verify(algorithm)]
    }

    /// The name of the algorithm.
    pub fn algorithm(self) -> String {
        match self {
            Self::GenerateShare(group) | Self::Encapsulate(group) | Self::Decapsulate(group) => {
                group.to_string()
            }
            Self::Sign(algorithm)
            | Self::Verify(algorithm)
            | Self::Encrypt(algorithm)
            | Self::Decrypt(algorithm) => algorithm.to_string(),
        }
    }
}

impl Subject {
    /// The scenario of a handshake or a transfer.
    pub const fn scenario(&self) -> Option<&Scenario> {
        match self {
            Self::Handshake(scenario) => Some(scenario),
            Self::Transfer(transfer) => Some(&transfer.scenario),
            Self::Primitive(_) | Self::Yardstick => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(scenario) => scenario.fmt(f),
            Self::Transfer(Transfer {
                scenario,
                record_size,
            }) => {
                write!(f, "transfer:{scenario}#{record_size}")
            }
            Self::Primitive(Primitive {
                provider,
                operation,
            }) => {
                write!(
                    f,
                    "primitive:{provider}/{}/{}",
                    operation.algorithm(),
                    operation.name()
                )
            }
            Self::Yardstick => f.write_str("yardstick"),
        }
    }
}

/// The text names no subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseSubjectError {
    /// Neither a scenario nor one of the other forms.
    #[error("{0:?} names nothing that pqlab measures")]
    Form(String),
    /// The scenario within is none.
    #[error(transparent)]
    Scenario(#[from] ParseScenarioError),
}

impl FromStr for Subject {
    type Err = ParseSubjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || ParseSubjectError::Form(text.to_owned());
        if text == "yardstick" {
            return Ok(Self::Yardstick);
        }
        if let Some(transfer) = text.strip_prefix("transfer:") {
            let (scenario, size) = transfer.rsplit_once('#').ok_or_else(form)?;
            let record_size = size.parse().map_err(|_| form())?;
            return Ok(Self::Transfer(Transfer {
                scenario: scenario.parse()?,
                record_size,
            }));
        }
        if let Some(primitive) = text.strip_prefix("primitive:") {
            let mut parts = primitive.splitn(3, '/');
            let mut part = || parts.next().ok_or_else(form);
            let provider = part()?.parse()?;
            let operation = operation(part()?, part()?).ok_or_else(form)?;
            return Ok(Self::Primitive(Primitive {
                provider,
                operation,
            }));
        }
        Ok(Self::Handshake(text.parse()?))
    }
}

fn operation(algorithm: &str, name: &str) -> Option<PrimitiveOperation> {
    let of_group = algorithm.parse().ok().map(PrimitiveOperation::of_group);
    let of_signature = algorithm.parse().ok().map(|algorithm| {
        let [sign, verify] = PrimitiveOperation::of_signature(algorithm);
        let transport = [
            PrimitiveOperation::Encrypt(algorithm),
            PrimitiveOperation::Decrypt(algorithm),
        ];
        [sign, verify, transport[0], transport[1]]
    });
    let mut all = of_group
        .into_iter()
        .flatten()
        .chain(of_signature.into_iter().flatten());
    all.find(|operation| operation.name() == name)
}

impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_parse_back_to_the_same_subject() {
        for id in [
            "rustls>rustls/1.3/x25519/ecdsa-p256/full@memory",
            "transfer:openssl>openssl/1.3/x25519/ecdsa-p256/full@memory#16384",
            "primitive:aws-lc-rs/MLKEM768/encapsulate",
            "primitive:openssl/rsa-2048/decrypt",
            "primitive:pqcrypto/X25519MLKEM768/generate-share",
            "yardstick",
        ] {
            assert_eq!(id.parse::<Subject>().unwrap().to_string(), id);
        }
        for id in [
            "",
            "primitive:aws-lc-rs/MLKEM768/sign",
            "transfer:x#1",
            "primitive:a",
        ] {
            assert!(id.parse::<Subject>().is_err(), "{id:?}");
        }
    }
}
