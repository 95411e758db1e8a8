//! AWS' names of keys and signatures.

use anyhow::{Result, anyhow};
use wire::SignatureAlgorithm;

use crate::bad_input;

/// AWS' names of keys, and of the signatures that go with them.
const KEYS: [(&str, SignatureAlgorithm, &[&str]); 9] = {
    use SignatureAlgorithm as A;
    [
        ("RSA_2048", A::Rsa2048, &["SHA256WITHRSA"]),
        ("RSA_3072", A::Rsa3072, &["SHA256WITHRSA"]),
        ("RSA_4096", A::Rsa4096, &["SHA256WITHRSA"]),
        ("EC_prime256v1", A::EcdsaP256, &["SHA256WITHECDSA"]),
        ("EC_secp384r1", A::EcdsaP384, &["SHA384WITHECDSA"]),
        ("ED25519", A::Ed25519, &["ED25519"]),
        ("ML_DSA_44", A::MlDsa44, &["ML_DSA_44"]),
        ("ML_DSA_65", A::MlDsa65, &["ML_DSA_65"]),
        ("ML_DSA_87", A::MlDsa87, &["ML_DSA_87"]),
    ]
};

pub(super) fn key_algorithm(name: &str) -> Result<SignatureAlgorithm> {
    match KEYS.iter().find(|(key, ..)| *key == name) {
        Some((_, algorithm, _)) => Ok(*algorithm),
        None => {
            let names: Vec<_> = KEYS.iter().map(|(key, ..)| *key).collect();
            let names = names.join(", ");
            Err(bad_input(anyhow!(
                "{name:?} is no key algorithm; there are {names}"
            )))
        }
    }
}

pub(super) fn key_name(algorithm: SignatureAlgorithm) -> (&'static str, &'static str) {
    let found = KEYS.iter().find(|(_, known, _)| *known == algorithm);
    found.map_or(("", ""), |(name, _, signatures)| (*name, signatures[0]))
}

/// The key decides what it signs with: another wish is an error, not overheard.
pub(super) fn check_signing(wanted: &str, algorithm: SignatureAlgorithm) -> Result<()> {
    let (key, signing) = key_name(algorithm);
    if wanted == signing {
        return Ok(());
    }
    Err(bad_input(anyhow!(
        "a key {key} signs with {signing} here, not with {wanted}"
    )))
}
