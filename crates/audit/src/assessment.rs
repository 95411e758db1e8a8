//! What an assessment says: findings, the matrix of algorithms and policies, conflicts, and
//! what is not known.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::Date;

use crate::{
    Algorithm, Location, PolicyHeader, Price, Remedy, Risk, Role, RuleVerdict, Usage, iso_date,
};

/// What policies and risk say of an estate on one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Assessment {
    /// The day that deadlines were compared with.
    #[serde(with = "iso_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub at: Date,
    /// The policies that were applied, in their order.
    pub policies: Vec<PolicyHeader>,
    /// Everything that was seen in use, by subject.
    pub uses: Vec<Usage>,
    /// What is to be done something about: the gravest first, then by id.
    pub findings: Vec<Finding>,
    /// Each algorithm that is in use against each policy.
    pub matrix: Matrix,
    /// Each subject's key establishment, and each key that signs, against a quantum computer.
    pub risks: Vec<Risk>,
    /// Algorithms about which the policies disagree.
    pub conflicts: Vec<Conflict>,
    /// Questions without an answer: neither conforming nor violating.
    pub not_observed: Vec<NotObserved>,
}

/// What findings, uses and risks are about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Subject {
    /// What it is.
    pub kind: SubjectKind,
    /// A name that stays the same from scan to scan: `example.test:443`,
    /// `/etc/ssl/site.pem`, `/etc/nginx/nginx.conf (server example.test)`.
    pub name: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// Kinds of subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// A scanned target; all its addresses are one subject.
    Endpoint,
    /// A certificate, or a request for one, in a file.
    Certificate,
    /// A key in a file.
    Key,
    /// A keystore.
    Store,
    /// One scope of a configuration.
    Settings,
}

/// Something that needs a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// The same in every run over the same estate: `subject/check`, and `/algorithm` or
    /// another detail where a check can find several things in one subject.
    pub id: String,
    /// What was checked.
    pub check: Check,
    /// How grave it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// The role of the algorithm, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// The algorithm, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub algorithm: Option<Algorithm>,
    /// One sentence that says what is so.
    pub title: String,
    /// What was seen, and where.
    pub evidence: Vec<Evidence>,
    /// What each rule that speaks of it says, side by side; empty for checks that no policy
    /// is needed for.
    pub verdicts: Vec<RuleVerdict>,
    /// What a quantum computer would do to it, where it would.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub risk: Option<Risk>,
    /// What to change.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remedy: Option<Remedy>,
    /// What the change costs in each handshake.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub price: Option<Price>,
}

/// What was seen, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evidence {
    /// In words.
    pub text: String,
    /// The place in a file, where it is in one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<Location>,
}

impl Evidence {
    /// Seen on the wire.
    pub(crate) fn live(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            location: None,
        }
    }

    /// Found in a file.
    pub(crate) fn in_file(text: impl Into<String>, location: Location) -> Self {
        Self {
            text: text.into(),
            location: Some(location),
        }
    }
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// To be planned: a recommendation, a draft, or a deadline that is far.
    Low,
    /// To be done: a deadline within five years, or a secret that may outlive its protection.
    Medium,
    /// Wrong today: a rule in force is violated, or it is broken without a quantum computer.
    High,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// One cell a policy for each algorithm and role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Matrix {
    /// The ids of the policies: the columns.
    pub policies: Vec<String>,
    /// Key establishment first, then signatures, by algorithm.
    pub rows: Vec<MatrixRow>,
}

/// One algorithm in one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MatrixRow {
    /// The role.
    pub role: Role,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Whether it is used in the estate; otherwise it stands here for comparison.
    pub in_use: bool,
    /// What each policy says, in the order of the columns: the gravest of its rules, or
    /// `None` where it says nothing of this algorithm in this role.
    pub cells: Vec<Option<RuleVerdict>>,
}

/// An algorithm about which policies disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Conflict {
    /// The role.
    pub role: Role,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Ids of policies to which it conforms for good.
    pub conforms: Vec<String>,
    /// Policies to which it conforms until a day.
    pub limited: Vec<Limit>,
    /// Ids of policies which it violates now, recommendations included.
    pub violates: Vec<String>,
    /// In one sentence.
    pub text: String,
}

/// A policy that stops to allow an algorithm on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Limit {
    /// The policy's id.
    pub policy: String,
    /// The first day on which it is no longer allowed.
    #[serde(with = "iso_date")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub from: Date,
}

/// A question without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotObserved {
    /// Of what.
    pub subject: Subject,
    /// What was asked: `X25519MLKEM768`, `preference`, `connection`.
    pub question: String,
    /// The role that it would tell about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// The algorithm that it would tell about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub algorithm: Option<Algorithm>,
    /// Why there is no answer.
    pub reason: String,
    /// Rules whose verdict stays open, as `policy/rule`.
    pub rules: Vec<String>,
}

/// What is checked: the rule of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// A policy does not allow an algorithm, now or from a day on.
    Policy,
    /// Static RSA key transport is on.
    StaticRsa,
    /// Only classical key exchange: what is recorded now can be decrypted later.
    ClassicalKeyExchange,
    /// A hybrid is supported, and ordinary clients don't get it, or pay a round trip for it.
    HybridNotPreferred,
    /// Some shapes of a ClientHello are not answered.
    HelloIntolerance,
    /// Groups of Kyber before the standard are on.
    ObsoleteDraftGroup,
    /// TLS 1.0 or 1.1 is on, or TLS 1.3 is off.
    ProtocolVersion,
    /// A certificate has expired, or will soon.
    CertificateValidity,
    /// A key is too small for a classical attacker.
    SmallKey,
    /// A signature is made over SHA-1 or MD5.
    WeakHash,
    /// The certificates of one chain are of different strength against a quantum computer.
    MixedChain,
    /// SSH without post-quantum key exchange.
    SshKeyExchange,
    /// A configuration names a group that its library does not know.
    UnknownGroup,
    /// A configuration and what its server answers differ.
    Disagreement,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Policy,
        Self::StaticRsa,
        Self::ClassicalKeyExchange,
        Self::HybridNotPreferred,
        Self::HelloIntolerance,
        Self::ObsoleteDraftGroup,
        Self::ProtocolVersion,
        Self::CertificateValidity,
        Self::SmallKey,
        Self::WeakHash,
        Self::MixedChain,
        Self::SshKeyExchange,
        Self::UnknownGroup,
        Self::Disagreement,
    ];

    /// As it stands in ids and in serialised data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::StaticRsa => "static-rsa",
            Self::ClassicalKeyExchange => "classical-key-exchange",
            Self::HybridNotPreferred => "hybrid-not-preferred",
            Self::HelloIntolerance => "hello-intolerance",
            Self::ObsoleteDraftGroup => "obsolete-draft-group",
            Self::ProtocolVersion => "protocol-version",
            Self::CertificateValidity => "certificate-validity",
            Self::SmallKey => "small-key",
            Self::WeakHash => "weak-hash",
            Self::MixedChain => "mixed-chain",
            Self::SshKeyExchange => "ssh-key-exchange",
            Self::UnknownGroup => "unknown-group",
            Self::Disagreement => "disagreement",
        }
    }

    /// What it looks for, in one sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Policy => "A policy does not allow the algorithm, now or from a day on.",
            Self::StaticRsa => {
                "Static RSA key transport is on: the server's key alone decrypts every recorded \
                 session."
            }
            Self::ClassicalKeyExchange => {
                "Only classical key exchange: what is recorded now can be decrypted by a later \
                 quantum computer."
            }
            Self::HybridNotPreferred => {
                "A hybrid group is supported, and ordinary clients do not get it or pay a round \
                 trip for it."
            }
            Self::HelloIntolerance => {
                "The server, or what stands before it, does not answer some shapes of a \
                 ClientHello."
            }
            Self::ObsoleteDraftGroup => {
                "Groups of Kyber before FIPS 203 are on; current clients no longer offer them."
            }
            Self::ProtocolVersion => {
                "TLS 1.0 or 1.1 is on, or TLS 1.3, without which there is no post-quantum key \
                 exchange, is off."
            }
            Self::CertificateValidity => "A certificate has expired, or will soon.",
            Self::SmallKey => "A key is too small against a classical attacker.",
            Self::WeakHash => "A certificate is signed over SHA-1 or MD5.",
            Self::MixedChain => {
                "The certificates of one chain differ in strength against a quantum computer: \
                 the weakest decides."
            }
            Self::SshKeyExchange => "SSH offers no post-quantum key exchange.",
            Self::UnknownGroup => {
                "A configuration names a group that the program's TLS library does not know."
            }
            Self::Disagreement => "A configuration and what its server answers differ.",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
