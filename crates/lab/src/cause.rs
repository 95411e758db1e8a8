//! Why a library broke a connection off.

use serde::Serialize;
use stack::StackError;
use transport::TransportError;

/// What made a library give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It does not trust the certificate chain, or got none.
    Certificate,
    /// A signature, or the tag of a record, does not verify.
    CryptographicCheck,
    /// Something else.
    Other,
}

impl Cause {
    pub(crate) const fn of(error: &TransportError) -> Self {
        match error {
            TransportError::Tls(StackError::Certificate(_)) => Self::Certificate,
            TransportError::Tls(StackError::Cryptography(_)) => Self::CryptographicCheck,
            _ => Self::Other,
        }
    }
}

/// What the library said, without what the stack says about it.
pub(crate) fn words(error: &TransportError) -> String {
    use StackError::{Certificate, Cryptography, Library, Peer};
    match error {
        TransportError::Tls(
            Certificate(words) | Cryptography(words) | Peer(words) | Library(words),
        ) => words.clone(),
        error => error.to_string(),
    }
}
