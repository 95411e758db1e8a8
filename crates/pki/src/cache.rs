//! Hierarchies on disk.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use wire::ChainAlgorithms;

use crate::hierarchy::{Defect, Hierarchy};
use crate::{Identity, PkiError, Role};

#[cfg(test)]
mod tests;

/// A folder that holds one hierarchy of certificates per chain, made when first asked for.
///
/// Each hierarchy is one PEM file named after its [`ChainAlgorithms`], so that server and
/// client are always of one root. A file is written under a temporary name and renamed:
/// readers see the whole of it or nothing. Writers take turns on a lock file, so any number
/// of threads and processes get the same certificates.
///
/// A file that is damaged, of the wrong algorithms, not yet valid, or valid for less than a
/// day is replaced without a word.
///
/// On Unix a folder made here has mode 0700, and files have mode 0600.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// Uses `directory`, which is made if it does not exist.
    ///
    /// # Errors
    /// [`PkiError::CreateDirectory`] if it cannot be made or is no folder. Whether it can be
    /// written shows when something must be: a filled cache may be read-only.
    pub fn open(directory: PathBuf) -> Result<Self, PkiError> {
        match create_private_directory(&directory) {
            Ok(()) => Ok(Self { directory }),
            Err(error) => Err(PkiError::CreateDirectory { directory, error }),
        }
    }

    /// Where `pqlab` keeps its certificates: `$PQLAB_CACHE/pki`, else `pqlab/pki` in the user's
    /// cache folder (`$XDG_CACHE_HOME` or `~/.cache`; `%LOCALAPPDATA%` on Windows).
    ///
    /// # Errors
    /// [`PkiError::NoCacheDirectory`] if the home folder is unknown.
    pub fn default_dir() -> Result<PathBuf, PkiError> {
        let user_cache = || {
            etcetera::choose_base_strategy()
                .ok()
                .map(|base| base.cache_dir())
        };
        default_dir(std::env::var_os("PQLAB_CACHE"), user_cache)
    }

    /// What `role` authenticates with in a chain of these algorithms.
    ///
    /// The first call for a chain makes its certificates: milliseconds, but seconds where
    /// RSA keys must be found, and it waits for whoever is making the same ones.
    ///
    /// # Errors
    /// [`PkiError::WriteEntry`] if certificates must be made and cannot be stored,
    /// [`PkiError::Generate`] if the cryptographic library fails.
    pub fn identity(&self, chain: ChainAlgorithms, role: Role) -> Result<Identity, PkiError> {
        self.identity_at(chain, role, OffsetDateTime::now_utc())
    }

    /// The roots of every usable hierarchy that is in the cache, in no particular order.
    ///
    /// # Errors
    /// [`PkiError::ReadDirectory`] if the folder can't be read.
    pub fn roots(&self) -> Result<Vec<CertificateDer<'static>>, PkiError> {
        let failed = |error| PkiError::ReadDirectory {
            directory: self.directory.clone(),
            error,
        };
        let now = OffsetDateTime::now_utc();
        let mut roots = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let chain = name
                .to_str()
                .and_then(|name| name.strip_suffix(".pem"))
                .and_then(|name| name.parse().ok());
            if let Some(hierarchy) = chain.and_then(|chain| self.read(chain, now).ok()) {
                roots.push(hierarchy.root().clone());
            }
        }
        Ok(roots)
    }

    fn identity_at(
        &self,
        chain: ChainAlgorithms,
        role: Role,
        now: OffsetDateTime,
    ) -> Result<Identity, PkiError> {
        Ok(self.hierarchy(chain, now)?.into_identity(role))
    }

    fn hierarchy(
        &self,
        chain: ChainAlgorithms,
        now: OffsetDateTime,
    ) -> Result<Hierarchy, PkiError> {
        if let Ok(hierarchy) = self.read(chain, now) {
            return Ok(hierarchy);
        }
        let _turn = self.lock(chain)?;
        // Somebody may have made it while this one waited.
        if let Ok(hierarchy) = self.read(chain, now) {
            return Ok(hierarchy);
        }
        let hierarchy = Hierarchy::generate(chain, now)?;
        let path = self.path(chain);
        match self.write(&path, hierarchy.to_pem().as_bytes()) {
            Ok(()) => Ok(hierarchy),
            Err(error) => Err(PkiError::WriteEntry { path, error }),
        }
    }

    /// A file that is missing or cannot be read is as good as a damaged one: the way out is
    /// the same, and if that is barred too, writing says why.
    fn read(&self, chain: ChainAlgorithms, now: OffsetDateTime) -> Result<Hierarchy, Defect> {
        let text = fs::read(self.path(chain)).map_err(|_| Defect::Encoding)?;
        Hierarchy::from_pem(&text, chain, now)
    }

    fn write(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        // Made with mode 0600 on Unix.
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(&self.directory)?;
        file.write_all(text)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    /// Holds until the file is dropped, or its process ends.
    fn lock(&self, chain: ChainAlgorithms) -> Result<File, PkiError> {
        let path = self.directory.join(format!("{chain}.lock"));
        let locked = private_file_options()
            .open(&path)
            .and_then(|file| match file.lock() {
                // Some network file systems know no locks: renaming still keeps files whole.
                Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
                _ => Ok(file),
            });
        locked.map_err(|error| PkiError::WriteEntry { path, error })
    }

    fn path(&self, chain: ChainAlgorithms) -> PathBuf {
        self.directory.join(format!("{chain}.pem"))
    }
}

fn default_dir(
    pqlab_cache: Option<OsString>,
    user_cache: impl FnOnce() -> Option<PathBuf>,
) -> Result<PathBuf, PkiError> {
    let cache = match pqlab_cache {
        Some(cache) if !cache.is_empty() => PathBuf::from(cache),
        _ => user_cache()
            .ok_or(PkiError::NoCacheDirectory)?
            .join("pqlab"),
    };
    Ok(cache.join("pki"))
}

fn create_private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn private_file_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
