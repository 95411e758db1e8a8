//! Certificates and keys that rcgen and aws-lc-rs refuse to make.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use rcgen::{PublicKeyData, SerialNumber, SigningKey};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::case::CaseError;

/// An RSA key of any size, which signs with SHA-256 as rcgen asks, or with SHA-1.
pub(super) struct RsaKey {
    key: PKey<Private>,
    public: Vec<u8>,
}

impl RsaKey {
    pub(super) fn generate(bits: u32) -> Result<Self, ErrorStack> {
        let key = Rsa::generate(bits)?;
        Ok(Self {
            public: key.public_key_to_der_pkcs1()?,
            key: PKey::from_rsa(key)?,
        })
    }

    fn sign_with(&self, digest: MessageDigest, message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        Signer::new(digest, &self.key)?.sign_oneshot_to_vec(message)
    }
}

impl PublicKeyData for RsaKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl SigningKey for RsaKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.sign_with(MessageDigest::sha256(), message)
            .map_err(|_| rcgen::Error::RingUnspecified)
    }
}

/// sha256WithRSAEncryption (RFC 4055 section 5) in DER.
const RSA_WITH_SHA256: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
/// sha1WithRSAEncryption (RFC 3279 section 2.2.1) in DER, of the same length.
const RSA_WITH_SHA1: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5];

/// The same certificate, signed anew with SHA-1 by the key that signed it with SHA-256.
pub(super) fn signed_with_sha1(
    certificate: &CertificateDer<'_>,
    issuer: &RsaKey,
) -> Result<CertificateDer<'static>, CaseError> {
    let what = "certificate signed with SHA-256";
    let mut der = replaced(certificate, RSA_WITH_SHA256, RSA_WITH_SHA1, what)?;
    let Ok((_, parsed)) = X509Certificate::from_der(&der) else {
        return Err(CaseError::Forge(what));
    };
    let message = parsed.tbs_certificate.as_ref();
    let signature = issuer.sign_with(MessageDigest::sha1(), message)?;
    // The signature comes last, and has the length of the modulus whatever the digest.
    let Some(at) = der.len().checked_sub(signature.len()) else {
        return Err(CaseError::Forge(what));
    };
    der[at..].copy_from_slice(&signature);
    Ok(der.into())
}

/// A certificate issued for one name and changed to another of the same length.
pub(super) fn renamed(
    certificate: &CertificateDer<'_>,
    from: &str,
    to: &str,
) -> Result<CertificateDer<'static>, CaseError> {
    let der = replaced(certificate, from.as_bytes(), to.as_bytes(), "certificate")?;
    Ok(der.into())
}

/// A revocation list changed to another serial number of the same length.
pub(super) fn with_serial(
    list: &CertificateRevocationListDer<'_>,
    from: &SerialNumber,
    to: &SerialNumber,
) -> Result<CertificateRevocationListDer<'static>, CaseError> {
    let (from, to) = (from.to_bytes(), to.to_bytes());
    Ok(replaced(list, &from, &to, "revocation list")?.into())
}

/// Replaces every occurrence by bytes of the same length, so that no length in the DER
/// changes.
fn replaced(der: &[u8], from: &[u8], to: &[u8], what: &'static str) -> Result<Vec<u8>, CaseError> {
    let mut forged = der.to_vec();
    let mut at = 0;
    let mut is_found = false;
    while from.len() == to.len() && at + from.len() <= forged.len() {
        if forged[at..].starts_with(from) {
            forged[at..at + to.len()].copy_from_slice(to);
            is_found = true;
        }
        at += 1;
    }
    is_found.then_some(forged).ok_or(CaseError::Forge(what))
}
