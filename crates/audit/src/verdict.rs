//! What a rule says of a use on a day.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::Date;

use crate::policy::{Class, Predicate};
use crate::{
    Algorithm, Confidence, Policy, Requirement, Resistance, Role, Rule, Status, Topic, glob,
    iso_date,
};

/// What one rule says. Rules that say nothing have no verdict at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleVerdict {
    /// The policy's id.
    pub policy: String,
    /// The rule's id.
    pub rule: String,
    /// Where it stands in the document, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub clause: Option<String>,
    /// The rule in one sentence.
    pub text: String,
    /// What it asks.
    pub requirement: Requirement,
    /// Whether it is in force.
    pub status: Status,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// What it comes to.
    pub verdict: Verdict,
}

/// What a rule comes to on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Verdict {
    /// As it asks, with no end in sight.
    Conforms,
    /// Not as it asks.
    Violates {
        /// The first day on which that was so; absent where the rule names none.
        #[serde(with = "iso_date::option", default)]
        #[cfg_attr(test, schemars(with = "Option<String>"))]
        since: Option<Date>,
    },
    /// As it asks until a day.
    WillViolate {
        /// The first day on which that is no longer so.
        #[serde(with = "iso_date")]
        #[cfg_attr(test, schemars(with = "String"))]
        from: Date,
    },
    /// It can't be told.
    NotObserved {
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conforms => f.write_str("conforms"),
            Self::Violates { since: None } => f.write_str("violates"),
            Self::Violates { since: Some(since) } => write!(f, "violates since {since}"),
            Self::WillViolate { from } => write!(f, "violates from {from} on"),
            Self::NotObserved { reason } => write!(f, "not observed: {reason}"),
        }
    }
}

impl RuleVerdict {
    /// Whether it is anything but conforming.
    pub fn is_concern(&self) -> bool {
        matches!(
            self.verdict,
            Verdict::Violates { .. } | Verdict::WillViolate { .. }
        )
    }

    /// The order in which one of several rules speaks for a policy: the gravest first.
    pub(crate) fn gravity(&self) -> (u8, Option<Date>) {
        use Requirement::{Deprecated, Recommended};
        match (&self.verdict, self.requirement) {
            (Verdict::Violates { since }, Deprecated) => (1, *since),
            (Verdict::Violates { since }, Recommended) => (4, *since),
            (Verdict::Violates { since }, _) => (0, *since),
            (Verdict::NotObserved { .. }, _) => (2, None),
            (Verdict::WillViolate { from }, Recommended) => (5, Some(*from)),
            (Verdict::WillViolate { from }, _) => (3, Some(*from)),
            (Verdict::Conforms, _) => (6, None),
        }
    }
}

impl Policy {
    /// What each of its rules says of an algorithm in a role (or of a cipher suite) on a day,
    /// for a subject with these tags. Rules that say nothing are left out.
    pub fn judge(
        &self,
        role: Option<Role>,
        algorithm: &Algorithm,
        tags: &[String],
        at: Date,
    ) -> Vec<RuleVerdict> {
        let judged = |rule| self.judge_by(rule, role, algorithm, tags, at);
        self.rules.iter().filter_map(judged).collect()
    }

    /// The gravest of what its rules say; `None` where all are silent.
    pub fn verdict(
        &self,
        role: Option<Role>,
        algorithm: &Algorithm,
        tags: &[String],
        at: Date,
    ) -> Option<RuleVerdict> {
        let verdicts = self.judge(role, algorithm, tags, at);
        verdicts.into_iter().min_by_key(RuleVerdict::gravity)
    }

    fn judge_by(
        &self,
        rule: &Rule,
        role: Option<Role>,
        algorithm: &Algorithm,
        tags: &[String],
        at: Date,
    ) -> Option<RuleVerdict> {
        let is_meant =
            rule.on.contains(&Topic::of(role)) && rule.when.iter().all(|tag| tags.contains(tag));
        if !is_meant {
            return None;
        }
        let verdict = match rule.applies_to.matches(algorithm) {
            Some(false) => return None,
            None => unknown(algorithm),
            Some(true) => match rule.algorithms.matches(algorithm) {
                None => unknown(algorithm),
                Some(matches) => {
                    let is_named_bad = matches!(
                        rule.requirement,
                        Requirement::Disallowed | Requirement::Deprecated
                    );
                    match (matches == is_named_bad, rule.from) {
                        (false, _) => Verdict::Conforms,
                        (true, Some(from)) if at < from => Verdict::WillViolate { from },
                        (true, since) => Verdict::Violates { since },
                    }
                }
            },
        };
        Some(RuleVerdict {
            policy: self.header.id.clone(),
            rule: rule.id.clone(),
            clause: rule.clause.clone(),
            text: rule.text.clone(),
            requirement: rule.requirement,
            status: rule.status,
            confidence: rule.confidence,
            verdict,
        })
    }
}

fn unknown(algorithm: &Algorithm) -> Verdict {
    let reason = match algorithm {
        Algorithm::Rsa(0) | Algorithm::Dh(0) | Algorithm::Dsa(0) => {
            format!("the size of the {algorithm} key is not known")
        }
        _ if has_no_standard(algorithm) => format!(
            "{algorithm} is in no standard that the policy names: whether it is accepted is not \
             known"
        ),
        _ => format!("nothing is known here about {algorithm}"),
    };
    Verdict::NotObserved { reason }
}

impl Predicate {
    /// Whether an algorithm is meant; `None` where its size or kind would have to be known.
    pub(crate) fn matches(&self, algorithm: &Algorithm) -> Option<bool> {
        let name = algorithm.to_string();
        let among = |patterns: &[String], name: &str| {
            patterns.iter().any(|pattern| glob::matches(pattern, name))
        };
        let parts = algorithm.parts();
        let part = || {
            parts
                .iter()
                .any(|part| among(&self.parts, &part.to_string()))
        };
        let checks = [
            (!self.classes.is_empty()).then(|| is_of(&self.classes, algorithm)),
            (!self.names.is_empty()).then(|| Some(among(&self.names, &name))),
            (!self.parts.is_empty()).then(|| Some(part())),
            (!self.except.is_empty()).then(|| Some(!among(&self.except, &name))),
            self.modulus_below.map(|limit| modulus(algorithm, limit)),
            self.bits_below
                .map(|limit| Some(algorithm.classical_bits()? < limit)),
        ];
        let mut all = Some(true);
        for check in checks.into_iter().flatten() {
            match check {
                // One that fails decides, whatever is not known besides.
                Some(false) => return Some(false),
                None => all = None,
                Some(true) => {}
            }
        }
        all
    }
}

fn modulus(algorithm: &Algorithm, limit: u32) -> Option<bool> {
    match algorithm {
        Algorithm::Rsa(0) | Algorithm::Dsa(0) | Algorithm::Dh(0) => None,
        Algorithm::Rsa(bits) | Algorithm::Dsa(bits) | Algorithm::Dh(bits) => Some(*bits < limit),
        _ => Some(false),
    }
}

/// Whether a class is among these. Whether "post-quantum" in a policy means an algorithm that
/// is in no standard, such as sntrup761 or Kyber's drafts, can't be told.
fn is_of(classes: &[Class], algorithm: &Algorithm) -> Option<bool> {
    let is_named = classes.contains(&class(algorithm)?);
    match is_named && has_no_standard(algorithm) {
        true => None,
        false => Some(is_named),
    }
}

fn has_no_standard(algorithm: &Algorithm) -> bool {
    let mut parts = algorithm.parts().into_iter();
    parts.any(|part| matches!(part, Algorithm::OtherPostQuantum(_)))
}

fn class(algorithm: &Algorithm) -> Option<Class> {
    match algorithm.resistance() {
        Resistance::Vulnerable => Some(Class::Classical),
        Resistance::Hybrid => Some(Class::Hybrid),
        Resistance::PostQuantum => Some(Class::PostQuantum),
        Resistance::Unknown => None,
    }
}
