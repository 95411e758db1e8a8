//! Every stack against every other: each handshake that both sides support completes, is
//! what was asked for, and both sides export the same keying material.
#![allow(clippy::unwrap_used)]

use experiment::{Handshake, HandshakeKind, NetworkName, Scenario, Side};
use stack::{Credentials, NoGauge, Pair, PhaseTiming, STACKS, TlsStack, by_name};

/// Handshakes that cover each value of each axis.
const HANDSHAKES: &[&str] = &[
    "1.3/x25519/ecdsa-p256/full",
    "1.3/secp256r1/ecdsa-p256/full",
    "1.3/secp384r1/ecdsa-p384/full",
    "1.3/X25519MLKEM768/ecdsa-p256/full",
    "1.3/SecP256r1MLKEM768/ecdsa-p256/full",
    "1.3/SecP384r1MLKEM1024/ecdsa-p384/full",
    "1.3/MLKEM512/ecdsa-p256/full",
    "1.3/MLKEM768/ecdsa-p256/full",
    "1.3/MLKEM1024/ecdsa-p256/full",
    "1.3/HQC128/ecdsa-p256/full",
    "1.3/X25519HQC128/ecdsa-p256/full",
    "1.3/X25519MLKEM768/rsa-2048/full",
    "1.3/X25519MLKEM768/rsa-3072/full",
    "1.3/X25519MLKEM768/rsa-4096/full",
    "1.3/X25519MLKEM768/ed25519/full",
    "1.3/X25519MLKEM768/ml-dsa-44/full",
    "1.3/X25519MLKEM768/ml-dsa-65/full",
    "1.3/X25519MLKEM768/ml-dsa-87/full",
    "1.3/X25519MLKEM768/ecdsa-p256+ml-dsa-65/full",
    "1.3/X25519MLKEM768/ml-dsa-44+rsa-4096/full",
    "1.3/MLKEM1024/ml-dsa-87/full",
    "1.3/X25519MLKEM768/ecdsa-p256/full+mutual",
    "1.3/X25519MLKEM768/ml-dsa-65/full+mutual",
    "1.3/x25519/rsa-2048/full+mutual=ed25519",
    "1.3/X25519MLKEM768/ecdsa-p256/full+mutual=rsa-2048",
    "1.3/x25519/ecdsa-p256/hrr",
    "1.3/X25519MLKEM768/ecdsa-p256/hrr",
    "1.3/MLKEM768/rsa-2048/hrr",
    "1.3/x25519/ecdsa-p256/resumed",
    "1.3/X25519MLKEM768/ecdsa-p256/resumed",
    "1.3/X25519MLKEM768/ecdsa-p256/resumed+mutual",
    "1.3/X25519MLKEM768/ecdsa-p256/0-rtt",
    "1.3/X25519MLKEM768/ecdsa-p256/full+tickets=2",
    "1.3/X25519MLKEM768/ecdsa-p256/resumed+tickets=1",
    "1.3/x25519/ecdsa-p256/full+TLS_AES_128_GCM_SHA256",
    "1.3/x25519/ecdsa-p256/full+TLS_CHACHA20_POLY1305_SHA256",
    "1.2/x25519/ecdsa-p256/full",
    "1.2/secp256r1/rsa-2048/full",
    "1.2/secp256r1/rsa-2048/full+mutual",
    "1.2/x25519/ed25519/full",
    "1.2/x25519/rsa-2048/resumed",
    "1.2/x25519/rsa-2048/resumed+tickets=1",
    "1.2/static-rsa/rsa-2048/full",
    "1.2/static-rsa/rsa-3072/full",
    "1.2/static-rsa/rsa-4096/full",
];

fn cache() -> pki::Cache {
    pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap()
}

fn supports(stack: &dyn TlsStack, side: Side, handshake: &Handshake) -> bool {
    stack.supports(side, handshake).is_ok()
}

#[test]
fn every_stack_completes_with_every_other() {
    let cache = cache();
    let mut completed = 0;
    let mut failures = Vec::new();
    for id in HANDSHAKES {
        let handshake: Handshake = id.parse().unwrap();
        let credentials = Credentials::for_handshake(&handshake, &cache).unwrap();
        for client in STACKS
            .iter()
            .filter(|s| supports(**s, Side::Client, &handshake))
        {
            for server in STACKS
                .iter()
                .filter(|s| supports(**s, Side::Server, &handshake))
            {
                let (client, server) = (client.name(), server.name());
                let scenario = Scenario::new(client, server, handshake, NetworkName::memory());
                match handshakes_match(&scenario, &credentials) {
                    Ok(()) => completed += 1,
                    Err(error) => failures.push(format!("{scenario}: {error}")),
                }
            }
        }
    }
    println!(
        "{completed} handshakes completed, {} failed",
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(completed > 400, "only {completed} combinations were tried");
}

/// Two handshakes each: a second one with the same endpoints must come out alike.
fn handshakes_match(scenario: &Scenario, credentials: &Credentials) -> Result<(), String> {
    let mut pair = Pair::new(scenario, credentials, PhaseTiming::Off, by_name)
        .map_err(|error| format!("setup: {error}"))?;
    for round in 0..2 {
        pair.prepare()
            .map_err(|error| format!("preparing: {error}"))?;
        let mut done = pair
            .handshake(&mut NoGauge)
            .map_err(|error| error.to_string())?;
        done.verify(scenario.handshake())
            .map_err(|error| format!("handshake {round}: {error}"))?;
        done.verify_exporters().map_err(|error| error.to_string())?;
        let mut records = Vec::new();
        let mut plaintext = [0; 1 << 14];
        done.server
            .send(b"over", &mut records)
            .map_err(|error| error.to_string())?;
        let count = done
            .client
            .receive(&records, &mut plaintext)
            .map_err(|e| e.to_string())?;
        if &plaintext[..count] != b"over" {
            return Err("application data did not arrive".to_owned());
        }
    }
    Ok(())
}

/// Issued tickets show as a flight of their own (TLS 1.3), and none without them.
#[test]
fn tickets_are_issued_when_asked_for() {
    let cache = cache();
    for tickets in [0, 2] {
        let id = format!("1.3/X25519MLKEM768/ecdsa-p256/full+tickets={tickets}");
        let handshake: Handshake = id.parse().unwrap();
        let credentials = Credentials::for_handshake(&handshake, &cache).unwrap();
        let both = |stack: &&&dyn TlsStack| {
            Side::BOTH
                .iter()
                .all(|side| supports(**stack, *side, &handshake))
        };
        let stacks: Vec<_> = STACKS.iter().filter(both).map(|s| s.name()).collect();
        assert!(stacks.len() > 3, "{stacks:?}");
        for stack in stacks {
            let memory = NetworkName::memory();
            let scenario = Scenario::new(stack.clone(), stack, handshake, memory);
            let mut pair = Pair::new(&scenario, &credentials, PhaseTiming::Off, by_name).unwrap();
            let done = pair.handshake(&mut NoGauge).unwrap();
            let flights = done.transcript.flights().count();
            assert_eq!(flights, if tickets == 0 { 3 } else { 4 }, "{scenario}");
        }
    }
}

/// What a stack says that it lacks, it lacks for a reason, and the scenarios above are
/// not silently empty for any kind.
#[test]
fn every_kind_is_supported_by_some_stack() {
    for kind in HandshakeKind::ALL {
        let of_kind = HANDSHAKES.iter().map(|id| id.parse::<Handshake>().unwrap());
        let supported = of_kind
            .filter(|handshake| handshake.kind() == kind)
            .any(|handshake| {
                STACKS
                    .iter()
                    .any(|stack| supports(*stack, Side::Server, &handshake))
            });
        assert!(supported, "{kind}");
    }
}
