//! Issuing to end entities.

use pki::{Key, Role};
use rcgen::PublicKeyData;
use time::{Duration, OffsetDateTime};
use wire::SignatureAlgorithm;

use crate::log::sha256;
use crate::signer::{check_permitted, choose, serial, serial_number, validity};
use crate::store::Writing;
use crate::template::{self, LEAF_LIFETIME};
use crate::{CaError, Issued, Name, Request, RevocationReason, Store, Subject};

/// A certificate to be issued for a key that the store makes.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who is to issue it; `None` for the one authority that fits.
    pub authority: Option<String>,
    /// The side of TLS.
    pub role: Role,
    /// The key.
    pub algorithm: SignatureAlgorithm,
    /// Whom it speaks for; at least one.
    pub names: Vec<Name>,
    /// Its subject; `None` for the first name as common name.
    pub subject: Option<Subject>,
    /// How long, never beyond its issuer; `None` for 90 days.
    pub lifetime: Option<Duration>,
    /// Whether its key is encrypted with the store's passphrase.
    pub encrypts_key: bool,
}

/// A certificate to be issued for a request.
#[derive(Debug, Clone)]
pub struct SignOrder {
    /// Who is to issue it; `None` for the one authority that fits.
    pub authority: Option<String>,
    /// The side of TLS.
    pub role: Role,
    /// Whom it speaks for, in the place of what the request says; `None` for that.
    pub names: Option<Vec<Name>>,
    /// Its subject; `None` for the first name as common name. That of the request is not
    /// taken over: it proves nothing.
    pub subject: Option<Subject>,
    /// How long, never beyond its issuer; `None` for 90 days.
    pub lifetime: Option<Duration>,
}

impl Store {
    /// Issues a certificate for a new key.
    ///
    /// # Errors
    /// When no authority can, or a name is outside of its limits.
    pub fn issue(&self, order: &Order, now: OffsetDateTime) -> Result<Issued, CaError> {
        let mut issued = self.issue_all(std::slice::from_ref(order), &[], now)?;
        issued.pop().ok_or(CaError::NoNames)
    }

    /// Issues certificates of two algorithms for the same names: a client that knows ML-DSA
    /// is shown the one, an old client the other.
    ///
    /// # Errors
    /// As with [`Store::issue`]; then neither is issued.
    pub fn issue_pair(
        &self,
        orders: &[Order; 2],
        now: OffsetDateTime,
    ) -> Result<[Issued; 2], CaError> {
        let issued = self.issue_all(orders, &[], now)?;
        issued.try_into().map_err(|_| CaError::NoNames)
    }

    /// Issues a certificate of the same kind, names and algorithm with a new key, by the same
    /// authority; it becomes the twin of the old one's twin. The old one stays valid: revoke
    /// it once nobody shows it any more.
    ///
    /// # Errors
    /// As with [`Store::issue`]; when the old one was for a request from outside, since its
    /// key is not here, is revoked, or has been renewed.
    pub fn renew(
        &self,
        serial: &str,
        lifetime: Option<Duration>,
        now: OffsetDateTime,
    ) -> Result<Issued, CaError> {
        let old = self.find(serial, now)?;
        let order = again(&old, lifetime)?;
        let mut issued = self.issue_all(&[order], &[old], now)?;
        issued.pop().ok_or(CaError::NoNames)
    }

    /// [`Store::renew`] for the two of a pair; the new ones are a pair as well.
    ///
    /// # Errors
    /// As there; then neither is renewed.
    pub fn renew_pair(
        &self,
        serials: [&str; 2],
        lifetime: Option<Duration>,
        now: OffsetDateTime,
    ) -> Result<[Issued; 2], CaError> {
        let [first, second] = serials.map(|serial| self.find(serial, now));
        let old = [first?, second?];
        let orders = [again(&old[0], lifetime)?, again(&old[1], lifetime)?];
        let issued = self.issue_all(&orders, &old, now)?;
        issued.try_into().map_err(|_| CaError::NoNames)
    }

    /// `renews` are the certificates whose places the new ones take; none, or one for each.
    fn issue_all(
        &self,
        orders: &[Order],
        renews: &[Issued],
        now: OffsetDateTime,
    ) -> Result<Vec<Issued>, CaError> {
        let mut prepared = Vec::new();
        for order in orders {
            if order.names.is_empty() {
                return Err(CaError::NoNames);
            }
            let key = Key::generate(order.algorithm);
            let key = key.map_err(|error| CaError::Generate { what: "key", error })?;
            prepared.push((order, serial()?, key));
        }
        let written = prepared
            .iter()
            .try_for_each(|(order, serial, key)| self.write_key(serial, key, order.encrypts_key));
        let done = written.and_then(|()| {
            self.write(now, |writing| {
                self.sign_all(writing, &prepared, renews, now)
            })
        });
        if done.is_err() {
            for (_, serial, _) in &prepared {
                self.forget_key(serial);
            }
        }
        done
    }

    fn sign_all(
        &self,
        writing: &Writing,
        prepared: &[(&Order, String, Key)],
        renews: &[Issued],
        now: OffsetDateTime,
    ) -> Result<Vec<Issued>, CaError> {
        let mut all = Vec::new();
        for (at, (order, serial, key)) in prepared.iter().enumerate() {
            let signing = Signing {
                serial,
                authority: order.authority.as_deref(),
                role: order.role,
                algorithm: order.algorithm,
                names: &order.names,
                subject: order.subject.as_ref(),
                lifetime: order.lifetime,
                is_of_pair: prepared.len() == 2 && order.authority.is_none(),
            };
            let mut issued = self.sign_leaf(writing, &signing, key, now)?;
            issued.has_key = true;
            issued.is_key_encrypted = order.encrypts_key;
            if let Some(old) = renews.get(at) {
                succeed(writing, &old.serial, &mut issued)?;
            }
            if prepared.len() == 2 {
                issued.twin = Some(prepared[1 - at].1.clone());
            } else if let Some(old) = renews.first() {
                take_twin(writing, &old.serial, &mut issued)?;
            }
            writing.record(&issued)?;
            all.push(issued);
        }
        Ok(all)
    }

    /// Issues a certificate for the key of a request.
    ///
    /// # Errors
    /// When no authority can, a name is outside of its limits, there is no name, or the key
    /// is one that was compromised, or an authority's.
    pub fn sign(
        &self,
        request: &Request,
        order: &SignOrder,
        now: OffsetDateTime,
    ) -> Result<Issued, CaError> {
        let names = order.names.as_ref().unwrap_or(&request.names);
        if names.is_empty() {
            return Err(CaError::NoNames);
        }
        let serial = serial()?;
        self.write(now, |writing| {
            check_key(writing, &sha256(&request.key.subject_public_key_info()))?;
            let signing = Signing {
                serial: &serial,
                authority: order.authority.as_deref(),
                role: order.role,
                algorithm: request.algorithm(),
                names,
                subject: order.subject.as_ref(),
                lifetime: order.lifetime,
                is_of_pair: false,
            };
            let issued = self.sign_leaf(writing, &signing, &request.key, now)?;
            writing.record(&issued)?;
            Ok(issued)
        })
    }

    fn sign_leaf(
        &self,
        writing: &Writing,
        signing: &Signing<'_>,
        key: &impl PublicKeyData,
        now: OffsetDateTime,
    ) -> Result<Issued, CaError> {
        let authority = choose(writing, signing.authority, signing.algorithm)?;
        let is_strong = |algorithm: SignatureAlgorithm| algorithm.facts().post_quantum;
        if signing.is_of_pair && is_strong(authority.algorithm) != is_strong(signing.algorithm) {
            return Err(CaError::NoFamily {
                algorithm: signing.algorithm,
            });
        }
        let signer = self.signer(writing, &authority.id, now)?;
        let own = Subject::of_name(&signing.names[0]);
        let subject = signing.subject.unwrap_or(&own);
        // OpenSSL takes a common name for a host where there is no other.
        let common_name: Option<Name> = subject.common_name().and_then(|name| name.parse().ok());
        let names = signing.names.iter().chain(common_name.as_ref());
        let is_host = |name: &&Name| signing.names.contains(name) || name.looks_like_a_host();
        check_permitted(writing, &signer.authority, names.filter(is_host))?;
        let lifetime = signing.lifetime.unwrap_or(LEAF_LIFETIME);
        let validity = validity(now, lifetime, Some(&signer))?;
        let failed = |error| CaError::Generate {
            what: "certificate",
            error,
        };
        let params = template::end_entity(
            signing.role,
            signing.algorithm,
            subject,
            signing.names,
            signer.authority.crl_url.as_deref(),
            serial_number(signing.serial),
            validity,
        );
        let params = params.map_err(failed)?;
        let der = params.signed_by(key, &signer.issuer).map_err(failed)?;
        Ok(Issued {
            serial: signing.serial.to_owned(),
            authority: signer.authority.id,
            kind: signing.role.into(),
            algorithm: signing.algorithm,
            subject: subject.clone(),
            names: signing.names.to_vec(),
            not_before: validity.from,
            not_after: validity.until,
            issued_at: now,
            fingerprint: writing.put_certificate(der.der())?,
            key_sha256: sha256(&key.subject_public_key_info()),
            has_key: false,
            is_key_encrypted: false,
            twin: None,
            renews: None,
            revocation: None,
        })
    }
}

/// What distinguishes one certificate from another.
struct Signing<'a> {
    serial: &'a str,
    authority: Option<&'a str>,
    role: Role,
    algorithm: SignatureAlgorithm,
    names: &'a [Name],
    subject: Option<&'a Subject>,
    lifetime: Option<Duration>,
    /// Whether it must come from an authority of its own kind.
    is_of_pair: bool,
}

/// Puts a new certificate in the place of an old one.
fn succeed(writing: &Writing, old: &str, new: &mut Issued) -> Result<(), CaError> {
    let old = writing.issued(old)?;
    if let Some(revocation) = &old.revocation {
        return Err(CaError::AlreadyRevoked {
            serial: old.serial,
            at: revocation.at,
            reason: revocation.reason.name(),
        });
    }
    let all = writing.all_issued()?;
    if let Some(other) = all.iter().find(|i| i.renews.as_ref() == Some(&old.serial)) {
        return Err(CaError::AlreadyRenewed {
            serial: old.serial,
            by: other.serial.clone(),
        });
    }
    new.renews = Some(old.serial);
    Ok(())
}

/// Makes the twin of an old certificate that of a new one.
fn take_twin(writing: &Writing, old: &str, new: &mut Issued) -> Result<(), CaError> {
    new.twin = writing.issued(old)?.twin;
    if let Some(twin) = &new.twin {
        let mut twin = writing.issued(twin)?;
        twin.twin = Some(new.serial.clone());
        writing.put_issued(&twin)?;
    }
    Ok(())
}

/// The order of a certificate like an old one.
fn again(old: &Issued, lifetime: Option<Duration>) -> Result<Order, CaError> {
    let Some(role) = old.kind.role().filter(|_| old.has_key) else {
        return Err(CaError::NoKey(old.serial.clone()));
    };
    Ok(Order {
        authority: Some(old.authority.clone()),
        role,
        algorithm: old.algorithm,
        names: old.names.clone(),
        subject: Some(old.subject.clone()),
        lifetime: lifetime.or(Some(old.not_after - old.issued_at)),
        encrypts_key: old.is_key_encrypted,
    })
}

/// A key that somebody else has must not be certified again, and an authority's own is for
/// nothing else.
fn check_key(writing: &Writing, key_sha256: &str) -> Result<(), CaError> {
    let is_authority = writing
        .authorities()?
        .iter()
        .any(|a| a.key_sha256 == key_sha256);
    let is_compromised = writing.all_issued()?.iter().any(|issued| {
        let reason = issued
            .revocation
            .as_ref()
            .map(|revocation| revocation.reason);
        issued.key_sha256 == key_sha256 && reason == Some(RevocationReason::KeyCompromise)
    });
    match (is_authority, is_compromised) {
        (true, _) => Err(CaError::RefusedKey("it is the key of an authority")),
        (_, true) => Err(CaError::RefusedKey("it was revoked as compromised")),
        _ => Ok(()),
    }
}
