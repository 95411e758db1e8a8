//! One connection and its times.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stack::{Connection, Endpoint, Negotiated, StackError};
use tokio::time::timeout;
use transport::{Buffers, TlsStream};

use crate::socket::for_tokio;
use crate::{ClientError, Stage};

/// An exchange that succeeded. Times are wall-clock time as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// TCP: the call of connect() until the server's SYN-ACK has come.
    pub connect: Duration,
    /// TLS: from before the connection object is built, in which some libraries make
    /// their key share, until the client's last flight is with the kernel and it may send
    /// application data. TCP is not part of it.
    pub handshake: Duration,
    /// Everything: the call of connect() until the first byte of the response has been
    /// decrypted.
    pub first_byte: Duration,
    /// What the client's library says was negotiated. Whether the server asked for
    /// another key share (HelloRetryRequest) is not in there: see `server_hello`.
    pub negotiated: Negotiated,
    /// The server's first record as it came, a ServerHello or a HelloRetryRequest (RFC
    /// 8446 section 4.1.3), in plaintext.
    pub server_hello: Vec<u8>,
}

/// What a client asks once the handshake is done: the same as it sends by 0-RTT.
const REQUEST: &[u8] = stack::EARLY_DATA;

/// Opens a connection, performs the handshake of `endpoint`, sends a small request, waits
/// for the first byte of the response, and resets the connection. `limit` is for all of it.
///
/// # Errors
/// The stage it failed in, and who is at fault. Without a ticket that its handshake needs,
/// [`ClientError::Tls`] with [`StackError::NoTicket`]: call [`issue_tickets`] before.
pub async fn connect(
    address: SocketAddr,
    endpoint: &dyn Endpoint,
    limit: Duration,
) -> Result<Exchange, ClientError> {
    exchange(address, || endpoint.connection(), limit).await
}

/// Has a server that issues tickets fill the endpoint's store, by a full handshake that is
/// not measured. Gives the number of tickets in store.
///
/// # Errors
/// As [`connect`]; [`StackError::NoTicket`] if the server issued none.
pub async fn issue_tickets(
    address: SocketAddr,
    endpoint: &dyn Endpoint,
    limit: Duration,
) -> Result<usize, ClientError> {
    // Tickets are sent before any response: with its first byte they are all here.
    exchange(address, || endpoint.issuing_connection(), limit).await?;
    match endpoint.tickets() {
        0 => Err(ClientError::of_tls(Stage::Response, StackError::NoTicket)),
        tickets => Ok(tickets),
    }
}

async fn exchange(
    address: SocketAddr,
    connection: impl FnOnce() -> Result<Box<dyn Connection>, StackError> + Send,
    limit: Duration,
) -> Result<Exchange, ClientError> {
    let mut stage = Stage::Connect;
    match timeout(limit, perform(address, connection, &mut stage)).await {
        Ok(result) => result,
        Err(_) => Err(ClientError::Timeout { stage, limit }),
    }
}

async fn perform(
    address: SocketAddr,
    connection: impl FnOnce() -> Result<Box<dyn Connection>, StackError> + Send,
    stage: &mut Stage,
) -> Result<Exchange, ClientError> {
    let buffers = Buffers::default();
    let socket = for_tokio(address).map_err(ClientError::Socket)?;

    let start = Instant::now();
    let socket = socket.connect(address).await;
    let socket = socket.map_err(ClientError::Connect)?;
    let connected = start.elapsed();

    *stage = Stage::Handshake;
    let before = Instant::now();
    let connection = connection().map_err(|error| ClientError::of_tls(*stage, error))?;
    let mut stream = TlsStream::new(socket, connection, buffers);
    let done = stream.connect().await;
    done.map_err(|error| ClientError::of_transport(*stage, error))?;
    let handshake = before.elapsed();

    *stage = Stage::Response;
    let sent = stream.write_all(REQUEST).await;
    sent.map_err(|error| ClientError::of_transport(*stage, error))?;
    let read = stream.read().await.map(<[u8]>::len);
    read.map_err(|error| ClientError::of_transport(*stage, error))?;
    let first_byte = start.elapsed();

    Ok(Exchange {
        connect: connected,
        handshake,
        first_byte,
        negotiated: stream.negotiated(),
        server_hello: stream.peer_hello().to_vec(),
    })
}
