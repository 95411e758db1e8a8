//! What a quantum computer needs to break a key, as published.

use serde::{Deserialize, Serialize};

use crate::{Algorithm, Confidence};

/// One published estimate. Numbers stand as their source gives them, bounds included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceEstimate {
    /// What is broken.
    pub target: Algorithm,
    /// Who says so.
    pub source: String,
    /// When.
    pub year: u16,
    /// Error-corrected qubits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub logical_qubits: Option<String>,
    /// Toffoli gates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub toffoli: Option<String>,
    /// Physical qubits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub physical_qubits: Option<String>,
    /// How long it takes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time: Option<String>,
    /// What it assumes of the machine.
    pub assumptions: String,
    /// How sure it is.
    pub confidence: Confidence,
}

#[derive(Deserialize)]
struct File {
    estimate: Vec<ResourceEstimate>,
}

/// All estimates, in the order of their table.
pub fn resources() -> Vec<ResourceEstimate> {
    let file: File =
        // The file is part of the program, and a test reads it.
        toml::from_str(include_str!("../data/resources.toml")).expect("the embedded file parses");
    file.estimate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_vulnerable_and_curves_fall_with_fewer_gates() {
        let estimates = resources();
        let all_fall =
            |one: &ResourceEstimate| one.target.resistance() == crate::Resistance::Vulnerable;
        assert!(estimates.iter().all(all_fall));
        let fewest = |name: &str| {
            let recent = estimates
                .iter()
                .filter(|one| one.year >= 2025 && one.target.to_string() == name);
            recent
                .filter_map(|one| one.toffoli.as_deref()?.parse::<f64>().ok())
                .fold(f64::INFINITY, f64::min)
        };
        assert!(fewest("secp256k1") < fewest("RSA-2048"));
        assert!(fewest("secp256k1") < fewest("RSA-1024"));
    }
}
