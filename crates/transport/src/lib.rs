//! A sans-IO connection of any TLS library over a socket of tokio.
//!
//! Server and client drive their [`stack::Connection`]s with the same [`TlsStream`], so
//! that a measurement of one stack against another differs in the stacks alone.
//!
//! There are no sockets made in here, and no timeouts: whoever owns the stream bounds its
//! calls in time and decides how to part.

mod clock;
mod io;
mod record;
mod recording;
mod stream;

pub use clock::CpuWatch;
pub use recording::{Piece, Recording, Tally};
pub use stream::{Buffers, TlsStream, TransportError};
