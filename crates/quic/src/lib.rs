//! QUIC (RFC 9000) with rustls: the second transport of the handshakes that pqlab measures.
//!
//! - [`Pair`] joins two ends over a simulated link. It counts round trips, Initial packets
//!   and what a server may send before it knows its client, the anti-amplification limit.
//! - [`connect`] and [`Server`] speak HTTP/3 over UDP, and see of the handshake what the
//!   datagrams tell.
//!
//! The protocol code is quinn's in both.

mod client;
mod end;
mod error;
mod event;
mod fault;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod initial;
mod library;
mod observation;
mod packet;
mod pair;
mod served;
mod server;
mod session;
mod streams;
mod tap;
mod transport;

pub use client::{ClientOptions, Exchange, HTTP3, Response, connect, connect_and_ask_if};
pub use error::{ClientError, ServerError, Stage};
pub use event::{Event, Fault, HandshakeFailure};
pub use library::library;
pub use observation::{Amplification, Observation, Traffic};
pub use pair::{AddressValidation, Established, Pair, ROUND_TRIP, round_trips};
pub use server::{Limits, Server, Service};
pub use session::Session;
