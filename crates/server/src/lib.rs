//! A server over TCP that answers small requests, with any TLS library behind it.
//!
//! It holds against clients that are slow, silent or hostile: each has its own task, its
//! time and memory are bounded by [`Limits`], and what became of it is in [`Counters`].
//!
//! It is no web server: every request gets the same answer.

mod counters;
mod respond;
mod server;
mod session;

pub use counters::{Counters, Event};
pub use server::{Limits, ServeMode, Server, ServerError};
