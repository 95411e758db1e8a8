//! s2n-tls, through its crate.

mod connection;
mod endpoint;
mod pipe;

use experiment::{Handshake, Library, Side, StackName};

use crate::{Credentials, Endpoint, PhaseTiming, StackError, TlsStack, Unsupported};

/// The s2n-tls that this binary is linked with, over the aws-lc of aws-lc-rs.
pub(crate) struct S2n;

impl TlsStack for S2n {
    fn name(&self) -> StackName {
        // The literal is of lower-case letters, a digit and a dash, which every name may have.
        "s2n-tls".parse().unwrap_or_else(|_| unreachable!())
    }
    fn library(&self) -> Library {
        Library {
            name: "s2n-tls".to_owned(),
            version: String::new(),
            caveat: None,
        }
    }
    fn supports(&self, _side: Side, _handshake: &Handshake) -> Result<(), Unsupported> {
        Ok(())
    }
    fn endpoint(
        &self,
        side: Side,
        handshake: &Handshake,
        credentials: &Credentials,
        _timing: PhaseTiming,
    ) -> Result<Box<dyn Endpoint>, StackError> {
        let policy = match side {
            Side::Client => std::env::var("S2N_CLIENT"),
            Side::Server => std::env::var("S2N_POLICY"),
        }
        .or(std::env::var("S2N_POLICY"))
        .unwrap();
        Ok(Box::new(endpoint::S2nEndpoint::new(
            side,
            handshake,
            credentials,
            &policy,
        )?))
    }
}

fn refused(what: &'static str, error: s2n_tls::error::Error) -> StackError {
    StackError::Setup {
        what,
        message: format!("{} ({})", error.message(), error.name()),
    }
}
