//! What a case is.

use std::io;

use openssl::error::ErrorStack;
use stack::StackError;
use wire::AlertDescription;

use super::scene::Scene;
use super::workshop::Workshop;

/// One fault of a certificate, or a control without any.
#[derive(Debug)]
pub struct Case {
    /// A short name, in words with hyphens.
    pub name: &'static str,
    /// What is shown to the peer.
    pub fault: &'static str,
    /// What follows by the standard.
    pub standard: Standard,
    /// Where the standard says so.
    pub reference: &'static str,
    /// What rustls is known to do.
    pub rustls: Expected,
    /// What OpenSSL is known to do.
    pub openssl: Expected,
    /// The scheme of the handshake's signature, where the case is about it.
    pub scheme: Option<&'static str>,
    /// Why the libraries differ, from each other or from the standard, and which is right.
    pub difference: Option<&'static str>,
    pub(super) make: fn(&Workshop) -> Result<Scene, CaseError>,
}

/// What a standard wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standard {
    /// The peer is to be accepted.
    Accept,
    /// The peer is to be refused.
    Refuse,
    /// To refuse the peer is RECOMMENDED (RFC 2119 section 3).
    RecommendRefusal,
    /// Such a certificate must not be issued, or not be shown; what becomes of it if it is,
    /// the standard does not say.
    Forbid,
}

/// What a library is known to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It accepts the chain, and the handshake succeeds.
    Accepts,
    /// It refuses the chain with this code, in the sense of [`stack::Refusal::code`].
    Refuses(&'static str),
    /// The handshake fails with this alert, though not by the chain: none is shown, or a
    /// good one.
    Fails(AlertDescription),
}

impl Case {
    /// What `library`, `rustls` or `openssl`, is known to do.
    pub fn expected(&self, library: &str) -> Expected {
        match library {
            "rustls" => self.rustls,
            _ => self.openssl,
        }
    }
}

/// A case can't be examined.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The certificates could not be made.
    #[error("making the certificates: {0}")]
    Issue(#[from] rcgen::Error),
    /// A key or signature that only OpenSSL makes could not be had.
    #[error("making a weak key or signature: {0}")]
    Weak(#[from] ErrorStack),
    /// What is to be forged is not in the original.
    #[error("the bytes to replace are not in the {0}")]
    Forge(&'static str),
    /// A library refuses to be set up.
    #[error("{0}")]
    Stack(#[from] StackError),
    /// This build lacks a library.
    #[error("this build has no {0}")]
    NoStack(&'static str),
    /// No library is willing to show it.
    #[error("no library shows such a certificate: {0}")]
    NobodyShows(String),
    /// A loopback socket failed.
    #[error("a loopback socket failed: {0}")]
    Socket(#[from] io::Error),
    /// Neither side gave up nor was done.
    #[error("the handshake did not end")]
    Endless,
}
