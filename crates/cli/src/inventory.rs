//! `pqlab inventory`: certificates, keys, stores and configurations in files.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use audit::{Asset, AssetKind, Inventory, KeyFacts, KeyUse, Settings};
use clap::Args;
use inventory::{InstalledVersion, Options};

use crate::output::escape;
use crate::progress::Spinner;
use crate::{Ending, bad_input};

/// Find certificates, keys, keystores and TLS configurations in files.
#[derive(Args)]
#[command(
    after_help = "Read are certificates, requests and keys (PEM, DER, PKCS #7), PKCS #12, JKS, SSH \
    and OpenPGP keys, and the configurations of nginx, Apache, HAProxy, Envoy, Caddy, OpenSSL, \
    OpenSSH, PostgreSQL and Java. No password is tried, nothing is decrypted, and nothing of a \
    private key but its algorithm and fingerprint is told.\n\n\
    Exit codes: 0 all was read; 1 something could not be, and is listed; 2 bad arguments."
)]
pub(crate) struct Arguments {
    /// Files and folders to look at.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// A program's version and that of its TLS library, which decide what its defaults mean:
    /// nginx=1.22.1/openssl=3.0.2. May be given several times.
    #[arg(long, value_name = "PROGRAM=VERSION/LIBRARY=VERSION")]
    installed: Vec<InstalledVersion>,

    /// Bytes up to which a file is read.
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().max_file_bytes)]
    max_file_bytes: u64,

    /// Write the inventory as JSON to this file, for `pqlab assess`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Print the inventory as JSON.
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// Print a line of CSV for each asset.
    #[arg(long)]
    csv: bool,
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let options = Options {
        max_file_bytes: arguments.max_file_bytes,
        versions: arguments.installed.iter().cloned().collect(),
    };
    let inventory = take(&arguments.paths, &options)?;
    if let Some(path) = &arguments.out {
        let json = serde_json::to_string_pretty(&inventory)?;
        fs::write(path, json + "\n").with_context(|| format!("writing {}", path.display()))?;
    }
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&inventory)?);
    } else if arguments.csv {
        say!("{}", audit::output::assets_csv(&inventory).trim_end());
    } else {
        say!("{}", text(&inventory));
    }
    Ok(match inventory.problems.is_empty() {
        true => Ending::Good,
        false => Ending::Bad,
    })
}

/// Takes the inventory, with progress on a terminal.
pub(crate) fn take(paths: &[PathBuf], options: &Options) -> Result<Inventory> {
    let progress = Spinner::new("files");
    let mut files = 0;
    let taken = inventory::take(paths, options, &mut |_| {
        files += 1;
        progress.count(files);
    });
    taken.map_err(bad_input)
}

fn text(inventory: &Inventory) -> String {
    let mut lines = Vec::new();
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for asset in &inventory.assets {
        if let Some(key) = counted(asset) {
            *counts.entry(key).or_default() += 1;
        }
        lines.push(format!(
            "{}\n    {}",
            escape(&asset.location.to_string()),
            what(asset)
        ));
    }
    if !counts.is_empty() {
        lines.push(String::new());
    }
    for ((what, algorithm), count) in counts {
        lines.push(format!("{count:>6}  {what}, {}", escape(&algorithm)));
    }
    if !inventory.problems.is_empty() {
        lines.push("\nNot read:".to_owned());
    }
    for problem in &inventory.problems {
        let (location, reason) = (problem.location.to_string(), &problem.reason);
        lines.push(format!("{}: {}", escape(&location), escape(reason)));
    }
    lines.push(format!(
        "\n{} files, {} assets, {} not read",
        inventory.files,
        inventory.assets.len(),
        inventory.problems.len()
    ));
    lines.join("\n")
}

/// What a summary counts.
fn counted(asset: &Asset) -> Option<(&'static str, String)> {
    let of_key = |key: &KeyFacts| {
        let name = |algorithm: &audit::Algorithm| algorithm.to_string();
        key.algorithm.as_ref().map_or("encrypted".to_owned(), name)
    };
    Some(match &asset.kind {
        AssetKind::Certificate(facts) => ("certificates", facts.key.to_string()),
        AssetKind::Request(key) => ("requests", of_key(key)),
        AssetKind::Key(key) if key.is_private => ("private keys", of_key(key)),
        AssetKind::Key(key) => ("public keys", of_key(key)),
        AssetKind::Store(_) => ("keystores", "as a whole".to_owned()),
        AssetKind::Settings(settings) => ("configurations", settings.software.title().to_owned()),
    })
}

fn what(asset: &Asset) -> String {
    match &asset.kind {
        AssetKind::Certificate(facts) => {
            let names = match facts.names.is_empty() {
                true => String::new(),
                false => format!(" for {}", facts.names.join(", ")),
            };
            escape(&format!(
                "certificate: {} signed with {}{names}, {} until {}",
                facts.key,
                facts.signature,
                facts.subject,
                facts.not_after.get(..10).unwrap_or(&facts.not_after),
            ))
        }
        AssetKind::Request(key) => format!("request: {}", self::key(key)),
        AssetKind::Key(key) => {
            let side = if key.is_private { "private" } else { "public" };
            format!("{side} key: {}", self::key(key))
        }
        AssetKind::Store(store) => {
            let count =
                |count: Option<u32>| count.map_or("?".to_owned(), |count| count.to_string());
            escape(&format!(
                "keystore: {} private keys, {} certificates; protected by {}",
                count(store.private_keys),
                count(store.certificates),
                store.protection.join(", ")
            ))
        }
        AssetKind::Settings(settings) => self::settings(settings),
    }
}

fn key(key: &KeyFacts) -> String {
    let algorithm = match &key.algorithm {
        Some(algorithm) => algorithm.to_string(),
        None => "algorithm not told".to_owned(),
    };
    let uses: Vec<&str> = key
        .uses
        .iter()
        .map(|one| match one {
            KeyUse::KeyEstablishment => "key establishment",
            KeyUse::Signature => "signature",
        })
        .collect();
    let encrypted = if key.is_encrypted { ", encrypted" } else { "" };
    let owner = key
        .owner
        .as_ref()
        .map_or(String::new(), |owner| format!(", {owner}"));
    escape(&format!(
        "{algorithm} ({}){encrypted}{owner}",
        uses.join(" and ")
    ))
}

fn settings(settings: &Settings) -> String {
    let algorithms = |list: &[audit::Algorithm]| {
        let names: Vec<String> = list.iter().map(ToString::to_string).collect();
        names.join(" > ")
    };
    let groups = match (
        settings.key_exchanges.is_empty(),
        settings.key_exchanges_by_default,
    ) {
        (true, _) => "key exchange not known".to_owned(),
        (false, true) => format!("{} by default", algorithms(&settings.key_exchanges)),
        (false, false) => algorithms(&settings.key_exchanges),
    };
    let static_rsa = match settings.static_rsa {
        Some(true) => "; static RSA on",
        Some(false) => "; static RSA off",
        None => "",
    };
    let mut text = escape(&format!(
        "{} {}: {groups}{static_rsa}",
        settings.software.title(),
        settings.scope
    ));
    for remark in &settings.remarks {
        text.push_str(&format!("\n    - {}", escape(remark)));
    }
    text
}
