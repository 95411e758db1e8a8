//! How a client connects, as arguments.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use experiment::StackName;
use pki::Role;
use stack::{ClientProfile, TlsStack, Trust};
use wire::ChainAlgorithms;

use crate::bad_input;
use crate::offer_options::{OfferOptions, certified_keys, trust_anchors};

/// What a client offers, whom it trusts and what it shows.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClientOptions {
    #[command(flatten)]
    offer: OfferOptions,

    /// The name that the server's certificate must have, if it is not the host's.
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,

    /// Trust anchors: a PEM file, `lab` for those that pqlab has made, or `system`.
    #[arg(long, default_value = "system", value_name = "FILE|lab|system")]
    ca: String,

    /// Do not judge the server's certificate chain. Its signature is verified all the same.
    #[arg(long)]
    insecure: bool,

    /// The client's certificate chain (PEM), for servers that ask for one.
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// The key of --cert (PEM, not encrypted).
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// A client certificate of the lab, by its algorithm: see `pqlab list auth`.
    #[arg(long, value_name = "ALGORITHM", conflicts_with = "cert")]
    auth: Option<ChainAlgorithms>,

    /// Application protocols to offer (ALPN). With --request: http/1.1, if none is named.
    #[arg(long, value_delimiter = ',', value_name = "PROTOCOL,…")]
    alpn: Vec<String>,
}

impl ClientOptions {
    /// The name of the stack.
    pub(crate) const fn stack_name(&self) -> &StackName {
        self.offer.stack_name()
    }

    /// The name of the server at `host`.
    pub(crate) fn server_name<'a>(&'a self, host: &'a str) -> &'a str {
        self.server_name.as_deref().unwrap_or(host)
    }

    /// For a client that asks over HTTP/1.1: it says so, where nothing else is named.
    ///
    /// # Errors
    /// When HTTP/2 is to be offered, which the server then speaks.
    pub(crate) fn for_http1(mut self) -> Result<Self> {
        if self.alpn.iter().any(|name| name == "h2") {
            let what = "--request is of HTTP/1.1: leave h2 out of --alpn";
            return Err(bad_input(anyhow!(what)));
        }
        if self.alpn.is_empty() {
            self.alpn = vec!["http/1.1".to_owned()];
        }
        Ok(self)
    }

    /// The stack, and a client that verifies servers of this host unless told otherwise.
    /// It does not resume, and logs no keys.
    ///
    /// # Errors
    /// When a file can't be read, or does not hold what it should.
    pub(crate) fn profile(&self, host: &str) -> Result<(&'static dyn TlsStack, ClientProfile)> {
        let files = |file: &Option<PathBuf>| file.iter().cloned().collect::<Vec<_>>();
        let chains: Vec<_> = self.auth.into_iter().collect();
        let mut certificates =
            certified_keys(&files(&self.cert), &files(&self.key), &chains, Role::Client)?;
        let trust = match self.insecure {
            true => Trust::Unverified,
            false => Trust::Verify(trust_anchors(&self.ca)?),
        };
        let profile = ClientProfile {
            offer: self.offer.offer(&self.alpn)?,
            server_name: self.server_name(host).to_owned(),
            trust,
            certificate: certificates.pop(),
            resumes: false,
        };
        Ok((self.offer.stack()?, profile))
    }

    /// As [`Self::profile`], for one who wants to see: the chain is judged and kept, and the
    /// verdict decides what follows instead of ending the handshake.
    ///
    /// # Errors
    /// As [`Self::profile`].
    pub(crate) fn observing_profile(
        &self,
        host: &str,
    ) -> Result<(&'static dyn TlsStack, ClientProfile)> {
        let (stack, mut profile) = self.profile(host)?;
        if let Trust::Verify(anchors) = profile.trust {
            profile.trust = Trust::Observe(anchors);
        }
        Ok((stack, profile))
    }
}
