//! `pqlab verify`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use measure::CellResult;
use stack::PairError;

use crate::Ending;
use crate::matrices::{Preset, Selection};
use crate::run::open_cache;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,

    /// Where certificates are kept between runs.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,

    /// Print every cell, not only failures.
    #[arg(long)]
    all: bool,

    /// Print as JSON, one object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let matrix = arguments.selection.read(Preset::Full)?.matrix;
    let cache = open_cache(arguments.cache)?;
    let [mut verified, mut unsupported, mut failed] = [0; 3];
    measure::verify_matrix(&matrix, &cache, |cell| {
        let (word, reason) = verdict(cell);
        match word {
            "verified" => verified += 1,
            "unsupported" => unsupported += 1,
            _ => failed += 1,
        }
        if arguments.json {
            let CellResult { scenario, .. } = cell;
            let line = serde_json::json!({
                "scenario": scenario.to_string(), "result": word, "reason": reason,
            });
            say!("{line}");
        } else if arguments.all || word == "failed" {
            say!("{word:<12} {} {reason}", cell.scenario);
        }
    })?;
    if !arguments.json {
        say!("{verified} verified, {failed} failed, {unsupported} unsupported");
    }
    Ok(if failed == 0 {
        Ending::Good
    } else {
        Ending::Bad
    })
}

fn verdict(cell: &CellResult) -> (&'static str, String) {
    match &cell.result {
        Ok(()) => ("verified", String::new()),
        Err(PairError::Unsupported(unsupported)) => ("unsupported", unsupported.to_string()),
        Err(error) => ("failed", error.to_string()),
    }
}
