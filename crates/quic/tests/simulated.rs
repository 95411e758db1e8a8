//! Handshakes over the simulated link: what RFC 9000 says about round trips must be seen.

#![allow(clippy::unwrap_used)]

use experiment::{Scenario, Side};
use quic::{AddressValidation, Established, Pair, round_trips};
use stack::{Credentials, Gauge, NoGauge, PairError, Stage};

fn pair(id: &str, validation: AddressValidation) -> Result<Pair, PairError> {
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    let scenario: Scenario = format!("rustls>rustls/{id}@memory").parse().unwrap();
    let credentials = Credentials::for_handshake(scenario.handshake(), &cache).unwrap();
    Pair::new(&scenario, &credentials, validation)
}

fn established(group: &str, chain: &str, validation: AddressValidation) -> Established {
    let pair = pair(&format!("1.3/{group}/{chain}/full"), validation).unwrap();
    pair.exchange().unwrap()
}

fn trips(group: &str, chain: &str, validation: AddressValidation) -> u64 {
    round_trips(established(group, chain, validation).complete)
}

use AddressValidation::{ByHandshake, ByRetry};

#[test]
fn a_small_chain_takes_one_round_trip_whatever_the_group() {
    for group in ["x25519", "X25519MLKEM768", "MLKEM1024"] {
        let done = established(group, "ecdsa-p256", ByHandshake);
        assert_eq!(round_trips(done.complete), 1, "{group}");
        // The request takes another.
        assert_eq!(round_trips(done.first_byte.unwrap()), 2, "{group}");
    }
}

/// The finding: a longer ClientHello lets the server send more before it must wait.
#[test]
fn a_second_datagram_of_the_client_saves_a_round_trip() {
    for chain in ["rsa-4096", "ml-dsa-65"] {
        let short = established("x25519", chain, ByHandshake);
        let long = established("X25519MLKEM768", chain, ByHandshake);
        assert_eq!(short.observation.first_flight.datagrams, 1);
        assert_eq!(long.observation.first_flight.datagrams, 2);
        assert!(short.observation.before_validation.is_exhausted());
        let (short, long) = (round_trips(short.complete), round_trips(long.complete));
        assert_eq!(short, long + 1, "{chain}");
    }
}

/// RFC 9000 section 8.1: three times what was received, of which quinn may fill up the
/// datagram that it has begun.
#[test]
fn the_server_keeps_to_the_limit() {
    for group in ["x25519", "X25519MLKEM768"] {
        for chain in ["ecdsa-p256", "rsa-4096", "ml-dsa-44", "ml-dsa-87"] {
            let done = established(group, chain, ByHandshake);
            let before = done.observation.before_validation;
            assert_eq!(before.received, done.observation.first_flight.bytes);
            assert!(before.sent <= before.limit(), "{group} {chain}: {before:?}");
            // Whoever took one round trip was not held back, and the reverse.
            let waited = round_trips(done.complete) > 1;
            assert_eq!(before.is_exhausted(), waited, "{group} {chain}: {before:?}");
        }
    }
}

/// A Retry takes a round trip, and lifts the limit.
#[test]
fn a_retry_is_free_where_the_server_would_have_waited() {
    let small = ["x25519", "ecdsa-p256"];
    let large = ["x25519", "rsa-4096"];
    let of = |[group, chain]: [&str; 2], validation| trips(group, chain, validation);
    assert_eq!(of(small, ByRetry), of(small, ByHandshake) + 1);
    assert_eq!(of(large, ByRetry), of(large, ByHandshake));
    let retried = established("x25519", "rsa-4096", ByRetry).observation;
    assert!(retried.has_retry && !retried.has_hello_retry);
    assert!(retried.before_validation.sent < retried.before_validation.received);
}

#[test]
fn another_key_share_takes_another_round_trip() {
    let pair = pair("1.3/X25519MLKEM768/ecdsa-p256/hrr", ByHandshake).unwrap();
    // The client must not remember from the first time what the server wants.
    for _ in 0..3 {
        let done = pair.handshake(&mut NoGauge).unwrap();
        assert!(done.observation.has_hello_retry);
        assert_eq!(round_trips(done.complete), 2);
    }
}

#[test]
fn the_largest_chain_fits_with_client_certificates() {
    let pair = pair("1.3/MLKEM1024/ml-dsa-87/full+mutual", ByHandshake).unwrap();
    let done = pair.exchange().unwrap();
    assert!(done.observation.client.bytes > 15_000);
    assert!(done.first_byte.unwrap() > done.complete);
}

/// Two runs differ in keys, and in nothing that is counted. (The length of an ECDSA signature
/// varies: RSA's does not.)
#[test]
fn the_simulation_repeats_itself() {
    let pair = pair("1.3/X25519MLKEM768/rsa-2048/full", ByHandshake).unwrap();
    let mut runs = (0..3).map(|_| {
        let done = pair.handshake(&mut NoGauge).unwrap();
        let seen = done.observation;
        (
            done.complete,
            seen.client,
            seen.server,
            seen.before_validation,
        )
    });
    let first = runs.next().unwrap();
    assert!(runs.all(|run| run == first));
}

#[test]
fn the_gauge_is_told_of_both_sides_and_of_nothing_after() {
    #[derive(Default)]
    struct Steps {
        begun: Vec<Side>,
        ended: Vec<Side>,
    }
    impl Gauge for Steps {
        fn begin(&mut self, side: Side) {
            self.begun.push(side);
        }
        fn end(&mut self, side: Side, stage: Stage) {
            assert_eq!(stage, Stage::Handshake);
            self.ended.push(side);
        }
    }
    let mut steps = Steps::default();
    let pair = pair("1.3/x25519/ecdsa-p256/full", ByHandshake).unwrap();
    pair.handshake(&mut steps).unwrap();
    let one_trip = [Side::Client, Side::Server, Side::Client, Side::Server];
    assert_eq!(steps.begun, one_trip);
    assert_eq!(steps.ended, one_trip);
}

#[test]
fn what_quic_does_not_have_is_unsupported_with_its_reason() {
    for (id, reason) in [
        ("1.2/x25519/rsa-2048/full", "TLS 1.3 only"),
        ("1.3/x25519/ecdsa-p256/resumed", "resumption"),
        ("1.3/x25519/ecdsa-p256/full+tickets=2", "tickets"),
        ("1.3/X25519HQC128/ecdsa-p256/full", "X25519HQC128"),
    ] {
        let error = pair(id, ByHandshake).err().unwrap();
        assert!(matches!(error, PairError::Unsupported(_)), "{id}: {error}");
        assert!(error.to_string().contains(reason), "{id}: {error}");
    }
    let other = "openssl>rustls/1.3/x25519/ecdsa-p256/full@memory";
    let scenario: Scenario = other.parse().unwrap();
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    let credentials = Credentials::for_handshake(scenario.handshake(), &cache).unwrap();
    let error = Pair::new(&scenario, &credentials, ByHandshake)
        .err()
        .unwrap();
    assert!(matches!(error, PairError::Unsupported(_)), "{error}");
}
