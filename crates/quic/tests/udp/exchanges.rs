//! Requests, and handshakes that fail, as this crate's own client makes them.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use quic::{AddressValidation, ClientError, ClientOptions, Limits, Server, Stage};
use tokio::time::timeout;
use wire::NamedGroup;

use crate::common::{CLASSICAL, HYBRID, LIMIT, Running, Setup, ask, setup};
use crate::raw::{DATA, answer_with, frame};

#[tokio::test]
async fn both_sides_see_the_same_handshake() {
    let Setup { client, server } = setup(HYBRID);
    let running = Running::start(server, AddressValidation::ByHandshake, Limits::default());
    let exchange = ask(running.address, client, "/what?x=1").await.unwrap();
    let response = exchange.response.unwrap();
    assert_eq!(response.status, 201);
    assert_eq!(response.body, b"/what X25519MLKEM768");
    let session = exchange.session;
    assert_eq!(session.alpn.as_deref(), Some(b"h3".as_slice()));
    assert_eq!(session.chain.len(), 2);
    assert!(session.handshake < response.first_byte);
    assert!(session.round_trips() > 0.0);
    let seen = session.observation.unwrap();
    assert_eq!(seen.group, Some(NamedGroup::X25519MLKEM768));
    assert_eq!(seen.first_flight.datagrams, 2);
    assert!(!seen.has_retry);
    let hello = seen.client_hello.unwrap();
    assert_eq!(hello.key_shares[0].group, NamedGroup::X25519MLKEM768);
    assert!(exchange.sent.bytes > seen.client.bytes);
    assert!(exchange.received.bytes > seen.server.bytes);
    assert_eq!(exchange.sent.initials, seen.client.initials);
    let service = running.stop().await;
    assert_eq!(service.count("Established"), 1);
    assert_eq!(service.count("Answered"), 1);
    assert_eq!(service.count("Closed"), 1);
    assert_eq!(service.count("Closed "), 0, "the client leaves in order");
}

/// With several threads, what a client sends at its end may go out piece by piece.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_client_leaves_in_order() {
    let Setup { client, server } = setup(CLASSICAL);
    let running = Running::start(server, AddressValidation::ByHandshake, Limits::default());
    for _ in 0..50 {
        ask(running.address, client.clone(), "/").await.unwrap();
    }
    let service = running.stop().await;
    assert_eq!(service.count("Answered"), 50);
    assert_eq!(service.count("Closed"), 50);
    assert_eq!(service.count("Closed "), 0);
}

/// It is told what it did wrong, and the client says so, not that it left.
#[tokio::test]
async fn a_server_that_breaks_http_is_told_and_named() {
    let Setup { client, server } = setup(CLASSICAL);
    let (address, closed) = answer_with(server, frame(DATA, b"content first"));
    let error = ask(address, client, "/").await.unwrap_err();
    assert!(matches!(error, ClientError::Http(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("H3_FRAME_UNEXPECTED"), "{text}");
    // H3_FRAME_UNEXPECTED (RFC 9114 section 8.1).
    assert_eq!(timeout(LIMIT, closed).await.unwrap().unwrap(), 0x105);
}

#[tokio::test]
async fn a_retry_is_seen_by_the_client() {
    let Setup { client, server } = setup(HYBRID);
    let running = Running::start(server, AddressValidation::ByRetry, Limits::default());
    let exchange = ask(running.address, client, "/").await.unwrap();
    let seen = exchange.session.observation.unwrap();
    assert!(seen.has_retry);
    assert_eq!(seen.group, Some(NamedGroup::X25519MLKEM768));
    let service = running.stop().await;
    assert!(service.count("Retried") >= 1);
}

/// Datagrams of every beginning and many lengths, and mutilated Initial packets.
#[tokio::test]
async fn garbage_does_not_stop_the_server() {
    let Setup { client, server } = setup("1.3/x25519/ecdsa-p256/full");
    let running = Running::start(server, AddressValidation::ByHandshake, Limits::default());
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut state = 7_u32;
    let mut byte = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    for first in 0..=255_u8 {
        for length in [1, 21, 1200, 1472] {
            let mut datagram: Vec<u8> = (0..length).map(|_| byte()).collect();
            datagram[0] = first;
            socket.send_to(&datagram, running.address).unwrap();
        }
    }
    for cut in (0..1200).step_by(50) {
        let mut initial = hex(include_str!("../vectors/rfc9001-client-initial.hex"));
        initial[cut] ^= 0x55;
        socket.send_to(&initial, running.address).unwrap();
        socket.send_to(&initial[..cut], running.address).unwrap();
    }
    let exchange = ask(running.address, client, "/after").await.unwrap();
    assert_eq!(exchange.response.unwrap().body, b"/after x25519");
    running.stop().await;
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
    digits.chunks(2).map(|pair| byte(pair).unwrap()).collect()
}

#[tokio::test]
async fn a_silent_server_is_a_timeout_that_says_what_to_look_at() {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let options = ClientOptions {
        limit: Duration::from_millis(300),
        ..ClientOptions::default()
    };
    let client = setup(HYBRID).client;
    let address = silent.local_addr().unwrap();
    let result = quic::connect(address, pki::SERVER_NAME, client, &options).await;
    let error = result.unwrap_err();
    let stage = Stage::Handshake;
    assert!(
        matches!(error, ClientError::Timeout { stage: s, .. } if s == stage),
        "{error}"
    );
    assert!(
        error.to_string().contains("does UDP get through"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_of_another_name_is_not_verified() {
    let Setup { client, server } = setup("1.3/x25519/ecdsa-p256/full");
    let running = Running::start(server, AddressValidation::ByHandshake, Limits::default());
    let options = ClientOptions::default();
    let result = quic::connect(running.address, "other.pqlab.test", client, &options).await;
    let error = result.unwrap_err();
    assert!(matches!(error, ClientError::Verification(_)), "{error:?}");
    let service = running.stop().await;
    assert_eq!(service.count("Failed"), 1);
    assert_eq!(service.count("Established"), 0);
}

#[tokio::test]
async fn nothing_in_common_ends_in_an_alert() {
    for other in ["X25519MLKEM768/ecdsa-p256", "x25519/ml-dsa-65"] {
        let server = setup("1.3/x25519/ecdsa-p256/full").server;
        let client = setup(&format!("1.3/{other}/full")).client;
        let running = Running::start(server, AddressValidation::ByHandshake, Limits::default());
        let error = ask(running.address, client, "/").await.unwrap_err();
        let stage = Stage::Handshake;
        assert!(
            matches!(error, ClientError::Alert { stage: s, .. } if s == stage),
            "{error:?}"
        );
        assert!(error.to_string().contains("handshake_failure"), "{error}");
        running.stop().await;
    }
}

/// A server learns of a missing client certificate when the client's handshake is done.
#[tokio::test]
async fn a_client_without_its_certificate_is_refused_after_its_handshake() {
    let server = setup("1.3/x25519/ecdsa-p256/full+mutual").server;
    let client = setup("1.3/x25519/ecdsa-p256/full").client;
    let running = Running::start(server, AddressValidation::ByHandshake, Limits::default());
    let error = ask(running.address, client, "/").await.unwrap_err();
    assert!(
        error.to_string().contains("certificate_required"),
        "{error:?}"
    );
    let service = running.stop().await;
    assert_eq!(service.count("Established"), 0);
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let Setup { client, server } = setup("1.3/X25519MLKEM768/ml-dsa-87/full+mutual");
    let running = Running::start(server, AddressValidation::ByHandshake, Limits::default());
    let exchange = ask(running.address, client, "/").await.unwrap();
    assert_eq!(exchange.response.unwrap().status, 201);
    let service = running.stop().await;
    assert!(service.chains.lock().unwrap().contains(&2));
}

/// TLS 1.2 is refused when it is set up, not by a panic when it is used.
#[tokio::test]
async fn tls_1_2_is_refused_at_both_ends() {
    let Setup { client, server } = setup("1.2/x25519/ecdsa-p256/full");
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let limits = Limits::default();
    let bound = Server::bind(any, server, AddressValidation::ByHandshake, limits);
    assert!(matches!(bound.err(), Some(quic::ServerError::Setup(_))));
    let error = ask(any, client, "/").await.unwrap_err();
    assert!(matches!(error, ClientError::Setup(_)), "{error:?}");
}

#[tokio::test]
async fn one_connection_too_many_is_refused() {
    let Setup { client, server } = setup("1.3/x25519/ecdsa-p256/full");
    let limits = Limits {
        connections: 0,
        ..Limits::default()
    };
    let running = Running::start(server, AddressValidation::ByHandshake, limits);
    let error = ask(running.address, client, "/").await.unwrap_err();
    assert!(matches!(error, ClientError::Refused), "{error:?}");
    let service = running.stop().await;
    assert_eq!(service.count("Refused"), 1);
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let server = setup(HYBRID).server;
    let limits = Limits::default();
    let bound = Server::bind(address, server, AddressValidation::ByHandshake, limits);
    let error = bound.err().unwrap().to_string();
    assert!(error.contains(&address.to_string()), "{error}");
}
