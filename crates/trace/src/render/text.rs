//! A trace for a terminal.

use experiment::Side;

use super::{WIDTH, headline, wrap};
use crate::trace::{EarlyData, FlightSummary, INITIAL_WINDOW, Step, Totals, Trace, Work};
use crate::words::{bytes, counted, number, time};

/// Column in which the contents of a message begin.
const CONTENT: usize = 24;
/// Columns of a measured time, at the right edge.
const TIME: usize = 14;

/// The whole story, in at most 100 columns.
pub fn text(trace: &Trace) -> String {
    let mut page = Page(String::new());
    page.paragraph("", &trace.title, 0);
    page.paragraph("", &headline(trace).join(" · "), 0);
    let mut number = 0;
    for (index, flight) in trace.flights.iter().enumerate() {
        page.line("");
        page.flight(index, flight);
        for step in trace.steps.iter().filter(|step| step.flight == index) {
            number += 1;
            page.step(number, step);
        }
    }
    if let Some(error) = &trace.error {
        page.line("");
        page.paragraph("The trace ends here: ", &format!("{error}."), 2);
    }
    if !trace.findings.is_empty() {
        page.line("");
        page.line("Against a quantum computer");
        for finding in &trace.findings {
            let label = format!("  {:<22}{:<7}", finding.subject, finding.verdict);
            page.paragraph(&label, &finding.text, label.len());
        }
    }
    page.line("");
    page.totals(&trace.totals, trace.negotiated.early_data);
    page.0
}

struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    /// A label and text that is wrapped beside it, later lines at `indent`.
    fn paragraph(&mut self, label: &str, text: &str, indent: usize) {
        let width = WIDTH - label.chars().count().max(indent);
        for (index, part) in wrap(text, width).iter().enumerate() {
            match index {
                0 => self.line(&format!("{label}{part}")),
                _ => self.line(&format!("{:indent$}{part}", "")),
            }
        }
    }

    fn flight(&mut self, index: usize, flight: &FlightSummary) {
        let mut parts = vec![format!("Flight {}", index + 1), arrow(flight.sender)];
        parts.push(match flight.bytes {
            0 => "nothing sent".to_owned(),
            sent => format!("{} in {}", bytes(sent), counted(flight.segments, "segment")),
        });
        parts.extend(flight.offset.map(|offset| format!("at {}", time(offset))));
        parts.push(match flight.cpu {
            Some(cpu) => format!("CPU {}", time(cpu)),
            None => "CPU not measured".to_owned(),
        });
        let mut line = format!("── {} ", parts.join(" · "));
        let used = line.chars().count();
        line.extend(std::iter::repeat_n('─', WIDTH.saturating_sub(used)));
        self.line(&line);
    }

    fn step(&mut self, index: usize, step: &Step) {
        let size = format!("{} + {} bytes", number(step.bytes), number(step.overhead));
        let name = step.message.to_string();
        self.line(&format!(
            "{index:>3}  {}  {name:<24}{size:>20}   {}",
            arrow(step.sender),
            step.protection
        ));
        for fact in &step.contents {
            self.labelled(fact.name, &fact.value);
        }
        self.sentence("seen", &step.seen);
        self.sentence("secret", &step.secret);
        for work in &step.work {
            self.work(work);
        }
    }

    fn labelled(&mut self, label: &str, text: &str) {
        let label = format!("       {label:<width$}", width = CONTENT - 7);
        self.paragraph(&label, text, CONTENT);
    }

    fn sentence(&mut self, label: &str, parts: &[String]) {
        if !parts.is_empty() {
            self.labelled(label, &parts.join("; "));
        }
    }

    fn work(&mut self, work: &Work) {
        let measured = work.time.map_or_else(|| "not measured".to_owned(), time);
        let width = WIDTH - CONTENT - TIME;
        for (index, part) in wrap(&work.what, width).iter().enumerate() {
            let (label, measured) = match index {
                0 => (format!("{} work", work.side), measured.as_str()),
                _ => (String::new(), ""),
            };
            let indent = CONTENT - 7;
            self.line(&format!(
                "       {label:<indent$}{part:<width$}{measured:>TIME$}"
            ));
        }
    }

    fn totals(&mut self, totals: &Totals, early_data: Option<EarlyData>) {
        let mut row = |label: &str, client: &str, server: &str| {
            self.line(&format!("  {label:<22}{client:>14}{server:>14}"));
        };
        row("", "client", "server");
        let sent = Side::BOTH.map(|side| number(totals.of(side).bytes));
        row("bytes sent", &sent[0], &sent[1]);
        let segments = Side::BOTH.map(|side| number(totals.of(side).segments));
        row("TCP segments", &segments[0], &segments[1]);
        let cpu = Side::BOTH.map(|side| {
            let cpu = totals.of(side).cpu;
            cpu.map_or_else(|| "not measured".to_owned(), time)
        });
        row("CPU time", &cpu[0], &cpu[1]);
        let trips = totals.round_trips.map_or_else(
            || "the handshake was not seen to end".to_owned(),
            |count| {
                let trips = counted(count, "round trip");
                match early_data {
                    Some(EarlyData::Accepted) => {
                        format!("none for the 0-RTT data, {trips} for what follows them")
                    }
                    _ => format!("{trips}, then the client may send application data"),
                }
            },
        );
        let fits = match totals.fits_initial_window {
            true => "fits",
            false => "exceeded: at least one more round trip",
        };
        let window = format!(
            "{fits} (the server's largest flight has {}, the window {})",
            number(totals.largest_server_flight),
            bytes(INITIAL_WINDOW),
        );
        for (name, value) in [("duration", trips), ("initial window", window)] {
            let label = format!("  {name:<22}");
            self.paragraph(&label, &value, label.len());
        }
    }
}

fn arrow(sender: Side) -> String {
    match sender {
        Side::Client => "client ──▶ server".to_owned(),
        Side::Server => "client ◀── server".to_owned(),
    }
}
