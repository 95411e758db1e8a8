//! What was observed of an estate — endpoints, certificates, keys, configurations — and what
//! dated policies and an estimate of risk say of it.
//!
//! Pure functions over data: nothing here opens a file or a socket. `scan` and `inventory`
//! produce observations, this crate judges them. An observation has three values: a peer
//! does something, refuses it, or it is not known, with the reason. A timeout is never "no".

mod algorithm;
mod answer;
mod asset;
mod by_name;
mod endpoint;

pub use algorithm::{Algorithm, Curve, ParseAlgorithmError, Resistance, Role};
pub use answer::{Answer, Cause, Refusal, Unknown};
pub use asset::{
    Asset, AssetKind, CertificateFacts, Directive, Inventory, KeyFacts, KeyForm, KeyUse, Location,
    Problem, Settings, Software, StoreFacts, StoreFormat,
};
pub use endpoint::{
    Chain, ClientCertificateRequest, ClientOutcome, Endpoint, GroupPreference, GroupSupport,
    HelloShape, HostKey, Protocol, Resumption, Service, SignatureFamily, SshService, SuiteSupport,
    Target, TlsService, Tolerance, Tried,
};
