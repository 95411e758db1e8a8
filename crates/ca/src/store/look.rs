//! Looking things up.

use std::collections::BTreeSet;

use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use wire::SignatureAlgorithm;

use crate::{Authority, CaError, Issued, LogEntry, Name, Store};

impl Store {
    /// All authorities, by name.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn authorities(&self) -> Result<Vec<Authority>, CaError> {
        self.read()?.authorities()
    }

    /// One authority.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn authority(&self, id: &str) -> Result<Authority, CaError> {
        self.read()?.authority(id)
    }

    /// All certificates that were signed here, by the time of their making.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn issued(&self) -> Result<Vec<Issued>, CaError> {
        let mut issued = self.read()?.issued()?;
        issued.sort_by_key(|issued| issued.issued_at);
        Ok(issued)
    }

    /// The certificate of a serial number, or the one that is for a name. Of several, that
    /// which is valid and has not been renewed; without one, the last that was. If there are
    /// still several, `NAME/ALGORITHM` means that of the algorithm.
    ///
    /// # Errors
    /// When there is none, or the name has several.
    pub fn find(&self, what: &str, now: OffsetDateTime) -> Result<Issued, CaError> {
        let (name, mut found) = self.find_all(what, now)?;
        match (found.len(), found.pop()) {
            (1, Some(one)) => Ok(one),
            (_, None) => Err(CaError::UnknownCertificate(what.to_owned())),
            (_, Some(last)) => {
                found.push(last);
                Err(which(&name, &found))
            }
        }
    }

    /// [`Store::find`]; where the name has a pair, and nothing besides, both, the post-quantum
    /// one first.
    ///
    /// # Errors
    /// As there.
    pub fn find_pair(&self, what: &str, now: OffsetDateTime) -> Result<Vec<Issued>, CaError> {
        let (name, mut found) = self.find_all(what, now)?;
        found.sort_by_key(|issued| !issued.algorithm.facts().post_quantum);
        match found.as_slice() {
            [] => Err(CaError::UnknownCertificate(what.to_owned())),
            [_] => Ok(found),
            [one, other]
                if one.twin.as_ref() == Some(&other.serial)
                    && other.twin.as_ref() == Some(&one.serial) =>
            {
                Ok(found)
            }
            several => Err(which(&name, several)),
        }
    }

    /// What a serial number or a name may mean, and the name without its algorithm.
    fn find_all(&self, what: &str, now: OffsetDateTime) -> Result<(String, Vec<Issued>), CaError> {
        let serial = what.replace(':', "").to_ascii_uppercase();
        let mut all = self.issued()?;
        if let Some(found) = all.iter().find(|issued| issued.serial == serial) {
            return Ok((what.to_owned(), vec![found.clone()]));
        }
        let (name, algorithm) = match what.rsplit_once('/') {
            Some((name, end)) => match end.parse::<SignatureAlgorithm>() {
                Ok(algorithm) => (name, Some(algorithm)),
                Err(_) => (what, None),
            },
            None => (what, None),
        };
        let wanted: Option<Name> = name.parse().ok();
        let renewed: BTreeSet<String> = all.iter().filter_map(|i| i.renews.clone()).collect();
        all.retain(|issued| {
            let is_named = wanted
                .as_ref()
                .is_some_and(|name| issued.names.contains(name));
            is_named && algorithm.is_none_or(|algorithm| issued.algorithm == algorithm)
        });
        let is_current = |issued: &&Issued| {
            issued.revocation.is_none()
                && issued.not_after > now
                && !renewed.contains(&issued.serial)
        };
        let mut current: Vec<Issued> = all.iter().filter(is_current).cloned().collect();
        if current.is_empty() {
            current.extend(all.pop());
        }
        Ok((name.to_owned(), current))
    }

    /// A certificate by its SHA-256.
    ///
    /// # Errors
    /// When the store does not have it.
    pub fn certificate(&self, fingerprint: &str) -> Result<CertificateDer<'static>, CaError> {
        self.read()?.certificate(fingerprint)
    }

    /// When the certificate of an authority ends; `None` if it has none.
    ///
    /// # Errors
    /// When the store is damaged.
    pub fn authority_end(&self, authority: &Authority) -> Result<Option<OffsetDateTime>, CaError> {
        let Some(fingerprint) = &authority.fingerprint else {
            return Ok(None);
        };
        let der = self.certificate(fingerprint)?;
        let parsed = pki::Certificate::from_der(&der);
        let parsed =
            parsed.map_err(|e| CaError::damaged(format!("authority {}", authority.id), e))?;
        Ok(Some(parsed.not_after))
    }

    /// What a server or client sends: the certificate and the authorities above it, without
    /// the root (RFC 8446 section 4.4.2).
    ///
    /// # Errors
    /// When the store is damaged.
    pub fn chain(&self, issued: &Issued) -> Result<Vec<CertificateDer<'static>>, CaError> {
        let read = self.read()?;
        let mut chain = vec![read.certificate(&issued.fingerprint)?];
        chain.extend(read.chain_of_authority(&issued.authority)?.0);
        Ok(chain)
    }

    /// The certificate of an authority and those above it, without the root: nothing for a
    /// root.
    ///
    /// # Errors
    /// When the authority has no certificate.
    pub fn chain_of_authority(&self, id: &str) -> Result<Vec<CertificateDer<'static>>, CaError> {
        Ok(self.read()?.chain_of_authority(id)?.0)
    }

    /// The trust anchor above an authority.
    ///
    /// # Errors
    /// When the authority has no certificate, or its issuer's root was not given.
    pub fn root(&self, authority: &str) -> Result<CertificateDer<'static>, CaError> {
        let (_, root) = self.read()?.chain_of_authority(authority)?;
        root.ok_or_else(|| CaError::Import {
            id: authority.to_owned(),
            why: "the root above it was not given when its certificate was imported".to_owned(),
        })
    }

    /// The trust anchors of all authorities that have one, each once, with the name of the
    /// authority that it is, or that it is above of.
    ///
    /// # Errors
    /// When the store is damaged.
    pub fn named_roots(&self) -> Result<Vec<(String, CertificateDer<'static>)>, CaError> {
        let read = self.read()?;
        let mut authorities = read.authorities()?;
        // A root by its own name, rather than by that of one below it.
        authorities.sort_by_key(|authority| authority.is_subordinate);
        let mut roots: Vec<(String, CertificateDer<'static>)> = Vec::new();
        for authority in authorities {
            if authority.fingerprint.is_none() {
                continue;
            }
            if let Some(root) = read.chain_of_authority(&authority.id)?.1
                && !roots.iter().any(|(_, known)| *known == root)
            {
                let name = match authority.is_subordinate {
                    true => format!("root-of-{}", authority.id),
                    false => authority.id,
                };
                roots.push((name, root));
            }
        }
        Ok(roots)
    }

    /// [`Store::named_roots`] without the names.
    ///
    /// # Errors
    /// As there.
    pub fn roots(&self) -> Result<Vec<CertificateDer<'static>>, CaError> {
        Ok(self
            .named_roots()?
            .into_iter()
            .map(|(_, root)| root)
            .collect())
    }

    /// The log, from the first entry on.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn log(&self) -> Result<Vec<LogEntry>, CaError> {
        let entries = self.read()?.log()?;
        Ok(entries.into_iter().map(|(entry, _)| entry).collect())
    }
}

/// That a name has several certificates.
fn which(name: &str, several: &[Issued]) -> CaError {
    let serials = several.iter();
    let serials = serials.map(|issued| format!("{} ({})", issued.serial, issued.algorithm));
    CaError::WhichCertificate {
        name: name.to_owned(),
        serials: serials.collect::<Vec<_>>().join(", "),
    }
}
