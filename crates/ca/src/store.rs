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
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use pki::Key;
use redb::{Database, DatabaseError, ReadableDatabase};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use wire::SignatureAlgorithm;

use crate::files::{self, Fuse};
use crate::key;
use crate::{Authority, CaError, Issued, LogEntry, Name, Passphrase};
use tables::{AUTHORITIES, CERTIFICATES, HEAD, ISSUED, LOG, META};
pub(crate) use tables::{Reading, Writing};

/// Raised whenever what is stored changes its meaning.
const FORMAT: u64 = 1;
const DATABASE: &str = "ca.redb";
const KEYS: &str = "keys";
/// What is not whole yet, and may be removed after a kill.
pub(crate) const PART: &str = ".part";

/// How often a store in use is tried.
const PATIENCE_STEP: Duration = Duration::from_millis(20);

/// An open store. One process has it at a time.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    database: Database,
    /// Whether keys of authorities are encrypted; said when the store was made.
    is_encrypted: bool,
    passphrase: Option<Passphrase>,
    /// Whether the passphrase has opened a key of the store.
    is_passphrase_known: OnceLock<()>,
    accepts_clock: bool,
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
        // Made under another name, since a database without its tables is none, and one of
        // its own, since others may be making one.
        burn(&fuse, &path)?;
        let part = tempfile::Builder::new()
            .prefix(DATABASE)
            .suffix(PART)
            .tempfile_in(folder)
            .map_err(|error| file("write", &path, error))?;
        let database = open_database(part.path(), &fuse, true)?;
        let transaction = database.begin_write()?;
        {
            let mut meta = transaction.open_table(META)?;
            meta.insert("format", FORMAT)?;
            meta.insert("encrypted", u64::from(passphrase.is_some()))?;
        }
        transaction.open_table(HEAD)?;
        transaction.open_table(AUTHORITIES)?;
        transaction.open_table(ISSUED)?;
        transaction.open_table(CERTIFICATES)?;
        transaction.open_table(LOG)?;
        transaction.commit()?;
        drop(database);
        burn(&fuse, &path)?;
        part.persist_noclobber(&path)
            .map_err(|error| match error.error.kind() {
                std::io::ErrorKind::AlreadyExists => CaError::StoreExists {
                    folder: folder.to_owned(),
                },
                _ => file("write", &path, error.error),
            })?;
        files::sync_folder(folder).map_err(|error| file("write", folder, error))?;
        Self::open_with(folder, Duration::from_secs(10), passphrase, fuse)
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
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file("read", &path, error));
            }
            _ => {
                return Err(CaError::NoStore {
                    folder: folder.to_owned(),
                });
            }
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
        let number = |name| -> Result<u64, CaError> {
            let meta = database.begin_read()?.open_table(META)?;
            Ok(meta.get(name)?.map_or(0, |number| number.value()))
        };
        let format = number("format")?;
        if format > FORMAT {
            return Err(CaError::Newer {
                folder: folder.to_owned(),
                format,
                known: FORMAT,
            });
        }
        let is_encrypted = number("encrypted")? == 1;
        Ok(Self {
            folder: folder.to_owned(),
            database,
            is_encrypted,
            passphrase,
            is_passphrase_known: OnceLock::new(),
            accepts_clock: false,
            fuse,
        })
    }

    /// Takes this machine's clock for right, though the log speaks of another time; noted in
    /// the log.
    #[must_use]
    pub const fn accepting_clock(mut self) -> Self {
        self.accepts_clock = true;
        self
    }

    /// Whether the keys of its authorities are encrypted.
    pub const fn is_encrypted(&self) -> bool {
        self.is_encrypted
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
        let serial = what.replace(':', "").to_ascii_uppercase();
        let mut all = self.issued()?;
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
        let current: Vec<&Issued> = all.iter().filter(is_current).collect();
        match (current.as_slice(), all.last()) {
            ([one], _) => Ok((*one).clone()),
            ([], Some(last)) => Ok(last.clone()),
            ([], None) => Err(CaError::UnknownCertificate(what.to_owned())),
            (several, _) => Err(CaError::WhichCertificate {
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

    /// Writes a private key.
    pub(crate) fn write_key(&self, id: &str, key: &Key, encrypts: bool) -> Result<(), CaError> {
        let passphrase = match encrypts {
            true => Some(self.known_passphrase()?),
            false => None,
        };
        let text = key::to_pem(key.pkcs8(), passphrase)?;
        let path = self.key_path(id);
        files::write_secret(&path, text.as_bytes(), &self.fuse)
            .map_err(|error| file("write", &path, error))
    }

    /// The passphrase, once it has opened a key: a mistyped one must encrypt nothing.
    fn known_passphrase(&self) -> Result<&Passphrase, CaError> {
        if !self.is_encrypted {
            return Err(CaError::NotEncrypted);
        }
        let passphrase = self.passphrase.as_ref().ok_or(CaError::NoPassphrase)?;
        if self.is_passphrase_known.get().is_none() {
            if let Some(authority) = self.authorities()?.first() {
                self.key(&authority.key, authority.algorithm)?;
            }
            let _ = self.is_passphrase_known.set(());
        }
        Ok(passphrase)
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
        writing.check_clock(self.accepts_clock)?;
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

    /// Removes what a killed process left: keys that nothing refers to, and files that never
    /// became whole. Gives what was removed. Not to be done in a store that was restored from
    /// an older backup than its keys.
    ///
    /// # Errors
    /// When the folder can't be read or written.
    pub fn tidy(&self) -> Result<Vec<PathBuf>, CaError> {
        check::tidy(self)
    }
}

mod check;
mod tables;

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
        // What others changed in the file is an error then, and not a panic.
        let mut builder = redb::Builder::new();
        builder.set_check_integrity_on_open(!is_new);
        match is_new {
            true => builder.create(path),
            false => builder.open(path),
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
