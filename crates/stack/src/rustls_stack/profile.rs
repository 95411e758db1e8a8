//! Configurations of rustls for peers of many kinds.

use std::fmt::Write;
use std::sync::Arc;

use experiment::Side;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    SignatureAlgorithm, SupportedCipherSuite,
};
use wire::ProtocolVersion;

use super::connection::RustlsConnection;
use super::endpoint::{refused, roots, versions};
use super::signer::ObservedKey;
use super::tickets::TicketWallet;
use super::verifier::{ClientVerifier, Judgement, NoAnchors, ServerVerifier};
use super::{RustlsStack, timed};
use crate::{
    ClientAuthentication, ClientProfile, Connection, Endpoint, KeyLog, Offer, PhaseTiming,
    ServerProfile, StackError, Trust,
};

struct Server {
    config: Arc<ServerConfig>,
}

pub(super) fn server(
    stack: &RustlsStack,
    profile: &ServerProfile,
) -> Result<Box<dyn Endpoint>, StackError> {
    let config = Arc::new(server_config(stack, profile)?);
    Ok(Box::new(Server { config }))
}

pub(super) fn server_config(
    stack: &RustlsStack,
    profile: &ServerProfile,
) -> Result<ServerConfig, StackError> {
    let offer = &profile.offer;
    let provider = provider(stack, Side::Server, offer)?;
    let supported = versions(&offer.versions);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&supported)
        .map_err(|error| refused("the versions", error))?;
    let builder = match &profile.client_authentication {
        Some(authentication) => {
            let verifier = client_verifier(authentication, &provider, offer.timing)?;
            builder.with_client_cert_verifier(Arc::new(verifier))
        }
        None => builder.with_no_client_auth(),
    };
    let mut keys = Vec::new();
    for certificate in &profile.certificates {
        let key = certified(certificate, &provider, Side::Server, offer.timing)?;
        let is_usable =
            offer.versions.contains(&ProtocolVersion::Tls13) || !is_tls13_only(key.key.algorithm());
        if is_usable {
            keys.push(key);
        }
    }
    if keys.is_empty() {
        return Err(refused(
            "the certificates",
            "none is given that these versions of TLS can use",
        ));
    }
    let suites = provider.cipher_suites.clone();
    let mut config = builder.with_cert_resolver(Arc::new(FirstFit { keys, suites }));
    config.alpn_protocols.clone_from(&offer.alpn);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if profile.tickets > 0 {
        config.ticketer = (stack.ticketer)().map_err(|error| refused("the ticketer", error))?;
    }
    config.send_tls13_tickets = profile.tickets.into();
    if let Some(log) = &offer.key_log {
        config.key_log = Arc::new(log.clone());
    }
    Ok(config)
}

impl Endpoint for Server {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        let connection = ServerConnection::new(self.config.clone())
            .map_err(|error| refused("the server's connection", error))?;
        Ok(Box::new(RustlsConnection::new(connection)))
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        self.connection()
    }

    fn tickets(&self) -> usize {
        0
    }
}

struct Client {
    config: Arc<ClientConfig>,
    wallet: Arc<TicketWallet>,
    name: ServerName<'static>,
}

pub(super) fn client(
    stack: &RustlsStack,
    profile: &ClientProfile,
) -> Result<Box<dyn Endpoint>, StackError> {
    let name = ServerName::try_from(profile.server_name.clone())
        .map_err(|error| refused("the server's name", error))?;
    let mut config = client_config(stack, profile)?;
    let wallet = Arc::new(TicketWallet::default());
    config.resumption = match profile.resumes {
        true => Resumption::store(wallet.clone()),
        false => Resumption::disabled(),
    };
    Ok(Box::new(Client {
        config: Arc::new(config),
        wallet,
        name,
    }))
}

/// Its store of tickets is rustls' own.
pub(super) fn client_config(
    stack: &RustlsStack,
    profile: &ClientProfile,
) -> Result<ClientConfig, StackError> {
    let offer = &profile.offer;
    let provider = provider(stack, Side::Client, offer)?;
    let verifier = server_verifier(&profile.trust, &provider, offer.timing)?;
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(&offer.versions))
        .map_err(|error| refused("the versions", error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &profile.certificate {
        Some(certificate) => {
            let key = certified(certificate, &provider, Side::Client, offer.timing)?;
            let key = Arc::unwrap_or_clone(key);
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols.clone_from(&offer.alpn);
    if let Some(log) = &offer.key_log {
        config.key_log = Arc::new(log.clone());
    }
    Ok(config)
}

impl Endpoint for Client {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        let connection = ClientConnection::new(self.config.clone(), self.name.clone())
            .map_err(|error| refused("the client's connection", error))?;
        Ok(Box::new(RustlsConnection::new(connection)))
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        self.connection()
    }

    fn tickets(&self) -> usize {
        self.wallet.len()
    }
}

/// The stack's provider with the groups and suites of the offer and no others.
fn provider(
    stack: &RustlsStack,
    side: Side,
    offer: &Offer,
) -> Result<Arc<CryptoProvider>, StackError> {
    let mut provider = stack.provider();
    let mut groups = Vec::new();
    let supported = versions(&offer.versions);
    for group in &offer.groups {
        let Some(found) = stack.group(&provider, *group) else {
            return Err(refused(
                "the groups",
                format!("{} has no {group}: see `pqlab list groups`", stack.name),
            ));
        };
        if !supported
            .iter()
            .any(|v| found.usable_for_version(v.version))
        {
            return Err(refused(
                "the groups",
                format!("{group} is for another version of TLS"),
            ));
        }
        groups.push(match offer.timing {
            PhaseTiming::On => timed::group(side, found),
            PhaseTiming::Off => found,
        });
    }
    provider.kx_groups = groups;
    if !offer.cipher_suites.is_empty() {
        let mut suites = Vec::new();
        for name in &offer.cipher_suites {
            let mut all = provider.cipher_suites.iter();
            match all.find(|suite| u16::from(suite.suite()) == name.0) {
                Some(suite) => suites.push(*suite),
                None => {
                    return Err(refused(
                        "the cipher suites",
                        format!("{} has no {name}", stack.name),
                    ));
                }
            }
        }
        provider.cipher_suites = suites;
    }
    // rustls offers the suites of versions that are switched off, which tells a server with
    // two certificates that TLS 1.3 is meant.
    provider
        .cipher_suites
        .retain(|suite| supported.contains(&suite.version()));
    Ok(Arc::new(provider))
}

fn certified(
    certificate: &pki::CertifiedKey,
    provider: &CryptoProvider,
    side: Side,
    timing: PhaseTiming,
) -> Result<Arc<CertifiedKey>, StackError> {
    let key = provider
        .key_provider
        .load_private_key(certificate.key().clone_key())
        .map_err(|error| refused("the private key", error))?;
    let chain = certificate.chain().to_vec();
    CertifiedKey::new(chain.clone(), key.clone())
        .keys_match()
        .map_err(|error| refused("the certificate and its key", error))?;
    let known: Vec<_> = wire::SignatureScheme::known()
        .iter()
        .map(|facts| facts.code_point.0.into())
        .collect();
    if key.choose_scheme(&known).is_none() {
        let reason = "this stack can't sign with a key of its algorithm";
        return Err(refused("the private key", reason));
    }
    let mut key: Arc<dyn SigningKey> = Arc::new(ObservedKey(key));
    if timing == PhaseTiming::On {
        key = Arc::new(timed::TimedKey { side, inner: key });
    }
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

pub(super) fn server_verifier(
    trust: &Trust,
    provider: &Arc<CryptoProvider>,
    timing: PhaseTiming,
) -> Result<ServerVerifier, StackError> {
    let (anchors, judgement) = match trust {
        Trust::Verify(anchors) => (anchors.as_slice(), Judgement::Enforce),
        Trust::Observe(anchors) => (anchors.as_slice(), Judgement::Observe),
        Trust::Unverified => ([].as_slice(), Judgement::Skip),
    };
    let inner: Arc<dyn rustls::client::danger::ServerCertVerifier> = match anchors {
        [] => Arc::new(NoAnchors {
            algorithms: provider.signature_verification_algorithms,
        }),
        anchors => {
            WebPkiServerVerifier::builder_with_provider(readable(anchors)?, provider.clone())
                .build()
                .map_err(|error| refused("the verifier of server certificates", error))?
        }
    };
    Ok(ServerVerifier {
        schemes: inner.supported_verify_schemes(),
        inner,
        judgement,
        timing,
    })
}

/// A system's store may hold roots of forms that webpki does not know: the others still count.
fn readable(anchors: &[CertificateDer<'static>]) -> Result<Arc<RootCertStore>, StackError> {
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(anchors.iter().cloned()) {
        (0, _) => Err(refused("the trust anchors", "none of them can be read")),
        _ => Ok(Arc::new(roots)),
    }
}

fn client_verifier(
    authentication: &ClientAuthentication,
    provider: &Arc<CryptoProvider>,
    timing: PhaseTiming,
) -> Result<ClientVerifier, StackError> {
    let roots = roots(&authentication.roots)?;
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
    if !authentication.crls.is_empty() {
        builder = builder
            .with_crls(authentication.crls.iter().cloned())
            .only_check_end_entity_revocation()
            .enforce_revocation_expiration();
    }
    if !authentication.is_required {
        builder = builder.allow_unauthenticated();
    }
    let inner = builder
        .build()
        .map_err(|error| refused("the verifier of client certificates", error))?;
    Ok(ClientVerifier {
        schemes: inner.supported_verify_schemes(),
        inner,
        timing,
    })
}

/// ML-DSA is defined for TLS 1.3 alone.
fn is_tls13_only(algorithm: SignatureAlgorithm) -> bool {
    !matches!(
        algorithm,
        SignatureAlgorithm::RSA | SignatureAlgorithm::ECDSA | SignatureAlgorithm::ED25519
    )
}

/// Shows the first certificate whose signatures the client says it can verify.
#[derive(Debug)]
struct FirstFit {
    keys: Vec<Arc<CertifiedKey>>,
    suites: Vec<SupportedCipherSuite>,
}

impl ResolvesServerCert for FirstFit {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let fits = |key: &&Arc<CertifiedKey>| {
            key.key.choose_scheme(hello.signature_schemes()).is_some()
                && self.goes_with_a_suite(key.key.algorithm(), hello.cipher_suites())
        };
        // Where none fits, rustls refuses what it gets with handshake_failure; without any,
        // it would say access_denied.
        let found = self.keys.iter().find(fits);
        found.or_else(|| self.keys.first()).cloned()
    }
}

impl FirstFit {
    /// Schemes are listed for all versions at once: a client of TLS 1.2 that lists ML-DSA
    /// can't use it, and one that lists ECDSA needs a suite with ECDSA as well.
    fn goes_with_a_suite(&self, key: SignatureAlgorithm, offered: &[CipherSuite]) -> bool {
        let common = self.suites.iter().filter(|s| offered.contains(&s.suite()));
        let mut common = common.map(|suite| match suite {
            SupportedCipherSuite::Tls13(_) => true,
            SupportedCipherSuite::Tls12(_) => {
                !is_tls13_only(key) && suite.usable_for_signature_algorithm(key)
            }
        });
        common.any(|is_usable| is_usable)
    }
}

impl rustls::KeyLog for KeyLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = label.to_owned();
        for bytes in [client_random, secret] {
            line.push(' ');
            for byte in bytes {
                // Writing into a String can't fail.
                let _ = write!(line, "{byte:02x}");
            }
        }
        self.line(&line);
    }
}
