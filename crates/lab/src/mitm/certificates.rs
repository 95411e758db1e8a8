//! Authorities that come and go with a scene, and what they certify.

use pki::{CertifiedKey, Key, Role, blank_params, serial_number};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};
use wire::SignatureAlgorithm;

use super::MitmError;

/// Which keys are in use changes nothing about who is deceived. These are quickly made, and a
/// key of an elliptic curve can be given a wrong public half: see [`with_another_key`].
const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256;

/// Bytes of an uncompressed point of P-256 (SEC 1 section 2.3.3).
const POINT: usize = 65;

/// A self-signed root.
pub(super) struct Authority(CertifiedIssuer<'static, Key>);

impl Authority {
    pub(super) fn new(common_name: &str) -> Result<Self, MitmError> {
        let mut params = blank(common_name)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.use_authority_key_identifier_extension = false;
        let key = Key::generate(ALGORITHM)?;
        Ok(Self(CertifiedIssuer::self_signed(params, key)?))
    }

    pub(super) fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A certificate for a name, and its key.
    pub(super) fn issue(&self, name: &str, role: Role) -> Result<CertifiedKey, MitmError> {
        let key = Key::generate(ALGORITHM)?;
        let certificate = end_entity(name, role)?.signed_by(&key, &self.0)?;
        Ok(CertifiedKey::new(
            vec![certificate.into()],
            key.into_pkcs8().into(),
        ))
    }
}

/// A server's certificate that nobody but its own key has signed.
pub(super) fn self_signed(name: &str) -> Result<CertifiedKey, MitmError> {
    let key = Key::generate(ALGORITHM)?;
    let certificate = end_entity(name, Role::Server)?.self_signed(&key)?;
    Ok(CertifiedKey::new(
        vec![certificate.into()],
        key.into_pkcs8().into(),
    ))
}

/// Somebody else's chain with a new key, in whose file stands the public key of the chain:
/// OpenSSL compares just that with the certificate (`X509_check_private_key(3)`), and then
/// signs with the other secret.
pub(super) fn with_another_key(
    chain: &[CertificateDer<'static>],
) -> Result<CertifiedKey, MitmError> {
    let key = Key::generate(ALGORITHM)?;
    let own_point = key.der_bytes();
    // RFC 5915 section 3: the public key is the last field.
    let pkcs8 = key.pkcs8().secret_pkcs8_der();
    let secret = pkcs8.strip_suffix(own_point);
    let spki = chain
        .first()
        .and_then(|leaf| pki::subject_public_key_info(leaf));
    // RFC 5480 section 2: so is the point in a SubjectPublicKeyInfo.
    let stolen_point = spki.as_deref().and_then(|spki| spki.last_chunk::<POINT>());
    match (secret, stolen_point) {
        (Some(secret), Some(point)) if own_point.len() == POINT => {
            let key = PrivatePkcs8KeyDer::from([secret, point].concat());
            Ok(CertifiedKey::new(chain.to_vec(), key.into()))
        }
        _ => Err(MitmError::OtherKey),
    }
}

fn end_entity(name: &str, role: Role) -> Result<CertificateParams, MitmError> {
    let mut params = blank(name)?;
    params.subject_alt_names = vec![SanType::DnsName(name.try_into()?)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match role {
        Role::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Role::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    Ok(params)
}

fn blank(common_name: &str) -> Result<CertificateParams, MitmError> {
    let now = OffsetDateTime::now_utc();
    let day = Duration::days(1);
    let mut params = blank_params(serial_number()?, now - day, now + day);
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    Ok(params)
}
