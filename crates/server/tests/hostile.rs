//! Clients that are slow, silent, wrong, or too many cost nobody else anything.
#![allow(clippy::unwrap_used)]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use client::{ClientError, connect};
use common::{LIMIT, Running, endpoint};
use experiment::{Handshake, Side};
use server::{Event, Limits, ServeMode, Server, ServerError};
use stack::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use transport::{Buffers, TlsStream};

const STACKS: [&str; 2] = ["rustls", "openssl"];

fn handshake() -> Handshake {
    "1.3/X25519MLKEM768/ecdsa-p256/full".parse().unwrap()
}

async fn start(stack: &str, limits: Limits) -> (Running, Box<dyn Endpoint>) {
    let server = endpoint(stack, Side::Server, &handshake()).into();
    let running = Running::start(server, ServeMode::Measured, limits).await;
    (running, endpoint("rustls", Side::Client, &handshake()))
}

/// Everything the server says until it closes.
async fn last_words(socket: &mut TcpStream) -> Vec<u8> {
    let mut words = Vec::new();
    // A reset ends the stream as well.
    let _ = timeout(LIMIT, socket.read_to_end(&mut words))
        .await
        .unwrap();
    words
}

async fn established(address: SocketAddr, client: &dyn Endpoint) -> TlsStream<TcpStream> {
    let socket = TcpStream::connect(address).await.unwrap();
    let connection = client.connection().unwrap();
    let mut stream = TlsStream::new(socket, connection, Buffers::default());
    stream.connect().await.unwrap();
    stream
}

#[tokio::test]
async fn garbage_gets_an_alert_and_the_next_client_is_served() {
    for stack in STACKS {
        let (running, client) = start(stack, Limits::default()).await;
        let mut socket = TcpStream::connect(running.address).await.unwrap();
        let mut garbage = vec![22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3];
        garbage.resize(20_000, 0x55);
        socket.write_all(&garbage).await.unwrap();
        let alert = last_words(&mut socket).await;
        assert_eq!((alert.len(), alert[0]), (7, 21), "{stack}: {alert:?}");
        drop(socket);
        running.until(Event::PeerFault, 1).await;
        connect(running.address, &*client, LIMIT).await.unwrap();
        running.stop().await;
    }
}

#[tokio::test]
async fn a_client_that_stalls_is_cut_off_and_delays_nobody() {
    let limits = Limits {
        handshake: Duration::from_millis(300),
        ..Limits::default()
    };
    for stack in STACKS {
        let (running, client) = start(stack, limits).await;
        let mut silent = TcpStream::connect(running.address).await.unwrap();
        let mut half = TcpStream::connect(running.address).await.unwrap();
        half.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        connect(running.address, &*client, LIMIT).await.unwrap();
        assert!(last_words(&mut silent).await.is_empty());
        assert!(last_words(&mut half).await.is_empty());
        running.until(Event::HandshakeTimeout, 2).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_client_that_asks_for_nothing_or_too_much_is_cut_off() {
    let limits = Limits {
        idle: Duration::from_millis(300),
        request: 1000,
        ..Limits::default()
    };
    for stack in STACKS {
        let (running, client) = start(stack, limits).await;
        let mut idle = established(running.address, &*client).await;
        let mut endless = established(running.address, &*client).await;
        endless.write_all(&[b'a'; 1001]).await.unwrap();
        running.until(Event::Overlong, 1).await;
        running.until(Event::IdleTimeout, 1).await;
        for stream in [&mut idle, &mut endless] {
            assert!(timeout(LIMIT, stream.read()).await.unwrap().is_err());
        }
        connect(running.address, &*client, LIMIT).await.unwrap();
        running.stop().await;
    }
}

#[tokio::test]
async fn connections_above_the_limit_are_refused_until_there_is_room() {
    let limits = Limits {
        connections: 4,
        ..Limits::default()
    };
    let (running, client) = start("rustls", limits).await;
    let mut flood = Vec::new();
    for _ in 0..20 {
        flood.push(TcpStream::connect(running.address).await.unwrap());
    }
    running.until(Event::Refused, 16).await;
    let error = connect(running.address, &*client, LIMIT).await.unwrap_err();
    assert!(matches!(error, ClientError::Closed { .. }), "{error:?}");
    drop(flood);
    running.until(Event::ClosedEarly, 4).await;
    connect(running.address, &*client, LIMIT).await.unwrap();
    assert_eq!(running.counters.count(Event::Refused), 17);
    running.stop().await;
}

#[tokio::test]
async fn leaving_at_once_or_within_a_request_is_leaving_early() {
    let (running, client) = start("openssl", Limits::default()).await;
    for _ in 0..10 {
        drop(TcpStream::connect(running.address).await.unwrap());
    }
    running.until(Event::ClosedEarly, 10).await;
    let mut stream = established(running.address, &*client).await;
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    drop(stream);
    running.until(Event::ClosedEarly, 11).await;
    assert_eq!(running.counters.count(Event::Closed), 0);
    running.stop().await;
}

#[tokio::test]
async fn requests_on_one_connection_are_all_answered() {
    let (running, client) = start("openssl", Limits::default()).await;
    let mut stream = established(running.address, &*client).await;
    stream
        .write_all(b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3")
        .await
        .unwrap();
    running.until(Event::Answered, 2).await;
    stream.write_all(b" HTTP/1.1\r\n\r\n").await.unwrap();
    running.until(Event::Answered, 3).await;
    let mut text = Vec::new();
    while text.len() < 3 * "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".len() {
        text.extend_from_slice(timeout(LIMIT, stream.read()).await.unwrap().unwrap());
    }
    assert!(text.starts_with(b"HTTP/1.1 200 OK\r\n") && text.ends_with(b"\r\n\r\nok"));
    drop(stream);
    running.until(Event::Closed, 1).await;
    running.stop().await;
}

/// A TLS 1.3 client is done before the server looks at its certificate: the refusal comes
/// in place of the response, and is an alert all the same.
#[tokio::test]
async fn a_client_without_the_certificate_asked_for_hears_why() {
    let mutual: Handshake = "1.3/X25519MLKEM768/ecdsa-p256/full+mutual".parse().unwrap();
    for stack in STACKS {
        let server = endpoint(stack, Side::Server, &mutual).into();
        let running = Running::start(server, ServeMode::Measured, Limits::default()).await;
        let client = endpoint("rustls", Side::Client, &handshake());
        let error = connect(running.address, &*client, LIMIT).await.unwrap_err();
        let is_late_alert = matches!(
            error,
            ClientError::Alert {
                stage: client::Stage::Response,
                ..
            }
        );
        assert!(is_late_alert, "{stack}: {error:?}");
        running.until(Event::PeerFault, 1).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let (running, _) = start("rustls", Limits::default()).await;
    let server = endpoint("rustls", Side::Server, &handshake()).into();
    let result = Server::bind(
        running.address,
        server,
        ServeMode::Measured,
        Limits::default(),
    );
    match result.await {
        Err(ServerError::Bind { address, .. }) => assert_eq!(address, running.address),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("two servers at one address"),
    }
    running.stop().await;
}

#[tokio::test]
async fn shutting_down_cuts_what_is_open() {
    let (running, client) = start("rustls", Limits::default()).await;
    let mut stream = established(running.address, &*client).await;
    running.until(Event::Established, 1).await;
    running.stop().await;
    assert!(timeout(LIMIT, stream.read()).await.unwrap().is_err());
}
