//! Cryptographic operations alone, by provider.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use experiment::PrimitiveOperation;
use pki::Cache;
use stack::primitives::{Operation, PROVIDERS, prepare};
use wire::{NamedGroup, SignatureAlgorithm};

const GROUPS: &[NamedGroup] = &[
    NamedGroup::X25519,
    NamedGroup::SECP256R1,
    NamedGroup::SECP384R1,
    NamedGroup::MLKEM512,
    NamedGroup::MLKEM768,
    NamedGroup::MLKEM1024,
    NamedGroup::X25519MLKEM768,
    NamedGroup::SECP256R1MLKEM768,
    NamedGroup::SECP384R1MLKEM1024,
    NamedGroup::HQC128,
];

#[expect(
    clippy::panic,
    reason = "criterion has no other way to say that a benchmark is void"
)]
fn primitives(criterion: &mut Criterion) {
    let cache = Cache::default_dir().and_then(Cache::open);
    let cache = cache.unwrap_or_else(|error| panic!("{error}"));
    let mut operations: Vec<PrimitiveOperation> = GROUPS
        .iter()
        .copied()
        .flat_map(PrimitiveOperation::of_group)
        .collect();
    for algorithm in SignatureAlgorithm::ALL {
        operations.extend(PrimitiveOperation::of_signature(algorithm));
        operations.extend([
            PrimitiveOperation::Encrypt(algorithm),
            PrimitiveOperation::Decrypt(algorithm),
        ]);
    }
    let mut group = criterion.benchmark_group("primitive");
    for provider in PROVIDERS {
        let Ok(name) = provider.parse() else { continue };
        for operation in &operations {
            // What a provider lacks is not measured; `pqlab list` says who has what.
            let Ok(mut prepared) = prepare(&name, *operation, &cache) else {
                continue;
            };
            let id = format!("{provider}/{}/{}", operation.algorithm(), operation.name());
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|count| total(&mut prepared, count));
            });
        }
    }
    group.finish();
}

#[expect(
    clippy::panic,
    reason = "criterion has no other way to say that a benchmark is void"
)]
fn total(operation: &mut Operation, count: u64) -> Duration {
    (0..count)
        .map(|_| operation().unwrap_or_else(|error| panic!("{error}")))
        .sum()
}

criterion_group!(benches, primitives);
criterion_main!(benches);
