//! A sans-IO connection of any TLS library over a socket of tokio.
//!
//! Server and client drive their [`stack::Connection`]s with the same [`TlsStream`], so
//! that a measurement of one stack against another differs in the stacks alone.
//!
//! There are no sockets made in here, no timeouts, and no close_notify: whoever owns the
//! stream bounds its calls in time and decides how to part.

mod record;
mod stream;

pub use stream::{Buffers, TlsStream, TransportError};
