//! What to change, for the program and the version that were found.

use serde::{Deserialize, Serialize};

use crate::{Confidence, Location, Software};

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Remedy {
    /// In one sentence.
    pub summary: String,
    /// Steps in their order, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub steps: Vec<String>,
    /// The program that it is for; absent where it is not known, or does not matter.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub software: Option<Software>,
    /// Exact changes of configuration files.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub edits: Vec<Edit>,
    /// What it rests on.
    pub sources: Vec<Source>,
}

/// One directive of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Edit {
    /// The file and, where a line is to be replaced, the line; absent where the program's
    /// configuration was not seen.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<Location>,
    /// Where the directive belongs, in words: `http or server block`.
    pub context: String,
    /// The directive that stands there now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub old: Option<String>,
    /// The directive as it should be, as it is typed.
    pub new: String,
    /// A unified diff, where the file's text was at hand.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub diff: Option<String>,
}

/// What a remedy rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Source {
    /// What it says, and where that is from.
    pub text: String,
    /// How sure it is.
    pub confidence: Confidence,
}
