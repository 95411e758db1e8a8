//! What connections fail of.

use std::fmt;
use std::io;

use stack::StackError;

use super::status::Status;
use crate::{ClientError, Stage};

/// A kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// This machine had no descriptor or no port left.
    NoSocket,
    /// Nothing listens at the address.
    ConnectRefused,
    /// TCP got no answer in time.
    ConnectTimeout,
    /// TCP failed in another way: no route, a firewall.
    ConnectFailed,
    /// The handshake had no end in time.
    HandshakeTimeout,
    /// The response did not begin in time.
    ResponseTimeout,
    /// The server closed or reset the connection without a word.
    Closed,
    /// The server gave up with an alert.
    Alert,
    /// The server's certificate chain is not trusted, or not of this server.
    Untrusted,
    /// The server's signature, key share or records failed their check.
    Verification,
    /// The server broke the protocol, or has nothing in common with the client.
    Protocol,
    /// The TLS library of the client failed.
    Library,
    /// The socket failed after TCP had connected.
    SocketFailed,
    /// The handshake is good, and its group not the one asked for.
    OtherGroup,
    /// The server took a ticket with a full handshake.
    NotResumed,
    /// The server ended a full handshake as a resumption.
    NotFull,
    /// The response has another status than expected, or is no HTTP.
    Status,
}

impl FailureKind {
    /// The name in reports for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSocket => "no-socket",
            Self::ConnectRefused => "connect-refused",
            Self::ConnectTimeout => "connect-timeout",
            Self::ConnectFailed => "connect-failed",
            Self::HandshakeTimeout => "handshake-timeout",
            Self::ResponseTimeout => "response-timeout",
            Self::Closed => "closed",
            Self::Alert => "alert",
            Self::Untrusted => "untrusted",
            Self::Verification => "verification",
            Self::Protocol => "protocol",
            Self::Library => "library",
            Self::SocketFailed => "socket-failed",
            Self::OtherGroup => "other-group",
            Self::NotResumed => "not-resumed",
            Self::NotFull => "not-full",
            Self::Status => "status",
        }
    }

    /// What an error counts as.
    pub fn of(error: &ClientError) -> Self {
        match error {
            ClientError::Socket(_) => Self::NoSocket,
            ClientError::Connect(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => Self::ConnectRefused,
                io::ErrorKind::TimedOut => Self::ConnectTimeout,
                // Every port of this source address is in use.
                io::ErrorKind::AddrNotAvailable => Self::NoSocket,
                _ => Self::ConnectFailed,
            },
            ClientError::Timeout { stage, .. } => match stage {
                Stage::Connect => Self::ConnectTimeout,
                Stage::Handshake => Self::HandshakeTimeout,
                Stage::Response | Stage::AfterHandshake => Self::ResponseTimeout,
            },
            ClientError::Closed { .. } => Self::Closed,
            ClientError::Alert { .. } => Self::Alert,
            ClientError::Verification(StackError::Certificate(_)) => Self::Untrusted,
            ClientError::Verification(_) => Self::Verification,
            ClientError::Tls { error, .. } => match error {
                StackError::Setup { .. } | StackError::NoTicket | StackError::Library(_) => {
                    Self::Library
                }
                _ => Self::Protocol,
            },
            ClientError::Io { .. } => Self::SocketFailed,
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSocket => "no socket or port left",
            Self::ConnectRefused => "connection refused",
            Self::ConnectTimeout => "connect timed out",
            Self::ConnectFailed => "connect failed",
            Self::HandshakeTimeout => "handshake timed out",
            Self::ResponseTimeout => "response timed out",
            Self::Closed => "closed by the server",
            Self::Alert => "alert",
            Self::Untrusted => "server not trusted",
            Self::Verification => "verification failed",
            Self::Protocol => "protocol error",
            Self::Library => "library failed",
            Self::SocketFailed => "socket failed",
            Self::OtherGroup => "another group",
            Self::NotResumed => "not resumed",
            Self::NotFull => "resumed unasked",
            Self::Status => "other status",
        })
    }
}

/// One connection's failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    /// Name and number of an alert.
    pub(super) alert: Option<String>,
    pub(super) status: Option<Status>,
    pub(super) message: String,
}

impl Failure {
    pub(super) const fn of_kind(kind: FailureKind, message: String) -> Self {
        Self {
            kind,
            alert: None,
            status: None,
            message,
        }
    }

    /// A response that is not as expected.
    pub(super) fn of_status(status: Status) -> Self {
        let message = match status {
            Status::Code(code) => format!("the status of the response was {code}"),
            Status::NoHttp => "the response was not of HTTP/1".to_owned(),
        };
        Self {
            status: Some(status),
            ..Self::of_kind(FailureKind::Status, message)
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let (kind, message) = (FailureKind::of(&error), error.with_causes());
        Self {
            alert: match error {
                ClientError::Alert { alert, .. } => Some(alert.to_string()),
                _ => None,
            },
            ..Self::of_kind(kind, message)
        }
    }
}

/// How often connections failed in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCount {
    /// The kind.
    pub kind: FailureKind,
    /// Name and number of the alert, for [`FailureKind::Alert`].
    pub alert: Option<String>,
    /// That of the response, for [`FailureKind::Status`].
    pub status: Option<Status>,
    /// How often.
    pub count: u64,
    /// What the first of them said.
    pub example: String,
}

/// Adds a failure to counts of each kind, alert and status.
pub(super) fn count(counts: &mut Vec<FailureCount>, failure: Failure) {
    let Failure {
        kind,
        alert,
        status,
        message,
    } = failure;
    add(
        counts,
        FailureCount {
            kind,
            alert,
            status,
            count: 1,
            example: message,
        },
    );
}

/// Adds the count to that of the same kind, alert and status.
pub(super) fn add(counts: &mut Vec<FailureCount>, more: FailureCount) {
    let key = |count: &FailureCount| (count.kind, count.status);
    let is_same = |count: &FailureCount| key(count) == key(&more) && count.alert == more.alert;
    match counts.iter_mut().find(|count| is_same(count)) {
        Some(count) => count.count += more.count,
        None => counts.push(more),
    }
}
