//! What the s2n-tls stack says that it can do, it does: with itself, and with a stack that
//! pins one group, suite and scheme, on either side.
#![cfg(feature = "s2n")]
#![allow(clippy::unwrap_used)]

use experiment::{Handshake, NetworkName, Scenario, Side};
use stack::{Credentials, NoGauge, Pair, PhaseTiming, by_name};

const GROUPS: &[&str] = &[
    "x25519",
    "secp256r1",
    "secp384r1",
    "X25519MLKEM768",
    "SecP256r1MLKEM768",
    "SecP384r1MLKEM1024",
    "MLKEM512",
    "MLKEM768",
    "MLKEM1024",
];
const CHAINS: &[&str] = &[
    "rsa-2048",
    "ecdsa-p256",
    "ecdsa-p384",
    "ed25519",
    "ml-dsa-44",
    "ml-dsa-65",
    "ml-dsa-87",
    "ecdsa-p256+ml-dsa-87",
];
const SUITES: &[&str] = &[
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];
const CLIENTS: &[&str] = &["", "+mutual=rsa-2048", "+mutual=ml-dsa-87"];

fn handshakes() -> Vec<Handshake> {
    let mut handshakes = Vec::new();
    for group in GROUPS {
        for chain in CHAINS {
            for suite in SUITES {
                for client in CLIENTS {
                    let id = format!("1.3/{group}/{chain}/full{client}+{suite}");
                    handshakes.push(id.parse().unwrap());
                }
            }
        }
    }
    handshakes
}

fn completes(client: &str, server: &str, handshake: &Handshake, credentials: &Credentials) {
    let memory = NetworkName::memory();
    let names = (client.parse().unwrap(), server.parse().unwrap());
    let scenario = Scenario::new(names.0, names.1, *handshake, memory);
    let mut pair = Pair::new(&scenario, credentials, PhaseTiming::Off, by_name).unwrap();
    let done = pair
        .handshake(&mut NoGauge)
        .unwrap_or_else(|error| panic!("{scenario}: {error}"));
    let verified = done
        .verify(handshake)
        .and_then(|()| done.verify_exporters());
    verified.unwrap_or_else(|error| panic!("{scenario}: {error}"));
}

#[test]
fn claims_hold() {
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    let s2n = by_name(&"s2n-tls".parse().unwrap()).unwrap();
    let rustls = by_name(&"rustls".parse().unwrap()).unwrap();
    let mut counts = [0; 3];
    for handshake in handshakes() {
        if rustls.supports(Side::Client, &handshake).is_err() {
            continue;
        }
        let credentials = Credentials::for_handshake(&handshake, &cache).unwrap();
        let [client, server] = Side::BOTH.map(|side| s2n.supports(side, &handshake).is_ok());
        for (n, is_claimed, [client, server]) in [
            (0, client, ["s2n-tls", "rustls"]),
            (1, server, ["rustls", "s2n-tls"]),
            (2, client && server, ["s2n-tls", "s2n-tls"]),
        ] {
            if is_claimed {
                completes(client, server, &handshake, &credentials);
                counts[n] += 1;
            }
        }
    }
    println!(
        "as client {}, as server {}, as both {}",
        counts[0], counts[1], counts[2]
    );
    // What is claimed as a client is claimed as a server, too.
    assert!(counts[0] > 30 && counts[2] == counts[0], "{counts:?}");
    assert!(counts[1] > 200, "{counts:?}");
}

/// A refusal names what is refused, so that a user can ask for something else.
#[test]
fn refusals_say_why() {
    let s2n = by_name(&"s2n-tls".parse().unwrap()).unwrap();
    for (id, side, word) in [
        ("1.2/x25519/ecdsa-p256/full", Side::Server, "TLS 1.2"),
        ("1.2/static-rsa/rsa-2048/full", Side::Server, "TLS 1.2"),
        ("1.3/x25519/ecdsa-p256/hrr", Side::Client, "retry"),
        ("1.3/x25519/ecdsa-p256/resumed", Side::Client, "tickets"),
        (
            "1.3/x25519/ecdsa-p256/full+tickets=1",
            Side::Server,
            "tickets",
        ),
        ("1.3/x25519/ecdsa-p256/0-rtt", Side::Server, "0-RTT"),
        ("1.3/x25519/ed25519/full", Side::Server, "ed25519"),
        ("1.3/MLKEM768/ecdsa-p256/full", Side::Server, "MLKEM768"),
        (
            "1.3/SecP256r1MLKEM768/ecdsa-p256/full",
            Side::Client,
            "SecP256r1MLKEM768",
        ),
        (
            "1.3/X25519MLKEM768/ml-dsa-65/full",
            Side::Client,
            "ml-dsa-65",
        ),
        ("1.3/MLKEM1024/ml-dsa-65/full", Side::Server, "ml-dsa-65"),
        (
            "1.3/x25519/ecdsa-p256/full+TLS_CHACHA20_POLY1305_SHA256",
            Side::Client,
            "TLS_CHACHA20_POLY1305_SHA256",
        ),
    ] {
        let refusal = s2n.supports(side, &id.parse().unwrap()).unwrap_err();
        assert!(refusal.reason.contains(word), "{id}: {}", refusal.reason);
    }
}
