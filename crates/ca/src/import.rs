//! Certificates of authorities that somebody else signed.

use pki::Certificate;
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::store::Writing;
use crate::{Authority, AuthorityState, CaError, Event, Store};

impl Store {
    /// Gives an authority the certificate that somebody signed for its key, with those above
    /// it up to the root, if they are not of this store: it is active then, and has the limits
    /// that the certificate says. One that has a certificate gets the new one in its place.
    ///
    /// # Errors
    /// When the certificate is not for its key and name, is no authority's, is over, or the
    /// chain does not hold.
    pub fn import_authority_certificate(
        &self,
        id: &str,
        certificate: &CertificateDer<'static>,
        chain: &[CertificateDer<'static>],
        now: OffsetDateTime,
    ) -> Result<Authority, CaError> {
        self.write(now, |writing| {
            let mut authority = writing.authority(id)?;
            let refused = |why: String| CaError::Import {
                id: id.to_owned(),
                why,
            };
            let limits = read(certificate).map_err(refused)?;
            check(&authority, certificate, &limits, now).map_err(refused)?;
            let is_self_signed = pki::is_signed_by(certificate, certificate);
            if is_self_signed == authority.is_subordinate {
                let why = match is_self_signed {
                    true => "it is self-signed, and the authority no root",
                    false => "it is not self-signed, and the authority a root",
                };
                return Err(refused(why.to_owned()));
            }
            authority.path_length = limits.path_length;
            authority.permitted_dns = limits.permitted_dns;
            authority.outside_chain.clear();
            authority.outside_root = None;
            if !is_self_signed {
                let top = check_chain(certificate, chain).map_err(refused)?;
                authority.issuer = issuer_in_store(writing, top)?;
                let is_root = |der: &CertificateDer<'_>| pki::is_signed_by(der, der);
                if authority.issuer.is_none() && !chain.last().is_some_and(is_root) {
                    let why = "the chain does not reach a root: give the certificates above it, \
                               the root at last";
                    return Err(refused(why.to_owned()));
                }
                for above in chain {
                    let fingerprint = writing.put_certificate(above)?;
                    match is_root(above) {
                        true => authority.outside_root = Some(fingerprint),
                        false => authority.outside_chain.push(fingerprint),
                    }
                }
            }
            let fingerprint = writing.put_certificate(certificate)?;
            authority.fingerprint = Some(fingerprint.clone());
            authority.state = AuthorityState::Active;
            writing.put_authority(&authority)?;
            writing.note(Event::AuthorityCertified {
                authority: id.to_owned(),
                fingerprint,
            })?;
            Ok(authority)
        })
    }
}

/// What a certificate lets its authority do.
struct Limits {
    path_length: Option<u8>,
    permitted_dns: Vec<String>,
    signs: bool,
    parsed: Certificate,
}

fn read(der: &CertificateDer<'_>) -> Result<Limits, String> {
    let parsed = Certificate::from_der(der).map_err(|error| error.to_string())?;
    let (_, raw) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
    let constraints = raw.basic_constraints().map_err(|error| error.to_string())?;
    let length = constraints.and_then(|c| c.value.path_len_constraint);
    let usage = raw.key_usage().map_err(|error| error.to_string())?;
    let signs = usage.is_none_or(|usage| usage.value.key_cert_sign() && usage.value.crl_sign());
    let names = raw.name_constraints().map_err(|error| error.to_string())?;
    let permitted = names.and_then(|names| names.value.permitted_subtrees.as_ref());
    let permitted_dns = permitted
        .into_iter()
        .flatten()
        .filter_map(|tree| match tree.base {
            GeneralName::DNSName(name) => Some(name.trim_start_matches('.').to_ascii_lowercase()),
            _ => None,
        });
    Ok(Limits {
        path_length: length.map(|length| u8::try_from(length).unwrap_or(u8::MAX)),
        permitted_dns: permitted_dns.collect(),
        signs,
        parsed,
    })
}

fn check(
    authority: &Authority,
    der: &CertificateDer<'_>,
    limits: &Limits,
    now: OffsetDateTime,
) -> Result<(), String> {
    let parsed = &limits.parsed;
    let key = pki::subject_public_key_info(der).map(|key| crate::log::sha256(&key));
    if key.as_ref() != Some(&authority.key_sha256) {
        return Err("it is for another key".to_owned());
    }
    if !parsed.is_authority {
        return Err("it is no authority's (basicConstraints)".to_owned());
    }
    if !limits.signs {
        return Err("it may not sign certificates and revocation lists (keyUsage)".to_owned());
    }
    if parsed.subject != authority.subject.to_string() {
        let (found, wanted) = (&parsed.subject, &authority.subject);
        return Err(format!("it is for {found}, and not for {wanted}"));
    }
    if parsed.not_after < now {
        return Err(format!("it ended at {}", parsed.not_after));
    }
    Ok(())
}

/// Whether each certificate of a chain is an authority's and signed the one below it. Gives
/// the uppermost that is not a root.
fn check_chain<'c>(
    certificate: &'c CertificateDer<'static>,
    chain: &'c [CertificateDer<'static>],
) -> Result<&'c CertificateDer<'static>, String> {
    let mut below = certificate;
    for (at, above) in chain.iter().enumerate() {
        let (lower, upper) = (read(below)?.parsed, read(above)?.parsed);
        let is_named = lower.issuer == upper.subject;
        if !is_named || !upper.is_authority || !pki::is_signed_by(below, above) {
            let at = at + 1;
            return Err(format!(
                "certificate {at} of the chain did not sign the one below it"
            ));
        }
        if pki::is_signed_by(above, above) {
            return Ok(below);
        }
        below = above;
    }
    Ok(below)
}

/// The authority of the store whose subject is the issuer and whose key made the signature.
fn issuer_in_store(
    writing: &Writing,
    certificate: &CertificateDer<'_>,
) -> Result<Option<String>, CaError> {
    let Ok(parsed) = Certificate::from_der(certificate) else {
        return Ok(None);
    };
    for authority in writing.authorities()? {
        let Some(fingerprint) = &authority.fingerprint else {
            continue;
        };
        let above = writing.certificate(fingerprint)?;
        let is_named = Certificate::from_der(&above).is_ok_and(|a| a.subject == parsed.issuer);
        if is_named && pki::is_signed_by(certificate, &above) {
            return Ok(Some(authority.id));
        }
    }
    Ok(None)
}
