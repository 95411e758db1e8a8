//! What is assessed: scans and inventories, from files or made now.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use audit::{AssetKind, Endpoint, Estate, Inventory, Target};
use inventory::Options;
use tokio::sync::mpsc;

use super::{Arguments, read_json};
use crate::{bad_input, runtime};

/// Configurations larger than this are shown without a diff, in bytes.
const MOST_TEXT: u64 = 4 << 20;

pub(crate) struct Gathered {
    pub(crate) estate: Estate,
}

impl Gathered {
    pub(crate) fn new(arguments: &Arguments) -> Result<Self> {
        let mut endpoints = Vec::new();
        for path in &arguments.scan {
            endpoints.extend(read_scan(path)?);
        }
        endpoints.extend(scan_now(arguments.target.clone())?);
        let inventory = match (&arguments.inventory, arguments.path.is_empty()) {
            (Some(path), _) => Some(read_json::<Inventory>(path)?),
            (None, false) => {
                let options = Options {
                    versions: arguments.installed.iter().cloned().collect(),
                    ..Options::default()
                };
                Some(crate::inventory::take(&arguments.path, &options)?)
            }
            (None, true) => None,
        };
        let texts = inventory.as_ref().map(texts).unwrap_or_default();
        Ok(Self {
            estate: Estate {
                endpoints,
                inventory,
                texts,
            },
        })
    }

    /// The same targets as they are now.
    pub(crate) fn scanned_again(&self) -> Result<Self> {
        let mut targets: Vec<Target> = Vec::new();
        for endpoint in &self.estate.endpoints {
            if !targets.contains(&endpoint.target) {
                targets.push(endpoint.target.clone());
            }
        }
        Ok(Self {
            estate: Estate {
                endpoints: scan_now(targets)?,
                ..self.estate.clone()
            },
        })
    }
}

/// The texts of configurations, where they are still as they were found.
fn texts(inventory: &Inventory) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for asset in &inventory.assets {
        let path = &asset.location.path;
        let is_small = fs::metadata(path).is_ok_and(|about| about.len() <= MOST_TEXT);
        if matches!(asset.kind, AssetKind::Settings(_))
            && is_small
            && !texts.contains_key(path)
            && let Ok(text) = fs::read_to_string(path)
        {
            texts.insert(path.clone(), text);
        }
    }
    texts
}

/// The lines of `pqlab scan --out`. The last one may be cut off: the scan may still run.
pub(crate) fn read_scan(path: &Path) -> Result<Vec<Endpoint>> {
    let context = || format!("reading {}", path.display());
    let file = File::open(path).with_context(context).map_err(bad_input)?;
    let mut reader = BufReader::new(file);
    let mut endpoints = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).with_context(context)?;
        if length == 0 {
            return Ok(endpoints);
        }
        match serde_json::from_slice(&line) {
            Ok(endpoint) => endpoints.push(endpoint),
            Err(_) if line.last() != Some(&b'\n') => {
                eprintln!(
                    "{}: the last line is not whole, and left out",
                    path.display()
                );
                return Ok(endpoints);
            }
            Err(error) => {
                let number = endpoints.len() + 1;
                let error = anyhow::Error::new(error).context(format!(
                    "line {number} of {} is no result of a scan",
                    path.display()
                ));
                return Err(bad_input(error));
            }
        }
    }
}

/// Everything about these targets, as `pqlab scan` asks by default.
fn scan_now(targets: Vec<Target>) -> Result<Vec<Endpoint>> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let options = scan::Options::default();
    let mut endpoints = runtime()?.block_on(async {
        let (sender, mut receiver) = mpsc::channel(64);
        let scanning =
            tokio::spawn(async move { scan::scan(targets.into_iter(), &options, sender).await });
        let mut endpoints = Vec::new();
        while let Some(of_target) = receiver.recv().await {
            endpoints.extend(of_target);
        }
        scanning.await.context("scanning")?;
        anyhow::Ok(endpoints)
    })?;
    // As they come depends on the network.
    endpoints.sort_by(|one, other| (&one.target, one.address).cmp(&(&other.target, other.address)));
    Ok(endpoints)
}
