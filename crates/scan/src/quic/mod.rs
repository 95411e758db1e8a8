//! One question to a QUIC server: a ClientHello in Initial packets, and what it answers first.
//!
//! No QUIC library in here: each would take part in choosing what is offered. Only what a first
//! flight needs is spoken, of version 1 (RFC 9000, RFC 9001).

mod attempt;
mod cursor;
mod frames;
mod packet;
mod protection;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use audit::Cause;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};
use wire::Offer;

use crate::dial::{Dialer, Stopped};
use crate::incoming::garbage;
use crate::probe::{Chosen, Reply};
use attempt::{Attempt, Outcome};

/// How long an answer is waited for before all is sent again; the pause doubles each time
/// (RFC 9002 section 6.2 begins with a second, which is long for a probe).
const FIRST_PAUSE: Duration = Duration::from_millis(300);
/// Datagrams of the peer that are read in one attempt.
const MOST_DATAGRAMS: usize = 2048;
/// Longer datagrams than the transport parameters allow are cut, and then damaged.
const LONGEST_DATAGRAM: usize = 2048;

/// Asks, and lets the server forget the connection.
pub(crate) async fn ask(dialer: &Dialer, offer: &Offer) -> Result<Reply, Stopped> {
    let _leave = dialer.pace.leave().await;
    dialer.probes.fetch_add(1, Ordering::Relaxed);
    let deadline = Instant::now() + dialer.limit;
    let mut attempt = Attempt::new(offer)?;
    let socket = connect(dialer.address).await.map_err(no_connection)?;
    let outcome = exchange(&socket, &mut attempt, deadline).await;
    if let Some(close) = attempt.close() {
        // A courtesy: nothing depends on it.
        let _ = socket.try_send(&close);
    }
    match outcome? {
        Answered::Message(message) => Ok(Reply::Hello(Chosen::read(message, offer)?)),
        Answered::Alert(alert) => Ok(Reply::Alert(alert)),
    }
}

/// Reads the pieces as datagrams, and as the frames of packets; for the fuzz target.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzzing<'a>(pieces: impl Iterator<Item = &'a [u8]>) {
    let offer = crate::offers::tls13(Some("server.example.test"));
    let Ok(mut attempt) = Attempt::with_ids(&offer, [1; 8], [2; 8]) else {
        return;
    };
    let mut crypto = frames::CryptoStream::default();
    for piece in pieces {
        let _ = attempt.take(piece);
        if let Ok(frames) = frames::Frames::parse(piece) {
            for (offset, data) in &frames.data {
                let _ = crypto.put(*offset, data);
            }
        }
        let _ = crypto.message();
    }
}

/// What ends an attempt well.
enum Answered {
    /// A ServerHello or HelloRetryRequest, its header of four bytes included.
    Message(Vec<u8>),
    Alert(wire::AlertDescription),
}

/// A socket that takes datagrams, and ICMP errors, of this peer alone.
async fn connect(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(address).await?;
    Ok(socket)
}

async fn exchange(
    socket: &UdpSocket,
    attempt: &mut Attempt,
    deadline: Instant,
) -> Result<Answered, Stopped> {
    let mut buffer = vec![0; LONGEST_DATAGRAM];
    let mut datagrams = 0;
    let mut pause = FIRST_PAUSE;
    send(socket, &attempt.flight()?, deadline).await?;
    let mut again = Instant::now() + pause;
    loop {
        let received = timeout_at(again.min(deadline), socket.recv(&mut buffer)).await;
        let datagram = match received {
            // A peer that sends without end must not keep the clock from being read.
            _ if Instant::now() >= deadline => return Err(attempt.too_late()),
            Err(_) => {
                pause *= 2;
                send(socket, &attempt.flight()?, deadline).await?;
                again = Instant::now() + pause;
                continue;
            }
            Ok(Err(error)) => return Err(no_connection(error)),
            Ok(Ok(length)) => &buffer[..length],
        };
        datagrams += 1;
        if datagrams > MOST_DATAGRAMS {
            return Err(garbage(format!(
                "{MOST_DATAGRAMS} datagrams without an answer"
            )));
        }
        match attempt.take(datagram)? {
            Outcome::Nothing => {}
            Outcome::Again => {
                pause = FIRST_PAUSE;
                send(socket, &attempt.flight()?, deadline).await?;
                again = Instant::now() + pause;
            }
            Outcome::Acknowledge => {
                send(socket, &attempt.acknowledgement()?, deadline).await?;
            }
            Outcome::Message(message) => return Ok(Answered::Message(message)),
            Outcome::Alert(alert) => return Ok(Answered::Alert(alert)),
        }
    }
}

async fn send(socket: &UdpSocket, datagrams: &[Vec<u8>], deadline: Instant) -> Result<(), Stopped> {
    for datagram in datagrams {
        match timeout_at(deadline, socket.send(datagram)).await {
            Err(_) => return Err(Stopped::unknown(Cause::Timeout, "no datagram leaves")),
            Ok(sent) => sent.map_err(no_connection)?,
        };
    }
    Ok(())
}

/// Among others "port unreachable", which ICMP brings.
fn no_connection(error: std::io::Error) -> Stopped {
    Stopped::unknown(Cause::Connect, error.to_string())
}
