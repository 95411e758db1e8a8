//! pqlab against real third parties: each as client and as server where it can be, per group
//! and certificate, with the account of both sides checked.
//!
//! `scripts/install-peers` brings the peers; one that is absent skips its cases and says why.
//! `PQLAB_REQUIRE_PEERS=node,go` makes the absence of these a failure. Words on the command
//! line select cases: `cargo test -p cli --test interop -- node "mutual TLS"` runs those with
//! all of them in their description. The table goes to `interop/table.md` and `table.json` in
//! cargo's target folder, beside a screenshot of Chromium.

mod abilities;
mod cases;
mod expected;
mod http;
mod installed;
mod lab;
mod party;
mod peers;
mod play;
mod pqlab;
mod process;
mod table;
mod terms;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::cases::Case;
use crate::lab::Lab;
use crate::party::Peer;
use crate::table::{Results, Row};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("interop: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    ctrlc::set_handler(|| {
        process::end_all();
        std::process::exit(130);
    })?;
    // Flags are those of the standard harness, and mean nothing here.
    let words: Vec<_> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let folder = installed::target().join("interop");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;

    let peers = peers::find();
    for peer in &peers {
        let version = peer.version.as_ref();
        println!("{:16} {}", peer.name, version.unwrap_or_else(|why| why));
    }
    let cases: Vec<_> = cases::all(&peers)
        .into_iter()
        .filter(|case| {
            let description = description(&peers, case);
            words.iter().all(|word| description.contains(word.as_str()))
        })
        .collect();
    if cases.is_empty() {
        println!("0 passed, 0 failed, 0 skipped");
        return Ok(ExitCode::SUCCESS);
    }
    let lab = Arc::new(Lab::new()?);
    let outcomes = play::all(&peers, &cases, &lab);
    let rows = cases
        .iter()
        .zip(&outcomes)
        .map(|(case, outcome)| Row::new(&peers[case.peer], case, outcome));
    let results = Results(rows.collect());
    results.print();
    results.write(&folder)?;
    let missing = required(&peers);
    for name in &missing {
        println!("required, but not there: {name}");
    }
    println!("{}", results.summary());
    Ok(if results.failed() == 0 && missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn description(peers: &[Peer], case: &Case) -> String {
    format!(
        "{} {:?} {} {} {} {}",
        peers[case.peer].name,
        case.role,
        case.what,
        case.group(),
        case.certificate(),
        case.stack.unwrap_or_default(),
    )
}

/// The peers in `$PQLAB_REQUIRE_PEERS` that are absent or unknown.
fn required(peers: &[Peer]) -> Vec<String> {
    let names = std::env::var("PQLAB_REQUIRE_PEERS").unwrap_or_default();
    let is_there = |name: &str| {
        let mut of_name = peers
            .iter()
            .filter(|peer| peer.name.split(' ').next() == Some(name));
        of_name.any(|peer| peer.version.is_ok())
    };
    names
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && !is_there(name))
        .map(str::to_owned)
        .collect()
}
