//! TLS libraries behind one sans-IO trait, and the in-memory [`Pair`] of two of them.
//!
//! | stack | protocol | cryptography |
//! |---|---|---|
//! | `rustls` | rustls | aws-lc-rs |
//! | `rustls-pqcrypto` | rustls | key exchange from the `pqcrypto` family, the rest from aws-lc-rs |
//! | `rustls-openssl` | rustls | OpenSSL |
//! | `rustls-graviola` (feature `graviola`) | rustls | graviola |
//! | `openssl` | OpenSSL | OpenSSL |
//! | `s2n-tls` (feature `s2n`) | s2n-tls | aws-lc |
//!
//! To add one: a file with a [`TlsStack`], and a line in [`STACKS`]. The conformance
//! suite in `tests/` runs every stack against every other.

mod connection;
mod credentials;
mod groups;
mod judge;
mod null;
mod openssl_stack;
mod pair;
pub mod phases;
pub mod primitives;
mod profile;
mod rustls_stack;
#[cfg(feature = "s2n")]
mod s2n_stack;

use experiment::{Side, StackName};

pub use connection::{
    Connection, Endpoint, Negotiated, PhaseTiming, StackError, TlsStack, Unsupported, Verdict,
    printable,
};
pub use credentials::Credentials;
pub use judge::{Judgement, PeerName, Purpose, Question, Refusal, judge};
pub use null::NULL;
pub use pair::{
    EARLY_DATA, Established, Gauge, NoGauge, Pair, PairError, Stage, Transcript, endpoint,
};
pub use profile::{ClientAuthentication, ClientProfile, KeyLog, Offer, ServerProfile, Trust};
pub use rustls_stack::configs as rustls_config;

/// Every stack of this build.
pub static STACKS: &[&dyn TlsStack] = &[
    &rustls_stack::AWS_LC,
    &rustls_stack::PQCRYPTO,
    &rustls_stack::OPENSSL,
    #[cfg(feature = "graviola")]
    &rustls_stack::GRAVIOLA,
    &openssl_stack::OpenSsl,
    #[cfg(feature = "s2n")]
    &s2n_stack::S2n,
];

/// Stacks that exist and are not in this build, with the feature that brings them.
pub const LEFT_OUT: &[(&str, &str)] = &[
    #[cfg(not(feature = "graviola"))]
    ("rustls-graviola", "graviola"),
    #[cfg(not(feature = "s2n"))]
    ("s2n-tls", "s2n"),
];

/// Finds a stack by its name; `null` is the harness' own.
///
/// # Errors
/// When this build has none of that name.
pub fn by_name(name: &StackName) -> Result<&'static dyn TlsStack, Unsupported> {
    let all = STACKS.iter().copied().chain([NULL]);
    all.into_iter()
        .find(|stack| stack.name() == *name)
        .ok_or_else(|| {
            let feature = LEFT_OUT.iter().find(|(stack, _)| *stack == name.as_str());
            let reason = match feature {
                Some((_, feature)) => format!("not in this build: use `--features {feature}`"),
                None => "no such stack: see `pqlab list stacks`".to_owned(),
            };
            Unsupported {
                stack: name.clone(),
                side: Side::Client,
                reason,
            }
        })
}
