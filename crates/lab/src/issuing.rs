//! Certificates as most experiments want them, and a chain without its key.

use pki::{CertifiedKey, Key, Role, blank_params, serial_number};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;
use wire::SignatureAlgorithm;

/// When a certificate is good: from, until.
pub(crate) type Validity = [OffsetDateTime; 2];

/// A subject without extensions.
pub(crate) fn blank(
    common_name: &str,
    [from, until]: Validity,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = blank_params(serial_number()?, from, until);
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    Ok(params)
}

/// A server or a client of this name, without fault.
pub(crate) fn end_entity(
    name: &str,
    role: Role,
    validity: Validity,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = blank(name, validity)?;
    params.subject_alt_names = vec![SanType::DnsName(name.try_into()?)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match role {
        Role::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Role::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    Ok(params)
}

/// Somebody else's chain with a new key, in whose file stands the public key of the chain:
/// OpenSSL compares just that with the certificate (`X509_check_private_key(3)`), and then
/// signs with the other secret. `None` where the end entity's key is not of P-256.
pub(crate) fn with_another_key(
    chain: &[CertificateDer<'static>],
) -> Result<Option<CertifiedKey>, rcgen::Error> {
    let key = Key::generate(SignatureAlgorithm::EcdsaP256)?;
    let own_point = key.der_bytes();
    // RFC 5915 section 3: the public key is the last field of a private key's file.
    let pkcs8 = key.pkcs8().secret_pkcs8_der();
    let secret = pkcs8.strip_suffix(own_point);
    // RFC 5480 section 2: of a SubjectPublicKeyInfo as well, after curve and lengths.
    let own_spki = key.subject_public_key_info();
    let curve = own_spki.strip_suffix(own_point);
    let leaf = chain.first();
    let spki = leaf.and_then(|leaf| pki::subject_public_key_info(leaf));
    let stolen_point = match (&spki, curve) {
        (Some(spki), Some(curve)) => spki.strip_prefix(curve),
        _ => None,
    };
    Ok(match (secret, stolen_point) {
        (Some(secret), Some(point)) if own_point.len() == point.len() => {
            let key = PrivatePkcs8KeyDer::from([secret, point].concat());
            Some(CertifiedKey::new(chain.to_vec(), key.into()))
        }
        _ => None,
    })
}
