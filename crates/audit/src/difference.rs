//! What changed between two assessments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Assessment, Finding, Role};

/// What is new, gone and different since a baseline.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// Findings that the baseline has not.
    pub new: Vec<Finding>,
    /// Findings that only the baseline has.
    pub gone: Vec<Finding>,
    /// Findings that are not the same any more.
    pub changed: Vec<Changed>,
    /// Findings that only the baseline has, and whose subject was not observed this time:
    /// whether they are gone is not known.
    pub unclear: Vec<Finding>,
}

/// One finding before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// As it was.
    pub before: Finding,
    /// As it is.
    pub after: Finding,
}

/// Compares findings by their ids. A finding has changed where its severity, title, verdicts,
/// remedy or outlook has; new evidence alone, such as another address, is no change.
pub fn difference(baseline: &Assessment, now: &Assessment) -> Changes {
    let by_id = |assessment: &Assessment| -> BTreeMap<String, Finding> {
        let findings = assessment.findings.iter();
        findings
            .map(|finding| (finding.id.clone(), finding.clone()))
            .collect()
    };
    let (mut before, after) = (by_id(baseline), by_id(now));
    let mut changes = Changes::default();
    for (id, finding) in after {
        match before.remove(&id) {
            None => changes.new.push(finding),
            Some(old) if is_changed(&old, &finding) => changes.changed.push(Changed {
                before: old,
                after: finding,
            }),
            Some(_) => {}
        }
    }
    for finding in before.into_values() {
        let is_open = |role: Option<Role>| role == finding.role || role.is_none();
        let is_unclear = now.not_observed.iter().any(|open| {
            let is_about = open.algorithm == finding.algorithm || open.algorithm.is_none();
            open.subject == finding.subject && is_open(open.role) && is_about
        });
        match is_unclear {
            true => changes.unclear.push(finding),
            false => changes.gone.push(finding),
        }
    }
    changes
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn is_changed(before: &Finding, after: &Finding) -> bool {
    let outlook = |finding: &Finding| finding.risk.as_ref().map(|risk| risk.outlook);
    before.severity != after.severity
        || before.title != after.title
        || before.verdicts != after.verdicts
        || before.remedy != after.remedy
        || outlook(before) != outlook(after)
}
