//! Traces beside each other: bytes of each message.

use experiment::Side;

use super::{WIDTH, wrap};
use crate::trace::{SideTotals, Trace};
use crate::words::{number, time};

const LABEL: usize = 32;
/// Columns of one trace, at least.
const COLUMN: usize = 16;
/// Traces in one table; more get a second one.
const COLUMNS: usize = (WIDTH - LABEL) / COLUMN;

/// A message by which traces are aligned: sender, name, and which of that name it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    sender: Side,
    name: String,
    occurrence: usize,
}

/// A table of the bytes of each message in each trace, in at most 100 columns. What does
/// not belong to the handshake is left out.
pub fn compare_text(traces: &[Trace]) -> String {
    let tables: Vec<String> = traces.chunks(COLUMNS).map(table).collect();
    tables.join("\n")
}

fn table(traces: &[Trace]) -> String {
    let width = (WIDTH - LABEL) / traces.len().max(1);
    let row = |label: &str, cells: &[String]| {
        let mut line = format!("{label:<LABEL$}");
        for cell in cells {
            line.push_str(&format!("{cell:>width$}"));
        }
        format!("{}\n", line.trim_end())
    };
    let mut table = header(traces, width, &row);
    let messages: Vec<Vec<(Key, usize)>> = traces.iter().map(messages).collect();
    for key in aligned(&messages) {
        let cells: Vec<String> = messages
            .iter()
            .map(|messages| {
                let found = messages.iter().find(|(other, _)| *other == key);
                found.map_or_else(|| "–".to_owned(), |(_, bytes)| number(*bytes))
            })
            .collect();
        table.push_str(&row(&label(&key), &cells));
    }
    let cells = |cell: &dyn Fn(&Trace) -> String| traces.iter().map(cell).collect::<Vec<_>>();
    let overhead = |trace: &Trace| {
        let steps = trace.steps.iter();
        let handshake = steps.filter(|step| step.message.belongs_to_handshake());
        number(handshake.map(|step| step.overhead).sum())
    };
    table.push_str(&row("record layer", &cells(&overhead)));
    table.push_str(&format!(
        "{}\n",
        "─".repeat(WIDTH.min(LABEL + width * traces.len()))
    ));
    for side in Side::BOTH {
        let totals = |of: fn(SideTotals) -> String| move |trace: &Trace| of(trace.totals.of(side));
        table.push_str(&row(
            &format!("bytes from the {side}"),
            &cells(&totals(|totals| number(totals.bytes))),
        ));
        table.push_str(&row(
            &format!("TCP segments from the {side}"),
            &cells(&totals(|totals| number(totals.segments))),
        ));
        table.push_str(&row(
            &format!("CPU of the {side}"),
            &cells(&totals(|totals| {
                totals.cpu.map_or_else(|| "–".to_owned(), time)
            })),
        ));
    }
    let round_trips = |trace: &Trace| {
        let trips = trace.totals.round_trips;
        trips.map_or_else(|| "–".to_owned(), |trips| trips.to_string())
    };
    table.push_str(&row("round trips", &cells(&round_trips)));
    let window = |trace: &Trace| match trace.totals.fits_initial_window {
        true => "fits".to_owned(),
        false => "exceeded".to_owned(),
    };
    table.push_str(&row("initial window", &cells(&window)));
    table
}

/// The titles, on as many lines as the longest takes.
fn header(traces: &[Trace], width: usize, row: &impl Fn(&str, &[String]) -> String) -> String {
    let titles: Vec<Vec<String>> = traces
        .iter()
        .map(|trace| wrap(&trace.title, width.saturating_sub(1).max(1)))
        .collect();
    let height = titles.iter().map(Vec::len).max().unwrap_or(0);
    let mut header = String::new();
    for line in 0..height {
        let label = if line + 1 == height { "bytes" } else { "" };
        // Titles stand on the line above the numbers.
        let cells: Vec<String> = titles
            .iter()
            .map(|title| {
                let above = height - title.len();
                let part = line.checked_sub(above).and_then(|line| title.get(line));
                part.cloned().unwrap_or_default()
            })
            .collect();
        header.push_str(&row(label, &cells));
    }
    header
}

fn label(key: &Key) -> String {
    let arrow = match key.sender {
        Side::Client => "client ──▶",
        Side::Server => "server ◀──",
    };
    match key.occurrence {
        0 => format!("{arrow} {}", key.name),
        again => format!("{arrow} {} ({})", key.name, again + 1),
    }
}

fn messages(trace: &Trace) -> Vec<(Key, usize)> {
    let mut messages: Vec<(Key, usize)> = Vec::new();
    for step in &trace.steps {
        if !step.message.belongs_to_handshake() {
            continue;
        }
        let name = step.message.to_string();
        let occurrence = messages
            .iter()
            .filter(|(key, _)| key.sender == step.sender && key.name == name)
            .count();
        let key = Key {
            sender: step.sender,
            name,
            occurrence,
        };
        messages.push((key, step.bytes));
    }
    messages
}

/// All keys: those of the first trace in its order, others after what they follow.
fn aligned(messages: &[Vec<(Key, usize)>]) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for messages in messages {
        let mut place = 0;
        for (key, _) in messages {
            match keys.iter().position(|other| other == key) {
                Some(found) => place = found + 1,
                None => {
                    keys.insert(place, key.clone());
                    place += 1;
                }
            }
        }
    }
    keys
}
