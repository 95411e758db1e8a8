//! The tables of the report.

use experiment::{Meter, Metric, RefusalKind, Scenario, Side, Subject, Summary};

use crate::Dataset;
use crate::figure::Table;
use crate::number::{self, NBSP};
use crate::view;

/// Every handshake: what each side spends, with its tail.
pub(crate) fn handshakes(run: &Dataset<'_>) -> Option<Table> {
    let scenarios = view::costed(run);
    let rows: Vec<Vec<String>> = scenarios
        .iter()
        .filter_map(|s| handshake_row(run, s))
        .collect();
    let columns = [
        "handshake",
        "client median, µs",
        "client p90",
        "client p99",
        "client mean",
        "server median, µs",
        "server p90",
        "server p99",
        "server mean",
        "samples",
        "disturbed",
    ];
    (!rows.is_empty()).then(|| without_empty_columns(table(&columns, rows)))
}

fn handshake_row(run: &Dataset<'_>, scenario: &Scenario) -> Option<Vec<String>> {
    let mut row = vec![scenario.to_string()];
    let mut counts = Counts::default();
    for side in Side::BOTH {
        let metric = view::cost_metric(run, scenario, side)?;
        let summary = view::summary(run, scenario, metric)?;
        let harness = view::harness(run, metric);
        let microseconds = |ns: f64| (ns - harness).max(0.0) / 1e3;
        let median = number::map(summary.median, microseconds);
        let (value, low, high) =
            number::plain_interval(median.value, Some([median.low, median.high]));
        row.push(format!("{value} [{low},{NBSP}{high}]"));
        for q in [0.9, 0.99] {
            row.push(if view::is_enough_for(q, summary.count) {
                number::plain(round(microseconds(summary.quantile(q))))
            } else {
                String::new()
            });
        }
        row.push(if varies(scenario) {
            number::plain(round(microseconds(summary.mean)))
        } else {
            String::new()
        });
        counts = Counts {
            used: counts.used + summary.count,
            taken: counts.taken + summary.taken,
            disturbed: counts.disturbed + summary.disturbed,
        };
    }
    row.push(number::count(counts.used as f64 / 2.0));
    row.push(number::percent(
        counts.disturbed as f64 / counts.taken.max(1) as f64,
    ));
    Some(row)
}

/// Samples of both sides.
#[derive(Default)]
struct Counts {
    used: usize,
    taken: usize,
    disturbed: usize,
}

fn round(value: f64) -> f64 {
    if value < 10.0 {
        (value * 10.0).round() / 10.0
    } else {
        value.round()
    }
}

/// Whether someone signs with ML-DSA, whose time varies by nature: a plan needs the mean.
fn varies(scenario: &Scenario) -> bool {
    let handshake = scenario.handshake();
    let client = handshake.client_authentication();
    handshake.authentication().leaf().facts().post_quantum
        || client.is_some_and(|chain| chain.leaf().facts().post_quantum)
}

/// What the harness itself takes.
pub(crate) fn harness(run: &Dataset<'_>) -> Option<Table> {
    let null = run
        .records()
        .iter()
        .find_map(|record| match &record.subject {
            Subject::Handshake(scenario) if view::is_null(scenario) => Some(&record.subject),
            _ => None,
        })?;
    let rows: Vec<Vec<String>> = Side::BOTH
        .into_iter()
        .flat_map(|side| [Metric::Cpu(side), Metric::Wall(side)])
        .filter_map(|metric| {
            let summary = run.summary(null, metric)?;
            Some(vec![
                metric.to_string(),
                number::estimate(summary.median, number::MICROSECONDS),
            ])
        })
        .collect();
    (!rows.is_empty()).then(|| table(&["metric", "median of the null handshake"], rows))
}

/// Quantiles of the primitives.
pub(crate) fn primitives(run: &Dataset<'_>) -> Option<Table> {
    let mut rows: Vec<Vec<String>> = run
        .records()
        .iter()
        .filter(|r| r.replica == 0 && matches!(r.subject, Subject::Primitive(_)))
        .filter_map(|record| {
            let summary = Summary::of(&record.samples)?;
            let us = |ns: f64| number::three_digits(ns / 1e3);
            Some(vec![
                record
                    .subject
                    .to_string()
                    .trim_start_matches("primitive:")
                    .to_owned(),
                us(summary.quantile(0.1)),
                us(summary.median.value),
                us(summary.quantile(0.9)),
                us(summary.mean),
                number::count(summary.count as f64),
            ])
        })
        .collect();
    rows.sort();
    let columns = [
        "operation",
        "p10, µs",
        "median, µs",
        "p90, µs",
        "mean, µs",
        "samples",
    ];
    (!rows.is_empty()).then(|| table(&columns, rows))
}

/// What could not be measured, and why.
pub(crate) fn refusals(run: &Dataset<'_>) -> Option<Table> {
    let rows: Vec<Vec<String>> = run
        .manifest
        .refusals
        .iter()
        .map(|refusal| {
            let kind = match refusal.kind {
                RefusalKind::Unsupported => "not supported",
                RefusalKind::Failed => "failed",
            };
            vec![
                refusal.subject.to_string(),
                refusal.meter.to_string(),
                kind.to_owned(),
                refusal.reason.clone(),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| table(&["what", "meter", "outcome", "reason"], rows))
}

/// The libraries with their versions and caveats.
pub(crate) fn libraries(run: &Dataset<'_>) -> Option<Table> {
    let rows: Vec<Vec<String>> = run
        .manifest
        .libraries
        .iter()
        .map(|library| {
            vec![
                library.name.clone(),
                library.version.clone(),
                library.caveat.clone().unwrap_or_default(),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| table(&["stack or provider", "library", "to know"], rows))
}

/// The manifest in pairs of name and value.
pub(crate) fn machine(run: &Dataset<'_>) -> Table {
    let manifest = &run.manifest;
    let machine = &manifest.machine;
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            rows.push(vec![name.to_owned(), value]);
        }
    };
    row("CPU", machine.cpu.clone());
    row("logical CPUs", machine.cores.to_string());
    row("CPU features", machine.features.join(", "));
    let memory = machine.memory as f64 / f64::from(1 << 30);
    row(
        "memory",
        if machine.memory > 0 {
            format!("{memory:.1} GiB")
        } else {
            String::new()
        },
    );
    row("system", machine.system.clone());
    row(
        "virtualised",
        machine
            .virtualisation
            .clone()
            .unwrap_or_else(|| "no sign of it".to_owned()),
    );
    row("host", machine.host.clone());
    row("started", manifest.started.clone());
    row(
        "finished",
        manifest
            .finished
            .clone()
            .unwrap_or_else(|| "not finished".to_owned()),
    );
    row("pqlab", manifest.pqlab_version.clone());
    row("git revision", manifest.git_revision.clone());
    row("compiler", manifest.compiler.clone());
    row("seed of the random orders", manifest.seed.to_string());
    row(
        "baseline",
        manifest
            .baseline
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    );
    row("filters", manifest.filters.join(" "));
    let spent: Vec<String> = Meter::ALL
        .iter()
        .filter_map(|meter| {
            let seconds = manifest.spent.get(meter)?;
            Some(format!("{meter} {} s", number::plain(round(*seconds))))
        })
        .collect();
    row("measuring time", spent.join(", "));
    table(&["", ""], rows)
}

/// Leaves out the columns in which no row has anything.
fn without_empty_columns(table: Table) -> Table {
    let is_used = |at: usize| {
        let mut cells = table.rows.iter().filter_map(|row| row.get(at));
        cells.any(|cell| !cell.is_empty())
    };
    let used: Vec<usize> = (0..table.columns.len()).filter(|at| is_used(*at)).collect();
    let keep = |row: &Vec<String>| used.iter().filter_map(|at| row.get(*at).cloned()).collect();
    Table {
        columns: keep(&table.columns),
        rows: table.rows.iter().map(keep).collect(),
    }
}

fn table(columns: &[&str], rows: Vec<Vec<String>>) -> Table {
    Table {
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        rows,
    }
}
