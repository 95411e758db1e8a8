//! What a real server or client is set up with: it meets peers of many kinds, and offers
//! lists in the order of its preference where a scenario pins one of each.

use std::fmt;
use std::sync::Arc;

use pki::CertifiedKey;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use wire::{CipherSuite, NamedGroup, ProtocolVersion};

use crate::PhaseTiming;

/// What both sides offer.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Versions; the highest in common is negotiated.
    pub versions: Vec<ProtocolVersion>,
    /// Groups, the most wanted first. A client sends a key share for that one; rustls sends
    /// one for the classical half of a hybrid as well, where that is offered on its own.
    pub groups: Vec<NamedGroup>,
    /// Cipher suites; empty for what the library offers by itself.
    pub cipher_suites: Vec<CipherSuite>,
    /// Application protocols (RFC 7301), the most wanted first; empty for no such extension.
    pub alpn: Vec<Vec<u8>>,
    /// Is told the secrets of every connection.
    pub key_log: Option<KeyLog>,
    /// Whether the library's cryptography is timed in place; [`PhaseTiming::Off`] where
    /// [`TlsStack::times_phases`](crate::TlsStack::times_phases) is false.
    pub timing: PhaseTiming,
}

impl Default for Offer {
    /// Both versions, X25519MLKEM768 before X25519, P-256 and P-384, no ALPN, no key log.
    fn default() -> Self {
        Self {
            versions: vec![ProtocolVersion::Tls13, ProtocolVersion::Tls12],
            groups: vec![
                NamedGroup::X25519MLKEM768,
                NamedGroup::X25519,
                NamedGroup::SECP256R1,
                NamedGroup::SECP384R1,
            ],
            cipher_suites: Vec::new(),
            alpn: Vec::new(),
            key_log: None,
            timing: PhaseTiming::Off,
        }
    }
}

/// A server for many kinds of clients.
#[derive(Debug, Clone)]
pub struct ServerProfile {
    /// Versions, groups and the rest.
    pub offer: Offer,
    /// What it shows, the most wanted first. With several, a client gets the first whose
    /// signatures it says it can verify: one that knows ML-DSA gets that, an old one ECDSA.
    /// OpenSSL takes one for each type of key.
    pub certificates: Vec<CertifiedKey>,
    /// Whether it asks clients for a certificate, and which it takes.
    pub client_authentication: Option<ClientAuthentication>,
    /// Tickets issued after a TLS 1.3 handshake; with 0, nothing can be resumed. No library
    /// judges a client's certificate again when it resumes: a session outlives expiry and
    /// revocation (RFC 8446 section 4.6.1), so that 0 goes with client authentication.
    pub tickets: u8,
}

/// Which client certificates a server takes.
#[derive(Debug, Clone)]
pub struct ClientAuthentication {
    /// Trust anchors.
    pub roots: Vec<CertificateDer<'static>>,
    /// Revocation lists. With any, an end entity whose issuer has no list, or an expired
    /// one, is refused. Intermediates are not looked up.
    pub crls: Vec<CertificateRevocationListDer<'static>>,
    /// Whether clients without a certificate are refused.
    pub is_required: bool,
}

/// A client of one server.
#[derive(Debug, Clone)]
pub struct ClientProfile {
    /// Versions, groups and the rest.
    pub offer: Offer,
    /// The name in the server's certificate: a DNS name, which is sent (RFC 6066 section
    /// 3), or an IP address, which is not.
    pub server_name: String,
    /// Which servers it takes.
    pub trust: Trust,
    /// What it shows to a server that asks.
    pub certificate: Option<CertifiedKey>,
    /// Whether it keeps tickets and resumes with them.
    pub resumes: bool,
}

/// How a client judges a server's certificate chain. Signatures within the handshake are
/// always verified.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Verifies against these anchors, and goes no further with a server that fails.
    Verify(Vec<CertificateDer<'static>>),
    /// Verifies against these anchors, keeps the verdict for
    /// [`Connection::verdict`](crate::Connection::verdict), and goes on: for diagnosis.
    Observe(Vec<CertificateDer<'static>>),
    /// Does not look at the chain: for load, where other generators don't either.
    Unverified,
}

/// A sink of whole lines of the NSS key log format (RFC 9850), for tools that decrypt
/// recordings.
#[derive(Clone)]
pub struct KeyLog(Arc<dyn Fn(&str) + Send + Sync>);

impl KeyLog {
    /// Calls `sink` with each line, without line end, from whichever thread has the
    /// connection.
    pub fn new(sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    pub(crate) fn line(&self, line: &str) {
        (self.0)(line);
    }
}

impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLog")
    }
}
