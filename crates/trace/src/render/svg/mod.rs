//! Traces as a picture: two lifelines each, messages between them, side by side and to one
//! scale.

mod canvas;
mod layout;
mod panel;
mod style;
mod summary;

use canvas::{Anchor, Canvas};
use layout::{HEAD, PANEL};
use panel::Panel;
use style::{CPU_CLASSES, STYLE};

use crate::trace::Trace;
use crate::words::{bytes, counted, time};

/// Pixels around the picture and between panels.
const MARGIN: f64 = 28.0;

/// A picture of one to three traces side by side. It stands alone, follows the reader's
/// light or dark scheme, and tells everything without colour as well.
pub fn svg(traces: &[Trace]) -> String {
    let scale = Scale::of(traces);
    let flights = layout::flights(traces, &scale);
    let end = flights.last().map_or(HEAD, |flight| flight.bottom);
    let panels = traces.len().max(1) as f64;
    let width = 2.0 * MARGIN + panels * PANEL + (panels - 1.0) * MARGIN;
    let mut canvas = Canvas::default();
    let mut bottom = end;
    for (index, trace) in traces.iter().enumerate() {
        let left = MARGIN + index as f64 * (PANEL + MARGIN);
        let panel = Panel {
            trace,
            left,
            flights: &flights,
            scale: &scale,
            end,
        };
        panel.draw(&mut canvas);
        let window = scale.largest_server_flight;
        bottom = bottom.max(summary::draw(&mut canvas, trace, left, end, window));
    }
    bottom = legend(&mut canvas, &scale, bottom + 18.0, width);
    canvas.document(
        [width, bottom + MARGIN],
        &title(traces),
        &description(traces),
        STYLE,
    )
}

/// What lengths stand for, the same in every panel.
struct Scale {
    /// Bytes of the longest bar.
    bytes: usize,
    /// Nanoseconds of the highest CPU box; `None` where nothing was measured.
    nanoseconds: Option<u128>,
    /// Whether parts of CPU times were measured.
    has_phases: bool,
    /// Of all traces, in bytes.
    largest_server_flight: usize,
}

impl Scale {
    fn of(traces: &[Trace]) -> Self {
        let steps = traces.iter().flat_map(|trace| &trace.steps);
        let flights = || traces.iter().flat_map(|trace| &trace.flights);
        Self {
            bytes: steps
                .filter(|step| step.message.belongs_to_handshake())
                .map(|step| step.bytes + step.overhead)
                .max()
                .unwrap_or(1)
                .max(1),
            nanoseconds: flights()
                .filter_map(|flight| flight.cpu)
                .map(|cpu| cpu.as_nanos())
                .max()
                .filter(|nanoseconds| *nanoseconds > 0),
            has_phases: flights().any(|flight| !flight.phases.is_empty()),
            largest_server_flight: traces
                .iter()
                .map(|trace| trace.totals.largest_server_flight)
                .max()
                .unwrap_or(0),
        }
    }
}

fn title(traces: &[Trace]) -> String {
    let titles: Vec<&str> = traces.iter().map(|trace| trace.title.as_str()).collect();
    format!("TLS handshakes step by step: {}", titles.join(" | "))
}

/// The picture in words, for those who do not see it.
fn description(traces: &[Trace]) -> String {
    let sentences: Vec<String> = traces
        .iter()
        .map(|trace| {
            let totals = &trace.totals;
            let trips = totals.round_trips.map_or_else(
                || "did not end".to_owned(),
                |trips| format!("took {}", counted(trips, "round trip")),
            );
            let findings: Vec<String> = trace
                .findings
                .iter()
                .map(|finding| format!("{}: {}", finding.subject, finding.verdict))
                .collect();
            format!(
                "{}: the handshake {trips}; the client sent {}, the server {}. Against a quantum \
                 computer: {}.",
                trace.title,
                bytes(totals.client.bytes),
                bytes(totals.server.bytes),
                match findings.as_slice() {
                    [] => "unknown".to_owned(),
                    findings => findings.join(", "),
                }
            )
        })
        .collect();
    sentences.join(" ")
}

/// What lines, bars and boxes mean. Gives the bottom.
fn legend(canvas: &mut Canvas, scale: &Scale, top: f64, width: f64) -> f64 {
    canvas.line([MARGIN, top], [width - MARGIN, top], "rule");
    let mut flow = Flow {
        x: MARGIN,
        y: top + 24.0,
        right: width - MARGIN,
    };
    for (class, label) in [("clear", "in the clear"), ("encrypted", "encrypted")] {
        let [x, y] = flow.place(70.0, label);
        canvas.line([x, y - 4.0], [x + 58.0, y - 4.0], &format!("arrow {class}"));
        canvas.rectangle([x, y - 8.0], [30.0, 8.0], &format!("bar {class}"));
        canvas.text([x + 66.0, y], Anchor::Start, "small", label);
    }
    let label = format!("longest bar: {}, on one scale", bytes(scale.bytes));
    let [x, y] = flow.place(0.0, &label);
    canvas.text([x, y], Anchor::Start, "small", &label);
    let Some(nanoseconds) = scale.nanoseconds else {
        return flow.y + 8.0;
    };
    let highest = std::time::Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
    let label = format!("highest CPU box: {}, on one scale", time(highest));
    let [x, y] = flow.place(0.0, &label);
    canvas.text([x, y], Anchor::Start, "small", &label);
    if scale.has_phases {
        for (class, label) in CPU_CLASSES {
            let [x, y] = flow.place(20.0, label);
            canvas.rectangle([x, y - 9.0], [14.0, 10.0], &format!("box {class}"));
            canvas.text([x + 20.0, y], Anchor::Start, "small", label);
        }
    }
    flow.y + 8.0
}

/// Places entries from left to right, and goes on below where there is no room.
struct Flow {
    x: f64,
    y: f64,
    right: f64,
}

impl Flow {
    fn place(&mut self, swatch: f64, label: &str) -> [f64; 2] {
        let width = swatch + canvas::text_width(label, canvas::SMALL);
        if self.x + width > self.right {
            self.x = MARGIN;
            self.y += 22.0;
        }
        let place = [self.x, self.y];
        self.x += width + 26.0;
        place
    }
}
