//! Private keys as files: PKCS#8 in PEM, encrypted where a passphrase is given.

use std::fmt;

use pem::Pem;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use pki::Key;
use rustls_pki_types::PrivatePkcs8KeyDer;
use wire::SignatureAlgorithm;
use zeroize::Zeroizing;

use crate::CaError;

/// What encrypts private keys. `Debug` does not show it.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes any text but the empty one, which would protect nothing.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// Iterations of PBKDF2-HMAC-SHA256, as OWASP's Password Storage Cheat Sheet of 2023 says.
/// scrypt would be better, but OpenSSL refuses what it calls too much memory for it.
const ITERATIONS: u32 = 600_000;
const SALT: usize = 16;

/// The text of a key's file.
pub(crate) fn to_pem(
    key: &PrivatePkcs8KeyDer<'_>,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<String>, CaError> {
    let der = key.secret_pkcs8_der();
    let Some(passphrase) = passphrase else {
        return Ok(Zeroizing::new(pki::encode_pem(PLAIN, der)));
    };
    let (mut salt, mut iv) = ([0; SALT], [0; 16]);
    for bytes in [&mut salt, &mut iv] {
        aws_lc_rs::rand::fill(bytes).map_err(|_| CaError::Random)?;
    }
    let failed = |error: &dyn fmt::Display| CaError::Encrypt(error.to_string());
    let parameters =
        pkcs8::pkcs5::pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, iv)
            .map_err(|error| failed(&error))?;
    let info = PrivateKeyInfoRef::try_from(der).map_err(|error| failed(&error))?;
    let encrypted = info
        .encrypt_with_params(parameters, passphrase.as_str())
        .map_err(|error| failed(&error))?;
    Ok(Zeroizing::new(pki::encode_pem(
        ENCRYPTED,
        encrypted.as_bytes(),
    )))
}

/// Reads a key's file.
pub(crate) fn from_pem(
    text: &[u8],
    algorithm: SignatureAlgorithm,
    passphrase: Option<&Passphrase>,
) -> Result<Key, KeyFault> {
    let block = pem::parse(text).map_err(|_| KeyFault::NoKey)?;
    let pkcs8 = match block.tag() {
        PLAIN => Zeroizing::new(block.contents().to_vec()),
        ENCRYPTED => decrypt(&block, passphrase.ok_or(KeyFault::NoPassphrase)?)?,
        _ => return Err(KeyFault::NoKey),
    };
    let pkcs8 = PrivatePkcs8KeyDer::from(pkcs8.as_slice());
    Key::from_pkcs8(algorithm, &pkcs8).map_err(|_| KeyFault::OtherKey)
}

fn decrypt(block: &Pem, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(block.contents());
    let document = encrypted
        .map_err(|_| KeyFault::NoKey)?
        .decrypt(passphrase.as_str())
        .map_err(|_| KeyFault::WrongPassphrase)?;
    Ok(Zeroizing::new(document.as_bytes().to_vec()))
}

/// Why a file gives no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyFault {
    #[error("it holds no private key in PKCS#8")]
    NoKey,
    #[error("it is encrypted: give its passphrase")]
    NoPassphrase,
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    #[error("the key is of another algorithm than its certificate")]
    OtherKey,
    #[error("it is not the key of the authority's certificate")]
    NotItsCertificates,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_keys_open_with_their_passphrase_alone() {
        let algorithm = SignatureAlgorithm::MlDsa44;
        let key = Key::generate(algorithm).unwrap().into_pkcs8();
        let (right, wrong) = (Passphrase::new("right"), Passphrase::new("wrong"));
        let text = to_pem(&key, right.as_ref()).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        let read = from_pem(text.as_bytes(), algorithm, right.as_ref()).unwrap();
        assert_eq!(read.into_pkcs8(), key);
        let fault = |passphrase| from_pem(text.as_bytes(), algorithm, passphrase).err();
        assert_eq!(fault(wrong.as_ref()), Some(KeyFault::WrongPassphrase));
        assert_eq!(fault(None), Some(KeyFault::NoPassphrase));
        let other = from_pem(text.as_bytes(), SignatureAlgorithm::MlDsa65, right.as_ref());
        assert_eq!(other.err(), Some(KeyFault::OtherKey));
        assert_eq!(format!("{right:?}"), "Some(Passphrase)");
        assert!(Passphrase::new("").is_none());
    }
}
