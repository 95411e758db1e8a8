//! Making authorities, and what becomes of them.

use pki::{Key, PublicKey};
use rcgen::PublicKeyData;
use rustls_pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};
use wire::SignatureAlgorithm;

use crate::key::KeyFault;
use crate::log::sha256;
use crate::request::request_pem;
use crate::signer::{Signer, levels_below, serial, serial_number, validity};
use crate::store::Writing;
use crate::template::{self, INTERMEDIATE_LIFETIME, ROOT_LIFETIME};
use crate::{
    Authority, AuthorityState, AuthorityTemplate, CaError, Event, Grant, Issued, Kind,
    NewAuthority, Request, Store, Subject,
};

impl Store {
    /// Makes authorities with keys and certificates, all of them or none; each may have one
    /// before it as its issuer. They can issue at once.
    ///
    /// # Errors
    /// When a name is taken, or an issuer can't certify.
    pub fn create_authorities(
        &self,
        new: &[NewAuthority],
        now: OffsetDateTime,
    ) -> Result<Vec<Authority>, CaError> {
        self.make_authorities(new, now, |writing, authority, key, lifetime| {
            let template = match authority.is_subordinate {
                true => AuthorityTemplate::Subordinate {
                    path_length: authority.path_length,
                },
                false => AuthorityTemplate::Root,
            };
            let issuer = authority.issuer.clone();
            let signer = issuer
                .map(|id| self.signer(writing, &id, now))
                .transpose()?;
            let der = certify(
                writing,
                authority,
                key,
                signer.as_ref(),
                template,
                lifetime,
                now,
            )?;
            activate(writing, authority, &der)
        })
    }

    /// [`Store::create_authorities`] for one.
    ///
    /// # Errors
    /// As there.
    pub fn create_authority(
        &self,
        new: &NewAuthority,
        now: OffsetDateTime,
    ) -> Result<Authority, CaError> {
        let made = self.create_authorities(std::slice::from_ref(new), now)?;
        made.into_iter().next().ok_or(CaError::NoAuthority)
    }

    /// Makes an authority with a key alone: its certificate is imported later. `new.issuer`
    /// may be `None` for one that is certified elsewhere.
    ///
    /// # Errors
    /// When its name is taken.
    pub fn create_pending_authority(
        &self,
        new: &NewAuthority,
        is_subordinate: bool,
        now: OffsetDateTime,
    ) -> Result<Authority, CaError> {
        let new = std::slice::from_ref(new);
        let made = self.make_authorities(new, now, |_, authority, _, _| {
            authority.is_subordinate |= is_subordinate;
            Ok(())
        })?;
        made.into_iter().next().ok_or(CaError::NoAuthority)
    }

    fn make_authorities(
        &self,
        new: &[NewAuthority],
        now: OffsetDateTime,
        complete: impl Fn(&Writing, &mut Authority, &Key, Option<Duration>) -> Result<(), CaError>,
    ) -> Result<Vec<Authority>, CaError> {
        let mut taken: Vec<String> = self.authorities()?.into_iter().map(|a| a.id).collect();
        let mut made = Vec::new();
        for new in new {
            check_id(&new.id, &taken)?;
            taken.push(new.id.clone());
            let key = Key::generate(new.algorithm);
            let key = key.map_err(|error| CaError::Generate { what: "key", error })?;
            made.push((pending(new, &key, now)?, key));
        }
        let written = made.iter().try_for_each(|(authority, key)| {
            self.write_key(&authority.key, key, self.is_encrypted())
        });
        let done = written.and_then(|()| {
            self.write(now, |writing| {
                for ((authority, key), new) in made.iter_mut().zip(new) {
                    let taken: Vec<String> =
                        writing.authorities()?.into_iter().map(|a| a.id).collect();
                    check_id(&new.id, &taken)?;
                    writing.note(Event::AuthorityCreated {
                        authority: new.id.clone(),
                    })?;
                    complete(writing, authority, key, new.lifetime)?;
                    writing.put_authority(authority)?;
                }
                Ok(())
            })
        });
        if let Err(error) = done {
            for (authority, _) in &made {
                self.forget_key(&authority.key);
            }
            return Err(error);
        }
        Ok(made.into_iter().map(|(authority, _)| authority).collect())
    }

    /// The request with which an authority asks another one for its certificate, in PEM.
    ///
    /// # Errors
    /// When there is no such authority, or its key can't be read.
    pub fn authority_request(&self, id: &str) -> Result<String, CaError> {
        let authority = self.authority(id)?;
        let key = self.key(&authority.key, authority.algorithm)?;
        request_pem(&key, &authority.subject, &[])
    }

    /// Signs the request of an authority. A root signs its own while it is pending; an
    /// active authority signs those of others, with their limits where they are of this
    /// store, and no further than its own path length allows.
    ///
    /// # Errors
    /// When `issuer` may not, or the template does not fit the request.
    pub fn sign_authority(
        &self,
        issuer: &str,
        request: &Request,
        template: AuthorityTemplate,
        lifetime: Option<Duration>,
        now: OffsetDateTime,
    ) -> Result<Issued, CaError> {
        self.write(now, |writing| {
            let key_sha256 = sha256(&request.key.subject_public_key_info());
            let all = writing.authorities()?;
            let own = all.into_iter().find(|a| a.key_sha256 == key_sha256);
            let subject = match own {
                Some(authority) => authority,
                None => outside(request, key_sha256, now)?,
            };
            if template == AuthorityTemplate::Root {
                check_root(&subject, issuer)?;
                let key = self.key(&subject.key, subject.algorithm)?;
                return certify(writing, &subject, &key, None, template, lifetime, now);
            }
            let signer = self.signer(writing, issuer, now)?;
            let signer = Some(&signer);
            certify(
                writing,
                &subject,
                &request.key,
                signer,
                template,
                lifetime,
                now,
            )
        })
    }

    /// Certifies an authority once more: the same key, name and limits, with a new serial
    /// number and time. It is as long as the old one's if `lifetime` is `None`. Chains have the
    /// new certificate from then on; the old one stays valid, and what was issued under it
    /// fits both, since neither name nor key has changed.
    ///
    /// # Errors
    /// When it is revoked, has no certificate yet or one from outside of the store, or its
    /// issuer can't certify.
    pub fn renew_authority(
        &self,
        id: &str,
        lifetime: Option<Duration>,
        now: OffsetDateTime,
    ) -> Result<Issued, CaError> {
        self.write(now, |writing| {
            let mut authority = writing.authority(id)?;
            let hint = match (authority.state, &authority.fingerprint) {
                (AuthorityState::Revoked, _) => Some("its certificate was revoked, for good"),
                (_, None) => Some("it needs its first certificate first"),
                _ => None,
            };
            if let Some(hint) = hint {
                return Err(CaError::AuthorityState {
                    id: id.to_owned(),
                    state: authority.state.label(),
                    hint,
                });
            }
            let signer = match (&authority.issuer, authority.is_subordinate) {
                (Some(issuer), _) => Some(self.signer(writing, issuer, now)?),
                (None, true) => return Err(CaError::OutsideIssuer { id: id.to_owned() }),
                (None, false) => None,
            };
            let template = match &signer {
                Some(_) => AuthorityTemplate::Subordinate {
                    path_length: authority.path_length,
                },
                None => AuthorityTemplate::Root,
            };
            let key = self.key(&authority.key, authority.algorithm)?;
            if sha256(&key.subject_public_key_info()) != authority.key_sha256 {
                let path = self.key_path(&authority.key);
                return Err(CaError::key(path, KeyFault::NotItsCertificates));
            }
            let mut all = writing.all_issued()?.into_iter();
            let old = all.find(|one| Some(&one.fingerprint) == authority.fingerprint.as_ref());
            let same = old.as_ref().map(|old| old.not_after - old.issued_at);
            let lifetime = lifetime.or(same);
            let signer = signer.as_ref();
            let mut issued = certify(writing, &authority, &key, signer, template, lifetime, now)?;
            issued.renews = old.map(|old| old.serial);
            writing.put_issued(&issued)?;
            authority.fingerprint = Some(issued.fingerprint.clone());
            writing.put_authority(&authority)?;
            writing.note(Event::AuthorityCertified {
                authority: authority.id.clone(),
                fingerprint: issued.fingerprint.clone(),
            })?;
            Ok(issued)
        })
    }

    /// Lets an authority issue no more, or again.
    ///
    /// # Errors
    /// When it has no certificate.
    pub fn set_authority_state(
        &self,
        id: &str,
        state: AuthorityState,
        now: OffsetDateTime,
    ) -> Result<Authority, CaError> {
        self.write(now, |writing| {
            let mut authority = writing.authority(id)?;
            let hint = match (authority.state, &authority.fingerprint) {
                (AuthorityState::Revoked, _) => Some("its certificate was revoked, for good"),
                (_, None) => Some("it needs its certificate first"),
                _ => None,
            };
            if let Some(hint) = hint {
                return Err(CaError::AuthorityState {
                    id: id.to_owned(),
                    state: authority.state.label(),
                    hint,
                });
            }
            switch(writing, &mut authority, state)?;
            Ok(authority)
        })
    }

    /// Notes that somebody may have certificates issued.
    ///
    /// # Errors
    /// When there is no such authority.
    pub fn grant(&self, id: &str, grant: Grant, now: OffsetDateTime) -> Result<Authority, CaError> {
        self.write(now, |writing| {
            let mut authority = writing.authority(id)?;
            authority.grants.retain(|g| g.principal != grant.principal);
            writing.note(Event::Granted {
                authority: id.to_owned(),
                principal: grant.principal.clone(),
            })?;
            authority.grants.push(grant);
            writing.put_authority(&authority)?;
            Ok(authority)
        })
    }
}

/// One that has a key and nothing else.
fn pending(new: &NewAuthority, key: &Key, now: OffsetDateTime) -> Result<Authority, CaError> {
    let key_sha256 = sha256(&key.subject_public_key_info());
    Ok(Authority {
        id: new.id.clone(),
        key: format!("{}-{}", new.id, &serial()?[..8].to_ascii_lowercase()),
        issuer: new.issuer.clone(),
        is_subordinate: new.issuer.is_some(),
        path_length: new.path_length,
        permitted_dns: new.permitted_dns.clone(),
        crl_url: new.crl_url.clone(),
        ..stranger(new.subject.clone(), new.algorithm, key_sha256, now)
    })
}

/// An authority of which its name and its key are known.
fn stranger(
    subject: Subject,
    algorithm: SignatureAlgorithm,
    key_sha256: String,
    now: OffsetDateTime,
) -> Authority {
    Authority {
        id: String::new(),
        key: String::new(),
        key_sha256,
        subject,
        algorithm,
        issuer: None,
        is_subordinate: true,
        state: AuthorityState::PendingCertificate,
        path_length: None,
        permitted_dns: Vec::new(),
        crl_url: None,
        fingerprint: None,
        outside_chain: Vec::new(),
        outside_root: None,
        crl_number: 0,
        crl_at: None,
        grants: Vec::new(),
        created_at: now,
    }
}

/// What stands for an authority from outside.
fn outside(
    request: &Request,
    key_sha256: String,
    now: OffsetDateTime,
) -> Result<Authority, CaError> {
    let subject = request.subject.clone().ok_or_else(|| CaError::Import {
        id: "of the request".to_owned(),
        why: "its subject has parts that are not known here".to_owned(),
    })?;
    Ok(stranger(subject, request.algorithm(), key_sha256, now))
}

fn check_root(subject: &Authority, issuer: &str) -> Result<(), CaError> {
    if subject.id != issuer || subject.is_subordinate {
        return Err(CaError::AuthorityState {
            id: issuer.to_owned(),
            state: subject.state.label(),
            hint: "a root signs its own request alone, and only a root does",
        });
    }
    if subject.state != AuthorityState::PendingCertificate {
        return Err(CaError::AuthorityState {
            id: issuer.to_owned(),
            state: subject.state.label(),
            hint: "it has its certificate already",
        });
    }
    Ok(())
}

/// Signs and records the certificate of an authority: self-signed without a signer.
fn certify<K: PublicKeyData + AsSigner>(
    writing: &Writing,
    authority: &Authority,
    key: &K,
    signer: Option<&Signer>,
    template: AuthorityTemplate,
    lifetime: Option<Duration>,
    now: OffsetDateTime,
) -> Result<Issued, CaError> {
    let (usual, path_length) = match (signer, template) {
        (Some(signer), AuthorityTemplate::Subordinate { path_length }) => {
            let left = match levels_below(writing, &signer.authority)? {
                Some(0) => {
                    return Err(CaError::PathLength {
                        id: signer.authority.id.clone(),
                    });
                }
                Some(levels) => Some(levels - 1),
                None => None,
            };
            let length = match (path_length, left) {
                (Some(wanted), Some(left)) => Some(wanted.min(left)),
                (wanted, left) => wanted.or(left),
            };
            (INTERMEDIATE_LIFETIME, length)
        }
        _ => (ROOT_LIFETIME, authority.path_length),
    };
    let validity = validity(now, lifetime.unwrap_or(usual), signer)?;
    let failed = |error| CaError::Generate {
        what: "authority's certificate",
        error,
    };
    let crl_url = signer.and_then(|signer| signer.authority.crl_url.as_deref());
    let serial = serial()?;
    let number = serial_number(&serial);
    let is_root = signer.is_none();
    let params = template::authority(authority, is_root, path_length, crl_url, number, validity);
    let params = params.map_err(failed)?;
    let certificate = match (signer, key.as_signer()) {
        (Some(signer), _) => params.signed_by(key, &signer.issuer),
        (None, Some(key)) => params.self_signed(key),
        (None, None) => return Err(CaError::NoKey(authority.id.clone())),
    };
    let der: CertificateDer<'static> = certificate.map_err(failed)?.into();
    let issued = Issued {
        serial,
        authority: signer.map_or_else(|| authority.id.clone(), |s| s.authority.id.clone()),
        kind: Kind::Authority,
        algorithm: authority.algorithm,
        subject: authority.subject.clone(),
        names: Vec::new(),
        not_before: validity.from,
        not_after: validity.until,
        issued_at: now,
        fingerprint: writing.put_certificate(&der)?,
        key_sha256: authority.key_sha256.clone(),
        has_key: false,
        is_key_encrypted: false,
        twin: None,
        renews: None,
        revocation: None,
    };
    writing.record(&issued)?;
    Ok(issued)
}

/// Whether there is a private key behind a public one.
trait AsSigner {
    fn as_signer(&self) -> Option<&Key>;
}

impl AsSigner for Key {
    fn as_signer(&self) -> Option<&Key> {
        Some(self)
    }
}

impl AsSigner for PublicKey {
    fn as_signer(&self) -> Option<&Key> {
        None
    }
}

fn activate(writing: &Writing, authority: &mut Authority, issued: &Issued) -> Result<(), CaError> {
    authority.fingerprint = Some(issued.fingerprint.clone());
    authority.state = AuthorityState::Active;
    writing.note(Event::AuthorityCertified {
        authority: authority.id.clone(),
        fingerprint: issued.fingerprint.clone(),
    })
}

/// Changes the state, and notes it.
pub(crate) fn switch(
    writing: &Writing,
    authority: &mut Authority,
    state: AuthorityState,
) -> Result<(), CaError> {
    authority.state = state;
    writing.put_authority(authority)?;
    writing.note(Event::AuthorityState {
        authority: authority.id.clone(),
        state: state.label().to_owned(),
    })
}

/// Names become names of files.
fn check_id(id: &str, taken: &[String]) -> Result<(), CaError> {
    let wrong = |why| {
        Err(CaError::AuthorityId {
            id: id.to_owned(),
            why,
        })
    };
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if id.is_empty() || id.len() > 64 || !id.bytes().all(is_plain) || id.starts_with('-') {
        return wrong("it has 1 to 64 lower-case letters, digits and hyphens, no hyphen first");
    }
    if taken.iter().any(|other| other == id) {
        return wrong("there is one of this name");
    }
    Ok(())
}
