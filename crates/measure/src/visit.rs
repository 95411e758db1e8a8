//! Visits: a subject is visited once in each block, in a random order.

use std::time::Duration;

use client::ClientError;
use experiment::{Metric, NetworkName, Subject};
use server::ServerError;
use stack::{PairError, StackError};

/// Something that is visited once in each block.
pub(crate) trait Visit {
    /// What its samples belong to.
    fn subject(&self) -> &Subject;

    /// 1 for the baseline under its second name, else 0.
    fn replica(&self) -> u8 {
        0
    }

    /// Measures, and appends values.
    fn visit(&mut self, values: &mut Vec<Value>) -> Result<(), VisitError>;
}

/// A value of a visit: the replica is the visit's own unless it is given here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value {
    pub(crate) metric: Metric,
    pub(crate) value: i64,
    pub(crate) replica: Option<u8>,
}

impl Value {
    pub(crate) fn new(metric: Metric, value: i64) -> Self {
        Self {
            metric,
            value,
            replica: None,
        }
    }

    pub(crate) fn time(metric: Metric, time: Duration) -> Self {
        Self::new(metric, nanoseconds(time))
    }
}

/// Nanoseconds; a handshake of three centuries does not occur.
pub(crate) fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// A visit failed; its subject is not visited again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VisitError {
    /// The handshake failed, or was another one.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// A transfer failed.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// There is nobody to wait for.
    #[error("latency is measured over TCP, not over {0}: write network = \"loopback\"")]
    Network(NetworkName),
    /// An exchange over TCP failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// There is no server to connect to.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The system gives no more threads or descriptors.
    #[error("no thread or event queue can be made: {0}")]
    Runtime(std::io::Error),
    /// A defect of this program.
    #[error("the thread of the server ended before it listened")]
    ServerThread,
}
