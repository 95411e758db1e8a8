//! Full handshakes: each stack, key exchange and authentication; client and server apart.

use criterion::{Criterion, criterion_group, criterion_main};
use experiment::Side;

const HANDSHAKES: &[&str] = &[
    "1.3/x25519/ecdsa-p256/full",
    "1.3/secp256r1/ecdsa-p256/full",
    "1.3/X25519MLKEM768/ecdsa-p256/full",
    "1.3/SecP256r1MLKEM768/ecdsa-p256/full",
    "1.3/SecP384r1MLKEM1024/ecdsa-p256/full",
    "1.3/MLKEM768/ecdsa-p256/full",
    "1.3/MLKEM1024/ecdsa-p256/full",
    "1.3/X25519MLKEM768/rsa-2048/full",
    "1.3/X25519MLKEM768/rsa-4096/full",
    "1.3/X25519MLKEM768/ed25519/full",
    "1.3/X25519MLKEM768/ml-dsa-44/full",
    "1.3/X25519MLKEM768/ml-dsa-65/full",
    "1.3/X25519MLKEM768/ml-dsa-87/full",
    "1.3/X25519MLKEM768/ecdsa-p256/full+mutual",
    "1.2/x25519/rsa-2048/full",
    "1.2/static-rsa/rsa-2048/full",
];

fn handshakes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("handshake");
    for (name, mut pair) in benches::pairs(HANDSHAKES) {
        for side in Side::BOTH {
            group.bench_function(format!("{name}/{side}"), |bencher| {
                bencher.iter_custom(|count| benches::time_of(side, &mut pair, count));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, handshakes);
criterion_main!(benches);
