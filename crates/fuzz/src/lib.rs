//! Fuzz targets: one for each kind of bytes that a peer controls.
//!
//! A target takes any bytes and must come back without a panic, in bounded time and memory;
//! some check more. `scripts/fuzz` runs them under libFuzzer; the tests here run each one
//! over its seeds and a number of mutations of them.

mod messages;
mod seeds;
mod services;
mod streams;
mod tls;
mod traces;

pub use seeds::seeds;

/// Something that reads bytes of a peer.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What reads the bytes.
    pub what: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "messages",
        what: "wire: records, hellos, and every other handshake message and alert",
        run: messages::run,
    },
    Target {
        name: "certificates",
        what: "pki: certificates in DER and PEM; the proxy's headers about a client",
        run: services::certificates,
    },
    Target {
        name: "signing-requests",
        what: "ca: certificate requests, and the names and subjects in them",
        run: services::signing_requests,
    },
    Target {
        name: "requests",
        what: "server: requests of measured clients; headers that pass the proxy",
        run: services::requests,
    },
    Target {
        name: "tls-server",
        what: "stack: a server of each TLS library, with client certificates",
        run: tls::server,
    },
    Target {
        name: "tls-client",
        what: "stack: a client of each TLS library",
        run: tls::client,
    },
    Target {
        name: "streams",
        what: "transport: conversations over a socket that stalls, cuts and changes bytes",
        run: streams::run,
    },
    Target {
        name: "trace",
        what: "trace: recorded connections and key logs, explained and drawn",
        run: traces::run,
    },
    Target {
        name: "quic",
        what: "quic: datagrams off the wire, and the frames of Initial packets",
        run: quic::fuzzing::read,
    },
    Target {
        name: "scan",
        what: "scan: answers of TLS, SSH and QUIC servers, and what comes before STARTTLS",
        run: scan::fuzzing::read,
    },
    Target {
        name: "inventory",
        what: "inventory: files of any kind, and configurations",
        run: services::files,
    },
];

/// Finds a target by its name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
