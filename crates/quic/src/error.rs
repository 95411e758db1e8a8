//! What can go wrong over UDP, and whose fault it is.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use quinn::{ConnectionError, TransportErrorCode};
use stack::StackError;

use crate::fault;

/// How far an exchange had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// From the first datagram until the client may send a request.
    Handshake,
    /// From the request to the end of the response.
    Response,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "the handshake",
            Self::Response => "the response",
        })
    }
}

/// An exchange over QUIC failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// TLS, the name or the path is set up in a way that QUIC does not have.
    #[error(transparent)]
    Setup(StackError),
    /// No socket could be made: ask for the limit of open files.
    #[error("no UDP socket could be made")]
    Socket(#[source] io::Error),
    /// The time was over. UDP tells nobody that no server is there.
    #[error(
        "no end within {limit:?}, during {stage}: is a QUIC server listening at this address, \
         and does UDP get through?"
    )]
    Timeout {
        /// What was under way.
        stage: Stage,
        /// The time allowed for the exchange.
        limit: Duration,
    },
    /// The server knows other versions of QUIC only.
    #[error("the server does not speak version 1 of QUIC")]
    Version,
    /// The server takes no connection now: it may have as many as it allows.
    #[error("the server refuses the connection")]
    Refused,
    /// The server gave up with a TLS alert.
    #[error("the server gave up during {stage} with an alert: {alert}")]
    Alert {
        /// What was under way. A server may refuse a client's certificate after the client's
        /// handshake.
        stage: Stage,
        /// What the alert says.
        alert: wire::AlertDescription,
    },
    /// The server's certificate, signature or key share failed its check.
    #[error("the server was not verified")]
    Verification(#[source] StackError),
    /// Another failure of QUIC or TLS.
    #[error("QUIC failed during {stage}")]
    Quic {
        /// What was under way.
        stage: Stage,
        /// What the library says, and whose fault it is.
        #[source]
        error: StackError,
    },
    /// The server's HTTP/3 is broken, or it refused the request.
    #[error("HTTP/3 failed: {0}")]
    Http(String),
}

impl ClientError {
    pub(crate) fn of_connection(stage: Stage, error: &ConnectionError, limit: Duration) -> Self {
        match error {
            ConnectionError::TimedOut => return Self::Timeout { stage, limit },
            ConnectionError::VersionMismatch => return Self::Version,
            ConnectionError::ConnectionClosed(close)
                if close.error_code == TransportErrorCode::CONNECTION_REFUSED =>
            {
                return Self::Refused;
            }
            _ => {}
        }
        match fault::of(error) {
            StackError::Alert(alert) => Self::Alert { stage, alert },
            error @ (StackError::Certificate(_) | StackError::Cryptography(_)) => {
                Self::Verification(error)
            }
            error => Self::Quic { stage, error },
        }
    }
}

/// A server over QUIC can't begin.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// TLS is set up in a way that QUIC does not have.
    #[error(transparent)]
    Setup(StackError),
    /// Choose another address, or end the program that has it.
    #[error("can't listen at UDP {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}
