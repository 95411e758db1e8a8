//! `pqlab run`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use clap::Args;
use experiment::Run;
use measure::{BuildInfo, MeasureError, Outcome, Plan};
use pki::Cache;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::matrices::{Preset, Selected, Selection};
use crate::progress::Bar;
use crate::{Ending, bad_input};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,

    /// The folder to write; results/DATE-HOST if not given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Measuring time in seconds, in the matrix's proportions.
    #[arg(long)]
    seconds: Option<f64>,

    /// The seed of every random order; a new one if not given.
    #[arg(long)]
    seed: Option<u64>,

    /// Go on with a run that was interrupted or killed.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["matrix", "quick", "full", "filter", "out", "seconds", "seed"]
    )]
    resume: Option<PathBuf>,

    /// Where certificates are kept between runs; $PQLAB_CACHE or the user's cache folder
    /// if not given.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,

    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// This binary, as manifests name it.
fn build_info() -> BuildInfo {
    BuildInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_revision: env!("PQLAB_GIT_REVISION").to_owned(),
        compiler: env!("PQLAB_COMPILER").to_owned(),
    }
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    if cfg!(debug_assertions) {
        eprintln!(
            "This is a debug build: use `cargo run --release -- run` for figures that count."
        );
    }
    let stop = stop_on_signals()?;
    let cache = open_cache(arguments.cache)?;
    let (folder, outcome) = match arguments.resume {
        Some(folder) => {
            let total = Run::load(&folder)
                .map_err(bad_input)?
                .manifest
                .budget
                .total();
            let mut bar = Bar::new(total);
            let outcome = measure::resume(&folder, &build_info(), &cache, &mut bar, &stop);
            bar.finish();
            (folder, outcome)
        }
        None => {
            let selected = arguments.selection.read(Preset::Default)?;
            let plan = plan(selected, arguments.out, arguments.seconds, arguments.seed)?;
            let folder = plan.folder.clone();
            let mut bar = Bar::new(plan.matrix.budget.total());
            let outcome = measure::run(plan, &cache, &mut bar, &stop);
            bar.finish();
            (folder, outcome)
        }
    };
    if outcome.map_err(classify)? == Outcome::Interrupted {
        eprintln!(
            "Interrupted. What was measured is kept; go on with: pqlab run --resume {}",
            folder.display()
        );
        return Ok(Ending::Interrupted);
    }
    let run = Run::load(&folder)?;
    crate::trace::leave_beside(&folder, &cache)?;
    report::write_report(&run, &folder)
        .with_context(|| format!("drawing the report of {}", folder.display()))?;
    show(&run, &folder, arguments.json)
}

fn show(run: &Run, folder: &Path, json: bool) -> Result<Ending> {
    if json {
        say!("{}", crate::report::json(run)?);
    } else {
        say!("{}", report::terminal_summary(run));
        say!("Report: {}", folder.join("report.html").display());
    }
    Ok(Ending::Good)
}

/// Errors that the user's input causes end with another exit code.
fn classify(error: MeasureError) -> anyhow::Error {
    match error {
        MeasureError::Occupied(_)
        | MeasureError::Complete(_)
        | MeasureError::OtherMachine(_)
        | MeasureError::Matrix(_)
        | MeasureError::Filter(_)
        | MeasureError::Nothing => bad_input(error),
        error => error.into(),
    }
}

fn plan(
    selected: Selected,
    out: Option<PathBuf>,
    seconds: Option<f64>,
    seed: Option<u64>,
) -> Result<Plan> {
    let Selected {
        mut matrix,
        text,
        filters,
    } = selected;
    if let Some(seconds) = seconds {
        if !(seconds.is_finite() && seconds > 0.0) {
            return Err(bad_input(anyhow::anyhow!("--seconds must be more than 0")));
        }
        matrix.budget = matrix.budget.scaled_to(seconds);
    }
    Ok(Plan {
        folder: match out {
            Some(folder) => folder,
            None => free_folder()?,
        },
        matrix,
        matrix_text: text,
        filters,
        // JSON readers in other languages hold whole numbers up to 2^53 only.
        seed: seed.unwrap_or_else(|| rand::random::<u64>() >> 11),
        build: build_info(),
    })
}

/// `results/DATE-HOST`, or with a number behind it where that is taken.
fn free_folder() -> Result<PathBuf> {
    let date = OffsetDateTime::now_utc()
        .format(format_description!("[year]-[month]-[day]"))
        .context("formatting the date")?;
    let host: String = measure::machine()
        .host
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let folder = |number: u32| match number {
        1 => PathBuf::from(format!("results/{date}-{host}")),
        number => PathBuf::from(format!("results/{date}-{host}-{number}")),
    };
    let free = (1..).map(folder).find(|folder| !folder.exists());
    free.context("finding a free folder under results")
}

/// Opens the certificate cache.
pub(crate) fn open_cache(folder: Option<PathBuf>) -> Result<Cache> {
    let folder = match folder {
        Some(folder) => folder,
        None => Cache::default_dir()?,
    };
    Ok(Cache::open(folder)?)
}

/// A flag that Ctrl-C and SIGTERM raise; the second one ends the program at once.
pub(crate) fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = stop.clone();
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .context("setting the handler of interrupts")?;
    Ok(stop)
}
