use pem::{EncodeConfig, LineEnding, Pem};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The side of a TLS connection that an identity authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A server: extended key usage serverAuth.
    Server,
    /// A client in mutual TLS: extended key usage clientAuth.
    Client,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// What one side of a TLS connection authenticates with, and what its peer must trust.
///
/// `Debug` does not reveal the private key.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    root: CertificateDer<'static>,
}

impl Identity {
    pub(crate) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        root: CertificateDer<'static>,
    ) -> Self {
        Self { chain, key, root }
    }

    /// The certificates to send, in order: end entity, intermediate. The root is not sent
    /// (RFC 8446 section 4.4.2).
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The end entity's private key as PKCS#8 version 1 (RFC 5208); an ML-DSA key holds the
    /// seed alone (RFC 9881 section 6), the form that most readers take.
    pub fn key(&self) -> &PrivateKeyDer<'static> {
        &self.key
    }

    /// The trust anchor: the self-signed root. Server and client of one chain share it.
    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// [`chain`](Self::chain) as concatenated PEM (RFC 7468), lines ending in LF.
    pub fn chain_pem(&self) -> String {
        self.chain
            .iter()
            .map(|certificate| encode_pem(CERTIFICATE, certificate))
            .collect()
    }

    /// [`key`](Self::key) as PEM, label `PRIVATE KEY`.
    pub fn key_pem(&self) -> String {
        encode_pem(PRIVATE_KEY, self.key.secret_der())
    }

    /// [`root`](Self::root) as PEM.
    pub fn root_pem(&self) -> String {
        encode_pem(CERTIFICATE, &self.root)
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self::new(self.chain.clone(), self.key.clone_key(), self.root.clone())
    }
}

/// The PEM label of a certificate (RFC 7468 section 5).
pub(crate) const CERTIFICATE: &str = "CERTIFICATE";
/// The PEM label of an unencrypted PKCS#8 key (RFC 7468 section 10).
pub(crate) const PRIVATE_KEY: &str = "PRIVATE KEY";

pub(crate) fn encode_pem(label: &str, der: &[u8]) -> String {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    pem::encode_config(&Pem::new(label, der), config)
}
