//! A server and a client that meet over loopback.

use std::time::Duration;

use stack::{Endpoint, StackError};
use tokio::net::TcpStream;
use tokio::time::timeout;
use transport::{Buffers, TlsStream, TransportError};
use wire::{AlertDescription, SignatureScheme};

use super::case::CaseError;
use crate::cause::{Cause, words};
use crate::loopback::pair;

/// How a real handshake ended for the side that judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// Why it failed; `None` if data went both ways.
    pub failure: Option<Failure>,
    /// The alert that one side sent to the other.
    pub alert: Option<AlertDescription>,
    /// The scheme of the signature by which the peer proved its key.
    pub scheme: Option<SignatureScheme>,
}

/// Why a handshake failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In kind.
    pub cause: Cause,
    /// In the library's words.
    pub words: String,
}

/// Who judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    Client,
    Server,
}

/// Time for a handshake; on loopback it takes milliseconds.
const LIMIT: Duration = Duration::from_secs(30);
/// How long a side waits for the other to close after an alert.
const PARTING: Duration = Duration::from_secs(2);

type Ended = Result<Option<SignatureScheme>, TransportError>;

/// Performs a handshake, a request and an answer: in TLS 1.3 a client is done before the
/// server has judged it (RFC 8446 section 4.4.2.4).
pub(super) async fn perform(
    server: &dyn Endpoint,
    client: &dyn Endpoint,
    judge: Judge,
) -> Result<Handshake, CaseError> {
    let [near, far] = pair().await?;
    let serving = async {
        let stream = TlsStream::new(far, server.connection()?, Buffers::default());
        Ok::<_, CaseError>(serve(stream).await)
    };
    let asking = async {
        let stream = TlsStream::new(near, client.connection()?, Buffers::default());
        Ok::<_, CaseError>(ask(stream).await)
    };
    let both = async { tokio::try_join!(serving, asking) };
    let (served, asked) = timeout(LIMIT, both)
        .await
        .map_err(|_| CaseError::Endless)??;
    let alert = alert_in(&served).or_else(|| alert_in(&asked));
    let judged = match judge {
        Judge::Client => asked,
        Judge::Server => served,
    };
    let (scheme, failure) = match judged {
        Ok(scheme) => (scheme, None),
        Err(error) => (
            None,
            Some(Failure {
                cause: Cause::of(&error),
                words: words(&error),
            }),
        ),
    };
    Ok(Handshake {
        failure,
        alert,
        scheme,
    })
}

async fn serve(mut stream: TlsStream<TcpStream>) -> Ended {
    let done = async {
        stream.accept().await?;
        stream.read().await?;
        stream.write_all(b"answer").await
    };
    let done = done.await;
    end(stream, done).await
}

async fn ask(mut stream: TlsStream<TcpStream>) -> Ended {
    let done = async {
        stream.connect().await?;
        stream.write_all(b"request").await?;
        stream.read().await.map(|_| ())
    };
    let done = done.await;
    end(stream, done).await
}

async fn end(mut stream: TlsStream<TcpStream>, done: Result<(), TransportError>) -> Ended {
    let scheme = stream.negotiated().peer_scheme;
    // Closed at once, the kernel's reset might overtake the alert.
    let _ = timeout(PARTING, stream.part()).await;
    done.map(|()| scheme)
}

fn alert_in(ended: &Ended) -> Option<AlertDescription> {
    match ended {
        Err(TransportError::Tls(StackError::Alert(alert))) => Some(*alert),
        _ => None,
    }
}
