use pem::{EncodeConfig, LineEnding, Pem};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::CertifiedKey;

/// The side of a TLS connection that an identity authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A server: extended key usage serverAuth.
    Server,
    /// A client in mutual TLS: extended key usage clientAuth.
    Client,
}

impl Role {
    /// `server` or `client`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// What one side of a TLS connection authenticates with, and what its peer must trust.
#[derive(Debug, Clone)]
pub struct Identity {
    certified_key: CertifiedKey,
    root: CertificateDer<'static>,
}

impl Identity {
    pub(crate) const fn new(certified_key: CertifiedKey, root: CertificateDer<'static>) -> Self {
        Self {
            certified_key,
            root,
        }
    }

    /// The chain without its root, and the end entity's key.
    pub const fn certified_key(&self) -> &CertifiedKey {
        &self.certified_key
    }

    /// [`CertifiedKey::chain`].
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        self.certified_key.chain()
    }

    /// [`CertifiedKey::key`].
    pub const fn key(&self) -> &PrivateKeyDer<'static> {
        self.certified_key.key()
    }

    /// [`CertifiedKey::chain_pem`].
    pub fn chain_pem(&self) -> String {
        self.certified_key.chain_pem()
    }

    /// [`CertifiedKey::key_pem`].
    pub fn key_pem(&self) -> String {
        self.certified_key.key_pem()
    }

    /// The trust anchor: the self-signed root. Server and client of one chain share it.
    pub const fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// [`root`](Self::root) as PEM.
    pub fn root_pem(&self) -> String {
        encode_pem(CERTIFICATE, &self.root)
    }
}

/// The PEM label of a certificate (RFC 7468 section 5).
pub(crate) const CERTIFICATE: &str = "CERTIFICATE";
/// The PEM label of an unencrypted PKCS#8 key (RFC 7468 section 10).
pub(crate) const PRIVATE_KEY: &str = "PRIVATE KEY";

/// A block of PEM (RFC 7468), lines ending in LF.
pub fn encode_pem(label: &str, der: &[u8]) -> String {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    pem::encode_config(&Pem::new(label, der), config)
}
