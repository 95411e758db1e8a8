//! Revoking, and the lists that say so.

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use rustls_pki_types::CertificateRevocationListDer;
use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;

use crate::authorities::switch;
use crate::signer::serial_number;
use crate::store::Writing;
use crate::template::BACKDATED;
use crate::{
    Authority, AuthorityState, CaError, Event, Issued, Kind, Revocation, RevocationReason, Store,
};

impl Store {
    /// Revokes a certificate. Clients learn of it from the next list, if they look. An
    /// authority of the store whose certificate is revoked issues no more, and earlier
    /// certificates for its key are revoked with it.
    ///
    /// # Errors
    /// When there is no such certificate, it is revoked already, or a root's.
    pub fn revoke(
        &self,
        serial: &str,
        reason: RevocationReason,
        now: OffsetDateTime,
    ) -> Result<Issued, CaError> {
        self.write(now, |writing| {
            let mut issued = writing.issued(serial)?;
            if let Some(earlier) = &issued.revocation {
                return Err(CaError::AlreadyRevoked {
                    serial: serial.to_owned(),
                    at: earlier.at,
                    reason: earlier.reason.name(),
                });
            }
            let mut earlier = Vec::new();
            if issued.kind == Kind::Authority && is_of_authority(writing, &issued)? {
                earlier = writing.all_issued()?;
                earlier.retain(|other| {
                    let is_same = other.key_sha256 == issued.key_sha256;
                    is_same && other.revocation.is_none() && other.serial != issued.serial
                });
            }
            for one in earlier.iter_mut().chain([&mut issued]) {
                one.revocation = Some(Revocation { at: now, reason });
                writing.put_issued(one)?;
                writing.note(Event::Revoked {
                    authority: one.authority.clone(),
                    serial: one.serial.clone(),
                    reason: reason.name().to_owned(),
                })?;
            }
            Ok(issued)
        })
    }

    /// Signs the revocation list of an authority: what it revoked and has not expired. Lists
    /// count up (RFC 5280 section 5.2.3); a verifier that enforces expiry needs the next one
    /// after `lifetime`.
    ///
    /// # Errors
    /// When the authority has no certificate or an expired one, or `lifetime` is not positive.
    pub fn crl(
        &self,
        authority: &str,
        lifetime: Duration,
        now: OffsetDateTime,
    ) -> Result<CertificateRevocationListDer<'static>, CaError> {
        let lists = self.crls(&[authority.to_owned()], lifetime, now)?;
        lists.into_iter().next().ok_or(CaError::NoAuthority)
    }

    /// The lists of several authorities, all of them or none.
    ///
    /// # Errors
    /// As with [`Store::crl`].
    pub fn crls(
        &self,
        authorities: &[String],
        lifetime: Duration,
        now: OffsetDateTime,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, CaError> {
        let is_possible = lifetime.is_positive() && now.checked_add(lifetime).is_some();
        if !is_possible {
            return Err(CaError::Lifetime(lifetime));
        }
        self.write(now, |writing| {
            let sign = |id: &String| self.sign_list(writing, writing.authority(id)?, lifetime, now);
            authorities.iter().map(sign).collect()
        })
    }

    fn sign_list(
        &self,
        writing: &Writing,
        authority: Authority,
        lifetime: Duration,
        now: OffsetDateTime,
    ) -> Result<CertificateRevocationListDer<'static>, CaError> {
        let mut signer = self.signer_of(writing, authority, now)?;
        let authority = &mut signer.authority;
        let revoked = listed(writing, authority)?;
        let entries = revoked.len();
        // Backdated like certificates, and never before the list before it.
        let this_update = (now - BACKDATED).max(authority.crl_at.unwrap_or(now - BACKDATED));
        authority.crl_number += 1;
        authority.crl_at = Some(this_update);
        let params = CertificateRevocationListParams {
            this_update,
            next_update: now + lifetime,
            crl_number: SerialNumber::from(authority.crl_number),
            issuing_distribution_point: None,
            revoked_certs: revoked,
            key_identifier_method: key_identifier(writing, authority)?,
        };
        let list = params.signed_by(&signer.issuer);
        let list = list.map_err(|error| CaError::Generate {
            what: "revocation list",
            error,
        })?;
        writing.put_authority(authority)?;
        writing.note(Event::CrlSigned {
            authority: authority.id.clone(),
            number: authority.crl_number,
            entries,
        })?;
        Ok(list.der().clone())
    }
}

/// Whether it is the certificate that an authority has now, which issues no more then. One that
/// was renewed may be revoked without its key being lost.
fn is_of_authority(writing: &Writing, issued: &Issued) -> Result<bool, CaError> {
    for mut authority in writing.authorities()? {
        if authority.key_sha256 != issued.key_sha256 {
            continue;
        }
        if !authority.is_subordinate {
            return Err(CaError::RootRevocation(authority.id));
        }
        if authority.fingerprint.as_ref() == Some(&issued.fingerprint) {
            switch(writing, &mut authority, AuthorityState::Revoked)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// What stands on the next list of an authority. A certificate that has ended stays until it
/// has been on a list that was made after its end (RFC 5280 section 3.3).
fn listed(writing: &Writing, authority: &Authority) -> Result<Vec<RevokedCertParams>, CaError> {
    let mut revoked = Vec::new();
    for issued in writing.all_issued()? {
        let was_listed_after_its_end = authority.crl_at.is_some_and(|at| issued.not_after < at);
        if issued.authority != authority.id || was_listed_after_its_end {
            continue;
        }
        if let Some(revocation) = &issued.revocation {
            revoked.push(RevokedCertParams {
                serial_number: serial_number(&issued.serial),
                revocation_time: revocation.at,
                reason_code: revocation.reason.to_rcgen(),
                invalidity_date: None,
            });
        }
    }
    Ok(revoked)
}

/// A list names its signer's key as the signer's certificate does (RFC 5280 section 5.2.1),
/// which for an imported one need not be as it is done here.
fn key_identifier(writing: &Writing, authority: &Authority) -> Result<KeyIdMethod, CaError> {
    let der = writing.certificate(authority.fingerprint.as_deref().unwrap_or_default())?;
    let parsed = X509Certificate::from_der(&der);
    let (_, certificate) =
        parsed.map_err(|error| CaError::damaged(format!("authority {}", authority.id), error))?;
    let mut extensions = certificate.extensions().iter();
    let identifier = extensions.find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
        _ => None,
    });
    Ok(identifier.map_or(KeyIdMethod::Sha256, KeyIdMethod::PreSpecified))
}
