//! What clients of a case need, as files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lab::certificates::Exhibit;
use tempfile::TempDir;

use crate::bad_input;

/// Where the files are.
pub(super) enum Folder {
    /// Of the user.
    Named(PathBuf),
    /// Removed at the end, with what is in it.
    Temporary(TempDir),
}

/// The files of one case.
pub(super) struct Files {
    /// What clients trust.
    pub(super) root: PathBuf,
    /// The certificate that the client of the case shows, and its key.
    pub(super) client: Option<[PathBuf; 2]>,
}

impl Folder {
    pub(super) fn new(named: Option<&Path>) -> Result<Self> {
        let Some(path) = named else {
            let made = tempfile::Builder::new().prefix("pqlab-certs-").tempdir();
            return Ok(Self::Temporary(made.context("making a temporary folder")?));
        };
        fs::create_dir_all(path)
            .with_context(|| format!("making {}", path.display()))
            .map_err(bad_input)?;
        // Commands are to work wherever they are typed.
        let whole = fs::canonicalize(path).with_context(|| path.display().to_string())?;
        Ok(Self::Named(whole))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    /// Writes the roots of a case, and the client's certificate and key.
    pub(super) fn write(&self, exhibit: &Exhibit) -> Result<Files> {
        let write = |end: &str, text: &str| -> Result<PathBuf> {
            let path = self.path().join(format!("{}-{end}.pem", exhibit.case.name));
            replace(&path, text).with_context(|| format!("writing {}", path.display()))?;
            Ok(path)
        };
        let roots: String = exhibit.roots.iter().map(pki::certificate_pem).collect();
        let client = exhibit.client_certificate.as_ref().map(|client| {
            let chain = write("client", &client.chain_pem())?;
            Ok::<_, anyhow::Error>([chain, write("client-key", &client.key_pem())?])
        });
        Ok(Files {
            root: write("root", &roots)?,
            client: client.transpose()?,
        })
    }
}

/// A file of mode 0600, in the place of one that may be there.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
