//! What clients must not do to a server.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use quic::{AddressValidation, ClientOptions, Limits};
use tokio::time::{sleep, timeout};

use crate::common::{CLASSICAL, HYBRID, LIMIT, Running, Setup, ask, setup};
use crate::raw::{DATA, Raw, frame, get, pump};

/// Codes of HTTP/3 (RFC 9114 section 8.1).
const EXCESSIVE_LOAD: u32 = 0x107;
const NO_ERROR: u32 = 0x100;
const REQUEST_CANCELLED: u32 = 0x10c;

async fn start(limits: Limits) -> (Running, Raw) {
    let Setup { client, server } = setup(CLASSICAL);
    let running = Running::start(server, AddressValidation::ByHandshake, limits);
    let raw = Raw::connect(running.address, client).await;
    (running, raw)
}

/// A frame is kept until it is whole: one of a gigabyte must not be.
#[tokio::test]
async fn a_frame_without_end_is_stopped() {
    let (running, raw) = start(Limits::default()).await;
    // HEADERS, and a type that nobody knows.
    for kind in [1, 0x21] {
        let head = [&[kind], 0xbfff_ffff_u32.to_be_bytes().as_slice()].concat();
        let (mut send, mut receive) = raw.send(&head).await;
        let mut sent = 0;
        let code = pump(&mut send, &[7; 1024], &mut sent).await;
        assert_eq!(code, EXCESSIVE_LOAD.into());
        assert!(sent < 1 << 18, "{sent} bytes were taken");
        let answer = timeout(LIMIT, receive.read_to_end(1 << 16)).await.unwrap();
        assert!(answer.is_err(), "{answer:?}");
    }
    // The others of the connection are not to suffer.
    assert!(raw.ask("/").await.ends_with(b"/ x25519"));
    let service = running.stop().await;
    assert_eq!(service.count("RequestFailed Overlong"), 2);
}

#[tokio::test]
async fn an_overlong_header_is_answered_and_counted() {
    let limits = Limits {
        request: 4096,
        ..Limits::default()
    };
    let (running, raw) = start(limits).await;
    assert!(raw.ask(&"/".repeat(3000)).await.ends_with(b"/ x25519"));
    let answer = raw.ask(&"/".repeat(5000)).await;
    // HEADERS with `:status` of 431, the number in the Huffman code of RFC 7541 appendix B.
    let too_large = [1, 8, 0, 0, 0x5f, 9, 0x83, 0x69, 0x90, 0xff];
    assert_eq!(answer, too_large);
    assert!(raw.ask("/").await.ends_with(b"/ x25519"));
    let service = running.stop().await;
    assert_eq!(service.count("RequestFailed Overlong"), 1);
    assert_eq!(service.count("Answered"), 2);
}

/// Content in the smallest frames, and more of it than anybody reads.
#[tokio::test]
async fn content_that_nobody_wants_is_stopped_and_the_request_answered() {
    let (running, raw) = start(Limits::default()).await;
    for piece in [1, 300, 20_000] {
        let (mut send, mut receive) = raw.send(&get("/")).await;
        let content = frame(DATA, &vec![7; piece]);
        let mut sent = 0;
        let answer = timeout(LIMIT, async {
            let pump = pump(&mut send, &content, &mut sent);
            tokio::join!(pump, receive.read_to_end(1 << 16)).1
        });
        let answer = answer.await.unwrap().unwrap();
        assert!(answer.ends_with(b"/ x25519"), "{piece}");
    }
    let service = running.stop().await;
    assert_eq!(service.count("Answered"), 3);
    assert_eq!(service.count("Panicked"), 0);
}

/// Streams without a whole request are no sign of life.
#[tokio::test]
async fn a_connection_without_a_whole_request_is_closed() {
    let limits = Limits {
        idle: Duration::from_millis(400),
        ..Limits::default()
    };
    let (running, raw) = start(limits).await;
    let drip = async {
        let mut streams = Vec::new();
        loop {
            let Ok((mut send, receive)) = raw.connection.open_bi().await else {
                return;
            };
            if send.write_all(&get("/")[..7]).await.is_err() {
                return;
            }
            streams.push((send, receive));
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LIMIT, drip).await.unwrap();
    running.service.until("Closed Timeout").await;
    running.stop().await;
}

#[tokio::test]
async fn broken_http_is_a_fault_of_the_client() {
    let (running, raw) = start(Limits::default()).await;
    let (_send, _receive) = raw.send(&frame(DATA, b"content first")).await;
    // H3_FRAME_UNEXPECTED.
    assert_eq!(raw.closed().await, 0x105);
    running.service.until("Closed Http").await;
    let service = running.stop().await;
    assert_eq!(service.count("RequestFailed"), 0, "one fault counts once");
}

/// A clean end would pass for an answer without anything in it.
#[tokio::test]
async fn a_head_that_takes_too_long_is_reset() {
    let limits = Limits {
        idle: Duration::from_millis(600),
        ..Limits::default()
    };
    let (running, raw) = start(limits).await;
    let (_send, mut receive) = raw.send(&get("/")[..7]).await;
    let others = async {
        loop {
            assert!(raw.ask("/").await.ends_with(b"/ x25519"));
            sleep(Duration::from_millis(50)).await;
        }
    };
    let end = tokio::select! {
        end = timeout(LIMIT, receive.read_to_end(1 << 16)) => end.unwrap(),
        () = others => unreachable!(),
    };
    let reset = quinn::ReadError::Reset(REQUEST_CANCELLED.into());
    assert_eq!(end, Err(quinn::ReadToEndError::Read(reset)));
    let service = running.stop().await;
    assert_eq!(service.count("RequestFailed Timeout"), 1);
    assert_eq!(service.count("Closed "), 0);
}

/// One stops the stream with H3_NO_ERROR, and the other with H3_REQUEST_CANCELLED.
#[tokio::test]
async fn who_has_seen_enough_is_told_from_who_takes_a_request_back() {
    let (running, raw) = start(Limits::default()).await;
    for code in [NO_ERROR, REQUEST_CANCELLED] {
        let (_send, mut receive) = raw.send(&get("/slow")).await;
        receive.stop(code.into()).unwrap();
        // Packets come in their order here: the stop is there once this is answered.
        assert!(raw.ask("/other").await.ends_with(b"/other x25519"));
        running.service.release();
    }
    let service = running.stop().await;
    assert_eq!(service.count("Answered"), 3);
    assert_eq!(service.count("RequestFailed ClosedEarly"), 1);
}

#[tokio::test]
async fn clients_that_leave_in_the_middle_are_told_from_those_that_are_done() {
    let (running, raw) = start(Limits::default()).await;
    let _request = raw.send(&get("/slow")).await;
    running.service.until("/slow").await;
    raw.connection.close(0_u32.into(), b"");
    running.service.until("Closed ClosedEarly").await;
    let done = Raw::connect(running.address, setup(CLASSICAL).client).await;
    done.ask("/").await;
    done.connection.close(0_u32.into(), b"");
    running.service.until("Answered").await;
    let service = running.stop().await;
    assert_eq!(service.count("Closed"), 2);
    assert_eq!(service.count("Closed "), 1, "one was a failure");
}

#[tokio::test]
async fn a_service_that_panics_fails_one_request() {
    let (running, raw) = start(Limits::default()).await;
    raw.send(&get("/panic")).await.0.finish().unwrap();
    running.service.until("Panicked").await;
    assert!(raw.ask("/").await.ends_with(b"/ x25519"));
    running.stop().await;
}

/// The first datagram of a client whose hello needs two.
async fn half_a_hello() -> Vec<u8> {
    let nobody = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = nobody.local_addr().unwrap();
    let options = ClientOptions {
        limit: Duration::from_millis(200),
        ..ClientOptions::default()
    };
    let client = setup(HYBRID).client;
    let failed = quic::connect(address, pki::SERVER_NAME, client, &options).await;
    assert!(failed.is_err());
    let mut datagram = vec![0; 1500];
    let length = nobody.recv(&mut datagram).unwrap();
    datagram.truncate(length);
    datagram
}

fn send(datagram: &[u8], server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.send_to(datagram, server).unwrap();
    socket
}

/// Made-up addresses take a part of the connections; who is at his address gets one.
#[tokio::test]
async fn addresses_are_validated_when_many_are_not() {
    let Setup { client, server } = setup(HYBRID);
    let limits = Limits {
        connections: 2,
        unvalidated: 1,
        ..Limits::default()
    };
    let running = Running::start(server, AddressValidation::ByHandshake, limits);
    let unhurried = ask(running.address, client.clone(), "/").await.unwrap();
    assert!(!unhurried.session.observation.unwrap().has_retry);
    running.service.until("Closed").await;
    let began = running.service.count("Began");
    let first = half_a_hello().await;
    let second = half_a_hello().await;
    let _first = send(&first, running.address);
    let begun = async {
        while running.service.count("Began") == began {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, begun).await.unwrap();
    let _second = send(&second, running.address);
    running.service.until("Retried").await;
    let honest = ask(running.address, client, "/").await.unwrap();
    assert!(honest.session.observation.unwrap().has_retry);
    let service = running.service.clone();
    assert_eq!(service.count("Refused"), 0);
    drop(running);
}
