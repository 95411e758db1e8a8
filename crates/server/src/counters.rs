//! What became of connections.

use std::sync::atomic::{AtomicU64, Ordering};

use stack::StackError;
use transport::TransportError;

/// Something that happened to a connection. Every accepted one ends as exactly one of
/// [`Event::Refused`], [`Event::Closed`] and the failures after it, unless the server is
/// shut down first. Over HTTP/3, a request that fails counts beside, and its connection goes
/// on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A client must come again with a token, to show that it is at its address: over QUIC
    /// only, and not a connection yet.
    Retried,
    /// A client wants a connection.
    Accepted,
    /// It was closed at once: there were as many as allowed. Over QUIC, which has one socket
    /// for all, also because the server ends.
    Refused,
    /// Its handshake was completed.
    Established,
    /// A request was answered; a connection may bring several.
    Answered,
    /// The client closed it between two requests: the good end.
    Closed,
    /// The client closed it during the handshake or within a request.
    ClosedEarly,
    /// The handshake took too long.
    HandshakeTimeout,
    /// After the handshake, no whole request came for too long.
    IdleTimeout,
    /// The client gave up with an alert.
    Alert,
    /// The client broke the protocol, offered nothing in common, or failed a check.
    PeerFault,
    /// A request was longer than allowed.
    Overlong,
    /// The TLS library or its setup failed.
    LibraryFault,
    /// The socket failed.
    SocketFault,
    /// The backend can't be reached, or fails; a connection over HTTP goes on.
    BackendFault,
    /// The task panicked: a defect in this program.
    Panicked,
    /// No connection could be accepted, mostly for want of file descriptors; it waits in
    /// the kernel's queue.
    AcceptFault,
}

/// How often each [`Event`] happened since the server was bound.
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; EVENTS]);

const EVENTS: usize = Event::ALL.len();

impl Counters {
    /// The number of these events.
    pub fn count(&self, event: Event) -> u64 {
        self.0[event as usize].load(Ordering::Relaxed)
    }

    /// Counts one that happened at a server of another crate.
    pub fn add(&self, event: Event) {
        self.0[event as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl Event {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 17] = [
        Self::Retried,
        Self::Accepted,
        Self::Refused,
        Self::Established,
        Self::Answered,
        Self::Closed,
        Self::ClosedEarly,
        Self::HandshakeTimeout,
        Self::IdleTimeout,
        Self::Alert,
        Self::PeerFault,
        Self::Overlong,
        Self::LibraryFault,
        Self::SocketFault,
        Self::BackendFault,
        Self::Panicked,
        Self::AcceptFault,
    ];

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retried => "retried",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Established => "established",
            Self::Answered => "answered",
            Self::Closed => "closed",
            Self::ClosedEarly => "closed_early",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::Alert => "alert",
            Self::PeerFault => "peer_fault",
            Self::Overlong => "overlong",
            Self::LibraryFault => "library_fault",
            Self::SocketFault => "socket_fault",
            Self::BackendFault => "backend_fault",
            Self::Panicked => "panicked",
            Self::AcceptFault => "accept_fault",
        }
    }

    /// What a connection's failure counts as.
    pub(crate) fn of(error: &TransportError) -> Self {
        match error {
            TransportError::Closed => Self::ClosedEarly,
            TransportError::Socket(_) => Self::SocketFault,
            TransportError::Tls(error) => error.into(),
        }
    }
}

impl From<&StackError> for Event {
    fn from(error: &StackError) -> Self {
        match error {
            StackError::Alert(_) => Self::Alert,
            StackError::Certificate(_)
            | StackError::Cryptography(_)
            | StackError::Peer(_)
            | StackError::Stalled => Self::PeerFault,
            StackError::Setup { .. } | StackError::NoTicket | StackError::Library(_) => {
                Self::LibraryFault
            }
        }
    }
}
