//! What happened, in order.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// One entry. Each holds the hash of the one before it, so that nothing can be taken out or
/// changed without rewriting all that follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// From 1, without gaps.
    pub sequence: u64,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What.
    pub event: Event,
    /// SHA-256 of the entry before, as it is stored; of nothing for the first.
    pub previous: String,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
#[expect(missing_docs, reason = "the fields are ids, serial numbers and texts")]
pub enum Event {
    /// An authority has a key.
    AuthorityCreated { authority: String },
    /// An authority has its certificate.
    AuthorityCertified {
        authority: String,
        fingerprint: String,
    },
    /// An authority issues no more, or again.
    AuthorityState { authority: String, state: String },
    /// Somebody may have certificates issued.
    Granted {
        authority: String,
        principal: String,
    },
    /// A certificate was issued.
    Issued {
        authority: String,
        serial: String,
        kind: String,
        names: Vec<String>,
        fingerprint: String,
    },
    /// A certificate was revoked.
    Revoked {
        authority: String,
        serial: String,
        reason: String,
    },
    /// A clock was accepted that contradicts the log.
    ClockAccepted { last: String },
    /// A revocation list was signed.
    CrlSigned {
        authority: String,
        number: u64,
        entries: usize,
    },
}

/// SHA-256 in lower-case hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}
