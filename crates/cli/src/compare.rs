//! `pqlab compare`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use experiment::{Comparison, ComparisonRow, Run, Unit, Verdict, compare};

use crate::{Ending, bad_input};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder of the run to compare with.
    base: PathBuf,

    /// The folder of the run in question.
    new: PathBuf,

    /// What counts as a regression: a share, 0.03 for 3 %.
    #[arg(long, default_value_t = 0.03)]
    threshold: f64,

    /// Show every row, not only those that differ.
    #[arg(long)]
    all: bool,

    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    if !(arguments.threshold.is_finite() && arguments.threshold >= 0.0) {
        return Err(bad_input(anyhow::anyhow!("--threshold must be at least 0")));
    }
    let base = Run::load(&arguments.base).map_err(bad_input)?;
    let new = Run::load(&arguments.new).map_err(bad_input)?;
    let comparison = compare(&base, &new, arguments.threshold);
    if comparison.rows.is_empty() {
        return Err(bad_input(anyhow::anyhow!(
            "the two runs have nothing in common that was measured"
        )));
    }
    if arguments.json {
        say!("{}", json(&comparison)?);
    } else {
        if base.manifest.machine != new.manifest.machine {
            say!("The runs are of different machines: this compares the machines, too.\n");
        }
        print(&comparison, arguments.threshold, arguments.all);
    }
    Ok(if comparison.has_regression() {
        Ending::Bad
    } else {
        Ending::Good
    })
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Regression => "more",
        Verdict::Improvement => "less",
        Verdict::NoMeasurableDifference => "no measurable difference",
    }
}

fn print(comparison: &Comparison, threshold: f64, all: bool) {
    let differs = |row: &&ComparisonRow| row.verdict != Verdict::NoMeasurableDifference;
    let differing = comparison.rows.iter().filter(differs).count();
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header([
        "subject",
        "metric",
        "base",
        "new",
        "ratio",
        "95 % interval",
        "verdict",
    ]);
    for row in comparison.rows.iter().filter(|row| all || differs(row)) {
        table.add_row([
            row.subject.to_string(),
            row.metric.to_string(),
            quantity(row.base, row.metric.unit()),
            quantity(row.new, row.metric.unit()),
            format!("{:.3}", row.ratio.value),
            format!("{:.3} to {:.3}", row.ratio.low, row.ratio.high),
            word(row.verdict).to_owned(),
        ]);
    }
    for column in 2..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if all || differing > 0 {
        say!("{table}\n");
    }
    say!(
        "{} of {} rows differ by more than {:.1} % and the noise floor of {:.1} %.",
        differing,
        comparison.rows.len(),
        threshold * 100.0,
        comparison.noise * 100.0
    );
    if !comparison.normalised {
        say!("Without a yardstick in both runs, the machine's own speed is in the ratios.");
    }
    for (subject, metric) in &comparison.missing {
        say!("Not in the new run: {subject} {metric}");
    }
}

fn quantity(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Nanoseconds => format!("{:.1} µs", value / 1000.0),
        Unit::Bytes => format!("{value:.0} B"),
        Unit::Count => format!("{value:.0}"),
    }
}

fn json(comparison: &Comparison) -> Result<String> {
    let rows: Vec<_> = comparison
        .rows
        .iter()
        .map(|row| {
            serde_json::json!({
                "subject": row.subject,
                "metric": row.metric,
                "base": row.base,
                "new": row.new,
                "ratio": row.ratio.value,
                "low95": row.ratio.low,
                "high95": row.ratio.high,
                "verdict": match row.verdict {
                    Verdict::Regression => "regression",
                    Verdict::Improvement => "improvement",
                    Verdict::NoMeasurableDifference => "no-measurable-difference",
                },
            })
        })
        .collect();
    let missing: Vec<_> = comparison
        .missing
        .iter()
        .map(|(subject, metric)| serde_json::json!({ "subject": subject, "metric": metric }))
        .collect();
    let document = serde_json::json!({
        "noise": comparison.noise,
        "normalised": comparison.normalised,
        "rows": rows,
        "missing": missing,
    });
    Ok(serde_json::to_string_pretty(&document)?)
}
