//! The short answer for a terminal.

use experiment::{Run, Side};

use crate::Dataset;
use crate::{answer, number, page, view};

/// Columns that a terminal has for sure.
const WIDTH: usize = 80;

/// The answer in words and the handshakes in a table, as plain text of 80 columns where
/// scenario ids allow it.
pub fn terminal_summary(run: &Run) -> String {
    let run = &Dataset::new(run);
    let mut out = String::new();
    let title = &run.manifest.title;
    out.push_str(&format!("{title}\n\n"));
    for warning in page::warnings(run) {
        out.push_str(&indented(&format!("WARNING  {warning}"), "", "         "));
        out.push('\n');
    }
    for finding in answer::findings(run) {
        out.push_str(&format!("{}\n", finding.subject));
        out.push_str(&indented(&finding.text, "  ", "  "));
        out.push('\n');
    }
    if let Some(table) = cost_table(run) {
        out.push_str(&table);
    }
    let refused = run.manifest.refusals.len();
    if refused > 0 {
        let things = if refused == 1 { "thing" } else { "things" };
        out.push_str(&format!(
            "{refused} {things} could not be measured; the report says why.\n"
        ));
    }
    out
}

fn indented(text: &str, first: &str, others: &str) -> String {
    let mut out = String::from(first);
    let mut column = first.chars().count();
    let mut is_start = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !is_start && column + 1 + length > WIDTH {
            out.push('\n');
            out.push_str(others);
            column = others.chars().count();
            is_start = true;
        }
        if !is_start {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
        is_start = false;
    }
    out.push('\n');
    out
}

fn cost_table(run: &Dataset<'_>) -> Option<String> {
    let mut rows = vec![["handshake", "client, µs", "server, µs"].map(str::to_owned)];
    for scenario in view::costed(run) {
        let [client, server] = Side::BOTH.map(|side| {
            let cost = view::cost(run, scenario, side)?;
            let cost = number::MICROSECONDS.of(cost);
            let (value, low, high) =
                number::plain_interval(cost.value, Some([cost.low, cost.high]));
            Some(format!("{value} [{low}, {high}]"))
        });
        rows.push([
            scenario.to_string(),
            client.unwrap_or_default(),
            server.unwrap_or_default(),
        ]);
    }
    if rows.len() == 1 {
        return None;
    }
    let width = |column: usize| {
        rows.iter()
            .map(|r| r[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let [id, client, server] = [width(0), width(1), width(2)];
    let name = view::reference(run).map_or("time", |s| view::cost_name(run, &s));
    let mut out = format!("Median {name} per handshake with 95 % interval\n\n");
    for row in &rows {
        out.push_str(&format!(
            "{:id$}  {:>client$}  {:>server$}\n",
            row[0], row[1], row[2]
        ));
    }
    out.push('\n');
    Some(out)
}
