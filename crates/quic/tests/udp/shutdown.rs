//! How a server ends.

use std::time::Duration;

use quic::{AddressValidation, ClientError, Limits};
use tokio::time::timeout;

use crate::common::{CLASSICAL, LIMIT, Running, Setup, ask, setup};
use crate::raw::{Raw, get};

/// Codes of HTTP/3 (RFC 9114 section 8.1).
const NO_ERROR: u64 = 0x100;
const REQUEST_REJECTED: u32 = 0x10b;

#[tokio::test]
async fn requests_under_way_are_answered_and_new_clients_refused() {
    let Setup { client, server } = setup(CLASSICAL);
    let mut running = Running::start(server, AddressValidation::ByHandshake, Limits::default());
    let mut busy = Raw::connect(running.address, client.clone()).await;
    let mut idle = Raw::connect(running.address, client.clone()).await;
    let (mut send, mut answer) = busy.send(&get("/slow")).await;
    send.finish().unwrap();
    running.service.until("/slow").await;

    running.tell();
    // The one that waits may send no further request; its own is below the limit.
    assert_eq!(busy.goaway().await, 4);
    idle.goaway().await;
    assert_eq!(idle.closed().await, NO_ERROR);
    let refused = ask(running.address, client, "/").await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused), "{refused:?}");
    assert!(busy.connection.close_reason().is_none());
    // What comes after the GOAWAY may be sent again elsewhere (RFC 9114 section 5.2).
    for _ in 0..2 {
        let (late, mut answer) = busy.send(&get("/late")).await;
        let rejected = timeout(LIMIT, answer.read_to_end(1 << 16)).await.unwrap();
        let reset = quinn::ReadError::Reset(REQUEST_REJECTED.into());
        assert_eq!(rejected, Err(quinn::ReadToEndError::Read(reset)));
        let stopped = timeout(LIMIT, late.stopped()).await.unwrap();
        assert_eq!(stopped, Ok(Some(REQUEST_REJECTED.into())));
    }

    running.service.release();
    let answer = timeout(LIMIT, answer.read_to_end(1 << 16)).await.unwrap();
    let answer = answer.unwrap();
    assert!(answer.ends_with(b"/slow x25519"), "{answer:?}");
    assert_eq!(busy.closed().await, NO_ERROR);
    let service = running.ended().await;
    assert_eq!(service.count("/late"), 0);
    assert_eq!(service.count("Answered"), 1);
    assert_eq!(service.count("Closed"), 2);
    assert_eq!(service.count("Refused"), 1);
}

/// One that does not finish its request, and one whose answer never comes.
#[tokio::test]
async fn clients_that_never_end_are_cut_when_the_grace_is_over() {
    let Setup { client, server } = setup(CLASSICAL);
    let (validation, limits) = (AddressValidation::ByHandshake, Limits::default());
    let grace = Duration::from_millis(300);
    let mut running = Running::start_for(server, validation, limits, grace);
    let slow = Raw::connect(running.address, client.clone()).await;
    let _slow = slow.send(&get("/slow")).await;
    running.service.until("/slow").await;
    let half = Raw::connect(running.address, client).await;
    let _half = half.send(&get("/")[..5]).await;
    // Streams come in their order: once this is answered, the half one is under way.
    half.ask("/").await;
    running.tell();
    assert_eq!(slow.closed().await, NO_ERROR);
    assert_eq!(half.closed().await, NO_ERROR);
    let service = running.ended().await;
    assert_eq!(service.count("Answered"), 1);
    assert_eq!(service.count("Closed"), 0, "they were cut");
}

/// A client that sends request after request is told to come again (RFC 9114 section 5.2).
#[tokio::test]
async fn a_connection_has_a_last_request() {
    let Setup { client, server } = setup(CLASSICAL);
    let running = Running::start(server, AddressValidation::ByHandshake, Limits::default());
    let mut endless = Raw::connect(running.address, client.clone()).await;
    for _ in 0..1000 {
        assert!(endless.ask("/").await.ends_with(b"/ x25519"));
    }
    endless.goaway().await;
    assert_eq!(endless.closed().await, NO_ERROR);
    assert!(ask(running.address, client, "/").await.is_ok());
    let service = running.stop().await;
    assert_eq!(service.count("Answered"), 1001);
}
