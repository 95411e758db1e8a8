//! Java's own keystores, JKS and JCEKS: certificates stand in them in the clear.

use std::collections::BTreeSet;

use audit::{AssetKind, StoreFacts, StoreFormat};

use crate::cursor::Cursor;
use crate::findings::{Findings, Place};
use crate::{key, protection};

const JKS: u32 = 0xfeed_feed;
const JCEKS: u32 = 0xcece_cece;

/// The SHA-1 at the end, over the password and everything before it.
const DIGEST: usize = 20;

pub(crate) fn is_beginning(bytes: &[u8]) -> bool {
    matches!(Cursor(bytes).u32(), Some(JKS | JCEKS))
}

/// Writes the store and its entries into findings.
pub(crate) fn read(bytes: &[u8], place: &Place<'_>, findings: &mut Findings) {
    let mut cursor = Cursor(bytes);
    let format = match cursor.u32() {
        Some(JCEKS) => StoreFormat::Jceks,
        _ => StoreFormat::Jks,
    };
    let mut store = Entries {
        place,
        private_keys: 0,
        certificates: 0,
        protection: BTreeSet::new(),
        findings: Findings::default(),
    };
    let end = store.read(&mut cursor);
    let is_whole = matches!(end, Ok(()));
    store
        .protection
        .insert("SHA-1 digest over password and content".to_owned());
    let facts = StoreFacts {
        format,
        private_keys: is_whole.then_some(store.private_keys),
        certificates: is_whole.then_some(store.certificates),
        protection: store.protection.into_iter().collect(),
    };
    findings.asset(place, AssetKind::Store(facts));
    findings.assets.append(&mut store.findings.assets);
    findings.problems.append(&mut store.findings.problems);
    if let Err(reason) = end {
        findings.problem(place, reason);
    }
}

struct Entries<'a, 'b> {
    place: &'a Place<'b>,
    private_keys: u32,
    certificates: u32,
    protection: BTreeSet<String>,
    findings: Findings,
}

const TRUNCATED: &str = "the keystore is truncated or malformed";

impl Entries<'_, '_> {
    fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), &'static str> {
        let version = cursor.u32().ok_or(TRUNCATED)?;
        if !matches!(version, 1 | 2) {
            return Err("the keystore has a version that is not known");
        }
        let count = cursor.u32().ok_or(TRUNCATED)?;
        for _ in 0..count {
            let tag = cursor.u32().ok_or(TRUNCATED)?;
            let alias = modified_utf8(cursor).ok_or(TRUNCATED)?;
            cursor.u64().ok_or(TRUNCATED)?;
            match tag {
                1 => self.private_key(cursor, version, &alias).ok_or(TRUNCATED)?,
                2 => {
                    let der = certificate(cursor, version).ok_or(TRUNCATED)?;
                    self.certificates += 1;
                    self.findings.certificate(&self.place.in_entry(alias), der);
                }
                3 => {
                    let place = self.place.in_entry(alias);
                    self.findings.asset(&place, AssetKind::Key(key::secret()));
                    // A serialised Java object has no length of its own.
                    return Err("the entries behind a secret key of a JCEKS store are not read");
                }
                _ => return Err("an entry of the keystore is of no known kind"),
            }
        }
        match cursor.0.len() {
            DIGEST => Ok(()),
            _ => Err("the keystore does not end with its digest"),
        }
    }

    /// The encrypted key, then its chain; the first certificate tells the algorithm.
    fn private_key(&mut self, cursor: &mut Cursor<'_>, version: u32, alias: &str) -> Option<()> {
        let encrypted = cursor.string()?;
        let length = cursor.u32()?;
        let place = self.place.in_entry(alias);
        let mut chain = Findings::default();
        for _ in 0..length {
            chain.certificate(&place, certificate(cursor, version)?);
        }
        let algorithm = chain.assets.first().and_then(|asset| match &asset.kind {
            AssetKind::Certificate(facts) => Some(facts.key.clone()),
            _ => None,
        });
        if let Some((oid, parameters)) = key::encryption_of(encrypted) {
            self.protection
                .insert(protection::encryption(&oid, parameters));
        }
        self.private_keys += 1;
        self.certificates += u32::try_from(chain.assets.len()).unwrap_or(u32::MAX);
        self.findings
            .asset(&place, AssetKind::Key(key::encrypted(algorithm)));
        self.findings.assets.append(&mut chain.assets);
        self.findings.problems.append(&mut chain.problems);
        Some(())
    }
}

/// A certificate behind its length, and in version 2 behind its type.
fn certificate<'a>(cursor: &mut Cursor<'a>, version: u32) -> Option<&'a [u8]> {
    if version == 2 {
        modified_utf8(cursor)?;
    }
    cursor.string()
}

/// Text as `java.io.DataOutput.writeUTF` writes it; the difference to UTF-8 concerns NUL and
/// characters beyond the basic plane, which are replaced.
fn modified_utf8(cursor: &mut Cursor<'_>) -> Option<String> {
    let length = cursor.u16()?;
    let bytes = cursor.take(usize::from(length))?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}
