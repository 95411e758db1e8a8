//! What was observed of an estate — endpoints, certificates, keys, configurations — and what
//! dated policies and an estimate of risk say of it.
//!
//! Pure functions over data: nothing here opens a file or a socket. `scan` and `inventory`
//! produce observations, this crate judges them. An observation has three values: a peer
//! does something, refuses it, or it is not known, with the reason. A timeout is never "no".
//!
//! [`assess`] takes an [`Estate`], [`Policy`] files, a [`Profile`] of the organisation and,
//! where a run has measured them, [`Prices`]; its [`Assessment`] has findings with remedies,
//! the matrix of algorithms and policies, and where these disagree. [`difference`] compares
//! two of them.

mod algorithm;
mod answer;
mod assess;
mod assessment;
mod asset;
mod by_name;
mod checks;
mod cost;
mod data_file;
mod difference;
mod directives;
mod endpoint;
mod estate;
mod exposure;
mod glob;
mod iso_date;
mod matrix;
mod object_identifier;
pub mod output;
mod patch;
mod policy;
mod policy_file;
mod profile;
mod remedies;
mod remedy;
mod resource;
mod risk;
mod ssh;
mod target;
mod timeline;
mod usage;
mod uses;
mod verdict;

pub use algorithm::{Algorithm, Curve, ParseAlgorithmError, Resistance, Role};
pub use answer::{Answer, Cause, Refusal, Unknown};
pub use assess::assess;
pub use assessment::{
    Assessment, Check, Conflict, Evidence, Finding, Limit, Matrix, MatrixRow, NotObserved,
    Severity, Subject, SubjectKind,
};
pub use asset::{
    Asset, AssetKind, CertificateFacts, Directive, Inventory, KeyFacts, KeyForm, KeyUse, Location,
    Problem, Settings, Software, StoreFacts, StoreFormat,
};
pub use cost::{Difference, Interval, Measured, Price, Prices};
pub use data_file::Mistake;
pub use difference::{Changed, Changes, difference};
pub use endpoint::{
    Chain, ClientCertificateRequest, ClientOutcome, Endpoint, GroupPreference, GroupSupport,
    HelloShape, HostKey, Resumption, Service, SignatureFamily, SshService, SuiteSupport,
    TlsService, Tolerance, Tried,
};
pub use estate::Estate;
pub use policy::{
    Class, Confidence, Milestone, Policy, PolicyHeader, Predicate, Requirement, Rule, Status, Topic,
};
pub use policy_file::PolicyError;
pub use profile::{AssetProfile, Profile, ProfileError};
pub use remedy::{Edit, Remedy, Source};
pub use resource::{ResourceEstimate, resources};
pub use risk::{Assumption, Exposure, Flip, Outlook, Risk};
pub use target::{ParseTargetError, Protocol, Target};
pub use timeline::{Band, Timeline};
pub use usage::{Manner, Usage};
pub use verdict::{RuleVerdict, Verdict};
