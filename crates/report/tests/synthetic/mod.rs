//! A run that nobody measured: plausible numbers from a deterministic generator.

// Each test file and the example use a part of this; what is parsed here is written here.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::collections::BTreeMap;

use experiment::{
    Budget, Flags, KeyExchange, Library, Machine, Manifest, Meter, Metric, Phase, QuicMetric,
    Record, Refusal, RefusalKind, Run, Sample, Scenario, Side, Subject,
};

/// The scenario that everything is held against.
pub const BASELINE: &str = "rustls>rustls/1.3/x25519/ecdsa-p256/full@memory";

/// A small generator of numbers that look random (SplitMix64).
struct Noise(u64);

impl Noise {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }

    /// Around 1, with a tail to the right as a busy machine has one.
    fn factor(&mut self) -> f64 {
        let tail = if self.unit() > 0.985 {
            self.unit() * 1.5
        } else {
            0.0
        };
        1.0 + (self.unit() - 0.5) * 0.06 + tail
    }
}

pub struct Builder {
    blocks: u32,
    records: Vec<Record>,
}

impl Builder {
    pub fn new(blocks: u32) -> Self {
        Self {
            blocks,
            records: Vec::new(),
        }
    }

    /// Samples around a value in nanoseconds, one a block; of latencies, eight.
    pub fn noisy(&mut self, subject: &str, replica: u8, metric: Metric, centre: f64) {
        let a_block = if metric == Metric::HandshakeLatency {
            8
        } else {
            1
        };
        let subject: Subject = subject.parse().unwrap();
        let seed = format!("{subject}{metric}{replica}");
        let seed = seed
            .bytes()
            .fold(17u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into()));
        let mut noise = Noise(seed);
        let samples = (0..self.blocks * a_block).map(|at| {
            let block = at / a_block;
            // The machine drifts, and every scenario of a block drifts with it.
            let drift = 1.0 + 0.2 * (f64::from(block) / 37.0).sin();
            let flags = if noise.unit() > 0.98 {
                Flags::SWITCHED
            } else {
                Flags::NONE
            };
            let value = (centre * drift * noise.factor()).round() as i64;
            Sample {
                block,
                value,
                flags,
            }
        });
        let samples = samples.collect();
        self.records.push(Record {
            subject,
            replica,
            metric,
            samples,
        });
    }

    /// A value that is the same every time.
    pub fn exact(&mut self, subject: &str, metric: Metric, value: f64) {
        let subject: Subject = subject.parse().unwrap();
        let samples = (0..4)
            .map(|block| Sample {
                block,
                value: value as i64,
                flags: Flags::NONE,
            })
            .collect();
        self.records.push(Record {
            subject,
            replica: 0,
            metric,
            samples,
        });
    }

    pub fn finish(self, manifest: Manifest) -> Run {
        Run::new(manifest, self.records)
    }
}

pub fn manifest() -> Manifest {
    Manifest {
        schema: Manifest::SCHEMA,
        pqlab_version: "0.1.0".to_owned(),
        git_revision: "0123abcd".to_owned(),
        compiler: "rustc 1.95.0, release".to_owned(),
        started: "2026-11-24T08:00:00Z".to_owned(),
        finished: Some("2026-11-24T08:20:00Z".to_owned()),
        title: "SYNTHETIC data: nobody measured this".to_owned(),
        matrix: String::new(),
        filters: Vec::new(),
        budget: Budget::default(),
        seed: 42,
        baseline: BASELINE.parse().ok(),
        machine: Machine {
            host: "nowhere".to_owned(),
            cpu: "Imaginary CPU @ 3.00 GHz".to_owned(),
            cores: 2,
            memory: 8 << 30,
            system: "Linux 6.1".to_owned(),
            virtualisation: Some("KVM".to_owned()),
            features: ["aes", "avx2", "avx512f", "sha"]
                .map(str::to_owned)
                .to_vec(),
        },
        libraries: [
            ("rustls", "rustls 0.23.46, aws-lc-rs 1.19", None),
            ("openssl", "OpenSSL 3.6.3", None),
            (
                "rustls-pqcrypto",
                "pqcrypto-mlkem 0.1.1",
                Some("unmaintained: not for traffic"),
            ),
        ]
        .map(|(name, version, caveat)| Library {
            name: name.to_owned(),
            version: version.to_owned(),
            caveat: caveat.map(str::to_owned),
        })
        .to_vec(),
        spent: BTreeMap::from([(Meter::Cpu, 60.0), (Meter::Latency, 31.5)]),
        refusals: vec![Refusal {
            subject: "rustls>rustls/1.2/static-rsa/rsa-2048/full@memory"
                .parse()
                .unwrap(),
            meter: Meter::Cpu,
            kind: RefusalKind::Unsupported,
            reason: "rustls has no RSA key transport <by design>".to_owned(),
        }],
        remarks: vec!["Every number here is made up.".to_owned()],
    }
}

/// Microseconds of client and server: key exchange.
fn exchange(name: &str) -> (f64, f64) {
    match name {
        "x25519" => (40.0, 36.0),
        "secp256r1" => (66.0, 60.0),
        "secp384r1" => (240.0, 190.0),
        "X25519MLKEM768" => (72.0, 52.0),
        "SecP256r1MLKEM768" => (98.0, 76.0),
        "SecP384r1MLKEM1024" => (281.0, 215.0),
        "MLKEM768" => (32.0, 16.0),
        "MLKEM1024" => (41.0, 22.0),
        _ => (20.0, 20.0),
    }
}

/// Microseconds of verifying and signing.
fn authentication(name: &str) -> (f64, f64) {
    match name {
        "ecdsa-p256" => (150.0, 16.0),
        "rsa-2048" => (60.0, 240.0),
        "rsa-3072" => (110.0, 690.0),
        "rsa-4096" => (190.0, 1430.0),
        "ml-dsa-44" => (75.0, 70.0),
        "ml-dsa-65" => (112.0, 104.0),
        "ml-dsa-87" => (170.0, 136.0),
        _ => (100.0, 30.0),
    }
}

fn shares(name: &str) -> (f64, f64) {
    let group = name.parse::<KeyExchange>().unwrap();
    match group {
        KeyExchange::Group(group) => {
            let facts = group.facts().unwrap();
            (f64::from(facts.client_share), f64::from(facts.server_share))
        }
        KeyExchange::StaticRsa => (0.0, 0.0),
    }
}

fn chain_bytes(name: &str) -> f64 {
    match name {
        "ecdsa-p256" => 1087.0,
        "rsa-2048" => 2062.0,
        "rsa-4096" => 3342.0,
        "ml-dsa-44" => 10_626.0,
        "ml-dsa-65" => 14_573.0,
        "ml-dsa-87" => 19_829.0,
        _ => 2600.0,
    }
}

const GROUPS: [&str; 8] = [
    "x25519",
    "secp256r1",
    "secp384r1",
    "X25519MLKEM768",
    "SecP256r1MLKEM768",
    "SecP384r1MLKEM1024",
    "MLKEM768",
    "MLKEM1024",
];
const CERTIFICATES: [&str; 7] = [
    "ecdsa-p256",
    "rsa-2048",
    "rsa-3072",
    "rsa-4096",
    "ml-dsa-44",
    "ml-dsa-65",
    "ml-dsa-87",
];

/// A run with everything that a chart can show.
pub fn run(blocks: u32) -> Run {
    let mut b = Builder::new(blocks);
    let us = 1e3;
    let cost = |b: &mut Builder, id: &str, replica, client: f64, server: f64| {
        for (side, value) in [(Side::Client, client), (Side::Server, server)] {
            b.noisy(id, replica, Metric::Cpu(side), (value + 2.0) * us);
            b.noisy(id, replica, Metric::Wall(side), (value + 2.5) * us);
        }
    };
    cost(
        &mut b,
        "null>null/1.3/x25519/ecdsa-p256/full@memory",
        0,
        0.0,
        0.0,
    );
    let state_machine = (45.0, 38.0);
    for stack in ["rustls", "rustls-pqcrypto", "openssl"] {
        let slower = if stack == "openssl" { 1.7 } else { 1.0 };
        for group in GROUPS {
            if stack == "rustls-pqcrypto" && !group.contains("MLKEM") {
                continue;
            }
            let ((kc, ks), (ac, as_)) = (exchange(group), authentication("ecdsa-p256"));
            let id = format!("{stack}>{stack}/1.3/{group}/ecdsa-p256/full@memory");
            let pq = if stack == "rustls-pqcrypto" {
                0.96
            } else {
                1.0
            };
            let client = (kc * pq + ac + state_machine.0) * slower;
            let server = (ks * pq + as_ + state_machine.1) * slower;
            cost(&mut b, &id, 0, client, server);
        }
    }
    let ((kc, ks), (ac, as_)) = (exchange("x25519"), authentication("ecdsa-p256"));
    cost(
        &mut b,
        BASELINE,
        1,
        kc + ac + state_machine.0,
        ks + as_ + state_machine.1,
    );
    for (id, client, server) in [
        (
            "openssl>openssl/1.2/static-rsa/rsa-2048/full@memory",
            156.0,
            274.0,
        ),
        (
            "openssl>openssl/1.2/static-rsa/rsa-3072/full@memory",
            226.0,
            725.0,
        ),
        (
            "openssl>openssl/1.2/static-rsa/rsa-4096/full@memory",
            333.0,
            1528.0,
        ),
        (
            "openssl>openssl/1.2/x25519/rsa-2048/full@memory",
            239.0,
            352.0,
        ),
        (
            "rustls>openssl/1.3/X25519MLKEM768/ecdsa-p256/full@memory",
            265.0,
            230.0,
        ),
        (
            "openssl>rustls/1.3/X25519MLKEM768/ecdsa-p256/full@memory",
            510.0,
            104.0,
        ),
    ] {
        cost(&mut b, id, 0, client, server);
    }
    for certificate in &CERTIFICATES[1..] {
        let ((kc, ks), (ac, as_)) = (exchange("X25519MLKEM768"), authentication(certificate));
        let id = format!("rustls>rustls/1.3/X25519MLKEM768/{certificate}/full@memory");
        cost(
            &mut b,
            &id,
            0,
            kc + ac + state_machine.0,
            ks + as_ + state_machine.1,
        );
    }
    for (group, kinds) in [
        ("x25519", ["resumed", "hrr", "full+mutual", "0-rtt"]),
        ("X25519MLKEM768", ["resumed", "hrr", "full+mutual", "0-rtt"]),
    ] {
        let (kc, ks) = exchange(group);
        let costs = [
            (kc + 52.0, ks + 48.0),
            (kc + 216.0, ks + 78.0),
            (kc + 230.0, ks + 220.0),
            (kc + 60.0, ks + 59.0),
        ];
        for (kind, (client, server)) in kinds.into_iter().zip(costs) {
            let id = format!("rustls>rustls/1.3/{group}/ecdsa-p256/{kind}@memory");
            cost(&mut b, &id, 0, client, server);
        }
    }
    phases(&mut b);
    bytes(&mut b);
    resumed_bytes(&mut b);
    tcp_and_rates(&mut b);
    quic(&mut b);
    memory_tickets_transfers(&mut b);
    primitives(&mut b);
    b.finish(manifest())
}

fn phases(b: &mut Builder) {
    /// Phases are timed in minutes of their own, in which a machine may be slower.
    const SLOW: f64 = 1.5;
    for (group, certificate) in [
        ("x25519", "ecdsa-p256"),
        ("X25519MLKEM768", "ecdsa-p256"),
        ("X25519MLKEM768", "ml-dsa-65"),
    ] {
        let id = format!("rustls>rustls/1.3/{group}/{certificate}/full@memory");
        let ((kc, ks), (ac, as_)) = (exchange(group), authentication(certificate));
        for (side, phase, value) in [
            (Side::Client, Phase::GenerateShare, kc * 0.4),
            (Side::Client, Phase::Agree, kc * 0.6),
            (Side::Client, Phase::Verify, ac),
            (Side::Server, Phase::Agree, ks),
            (Side::Server, Phase::Sign, as_),
        ] {
            b.noisy(&id, 0, Metric::Phase(side, phase), value * SLOW * 1e3);
        }
        for (side, value) in [
            (Side::Client, kc + ac + 45.0),
            (Side::Server, ks + as_ + 38.0),
        ] {
            b.noisy(&id, 2, Metric::Wall(side), value * SLOW * 1e3);
        }
    }
}

fn bytes(b: &mut Builder) {
    for group in ["x25519", "X25519MLKEM768", "MLKEM1024"] {
        for certificate in [
            "ecdsa-p256",
            "rsa-2048",
            "rsa-4096",
            "ml-dsa-44",
            "ml-dsa-65",
            "ml-dsa-87",
        ] {
            let id = format!("rustls>rustls/1.3/{group}/{certificate}/full@memory");
            let (up, down) = shares(group);
            b.exact(&id, Metric::FlightBytes(1, Side::Client), 200.0 + up);
            b.exact(
                &id,
                Metric::FlightBytes(2, Side::Server),
                chain_bytes(certificate) - 32.0 + down,
            );
            b.exact(&id, Metric::FlightBytes(3, Side::Client), 80.0);
        }
    }
}

/// A ticket makes a ClientHello longer and spares the certificates.
fn resumed_bytes(b: &mut Builder) {
    let id = "rustls>rustls/1.3/X25519MLKEM768/ecdsa-p256/resumed@memory";
    b.exact(id, Metric::FlightBytes(1, Side::Client), 1_607.0);
    b.exact(id, Metric::FlightBytes(2, Side::Server), 1_307.0);
    b.exact(id, Metric::FlightBytes(3, Side::Client), 80.0);
}

fn tcp_and_rates(b: &mut Builder) {
    for (group, certificate, latency) in [
        ("x25519", "ecdsa-p256", 420.0),
        ("X25519MLKEM768", "ecdsa-p256", 472.0),
        ("X25519MLKEM768", "ml-dsa-65", 560.0),
        ("x25519", "rsa-2048", 590.0),
    ] {
        let id = format!("rustls>rustls/1.3/{group}/{certificate}/full@loopback");
        b.noisy(&id, 0, Metric::HandshakeLatency, latency * 1e3);
        let id = format!("rustls>rustls/1.3/{group}/{certificate}/full@memory");
        b.noisy(&id, 0, Metric::IntervalOneCore, latency * 0.8e3);
        b.noisy(&id, 0, Metric::IntervalAllCores, latency * 0.46e3);
    }
}

/// Round trips as the limit of a server that does not know its client yet makes them.
fn quic(b: &mut Builder) {
    for (group, datagrams) in [("x25519", 1.0), ("X25519MLKEM768", 2.0)] {
        for certificate in ["ecdsa-p256", "rsa-4096", "ml-dsa-65"] {
            let id = format!("rustls>rustls/1.3/{group}/{certificate}/full@memory");
            let (_, share) = shares(group);
            let (limit, flight) = (3600.0 * datagrams, chain_bytes(certificate) + share + 400.0);
            let waits = f64::from(flight > limit) + f64::from(flight > limit + 11_000.0);
            let ((kc, ks), (ac, as_)) = (exchange(group), authentication(certificate));
            for (metric, value) in [
                (QuicMetric::RoundTrips, 1.0 + waits),
                (
                    QuicMetric::RoundTripsWithRetry,
                    2.0 + f64::from(flight > 11_000.0),
                ),
                (QuicMetric::FirstFlight, datagrams),
                (QuicMetric::Unvalidated, flight.min(limit)),
                (QuicMetric::Limit, limit),
            ] {
                b.exact(&id, Metric::Quic(metric), value);
            }
            for (side, value) in [(Side::Client, kc + ac), (Side::Server, ks + as_)] {
                let metric = Metric::Quic(QuicMetric::Cpu(side));
                b.noisy(&id, 0, metric, (value + 190.0) * 1e3);
            }
        }
    }
}

fn memory_tickets_transfers(b: &mut Builder) {
    for (group, heap) in [("x25519", 15_400.0), ("X25519MLKEM768", 16_700.0)] {
        let id = format!("rustls>rustls/1.3/{group}/ecdsa-p256/full@memory");
        for (side, share) in [(Side::Client, 1.1), (Side::Server, 1.0)] {
            b.exact(&id, Metric::Heap(side), heap * share);
            b.exact(&id, Metric::Allocations(side), heap / 200.0 * share);
        }
        for tickets in [1, 2] {
            let id = format!("rustls>rustls/1.3/{group}/ecdsa-p256/full+tickets={tickets}@memory");
            let time = f64::from(tickets) * 9e3;
            b.noisy(&id, 0, Metric::Tickets(Side::Server), time + 4e3);
            b.noisy(&id, 0, Metric::Tickets(Side::Client), time * 0.4);
        }
    }
    for suite in ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"] {
        for size in [1024, 16_384] {
            let option = format!("+{suite}");
            let id =
                format!("transfer:rustls>rustls/1.3/x25519/ecdsa-p256/full{option}@memory#{size}");
            let per_byte = if suite.contains("AES") { 0.12 } else { 0.42 };
            let time = f64::from(size) * per_byte + 90.0;
            b.noisy(&id, 0, Metric::Send, time);
            b.noisy(&id, 0, Metric::Receive, time * 1.15);
        }
    }
}

fn primitives(b: &mut Builder) {
    for (id, microseconds) in [
        ("aws-lc-rs/x25519/generate-share", 7.7),
        ("aws-lc-rs/x25519/encapsulate", 32.0),
        ("aws-lc-rs/MLKEM768/generate-share", 12.9),
        ("aws-lc-rs/MLKEM768/encapsulate", 13.3),
        ("aws-lc-rs/MLKEM768/decapsulate", 15.6),
        ("pqcrypto/MLKEM768/encapsulate", 10.9),
        ("aws-lc-rs/ecdsa-p256/sign", 15.0),
        ("aws-lc-rs/ecdsa-p256/verify", 50.0),
        ("aws-lc-rs/rsa-2048/sign", 232.0),
        ("aws-lc-rs/rsa-4096/sign", 1425.0),
        ("aws-lc-rs/ml-dsa-65/sign", 99.0),
        ("aws-lc-rs/ml-dsa-65/verify", 35.0),
        ("openssl/rsa-2048/decrypt", 240.0),
    ] {
        b.noisy(
            &format!("primitive:{id}"),
            0,
            Metric::Operation,
            microseconds * 1e3,
        );
    }
}

/// A scenario from its id.
pub fn scenario(id: &str) -> Scenario {
    id.parse().unwrap()
}
