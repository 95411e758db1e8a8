//! Inputs to begin with: real flights and certificates, made here and now.

use pki::{Cache, Role};
use stack::{Connection, TlsStack};
use wire::{ChainAlgorithms, SignatureAlgorithm};

use crate::tls::{client_profile, server_profile};

/// Inputs that get a target beyond its first checks.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "messages" => flights().into_iter().flat_map(|(_, f)| parts(&f)).collect(),
        "certificates" => certificates(),
        "requests" => [
            "GET / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\nGET",
            "connection: close, x-a\r\nx-a: b\r\nx-amzn-mtls-clientcert: c\r\n\r\n",
            "connection: upgrade\r\nupgrade: websocket\r\n\r\n",
        ]
        .map(|text| [&[3], text.as_bytes()].concat())
        .to_vec(),
        "tls-server" => of_sender(true),
        "tls-client" => of_sender(false),
        _ => Vec::new(),
    }
}

/// Flights of handshakes between different libraries; whether the client sent them.
fn flights() -> Vec<(bool, Vec<u8>)> {
    let mut flights = Vec::new();
    for (client, server) in [("rustls", "openssl"), ("openssl", "rustls")] {
        let find = |name: &str| -> Option<&'static dyn TlsStack> {
            stack::by_name(&name.parse().ok()?).ok()
        };
        let client = find(client).and_then(|stack| stack.client(&client_profile()).ok());
        let server = find(server).and_then(|stack| stack.server(&server_profile()).ok());
        let pair = client
            .and_then(|c| c.connection().ok())
            .zip(server.and_then(|s| s.connection().ok()));
        if let Some((mut client, mut server)) = pair {
            converse(&mut *client, &mut *server, &mut flights);
        }
    }
    flights
}

fn converse(
    client: &mut dyn Connection,
    server: &mut dyn Connection,
    flights: &mut Vec<(bool, Vec<u8>)>,
) {
    let mut last = Vec::new();
    for turn in 0..6 {
        let is_client = turn % 2 == 0;
        let mut output = Vec::new();
        let advanced = match is_client {
            true => client.advance(&last, &mut output),
            false => server.advance(&last, &mut output),
        };
        if advanced.is_err() {
            return;
        }
        flights.push((is_client, output.clone()));
        last = output;
    }
}

/// A flight, and the payloads of its records: bodies of messages after four bytes.
fn parts(flight: &[u8]) -> Vec<Vec<u8>> {
    let records = wire::Records::new(flight).flatten();
    let bodies = records.filter_map(|record| record.payload.get(4..));
    let mut parts: Vec<Vec<u8>> = bodies.map(<[u8]>::to_vec).collect();
    parts.push(flight.to_vec());
    parts
}

fn of_sender(is_client: bool) -> Vec<Vec<u8>> {
    let flights = flights().into_iter();
    let own = flights.filter(|(sender, bytes)| *sender == is_client && !bytes.is_empty());
    own.map(|(_, bytes)| [&[0], bytes.as_slice()].concat())
        .collect()
}

fn certificates() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let Ok(cache) = Cache::default_dir().and_then(Cache::open) else {
        return seeds;
    };
    for algorithm in [
        SignatureAlgorithm::EcdsaP256,
        SignatureAlgorithm::Ed25519,
        SignatureAlgorithm::Rsa2048,
        SignatureAlgorithm::MlDsa44,
    ] {
        let chain = ChainAlgorithms::uniform(algorithm);
        if let Ok(identity) = cache.identity(chain, Role::Client) {
            seeds.extend(identity.chain().iter().map(|der| der.to_vec()));
            seeds.push(identity.chain_pem().into_bytes());
            seeds.push(identity.key_pem().into_bytes());
        }
    }
    seeds
}
