//! Raw probes of TLS, SSH and QUIC endpoints.
//!
//! A ClientHello is written byte by byte with `wire`, and only its answer is read: so a server
//! can be asked about groups that no library here has. An answer is yes, no, or not known with
//! its reason; a timeout, a reset or garbage is never "no". Groups are enumerated without
//! computing a key: an empty `key_share` makes a server ask for one, and so name the group.
//!
//! Nobody is authenticated, and no application data are sent.

mod clients;
mod dial;
mod endpoint;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod handshake;
mod incoming;
mod offers;
mod pace;
mod probe;
mod quic;
mod share;
mod shown;
mod ssh;
mod starttls;
mod tls;
mod tolerance;

pub use endpoint::{Depth, Options, scan};
pub use pace::Limits;
