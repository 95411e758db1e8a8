//! s2n-tls, through its crate.

mod connection;
mod endpoint;
mod pipe;
mod policy;

use experiment::{Handshake, Library, Side, StackName};
use s2n_tls::error::Error;

use crate::{Credentials, Endpoint, PhaseTiming, StackError, TlsStack, Unsupported};

/// The s2n-tls that this binary is linked with, over the aws-lc of aws-lc-rs.
pub(crate) struct S2n;

/// The library has no function that tells; the lock file pins it, and a test compares.
const VERSION: &str = "0.3.47";

impl TlsStack for S2n {
    fn name(&self) -> StackName {
        // The literal is of lower-case letters, a digit and a dash, which every name may have.
        "s2n-tls".parse().unwrap_or_else(|_| unreachable!())
    }

    fn library(&self) -> Library {
        Library {
            name: "s2n-tls".to_owned(),
            version: VERSION.to_owned(),
            caveat: Some(
                "its security policies can't be narrowed to one group, suite and scheme: it \
                 offers more than the other stacks, in a longer ClientHello and \
                 CertificateRequest; as a client with X25519MLKEM768 it uses a policy made for \
                 tests, the only one without a second key share"
                    .to_owned(),
            ),
        }
    }

    fn supports(&self, side: Side, handshake: &Handshake) -> Result<(), Unsupported> {
        match policy::policy(side, handshake) {
            Ok(_) => Ok(()),
            Err(reason) => Err(Unsupported {
                stack: self.name(),
                side,
                reason,
            }),
        }
    }

    fn endpoint(
        &self,
        side: Side,
        handshake: &Handshake,
        credentials: &Credentials,
        _: PhaseTiming,
    ) -> Result<Box<dyn Endpoint>, StackError> {
        let policy = policy::policy(side, handshake).map_err(|message| StackError::Setup {
            what: "the security policy",
            message,
        })?;
        endpoint::endpoint(side, policy, credentials)
    }
}

/// What s2n-tls says of an error, and its name for it.
fn words(error: &Error) -> String {
    format!("{} ({})", error.message(), error.name())
}

fn refused(what: &'static str, error: &Error) -> StackError {
    StackError::Setup {
        what,
        message: words(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_has_this_version() {
        let lock = include_str!("../../../../Cargo.lock");
        let package = format!("name = \"s2n-tls\"\nversion = \"{VERSION}\"\n");
        assert!(lock.contains(&package));
    }
}
