//! What came out.

use serde::{Deserialize, Serialize};

use super::{Account, Relayed, Request, Topology};

/// Everything that was tried.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What separated the clouds.
    pub topology: Topology,
    /// What the proxy's name meant, and where.
    pub names: Vec<Lookup>,
    /// Every request of a function, in order.
    pub outcomes: Vec<Outcome>,
    /// Programs that played no part.
    pub skipped: Vec<Skipped>,
    /// What was otherwise than it should be, beside the outcomes' own faults.
    pub faults: Vec<String>,
}

impl Report {
    /// Whether all went as it should.
    pub fn is_as_expected(&self) -> bool {
        self.faults.is_empty() && self.outcomes.iter().all(Outcome::is_as_expected)
    }
}

/// A name that was looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// Where: `cloud-a`, `transit`, `cloud-b`.
    pub place: String,
    /// The name.
    pub name: String,
    /// What it means there.
    pub addresses: Vec<String>,
    /// Why it means nothing.
    pub error: Option<String>,
}

/// One request of a function.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Its number, from 1.
    pub number: usize,
    /// Who played the function.
    pub function: &'static str,
    /// Who played the proxy.
    pub proxy: &'static str,
    /// The group that was offered.
    pub group: String,
    /// The algorithm of all certificates.
    pub algorithm: &'static str,
    /// What the function showed.
    pub certificate: &'static str,
    /// Bytes of the function's environment variables.
    pub settings_bytes: usize,
    /// What was to come of it.
    pub expected: String,
    /// What the function knows.
    pub account: Account,
    /// The alert that it got, by name.
    pub alert: Option<String>,
    /// What the transit saw.
    pub relayed: Option<Relayed>,
    /// What the proxy said of a client that it refused.
    pub proxy_says: Option<String>,
    /// What reached the backend.
    pub request: Option<Request>,
    /// What was otherwise than it should be.
    pub faults: Vec<String>,
}

impl Outcome {
    /// Whether it went as it should.
    pub fn is_as_expected(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A program that played no part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Which.
    pub program: &'static str,
    /// What it would have played.
    pub part: &'static str,
    /// Why not.
    pub why: String,
}
