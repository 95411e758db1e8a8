//! What can go wrong in an exchange, and whose fault it is.

use std::fmt;
use std::io;
use std::time::Duration;

use stack::StackError;
use transport::TransportError;
use wire::AlertDescription;

/// How far an exchange had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// TCP.
    Connect,
    /// TLS, from building the connection to sending the client's last flight.
    Handshake,
    /// From the request to the first byte of the response.
    Response,
    /// The client's handshake is done, and the server may still refuse it.
    AfterHandshake,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Handshake => "the handshake",
            Self::Response => "waiting for the response",
            Self::AfterHandshake => "the moment after the handshake",
        })
    }
}

/// An exchange failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The socket could not be made or bound: ask for the limit of open files.
    #[error("no socket could be made")]
    Socket(#[source] io::Error),
    /// TCP did not connect: is a server listening at this address?
    #[error("the server can't be reached")]
    Connect(#[source] io::Error),
    /// The time was over; the server may be overloaded, or silent.
    #[error("no end within {limit:?}, during {stage}")]
    Timeout {
        /// What was under way.
        stage: Stage,
        /// The time allowed for the exchange.
        limit: Duration,
    },
    /// The server closed or reset the connection without a word.
    #[error("the server closed the connection during {stage}")]
    Closed {
        /// What was under way.
        stage: Stage,
    },
    /// The server refused with an alert.
    #[error("the server gave up during {stage} with an alert: {alert}")]
    Alert {
        /// What was under way. A TLS 1.3 server may refuse a client after its handshake.
        stage: Stage,
        /// What the alert says.
        alert: AlertDescription,
    },
    /// The server's certificate, signature, key share or records failed their check.
    #[error("the server was not verified")]
    Verification(#[source] StackError),
    /// Another failure of TLS: the server breaks the protocol or has nothing in common
    /// with the client, or the library of the client fails.
    #[error("TLS failed during {stage}")]
    Tls {
        /// What was under way.
        stage: Stage,
        /// What the library says, and whose fault it is.
        #[source]
        error: StackError,
    },
    /// A connection failed at the socket after it was made.
    #[error("the connection failed during {stage}")]
    Io {
        /// What was under way.
        stage: Stage,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

impl ClientError {
    pub(crate) fn of_tls(stage: Stage, error: StackError) -> Self {
        match error {
            StackError::Alert(alert) => Self::Alert { stage, alert },
            StackError::Certificate(_) | StackError::Cryptography(_) => Self::Verification(error),
            error => Self::Tls { stage, error },
        }
    }

    pub(crate) fn of_transport(stage: Stage, error: TransportError) -> Self {
        match error {
            TransportError::Closed => Self::Closed { stage },
            TransportError::Tls(error) => Self::of_tls(stage, error),
            TransportError::Socket(error) => Self::Io { stage, error },
        }
    }
}

impl ClientError {
    /// What happened, with its causes, in one line.
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
