//! Resumed handshakes; client and server apart. Each uses a ticket of its own, and the
//! handshakes that issue the tickets do not count.

use criterion::{Criterion, criterion_group, criterion_main};
use experiment::Side;

const HANDSHAKES: &[&str] = &[
    "1.3/x25519/ecdsa-p256/resumed",
    "1.3/X25519MLKEM768/ecdsa-p256/resumed",
    "1.3/MLKEM768/ecdsa-p256/resumed",
    "1.3/X25519MLKEM768/ecdsa-p256/0-rtt",
    "1.3/X25519MLKEM768/ecdsa-p256/resumed+tickets=1",
];

fn resumptions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resumption");
    for (name, mut pair) in benches::pairs(HANDSHAKES) {
        for side in Side::BOTH {
            group.bench_function(format!("{name}/{side}"), |bencher| {
                bencher.iter_custom(|count| benches::time_of(side, &mut pair, count));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, resumptions);
criterion_main!(benches);
