//! Configurations of rustls for one handshake and nothing else.

use std::sync::Arc;

use experiment::{Handshake, HandshakeKind, Side};
use pki::Identity;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{
    NoServerSessionStorage, ProducesTickets, ServerSessionMemoryCache, WebPkiClientVerifier,
};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, SignatureScheme,
    SupportedProtocolVersion,
};
use wire::{ChainAlgorithms, ProtocolVersion};

use super::connection::RustlsConnection;
use super::signer::PinnedKey;
use super::tickets::TicketWallet;
use super::timed;
use super::verifier::{ClientVerifier, Judgement, ServerVerifier};
use crate::{Connection, Credentials, Endpoint, PhaseTiming, StackError};

/// What an endpoint is made from.
pub(super) struct Setup<'a> {
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) handshake: Handshake,
    pub(super) credentials: &'a Credentials,
    pub(super) timing: PhaseTiming,
    pub(super) ticketer: fn() -> Result<Arc<dyn ProducesTickets>, rustls::Error>,
}

/// Tickets that one preparing handshake issues.
const TICKETS_ISSUED: usize = 32;
/// 0-RTT data that a server takes, in bytes: one record.
const MAX_EARLY_DATA: u32 = 1 << 14;

/// The signature schemes that a chain needs and no other: that of the handshake first.
pub(super) fn schemes(chain: ChainAlgorithms) -> Vec<SignatureScheme> {
    let mut schemes = vec![chain.leaf().facts().scheme];
    for issuer in [chain.intermediate(), chain.root()] {
        let scheme = issuer.facts().certificate_scheme;
        if !schemes.contains(&scheme) {
            schemes.push(scheme);
        }
    }
    schemes.into_iter().map(|scheme| scheme.0.into()).collect()
}

struct Client {
    measured: Arc<ClientConfig>,
    issuing: Arc<ClientConfig>,
    wallet: Arc<TicketWallet>,
    handshake: Handshake,
}

pub(super) fn client(setup: &Setup<'_>) -> Result<Box<dyn Endpoint>, StackError> {
    let handshake = setup.handshake;
    let mut config = client_config(setup)?;
    let wallet = Arc::new(TicketWallet::default());
    config.resumption = rustls::client::Resumption::store(wallet.clone());
    let issuing = Arc::new(config.clone());
    if !handshake.kind().is_resumption() {
        // Takes what tickets come, as a client with a store does, and never offers one.
        let blind = Arc::new(TicketWallet::that_forgets());
        config.resumption = rustls::client::Resumption::store(blind);
    }
    Ok(Box::new(Client {
        measured: Arc::new(config),
        issuing,
        wallet,
        handshake,
    }))
}

pub(super) fn client_config(setup: &Setup<'_>) -> Result<ClientConfig, StackError> {
    let Setup {
        provider,
        handshake,
        credentials,
        timing,
        ..
    } = setup;
    let roots = roots([credentials.server().root()])?;
    let inner = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
        .build()
        .map_err(|error| refused("the verifier of server certificates", error))?;
    let verifier = ServerVerifier {
        inner,
        schemes: schemes(handshake.authentication()),
        judgement: Judgement::Enforce,
        timing: *timing,
    };
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(&[handshake.version()]))
        .map_err(|error| refused("the client's version", error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match (credentials.client(), handshake.client_authentication()) {
        (Some(identity), Some(chain)) => {
            let resolver = certified(setup, Side::Client, identity, chain)?;
            builder.with_client_cert_resolver(Arc::new(resolver))
        }
        _ => builder.with_no_client_auth(),
    };
    config.enable_early_data = handshake.kind() == HandshakeKind::EarlyData;
    if let Some(log) = credentials.key_log() {
        config.key_log = Arc::new(log.clone());
    }
    Ok(config)
}

impl Client {
    fn connect(&self, config: &Arc<ClientConfig>) -> Result<ClientConnection, StackError> {
        let name = ServerName::try_from(pki::SERVER_NAME)
            .map_err(|error| refused("the server's name", error))?;
        ClientConnection::new(config.clone(), name)
            .map_err(|error| refused("the client's connection", error))
    }
}

impl Endpoint for Client {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        let needs_ticket = self.handshake.kind().is_resumption();
        if needs_ticket && self.wallet.len() == 0 {
            return Err(StackError::NoTicket);
        }
        let mut connection = self.connect(&self.measured)?;
        if self.handshake.kind() == HandshakeKind::EarlyData {
            super::connection::write_early_data(&mut connection)?;
        }
        Ok(Box::new(RustlsConnection::new(connection)))
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        let connection = self.connect(&self.issuing)?;
        Ok(Box::new(RustlsConnection::new(connection)))
    }

    fn tickets(&self) -> usize {
        self.wallet.len()
    }
}

struct Server {
    measured: Arc<ServerConfig>,
    issuing: Arc<ServerConfig>,
}

pub(super) fn server(setup: &Setup<'_>) -> Result<Box<dyn Endpoint>, StackError> {
    let config = server_config(setup)?;
    let mut issuing = config.clone();
    issuing.send_tls13_tickets = TICKETS_ISSUED;
    Ok(Box::new(Server {
        measured: Arc::new(config),
        issuing: Arc::new(issuing),
    }))
}

pub(super) fn server_config(setup: &Setup<'_>) -> Result<ServerConfig, StackError> {
    let Setup {
        provider,
        handshake,
        credentials,
        timing,
        ticketer,
    } = setup;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(&[handshake.version()]))
        .map_err(|error| refused("the server's version", error))?;
    let builder = match (credentials.client(), handshake.client_authentication()) {
        (Some(identity), Some(chain)) => {
            // No stack sends the names of its roots, so that flights compare.
            let inner = WebPkiClientVerifier::builder_with_provider(
                roots([identity.root()])?,
                provider.clone(),
            )
            .clear_root_hint_subjects()
            .build()
            .map_err(|error| refused("the verifier of client certificates", error))?;
            let schemes = schemes(chain);
            builder.with_client_cert_verifier(Arc::new(ClientVerifier {
                inner,
                schemes,
                timing: *timing,
            }))
        }
        _ => builder.with_no_client_auth(),
    };
    let chain = handshake.authentication();
    let resolver = certified(setup, Side::Server, credentials.server(), chain)?;
    let mut config = builder.with_cert_resolver(Arc::new(resolver));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    let takes_early_data = handshake.kind() == HandshakeKind::EarlyData;
    if takes_early_data {
        // rustls takes 0-RTT only with sessions that it keeps itself, against replay.
        config.max_early_data_size = MAX_EARLY_DATA;
        config.session_storage = ServerSessionMemoryCache::new(4 * TICKETS_ISSUED);
    } else if handshake.tickets() > 0 || handshake.kind().is_resumption() {
        config.ticketer = ticketer().map_err(|error| refused("the ticketer", error))?;
    }
    config.send_tls13_tickets = handshake.tickets().into();
    Ok(config)
}

impl Server {
    fn accept(&self, config: &Arc<ServerConfig>) -> Result<Box<dyn Connection>, StackError> {
        let connection = ServerConnection::new(config.clone())
            .map_err(|error| refused("the server's connection", error))?;
        Ok(Box::new(RustlsConnection::new(connection)))
    }
}

impl Endpoint for Server {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        self.accept(&self.measured)
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        self.accept(&self.issuing)
    }

    fn tickets(&self) -> usize {
        0
    }
}

pub(super) fn versions(versions: &[ProtocolVersion]) -> Vec<&'static SupportedProtocolVersion> {
    let version = |version: &ProtocolVersion| match version {
        ProtocolVersion::Tls12 => &rustls::version::TLS12,
        ProtocolVersion::Tls13 => &rustls::version::TLS13,
    };
    versions.iter().map(version).collect()
}

pub(super) fn roots<'a>(
    anchors: impl IntoIterator<Item = &'a CertificateDer<'static>>,
) -> Result<Arc<RootCertStore>, StackError> {
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        roots
            .add(anchor.clone())
            .map_err(|error| refused("the trust anchor", error))?;
    }
    Ok(Arc::new(roots))
}

fn certified(
    setup: &Setup<'_>,
    side: Side,
    identity: &Identity,
    chain: ChainAlgorithms,
) -> Result<SingleCertAndKey, StackError> {
    let mut key = setup
        .provider
        .key_provider
        .load_private_key(identity.key().clone_key())
        .map_err(|error| refused("the private key", error))?;
    let scheme = chain.leaf().facts().scheme.0.into();
    key = Arc::new(PinnedKey { inner: key, scheme });
    if setup.timing == PhaseTiming::On {
        key = Arc::new(timed::TimedKey { side, inner: key });
    }
    Ok(CertifiedKey::new(identity.chain().to_vec(), key).into())
}

pub(super) fn refused(what: &'static str, error: impl ToString) -> StackError {
    StackError::Setup {
        what,
        message: error.to_string(),
    }
}
