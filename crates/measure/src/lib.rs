//! Runs a matrix of scenarios and writes what came out.
//!
//! What is timed, what is not, and what that biases is written down in
//! `benches/METHODOLOGY.md`; this crate is its implementation.

mod capture;
mod clock;
mod cpu;
#[cfg(test)]
mod detection;
mod heap;
mod latency;
mod machine;
mod memory;
mod primitives;
mod quic;
mod runner;
mod subjects;
mod throughput;
mod transfer;
mod verify;
mod visit;
mod wire_bytes;
mod yardstick;

pub use capture::{CaptureError, capture};
pub use machine::machine;
pub use runner::{BuildInfo, MeasureError, Outcome, Plan, Progress, resume, run};
pub use subjects::{libraries, networks, parse_matrix, stack_names};
pub use verify::{CellResult, verify_matrix};
