//! What a certificate chain rests upon.

use wire::{CertificateMessage, ProtocolVersion};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// Whether a quantum computer could forge a link of a chain that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chain {
    /// Every signature is one that it can't forge.
    PostQuantum,
    /// One at least is not.
    Classical,
    /// A certificate can't be read.
    Unread,
}

impl Chain {
    /// Of the body of a Certificate message; `None` where no certificate was sent.
    pub(crate) fn of(body: &[u8], version: ProtocolVersion) -> Option<Self> {
        let chain = CertificateMessage::parse(body, version).ok()?.certificates;
        let mut strength = None;
        for der in chain {
            let Ok((_, certificate)) = X509Certificate::from_der(der) else {
                return Some(Self::Unread);
            };
            // A root that is sent along is trusted for itself, not for its signature.
            if certificate.issuer().as_raw() == certificate.subject().as_raw() {
                continue;
            }
            let algorithm = certificate.signature_algorithm.algorithm.to_id_string();
            strength = match (strength, is_post_quantum(&algorithm)) {
                (Some(Self::Classical), _) | (_, false) => Some(Self::Classical),
                _ => Some(Self::PostQuantum),
            };
        }
        strength
    }
}

/// ML-DSA (RFC 9881 section 2) and SLH-DSA (RFC 9909 section 3): the identifiers of both
/// stand next to each other.
fn is_post_quantum(identifier: &str) -> bool {
    let last = identifier.strip_prefix("2.16.840.1.101.3.4.3.");
    last.and_then(|last| last.parse().ok())
        .is_some_and(|last: u8| (17..=31).contains(&last))
}
