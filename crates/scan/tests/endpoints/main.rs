//! Scans of servers on this machine: of some the truth is known, others lie, stall or send
//! garbage.
//!
//! Real servers and clients are used where they are installed: what `scripts/install-peers` has
//! put into `target/peers` (or `$PQLAB_PEERS`) comes before the search path. One that is absent
//! is skipped, and its test says so.
#![allow(clippy::unwrap_used)]

mod certificates;
mod hostile;
mod lies;
mod many;
mod programs;
mod recorded_clients;
mod rustls_server;
mod scanning;
mod scripted;
mod truth;
