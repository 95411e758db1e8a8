//! Every operation that a provider claims works, and the claims are what is documented.
#![allow(clippy::unwrap_used)]

use experiment::PrimitiveOperation;
use stack::primitives::{PROVIDERS, prepare};
use wire::{NamedGroup, SignatureAlgorithm};

fn operations() -> Vec<PrimitiveOperation> {
    let groups = NamedGroup::known().iter().map(|facts| facts.code_point);
    let mut operations: Vec<_> = groups.flat_map(PrimitiveOperation::of_group).collect();
    for algorithm in SignatureAlgorithm::ALL {
        operations.extend(PrimitiveOperation::of_signature(algorithm));
        operations.push(PrimitiveOperation::Encrypt(algorithm));
        operations.push(PrimitiveOperation::Decrypt(algorithm));
    }
    operations
}

#[test]
fn what_a_provider_has_works() {
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    for provider in PROVIDERS {
        let name = provider.parse().unwrap();
        let mut kinds: Vec<(String, &str)> = Vec::new();
        for operation in operations() {
            let Ok(mut prepared) = prepare(&name, operation, &cache) else {
                continue;
            };
            for _ in 0..2 {
                prepared().unwrap_or_else(|error| {
                    panic!(
                        "{provider} {} {}: {error}",
                        operation.algorithm(),
                        operation.name()
                    )
                });
            }
            kinds.push((operation.algorithm().to_string(), operation.name()));
        }
        let has = |algorithm: &str| kinds.iter().any(|(known, _)| known == algorithm);
        let expected: &[(&str, bool)] = match *provider {
            "aws-lc-rs" | "openssl" => &[
                ("X25519MLKEM768", true),
                ("MLKEM1024", true),
                ("ml-dsa-65", true),
                ("rsa-4096", true),
                ("HQC128", false),
            ],
            "pqcrypto" => &[("MLKEM768", true), ("HQC128", true), ("ml-dsa-65", false)],
            _ => &[("X25519MLKEM768", true)],
        };
        for (algorithm, is_there) in expected {
            assert_eq!(has(algorithm), *is_there, "{provider}: {algorithm}");
        }
        let decrypts = kinds.iter().filter(|(_, name)| *name == "decrypt").count();
        assert_eq!(
            decrypts,
            if *provider == "openssl" { 3 } else { 0 },
            "{provider}"
        );
    }
}
