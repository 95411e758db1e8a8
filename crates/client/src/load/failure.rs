//! What connections fail of.

use std::fmt;
use std::io;

use stack::StackError;

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
    /// The server's certificate, signature, key share or records failed their check.
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
            Self::Verification => "verification",
            Self::Protocol => "protocol",
            Self::Library => "library",
            Self::SocketFailed => "socket-failed",
            Self::OtherGroup => "other-group",
            Self::NotResumed => "not-resumed",
            Self::NotFull => "not-full",
        }
    }

    fn of(error: &ClientError) -> Self {
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
            Self::Verification => "verification failed",
            Self::Protocol => "protocol error",
            Self::Library => "library failed",
            Self::SocketFailed => "socket failed",
            Self::OtherGroup => "another group",
            Self::NotResumed => "not resumed",
            Self::NotFull => "resumed unasked",
        })
    }
}

/// One connection's failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    /// The name that the library gives an alert.
    pub(super) alert: Option<String>,
    pub(super) message: String,
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self {
            kind: FailureKind::of(&error),
            message: error.with_causes(),
            alert: match error {
                ClientError::Alert { alert, .. } => Some(alert),
                _ => None,
            },
        }
    }
}

/// How often connections failed in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCount {
    /// The kind.
    pub kind: FailureKind,
    /// What the library calls the alert, for [`FailureKind::Alert`].
    pub alert: Option<String>,
    /// How often.
    pub count: u64,
    /// What the first of them said.
    pub example: String,
}

/// Adds a failure to counts of each kind and alert.
pub(super) fn count(counts: &mut Vec<FailureCount>, failure: Failure) {
    let Failure {
        kind,
        alert,
        message,
    } = failure;
    add(
        counts,
        FailureCount {
            kind,
            alert,
            count: 1,
            example: message,
        },
    );
}

/// Adds the count to that of the same kind and alert.
pub(super) fn add(counts: &mut Vec<FailureCount>, more: FailureCount) {
    let mut same = counts.iter_mut();
    match same.find(|count| count.kind == more.kind && count.alert == more.alert) {
        Some(count) => count.count += more.count,
        None => counts.push(more),
    }
}
