//! A client over TCP that times its handshakes, with any TLS library behind it.
//!
//! [`connect`] is one exchange: TCP, TLS, a small request, the first byte of the answer,
//! and a reset. Called again and again with one endpoint it is a client that keeps its
//! configuration and opens connections one after the other. Endpoints that resume need
//! tickets, which [`issue_tickets`] fetches.
//!
//! They run on the tokio runtime of the caller, which must have I/O and time enabled.
//!
//! [`load`] makes many connections at a chosen rate, from threads of its own.

mod error;
mod exchange;
mod inspect;
pub mod load;
mod socket;

pub use error::{ClientError, Stage};
pub use exchange::{Exchange, connect, issue_tickets};
pub use inspect::{Established, Inspection, Response, inspect, inspect_within};
