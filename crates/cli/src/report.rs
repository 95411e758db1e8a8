//! `pqlab report`

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use experiment::{Run, Summary};

use crate::{Ending, assess, bad_input};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Folders of runs.
    #[arg(required = true, value_name = "DIR")]
    runs: Vec<PathBuf>,

    /// Write one page over all runs to this file, besides each run's own.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Put an assessment of `pqlab assess --format json` behind the measurements of --out.
    #[arg(long, value_name = "FILE", requires = "out")]
    assessment: Option<PathBuf>,

    /// The results of `pqlab scan --out` that it was made from, for what clients get.
    #[arg(long, value_name = "FILE", requires = "assessment")]
    scan: Vec<PathBuf>,

    /// Print every statistic as JSON instead of writing reports.
    #[arg(long, conflicts_with = "out")]
    json: bool,
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let mut runs = Vec::new();
    for folder in &arguments.runs {
        runs.push(Run::load(folder).map_err(bad_input)?);
    }
    if arguments.json {
        for run in &runs {
            say!("{}", json(run)?);
        }
        return Ok(Ending::Good);
    }
    for (run, folder) in runs.iter().zip(&arguments.runs) {
        report::write_report(run, folder)
            .with_context(|| format!("drawing the report of {}", folder.display()))?;
        run.write_summary(folder)?;
        say!("{}", folder.join("report.html").display());
    }
    if let Some(path) = arguments.out {
        let assessment = match &arguments.assessment {
            Some(path) => Some(assess::read_json::<audit::Assessment>(path)?),
            None => None,
        };
        let mut endpoints = Vec::new();
        for path in &arguments.scan {
            endpoints.extend(assess::read_scan(path)?);
        }
        let section = assessment.as_ref().map(|one| (one, endpoints.as_slice()));
        let page = report::render_html_with(&runs, section)?;
        std::fs::write(&path, page).with_context(|| format!("writing {}", path.display()))?;
        say!("{}", path.display());
    }
    Ok(Ending::Good)
}

/// The manifest, and the statistics of every record.
pub(crate) fn json(run: &Run) -> Result<String> {
    let records: Vec<_> = run
        .records()
        .iter()
        .filter_map(|record| {
            let summary = Summary::of(&record.samples)?;
            let quantiles: serde_json::Map<_, _> = [0.1, 0.5, 0.9, 0.99, 0.999]
                .into_iter()
                .map(|q| (q.to_string(), summary.quantile(q).into()))
                .collect();
            Some(serde_json::json!({
                "subject": record.subject,
                "replica": record.replica,
                "metric": record.metric,
                "samples": summary.count,
                "disturbed": summary.disturbed,
                "median": summary.median.value,
                "low95": summary.median.low,
                "high95": summary.median.high,
                "mean": summary.mean,
                "quantiles": quantiles,
            }))
        })
        .collect();
    let document = serde_json::json!({ "manifest": run.manifest, "records": records });
    Ok(serde_json::to_string_pretty(&document)?)
}
