//! webpki's verifiers, told to offer no scheme but those of one chain.
//!
//! A signature scheme can't be asked of a rustls connection; it passes through here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use experiment::{Phase, Side};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::{PhaseTiming, phases};

/// The scheme of the last signature that was checked; 0 before the first.
#[derive(Debug, Default)]
pub(super) struct SeenScheme(AtomicU16);

impl SeenScheme {
    fn record(&self, signature: &DigitallySignedStruct) {
        // One writer per pair; the value is a report, nothing is ordered by it.
        self.0.store(signature.scheme.into(), Ordering::Relaxed);
    }

    pub(super) fn last(&self) -> Option<wire::SignatureScheme> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            scheme => Some(wire::SignatureScheme(scheme)),
        }
    }
}

#[derive(Debug)]
pub(super) struct PinnedServerVerifier {
    pub(super) inner: Arc<dyn ServerCertVerifier>,
    pub(super) schemes: Vec<SignatureScheme>,
    pub(super) seen: Arc<SeenScheme>,
    pub(super) timing: PhaseTiming,
}

#[derive(Debug)]
pub(super) struct PinnedClientVerifier {
    pub(super) inner: Arc<dyn ClientCertVerifier>,
    pub(super) schemes: Vec<SignatureScheme>,
    pub(super) seen: Arc<SeenScheme>,
    pub(super) timing: PhaseTiming,
}

fn verifying<T>(timing: PhaseTiming, side: Side, work: impl FnOnce() -> T) -> T {
    match timing {
        PhaseTiming::Off => work(),
        PhaseTiming::On => phases::timed(side, Phase::Verify, work),
    }
}

type Valid = Result<HandshakeSignatureValid, Error>;

impl ServerCertVerifier for PinnedServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        verifying(self.timing, Side::Client, || {
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
    ) -> Valid {
        self.seen.record(dss);
        verifying(self.timing, Side::Client, || {
            self.inner.verify_tls12_signature(message, cert, dss)
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Valid {
        self.seen.record(dss);
        verifying(self.timing, Side::Client, || {
            self.inner.verify_tls13_signature(message, cert, dss)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

impl ClientCertVerifier for PinnedClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        verifying(self.timing, Side::Server, || {
            self.inner
                .verify_client_cert(end_entity, intermediates, now)
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Valid {
        self.seen.record(dss);
        verifying(self.timing, Side::Server, || {
            self.inner.verify_tls12_signature(message, cert, dss)
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Valid {
        self.seen.record(dss);
        verifying(self.timing, Side::Server, || {
            self.inner.verify_tls13_signature(message, cert, dss)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
