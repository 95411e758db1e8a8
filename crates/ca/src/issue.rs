//! Making authorities and issuing certificates.

use pki::{Certificate, Key, PublicKey};
use rcgen::{CertificateParams, Issuer, PublicKeyData};
use rustls_pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};
use wire::SignatureAlgorithm;

use crate::request::request_pem;
use crate::store::Writing;
use crate::template::{self, INTERMEDIATE_LIFETIME, LEAF_LIFETIME, ROOT_LIFETIME, Validity};
use crate::{
    Authority, AuthorityState, CaError, Event, Grant, Issued, Kind, Name, NewAuthority, Request,
    Store, Subject,
};

/// A certificate to be issued for a key that the store makes.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who is to issue it; `None` for the one authority that fits.
    pub authority: Option<String>,
    /// The side of TLS.
    pub kind: Kind,
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
    pub kind: Kind,
    /// Whom it speaks for, in the place of what the request says; `None` for that.
    pub names: Option<Vec<Name>>,
    /// Its subject, likewise.
    pub subject: Option<Subject>,
    /// How long, never beyond its issuer; `None` for 90 days.
    pub lifetime: Option<Duration>,
}

impl Store {
    /// Makes an authority with its key and certificate: it can issue at once.
    ///
    /// # Errors
    /// When its name is taken, or its issuer can't certify it.
    pub fn create_authority(
        &self,
        new: &NewAuthority,
        now: OffsetDateTime,
    ) -> Result<Authority, CaError> {
        self.make_authority(new, now, |writing, authority, key| {
            let issuer = authority.issuer.clone();
            let issuer = issuer
                .map(|id| self.signer(writing, &id, now))
                .transpose()?;
            let der = certify(authority, key, issuer.as_ref(), new.lifetime, now)?;
            activate(writing, authority, &der)
        })
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
        self.make_authority(new, now, |_, authority, _| {
            authority.is_subordinate |= is_subordinate;
            Ok(())
        })
    }

    fn make_authority(
        &self,
        new: &NewAuthority,
        now: OffsetDateTime,
        complete: impl FnOnce(&Writing, &mut Authority, &Key) -> Result<(), CaError>,
    ) -> Result<Authority, CaError> {
        check_id(&new.id, &self.authorities()?)?;
        let key = generate(new.algorithm)?;
        let mut authority = Authority {
            id: new.id.clone(),
            key: format!("{}-{}", new.id, &serial()?[..8].to_ascii_lowercase()),
            subject: new.subject.clone(),
            algorithm: new.algorithm,
            issuer: new.issuer.clone(),
            is_subordinate: new.issuer.is_some(),
            state: AuthorityState::PendingCertificate,
            path_length: new.path_length,
            permitted_dns: new.permitted_dns.clone(),
            crl_url: new.crl_url.clone(),
            fingerprint: None,
            outside_chain: Vec::new(),
            outside_root: None,
            crl_number: 0,
            grants: Vec::new(),
            created_at: now,
        };
        self.write_key(&authority.key, &key, true)?;
        let done = self.write(now, |writing| {
            check_id(&new.id, &writing.authorities()?)?;
            writing.note(Event::AuthorityCreated {
                authority: new.id.clone(),
            })?;
            complete(writing, &mut authority, &key)?;
            writing.put_authority(&authority)
        });
        if let Err(error) = done {
            self.forget_key(&authority.key);
            return Err(error);
        }
        Ok(authority)
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
    /// active authority signs those of others. Names, path length and constraints are those
    /// of the authority in the store; one from outside gets path length 0 and no
    /// constraints but its issuer's.
    ///
    /// # Errors
    /// When `issuer` may not, or the request is of nobody it may sign for.
    pub fn sign_authority(
        &self,
        issuer: &str,
        request: &Request,
        lifetime: Option<Duration>,
        now: OffsetDateTime,
    ) -> Result<CertificateDer<'static>, CaError> {
        self.write(now, |writing| {
            let subject = self.authority_of_request(writing, request, now)?;
            let der = if subject.id == issuer {
                let key = self.key(&subject.key, subject.algorithm)?;
                certify(&subject, &key, None, lifetime, now)?
            } else {
                let signer = self.signer(writing, issuer, now)?;
                let mut subject = subject;
                subject.issuer = Some(issuer.to_owned());
                certify(&subject, &request.key, Some(&signer), lifetime, now)?
            };
            writing.put_certificate(&der)?;
            Ok(der)
        })
    }

    /// The authority of the store whose key the request has, or what stands for one from
    /// outside.
    fn authority_of_request(
        &self,
        writing: &Writing,
        request: &Request,
        now: OffsetDateTime,
    ) -> Result<Authority, CaError> {
        let wanted = request.key.subject_public_key_info();
        for authority in writing.authorities()? {
            let is_alike = authority.algorithm == request.algorithm();
            if is_alike && self.public_key(&authority)? == wanted {
                return Ok(authority);
            }
        }
        Ok(Authority {
            id: String::new(),
            key: String::new(),
            subject: request.subject.clone().ok_or_else(|| CaError::Import {
                id: "of the request".to_owned(),
                why: "its subject has parts that are not known here".to_owned(),
            })?,
            algorithm: request.algorithm(),
            issuer: None,
            is_subordinate: true,
            state: AuthorityState::PendingCertificate,
            path_length: Some(0),
            permitted_dns: Vec::new(),
            crl_url: None,
            fingerprint: None,
            outside_chain: Vec::new(),
            outside_root: None,
            crl_number: 0,
            grants: Vec::new(),
            created_at: now,
        })
    }

    fn public_key(&self, authority: &Authority) -> Result<Vec<u8>, CaError> {
        let key = self.key(&authority.key, authority.algorithm)?;
        Ok(key.subject_public_key_info())
    }

    /// Gives a pending authority the certificate that somebody signed for it, with those
    /// above it: it is active then. The root may stand at the end of the chain.
    ///
    /// # Errors
    /// When the certificate is not for its key, is no authority's, or the chain does not
    /// hold.
    pub fn import_authority_certificate(
        &self,
        id: &str,
        certificate: &CertificateDer<'static>,
        chain: &[CertificateDer<'static>],
        now: OffsetDateTime,
    ) -> Result<Authority, CaError> {
        self.write(now, |writing| {
            let mut authority = writing.authority(id)?;
            if authority.state != AuthorityState::PendingCertificate {
                return Err(CaError::AuthorityState {
                    id: id.to_owned(),
                    state: authority.state.label(),
                    hint: "it has its certificate already",
                });
            }
            let refused = |why: String| CaError::Import {
                id: id.to_owned(),
                why,
            };
            let parsed = Certificate::from_der(certificate).map_err(|e| refused(e.to_string()))?;
            let certified = pki::subject_public_key_info(certificate);
            if certified != Some(self.public_key(&authority)?) {
                return Err(refused("it is for another key".to_owned()));
            }
            if !parsed.is_authority {
                return Err(refused(
                    "it is no authority's (basicConstraints)".to_owned(),
                ));
            }
            let is_self_signed = parsed.subject == parsed.issuer;
            if is_self_signed && authority.is_subordinate {
                return Err(refused(
                    "it is self-signed, and the authority no root".to_owned(),
                ));
            }
            check_links(certificate, chain).map_err(refused)?;
            authority.is_subordinate = !is_self_signed;
            for above in chain {
                let fingerprint = writing.put_certificate(above)?;
                let parsed = Certificate::from_der(above).map_err(|e| refused(e.to_string()))?;
                if parsed.subject == parsed.issuer {
                    authority.outside_root = Some(fingerprint);
                } else {
                    authority.outside_chain.push(fingerprint);
                }
            }
            if !is_self_signed {
                authority.issuer = issuer_in_store(writing, &parsed, certificate)?;
            }
            activate(writing, &mut authority, certificate)?;
            writing.put_authority(&authority)?;
            Ok(authority)
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
            if authority.fingerprint.is_none() {
                return Err(CaError::AuthorityState {
                    id: id.to_owned(),
                    state: authority.state.label(),
                    hint: "it needs its certificate first",
                });
            }
            authority.state = state;
            writing.put_authority(&authority)?;
            writing.note(Event::AuthorityState {
                authority: id.to_owned(),
                state: state.label().to_owned(),
            })?;
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

    /// Issues a certificate for a new key.
    ///
    /// # Errors
    /// When no authority can, or a name is outside of its limits.
    pub fn issue(&self, order: &Order, now: OffsetDateTime) -> Result<Issued, CaError> {
        let mut issued = self.issue_all(std::slice::from_ref(order), None, now)?;
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
        let issued = self.issue_all(orders, None, now)?;
        issued.try_into().map_err(|_| CaError::NoNames)
    }

    /// Issues a certificate of the same kind, names and algorithm with a new key, by the same
    /// authority. The old one stays valid: revoke it once nobody shows it any more.
    ///
    /// # Errors
    /// As with [`Store::issue`]; when the old one was for a request from outside, since its
    /// key is not here.
    pub fn renew(
        &self,
        serial: &str,
        lifetime: Option<Duration>,
        now: OffsetDateTime,
    ) -> Result<Issued, CaError> {
        let old = self.find(serial)?;
        if !old.has_key {
            return Err(CaError::NoKey(old.serial));
        }
        let text = std::fs::read_to_string(self.key_path(&old.serial)).unwrap_or_default();
        let order = Order {
            authority: Some(old.authority),
            kind: old.kind,
            algorithm: old.algorithm,
            names: old.names,
            subject: Some(old.subject),
            lifetime: lifetime.or(Some(old.not_after - old.not_before)),
            encrypts_key: text.contains("ENCRYPTED"),
        };
        let mut issued = self.issue_all(&[order], Some(old.serial), now)?;
        issued.pop().ok_or(CaError::NoNames)
    }

    fn issue_all(
        &self,
        orders: &[Order],
        renews: Option<String>,
        now: OffsetDateTime,
    ) -> Result<Vec<Issued>, CaError> {
        let mut prepared = Vec::new();
        for order in orders {
            if order.names.is_empty() {
                return Err(CaError::NoNames);
            }
            prepared.push((order, serial()?, generate(order.algorithm)?));
        }
        for (order, serial, key) in &prepared {
            let written = self.write_key(serial, key, order.encrypts_key);
            if written.is_err() {
                self.forget_keys(&prepared);
            }
            written?;
        }
        let done = self.write(now, |writing| {
            let mut all = Vec::new();
            for (at, (order, serial, key)) in prepared.iter().enumerate() {
                let twin = match prepared.len() {
                    2 => Some(prepared[1 - at].1.clone()),
                    _ => None,
                };
                let signing = Signing {
                    serial,
                    kind: order.kind,
                    algorithm: order.algorithm,
                    names: &order.names,
                    subject: order.subject.as_ref(),
                    lifetime: order.lifetime,
                };
                let authority = choose(writing, order.authority.as_deref(), order.algorithm)?;
                let mut issued = self.sign_leaf(writing, &authority.id, &signing, key, now)?;
                issued.has_key = true;
                issued.twin = twin;
                issued.renews.clone_from(&renews);
                writing.put_issued(&issued)?;
                all.push(issued);
            }
            Ok(all)
        });
        if done.is_err() {
            self.forget_keys(&prepared);
        }
        done
    }

    fn forget_keys(&self, prepared: &[(&Order, String, Key)]) {
        for (_, serial, _) in prepared {
            self.forget_key(serial);
        }
    }

    /// Issues a certificate for the key of a request.
    ///
    /// # Errors
    /// When no authority can, a name is outside of its limits, or there is no name.
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
            let signing = Signing {
                serial: &serial,
                kind: order.kind,
                algorithm: request.algorithm(),
                names,
                subject: order.subject.as_ref().or(request.subject.as_ref()),
                lifetime: order.lifetime,
            };
            let authority = choose(writing, order.authority.as_deref(), request.algorithm())?;
            let issued = self.sign_leaf(writing, &authority.id, &signing, &request.key, now)?;
            writing.put_issued(&issued)?;
            Ok(issued)
        })
    }

    fn sign_leaf(
        &self,
        writing: &Writing,
        authority: &str,
        signing: &Signing<'_>,
        key: &impl PublicKeyData,
        now: OffsetDateTime,
    ) -> Result<Issued, CaError> {
        let signer = self.signer(writing, authority, now)?;
        check_permitted(writing, &signer.authority, signing.names)?;
        if writing.has_serial(signing.serial)? {
            // One in 2^134: something is wrong with the random numbers.
            return Err(CaError::Random);
        }
        let own = Subject::of_name(&signing.names[0]);
        let subject = signing.subject.unwrap_or(&own);
        let lifetime = signing.lifetime.unwrap_or(LEAF_LIFETIME);
        let validity = validity(now, lifetime, Some(&signer))?;
        let failed = |error| CaError::Generate {
            what: "certificate",
            error,
        };
        let params = template::end_entity(
            signing.kind,
            signing.algorithm,
            subject,
            signing.names,
            signer.authority.crl_url.as_deref(),
            serial_number(signing.serial),
            validity,
        );
        let params = params.map_err(failed)?;
        let der = params.signed_by(key, &signer.issuer).map_err(failed)?;
        let names = signing.names.iter().map(ToString::to_string).collect();
        writing.note(Event::Issued {
            authority: authority.to_owned(),
            serial: signing.serial.to_owned(),
            names,
        })?;
        Ok(Issued {
            serial: signing.serial.to_owned(),
            authority: authority.to_owned(),
            kind: signing.kind,
            algorithm: signing.algorithm,
            subject: subject.clone(),
            names: signing.names.to_vec(),
            not_before: validity.from,
            not_after: validity.until,
            issued_at: now,
            fingerprint: writing.put_certificate(der.der())?,
            has_key: false,
            twin: None,
            renews: None,
            revocation: None,
        })
    }

    /// An authority that may sign now, with its key.
    pub(crate) fn signer(
        &self,
        writing: &Writing,
        id: &str,
        now: OffsetDateTime,
    ) -> Result<Signer, CaError> {
        let authority = writing.authority(id)?;
        let hint = match authority.state {
            AuthorityState::Active => "",
            AuthorityState::PendingCertificate => "import its certificate first",
            AuthorityState::Disabled => "it was told to issue no more",
        };
        if authority.state != AuthorityState::Active {
            return Err(CaError::AuthorityState {
                id: id.to_owned(),
                state: authority.state.label(),
                hint,
            });
        }
        self.signer_of(writing, authority, now)
    }

    /// The same whatever its state: for revocation lists.
    pub(crate) fn signer_of(
        &self,
        writing: &Writing,
        authority: Authority,
        now: OffsetDateTime,
    ) -> Result<Signer, CaError> {
        let fingerprint = authority.fingerprint.as_deref().unwrap_or_default();
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
            return Err(CaError::Clock {
                now,
                what: "the authority's certificate",
                then: parsed.not_before,
            });
        }
        let key = self.key(&authority.key, authority.algorithm)?;
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

/// What distinguishes one certificate from another.
struct Signing<'a> {
    serial: &'a str,
    kind: Kind,
    algorithm: SignatureAlgorithm,
    names: &'a [Name],
    subject: Option<&'a Subject>,
    lifetime: Option<Duration>,
}

/// An authority with its key.
pub(crate) struct Signer {
    pub(crate) authority: Authority,
    pub(crate) issuer: Issuer<'static, Key>,
    validity: Validity,
}

fn generate(algorithm: SignatureAlgorithm) -> Result<Key, CaError> {
    Key::generate(algorithm).map_err(|error| CaError::Generate { what: "key", error })
}

/// 134 random bits, as upper-case hexadecimal digits.
fn serial() -> Result<String, CaError> {
    let number = pki::serial_number().map_err(|_| CaError::Random)?;
    Ok(number.as_ref().iter().map(|b| format!("{b:02X}")).collect())
}

pub(crate) fn serial_number(serial: &str) -> rcgen::SerialNumber {
    let digits = serial.as_bytes().chunks(2);
    let bytes: Vec<u8> = digits
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    rcgen::SerialNumber::from_slice(&bytes)
}

fn validity(
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

/// The certificate of an authority: self-signed without an issuer.
fn certify<K: PublicKeyData + AsSigner>(
    authority: &Authority,
    key: &K,
    issuer: Option<&Signer>,
    lifetime: Option<Duration>,
    now: OffsetDateTime,
) -> Result<CertificateDer<'static>, CaError> {
    let usual = match issuer {
        Some(_) => INTERMEDIATE_LIFETIME,
        None => ROOT_LIFETIME,
    };
    if let Some(issuer) = issuer
        && issuer.authority.path_length == Some(0)
    {
        return Err(CaError::PathLength {
            id: issuer.authority.id.clone(),
        });
    }
    let validity = validity(now, lifetime.unwrap_or(usual), issuer)?;
    let failed = |error| CaError::Generate {
        what: "authority's certificate",
        error,
    };
    let crl_url = issuer.and_then(|issuer| issuer.authority.crl_url.as_deref());
    let number = serial_number(&serial()?);
    let params: CertificateParams =
        template::authority(authority, crl_url, number, validity).map_err(failed)?;
    let certificate = match (issuer, key.as_signer()) {
        (Some(issuer), _) => params.signed_by(key, &issuer.issuer),
        (None, Some(key)) => params.self_signed(key),
        (None, None) => return Err(CaError::NoKey(authority.id.clone())),
    };
    Ok(certificate.map_err(failed)?.into())
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

fn activate(
    writing: &Writing,
    authority: &mut Authority,
    der: &CertificateDer<'_>,
) -> Result<(), CaError> {
    let fingerprint = writing.put_certificate(der)?;
    authority.fingerprint = Some(fingerprint.clone());
    authority.state = AuthorityState::Active;
    writing.note(Event::AuthorityCertified {
        authority: authority.id.clone(),
        fingerprint,
    })
}

/// Names become names of files.
fn check_id(id: &str, authorities: &[Authority]) -> Result<(), CaError> {
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
    if authorities.iter().any(|authority| authority.id == id) {
        return wrong("there is one of this name");
    }
    Ok(())
}

/// The authority that is asked for, or the one that fits: it issues to end entities, and is
/// post-quantum if the key is, so that a chain does not break at its weakest link.
fn choose(
    writing: &Writing,
    wanted: Option<&str>,
    algorithm: SignatureAlgorithm,
) -> Result<Authority, CaError> {
    if let Some(id) = wanted {
        return writing.authority(id);
    }
    let all = writing.authorities()?;
    let is_above = |id: &str| all.iter().any(|other| other.issuer.as_deref() == Some(id));
    let mut fit: Vec<&Authority> = all
        .iter()
        .filter(|a| a.state == AuthorityState::Active && !is_above(&a.id))
        .collect();
    for narrower in [
        |a: &Authority, wanted: SignatureAlgorithm| {
            a.algorithm.facts().post_quantum == wanted.facts().post_quantum
        },
        |a: &Authority, wanted: SignatureAlgorithm| a.algorithm == wanted,
    ] {
        let narrow: Vec<_> = fit
            .iter()
            .copied()
            .filter(|a| narrower(a, algorithm))
            .collect();
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

/// Limits hold all the way up (RFC 5280 section 6.1.3). They are limits of DNS names alone.
fn check_permitted(
    writing: &Writing,
    authority: &Authority,
    names: &[Name],
) -> Result<(), CaError> {
    let mut authority = authority.clone();
    loop {
        let permitted = &authority.permitted_dns;
        let is_outside = |name: &&Name| {
            matches!(name, Name::Dns(_))
                && !permitted.is_empty()
                && !permitted.iter().any(|subtree| name.is_within(subtree))
        };
        if let Some(name) = names.iter().find(is_outside) {
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

/// The authority of the store whose subject is the issuer and whose key made the signature.
fn issuer_in_store(
    writing: &Writing,
    parsed: &Certificate,
    certificate: &CertificateDer<'_>,
) -> Result<Option<String>, CaError> {
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

/// Whether each certificate of a chain signed the one before it.
fn check_links(
    certificate: &CertificateDer<'_>,
    chain: &[CertificateDer<'_>],
) -> Result<(), String> {
    let mut below = certificate;
    for (at, above) in chain.iter().enumerate() {
        if !pki::is_signed_by(below, above) {
            return Err(format!(
                "certificate {} of the chain did not sign the one below it",
                at + 1
            ));
        }
        below = above;
    }
    Ok(())
}
