//! Servers that are not there, silent, wrong, or gone.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::Duration;

use client::{ClientError, Stage, connect, issue_tickets};
use experiment::{Handshake, Side};
use stack::{Credentials, Endpoint, PhaseTiming, StackError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const LIMIT: Duration = Duration::from_secs(20);

fn endpoint(stack: &str, side: Side, handshake: &str) -> Box<dyn Endpoint> {
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    let handshake: Handshake = handshake.parse().unwrap();
    let credentials = Credentials::for_handshake(&handshake, &cache).unwrap();
    stack::by_name(&stack.parse().unwrap())
        .unwrap()
        .endpoint(side, &handshake, &credentials, PhaseTiming::Off)
        .unwrap()
}

fn clients() -> impl Iterator<Item = Box<dyn Endpoint>> {
    let handshake = "1.3/X25519MLKEM768/ecdsa-p256/full";
    ["rustls", "openssl"]
        .into_iter()
        .map(move |stack| endpoint(stack, Side::Client, handshake))
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Accepts one connection and takes the client's first bytes.
async fn hear(listener: &TcpListener) -> TcpStream {
    let (mut socket, _) = listener.accept().await.unwrap();
    assert!(socket.read(&mut [0; 1 << 14]).await.unwrap() > 0);
    socket
}

#[tokio::test]
async fn a_closed_port_is_a_failure_to_connect() {
    for client in clients() {
        let (listener, address) = listener().await;
        drop(listener);
        let error = connect(address, &*client, LIMIT).await.unwrap_err();
        assert!(matches!(error, ClientError::Connect(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_silent_server_is_a_timeout_of_the_handshake() {
    for client in clients() {
        let (_listener, address) = listener().await;
        let limit = Duration::from_millis(100);
        let error = connect(address, &*client, limit).await.unwrap_err();
        assert!(
            matches!(error, ClientError::Timeout { stage: Stage::Handshake, limit: l } if l == limit),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn garbage_is_the_server_s_fault() {
    for client in clients() {
        let (listener, address) = listener().await;
        let speak = async {
            let mut socket = hear(&listener).await;
            socket
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
                .unwrap();
            // The alert, and then the client's reset.
            while let Ok(1..) = socket.read(&mut [0; 64]).await {}
        };
        let (result, ()) = tokio::join!(connect(address, &*client, LIMIT), speak);
        let error = result.unwrap_err();
        let is_peer = matches!(
            error,
            ClientError::Tls {
                stage: Stage::Handshake,
                error: StackError::Peer(_)
            }
        );
        assert!(is_peer, "{error:?}");
    }
}

#[tokio::test]
async fn an_alert_is_told_by_name() {
    for client in clients() {
        let (listener, address) = listener().await;
        let speak = async {
            let mut socket = hear(&listener).await;
            // handshake_failure, RFC 8446 section 6.2
            socket.write_all(&[21, 3, 3, 0, 2, 2, 40]).await.unwrap();
            while let Ok(1..) = socket.read(&mut [0; 64]).await {}
        };
        let (result, ()) = tokio::join!(connect(address, &*client, LIMIT), speak);
        match result.unwrap_err() {
            ClientError::Alert { stage, alert } => {
                assert_eq!(stage, Stage::Handshake);
                assert_eq!(alert.to_string(), "handshake_failure (40)");
            }
            error => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_leaves_midway_is_told_from_one_that_refuses() {
    for client in clients() {
        let (listener, address) = listener().await;
        let leave = async { drop(hear(&listener).await) };
        let (result, ()) = tokio::join!(connect(address, &*client, LIMIT), leave);
        let error = result.unwrap_err();
        let is_closed = matches!(
            error,
            ClientError::Closed {
                stage: Stage::Handshake
            }
        );
        assert!(is_closed, "{error:?}");
    }
}

#[tokio::test]
async fn a_resumption_without_a_ticket_says_so() {
    let client = endpoint("rustls", Side::Client, "1.3/x25519/ecdsa-p256/resumed");
    let (_listener, address) = listener().await;
    let error = connect(address, &*client, LIMIT).await.unwrap_err();
    let lacks_ticket = matches!(
        error,
        ClientError::Tls {
            error: StackError::NoTicket,
            ..
        }
    );
    assert!(lacks_ticket, "{error:?}");
    let limit = Duration::from_millis(100);
    let error = issue_tickets(address, &*client, limit).await.unwrap_err();
    assert!(matches!(error, ClientError::Timeout { .. }), "{error:?}");
}

/// Connections come from loopback addresses of their own, and leave no port in TIME_WAIT.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn connections_are_spread_and_end_in_a_reset() {
    let client = endpoint("rustls", Side::Client, "1.3/x25519/ecdsa-p256/full");
    let (listener, address) = listener().await;
    let mut sources = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let speak = async {
            let mut socket = hear(&listener).await;
            let source = socket.peer_addr().unwrap().ip();
            socket.write_all(&[21, 3, 3, 0, 2, 2, 40]).await.unwrap();
            let end = loop {
                match socket.read(&mut [0; 64]).await {
                    Ok(1..) => {}
                    end => break end,
                }
            };
            assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
            source
        };
        let (_, source) = tokio::join!(connect(address, &*client, LIMIT), speak);
        assert!(source.to_string().starts_with("127.0.1."), "{source}");
        sources.insert(source);
    }
    assert!(sources.len() > 1, "all from {sources:?}");
}
