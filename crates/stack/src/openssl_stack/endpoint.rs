//! Contexts of OpenSSL for one handshake and nothing else.

use std::sync::{Arc, Mutex, PoisonError};

use experiment::{Handshake, HandshakeKind, Side};
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslSession, SslSessionCacheMode,
    SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use pki::Identity;
use wire::{ChainAlgorithms, NamedGroup, ProtocolVersion};

use super::connection::{EarlyData, OpenSslConnection};
use super::{ffi, openssl_name};
use crate::groups::{certificate_curves, decoy};
use crate::{Connection, Credentials, Endpoint, StackError};

/// Tickets that one preparing handshake issues.
const TICKETS_ISSUED: usize = 32;
/// 0-RTT data that a server takes, in bytes: one record.
const MAX_EARLY_DATA: u32 = 1 << 14;

struct Client {
    context: SslContext,
    wallet: Arc<Mutex<Vec<SslSession>>>,
    handshake: Handshake,
}

pub(super) fn client(
    handshake: &Handshake,
    credentials: &Credentials,
) -> Result<Box<dyn Endpoint>, StackError> {
    let wallet = Arc::new(Mutex::new(Vec::new()));
    let mut context = context(Side::Client, handshake)?;
    trust(&mut context, credentials.server())?;
    if let Some(log) = credentials.key_log().cloned() {
        context.set_keylog_callback(move |_, line| log.line(line));
    }
    context.set_verify(SslVerifyMode::PEER);
    let mut schemes = vec![handshake.authentication()];
    if let (Some(identity), Some(chain)) = (credentials.client(), handshake.client_authentication())
    {
        show(&mut context, identity)?;
        // The client's list both asks for the server's scheme and chooses its own.
        schemes.push(chain);
    }
    set_schemes(&mut context, &schemes)?;
    if handshake.kind().is_resumption() {
        context
            .set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
        let wallet = wallet.clone();
        context.set_new_session_callback(move |_, session| {
            wallet
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(session);
        });
    }
    Ok(Box::new(Client {
        context: context.build(),
        wallet,
        handshake: *handshake,
    }))
}

impl Client {
    fn ssl(&self) -> Result<Ssl, StackError> {
        let setup = |error| refused("the client's connection", error);
        let mut ssl = Ssl::new(&self.context).map_err(setup)?;
        ssl.set_hostname(pki::SERVER_NAME).map_err(setup)?;
        ssl.param_mut().set_host(pki::SERVER_NAME).map_err(setup)?;
        ssl.set_connect_state();
        Ok(ssl)
    }
}

impl Endpoint for Client {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        let mut ssl = self.ssl()?;
        if self.handshake.kind().is_resumption() {
            let mut wallet = self.wallet.lock().unwrap_or_else(PoisonError::into_inner);
            let session = wallet.pop().ok_or(StackError::NoTicket)?;
            // A TLS 1.2 session is good for many resumptions until the server renews it; a
            // TLS 1.3 ticket for one.
            let is_renewed = self.handshake.tickets() > 0;
            if self.handshake.version() == ProtocolVersion::Tls12 && !is_renewed {
                wallet.push(session.clone());
            }
            ffi::set_session(&mut ssl, &session)
                .map_err(|error| refused("the session to resume", error))?;
        }
        let early_data = match self.handshake.kind() {
            HandshakeKind::EarlyData => EarlyData::ToSend,
            _ => EarlyData::None,
        };
        Ok(Box::new(OpenSslConnection::new(ssl, early_data)?))
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        Ok(Box::new(OpenSslConnection::new(
            self.ssl()?,
            EarlyData::None,
        )?))
    }

    fn tickets(&self) -> usize {
        self.wallet
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

struct Server {
    context: SslContext,
    handshake: Handshake,
}

pub(super) fn server(
    handshake: &Handshake,
    credentials: &Credentials,
) -> Result<Box<dyn Endpoint>, StackError> {
    let mut context = context(Side::Server, handshake)?;
    show(&mut context, credentials.server())?;
    context
        .set_session_id_context(b"pqlab")
        .map_err(|error| refused("the session context", error))?;
    let mut schemes = vec![handshake.authentication()];
    if let (Some(identity), Some(chain)) = (credentials.client(), handshake.client_authentication())
    {
        trust(&mut context, identity)?;
        context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        // The server's list both chooses its own scheme and asks for the client's.
        schemes.insert(0, chain);
    }
    set_schemes(&mut context, &schemes)?;
    let issues = handshake.tickets() > 0 || handshake.kind().is_resumption();
    if !issues {
        context.set_options(SslOptions::NO_TICKET);
    }
    if handshake.kind() == HandshakeKind::EarlyData {
        // Against replay, OpenSSL takes 0-RTT only with sessions that it keeps itself.
        context.set_session_cache_mode(SslSessionCacheMode::SERVER);
        context
            .set_max_early_data(MAX_EARLY_DATA)
            .map_err(|error| refused("the limit of 0-RTT data", error))?;
    }
    Ok(Box::new(Server {
        context: context.build(),
        handshake: *handshake,
    }))
}

impl Server {
    fn accept(&self, tickets: usize) -> Result<Box<dyn Connection>, StackError> {
        let setup = |error| refused("the server's connection", error);
        let mut ssl = Ssl::new(&self.context).map_err(setup)?;
        ssl.set_num_tickets(tickets).map_err(setup)?;
        ssl.set_accept_state();
        let early_data = match self.handshake.kind() {
            HandshakeKind::EarlyData => EarlyData::ToReceive,
            _ => EarlyData::None,
        };
        Ok(Box::new(OpenSslConnection::new(ssl, early_data)?))
    }
}

impl Endpoint for Server {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        self.accept(self.handshake.tickets().into())
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        self.accept(TICKETS_ISSUED)
    }

    fn tickets(&self) -> usize {
        0
    }
}

/// What both sides have in common. The security level is OpenSSL's own, or what the file of
/// OPENSSL_CONF sets (config(5)).
fn context(side: Side, handshake: &Handshake) -> Result<SslContextBuilder, StackError> {
    let method = match side {
        Side::Client => SslMethod::tls_client(),
        Side::Server => SslMethod::tls_server(),
    };
    let mut context = SslContext::builder(method).map_err(|error| refused("the context", error))?;
    let version = match handshake.version() {
        ProtocolVersion::Tls12 => SslVersion::TLS1_2,
        ProtocolVersion::Tls13 => SslVersion::TLS1_3,
    };
    let versions = |error| refused("the version", error);
    context
        .set_min_proto_version(Some(version))
        .map_err(versions)?;
    context
        .set_max_proto_version(Some(version))
        .map_err(versions)?;
    let suite = openssl_name(handshake.cipher_suite());
    let suites = match handshake.version() {
        ProtocolVersion::Tls12 => context.set_cipher_list(suite),
        ProtocolVersion::Tls13 => context.set_ciphersuites(suite),
    };
    suites.map_err(|error| refused("the cipher suite", error))?;
    if let Some(group) = handshake.group() {
        context
            .set_groups_list(&groups(side, group, handshake))
            .map_err(|error| refused("the group", error))?;
    }
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    Ok(context)
}

/// The list of groups. A client sends a share for the first one; to provoke a
/// HelloRetryRequest, that is one which the server does not have.
fn groups(side: Side, group: NamedGroup, handshake: &Handshake) -> String {
    let is_retry = handshake.kind() == HandshakeKind::FullWithHelloRetryRequest;
    let decoy = (side == Side::Client && is_retry).then(|| decoy(group));
    let groups = decoy
        .into_iter()
        .chain([group])
        .chain(certificate_curves(handshake));
    groups
        .map(|group| group.to_string())
        .collect::<Vec<_>>()
        .join(":")
}

/// Trusts the root of an identity and nothing else.
fn trust(context: &mut SslContextBuilder, identity: &Identity) -> Result<(), StackError> {
    let mut set = || -> Result<(), ErrorStack> {
        let mut store = X509StoreBuilder::new()?;
        store.add_cert(X509::from_der(identity.root())?)?;
        context.set_verify_cert_store(store.build())
    };
    set().map_err(|error| refused("the trust anchor", error))
}

/// Sends the chain of an identity and signs with its key.
fn show(context: &mut SslContextBuilder, identity: &Identity) -> Result<(), StackError> {
    let mut set = || -> Result<(), ErrorStack> {
        let mut chain = identity.chain().iter();
        if let Some(leaf) = chain.next() {
            let leaf = X509::from_der(leaf)?;
            context.set_certificate(&leaf)?;
        }
        for issuer in chain {
            context.add_extra_chain_cert(X509::from_der(issuer)?)?;
        }
        let key = PKey::private_key_from_der(identity.key().secret_der())?;
        context.set_private_key(&key)
    };
    set().map_err(|error| refused("the certificate and key", error))
}

/// Offers the schemes of these chains and no other: each one's own first.
fn set_schemes(
    context: &mut SslContextBuilder,
    chains: &[ChainAlgorithms],
) -> Result<(), StackError> {
    let mut schemes = Vec::new();
    for chain in chains {
        schemes.push(chain.leaf().facts().scheme);
        let issuers = [chain.intermediate(), chain.root()];
        schemes.extend(issuers.map(|issuer| issuer.facts().certificate_scheme));
    }
    let mut names: Vec<String> = Vec::new();
    for name in schemes.iter().map(ToString::to_string) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    context
        .set_sigalgs_list(&names.join(":"))
        .map_err(|error| refused("the signature schemes", error))
}

pub(super) fn refused(what: &'static str, error: ErrorStack) -> StackError {
    StackError::Setup {
        what,
        message: error.to_string(),
    }
}
