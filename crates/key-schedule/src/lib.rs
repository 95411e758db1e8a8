//! From shared secrets to traffic keys (RFC 8446 section 7, RFC 5246 section 8), and the
//! record protection that follows, for whoever holds the secrets: a reader of a key log, a
//! prober that completes a handshake of its own, an attacker who was handed a key.
//!
//! No TLS library in here, no state machine, no I/O: hashes, HKDF and AEADs come from aws-lc.

mod expand;
mod protection;
mod schedule;
mod suite;

pub use protection::{Opened, RecordKeys, Tls12Keys, Tls13Keys};
pub use schedule::{Secret, Stage, Tls13Schedule, finished};
pub use suite::{SuiteAlgorithms, TranscriptHash};
