//! The folder of the store, and transactions on it.
//!
//! ```text
//! FOLDER/ca.redb           authorities, certificates, log
//! FOLDER/keys/ID.pem       the private key of an authority
//! FOLDER/keys/SERIAL.pem   the private key of a certificate
//! ```
//!
//! A key's file is written before the transaction that speaks of it is committed: after a
//! kill between the two there is a key that nothing refers to, and never a certificate
//! without its key.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pki::Key;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use redb::{ReadTransaction, WriteTransaction};
use rustls_pki_types::CertificateDer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use wire::SignatureAlgorithm;

use crate::files::{self, Fuse};
use crate::key;
use crate::log::sha256;
use crate::{Authority, CaError, Event, Issued, LogEntry, Passphrase};

/// Raised whenever what is stored changes its meaning.
const FORMAT: u64 = 1;
const DATABASE: &str = "ca.redb";
const KEYS: &str = "keys";

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Id to authority.
const AUTHORITIES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("authorities");
/// Serial number to certificate.
const ISSUED: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("issued");
/// SHA-256 to certificate in DER.
const CERTIFICATES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("certificates");
/// Sequence to entry.
const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");

/// Clocks that are synchronised differ by less.
const CLOCK_TOLERANCE: time::Duration = time::Duration::minutes(5);
/// How often a store in use is tried.
const PATIENCE_STEP: Duration = Duration::from_millis(20);

/// An open store. One process has it at a time.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    database: Database,
    passphrase: Option<Passphrase>,
    fuse: Fuse,
}

/// Something wrong that [`Store::check`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What: a file, a certificate, an entry of the log.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
    /// Whether certificates or keys are lost or wrong; otherwise it is untidy only.
    pub is_serious: bool,
}

impl Store {
    /// Makes a store in a folder that has none.
    ///
    /// # Errors
    /// When there is one, or the folder can't be written.
    pub fn create(folder: &Path, passphrase: Option<Passphrase>) -> Result<Self, CaError> {
        Self::create_with(folder, passphrase, Fuse::default())
    }

    pub(crate) fn create_with(
        folder: &Path,
        passphrase: Option<Passphrase>,
        fuse: Fuse,
    ) -> Result<Self, CaError> {
        let path = folder.join(DATABASE);
        if path.exists() {
            return Err(CaError::StoreExists {
                folder: folder.to_owned(),
            });
        }
        let keys = folder.join(KEYS);
        burn(&fuse, &keys)?;
        files::create_private_folder(&keys).map_err(|error| CaError::File {
            action: "make",
            path: keys,
            error,
        })?;
        // Made under another name: a database without its tables is none.
        let part = path.with_added_extension("part");
        if part.exists() {
            burn(&fuse, &part)?;
            std::fs::remove_file(&part).map_err(|error| file("remove", &part, error))?;
        }
        let database = open_database(&part, &fuse, true)?;
        let transaction = database.begin_write()?;
        transaction.open_table(META)?.insert("format", FORMAT)?;
        transaction.open_table(AUTHORITIES)?;
        transaction.open_table(ISSUED)?;
        transaction.open_table(CERTIFICATES)?;
        transaction.open_table(LOG)?;
        transaction.commit()?;
        drop(database);
        burn(&fuse, &path)?;
        std::fs::rename(&part, &path).map_err(|error| file("write", &path, error))?;
        Self::open_with(folder, Duration::ZERO, passphrase, fuse)
    }

    /// Opens a store, and waits so long for another process that has it.
    ///
    /// # Errors
    /// When there is none, it is damaged or of a newer program, or the other process stays.
    pub fn open(
        folder: &Path,
        patience: Duration,
        passphrase: Option<Passphrase>,
    ) -> Result<Self, CaError> {
        Self::open_with(folder, patience, passphrase, Fuse::default())
    }

    pub(crate) fn open_with(
        folder: &Path,
        patience: Duration,
        passphrase: Option<Passphrase>,
        fuse: Fuse,
    ) -> Result<Self, CaError> {
        let path = folder.join(DATABASE);
        if !path.is_file() {
            return Err(CaError::NoStore {
                folder: folder.to_owned(),
            });
        }
        let start = Instant::now();
        let database = loop {
            match open_database(&path, &fuse, false) {
                Err(CaError::Busy { .. }) if start.elapsed() < patience => {
                    std::thread::sleep(PATIENCE_STEP);
                }
                Err(CaError::Busy { .. }) => {
                    return Err(CaError::Busy {
                        folder: folder.to_owned(),
                        waited: patience,
                    });
                }
                opened => break opened?,
            }
        };
        let format = {
            let meta = database.begin_read()?.open_table(META)?;
            meta.get("format")?.map_or(0, |format| format.value())
        };
        if format > FORMAT {
            return Err(CaError::Newer {
                folder: folder.to_owned(),
                format,
                known: FORMAT,
            });
        }
        Ok(Self {
            folder: folder.to_owned(),
            database,
            passphrase,
            fuse,
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

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

    /// All certificates of end entities, by the time of their making.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn issued(&self) -> Result<Vec<Issued>, CaError> {
        let mut issued = self.read()?.issued()?;
        issued.sort_by_key(|issued| issued.issued_at);
        Ok(issued)
    }

    /// The certificate of a serial number, or the one that is for a name and neither revoked
    /// nor renewed. Of several, `NAME/ALGORITHM` means that of the algorithm.
    ///
    /// # Errors
    /// When there is none, or the name has several.
    pub fn find(&self, what: &str) -> Result<Issued, CaError> {
        let serial = what.replace(':', "").to_ascii_uppercase();
        let all = self.read()?.issued()?;
        if let Some(found) = all.iter().find(|issued| issued.serial == serial) {
            return Ok(found.clone());
        }
        let (name, algorithm) = match what.rsplit_once('/') {
            Some((name, end)) => match end.parse::<SignatureAlgorithm>() {
                Ok(algorithm) => (name, Some(algorithm)),
                Err(_) => (what, None),
            },
            None => (what, None),
        };
        let renewed: BTreeSet<_> = all.iter().filter_map(|i| i.renews.as_deref()).collect();
        let found = all.iter().filter(|issued| {
            let is_named = issued.names.iter().any(|own| own.to_string() == name)
                || issued.subject.common_name() == Some(name);
            is_named
                && algorithm.is_none_or(|algorithm| issued.algorithm == algorithm)
                && issued.revocation.is_none()
                && !renewed.contains(issued.serial.as_str())
        });
        let found: Vec<&Issued> = found.collect();
        match found.as_slice() {
            [] => Err(CaError::UnknownCertificate(what.to_owned())),
            [one] => Ok((*one).clone()),
            several => Err(CaError::WhichCertificate {
                name: name.to_owned(),
                serials: several
                    .iter()
                    .map(|issued| format!("{} ({})", issued.serial, issued.algorithm))
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    /// A certificate by its SHA-256.
    ///
    /// # Errors
    /// When the store does not have it.
    pub fn certificate(&self, fingerprint: &str) -> Result<CertificateDer<'static>, CaError> {
        self.read()?.certificate(fingerprint)
    }

    /// The name under which the store keeps a certificate: its SHA-256, in lower-case
    /// hexadecimal digits.
    ///
    /// # Errors
    /// When the store does not have it.
    pub fn fingerprint(&self, der: &CertificateDer<'_>) -> Result<String, CaError> {
        let fingerprint = sha256(der);
        self.certificate(&fingerprint)?;
        Ok(fingerprint)
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

    /// Where the private key of an authority or a certificate lies.
    pub fn key_path(&self, id_or_serial: &str) -> PathBuf {
        self.folder.join(KEYS).join(format!("{id_or_serial}.pem"))
    }

    /// The private key of an authority or a certificate.
    ///
    /// # Errors
    /// When the file can't be read, or needs another passphrase.
    pub(crate) fn key(&self, id: &str, algorithm: SignatureAlgorithm) -> Result<Key, CaError> {
        let path = self.key_path(id);
        let text = std::fs::read(&path).map_err(|error| file("read", &path, error))?;
        key::from_pem(&text, algorithm, self.passphrase.as_ref())
            .map_err(|fault| CaError::key(path, fault))
    }

    /// Writes a private key, encrypted if there is a passphrase and it is to be.
    pub(crate) fn write_key(&self, id: &str, key: &Key, encrypts: bool) -> Result<(), CaError> {
        let passphrase = self.passphrase.as_ref().filter(|_| encrypts);
        let text = key::to_pem(key.pkcs8(), passphrase)?;
        let path = self.key_path(id);
        files::write_secret(&path, text.as_bytes(), &self.fuse)
            .map_err(|error| file("write", &path, error))
    }

    /// Removes the key of something that did not come to be: a commit that failed may have
    /// happened all the same. Where it can't be told, the key is left over, which
    /// [`Store::check`] reports.
    pub(crate) fn forget_key(&self, id: &str) {
        let is_kept = self.read().and_then(|read| {
            let is_authority = read.authorities()?.iter().any(|a| a.key == id);
            Ok(is_authority || read.issued()?.iter().any(|i| i.serial == id))
        });
        if matches!(is_kept, Ok(false)) {
            let _ = std::fs::remove_file(self.key_path(id));
        }
    }

    pub(crate) fn read(&self) -> Result<Reading, CaError> {
        Ok(Reading(self.database.begin_read()?))
    }

    /// Runs a transaction: all of it happens, or nothing.
    ///
    /// # Errors
    /// What `work` says; a clock that is behind the log.
    pub(crate) fn write<T>(
        &self,
        now: OffsetDateTime,
        work: impl FnOnce(&Writing) -> Result<T, CaError>,
    ) -> Result<T, CaError> {
        let transaction = self.database.begin_write()?;
        let writing = Writing { transaction, now };
        writing.check_clock()?;
        let done = work(&writing)?;
        writing.transaction.commit()?;
        Ok(done)
    }

    /// Looks at everything in the store: the log's hashes, certificates, keys and their
    /// files' rights. Keys that are encrypted are looked at with the passphrase that the
    /// store was opened with.
    ///
    /// # Errors
    /// When the database can't be read at all.
    pub fn check(&self) -> Result<Vec<Fault>, CaError> {
        check::check(self)
    }
}

mod check;

fn open_database(path: &Path, fuse: &Fuse, is_new: bool) -> Result<Database, CaError> {
    burn(fuse, path)?;
    let opened = backend::open(path, fuse, is_new);
    opened.map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => CaError::Busy {
            folder: path.to_owned(),
            waited: Duration::ZERO,
        },
        other => other.into(),
    })
}

#[cfg(not(test))]
mod backend {
    use super::{Database, DatabaseError, Fuse, Path};

    pub(super) fn open(path: &Path, _: &Fuse, is_new: bool) -> Result<Database, DatabaseError> {
        if is_new {
            Database::create(path)
        } else {
            Database::open(path)
        }
    }
}

#[cfg(test)]
mod backend;
#[cfg(test)]
mod tests;

fn burn(fuse: &Fuse, path: &Path) -> Result<(), CaError> {
    fuse.burn().map_err(|error| file("write", path, error))
}

pub(crate) fn file(action: &'static str, path: &Path, error: std::io::Error) -> CaError {
    CaError::File {
        action,
        path: path.to_owned(),
        error,
    }
}

/// A view of the store that does not change.
pub(crate) struct Reading(ReadTransaction);

impl Reading {
    pub(crate) fn authorities(&self) -> Result<Vec<Authority>, CaError> {
        all(&self.0.open_table(AUTHORITIES)?, "authority")
    }

    pub(crate) fn authority(&self, id: &str) -> Result<Authority, CaError> {
        find_authority(&self.0.open_table(AUTHORITIES)?, id)
    }

    pub(crate) fn issued(&self) -> Result<Vec<Issued>, CaError> {
        all(&self.0.open_table(ISSUED)?, "certificate")
    }

    pub(crate) fn certificate(
        &self,
        fingerprint: &str,
    ) -> Result<CertificateDer<'static>, CaError> {
        find_certificate(&self.0.open_table(CERTIFICATES)?, fingerprint)
    }

    /// The authority's certificate and those above it without the root, and the root. An
    /// authority that is a root has an empty chain.
    pub(crate) fn chain_of_authority(&self, id: &str) -> Result<Chain, CaError> {
        let authorities = self.0.open_table(AUTHORITIES)?;
        let certificates = self.0.open_table(CERTIFICATES)?;
        chain_of_authority(&authorities, &certificates, id)
    }

    /// Entries, each with the bytes that are stored.
    pub(crate) fn log(&self) -> Result<Vec<(LogEntry, Vec<u8>)>, CaError> {
        let mut entries = Vec::new();
        for row in self.0.open_table(LOG)?.iter()? {
            let (sequence, bytes) = row?;
            let what = format!("entry {} of the log", sequence.value());
            entries.push((decode(&what, bytes.value())?, bytes.value().to_vec()));
        }
        Ok(entries)
    }
}

/// Certificates below the root, and the root where it is known.
type Chain = (
    Vec<CertificateDer<'static>>,
    Option<CertificateDer<'static>>,
);

fn chain_of_authority(
    authorities: &impl ReadableTable<&'static str, &'static [u8]>,
    certificates: &impl ReadableTable<&'static str, &'static [u8]>,
    id: &str,
) -> Result<Chain, CaError> {
    let mut chain = Vec::new();
    let mut next = find_authority(authorities, id)?;
    loop {
        let fingerprint = next.fingerprint.as_deref().ok_or(CaError::AuthorityState {
            id: next.id.clone(),
            state: next.state.label(),
            hint: "it has no certificate yet",
        })?;
        let certificate = find_certificate(certificates, fingerprint)?;
        if !next.is_subordinate {
            return Ok((chain, Some(certificate)));
        }
        chain.push(certificate);
        let Some(issuer) = &next.issuer else {
            for fingerprint in &next.outside_chain {
                chain.push(find_certificate(certificates, fingerprint)?);
            }
            let root = next.outside_root.as_deref();
            let root = root.map(|root| find_certificate(certificates, root));
            return Ok((chain, root.transpose()?));
        };
        next = find_authority(authorities, issuer)?;
    }
}

fn find_authority(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    id: &str,
) -> Result<Authority, CaError> {
    match table.get(id)? {
        Some(bytes) => decode(&format!("authority {id}"), bytes.value()),
        None => {
            let known: Vec<Authority> = all(table, "authority")?;
            let known: Vec<_> = known.into_iter().map(|authority| authority.id).collect();
            Err(CaError::UnknownAuthority {
                id: id.to_owned(),
                known: known.join(", "),
            })
        }
    }
}

fn find_certificate(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    fingerprint: &str,
) -> Result<CertificateDer<'static>, CaError> {
    let found = table.get(fingerprint)?;
    let der =
        found.ok_or_else(|| CaError::damaged(format!("certificate {fingerprint}"), "gone"))?;
    Ok(der.value().to_vec().into())
}

fn all<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    what: &str,
) -> Result<Vec<T>, CaError> {
    let mut found = Vec::new();
    for row in table.iter()? {
        let (key, bytes) = row?;
        found.push(decode(&format!("{what} {}", key.value()), bytes.value())?);
    }
    Ok(found)
}

fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, CaError> {
    serde_json::from_slice(bytes).map_err(|error| CaError::damaged(what, error))
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, CaError> {
    serde_json::to_vec(value).map_err(|error| CaError::damaged("a new entry", error))
}

/// A transaction that may change the store.
pub(crate) struct Writing {
    transaction: WriteTransaction,
    now: OffsetDateTime,
}

impl Writing {
    pub(crate) fn authorities(&self) -> Result<Vec<Authority>, CaError> {
        all(&self.transaction.open_table(AUTHORITIES)?, "authority")
    }

    pub(crate) fn authority(&self, id: &str) -> Result<Authority, CaError> {
        find_authority(&self.transaction.open_table(AUTHORITIES)?, id)
    }

    pub(crate) fn put_authority(&self, authority: &Authority) -> Result<(), CaError> {
        let mut table = self.transaction.open_table(AUTHORITIES)?;
        table.insert(authority.id.as_str(), encode(authority)?.as_slice())?;
        Ok(())
    }

    pub(crate) fn issued(&self, serial: &str) -> Result<Issued, CaError> {
        let table = self.transaction.open_table(ISSUED)?;
        let found = table.get(serial)?;
        let bytes = found.ok_or_else(|| CaError::UnknownCertificate(serial.to_owned()))?;
        decode(&format!("certificate {serial}"), bytes.value())
    }

    pub(crate) fn all_issued(&self) -> Result<Vec<Issued>, CaError> {
        all(&self.transaction.open_table(ISSUED)?, "certificate")
    }

    pub(crate) fn has_serial(&self, serial: &str) -> Result<bool, CaError> {
        Ok(self.transaction.open_table(ISSUED)?.get(serial)?.is_some())
    }

    pub(crate) fn put_issued(&self, issued: &Issued) -> Result<(), CaError> {
        let mut table = self.transaction.open_table(ISSUED)?;
        table.insert(issued.serial.as_str(), encode(issued)?.as_slice())?;
        Ok(())
    }

    pub(crate) fn certificate(
        &self,
        fingerprint: &str,
    ) -> Result<CertificateDer<'static>, CaError> {
        find_certificate(&self.transaction.open_table(CERTIFICATES)?, fingerprint)
    }

    /// Keeps a certificate and gives its SHA-256.
    pub(crate) fn put_certificate(&self, der: &CertificateDer<'_>) -> Result<String, CaError> {
        let fingerprint = sha256(der);
        let mut table = self.transaction.open_table(CERTIFICATES)?;
        table.insert(fingerprint.as_str(), der.as_ref())?;
        Ok(fingerprint)
    }

    /// Appends to the log.
    pub(crate) fn note(&self, event: Event) -> Result<(), CaError> {
        let mut table = self.transaction.open_table(LOG)?;
        let (sequence, previous) = match table.last()? {
            Some((sequence, bytes)) => (sequence.value(), sha256(bytes.value())),
            None => (0, sha256(&[])),
        };
        let entry = LogEntry {
            sequence: sequence + 1,
            at: self.now,
            event,
            previous,
        };
        table.insert(entry.sequence, encode(&entry)?.as_slice())?;
        Ok(())
    }

    /// What is signed under a clock that is behind would be valid in another time.
    fn check_clock(&self) -> Result<(), CaError> {
        let table = self.transaction.open_table(LOG)?;
        let Some((_, bytes)) = table.last()? else {
            return Ok(());
        };
        let last: LogEntry = decode("the last entry of the log", bytes.value())?;
        if self.now + CLOCK_TOLERANCE < last.at {
            return Err(CaError::Clock {
                now: self.now,
                what: "the last entry of the log",
                then: last.at,
            });
        }
        Ok(())
    }
}

/// A value as the text that it is written and read as.
pub(crate) mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}
