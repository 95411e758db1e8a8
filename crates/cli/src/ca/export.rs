//! Certificates and keys as files, and `pqlab ca pfx`

use std::io::Write;
use std::path::{Path, PathBuf};

use ::ca::{CaError, Issued, Name, Store};
use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::json;

use super::{Options, fault, first_line, now};
use crate::output::{SCHEMA, TOOL_VERSION};
use crate::{Ending, bad_input};

/// Where certificates and keys go.
#[derive(Args)]
pub(super) struct Folder {
    /// The folder for chain and key; made if it does not exist.
    #[arg(long = "out", default_value = ".", value_name = "FOLDER")]
    path: PathBuf,

    /// Replace files that are there.
    #[arg(long)]
    force: bool,
}

/// What was written.
pub(super) struct Files {
    pub(super) chain: PathBuf,
    pub(super) chain_bytes: usize,
    pub(super) key: Option<PathBuf>,
}

impl Folder {
    /// Looks before anything is issued whether files would be in the way.
    pub(super) fn check(&self, name: &Name, is_pair: bool) -> Result<()> {
        std::fs::create_dir_all(&self.path)
            .with_context(|| format!("making {}", self.path.display()))?;
        let ends: &[&str] = if is_pair {
            &["-ecdsa-p256", "-ml-dsa-65"]
        } else {
            &[""]
        };
        for end in ends {
            for path in self.paths(name, end) {
                if path.exists() && !self.force {
                    let what = "is there already; --force replaces it, --out writes elsewhere";
                    return Err(bad_input(anyhow!("{} {what}", path.display())));
                }
            }
        }
        Ok(())
    }

    fn paths(&self, name: &Name, end: &str) -> [PathBuf; 2] {
        let stem = file_name(name);
        [
            self.path.join(format!("{stem}{end}.pem")),
            self.path.join(format!("{stem}{end}-key.pem")),
        ]
    }

    /// Writes what was issued. Where that can't be, it is in the store all the same.
    pub(super) fn write_all(&self, store: &Store, issued: &[Issued]) -> Result<Vec<Files>> {
        let write = |one: &Issued| self.write(store, one, one.twin.is_some());
        let files: Result<Vec<Files>> = issued.iter().map(write).collect();
        files.with_context(|| {
            let serials: Vec<_> = issued.iter().map(|one| one.serial.as_str()).collect();
            format!(
                "issued, and not written: `pqlab ca export` does it for {}",
                serials.join(" and ")
            )
        })
    }

    pub(super) fn write(&self, store: &Store, issued: &Issued, is_pair: bool) -> Result<Files> {
        let end = match is_pair {
            true => format!("-{}", issued.algorithm),
            false => String::new(),
        };
        let [chain, key] = self.paths(&issued.names[0], &end);
        let source = store.key_path(&issued.serial);
        let text =
            std::fs::read(&source).with_context(|| format!("reading {}", source.display()))?;
        write(&key, &text, self.force, SECRET)?;
        let pem = chain_pem(store, issued)?;
        write(&chain, pem.as_bytes(), self.force, PUBLIC)?;
        let ders = store.chain(issued).map_err(fault)?;
        Ok(Files {
            chain_bytes: ders.iter().map(|der| der.len()).sum(),
            chain,
            key: Some(key),
        })
    }
}

/// A name as part of a file's.
fn file_name(name: &Name) -> String {
    let text = name.to_string().replace('*', "wildcard");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
    text.chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect()
}

pub(super) fn chain_pem(store: &Store, issued: &Issued) -> Result<String> {
    let chain = store.chain(issued).map_err(fault)?;
    Ok(chain.iter().map(pki::certificate_pem).collect())
}

/// Who may read a file: keys their owner alone, certificates and lists everybody.
const SECRET: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// Writes a file for everybody, in the place of one that may be there.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes, true, PUBLIC)
}

/// Writes a file for everybody that is not there yet.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes, false, PUBLIC)
}

/// Writes a file for its owner alone that is not there yet.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes, false, SECRET)
}

/// Refuses before anything is done what could not be written after it.
pub(super) fn check_absent(path: &Path) -> Result<()> {
    match path.exists() {
        true => Err(bad_input(anyhow!("{} is there already", path.display()))),
        false => Ok(()),
    }
}

fn write(path: &Path, bytes: &[u8], replaces: bool, mode: u32) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let context = || format!("writing {}", path.display());
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(folder).with_context(context)?;
    file.write_all(bytes).with_context(context)?;
    file.as_file().sync_all().with_context(context)?;
    match replaces {
        true => file.persist(path).map(|_| ()),
        false => file.persist_noclobber(path).map(|_| ()),
    }
    .map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            bad_input(anyhow!("{} is there already", path.display()))
        }
        _ => anyhow::Error::from(error.error).context(context()),
    })
}

#[derive(Args)]
pub(super) struct Export {
    /// The certificate: its serial number, or a name that it is for.
    #[arg(value_name = "SERIAL|NAME")]
    what: String,

    #[command(flatten)]
    folder: Folder,
}

pub(super) fn export(options: &Options, arguments: &Export) -> Result<Ending> {
    let store = options.open()?;
    let issued = store.find(&arguments.what, now()).map_err(fault)?;
    if !issued.has_key {
        return Err(fault(CaError::NoKey(issued.serial)));
    }
    let is_pair = issued.twin.is_some();
    arguments.folder.check(&issued.names[0], is_pair)?;
    let files = arguments.folder.write(&store, &issued, is_pair)?;
    super::issue::tell(options, &[issued], &[files])
}

#[derive(Args)]
pub(super) struct Pfx {
    /// The certificate: its serial number, or a name that it is for.
    #[arg(value_name = "SERIAL|NAME")]
    what: String,

    /// A file whose first line is the password; PQLAB_PFX_PASSWORD is looked at where none
    /// is named.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Where it goes.
    #[arg(long, value_name = "FILE", required_unless_present = "base64")]
    out: Option<PathBuf>,

    /// Write it to stdout in base64 on one line, as settings of cloud functions want it.
    #[arg(long, conflicts_with = "out")]
    base64: bool,
}

pub(super) fn pfx(options: &Options, arguments: &Pfx) -> Result<Ending> {
    let password = match &arguments.password_file {
        Some(path) => first_line(path)?,
        None => std::env::var("PQLAB_PFX_PASSWORD").unwrap_or_default(),
    };
    if password.is_empty() {
        let what = "a PKCS#12 file needs a password: --password-file or PQLAB_PFX_PASSWORD";
        return Err(bad_input(anyhow!(what)));
    }
    let store = options.open()?;
    let issued = store.find(&arguments.what, now()).map_err(fault)?;
    let bytes = store.pfx(&issued, &password).map_err(fault)?;
    let Some(path) = &arguments.out else {
        let text = STANDARD.encode(&bytes);
        if options.json {
            let json = json!({
                "schema": SCHEMA,
                "tool_version": TOOL_VERSION,
                "serial": issued.serial,
                "pfx_base64": text,
            });
            say!("{json:#}");
        } else {
            say!("{text}");
        }
        return Ok(Ending::Good);
    };
    write_secret(path, &bytes)?;
    if options.json {
        let json = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "serial": issued.serial,
            "file": path,
            "file_bytes": bytes.len(),
        });
        say!("{json:#}");
    } else {
        say!("{} ({} bytes)", path.display(), bytes.len());
    }
    Ok(Ending::Good)
}
