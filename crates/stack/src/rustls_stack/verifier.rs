//! webpki's verifiers, told which schemes to offer and what follows from their verdict.
//!
//! Neither a signature scheme nor a verdict can be asked of a rustls connection; both pass
//! through here.

use std::sync::Arc;

use experiment::{Phase, Side};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::observed;
use crate::{PhaseTiming, phases};

/// What follows from a chain that is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The handshake fails.
    Enforce,
    /// It goes on.
    Observe,
    /// Nobody looks.
    Skip,
}

#[derive(Debug)]
pub(super) struct ServerVerifier {
    pub(super) inner: Arc<dyn ServerCertVerifier>,
    pub(super) schemes: Vec<SignatureScheme>,
    pub(super) judgement: Judgement,
    pub(super) timing: PhaseTiming,
}

#[derive(Debug)]
pub(super) struct ClientVerifier {
    pub(super) inner: Arc<dyn ClientCertVerifier>,
    pub(super) schemes: Vec<SignatureScheme>,
    pub(super) timing: PhaseTiming,
}

fn verifying<T>(timing: PhaseTiming, side: Side, work: impl FnOnce() -> T) -> T {
    match timing {
        PhaseTiming::Off => work(),
        PhaseTiming::On => phases::timed(side, Phase::Verify, work),
    }
}

fn note_scheme(signature: &DigitallySignedStruct) {
    let scheme = wire::SignatureScheme(signature.scheme.into());
    observed::note(|observed| observed.peer_scheme = Some(scheme));
}

fn note_verdict<T>(judged: &Result<T, Error>) {
    let verdict = match judged {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    observed::note(|observed| observed.verdict = Some(verdict));
}

type Valid = Result<HandshakeSignatureValid, Error>;

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.judgement == Judgement::Skip {
            return Ok(ServerCertVerified::assertion());
        }
        let judged = verifying(self.timing, Side::Client, || {
            self.inner.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            )
        });
        note_verdict(&judged);
        match self.judgement {
            Judgement::Enforce => judged,
            Judgement::Observe | Judgement::Skip => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Valid {
        note_scheme(dss);
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
        note_scheme(dss);
        verifying(self.timing, Side::Client, || {
            self.inner.verify_tls13_signature(message, cert, dss)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let judged = verifying(self.timing, Side::Server, || {
            self.inner
                .verify_client_cert(end_entity, intermediates, now)
        });
        note_verdict(&judged);
        judged
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Valid {
        note_scheme(dss);
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
        note_scheme(dss);
        verifying(self.timing, Side::Server, || {
            self.inner.verify_tls13_signature(message, cert, dss)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// Trusts no chain and verifies signatures: for clients without trust anchors.
#[derive(Debug)]
pub(super) struct NoAnchors {
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for NoAnchors {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Valid {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Valid {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
