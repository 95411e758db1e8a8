//! Whether a quantum computer comes before a secret, or a signature, has served its time.
//!
//! Mosca's inequality with words for names: what is protected is exposed where the years that
//! it must stay protected and the years of the migration together are more than the years
//! until a cryptographically relevant quantum computer.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::timeline::Edge;
use crate::{Algorithm, Band, Evidence, Profile, Resistance, Role, Subject, Timeline};

/// What a quantum computer would do to one subject in one role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Risk {
    /// Whose.
    pub subject: Subject,
    /// In which role; key establishment and signatures are never mixed.
    pub role: Role,
    /// The algorithm that falls first of those in use.
    pub algorithm: Algorithm,
    /// The curve's id.
    pub curve: String,
    /// Years that a secret must stay secret, or that a signature must verify.
    pub protected_years: f64,
    /// Years until the migration is done.
    pub migration_years: f64,
    /// The probability that the quantum computer comes before both are over.
    pub probability: Band,
    /// The probability that is still accepted.
    pub tolerated_probability: f64,
    /// What it comes to.
    pub outlook: Outlook,
    /// Whether the attacker already has the public key.
    pub exposure: Exposure,
    /// What would have to be assumed for another outcome, the smallest change first.
    pub flips: Vec<Flip>,
    /// In one sentence.
    pub text: String,
}

/// What a risk comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outlook {
    /// Even the curve's upper edge is tolerated.
    Tolerable,
    /// The curve's edges disagree.
    Undecided,
    /// Even the curve's lower edge is more than is tolerated.
    Exposed,
}

impl fmt::Display for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tolerable => "tolerable",
            Self::Undecided => "undecided",
            Self::Exposed => "exposed",
        })
    }
}

/// Whether an attacker has the public key: a matter of each key, not of its algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "state", content = "reason", rename_all = "kebab-case")]
pub enum Exposure {
    /// It was shown, or it has signed: that can't be undone.
    Published(String),
    /// It was never shown: no quantum computer can begin before that.
    Unpublished(String),
    /// It can't be told.
    NotKnown(String),
}

/// An assumption that decides the outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Flip {
    /// Which.
    pub assumption: Assumption,
    /// As it stands: years or a probability; absent for the curve.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub now: Option<f64>,
    /// The value at which the outcome changes; absent for the curve.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<f64>,
    /// The curve that brings the other outcome, for [`Assumption::Curve`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub curve: Option<String>,
    /// The outcome on the other side.
    pub outlook: Outlook,
}

/// What a risk is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Assumption {
    /// Years that a secret must stay secret, or that a signature must verify.
    ProtectedYears,
    /// Years until the migration is done.
    MigrationYears,
    /// The probability that is still accepted.
    ToleratedProbability,
    /// The curve.
    Curve,
}

impl fmt::Display for Flip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outlook = self.outlook;
        let (Some(now), Some(at)) = (self.now, self.at) else {
            let curve = self.curve.as_deref().unwrap_or("another");
            return write!(f, "{outlook} by curve {curve}");
        };
        match self.assumption {
            Assumption::ProtectedYears => {
                write!(
                    f,
                    "{outlook} at {at:.1} protected years instead of {now:.1}"
                )
            }
            Assumption::MigrationYears => {
                write!(
                    f,
                    "{outlook} at {at:.1} years of migration instead of {now:.1}"
                )
            }
            _ => write!(
                f,
                "{outlook} at a tolerated probability of {:.1} % instead of {:.1} %",
                at * 100.0,
                now * 100.0
            ),
        }
    }
}

/// What one risk is computed from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assumptions {
    pub(crate) protected_years: f64,
    pub(crate) migration_years: f64,
    pub(crate) tolerated_probability: f64,
}

impl Assumptions {
    fn years(self) -> f64 {
        self.protected_years + self.migration_years
    }

    fn value(self, assumption: Assumption) -> f64 {
        match assumption {
            Assumption::ProtectedYears => self.protected_years,
            Assumption::MigrationYears => self.migration_years,
            Assumption::ToleratedProbability | Assumption::Curve => self.tolerated_probability,
        }
    }

    fn with(self, assumption: Assumption, value: f64) -> Self {
        let mut other = self;
        match assumption {
            Assumption::ProtectedYears => other.protected_years = value,
            Assumption::MigrationYears => other.migration_years = value,
            Assumption::ToleratedProbability => other.tolerated_probability = value,
            Assumption::Curve => {}
        }
        other
    }

    fn outlook(self, curve: &Timeline) -> Outlook {
        let Band { low, high } = curve.by(self.years());
        if low > self.tolerated_probability {
            Outlook::Exposed
        } else if high > self.tolerated_probability {
            Outlook::Undecided
        } else {
            Outlook::Tolerable
        }
    }
}

impl Risk {
    /// The risk of vulnerable algorithms of one subject in one role; `None` where none of them
    /// is broken by a quantum computer.
    pub(crate) fn new(
        subject: &Subject,
        role: Role,
        algorithms: &[&Algorithm],
        exposure: Exposure,
        profile: &Profile,
    ) -> Option<Self> {
        let vulnerable = algorithms
            .iter()
            .filter(|algorithm| algorithm.resistance() == Resistance::Vulnerable);
        let algorithm = (*vulnerable.min_by_key(|algorithm| quantum_order(algorithm))?).clone();
        let curve = profile.curve();
        let assumptions = profile.assumptions(&subject.name, role);
        let probability = curve.by(assumptions.years());
        let outlook = assumptions.outlook(curve);
        let text = sentence(role, assumptions, probability, curve, &exposure);
        Some(Self {
            subject: subject.clone(),
            role,
            algorithm,
            curve: curve.id.clone(),
            protected_years: assumptions.protected_years,
            migration_years: assumptions.migration_years,
            probability,
            tolerated_probability: assumptions.tolerated_probability,
            outlook,
            exposure,
            flips: flips(assumptions, curve, profile.curves()),
            text,
        })
    }

    /// As evidence beside a finding.
    pub(crate) fn evidence(&self) -> Evidence {
        Evidence::live(self.text.clone())
    }
}

fn sentence(
    role: Role,
    assumptions: Assumptions,
    probability: Band,
    curve: &Timeline,
    exposure: &Exposure,
) -> String {
    let protected = match role {
        Role::KeyEstablishment => "A secret kept for",
        Role::Signature => "A signature that must verify for",
    };
    let beyond = match assumptions.years() > curve.horizon() {
        true => "; the curve ends before that, so the upper edge says nothing",
        false => "",
    };
    let exposure = match exposure {
        Exposure::Published(_) => String::new(),
        Exposure::Unpublished(reason) => {
            format!(". The key was never shown ({reason}): an attack can begin only after that")
        }
        Exposure::NotKnown(reason) => {
            format!(". Whether the public key was shown is not known: {reason}")
        }
    };
    format!(
        "{protected} {:.1} years and a migration of {:.1} years: {} that a quantum computer \
         comes first ({}, {}{beyond}){exposure}",
        assumptions.protected_years,
        assumptions.migration_years,
        percent(probability),
        curve.id,
        curve.confidence,
    )
}

fn percent(band: Band) -> String {
    match (band.low * 100.0, band.high * 100.0) {
        (low, high) if (high - low).abs() < 0.5 => format!("{low:.0} %"),
        (low, high) => format!("{low:.0} to {high:.0} %"),
    }
}

/// How far beyond its value a flip is tried, in years or in probability.
const HAIR: f64 = 1e-9;

/// Every assumption that changes the outcome alone, and where. Years below 0 are no
/// answer, and neither is a probability beyond 0 to 1.
fn flips(now: Assumptions, curve: &Timeline, curves: &[Timeline]) -> Vec<Flip> {
    let outlook = now.outlook(curve);
    let band = curve.by(now.years());
    // The lower edge decides between exposed and undecided, the upper between undecided and
    // tolerable.
    let edges: &[Edge] = match outlook {
        Outlook::Exposed => &[Edge::Low],
        Outlook::Tolerable => &[Edge::High],
        Outlook::Undecided => &[Edge::Low, Edge::High],
    };
    let mut flips = Vec::new();
    for edge in edges {
        let mut flip = |assumption, at: f64| {
            let current = now.value(assumption);
            let beyond = if at < current { at - HAIR } else { at + HAIR };
            let there = now.with(assumption, beyond).outlook(curve);
            let greatest = match assumption {
                Assumption::ToleratedProbability => 1.0,
                _ => f64::INFINITY,
            };
            if (0.0..=greatest).contains(&beyond) && there != outlook {
                flips.push(Flip {
                    assumption,
                    now: Some(current),
                    at: Some(at),
                    curve: None,
                    outlook: there,
                });
            }
        };
        if let Some(years) = curve.years_until(*edge, now.tolerated_probability) {
            let change = years - now.years();
            flip(Assumption::ProtectedYears, now.protected_years + change);
            flip(Assumption::MigrationYears, now.migration_years + change);
        }
        let probability = match edge {
            Edge::Low => band.low,
            Edge::High => band.high,
        };
        flip(Assumption::ToleratedProbability, probability);
    }
    let change = |flip: &Flip| match (flip.now, flip.at) {
        (Some(now), Some(at)) => ((at - now) / now.abs().max(f64::EPSILON)).abs(),
        _ => f64::INFINITY,
    };
    flips.sort_by(|one, other| change(one).total_cmp(&change(other)));
    flips.extend(curves.iter().filter_map(|other| {
        let outlook_there = now.outlook(other);
        (outlook_there != outlook).then(|| Flip {
            assumption: Assumption::Curve,
            now: None,
            at: None,
            curve: Some(other.id.clone()),
            outlook: outlook_there,
        })
    }));
    flips
}

/// Which of two vulnerable keys a quantum computer breaks first: the smaller comes first.
///
/// A 256-bit curve needs fewer gates than RSA-2048 in every recent estimate (`resources()`),
/// although it is the stronger of the two against a classical computer. Curves therefore come
/// before RSA and finite-field Diffie-Hellman, and within each the smaller before the larger.
pub(crate) fn quantum_order(algorithm: &Algorithm) -> (u8, u32) {
    match algorithm {
        Algorithm::Ec(_) => (0, algorithm.classical_bits().map_or(0, u32::from)),
        // What has no known size comes after what has.
        Algorithm::Rsa(0) | Algorithm::Dsa(0) | Algorithm::Dh(0) => (1, u32::MAX),
        Algorithm::Rsa(bits) | Algorithm::Dsa(bits) | Algorithm::Dh(bits) => (1, *bits),
        _ => (2, 0),
    }
}

#[cfg(test)]
mod tests;
