//! Policies as data: dated, cited, and as sure as their source.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::Date;

use crate::{Role, iso_date};

/// A policy: who says what, since when, and how sure that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Where it comes from.
    pub header: PolicyHeader,
    /// What it says of algorithms.
    pub rules: Vec<Rule>,
}

/// Where a policy comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PolicyHeader {
    /// Its short name: `cnsa-2.0`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Who publishes it.
    pub publisher: String,
    /// Its address or document number.
    pub source: String,
    /// Whether it is in force.
    pub status: Status,
    /// The day for which this was written down.
    #[serde(with = "iso_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub as_of: Date,
    /// How sure what is written down here is.
    pub confidence: Confidence,
    /// Whom and what it binds.
    pub scope: String,
    /// Days that it sets for plans rather than for algorithms.
    #[serde(default)]
    pub milestones: Vec<Milestone>,
}

/// A day that a policy sets for something other than an algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Milestone {
    /// Its short name.
    pub id: String,
    /// The last day.
    #[serde(with = "iso_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub by: Date,
    /// What is due.
    pub text: String,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Whether a document is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It may still change: nobody is bound by it.
    Draft,
    /// It is in force.
    Final,
}

/// How sure a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// It was not checked.
    Unverified,
    /// Several sources agree.
    SeveralSources,
    /// The primary text says so, or it was seen on a machine.
    Primary,
}

/// One thing that a policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its short name, unique in the policy.
    pub id: String,
    /// Where it stands in the document, where that is known.
    pub clause: Option<String>,
    /// In one sentence.
    pub text: String,
    /// What it is about.
    pub on: Vec<Topic>,
    /// What it asks.
    pub requirement: Requirement,
    /// Of which algorithms it says something; of others it is silent.
    pub applies_to: Predicate,
    /// The algorithms that it disallows, deprecates, requires or recommends.
    pub algorithms: Predicate,
    /// The first day on which it counts; absent where it counts already.
    pub from: Option<Date>,
    /// Tags that a subject must have for the rule to apply, all of them: `high`.
    pub when: Vec<String>,
    /// Whether it is in force.
    pub status: Status,
    /// How sure it is.
    pub confidence: Confidence,
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Key establishment.
    KeyEstablishment,
    /// Signatures.
    Signature,
    /// Cipher suites, by their IANA names.
    CipherSuite,
}

impl Topic {
    /// The topic of a use.
    pub const fn of(role: Option<Role>) -> Self {
        match role {
            Some(Role::KeyEstablishment) => Self::KeyEstablishment,
            Some(Role::Signature) => Self::Signature,
            None => Self::CipherSuite,
        }
    }
}

/// What a rule asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Requirement {
    /// These must not be used.
    Disallowed,
    /// Only these may be used.
    Required,
    /// These may be used at one's own risk.
    Deprecated,
    /// Others are advised against.
    Recommended,
}

impl Requirement {
    /// Whether it binds; a deprecation or a recommendation only advises.
    pub const fn is_binding(self) -> bool {
        matches!(self, Self::Disallowed | Self::Required)
    }
}

/// Which algorithms are meant. Every field that is given must hold; none at all means any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Predicate {
    /// One of these classes.
    pub classes: Vec<Class>,
    /// Its name matches one of these: `ML-KEM-1024`, `RSA-*`.
    pub names: Vec<String>,
    /// The name of one of its halves, or its own, matches one of these.
    pub parts: Vec<String>,
    /// Its name matches none of these.
    pub except: Vec<String>,
    /// RSA, DSA or finite-field Diffie-Hellman with a modulus of fewer bits.
    pub modulus_below: Option<u32>,
    /// Fewer bits of security against a classical computer.
    pub bits_below: Option<u16>,
}

/// Classes of algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A quantum computer breaks it.
    Classical,
    /// A classical and a post-quantum algorithm joined.
    Hybrid,
    /// Post-quantum alone.
    PostQuantum,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Draft => "draft",
            Self::Final => "final",
        })
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unverified => "unverified",
            Self::SeveralSources => "several sources",
            Self::Primary => "primary source",
        })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Disallowed => "disallowed",
            Self::Required => "required",
            Self::Deprecated => "deprecated",
            Self::Recommended => "recommended",
        })
    }
}
