//! Runs the tools that make the files.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use audit::{Asset, AssetKind, CertificateFacts, KeyFacts, StoreFacts};
use inventory::{Findings, Versions};

/// A folder in which tools write.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Runs a tool in the folder with arguments between spaces; `~` in one stands for a space.
    /// False, with the reason printed, where it is not installed.
    pub(crate) fn run(&self, command: &str) -> bool {
        let mut words = command.split(' ').map(|word| word.replace('~', " "));
        let program = words.next().unwrap();
        let run = Command::new(&program)
            .args(words)
            .current_dir(self.path())
            .env("GNUPGHOME", self.path())
            .stdin(Stdio::null())
            .output();
        match run {
            Ok(output) if output.status.success() => true,
            Ok(output) => panic!("{command}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => {
                println!("skipped: {program} can't be run: {error}");
                false
            }
        }
    }

    /// What the inventory finds in a file.
    pub(crate) fn read(&self, name: &str) -> Findings {
        read(&self.file(name))
    }
}

pub(crate) fn read(path: &Path) -> Findings {
    inventory::read(path, &std::fs::read(path).unwrap(), &Versions::default())
}

/// What the inventory finds in bytes with a name.
pub(crate) fn read_bytes(name: &str, bytes: &[u8]) -> Findings {
    inventory::read(Path::new(name), bytes, &Versions::default())
}

/// The only asset, where nothing is a problem.
pub(crate) fn only(findings: Findings) -> Asset {
    assert_eq!(findings.problems, []);
    let [asset] = <[Asset; 1]>::try_from(findings.assets).unwrap();
    asset
}

pub(crate) fn key(asset: &Asset) -> &KeyFacts {
    match &asset.kind {
        AssetKind::Key(facts) => facts,
        other => panic!("no key: {other:?}"),
    }
}

pub(crate) fn certificate(asset: &Asset) -> &CertificateFacts {
    match &asset.kind {
        AssetKind::Certificate(facts) => facts,
        other => panic!("no certificate: {other:?}"),
    }
}

pub(crate) fn store(asset: &Asset) -> &StoreFacts {
    match &asset.kind {
        AssetKind::Store(facts) => facts,
        other => panic!("no store: {other:?}"),
    }
}

pub(crate) fn algorithm(asset: &Asset) -> String {
    match &asset.kind {
        AssetKind::Key(facts) | AssetKind::Request(facts) => facts
            .algorithm
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        AssetKind::Certificate(facts) => facts.key.to_string(),
        other => panic!("no algorithm: {other:?}"),
    }
}
