//! Load: many connections at a chosen rate, and what became of each.
//!
//! [`run`] makes connections from worker threads, each with its own loop over its sockets
//! and its own endpoints. In an open loop connections begin when the schedule says, however
//! slow the server is, and response times count from then; in a closed loop one follows the
//! other. Every handshake's outcome is checked and counted; nothing is dropped silently.
//!
//! All of a connection is measured when the handshake is done, or when the response to its
//! request has begun; it ends then as [`Parting`] says. [`Search`] finds the highest rate
//! that a server keeps up with.
//!
//! There is no tokio in here: its timers are a millisecond wide.

mod alarm;
mod attempt;
mod capacity;
mod failure;
mod latency;
mod link;
mod live;
mod plan;
mod report;
mod resources;
mod run;
mod schedule;
mod status;
mod tally;
mod tools;
mod worker;

pub use capacity::{Capacity, Search};
pub use failure::{FailureCount, FailureKind};
pub use latency::Latency;
pub use live::Snapshot;
pub use plan::{LoadError, MAX_RATE, Parting, Plan, WorkerEndpoints};
pub use report::{ClientDelay, ClientLimit, Rates, Report, WorkerUse};
pub use run::run;
pub use schedule::Arrivals;
pub use status::{ExpectedStatus, Status, UnknownStatus};
pub use tally::Tally;
