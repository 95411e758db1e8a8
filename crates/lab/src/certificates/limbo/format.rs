//! The file's format: `limbo-schema.json` of github.com/C2SP/x509-limbo, version 1. Fields
//! that do not matter here are passed over.

use std::io::Read;

use serde::Deserialize;

/// A file of cases.
#[derive(Debug, Deserialize)]
pub struct Suite {
    version: u32,
    /// In the order of the file.
    pub testcases: Vec<Testcase>,
}

/// A chain, and what is expected of a verifier.
#[derive(Debug, Deserialize)]
pub struct Testcase {
    /// Its name: `group::case`, of any depth.
    pub id: String,
    /// Tags of what not every verifier does.
    #[serde(default)]
    pub features: Vec<String>,
    /// What a verifier should say.
    pub expected_result: ExpectedResult,
    pub(super) validation_kind: ValidationKind,
    pub(super) trusted_certs: Vec<String>,
    pub(super) untrusted_intermediates: Vec<String>,
    pub(super) peer_certificate: String,
    #[serde(default)]
    pub(super) validation_time: Option<String>,
    #[serde(default)]
    pub(super) signature_algorithms: Vec<String>,
    #[serde(default)]
    pub(super) key_usage: Vec<String>,
    #[serde(default)]
    pub(super) extended_key_usage: Vec<String>,
    #[serde(default)]
    pub(super) expected_peer_name: Option<Name>,
    #[serde(default)]
    pub(super) expected_peer_names: Vec<Name>,
    #[serde(default)]
    pub(super) max_chain_depth: Option<u32>,
    #[serde(default)]
    pub(super) crls: Vec<String>,
}

/// What a verifier should say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ExpectedResult {
    /// The chain is good.
    Success,
    /// The chain is bad.
    Failure,
}

/// Whose chain it is: a client judges a server's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(super) enum ValidationKind {
    Server,
    Client,
    Other(String),
}

impl From<String> for ValidationKind {
    fn from(text: String) -> Self {
        match text.as_str() {
            "SERVER" => Self::Server,
            "CLIENT" => Self::Client,
            _ => Self::Other(text),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Name {
    pub(super) kind: String,
    pub(super) value: String,
}

/// The file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LimboError {
    /// It is not of the format.
    #[error("not a file of x509-limbo: {0}")]
    Format(#[from] serde_json::Error),
    /// It is of a version that is not known here.
    #[error("version {0} of x509-limbo's format is not known, only 1 is")]
    Version(u32),
}

/// Reads a file.
///
/// # Errors
/// When it can't be read, or is not of the format.
pub fn read(file: impl Read) -> Result<Suite, LimboError> {
    let suite: Suite = serde_json::from_reader(file)?;
    match suite.version {
        1 => Ok(suite),
        other => Err(LimboError::Version(other)),
    }
}
