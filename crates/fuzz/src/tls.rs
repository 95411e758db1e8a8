//! The TLS libraries as they are driven here.

use std::sync::LazyLock;

use pki::{Cache, Role};
use stack::{
    ClientAuthentication, ClientProfile, Connection, Endpoint, Offer, ServerProfile, Trust,
};
use wire::{ChainAlgorithms, SignatureAlgorithm};

pub(crate) const STACKS: [&str; 2] = ["rustls", "openssl"];
/// More than any library answers to bytes that are no handshake.
const MAX_OUTPUT: usize = 1 << 20;

type Endpoints = Vec<Box<dyn Endpoint>>;

static SERVERS: LazyLock<Endpoints> = LazyLock::new(|| {
    let profile = server_profile();
    STACKS
        .map(|name| {
            stack(name)
                .server(&profile)
                .expect("a profile of this crate")
        })
        .into()
});

static CLIENTS: LazyLock<Endpoints> = LazyLock::new(|| {
    let profile = client_profile();
    STACKS
        .map(|name| {
            stack(name)
                .client(&profile)
                .expect("a profile of this crate")
        })
        .into()
});

pub(crate) fn stack(name: &str) -> &'static dyn stack::TlsStack {
    name.parse()
        .ok()
        .and_then(|name| stack::by_name(&name).ok())
        .expect("a stack of every build")
}

fn identity(role: Role) -> pki::Identity {
    let chain = ChainAlgorithms::uniform(SignatureAlgorithm::EcdsaP256);
    Cache::default_dir()
        .and_then(Cache::open)
        .and_then(|cache| cache.identity(chain, role))
        .expect("a folder for certificates")
}

pub(crate) fn server_profile() -> ServerProfile {
    ServerProfile {
        offer: Offer::default(),
        certificates: vec![identity(Role::Server).certified_key().clone()],
        client_authentication: Some(ClientAuthentication {
            roots: vec![identity(Role::Client).root().clone()],
            crls: Vec::new(),
            is_required: false,
        }),
        tickets: 1,
    }
}

pub(crate) fn client_profile() -> ClientProfile {
    ClientProfile {
        offer: Offer::default(),
        server_name: pki::SERVER_NAME.to_owned(),
        trust: Trust::Observe(vec![identity(Role::Server).root().clone()]),
        certificate: Some(identity(Role::Client).certified_key().clone()),
        resumes: true,
    }
}

pub(crate) fn server(bytes: &[u8]) {
    for endpoint in SERVERS.iter() {
        feed(&**endpoint, bytes);
    }
}

pub(crate) fn client(bytes: &[u8]) {
    for endpoint in CLIENTS.iter() {
        feed(&**endpoint, bytes);
    }
}

/// Hands the bytes over in two parts, split where the first byte says.
fn feed(endpoint: &dyn Endpoint, bytes: &[u8]) {
    let Ok(mut connection) = endpoint.connection() else {
        return;
    };
    let mut output = Vec::new();
    let _ = connection.advance(&[], &mut output);
    let (split, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let (first, second) = bytes.split_at(bytes.len() * usize::from(*split) / 256);
    for part in [first, second] {
        if connection.advance(part, &mut output).is_err() {
            break;
        }
    }
    look(&*connection);
    connection.close(&mut output);
    assert!(output.len() <= MAX_OUTPUT, "{} bytes", output.len());
}

/// What is asked of a connection must be answerable in any state of it.
fn look(connection: &dyn Connection) {
    let _ = connection.negotiated();
    let _ = connection.alpn();
    let _ = connection.peer_chain();
    let _ = connection.verdict();
}
