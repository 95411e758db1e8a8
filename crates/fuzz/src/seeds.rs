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
        "signing-requests" => signing_requests(),
        "requests" => [
            "GET / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\nGET",
            "connection: close, x-a\r\nx-a: b\r\nx-amzn-mtls-clientcert: c\r\n\r\n",
            "connection: upgrade\r\nupgrade: websocket\r\n\r\n",
        ]
        .map(|text| [&[3], text.as_bytes()].concat())
        .to_vec(),
        "tls-server" => of_sender(true),
        "tls-client" => of_sender(false),
        "streams" => programs(),
        "trace" => recordings(),
        "quic" => datagrams(),
        "scan" => answers(),
        "inventory" => files(),
        _ => Vec::new(),
    }
}

/// What servers say first, cut into pieces of 64 bytes.
fn answers() -> Vec<Vec<u8>> {
    let text = [
        "220 mail.example.test ESMTP\r\n250-mail.example.test\r\n250 STARTTLS\r\n220 go\r\n",
        "* OK ready\r\n* CAPABILITY IMAP4rev1 STARTTLS\r\na OK\r\nb OK begin\r\n",
        "+OK\r\n+OK\r\nSTLS\r\n.\r\n+OK\r\n",
        "SSH-2.0-OpenSSH_9.2p1\r\n",
        "S",
    ];
    let text = text.iter().map(|text| text.as_bytes().to_vec());
    let of_tls = flights().into_iter().filter(|(is_client, _)| !is_client);
    let all = text
        .chain(of_tls.map(|(_, flight)| flight))
        .chain(datagrams());
    all.map(|bytes| [&[64], bytes.as_slice()].concat())
        .collect()
}

/// Certificates, and small configurations.
fn files() -> Vec<Vec<u8>> {
    let text = [
        "events {}\nhttp { server { listen 443 ssl; ssl_ecdh_curve X25519; } }\n",
        "Port 22\nKexAlgorithms +curve25519-sha256\n",
        "jdk.tls.disabledAlgorithms=SSLv3, RC4\n",
        "static_resources: {listeners: [{filter_chains: [{}]}]}\n",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA a comment\n",
    ];
    let text = text.iter().map(|text| text.as_bytes().to_vec());
    text.chain(certificates()).collect()
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

/// Whole conversations, with the lines of a key log that fits the format alone.
fn recordings() -> Vec<Vec<u8>> {
    let log = "CLIENT_HANDSHAKE_TRAFFIC_SECRET ";
    let line = format!("{log}{} {}\n", "00".repeat(32), "11".repeat(48));
    let flights = flights();
    let mut seeds = vec![line.clone().into_bytes()];
    for log in ["", &line] {
        for conversation in flights.chunk_by(|(one, _), (next, _)| one != next) {
            let mut seed = [log.as_bytes(), &[0]].concat();
            for (_, flight) in conversation {
                seed.extend(
                    u16::try_from(flight.len())
                        .unwrap_or(u16::MAX)
                        .to_be_bytes(),
                );
                seed.extend_from_slice(flight);
            }
            seeds.push(seed);
        }
    }
    seeds
}

/// For each choice of libraries, side and version: data both ways and an orderly end, in
/// small pieces; and a damaged handshake.
fn programs() -> Vec<Vec<u8>> {
    let steps = [
        0, 100, 1, 255, 2, 130, 7, 10, 3, 0, 5, 0, 6, 7, 0, 9, 1, 20, 1, 20, 7, 255, 3, 0, 5, 0, 6,
        255, 8, 0, 1, 255, 1, 255, 4, 0, 5, 0,
    ];
    // Half of them have a flight damaged.
    let damage = |choice: u8| [choice, choice % 4, 0, 90, choice >> 2 & 1];
    (0..16)
        .map(|choice| [&damage(choice)[..], &steps].concat())
        .collect()
}

/// A client's Initial packet (its header is that of RFC 9001 appendix A.2), a Retry, a
/// version negotiation, and the frames that an Initial packet may hold.
fn datagrams() -> Vec<Vec<u8>> {
    let id = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
    let initial = [
        &[0xc0, 0, 0, 0, 1, 8][..],
        &id,
        &[0, 0, 0x44, 0x9e],
        &[0; 1182],
    ]
    .concat();
    let retry = [&[0xf0, 0, 0, 0, 1, 0, 8][..], &id, &[b't'; 24]].concat();
    let negotiation = [&[0x80, 0, 0, 0, 0, 0, 8][..], &id, &[0, 0, 0, 1]].concat();
    let hello = flights().into_iter().next().map_or(Vec::new(), |(_, f)| f);
    let hello = hello.get(5..).unwrap_or_default();
    let length = u16::try_from(hello.len()).unwrap_or(0) | 0x4000;
    let frames = [
        &[2, 1, 2, 1, 3, 4, 5, 0, 0, 6, 0][..],
        &length.to_be_bytes(),
        hello,
    ]
    .concat();
    let mut seeds = vec![frames];
    for (sender, datagram) in [(0, initial), (1, retry), (1, negotiation)] {
        let length = u16::try_from(datagram.len()).unwrap_or(0).to_be_bytes();
        seeds.push([&[sender][..], &length, &datagram].concat());
    }
    seeds
}

fn of_sender(is_client: bool) -> Vec<Vec<u8>> {
    let flights = flights().into_iter();
    let own = flights.filter(|(sender, bytes)| *sender == is_client && !bytes.is_empty());
    own.map(|(_, bytes)| [&[0], bytes.as_slice()].concat())
        .collect()
}

/// Requests of each kind of key, in both encodings, and the texts of names.
fn signing_requests() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = [
        "CN=A\\, B,O=C\\+D,C=DE",
        "*.example.test",
        "email:a@b.test",
        "spiffe://a.test/b",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    let names = ["a.test", "192.0.2.1", "uri:urn:a"].map(str::parse);
    let names: Vec<ca::Name> = names.into_iter().flatten().collect();
    for algorithm in [
        SignatureAlgorithm::EcdsaP256,
        SignatureAlgorithm::Ed25519,
        SignatureAlgorithm::MlDsa44,
    ] {
        let Ok(made) = ca::new_request(algorithm, None, &names, None) else {
            continue;
        };
        seeds.push(made.request.clone().into_bytes());
        seeds.extend(pem::parse(&made.request).map(pem::Pem::into_contents));
    }
    seeds
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
