//! One connection, from its first byte to its last.

use std::io;
use std::time::Duration;

use stack::{Connection, StackError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use transport::{Buffers, TlsStream, TransportError};
use wire::ClientHello;

use crate::respond::{RESPONSE, Requests};
use crate::visitor::client_hello;
use crate::{Counters, Event, Limits};

/// How long a peer that was given up gets to read the alert and close.
const PARTING: Duration = Duration::from_millis(500);

/// Serves a client until it leaves or fails. Gives how it ended.
pub(crate) async fn serve(
    socket: TcpStream,
    connection: Result<Box<dyn Connection>, StackError>,
    limits: Limits,
    counters: &Counters,
) -> Event {
    if socket.set_nodelay(true).is_err() {
        return Event::SocketFault;
    }
    let mut stream = match establish(socket, connection, limits.handshake).await {
        Ok(stream) => stream,
        Err(failure) => return failure.event,
    };
    counters.add(Event::Established);
    let mut requests = Requests::new(limits.request);
    loop {
        match timeout(limits.idle, answer(&mut stream, &mut requests, counters)).await {
            Ok(Ok(())) => {}
            Ok(Err(Ending::Overlong)) => return Event::Overlong,
            Ok(Err(Ending::Transport(TransportError::Closed))) if !requests.is_within_request() => {
                return Event::Closed;
            }
            Ok(Err(Ending::Transport(error))) => return give_up(stream, &error).await,
            Err(_) => return Event::IdleTimeout,
        }
    }
}

/// A handshake that came to nothing.
pub(crate) struct Failure {
    pub(crate) event: Event,
    /// Why, in the library's or the system's words.
    pub(crate) reason: String,
    /// What the client offered, if that much could be read.
    pub(crate) hello: Option<ClientHello>,
}

/// Performs the handshake within `limit`.
pub(crate) async fn establish<S>(
    socket: S,
    connection: Result<Box<dyn Connection>, StackError>,
    limit: Duration,
) -> Result<TlsStream<S>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let connection = connection.map_err(|error| Failure {
        event: Event::LibraryFault,
        reason: error.to_string(),
        hello: None,
    })?;
    let mut stream = TlsStream::new(socket, connection, Buffers::default());
    let error = match timeout(limit, stream.accept()).await {
        Ok(Ok(())) => return Ok(stream),
        // The socket may have a limit of its own.
        Ok(Err(TransportError::Socket(error))) if error.kind() == io::ErrorKind::TimedOut => None,
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
    let hello = client_hello(stream.peer_hello());
    let Some(error) = error else {
        return Err(Failure {
            event: Event::HandshakeTimeout,
            reason: "the handshake took too long".to_owned(),
            hello,
        });
    };
    Err(Failure {
        event: give_up(stream, &error).await,
        reason: error.to_string(),
        hello,
    })
}

enum Ending {
    Overlong,
    Transport(TransportError),
}

impl From<TransportError> for Ending {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

/// Waits until at least one request is whole, and answers all that are.
async fn answer(
    stream: &mut TlsStream<TcpStream>,
    requests: &mut Requests,
    counters: &Counters,
) -> Result<(), Ending> {
    let mut count = 0;
    while count == 0 {
        let piece = stream.read().await?;
        count = requests.take(piece).map_err(|_| Ending::Overlong)?;
    }
    for _ in 0..count {
        stream.write_all(RESPONSE).await?;
        counters.add(Event::Answered);
    }
    Ok(())
}

async fn give_up<S>(mut stream: TlsStream<S>, error: &TransportError) -> Event
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if let TransportError::Tls(_) = error {
        // A peer that does not close in time is cut off: the event is the same.
        let _ = timeout(PARTING, stream.part()).await;
    }
    Event::of(error)
}
