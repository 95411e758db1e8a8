//! The lab's certificates as files, for both sides of a case.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use wire::ChainAlgorithms;

use crate::abilities::{CHAINS, ECDSA};
use crate::process::Process;
use crate::terms::{Identity, Shown};

/// Chains of [`CHAINS`], and one of a stranger.
pub(crate) struct Lab {
    folder: TempDir,
    cache: PathBuf,
}

impl Lab {
    /// Has pqlab make them, in the cache of `$PQLAB_CACHE`, else in one of this suite's own.
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("pqlab-interop-")
            .tempdir()?;
        let cache = match std::env::var_os("PQLAB_CACHE") {
            Some(cache) if !cache.is_empty() => cache.into(),
            _ => folder.path().join("cache"),
        };
        let lab = Self { folder, cache };
        for chain in CHAINS {
            make(chain, &lab.cache, &lab.of(chain))?;
        }
        let stranger = lab.path("stranger-cache");
        make(STRANGER, &stranger, &lab.stranger())?;
        Ok(lab)
    }

    /// pqlab, ready for arguments.
    pub(crate) fn pqlab(&self) -> Command {
        pqlab(&self.cache)
    }

    /// A folder for the files of a case.
    pub(crate) fn scratch(&self, case: usize) -> Result<PathBuf> {
        let path = self.path(&format!("case-{case}"));
        std::fs::create_dir(&path)?;
        Ok(path)
    }

    pub(crate) fn server(&self, chain: ChainAlgorithms) -> Identity {
        identity(chain, &self.of(chain), "server")
    }

    pub(crate) fn client(&self, chain: ChainAlgorithms) -> Identity {
        identity(chain, &self.of(chain), "client")
    }

    /// A client that no server of the lab has reason to trust.
    pub(crate) fn strange_client(&self) -> Identity {
        identity(STRANGER, &self.stranger(), "client")
    }

    /// An anchor under which no certificate of the lab is.
    pub(crate) fn strange_root(&self) -> PathBuf {
        self.stranger().join("root.pem")
    }

    /// The anchors of these chains in one file.
    pub(crate) fn roots(&self, chains: &[ChainAlgorithms], run: &Path) -> Result<PathBuf> {
        let pem: Result<String> = chains
            .iter()
            .map(|chain| {
                let path = self.of(*chain).join("root.pem");
                std::fs::read_to_string(&path).with_context(|| path.display().to_string())
            })
            .collect();
        let path = run.join("roots.pem");
        std::fs::write(&path, pem?)?;
        Ok(path)
    }

    fn of(&self, chain: ChainAlgorithms) -> PathBuf {
        self.path(&chain.to_string())
    }

    fn stranger(&self) -> PathBuf {
        self.path("stranger")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

const STRANGER: ChainAlgorithms = ECDSA;

fn identity(algorithms: ChainAlgorithms, folder: &Path, role: &str) -> Identity {
    Identity {
        algorithms: Shown(algorithms),
        chain: folder.join(format!("{role}.pem")),
        key: folder.join(format!("{role}-key.pem")),
    }
}

fn pqlab(cache: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pqlab"));
    command.env("NO_COLOR", "1").env("PQLAB_CACHE", cache);
    command
}

fn make(chain: ChainAlgorithms, cache: &Path, folder: &Path) -> Result<()> {
    let mut command = pqlab(cache);
    command.args(["certificates", "--auth", &chain.to_string(), "--out"]);
    // Finding RSA keys takes a while in a debug build.
    let deadline = Instant::now() + Duration::from_secs(60);
    let (status, written) = Process::start(command.arg(folder), "")?.finish(deadline)?;
    if !status.success() {
        bail!("pqlab certificates: {status}: {}", written.tail());
    }
    Ok(())
}
