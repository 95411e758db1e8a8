//! What is seen of a server in one connection.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use client::{ClientError, Inspection, Stage, inspect};
use pki::{Cache, Identity, Role};
use server::{HttpsServer, Limits, Site};
use stack::{ClientAuthentication, ClientProfile, Endpoint, Offer, ServerProfile, Trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wire::{ChainAlgorithms, SignatureAlgorithm};

const LIMIT: Duration = Duration::from_secs(30);

fn identity(role: Role) -> Identity {
    let cache = Cache::open(Cache::default_dir().unwrap()).unwrap();
    let chain = ChainAlgorithms::uniform(SignatureAlgorithm::EcdsaP256);
    cache.identity(chain, role).unwrap()
}

/// A server that wants a client certificate.
async fn strict_server() -> SocketAddr {
    let profile = ServerProfile {
        offer: Offer::default(),
        certificates: vec![identity(Role::Server).certified_key().clone()],
        client_authentication: Some(ClientAuthentication {
            roots: vec![identity(Role::Client).root().clone()],
            crls: Vec::new(),
            is_required: true,
        }),
        tickets: 0,
    };
    let stack = stack::by_name(&"rustls".parse().unwrap()).unwrap();
    let endpoint: Arc<dyn Endpoint> = stack.server(&profile).unwrap().into();
    let any = "127.0.0.1:0".parse().unwrap();
    let server = HttpsServer::bind(any, endpoint, Site::Echo, Limits::default());
    let server = server.await.unwrap();
    let address = server.local_addr();
    tokio::spawn(server.serve(std::future::pending(), Duration::ZERO));
    address
}

/// In front of a server, as one that takes long to look up what the client showed: what comes
/// after the first flight is held back.
async fn hesitant(server: SocketAddr, pause: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let (mut from_client, mut to_client) = near.into_split();
            let far = TcpStream::connect(server).await.unwrap();
            let (mut from_server, mut to_server) = far.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(async move {
                let mut bytes = vec![0; 1 << 16];
                let mut is_first = true;
                while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
                    if !std::mem::take(&mut is_first) {
                        tokio::time::sleep(pause).await;
                    }
                    if to_client.write_all(&bytes[..count]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

async fn inspected(address: SocketAddr, stack: &str, shows: bool) -> Inspection {
    let profile = ClientProfile {
        offer: Offer::default(),
        server_name: pki::SERVER_NAME.to_owned(),
        trust: Trust::Observe(vec![identity(Role::Server).root().clone()]),
        certificate: shows.then(|| identity(Role::Client).certified_key().clone()),
        resumes: false,
    };
    let stack = stack::by_name(&stack.parse().unwrap()).unwrap();
    let endpoint = stack.client(&profile).unwrap();
    inspect(address, &*endpoint, None, LIMIT).await.unwrap()
}

/// RFC 8446 section 4.4.2.4: the client is done before the server has judged it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_waited_for_where_a_certificate_was_asked_for() {
    let server = hesitant(strict_server().await, Duration::from_millis(200)).await;
    for stack in ["rustls", "openssl"] {
        let seen = inspected(server, stack, false).await;
        assert!(seen.established.is_some());
        match seen.failure {
            Some(ClientError::Alert { stage, alert }) => {
                assert_eq!(stage, Stage::AfterHandshake);
                assert_eq!(alert.to_string(), "certificate_required (116)");
            }
            other => panic!("{stack}: {other:?}"),
        }
        let seen = inspected(server, stack, true).await;
        assert!(seen.failure.is_none(), "{stack}: {:?}", seen.failure);
    }
}
