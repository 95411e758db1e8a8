//! Bulk data: bytes per second by cipher suite and record size, sending and receiving.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stack::{Connection, NoGauge, STACKS};

const SUITES: &[&str] = &[
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];
const RECORD_SIZES: &[usize] = &[1024, 4096, 16384];

fn transfers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("transfer");
    for stack in STACKS {
        for suite in SUITES {
            let id = format!("1.3/x25519/ecdsa-p256/full+{suite}");
            let Some(mut pair) = id
                .parse()
                .ok()
                .and_then(|handshake| benches::pair(*stack, handshake))
            else {
                continue;
            };
            let Ok(established) = pair.handshake(&mut NoGauge) else {
                continue;
            };
            let (mut client, mut server) = (established.client, established.server);
            for size in RECORD_SIZES {
                let record = vec![0x5a; *size];
                group.throughput(Throughput::Bytes(*size as u64));
                for (name, at) in [("send", 0), ("receive", 1)] {
                    let name = format!("{}/{suite}/{size}/{name}", stack.name());
                    group.bench_function(name, |bencher| {
                        bencher.iter_custom(|count| {
                            times(&mut *client, &mut *server, &record, count)[at]
                        });
                    });
                }
            }
        }
    }
    group.finish();
}

/// Sends and receives so many records, one by one; gives the time of each part.
#[expect(
    clippy::panic,
    reason = "criterion has no other way to say that a benchmark is void"
)]
fn times(
    client: &mut dyn Connection,
    server: &mut dyn Connection,
    record: &[u8],
    count: u64,
) -> [Duration; 2] {
    let mut encrypted = Vec::with_capacity(2 * record.len());
    let mut plaintext = vec![0; record.len() + 1];
    let [mut sending, mut receiving] = [Duration::ZERO; 2];
    for _ in 0..count {
        encrypted.clear();
        let start = Instant::now();
        let sent = server.send(record, &mut encrypted);
        sending += start.elapsed();
        let start = Instant::now();
        let received = client.receive(&encrypted, &mut plaintext);
        receiving += start.elapsed();
        if sent.is_err() || received != Ok(record.len()) {
            panic!("the record did not arrive: {sent:?}, {received:?}");
        }
    }
    [sending, receiving]
}

criterion_group!(benches, transfers);
criterion_main!(benches);
