//! Every kind of bad certificate, made on the spot and shown to rustls and OpenSSL.
//!
//! A [`Case`] is a fault, what the standard wants, and what each library is known to do.
//! [`examine`] makes its certificates, has a real server show them to a client of each
//! library over loopback (or a client to servers), and asks both verifiers for the reason
//! in their own terms ([`stack::judge()`]). [`limbo`] does the last part with the cases of
//! others. Where the server decides which certificate it shows, or that it has none to show,
//! the server of each library is asked. [`exhibit()`] gives the server of a case to whoever
//! serves it.
//!
//! What OpenSSL says of weak keys and digests goes by its security level: its own, unless the
//! file of OPENSSL_CONF sets another one for TLS (config(5)).
//!
//! All keys live as long as the examination. The names lie under `.test` (RFC 6761 section
//! 6.2).

mod case;
mod cases;
mod examine;
mod exhibit;
mod forge;
mod handshake;
pub mod limbo;
mod scene;
mod workshop;

pub use crate::cause::Cause;
pub use case::{Case, CaseError, Expected, Standard};
pub use cases::all;
pub use examine::{Examination, Outcome, examine};
pub use exhibit::{Exhibit, exhibit};
pub use handshake::{Failure, Handshake};
