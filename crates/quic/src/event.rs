//! What becomes of a server's connections.

use std::net::SocketAddr;

use h3::error::{Code, ConnectionError as HttpError, StreamError};
use quinn::{ConnectionError, TransportErrorCode};
use stack::{StackError, printable};
use wire::ClientHello;

use crate::fault;
use crate::session::Session;

/// Something that happened at a server. Every connection that began is refused, fails, or is
/// closed, unless the server ends first.
#[derive(Debug)]
pub enum Event<'e> {
    /// A client must come again with a token, to show that it is at its address.
    Retried(SocketAddr),
    /// A client wants a connection, and need not come again.
    Began(SocketAddr),
    /// It was refused: there were as many as allowed, or the server ends.
    Refused(SocketAddr),
    /// Its handshake was completed.
    Established(&'e Session),
    /// Its handshake failed.
    Failed(&'e HandshakeFailure),
    /// A request was answered, and the client has all of it.
    Answered(&'e Session),
    /// A request failed; the connection goes on.
    RequestFailed {
        /// The connection.
        session: &'e Session,
        /// Why.
        fault: &'e Fault,
    },
    /// It has ended.
    Closed {
        /// The connection.
        session: &'e Session,
        /// Why, unless the client left between two requests: the good end.
        fault: Option<&'e Fault>,
    },
    /// A task panicked: a defect in this program, or in what stands behind it.
    Panicked,
    /// The socket failed: the server ends.
    SocketLost,
}

/// A handshake that came to nothing.
#[derive(Debug)]
pub struct HandshakeFailure {
    /// The client.
    pub address: SocketAddr,
    /// Why.
    pub fault: Fault,
    /// What the client offered, if that much could be read.
    pub client_hello: Option<ClientHello>,
}

/// Why a handshake, a request or a connection failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The client left, or took a request back, in the middle.
    #[error("the client left before the end")]
    ClosedEarly,
    /// The handshake or a request took too long, or no request came.
    #[error("the client took too long")]
    Timeout,
    /// A request's header is longer than allowed.
    #[error("the header of a request is longer than allowed")]
    Overlong,
    /// TLS or QUIC failed.
    #[error(transparent)]
    Quic(#[from] StackError),
    /// The client broke HTTP/3.
    #[error("HTTP/3 failed: {0}")]
    Http(String),
}

impl Fault {
    /// What the end of a connection says; `None` where it was closed here.
    pub(crate) fn of(error: &ConnectionError) -> Option<Self> {
        // What an end sends that gives up before it may say why (RFC 9000 section 10.2.3).
        let is_leaving = |code| {
            code == TransportErrorCode::NO_ERROR || code == TransportErrorCode::APPLICATION_ERROR
        };
        match error {
            ConnectionError::LocallyClosed => None,
            ConnectionError::TimedOut => Some(Self::Timeout),
            ConnectionError::ApplicationClosed(_) | ConnectionError::Reset => {
                Some(Self::ClosedEarly)
            }
            ConnectionError::ConnectionClosed(close) if is_leaving(close.error_code) => {
                Some(Self::ClosedEarly)
            }
            other => Some(Self::Quic(fault::of(other))),
        }
    }
}

impl From<&HttpError> for Fault {
    fn from(error: &HttpError) -> Self {
        match error {
            HttpError::Timeout => Self::Timeout,
            error => Self::Http(printable(&error.to_string())),
        }
    }
}

impl From<StreamError> for Fault {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::HeaderTooBig { .. } => Self::Overlong,
            // Said by this end of what it would not keep.
            StreamError::RemoteTerminate { code } if code == Code::H3_EXCESSIVE_LOAD => {
                Self::Overlong
            }
            StreamError::StreamError { code, .. } if code == Code::H3_REQUEST_INCOMPLETE => {
                Self::ClosedEarly
            }
            StreamError::RemoteTerminate { .. } | StreamError::RemoteClosing => Self::ClosedEarly,
            StreamError::ConnectionError(error) => Self::from(&error),
            error => Self::Http(printable(&error.to_string())),
        }
    }
}
