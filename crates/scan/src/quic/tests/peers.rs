//! Servers on loopback: one of a QUIC library, and those that lie.

use std::sync::Arc;
use std::time::Instant as Begin;

use audit::Protocol;
use quinn::crypto::rustls::QuicServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::PrivatePkcs8KeyDer;

use super::*;
use crate::starttls::scripted::dialer;

/// A server of quinn with X25519 and P-256, and HTTP/3. It wants its token back first, if so.
fn quinn_server(with_retry: bool) -> (quinn::Endpoint, SocketAddr) {
    let certified = rcgen::generate_simple_self_signed(["server.example.test".to_owned()]).unwrap();
    let provider = CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1],
        ..aws_lc_rs::default_provider()
    };
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let config = QuicServerConfig::try_from(tls).unwrap();
    let config = quinn::ServerConfig::with_crypto(Arc::new(config));
    let endpoint = quinn::Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = endpoint.local_addr().unwrap();
    let server = endpoint.clone();
    tokio::spawn(async move {
        while let Some(incoming) = server.accept().await {
            if with_retry && !incoming.remote_address_validated() {
                incoming.retry().unwrap();
                continue;
            }
            tokio::spawn(async move {
                let _ = incoming.await;
            });
        }
    });
    (endpoint, address)
}

async fn ask_at(address: SocketAddr, offer: &Offer, limit: Duration) -> Result<Reply, Stopped> {
    let begin = Begin::now();
    let reply = ask(&dialer(address, Protocol::Quic, limit), offer).await;
    // Generous: the machine may be busy; what is shown is that it ends.
    assert!(begin.elapsed() < 20 * limit, "{:?}", begin.elapsed());
    reply
}

const ENOUGH: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_server_of_quinn_answers_with_all_it_has() {
    for with_retry in [false, true] {
        let (endpoint, address) = quinn_server(with_retry);
        let without_share = offer();
        let with_share = Offer {
            key_shares: vec![(NamedGroup::X25519, vec![9; 32])],
            ..offer()
        };
        let long = Offer {
            padded_to: Some(3000),
            ..offer()
        };
        for (offer, is_retry_request) in
            [(&without_share, true), (&with_share, false), (&long, true)]
        {
            match ask_at(address, offer, ENOUGH).await.unwrap() {
                Reply::Hello(chosen) => {
                    assert_eq!(chosen.hello.is_retry_request, is_retry_request);
                    assert_eq!(chosen.hello.key_share.unwrap().group, NamedGroup::X25519);
                }
                Reply::Alert(alert) => panic!("{alert}"),
            }
        }
        let lacking = Offer {
            groups: vec![NamedGroup::MLKEM1024],
            ..offer()
        };
        let other_protocol = Offer {
            alpn: vec![b"other".to_vec()],
            key_shares: vec![(NamedGroup::X25519, vec![9; 32])],
            ..offer()
        };
        for (offer, expected) in [(lacking, 40), (other_protocol, 120)] {
            match ask_at(address, &offer, ENOUGH).await.unwrap() {
                Reply::Alert(alert) => assert_eq!(alert.0, expected),
                Reply::Hello(chosen) => panic!("{:?}", chosen.hello),
            }
        }
        // All that was begun was ended: the server need not wait for its idle timeout.
        tokio::time::timeout(ENOUGH, endpoint.wait_idle())
            .await
            .unwrap();
    }
}

/// A server that answers each datagram of a client with what this makes of the client's IDs
/// (whom it sent to, and its own) and the number of datagrams that came before.
async fn liar(
    answer: impl Fn(&[u8], &[u8], u32) -> Vec<Vec<u8>> + Send + 'static,
) -> (SocketAddr, Arc<std::sync::atomic::AtomicU32>) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let count = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let seen = Arc::clone(&count);
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            assert_eq!(length, 1200);
            let number = seen.fetch_add(1, Ordering::Relaxed);
            let destination = &buffer[6..][..usize::from(buffer[5])];
            let source = &buffer[6 + destination.len() + 1..][..8];
            for datagram in answer(destination, source, number) {
                let _ = socket.send_to(&datagram, from).await;
            }
        }
    });
    (address, count)
}

async fn cause_at(address: SocketAddr, limit: Duration) -> Unknown {
    unknown(ask_at(address, &offer(), limit).await.err().unwrap())
}

#[tokio::test]
async fn who_is_silent_is_asked_again() {
    let (address, count) = liar(|_, _, _| Vec::new()).await;
    let unknown = cause_at(address, Duration::from_millis(1500)).await;
    assert_eq!(unknown.cause, Cause::Timeout);
    assert_eq!(unknown.detail, "no answer");
    assert!((2..=3).contains(&count.load(Ordering::Relaxed)));
}

#[tokio::test]
async fn a_closed_port_is_no_connection() {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    assert_eq!(cause_at(address, ENOUGH).await.cause, Cause::Connect);
}

#[tokio::test]
async fn an_answer_to_the_second_time_is_an_answer() {
    let (address, _) = liar(|destination, source, number| match number {
        0 => Vec::new(),
        _ => vec![from_server(
            destination,
            SERVER,
            source,
            0,
            &crypto(0, &retry_request()),
        )],
    })
    .await;
    let reply = ask_at(address, &offer(), ENOUGH).await.unwrap();
    assert!(matches!(reply, Reply::Hello(chosen) if chosen.hello.is_retry_request));
}

#[tokio::test]
async fn a_retry_that_is_not_the_servers_is_passed_over() {
    let (address, _) = liar(|_, source, _| {
        let mut retry = vec![0xff, 0, 0, 0, 1, 8];
        retry.extend(source);
        retry.extend([1, 0xcc]);
        retry.extend([0x77; 30]);
        vec![retry, vec![0xff; 1200], vec![0; 9]]
    })
    .await;
    let unknown = cause_at(address, Duration::from_millis(400)).await;
    assert_eq!(
        (unknown.cause, &unknown.detail[..]),
        (Cause::Timeout, "no answer")
    );
}

#[tokio::test]
async fn a_server_that_only_acknowledges_is_unknown_in_time() {
    let (address, _) = liar(|destination, source, number| {
        let acknowledged = [2, 0, 0, 0, 0];
        vec![from_server(
            destination,
            SERVER,
            source,
            number,
            &acknowledged,
        )]
    })
    .await;
    // The keys are those of the first ID: later packets of this server are damaged.
    let unknown = cause_at(address, Duration::from_millis(400)).await;
    assert_eq!(unknown.cause, Cause::Timeout);
    assert!(unknown.detail.contains("no ServerHello"), "{unknown}");
}

#[tokio::test]
async fn who_sends_without_end_is_left() {
    let (address, _) = liar(|_, _, _| vec![vec![0x40; 1200]; 5000]).await;
    let unknown = cause_at(address, Duration::from_millis(800)).await;
    assert!(
        matches!(unknown.cause, Cause::Garbage | Cause::Timeout),
        "{unknown}"
    );
}
