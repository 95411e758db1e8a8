//! PKCS#12 files (RFC 7292), which Windows, Java and cloud services take.

use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey,
    PrivateKeyChain,
};
use rcgen::PublicKeyData;

use crate::log::sha256;
use crate::{CaError, Issued, Store};

/// Iterations of the key derivation; OpenSSL's own default is 2048.
const ITERATIONS: u32 = 100_000;

impl Store {
    /// A certificate, its key and the chain above it, root included, behind a password:
    /// AES-256 and HMAC-SHA-256, which every reader of today takes.
    ///
    /// # Errors
    /// When the store does not have the key, or can't open it.
    pub fn pfx(&self, issued: &Issued, password: &str) -> Result<Vec<u8>, CaError> {
        if !issued.has_key {
            return Err(CaError::NoKey(issued.serial.clone()));
        }
        let failed = |error: p12_keystore::error::Error| CaError::Pfx(error.to_string());
        let key = self.key(&issued.serial, issued.algorithm)?;
        let id = sha256(&key.subject_public_key_info());
        let private = PrivateKey::from_der(key.pkcs8().secret_pkcs8_der()).map_err(failed)?;
        let mut certificates = Vec::new();
        for der in self
            .chain(issued)?
            .iter()
            .chain([&self.root(&issued.authority)?])
        {
            certificates.push(Certificate::from_der(der).map_err(failed)?);
        }
        let chain = PrivateKeyChain::new(&id.as_bytes()[..20], private, certificates);
        let mut keys = KeyStore::new();
        let name = issued.subject.common_name().unwrap_or("pqlab");
        keys.add_entry(name, KeyStoreEntry::PrivateKeyChain(chain));
        keys.writer(password)
            .encryption_algorithm(EncryptionAlgorithm::PbeWithHmacSha256AndAes256)
            .encryption_iterations(ITERATIONS)
            .mac_algorithm(MacAlgorithm::HmacSha256)
            .mac_iterations(ITERATIONS)
            .write()
            .map_err(failed)
    }
}
