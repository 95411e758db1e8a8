//! The sums and findings below a panel.

use experiment::Side;

use super::canvas::{Anchor, Canvas, NORMAL, text_width};
use super::layout::PANEL;
use crate::render::wrap;
use crate::trace::{INITIAL_WINDOW, Trace, Verdict};
use crate::words::{number, time};

const LINE: f64 = 20.0;
const INSET: f64 = 14.0;

/// Draws them below `top`, and gives the bottom. The window's bar is as long as
/// `largest_flight`, or as the window.
pub(super) fn draw(
    canvas: &mut Canvas,
    trace: &Trace,
    left: f64,
    top: f64,
    largest_flight: usize,
) -> f64 {
    let mut rows = Rows {
        left,
        y: top + 34.0,
        canvas,
    };
    let totals = &trace.totals;
    let cells = |cell: &dyn Fn(Side) -> String| Side::BOTH.map(cell);
    rows.row("", &Side::BOTH.map(|side| side.to_string()), "small muted");
    rows.row(
        "bytes sent",
        &cells(&|side| number(totals.of(side).bytes)),
        "strong",
    );
    rows.row(
        "TCP segments",
        &cells(&|side| number(totals.of(side).segments)),
        "",
    );
    rows.row(
        "CPU time",
        &cells(&|side| {
            let cpu = totals.of(side).cpu;
            cpu.map_or_else(|| "not measured".to_owned(), time)
        }),
        "",
    );
    let trips = match totals.round_trips {
        Some(trips) => format!("{trips}, then the client may send data"),
        None => "the end was not seen".to_owned(),
    };
    rows.value("round trips", &trips, "");
    let (fits, class) = match totals.fits_initial_window {
        true => ("✓", "holds"),
        false => ("✗", "falls"),
    };
    let largest = number(totals.largest_server_flight);
    let window = format!("{fits} {largest} of {} B", number(INITIAL_WINDOW));
    rows.value("initial window", &window, class);
    rows.window(totals.largest_server_flight, largest_flight);
    if !trace.findings.is_empty() {
        rows.text("Against a quantum computer", "muted");
    }
    for finding in &trace.findings {
        let (sign, class) = mark(finding.verdict);
        let verdict = format!("{sign} {}", finding.verdict);
        rows.value(
            &finding.subject.to_string(),
            &verdict,
            &format!("strong {class}"),
        );
    }
    if let Some(error) = &trace.error {
        let fit = ((PANEL - 2.0 * INSET) / text_width("x", NORMAL)) as usize;
        for line in wrap(&format!("Ends here: {error}."), fit) {
            rows.text(&line, "warning");
        }
    }
    rows.y - LINE + 8.0
}

/// A sign and a class of colour: either tells.
pub(super) const fn mark(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Falls => ("✗", "falls"),
        Verdict::Holds => ("✓", "holds"),
        Verdict::Open => ("?", "open"),
    }
}

struct Rows<'c> {
    canvas: &'c mut Canvas,
    left: f64,
    /// Base line of the next row.
    y: f64,
}

impl Rows<'_> {
    fn row(&mut self, label: &str, [client, server]: &[String; 2], class: &str) {
        self.label(label);
        let right = self.left + PANEL - INSET;
        for (cell, x) in [(client, right - 130.0), (server, right)] {
            self.canvas.text([x, self.y], Anchor::End, class, cell);
        }
        self.y += LINE;
    }

    fn value(&mut self, label: &str, value: &str, class: &str) {
        self.label(label);
        let right = self.left + PANEL - INSET;
        self.canvas.text([right, self.y], Anchor::End, class, value);
        self.y += LINE;
    }

    fn label(&mut self, label: &str) {
        if !label.is_empty() {
            let x = self.left + INSET;
            self.canvas.text([x, self.y], Anchor::Start, "muted", label);
        }
    }

    fn text(&mut self, text: &str, class: &str) {
        let x = self.left + INSET;
        self.canvas.text([x, self.y], Anchor::Start, class, text);
        self.y += LINE;
    }

    /// The largest flight beside the initial window.
    fn window(&mut self, flight: usize, largest_flight: usize) {
        let width = PANEL - 2.0 * INSET;
        let longest = largest_flight.max(INITIAL_WINDOW) as f64;
        let length = |bytes: usize| width * bytes as f64 / longest;
        let (x, y) = (self.left + INSET, self.y - 10.0);
        self.canvas.rectangle([x, y], [width, 8.0], "track");
        self.canvas.rectangle([x, y], [length(flight), 8.0], "fill");
        let limit = x + length(INITIAL_WINDOW);
        self.canvas
            .line([limit, y - 3.0], [limit, y + 11.0], "limit");
        self.y += LINE;
    }
}
