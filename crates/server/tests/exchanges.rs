//! Client and server of this workspace, stack against stack, over loopback TCP.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use client::{Exchange, connect, issue_tickets};
use common::{LIMIT, Running, endpoint};
use experiment::{Handshake, HandshakeKind, KeyExchange, Side};
use server::{Event, Limits, ServeMode};
use wire::{HandshakeType, ProtocolVersion, ServerHello};

const STACKS: [&str; 2] = ["rustls", "openssl"];
const HANDSHAKES: &[&str] = &[
    "1.3/X25519MLKEM768/ecdsa-p256/full",
    "1.3/X25519MLKEM768/ml-dsa-65/full",
    "1.3/X25519MLKEM768/ml-dsa-87/full+tickets=2",
    "1.3/X25519MLKEM768/ecdsa-p256/hrr",
    "1.3/X25519MLKEM768/ml-dsa-65/full+mutual",
    "1.3/X25519MLKEM768/ecdsa-p256/resumed",
    "1.3/X25519MLKEM768/ecdsa-p256/0-rtt",
    "1.2/x25519/ecdsa-p256/full",
    "1.2/x25519/rsa-2048/resumed",
    "1.2/static-rsa/rsa-2048/full",
];
const ROUNDS: u64 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_handshake_completes_is_what_was_asked_for_and_is_answered() {
    let mut combinations = 0;
    for id in HANDSHAKES {
        let handshake: Handshake = id.parse().unwrap();
        for client in STACKS {
            for server in STACKS {
                if supports(client, Side::Client, &handshake)
                    && supports(server, Side::Server, &handshake)
                {
                    println!("{client}>{server}/{id}");
                    exchanges_match(client, server, &handshake).await;
                    combinations += 1;
                }
            }
        }
    }
    assert!(combinations > 30, "only {combinations} were tried");
}

fn supports(stack: &str, side: Side, handshake: &Handshake) -> bool {
    let stack = stack::by_name(&stack.parse().unwrap()).unwrap();
    stack.supports(side, handshake).is_ok()
}

async fn exchanges_match(client: &str, server: &str, handshake: &Handshake) {
    let client = endpoint(client, Side::Client, handshake);
    let shared: Arc<dyn stack::Endpoint> = endpoint(server, Side::Server, handshake).into();
    let limits = Limits::default();
    let measured = Running::start(shared.clone(), ServeMode::Measured, limits).await;
    let issuing = Running::start(shared, ServeMode::Issuing, limits).await;
    for _ in 0..ROUNDS {
        if handshake.kind().is_resumption() && client.tickets() == 0 {
            let tickets = issue_tickets(issuing.address, &*client, LIMIT).await;
            assert_eq!(tickets.unwrap(), client.tickets());
        }
        let exchange = connect(measured.address, &*client, LIMIT).await.unwrap();
        assert_is(&exchange, handshake);
    }
    for event in [
        Event::Accepted,
        Event::Established,
        Event::Answered,
        Event::Closed,
    ] {
        measured.until(event, ROUNDS).await;
        assert_eq!(measured.counters.count(event), ROUNDS, "{event:?}");
    }
    measured.stop().await;
    issuing.stop().await;
}

fn assert_is(exchange: &Exchange, handshake: &Handshake) {
    let negotiated = &exchange.negotiated;
    let kind = handshake.kind();
    assert_eq!(negotiated.version, Some(handshake.version()));
    assert_eq!(negotiated.cipher_suite, Some(handshake.cipher_suite()));
    assert_eq!(negotiated.is_resumed, kind.is_resumption());
    assert!(negotiated.has_peer_certificate);
    let has_group = handshake.version() == ProtocolVersion::Tls13 || !kind.is_resumption();
    if let (KeyExchange::Group(group), true) = (handshake.key_exchange(), has_group) {
        assert_eq!(negotiated.group, Some(group));
    }
    let messages = wire::plaintext_messages(&exchange.server_hello).unwrap();
    assert_eq!(messages[0].handshake_type, HandshakeType::SERVER_HELLO);
    let hello = ServerHello::parse(&messages[0].body).unwrap();
    let is_retry = kind == HandshakeKind::FullWithHelloRetryRequest;
    assert_eq!(hello.is_retry_request, is_retry);
    assert!(exchange.first_byte >= exchange.connect + exchange.handshake);
}

/// Not a statement about speed: what one exchange takes here, for whoever runs the tests
/// with `--nocapture`; and that an endpoint is good for many connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_endpoint_makes_many_connections() {
    let handshake: Handshake = "1.3/X25519MLKEM768/ecdsa-p256/full".parse().unwrap();
    for stack in STACKS {
        let server = endpoint(stack, Side::Server, &handshake).into();
        let running = Running::start(server, ServeMode::Measured, Limits::default()).await;
        let client = endpoint(stack, Side::Client, &handshake);
        let mut exchanges = Vec::new();
        for _ in 0..200 {
            exchanges.push(connect(running.address, &*client, LIMIT).await.unwrap());
        }
        exchanges.sort_by_key(|exchange| exchange.first_byte);
        let Exchange {
            connect,
            handshake,
            first_byte,
            ..
        } = &exchanges[exchanges.len() / 2];
        println!("{stack}: connect {connect:?}, handshake {handshake:?}, total {first_byte:?}");
        running.until(Event::Closed, 200).await;
        running.stop().await;
    }
}
