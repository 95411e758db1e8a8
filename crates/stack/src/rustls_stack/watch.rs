//! What the callbacks of one client connection were told, where TLS is carried by another
//! protocol than a stream and the connection itself is out of reach.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use wire::CertificateRequest;

use super::observed::Observed;
use super::verifier::ServerVerifier;
use super::{AWS_LC, profile};
use crate::{ClientProfile, StackError, Verdict};

/// Shared with the configuration of one connection; with several, the last one's.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<Watched>>);

/// What was seen of the server so far.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Its certificates, the end entity first.
    pub chain: Vec<CertificateDer<'static>>,
    /// How they were judged; `None` where nobody did.
    pub verdict: Option<Verdict>,
    /// The scheme of its signature.
    pub scheme: Option<wire::SignatureScheme>,
    /// That it asked for the client's certificate.
    pub request: Option<CertificateRequest>,
    /// The scheme that the client signs with, if it answers with a certificate.
    pub own_scheme: Option<wire::SignatureScheme>,
}

impl Watch {
    /// What was seen so far.
    pub fn watched(&self) -> Watched {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Performs a callback, and keeps what it notes.
    fn during<T>(&self, step: impl FnOnce() -> T) -> T {
        let mut observed = Observed::default();
        let result = observed.during(step);
        let mut watched = self.lock();
        watched.verdict = observed.verdict.or(watched.verdict.take());
        watched.scheme = observed.peer_scheme.or(watched.scheme);
        result
    }
}

/// A client as a profile says, whose connection is watched.
///
/// # Errors
/// When this stack can't do a part of the profile, or refuses it.
pub fn watched_client_of(profile: &ClientProfile) -> Result<(ClientConfig, Watch), StackError> {
    let mut config = profile::client_config(&AWS_LC, profile)?;
    let watch = Watch::default();
    let provider = config.crypto_provider().clone();
    let verifier = WatchedVerifier {
        inner: profile::server_verifier(&profile.trust, &provider, profile.offer.timing)?,
        watch: watch.clone(),
    };
    config
        .dangerous()
        .set_certificate_verifier(Arc::new(verifier));
    config.client_auth_cert_resolver = Arc::new(WatchedKeys {
        inner: config.client_auth_cert_resolver.clone(),
        watch: watch.clone(),
    });
    Ok((config, watch))
}

#[derive(Debug)]
struct WatchedVerifier {
    inner: ServerVerifier,
    watch: Watch,
}

impl ServerCertVerifier for WatchedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        self.watch.lock().chain = chain.cloned().map(CertificateDer::into_owned).collect();
        self.watch.during(|| {
            self.inner.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            )
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.watch
            .during(|| self.inner.verify_tls12_signature(message, cert, dss))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.watch
            .during(|| self.inner.verify_tls13_signature(message, cert, dss))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[derive(Debug)]
struct WatchedKeys {
    inner: Arc<dyn ResolvesClientCert>,
    watch: Watch,
}

impl ResolvesClientCert for WatchedKeys {
    fn resolve(
        &self,
        authorities: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let found = self.inner.resolve(authorities, schemes);
        // rustls sends a certificate only where the server takes a scheme of its key.
        let signer = found
            .as_ref()
            .and_then(|found| found.key.choose_scheme(schemes));
        let mut watched = self.watch.lock();
        watched.own_scheme = signer.map(|signer| wire::SignatureScheme(signer.scheme().into()));
        watched.request = Some(CertificateRequest {
            signature_schemes: schemes
                .iter()
                .map(|scheme| wire::SignatureScheme((*scheme).into()))
                .collect(),
            authorities: authorities.iter().map(|name| name.to_vec()).collect(),
        });
        found
    }

    fn has_certs(&self) -> bool {
        self.inner.has_certs()
    }
}
