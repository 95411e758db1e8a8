//! What is in use: each algorithm of each subject, how it is used, and where that was seen.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Algorithm, Evidence, Role, Subject};

/// One use of an algorithm by one subject, or a question about it without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Usage {
    /// Whose.
    pub subject: Subject,
    /// What for; absent for a cipher suite, whose algorithm is its name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// The algorithm with its parameters.
    pub algorithm: Algorithm,
    /// How it is used.
    pub manner: Manner,
    /// Why it is not known whether it is used; absent where it is used.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_observed: Option<String>,
    /// What was seen, and where.
    pub evidence: Vec<Evidence>,
}

/// How an algorithm is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// The server's first choice.
    Preferred,
    /// The server takes it.
    Accepted,
    /// A configuration turns it on, and no scan has asked the server.
    Configured,
    /// The server signs its handshake with it.
    HandshakeSignature,
    /// A certificate's key.
    CertificateKey,
    /// A certificate's issuer signed with it.
    CertificateSignature,
    /// An SSH server's host key.
    HostKey,
    /// A key in a file.
    KeyFile,
}

impl fmt::Display for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Preferred => "preferred by the server",
            Self::Accepted => "accepted by the server",
            Self::Configured => "configured",
            Self::HandshakeSignature => "signs the handshake",
            Self::CertificateKey => "a certificate's key",
            Self::CertificateSignature => "signs a certificate",
            Self::HostKey => "an SSH host key",
            Self::KeyFile => "a key in a file",
        })
    }
}
