//! Traces as a picture: two lifelines each, messages between them, side by side and to one
//! scale.

mod canvas;
mod layout;
mod panel;
mod style;
mod summary;

use canvas::{Anchor, Canvas, LOCK};
use layout::{HEAD, LINE, PANEL};
use panel::Panel;
use style::{CPU_CLASSES, STYLE};

use crate::render::{key_exchange, signature, wrap};
use crate::trace::{Trace, Verdict};
use crate::words::{bytes, counted, time};

/// Shapes, text and colours, for other pictures of messages between lifelines.
pub mod drawing {
    pub use super::canvas::{Anchor, Canvas, HEADING, LOCK, NORMAL, SMALL, TITLE, text_width};
    pub use super::style::STYLE;
    pub use crate::render::wrap;
}

/// Pixels around the picture and between panels.
const MARGIN: f64 = 18.0;

/// A picture of one to three traces side by side. It stands alone, follows the reader's
/// light or dark scheme, and tells everything without colour as well.
pub fn svg(traces: &[Trace]) -> String {
    let scale = Scale::of(traces);
    let panels = traces.len().max(1) as f64;
    let width = 2.0 * MARGIN + panels * PANEL + (panels - 1.0) * MARGIN;
    let mut canvas = Canvas::default();
    let mut top = heading(&mut canvas, traces, width);
    top = legend(&mut canvas, &scale, top, width) + 16.0;
    let flights = layout::flights(traces, &scale, top);
    let end = flights.last().map_or(top + HEAD, |flight| flight.bottom);
    let mut bottom = end;
    for (index, trace) in traces.iter().enumerate() {
        let left = MARGIN + index as f64 * (PANEL + MARGIN);
        let panel = Panel {
            trace,
            left,
            top,
            flights: &flights,
            scale: &scale,
            end,
        };
        panel.draw(&mut canvas);
        let window = scale.largest_server_flight;
        bottom = bottom.max(summary::draw(&mut canvas, trace, left, end, window));
    }
    canvas.document(
        [width, bottom + MARGIN],
        &title(traces),
        &description(traces),
        STYLE,
    )
}

/// What is compared. Gives the bottom.
fn heading(canvas: &mut Canvas, traces: &[Trace], width: f64) -> f64 {
    let fit = |size| ((width - 2.0 * MARGIN) / canvas::text_width("x", size)) as usize;
    let (what, differences) = (what(traces), differences(traces));
    let title = wrap(&what, fit(canvas::TITLE));
    let subtitle = wrap(&differences, fit(canvas::SMALL));
    let mut y = MARGIN;
    for line in title {
        y += 24.0;
        canvas.text([MARGIN, y - 5.0], Anchor::Start, "title", &line);
    }
    for line in subtitle {
        y += LINE;
        canvas.text([MARGIN, y], Anchor::Start, "small muted", &line);
    }
    y + 12.0
}

fn what(traces: &[Trace]) -> String {
    match traces {
        [_] => "A TLS handshake, message by message".to_owned(),
        [_, _] => "Two TLS handshakes, message by message".to_owned(),
        [_, _, _] => "Three TLS handshakes, message by message".to_owned(),
        traces => format!("{} TLS handshakes, message by message", traces.len()),
    }
}

/// In which terms the traces differ, with what each has.
fn differences(traces: &[Trace]) -> String {
    type Term<'t> = (&'static str, &'t dyn Fn(&Trace) -> String);
    let terms: [Term<'_>; 4] = [
        ("version", &|trace| {
            let version = trace.negotiated.version;
            version.map_or_else(|| "unknown".to_owned(), |version| version.to_string())
        }),
        ("key exchange", &key_exchange),
        ("the server's signature", &signature),
        ("round trips", &|trace| {
            let trips = trace.totals.round_trips;
            trips.map_or_else(|| "unknown".to_owned(), |trips| trips.to_string())
        }),
    ];
    let differing: Vec<String> = terms
        .iter()
        .filter_map(|(term, of)| {
            let values: Vec<String> = traces.iter().map(of).collect();
            let is_equal = values.windows(2).all(|pair| pair[0] == pair[1]);
            (!is_equal).then(|| format!("{term}: {}", values.join(" | ")))
        })
        .collect();
    match (traces, differing.as_slice()) {
        ([] | [_], _) => "Bars are as long as the message has bytes.".to_owned(),
        (_, []) => "They agree in version, key exchange and signature.".to_owned(),
        (_, differing) => format!("From left to right, {}.", differing.join("; ")),
    }
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

/// What locks, lines, bars, boxes and signs mean. Gives the bottom.
fn legend(canvas: &mut Canvas, scale: &Scale, top: f64, width: f64) -> f64 {
    canvas.line([MARGIN, top], [width - MARGIN, top], "rule");
    let mut flow = Flow {
        x: MARGIN,
        y: top + 20.0,
        right: width - MARGIN,
    };
    for (is_closed, class, label) in [
        (
            false,
            "clear",
            "in the clear: everybody on the way reads it",
        ),
        (true, "encrypted", "encrypted"),
    ] {
        let [x, y] = flow.place(88.0, label);
        canvas.lock([x, y], is_closed, class);
        let x = x + LOCK + 8.0;
        canvas.line([x, y - 4.0], [x + 58.0, y - 4.0], &format!("arrow {class}"));
        canvas.rectangle([x, y - 8.0], [30.0, 8.0], &format!("bar {class}"));
        canvas.text([x + 66.0, y], Anchor::Start, "small", label);
    }
    let label = format!("longest bar: {}, on one scale", bytes(scale.bytes));
    let [x, y] = flow.place(0.0, &label);
    canvas.text([x, y], Anchor::Start, "small", &label);
    flow.break_line();
    if let Some(nanoseconds) = scale.nanoseconds {
        let nanoseconds = u64::try_from(nanoseconds).unwrap_or(u64::MAX);
        let highest = std::time::Duration::from_nanos(nanoseconds);
        let label = format!("highest CPU box: {}, on one scale", time(highest));
        let [x, y] = flow.place(0.0, &label);
        canvas.text([x, y], Anchor::Start, "small", &label);
    }
    if scale.has_phases {
        for (class, label) in CPU_CLASSES {
            let [x, y] = flow.place(20.0, label);
            canvas.rectangle([x, y - 9.0], [14.0, 10.0], &format!("box {class}"));
            canvas.text([x + 20.0, y], Anchor::Start, "small", label);
        }
    }
    flow.break_line();
    for (verdict, label) in [
        (Verdict::Holds, "holds against a quantum computer"),
        (Verdict::Falls, "falls to one, or exceeds the window"),
        (Verdict::Open, "depends on more than is seen here"),
    ] {
        let (sign, class) = summary::mark(verdict);
        let [x, y] = flow.place(16.0, label);
        canvas.text(
            [x, y],
            Anchor::Start,
            &format!("small strong {class}"),
            sign,
        );
        canvas.text([x + 16.0, y], Anchor::Start, "small", label);
    }
    let label = "initial window: sent before any acknowledgement";
    let [x, y] = flow.place(0.0, label);
    canvas.text([x, y], Anchor::Start, "small", label);
    canvas.line(
        [MARGIN, flow.y + 10.0],
        [width - MARGIN, flow.y + 10.0],
        "rule",
    );
    flow.y + 10.0
}

/// Places entries from left to right, and goes on below where there is no room.
struct Flow {
    x: f64,
    y: f64,
    right: f64,
}

impl Flow {
    fn break_line(&mut self) {
        if self.x > MARGIN {
            self.x = MARGIN;
            self.y += 20.0;
        }
    }

    fn place(&mut self, swatch: f64, label: &str) -> [f64; 2] {
        let width = swatch + canvas::text_width(label, canvas::SMALL);
        if self.x + width > self.right {
            self.break_line();
        }
        let place = [self.x, self.y];
        self.x += width + 26.0;
        place
    }
}
