//! Revoking, and the lists that say so.

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use rustls_pki_types::CertificateRevocationListDer;
use time::{Duration, OffsetDateTime};

use crate::{CaError, Event, Issued, Revocation, RevocationReason, Store};

impl Store {
    /// Revokes a certificate. Clients learn of it from the next list, if they look.
    ///
    /// # Errors
    /// When there is no such certificate, or it is revoked already.
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
            issued.revocation = Some(Revocation { at: now, reason });
            writing.put_issued(&issued)?;
            writing.note(Event::Revoked {
                authority: issued.authority.clone(),
                serial: serial.to_owned(),
                reason: reason.name().to_owned(),
            })?;
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
        if !lifetime.is_positive() {
            return Err(CaError::Lifetime(lifetime));
        }
        self.write(now, |writing| {
            let found = writing.authority(authority)?;
            let mut signer = self.signer_of(writing, found, now)?;
            let number = signer.authority.crl_number + 1;
            let mut revoked = Vec::new();
            for issued in writing.all_issued()? {
                if issued.authority != authority || issued.not_after < now {
                    continue;
                }
                if let Some(revocation) = &issued.revocation {
                    revoked.push(RevokedCertParams {
                        serial_number: crate::issue::serial_number(&issued.serial),
                        revocation_time: revocation.at,
                        reason_code: revocation.reason.to_rcgen(),
                        invalidity_date: None,
                    });
                }
            }
            let entries = revoked.len();
            let params = CertificateRevocationListParams {
                this_update: now,
                next_update: now + lifetime,
                crl_number: SerialNumber::from(number),
                issuing_distribution_point: None,
                revoked_certs: revoked,
                key_identifier_method: KeyIdMethod::Sha256,
            };
            let list = params
                .signed_by(&signer.issuer)
                .map_err(|error| CaError::Generate {
                    what: "revocation list",
                    error,
                })?;
            signer.authority.crl_number = number;
            writing.put_authority(&signer.authority)?;
            writing.note(Event::CrlSigned {
                authority: authority.to_owned(),
                number,
                entries,
            })?;
            Ok(list.der().clone())
        })
    }
}
