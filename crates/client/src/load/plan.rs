//! What load is to be made.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use stack::Endpoint;
use wire::NamedGroup;

use super::{Arrivals, ExpectedStatus, FailureKind};

/// A load.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub address: SocketAddr,
    /// How connections follow each other.
    pub arrivals: Arrivals,
    /// For how long connections begin. Those under way then are waited for.
    pub duration: Option<Duration>,
    /// How many connections begin.
    pub handshakes: Option<u64>,
    /// Connections at a time, of all workers together, that are still to be measured. What
    /// is due beyond is counted as not started.
    pub max_in_flight: usize,
    /// For each connection, until all of it is done.
    pub timeout: Duration,
    /// The share of connections that resume, from 0 to 1.
    pub resumed_share: f64,
    /// What is sent after the handshake; the connection ends when the status line of a
    /// final HTTP/1 response has come.
    pub request: Option<Vec<u8>>,
    /// How connections end.
    pub parting: Parting,
    /// The group that every key exchange must have.
    pub expected_group: Option<NamedGroup>,
    /// The status that every response must have.
    pub expected_status: ExpectedStatus,
    /// Decides about all that is random.
    pub seed: u64,
}

/// How a connection ends once all that is measured is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parting {
    /// With close_notify, and after the server has closed as well: it has seen the end of
    /// the handshake then. A port stays in TIME_WAIT for a minute.
    #[default]
    Orderly,
    /// At once, by a reset: a server that has not yet read the client's last flight never
    /// does.
    Reset,
}

/// What the connections of one worker are made from.
///
/// A worker has endpoints of its own: threads do not wait for each other, and a ticket
/// that comes is the one that is waited for.
#[derive(Clone)]
pub struct WorkerEndpoints {
    /// For full handshakes: it offers no tickets.
    pub full: Arc<dyn Endpoint>,
    /// For resumptions: it keeps tickets and offers each once. Needed if any connections
    /// are to resume.
    pub resuming: Option<Arc<dyn Endpoint>>,
}

/// A load could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The plan can't be carried out.
    #[error("{0}")]
    Plan(&'static str),
    /// Nothing can be resumed: does the server issue tickets?
    #[error("no ticket came, so that nothing can be resumed: {reason}")]
    NoTickets {
        /// What came of the handshakes that were to fetch them.
        reason: String,
        /// How they failed, if they did.
        kind: Option<FailureKind>,
    },
    /// The system refused what a worker needs.
    #[error("a worker could not begin, or go on: {0}")]
    Worker(#[from] std::io::Error),
    /// A defect in this program or in a TLS library.
    #[error("a worker panicked")]
    Panicked,
}

/// The highest rate that is understood, per second.
pub const MAX_RATE: f64 = 10_000_000.0;

impl Plan {
    pub(super) fn check(&self, endpoints: &[WorkerEndpoints]) -> Result<(), LoadError> {
        let is_rate = |rate: f64| rate > 0.0 && rate <= MAX_RATE;
        let fault = match self.arrivals {
            Arrivals::Constant { per_second } | Arrivals::Poisson { per_second }
                if !is_rate(per_second) =>
            {
                Some("a rate must be above 0 and at most ten million per second")
            }
            Arrivals::Closed { concurrency } if concurrency < endpoints.len() => {
                Some("each worker needs a connection: use fewer threads than connections")
            }
            _ if endpoints.is_empty() => Some("there must be at least one worker"),
            _ if self.duration.is_none() && self.handshakes.is_none() => {
                Some("a duration or a number of handshakes is needed: a load must end")
            }
            _ if self.max_in_flight < endpoints.len() => {
                Some("each worker needs a connection in flight")
            }
            _ if self.timeout.is_zero() => Some("a connection needs time"),
            _ if !(0.0..=1.0).contains(&self.resumed_share) => {
                Some("the share of resumptions is from 0 to 1")
            }
            _ if self.resumed_share > 0.0 && endpoints.iter().any(|e| e.resuming.is_none()) => {
                Some("resumptions need endpoints that keep tickets")
            }
            _ => None,
        };
        match fault {
            Some(fault) => Err(LoadError::Plan(fault)),
            None => Ok(()),
        }
    }
}
