//! A TLS handshake step by step: read from the bytes on the wire with the logged secrets,
//! explained in plain words, and drawn.
//!
//! [`explain`] takes a [`Capture`] and gives a [`Trace`]. What it says about security
//! follows from `wire`'s facts about the algorithms that were negotiated. [`text`] renders
//! a trace for a terminal, [`compare_text`] lists the bytes of several side by side, [`svg()`]
//! draws them; a trace is serialisable.
//!
//! No TLS library in here: the trace is a second opinion on the libraries under test.
//!
//! ```
//! use experiment::Side;
//! use trace::{Capture, Flight, KeyLog, explain, text};
//!
//! # fn main() -> Result<(), trace::KeyLogError> {
//! let capture = Capture {
//!     title: "a server that refuses".to_owned(),
//!     flights: vec![Flight::new(Side::Server, vec![21, 3, 3, 0, 2, 2, 40])],
//!     key_log: KeyLog::parse("")?,
//! };
//! let trace = explain(&capture);
//! assert!(trace.error.is_none());
//! assert!(text(&trace).contains("handshake_failure"));
//! # Ok(())
//! # }
//! ```

mod capture;
mod chain;
mod direction;
mod error;
mod explain;
mod key_log;
mod message;
mod reader;
mod render;
mod trace;
mod words;

pub use capture::{Capture, Flight};
pub use error::ReadError;
pub use explain::explain;
pub use key_log::{KeyLog, KeyLogError, SecretLabel};
pub use message::Message;
pub use render::{compare_text, drawing, svg, text};
pub use trace::{
    EarlyData, Fact, Finding, FlightSummary, INITIAL_WINDOW, Negotiated, PhaseTime, Protection,
    SEGMENT, SideTotals, Step, Subject, Totals, Trace, Verdict, Work,
};
