//! `pqlab certificates`: the lab's certificates as files, for other programs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use pki::Role;
use wire::ChainAlgorithms;

use crate::Ending;
use crate::offer_options::lab;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The algorithm of the chain: see `pqlab list auth`. Mixed chains are written from the
    /// leaf upwards: ecdsa-p256+ml-dsa-65.
    #[arg(long, value_name = "ALGORITHM")]
    auth: ChainAlgorithms,

    /// The folder for root.pem, server.pem, server-key.pem, client.pem and client-key.pem;
    /// made if it does not exist. Files of these names are replaced.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let lab = lab()?;
    let server = lab.identity(arguments.auth, Role::Server)?;
    let client = lab.identity(arguments.auth, Role::Client)?;
    let folder = &arguments.out;
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    for (name, text) in [
        ("root.pem", server.root_pem()),
        ("server.pem", server.chain_pem()),
        ("server-key.pem", server.key_pem()),
        ("client.pem", client.chain_pem()),
        ("client-key.pem", client.key_pem()),
    ] {
        let path = folder.join(name);
        write_private(&path, &text).with_context(|| format!("writing {}", path.display()))?;
        say!("{}", path.display());
    }
    Ok(Ending::Good)
}

/// Keys are for nobody else to read: a file made anew has mode 0600.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
