//! Contexts of OpenSSL for peers of many kinds.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use experiment::Side;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    AlpnError, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslSession,
    SslSessionCacheMode, SslVerifyMode, SslVersion,
};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509Crl};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use wire::{ProtocolVersion, SignatureScheme};

use super::connection::{EarlyData, OpenSslConnection};
use super::endpoint::refused;
use super::{GROUPS, ffi, openssl_name};
use crate::{
    ClientAuthentication, ClientProfile, Connection, Endpoint, Offer, ServerProfile, StackError,
    Trust,
};

struct Server {
    context: SslContext,
    tickets: usize,
}

pub(super) fn server(profile: &ServerProfile) -> Result<Box<dyn Endpoint>, StackError> {
    let mut context = context(Side::Server, &profile.offer)?;
    if profile.certificates.is_empty() {
        return Err(unfit("the certificates", "none is given"));
    }
    for certificate in &profile.certificates {
        show(&mut context, certificate)?;
    }
    if profile.certificates.len() > 1 {
        prefer_in_order(&mut context, &profile.certificates)?;
    }
    context
        .set_session_id_context(b"pqlab")
        .map_err(|error| refused("the session context", error))?;
    if let Some(authentication) = &profile.client_authentication {
        authenticate_clients(&mut context, authentication)?;
    }
    let alpn = profile.offer.alpn.clone();
    if !alpn.is_empty() {
        context.set_alpn_select_callback(move |_, offered| {
            first_common(&alpn, offered).ok_or(AlpnError::ALERT_FATAL)
        });
    }
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    if profile.tickets == 0 {
        context.set_options(SslOptions::NO_TICKET);
    }
    Ok(Box::new(Server {
        context: context.build(),
        tickets: profile.tickets.into(),
    }))
}

impl Endpoint for Server {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        let setup = |error| refused("the server's connection", error);
        let mut ssl = Ssl::new(&self.context).map_err(setup)?;
        ssl.set_num_tickets(self.tickets).map_err(setup)?;
        ssl.set_accept_state();
        Ok(Box::new(OpenSslConnection::new(ssl, EarlyData::None)?))
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        self.connection()
    }

    fn tickets(&self) -> usize {
        0
    }
}

struct Client {
    context: SslContext,
    wallet: Arc<Mutex<Vec<SslSession>>>,
    name: String,
    judges: bool,
}

/// Sessions kept; a server that sends two for each one used would fill any memory.
const CAPACITY: usize = 1024;

pub(super) fn client(profile: &ClientProfile) -> Result<Box<dyn Endpoint>, StackError> {
    let mut context = context(Side::Client, &profile.offer)?;
    let (anchors, mode) = match &profile.trust {
        Trust::Verify(anchors) => (anchors.as_slice(), SslVerifyMode::PEER),
        // The chain is judged all the same, and the verdict kept (SSL_CTX_set_verify(3)).
        Trust::Observe(anchors) => (anchors.as_slice(), SslVerifyMode::NONE),
        Trust::Unverified => ([].as_slice(), SslVerifyMode::NONE),
    };
    trust(&mut context, anchors, &[])?;
    context.set_verify(mode);
    if let Some(certificate) = &profile.certificate {
        show(&mut context, certificate)?;
    }
    let alpn = wire_format(&profile.offer.alpn)?;
    if !alpn.is_empty() {
        context
            .set_alpn_protos(&alpn)
            .map_err(|error| refused("the application protocols", error))?;
    }
    let wallet = Arc::new(Mutex::new(Vec::new()));
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    if profile.resumes {
        context
            .set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
        let wallet = wallet.clone();
        context.set_new_session_callback(move |_, session| {
            let mut sessions = wallet.lock().unwrap_or_else(PoisonError::into_inner);
            if sessions.len() < CAPACITY {
                sessions.push(session);
            }
        });
    }
    Ok(Box::new(Client {
        context: context.build(),
        wallet,
        name: profile.server_name.clone(),
        judges: !matches!(profile.trust, Trust::Unverified),
    }))
}

impl Endpoint for Client {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        let setup = |error| refused("the client's connection", error);
        let mut ssl = Ssl::new(&self.context).map_err(setup)?;
        match self.name.parse::<IpAddr>() {
            Ok(address) => ssl.param_mut().set_ip(address).map_err(setup)?,
            Err(_) => {
                ssl.set_hostname(&self.name).map_err(setup)?;
                ssl.param_mut().set_host(&self.name).map_err(setup)?;
            }
        }
        ssl.set_connect_state();
        let mut wallet = self.wallet.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = wallet.pop() {
            ffi::set_session(&mut ssl, &session)
                .map_err(|error| refused("the session to resume", error))?;
        }
        let connection = OpenSslConnection::new(ssl, EarlyData::None)?;
        Ok(match self.judges {
            true => Box::new(connection),
            false => Box::new(connection.that_does_not_judge()),
        })
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        self.connection()
    }

    fn tickets(&self) -> usize {
        self.wallet
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

fn context(side: Side, offer: &Offer) -> Result<SslContextBuilder, StackError> {
    let method = match side {
        Side::Client => SslMethod::tls_client(),
        Side::Server => SslMethod::tls_server(),
    };
    let mut context = SslContext::builder(method).map_err(|error| refused("the context", error))?;
    set_versions(&mut context, &offer.versions)?;
    if let Some(group) = offer.groups.iter().find(|group| !GROUPS.contains(group)) {
        return Err(unfit(
            "the groups",
            format!("OpenSSL has no {group}: see `pqlab list groups`"),
        ));
    }
    let groups: Vec<String> = offer.groups.iter().map(ToString::to_string).collect();
    context
        .set_groups_list(&groups.join(":"))
        .map_err(|error| refused("the groups", error))?;
    set_cipher_suites(&mut context, offer)?;
    if let Some(log) = offer.key_log.clone() {
        context.set_keylog_callback(move |_, line| log.line(line));
    }
    Ok(context)
}

fn set_versions(
    context: &mut SslContextBuilder,
    versions: &[ProtocolVersion],
) -> Result<(), StackError> {
    let number = |version: &ProtocolVersion| match version {
        ProtocolVersion::Tls12 => SslVersion::TLS1_2,
        ProtocolVersion::Tls13 => SslVersion::TLS1_3,
    };
    let (Some(lowest), Some(highest)) = (versions.iter().min(), versions.iter().max()) else {
        return Err(unfit("the versions", "none is given"));
    };
    let set = |error| refused("the versions", error);
    context
        .set_min_proto_version(Some(number(lowest)))
        .map_err(set)?;
    context
        .set_max_proto_version(Some(number(highest)))
        .map_err(set)
}

fn set_cipher_suites(context: &mut SslContextBuilder, offer: &Offer) -> Result<(), StackError> {
    let names = |is_tls13: bool| {
        let suites = offer.cipher_suites.iter();
        let suites = suites.filter(move |suite| suite.facts().is_none_or(|f| f.tls13) == is_tls13);
        let names: Vec<_> = suites.map(|suite| openssl_name(*suite)).collect();
        names.join(":")
    };
    if offer.cipher_suites.is_empty() {
        return Ok(());
    }
    let set = |error| refused("the cipher suites", error);
    let (old, new) = (names(false), names(true));
    // Without a suite of a version, OpenSSL would take its own for it.
    let has = |version| offer.versions.contains(&version);
    match (old.is_empty(), new.is_empty()) {
        (true, _) if has(ProtocolVersion::Tls13) => {
            set_versions(context, &[ProtocolVersion::Tls13])?;
        }
        (_, true) if has(ProtocolVersion::Tls12) => {
            set_versions(context, &[ProtocolVersion::Tls12])?;
        }
        (true, _) | (_, true) => {
            return Err(unfit(
                "the cipher suites",
                "they are of other versions of TLS",
            ));
        }
        (false, false) => {}
    }
    if !old.is_empty() {
        context.set_cipher_list(&old).map_err(set)?;
    }
    context.set_ciphersuites(&new).map_err(set)
}

fn authenticate_clients(
    context: &mut SslContextBuilder,
    authentication: &ClientAuthentication,
) -> Result<(), StackError> {
    trust(context, &authentication.roots, &authentication.crls)?;
    let names = || -> Result<_, ErrorStack> {
        let mut names = Stack::new()?;
        for root in &authentication.roots {
            names.push(X509::from_der(root)?.subject_name().to_owned()?)?;
        }
        Ok(names)
    };
    context.set_client_ca_list(names().map_err(|error| refused("the trust anchors", error))?);
    let mut mode = SslVerifyMode::PEER;
    if authentication.is_required {
        mode |= SslVerifyMode::FAIL_IF_NO_PEER_CERT;
    }
    context.set_verify(mode);
    Ok(())
}

fn trust(
    context: &mut SslContextBuilder,
    anchors: &[CertificateDer<'static>],
    crls: &[CertificateRevocationListDer<'static>],
) -> Result<(), StackError> {
    let mut set = || -> Result<(), ErrorStack> {
        let mut store = X509StoreBuilder::new()?;
        for anchor in anchors {
            store.add_cert(X509::from_der(anchor)?)?;
        }
        for list in crls {
            ffi::add_crl(&mut store, X509Crl::from_der(list)?.as_ref())?;
        }
        // An intermediate is an anchor, too, as it is for rustls.
        let mut flags = X509VerifyFlags::PARTIAL_CHAIN;
        if !crls.is_empty() {
            flags |= X509VerifyFlags::CRL_CHECK;
        }
        store.set_flags(flags)?;
        context.set_verify_cert_store(store.build())
    };
    set().map_err(|error| refused("the trust anchors and revocation lists", error))
}

fn show(
    context: &mut SslContextBuilder,
    certified_key: &pki::CertifiedKey,
) -> Result<(), StackError> {
    let Some((leaf, issuers)) = certified_key.chain().split_first() else {
        return Err(unfit("the certificate", "its chain is empty"));
    };
    let mut set = || -> Result<(), ErrorStack> {
        let mut chain = Stack::new()?;
        for issuer in issuers {
            chain.push(X509::from_der(issuer)?)?;
        }
        let key = PKey::private_key_from_der(certified_key.key().secret_der())?;
        ffi::add_certified_key(context, X509::from_der(leaf)?.as_ref(), &key, &chain)
    };
    set().map_err(|error| refused("the certificate and its key", error))
}

/// Has a client get the first certificate that it can verify. OpenSSL chooses by the order of
/// schemes, its own with this option, and has one place for each type of key.
fn prefer_in_order(
    context: &mut SslContextBuilder,
    certificates: &[pki::CertifiedKey],
) -> Result<(), StackError> {
    let mut kinds = Vec::new();
    for certificate in certificates {
        let leaf = certificate
            .chain()
            .first()
            .and_then(|der| pki::Certificate::from_der(der).ok());
        let Some(kind) = leaf.and_then(|leaf| leaf.key.kind()) else {
            return Err(unfit(
                "the certificates",
                "one of several has a key of a type that is unknown here",
            ));
        };
        if kinds.contains(&kind) {
            return Err(unfit(
                "the certificates",
                format!("OpenSSL takes one with a key of type {kind} only"),
            ));
        }
        kinds.push(kind);
    }
    let schemes = SignatureScheme::known().iter().map(|facts| facts.name);
    // OpenSSL refuses a list with a name that it does not know, and has no SLH-DSA in TLS.
    let has_it = |name: &&str| !name.ends_with("sha1") && !name.starts_with("slhdsa");
    let mut schemes: Vec<&str> = schemes.filter(has_it).collect();
    let place = |name: &str| {
        let of_kind = kinds.iter().position(|kind| name.starts_with(kind));
        of_kind.unwrap_or(kinds.len())
    };
    schemes.sort_by_key(|name| place(name));
    context.set_options(SslOptions::CIPHER_SERVER_PREFERENCE);
    context
        .set_sigalgs_list(&schemes.join(":"))
        .map_err(|error| refused("the order of the certificates", error))
}

/// The first of our protocols that stands in the client's list; OpenSSL has checked its
/// grammar.
fn first_common<'a>(own: &[Vec<u8>], mut offered: &'a [u8]) -> Option<&'a [u8]> {
    let mut names = Vec::new();
    while let Some((length, rest)) = offered.split_first() {
        let (name, rest) = rest.split_at_checked((*length).into())?;
        names.push(name);
        offered = rest;
    }
    own.iter()
        .find_map(|wanted| names.iter().find(|name| *name == wanted))
        .copied()
}

/// Names with their lengths before them (RFC 7301 section 3.1).
fn wire_format(protocols: &[Vec<u8>]) -> Result<Vec<u8>, StackError> {
    let mut bytes = Vec::new();
    for protocol in protocols {
        let length = u8::try_from(protocol.len()).unwrap_or(0);
        if length == 0 {
            let reason = "a name has 1 to 255 bytes";
            return Err(unfit("the application protocols", reason));
        }
        bytes.push(length);
        bytes.extend_from_slice(protocol);
    }
    Ok(bytes)
}

fn unfit(what: &'static str, message: impl Into<String>) -> StackError {
    StackError::Setup {
        what,
        message: message.into(),
    }
}
