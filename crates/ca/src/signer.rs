//! Authorities that sign: who may, for how long, and for whom.

use pki::{Certificate, Key};
use rcgen::{Issuer, PublicKeyData};
use time::{Duration, OffsetDateTime};
use wire::SignatureAlgorithm;

use crate::key::KeyFault;
use crate::log::sha256;
use crate::store::Writing;
use crate::template::Validity;
use crate::{Authority, AuthorityState, CaError, Name, Store};

/// An authority with its key.
pub(crate) struct Signer {
    pub(crate) authority: Authority,
    pub(crate) issuer: Issuer<'static, Key>,
    validity: Validity,
}

impl Store {
    /// An authority that may sign certificates now, with its key.
    pub(crate) fn signer(
        &self,
        writing: &Writing,
        id: &str,
        now: OffsetDateTime,
    ) -> Result<Signer, CaError> {
        let authority = writing.authority(id)?;
        let hint = match authority.state {
            AuthorityState::Active => return self.signer_of(writing, authority, now),
            AuthorityState::PendingCertificate => "import its certificate first",
            AuthorityState::Disabled => "it was told to issue no more",
            AuthorityState::Revoked => "its certificate was revoked",
        };
        Err(CaError::AuthorityState {
            id: id.to_owned(),
            state: authority.state.label(),
            hint,
        })
    }

    /// The same whatever its state: for revocation lists.
    pub(crate) fn signer_of(
        &self,
        writing: &Writing,
        authority: Authority,
        now: OffsetDateTime,
    ) -> Result<Signer, CaError> {
        let Some(fingerprint) = authority.fingerprint.as_deref() else {
            return Err(CaError::AuthorityState {
                id: authority.id,
                state: authority.state.label(),
                hint: "import its certificate first",
            });
        };
        let der = writing.certificate(fingerprint)?;
        let parsed = Certificate::from_der(&der)
            .map_err(|error| CaError::damaged(format!("authority {}", authority.id), error))?;
        if now > parsed.not_after {
            return Err(CaError::AuthorityExpired {
                id: authority.id,
                until: parsed.not_after,
            });
        }
        if now < parsed.not_before {
            return Err(CaError::AuthorityNotYetValid {
                id: authority.id,
                from: parsed.not_before,
                now,
            });
        }
        let key = self.key(&authority.key, authority.algorithm)?;
        if sha256(&key.subject_public_key_info()) != authority.key_sha256 {
            let path = self.key_path(&authority.key);
            return Err(CaError::key(path, KeyFault::NotItsCertificates));
        }
        let issuer = Issuer::from_ca_cert_der(&der, key).map_err(|error| CaError::Generate {
            what: "issuer",
            error,
        })?;
        Ok(Signer {
            validity: Validity {
                from: parsed.not_before,
                until: parsed.not_after,
            },
            authority,
            issuer,
        })
    }
}

/// From when until when, within the signer's own time.
pub(crate) fn validity(
    now: OffsetDateTime,
    lifetime: Duration,
    signer: Option<&Signer>,
) -> Result<Validity, CaError> {
    let validity = Validity::new(now, lifetime, signer.map(|signer| signer.validity));
    match validity {
        Some(validity) if lifetime.is_positive() && validity.until > now => Ok(validity),
        _ => Err(CaError::Lifetime(lifetime)),
    }
}

/// 134 random bits, as upper-case hexadecimal digits.
pub(crate) fn serial() -> Result<String, CaError> {
    let number = pki::serial_number().map_err(|_| CaError::Random)?;
    let bytes = number.as_ref().iter();
    Ok(bytes.map(|b| format!("{b:02X}")).collect())
}

pub(crate) fn serial_number(serial: &str) -> rcgen::SerialNumber {
    let digits = serial.as_bytes().chunks(2);
    let bytes: Vec<u8> = digits
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    rcgen::SerialNumber::from_slice(&bytes)
}

/// The authority that is asked for, or the one that fits: it issues to end entities, and is
/// post-quantum if the key is, so that a chain does not break at its weakest link.
pub(crate) fn choose(
    writing: &Writing,
    wanted: Option<&str>,
    algorithm: SignatureAlgorithm,
) -> Result<Authority, CaError> {
    if let Some(id) = wanted {
        return writing.authority(id);
    }
    let all = writing.authorities()?;
    let is_above = |id: &str| all.iter().any(|other| other.issuer.as_deref() == Some(id));
    let active = all
        .iter()
        .filter(|a| a.state == AuthorityState::Active && !is_above(&a.id));
    // One that is to have others below it issues to end entities only where there is no
    // better one, and a root whose limit speaks of others below it not at all.
    let tiers: [fn(&Authority) -> bool; 3] = [
        |a| a.path_length == Some(0),
        |a| a.is_subordinate,
        |a| a.path_length.is_none(),
    ];
    let mut fit: Vec<&Authority> = Vec::new();
    for tier in tiers {
        if fit.is_empty() {
            fit = active.clone().filter(|a| tier(a)).collect();
        }
    }
    let is_as_strong =
        |a: &&&Authority| a.algorithm.facts().post_quantum == algorithm.facts().post_quantum;
    let is_same = |a: &&&Authority| a.algorithm == algorithm;
    let strong: Vec<&Authority> = fit.iter().filter(is_as_strong).copied().collect();
    let same: Vec<&Authority> = fit.iter().filter(is_same).copied().collect();
    for narrow in [strong, same] {
        if fit.len() > 1 && !narrow.is_empty() {
            fit = narrow;
        }
    }
    match fit.as_slice() {
        [] => Err(CaError::NoAuthority),
        [one] => Ok((*one).clone()),
        several => Err(CaError::WhichAuthority {
            ids: several
                .iter()
                .map(|a| a.id.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

/// Limits hold all the way up (RFC 5280 section 6.1.3).
pub(crate) fn check_permitted<'n>(
    writing: &Writing,
    authority: &Authority,
    names: impl Iterator<Item = &'n Name> + Clone,
) -> Result<(), CaError> {
    let mut authority = authority.clone();
    loop {
        let permitted = &authority.permitted_dns;
        let is_outside = |name: &&Name| {
            !permitted.is_empty() && !permitted.iter().any(|subtree| name.is_within(subtree))
        };
        if let Some(name) = names.clone().find(is_outside) {
            return Err(CaError::NotPermitted {
                id: authority.id.clone(),
                name: name.to_string(),
                permitted: permitted.join(", "),
            });
        }
        match &authority.issuer {
            Some(issuer) => authority = writing.authority(issuer)?,
            None => return Ok(()),
        }
    }
}

/// How many authorities may stand below this one, by its own limit and those above it (RFC
/// 5280 section 6.1.4 (l, m)); any number, if `None`.
pub(crate) fn levels_below(
    writing: &Writing,
    authority: &Authority,
) -> Result<Option<u8>, CaError> {
    let above = match &authority.issuer {
        Some(issuer) => levels_below(writing, &writing.authority(issuer)?)?,
        None => None,
    };
    let left = above.map(|levels| levels.saturating_sub(1));
    Ok(match (authority.path_length, left) {
        (Some(own), Some(left)) => Some(own.min(left)),
        (own, left) => own.or(left),
    })
}
