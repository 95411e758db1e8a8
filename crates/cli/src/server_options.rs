//! How a server listens, as arguments.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use pki::Role;
use server::Limits;
use stack::{ClientAuthentication, ServerProfile, TlsStack};
use wire::{ChainAlgorithms, SignatureAlgorithm};

use crate::arguments::seconds;
use crate::bad_input;
use crate::offer_options::{OfferOptions, certified_keys, read, trust_anchors};
use crate::target::Place;

/// Where a server listens, what it offers and shows, and what clients may take of it.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerOptions {
    /// Where to listen: an address or a name of this machine; of a name with several
    /// addresses, at the first. Port 0 lets the system choose.
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "HOST:PORT")]
    pub(crate) listen: Place,

    #[command(flatten)]
    offer: OfferOptions,

    /// A certificate chain (PEM), the end entity first. With several, a client gets the
    /// first one that it can verify.
    #[arg(long, value_name = "FILE")]
    cert: Vec<PathBuf>,

    /// The key of the --cert of the same place (PEM, not encrypted).
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,

    /// A certificate of the lab, by its algorithm (see `pqlab list auth`), for
    /// server.pqlab.test, localhost and 127.0.0.1; ecdsa-p256 if nothing is said. `--auth
    /// ml-dsa-65 --auth ecdsa-p256` gives ML-DSA to clients that know it.
    #[arg(long, value_name = "ALGORITHM")]
    auth: Vec<ChainAlgorithms>,

    /// Ask clients for a certificate under these anchors: a PEM file, `lab` or `system`.
    #[arg(long, value_name = "FILE|lab|system")]
    client_ca: Option<String>,

    /// Revocation lists (PEM), read once. With any, a client certificate without a fresh list
    /// of its issuer is refused. Intermediates are not looked up.
    #[arg(long, value_name = "FILE", requires = "client_ca")]
    client_crl: Vec<PathBuf>,

    /// Take clients without a certificate, too.
    #[arg(long, requires = "client_ca")]
    client_optional: bool,

    /// Tickets for resumption after each handshake: 2 if nothing is said, and none with
    /// --client-ca, since a session outlives the expiry and the revocation of a certificate.
    #[arg(long, value_name = "NUMBER")]
    tickets: Option<u8>,

    /// Where Prometheus finds the metrics: plain HTTP, path /metrics.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) metrics: Option<Place>,

    /// Connections at a time; one more is closed at once.
    #[arg(long, default_value_t = 1024, value_name = "NUMBER")]
    max_connections: usize,

    /// Seconds that a client has for its handshake.
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    handshake_timeout: Duration,

    /// Seconds without a byte after which a connection is closed.
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    idle_timeout: Duration,

    /// Bytes of a request's header at most; 8192 at least.
    #[arg(long, default_value_t = 16384, value_name = "BYTES")]
    max_header: usize,

    /// Seconds that requests under way get when the server is told to stop.
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    grace: Duration,
}

impl ServerOptions {
    /// The stack, and the server that it is to be. `alpn` are application protocols.
    ///
    /// # Errors
    /// When a file can't be read, or does not hold what it should.
    pub(crate) fn profile(
        &self,
        alpn: &[String],
    ) -> Result<(&'static dyn TlsStack, ServerProfile)> {
        let mut chains = self.auth.clone();
        if chains.is_empty() && self.cert.is_empty() {
            chains.push(ChainAlgorithms::uniform(SignatureAlgorithm::EcdsaP256));
        }
        let client_authentication = match &self.client_ca {
            None => None,
            Some(place) => Some(ClientAuthentication {
                roots: trust_anchors(place)?,
                crls: self.crls()?,
                is_required: !self.client_optional,
            }),
        };
        let profile = ServerProfile {
            offer: self.offer.offer(alpn)?,
            certificates: certified_keys(&self.cert, &self.key, &chains, Role::Server)?,
            client_authentication,
            tickets: self.tickets.unwrap_or(match self.client_ca {
                Some(_) => 0,
                None => 2,
            }),
        };
        Ok((self.offer.stack()?, profile))
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            connections: self.max_connections,
            handshake: self.handshake_timeout,
            idle: self.idle_timeout,
            request: self.max_header,
        }
    }

    pub(crate) fn grace(&self) -> Duration {
        self.grace
    }

    fn crls(&self) -> Result<Vec<rustls_pki_types::CertificateRevocationListDer<'static>>> {
        let mut crls = Vec::new();
        for path in &self.client_crl {
            let lists = pki::crls_from_pem(&read(path)?);
            let place = || path.display().to_string();
            crls.extend(lists.with_context(place).map_err(bad_input)?);
        }
        Ok(crls)
    }
}
