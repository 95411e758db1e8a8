//! Every meter leaves the samples it promises, and no others.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::AtomicBool;

use experiment::{Meter, Metric, Phase, QuicMetric, Refusal, RefusalKind, Run, Side, Subject};
use measure::{BuildInfo, Outcome, Plan, Progress, parse_matrix, run};

const MATRIX: &str = r#"title = "Every meter"
baseline = "rustls>rustls/1.3/x25519/ecdsa-p256/full@memory"

[seconds]
bytes = 0.5
memory = 0.5
quic = 1
primitives = 0.5
phases = 1
cpu = 2
throughput = 1
transfer = 1
latency = 2

[[handshake]]
stacks = ["rustls", "openssl"]
kx = ["X25519MLKEM768"]
auth = ["ecdsa-p256"]
kind = ["full", "resumed"]
measure = ["cpu", "bytes", "memory"]

[[handshake]]
stacks = ["rustls", "openssl"]
kx = ["X25519MLKEM768"]
auth = ["ecdsa-p256"]
measure = ["phases", "throughput"]

[[handshake]]
stacks = ["rustls", "openssl"]
network = "loopback"
kx = ["X25519MLKEM768"]
auth = ["ecdsa-p256"]
kind = ["full", "hrr", "resumed"]
measure = ["latency"]

[[handshake]]
stacks = ["rustls"]
kx = ["x25519"]
auth = ["ecdsa-p256"]
measure = ["latency"]

[[handshake]]
stacks = ["rustls", "openssl"]
kx = ["x25519", "X25519MLKEM768"]
auth = ["rsa-4096"]
measure = ["quic"]

[[transfer]]
stacks = ["rustls"]
kx = "X25519MLKEM768"
auth = "ecdsa-p256"
suite = ["TLS_AES_128_GCM_SHA256"]
record-size = [16384]

[[primitive]]
provider = ["aws-lc-rs"]
kx = ["MLKEM768"]
"#;

struct Silent;

impl Progress for Silent {
    fn preparing(&mut self, _: &str) {}
    fn begin(&mut self, _: Meter, _: usize, _: f64) {}
    fn spent(&mut self, _: f64) {}
    fn refused(&mut self, _: &Refusal) {}
}

fn measured() -> Run {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        folder: folder.path().join("run"),
        matrix: parse_matrix(MATRIX).unwrap(),
        matrix_text: MATRIX.to_owned(),
        filters: Vec::new(),
        seed: 1,
        build: BuildInfo::default(),
    };
    let out = plan.folder.clone();
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    let outcome = run(plan, &cache, &mut Silent, &AtomicBool::new(false)).unwrap();
    assert_eq!(outcome, Outcome::Finished);
    Run::load(&out).unwrap()
}

fn subject(id: &str) -> Subject {
    id.parse().unwrap()
}

#[test]
fn each_leaves_its_samples() {
    let run = measured();
    let median = |id: &str, metric| {
        let summary = run.summary(&subject(id), metric);
        let summary = summary.unwrap_or_else(|| panic!("{id} has no {metric}"));
        assert!(summary.min() > 0.0, "{id} {metric}");
        summary.median.value
    };
    for stack in ["rustls", "openssl"] {
        let handshake = format!("{stack}>{stack}/1.3/X25519MLKEM768/ecdsa-p256");
        let full = format!("{handshake}/full@memory");
        let resumed = format!("{handshake}/resumed@memory");
        for side in Side::BOTH {
            for metric in [
                Metric::Cpu(side),
                Metric::Wall(side),
                Metric::HeapPeak(side),
            ] {
                median(&full, metric);
                median(&resumed, metric);
            }
            // A resumption has no certificates to send, nor to verify.
            assert!(median(&full, Metric::Heap(side)) > 1000.0);
        }
        let flight = Metric::FlightBytes(2, Side::Server);
        assert!(median(&full, flight) > median(&resumed, flight) + 500.0);
        median(&full, Metric::IntervalOneCore);
        median(&full, Metric::IntervalAllCores);
        for kind in ["full", "hrr", "resumed"] {
            let over_tcp = format!("{handshake}/{kind}@loopback");
            let connect = median(&over_tcp, Metric::Connect);
            let handshake = median(&over_tcp, Metric::HandshakeLatency);
            let first_byte = run.samples(&subject(&over_tcp), 0, Metric::FirstByte);
            assert!(connect < handshake, "{over_tcp}");
            let handshakes = run.samples(&subject(&over_tcp), 0, Metric::HandshakeLatency);
            let connects = run.samples(&subject(&over_tcp), 0, Metric::Connect);
            for ((whole, first), second) in first_byte.iter().zip(connects).zip(handshakes) {
                assert!(whole.value >= first.value + second.value, "{over_tcp}");
            }
        }
    }
    let full = "rustls>rustls/1.3/X25519MLKEM768/ecdsa-p256/full@memory";
    median(full, Metric::Phase(Side::Client, Phase::GenerateShare));
    median(full, Metric::Phase(Side::Server, Phase::Sign));
    let data = "transfer:rustls>rustls/1.3/X25519MLKEM768/ecdsa-p256/full+TLS_AES_128_GCM_SHA256@memory#16384";
    median(data, Metric::Send);
    median(data, Metric::Receive);
    median(
        "primitive:aws-lc-rs/MLKEM768/decapsulate",
        Metric::Operation,
    );
    let over_quic = |group: &str, metric| {
        let id = format!("rustls>rustls/1.3/{group}/rsa-4096/full@memory");
        median(&id, Metric::Quic(metric))
    };
    for metric in QuicMetric::ALL {
        over_quic("x25519", metric);
    }
    let datagrams = QuicMetric::FirstFlight;
    assert_eq!(over_quic("X25519MLKEM768", datagrams), 2.0);
    let limit = |group| over_quic(group, QuicMetric::Limit);
    assert_eq!(limit("X25519MLKEM768"), 2.0 * limit("x25519"));
    assert!(run.noise(&[Metric::Cpu(Side::Server)]).is_some());

    // What can't be is a row with its reason, and nothing else is refused.
    let refused: Vec<_> = run.manifest.refusals.iter().collect();
    assert_eq!(refused.len(), 4, "{refused:?}");
    let quic = refused.iter().filter(|r| r.meter == Meter::Quic);
    assert!(quic.clone().all(|r| r.reason.contains("the stack rustls")));
    assert_eq!(quic.count(), 2);
    let phases = refused.iter().find(|r| r.meter == Meter::Phases).unwrap();
    assert!(phases.subject.to_string().starts_with("openssl>openssl"));
    let latency = refused.iter().find(|r| r.meter == Meter::Latency).unwrap();
    assert!(
        latency.reason.contains("network = \"loopback\""),
        "{latency:?}"
    );
    assert!(refused.iter().all(|r| r.kind == RefusalKind::Unsupported));
}
