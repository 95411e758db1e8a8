//! PKCS #12 (RFC 7292), as far as it stands in the clear: no password is tried.

use std::collections::BTreeSet;

use audit::{AssetKind, StoreFacts, StoreFormat};

use crate::der::{self, Element, Elements};
use crate::findings::{Findings, Place};
use crate::object::{self, Kind};
use crate::{key, name, protection};

const DATA: &str = "1.2.840.113549.1.7.1";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
const ENVELOPED_DATA: &str = "1.2.840.113549.1.7.3";

/// Safes in safes (RFC 7292 section 4.2.6) have no end in the standard.
const MAX_DEPTH: u8 = 8;

/// Whether the elements begin as a PFX: version 3 and a ContentInfo.
pub(crate) fn is_beginning(mut content: Elements<'_>) -> bool {
    let is_version_3 = content
        .expect(der::INTEGER)
        .is_some_and(|version| version.content == [3]);
    let oid = content
        .enter(der::SEQUENCE)
        .and_then(|mut safe| safe.expect(der::OBJECT_IDENTIFIER));
    let oid = oid.map(|oid| der::dotted(oid.content));
    is_version_3 && matches!(oid.as_deref(), Some(DATA | SIGNED_DATA))
}

/// Writes the store and what is readable in it into findings.
pub(crate) fn read(bytes: &[u8], place: &Place<'_>, findings: &mut Findings) {
    let mut store = Store {
        place,
        is_begun: false,
        has_hidden: false,
        private_keys: 0,
        certificates: 0,
        bags: 0,
        protection: BTreeSet::new(),
        findings: Findings::default(),
    };
    let is_whole = store.read(bytes).is_some();
    if !store.is_begun {
        return findings.problem(place, "the PKCS #12 store is malformed");
    }
    let counted = |count: u32| (!store.has_hidden || count > 0).then_some(count);
    let facts = StoreFacts {
        format: StoreFormat::Pkcs12,
        private_keys: counted(store.private_keys),
        certificates: counted(store.certificates),
        protection: store.protection.into_iter().collect(),
    };
    findings.asset(place, AssetKind::Store(facts));
    findings.assets.append(&mut store.findings.assets);
    findings.problems.append(&mut store.findings.problems);
    if !is_whole {
        findings.problem(place, "a part of the PKCS #12 store is malformed");
    }
}

struct Store<'a, 'b> {
    place: &'a Place<'b>,
    is_begun: bool,
    /// Whether a part is encrypted, so that a count of nothing means nothing.
    has_hidden: bool,
    private_keys: u32,
    certificates: u32,
    /// Bags so far: the name of one that has none.
    bags: u32,
    protection: BTreeSet<String>,
    findings: Findings,
}

impl Store<'_, '_> {
    /// PFX of RFC 7292 section 4. `None` at the first thing that is malformed.
    fn read(&mut self, bytes: &[u8]) -> Option<()> {
        let mut pfx = der::whole(bytes)?.inside();
        pfx.expect(der::INTEGER)?;
        let mut safe = pfx.enter(der::SEQUENCE)?;
        let oid = der::dotted(safe.expect(der::OBJECT_IDENTIFIER)?.content);
        self.is_begun = true;
        if oid == SIGNED_DATA {
            self.has_hidden = true;
            self.protection
                .insert("public-key integrity (SignedData)".to_owned());
            return Some(());
        }
        let content = safe.enter(der::CONTEXT_0)?.next()?.octets()?;
        for part in der::whole(&content)?.inside() {
            self.part(part)?;
        }
        if let Some(mut mac) = pfx.enter(der::SEQUENCE) {
            self.protection.insert(protection::mac(&mut mac)?);
        } else {
            self.protection.insert("no MAC".to_owned());
        }
        Some(())
    }

    /// One ContentInfo of AuthenticatedSafe.
    fn part(&mut self, part: Element<'_>) -> Option<()> {
        let mut info = part.inside();
        let oid = der::dotted(info.expect(der::OBJECT_IDENTIFIER)?.content);
        let mut content = info.enter(der::CONTEXT_0)?;
        match oid.as_str() {
            DATA => {
                let octets = content.next()?.octets()?;
                self.bags(der::whole(&octets)?.inside(), 0)
            }
            ENCRYPTED_DATA => {
                self.has_hidden = true;
                let mut encrypted = content.enter(der::SEQUENCE)?;
                encrypted.expect(der::INTEGER)?;
                let mut info = encrypted.enter(der::SEQUENCE)?;
                info.expect(der::OBJECT_IDENTIFIER)?;
                let algorithm = der::algorithm_identifier(info.enter(der::SEQUENCE)?)?;
                self.protection
                    .insert(protection::encryption(&algorithm.0, algorithm.1));
                Some(())
            }
            ENVELOPED_DATA => {
                self.has_hidden = true;
                self.protection
                    .insert("public-key privacy (EnvelopedData)".to_owned());
                Some(())
            }
            _ => None,
        }
    }

    fn bags(&mut self, bags: Elements<'_>, depth: u8) -> Option<()> {
        for bag in bags {
            let mut bag = bag.inside();
            let oid = der::dotted(bag.expect(der::OBJECT_IDENTIFIER)?.content);
            let value = bag.enter(der::CONTEXT_0)?.next()?;
            let alias = bag.next().and_then(friendly_name);
            let alias = alias.filter(|alias| !alias.is_empty());
            self.bags = self.bags.saturating_add(1);
            let place = self
                .place
                .in_entry(alias.unwrap_or_else(|| self.bags.to_string()));
            let bag_type = oid.strip_prefix("1.2.840.113549.1.12.10.1.");
            match bag_type.and_then(|number| number.parse::<u8>().ok()) {
                Some(1) => {
                    self.private_keys += 1;
                    self.protection
                        .insert("a private key in the clear".to_owned());
                    object::read(
                        Kind::PrivateKey,
                        value.encoded,
                        None,
                        &place,
                        &mut self.findings,
                    );
                }
                Some(2) => {
                    self.private_keys += 1;
                    if let Some((oid, parameters)) = key::encryption_of(value.encoded) {
                        self.protection
                            .insert(protection::encryption(&oid, parameters));
                    }
                    let kind = Kind::EncryptedPrivateKey;
                    object::read(kind, value.encoded, None, &place, &mut self.findings);
                }
                Some(3) => {
                    self.certificates += 1;
                    match certificate(value) {
                        Some(der) => self.findings.certificate(&place, &der),
                        None => self.findings.problem(&place, "it is no X.509 certificate"),
                    }
                }
                Some(5) => {
                    self.findings.asset(&place, AssetKind::Key(key::secret()));
                }
                Some(6) if depth < MAX_DEPTH => self.bags(value.inside(), depth + 1)?,
                Some(6) => self.findings.problem(&place, "safes are nested too deeply"),
                // CRLs, and what a later standard may add.
                _ => {}
            }
        }
        Some(())
    }
}

/// CertBag of RFC 7292 section 4.2.3.
fn certificate(bag: Element<'_>) -> Option<Vec<u8>> {
    let mut bag = bag.inside();
    let oid = bag.expect(der::OBJECT_IDENTIFIER)?;
    if der::dotted(oid.content) != "1.2.840.113549.1.9.22.1" {
        return None;
    }
    let octets = bag.enter(der::CONTEXT_0)?.next()?.octets()?;
    Some(octets.to_vec())
}

/// The friendlyName among a bag's attributes (RFC 2985 section 5.5.1).
fn friendly_name(attributes: Element<'_>) -> Option<String> {
    for attribute in attributes.inside() {
        let mut attribute = attribute.inside();
        let oid = attribute.expect(der::OBJECT_IDENTIFIER)?;
        if der::dotted(oid.content) == "1.2.840.113549.1.9.20" {
            let value = attribute.enter(der::SET)?.next()?;
            return Some(name::utf16(value.content));
        }
    }
    None
}
