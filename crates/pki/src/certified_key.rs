use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::PkiError;
use crate::identity::{CERTIFICATE, PRIVATE_KEY, encode_pem};

/// A certificate chain and the private key of its end entity: what one side of TLS shows.
///
/// `Debug` does not reveal the private key.
#[derive(Debug)]
pub struct CertifiedKey {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl CertifiedKey {
    /// Puts together a chain, the end entity first, and its key. Whether the key belongs to the
    /// certificate is for the TLS library to say.
    pub const fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Self {
        Self { chain, key }
    }

    /// Reads a chain, the end entity first, and its key: PKCS#8, PKCS#1 or SEC 1, not
    /// encrypted. Text around the blocks and blocks of other kinds are passed over. Whether
    /// the key belongs to the certificate is for the TLS library to say.
    ///
    /// # Errors
    /// [`PkiError::Pem`] when one of the two has no such block, or a damaged one.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, PkiError> {
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| PkiError::Pem {
            what: "private key (PKCS#8, PKCS#1 or SEC 1, not encrypted)",
            error,
        })?;
        Ok(Self::new(certificates_from_pem(chain)?, key))
    }

    /// The certificates to send, in order: end entity, then its issuers. The root is not
    /// sent (RFC 8446 section 4.4.2).
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The end entity's private key. Those made here are PKCS#8 version 1 (RFC 5208), and
    /// an ML-DSA key holds the seed alone (RFC 9881 section 6), the form most readers take.
    pub const fn key(&self) -> &PrivateKeyDer<'static> {
        &self.key
    }

    /// [`chain`](Self::chain) as concatenated PEM (RFC 7468), lines ending in LF.
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(certificate_pem).collect()
    }

    /// [`key`](Self::key) as PEM, label `PRIVATE KEY`; for keys made here.
    pub fn key_pem(&self) -> String {
        encode_pem(PRIVATE_KEY, self.key.secret_der())
    }
}

impl Clone for CertifiedKey {
    fn clone(&self) -> Self {
        Self::new(self.chain.clone(), self.key.clone_key())
    }
}

/// A certificate as PEM, lines ending in LF.
pub fn certificate_pem(certificate: &CertificateDer<'_>) -> String {
    encode_pem(CERTIFICATE, certificate)
}

/// Reads every certificate of a PEM file: a chain or a bundle of trust anchors.
///
/// # Errors
/// [`PkiError::Pem`] when there is none, or a damaged block.
pub fn certificates_from_pem(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PkiError> {
    blocks(text, "certificate")
}

/// Reads every revocation list of a PEM file.
///
/// # Errors
/// [`PkiError::Pem`] when there is none, or a damaged block.
pub fn crls_from_pem(text: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>, PkiError> {
    blocks(text, "certificate revocation list")
}

fn blocks<T: PemObject>(text: &[u8], what: &'static str) -> Result<Vec<T>, PkiError> {
    let blocks: Result<Vec<T>, _> = T::pem_slice_iter(text).collect();
    match blocks {
        Ok(blocks) if !blocks.is_empty() => Ok(blocks),
        Ok(_) => Err(rustls_pki_types::pem::Error::NoItemsFound),
        Err(error) => Err(error),
    }
    .map_err(|error| PkiError::Pem { what, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_a_block_and_damaged_blocks_are_told_apart_by_their_errors() {
        let none = certificates_from_pem(b"not PEM at all").unwrap_err();
        assert!(none.to_string().contains("certificate"), "{none}");
        let cut = b"-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert!(certificates_from_pem(cut).is_err());
        let bad = b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
        assert!(certificates_from_pem(bad).is_err());
        let public = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        let error = CertifiedKey::from_pem(public, public).unwrap_err();
        assert!(error.to_string().contains("private key"), "{error}");
    }
}
