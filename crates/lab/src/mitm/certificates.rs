//! Authorities that come and go with a scene, and what they certify.

use pki::{CertifiedKey, Key, Role};
use rcgen::{BasicConstraints, CertifiedIssuer, IsCa, KeyUsagePurpose};
use rustls_pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};
use wire::SignatureAlgorithm;

use super::MitmError;
use crate::issuing::{self, Validity};

/// Which keys are in use changes nothing about who is deceived. These are quickly made, and a
/// key of an elliptic curve can be given a wrong public half: see [`with_another_key`].
const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256;

/// A self-signed root.
pub(super) struct Authority(CertifiedIssuer<'static, Key>);

impl Authority {
    pub(super) fn new(common_name: &str) -> Result<Self, MitmError> {
        let mut params = issuing::blank(common_name, validity())?;
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
        let certificate = issuing::end_entity(name, role, validity())?.signed_by(&key, &self.0)?;
        Ok(CertifiedKey::new(
            vec![certificate.into()],
            key.into_pkcs8().into(),
        ))
    }
}

/// A server's certificate that nobody but its own key has signed.
pub(super) fn self_signed(name: &str) -> Result<CertifiedKey, MitmError> {
    let key = Key::generate(ALGORITHM)?;
    let certificate = issuing::end_entity(name, Role::Server, validity())?.self_signed(&key)?;
    Ok(CertifiedKey::new(
        vec![certificate.into()],
        key.into_pkcs8().into(),
    ))
}

/// Somebody else's chain, and a key of the attacker's: see [`issuing::with_another_key`].
pub(super) fn with_another_key(
    chain: &[CertificateDer<'static>],
) -> Result<CertifiedKey, MitmError> {
    issuing::with_another_key(chain)?.ok_or(MitmError::OtherKey)
}

/// As long as any scene takes, and clocks differ.
fn validity() -> Validity {
    let now = OffsetDateTime::now_utc();
    let day = Duration::days(1);
    [now - day, now + day]
}
