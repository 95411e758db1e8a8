//! A private certificate authority whose whole state is one folder.
//!
//! A [`Store`] holds authorities (roots and what they certified), every certificate they
//! issued, their keys and a log that is only ever appended to. Each operation is one
//! transaction: a process that is killed at any point leaves a store that is as before or
//! as after. One process has the store at a time; others wait for it.
//!
//! Every field of a certificate is set here; a request contributes a public key and names,
//! and nothing else of it is copied.
//!
//! What is not in here: OCSP, hardware keys, and an issuing service that listens on a
//! network. A store is as safe as the folder that it lies in.

mod authorities;
mod authority;
mod bundle;
mod error;
mod files;
mod import;
mod issue;
mod issued;
mod key;
mod log;
mod migration;
mod name;
mod pfx;
mod request;
mod revoke;
mod signer;
mod store;
mod subject;
mod template;

pub use authority::{Authority, AuthorityState, AuthorityTemplate, Grant, NewAuthority};
pub use bundle::{Command, TrustStore, quote};
pub use error::CaError;
pub use issue::{Order, SignOrder};
pub use issued::{Issued, Kind, Revocation, RevocationReason};
pub use key::Passphrase;
pub use log::{Event, LogEntry};
pub use migration::{Figures, MigrationPlan, Step};
pub use name::{Name, NameError};

pub use request::{NewRequest, Request, RequestError, new_request};
pub use store::{Fault, Store};
pub use subject::{Subject, SubjectError};
