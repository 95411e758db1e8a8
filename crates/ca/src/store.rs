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

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use pki::Key;
use redb::{Database, DatabaseError, ReadableDatabase};
use tempfile::TempDir;
use time::OffsetDateTime;
use wire::SignatureAlgorithm;

use crate::files::{self, Fuse};
use crate::key;
use crate::{CaError, Passphrase};
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
    /// Where the database was copied to, since it can't be written where it is: a database
    /// that was not shut down has to be mended before it can be read.
    copy: Option<TempDir>,
    fuse: Fuse,
}

/// Something wrong that [`Store::check`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What: a file, a certificate, an entry of the log.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
    /// Whether certificates or keys are lost or wrong.
    pub is_serious: bool,
    /// Whether it could not be looked at, for want of the passphrase; what is neither is
    /// untidy only.
    pub is_unseen: bool,
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
        let copy = match is_read_only(&path) {
            true => Some(copied(&path)?),
            false => None,
        };
        let path = copy
            .as_ref()
            .map_or(path, |copy| copy.path().join(DATABASE));
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
            copy,
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
        if self.copy.is_some() {
            return Err(CaError::ReadOnly {
                folder: self.folder.clone(),
            });
        }
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
mod look;
mod tables;

fn is_read_only(path: &Path) -> bool {
    let opened = std::fs::OpenOptions::new().write(true).open(path);
    opened.is_err_and(|error| {
        matches!(
            error.kind(),
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied
        )
    })
}

fn copied(path: &Path) -> Result<TempDir, CaError> {
    let folder = tempfile::tempdir().map_err(|error| file("make", path, error))?;
    let to = folder.path().join(DATABASE);
    let bytes = std::fs::read(path).map_err(|error| file("read", path, error))?;
    std::fs::write(&to, bytes).map_err(|error| file("write", &to, error))?;
    Ok(folder)
}

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
