//! What a run was: the machine, the libraries, the plan and how it went.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Budget, Meter, Subject};

/// The manifest of a run, `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format; a reader refuses a newer one.
    pub schema: u32,
    /// The version of pqlab that measured.
    pub pqlab_version: String,
    /// The git revision it was built from, with `-dirty` for uncommitted changes; empty
    /// when unknown.
    pub git_revision: String,
    /// The compiler, and whether the build was optimised.
    pub compiler: String,
    /// When the run began, RFC 3339.
    pub started: String,
    /// When it ended; `None` while it runs and after it was killed.
    pub finished: Option<String>,
    /// The matrix's title.
    pub title: String,
    /// The matrix as TOML, so that the run can be resumed and repeated.
    pub matrix: String,
    /// The filters that narrowed it.
    pub filters: Vec<String>,
    /// Measuring time planned for each meter, in seconds.
    pub budget: Budget,
    /// The seed of every random order.
    pub seed: u64,
    /// The scenario that was measured twice, if any.
    pub baseline: Option<Subject>,
    /// The machine.
    pub machine: Machine,
    /// The libraries under test.
    pub libraries: Vec<Library>,
    /// Measuring time spent by each meter, in seconds.
    pub spent: BTreeMap<Meter, f64>,
    /// What could not be measured, and why: a row, never a gap.
    pub refusals: Vec<Refusal>,
    /// What a reader must know to read the numbers rightly.
    pub remarks: Vec<String>,
}

impl Manifest {
    /// The version of the format that this code writes.
    pub const SCHEMA: u32 = 1;
}

/// The machine that a run was measured on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Its host name.
    pub host: String,
    /// The CPU's model name.
    pub cpu: String,
    /// Logical CPUs that the process may use.
    pub cores: usize,
    /// Bytes of memory.
    pub memory: u64,
    /// Operating system and kernel release.
    pub system: String,
    /// The hypervisor, where one shows itself.
    pub virtualisation: Option<String>,
    /// CPU features that matter to cryptography: AES, SHA, AVX2, AVX-512, …
    pub features: Vec<String>,
}

/// A TLS stack or provider with the version of the library behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// The stack's or provider's name in scenarios.
    pub name: String,
    /// Library and version.
    pub version: String,
    /// What to know before using it: unmaintained, experimental, …
    pub caveat: Option<String>,
}

/// A subject that has no samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The subject.
    pub subject: Subject,
    /// The meter that it was meant for.
    pub meter: Meter,
    /// Whether a library can't, or something went wrong.
    pub kind: RefusalKind,
    /// What was said.
    pub reason: String,
}

/// Why a subject has no samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// A library does not have it.
    Unsupported,
    /// It was tried and did not come out as the scenario says.
    Failed,
}
