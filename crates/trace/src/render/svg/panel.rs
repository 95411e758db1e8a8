//! One trace: its lifelines and what passes between them.

use experiment::Side;

use super::canvas::{Anchor, Canvas, HEADING, LOCK, SMALL, text_width};
use super::layout::{FlightLayout, LINE, PANEL, ROW, SIDE, labels, parts};
use super::{HEAD, Scale};
use crate::render::{algorithms, surroundings};
use crate::trace::{FlightSummary, Step, Trace};
use crate::words::number;

pub(super) struct Panel<'a> {
    pub(super) trace: &'a Trace,
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) flights: &'a [FlightLayout],
    pub(super) scale: &'a Scale,
    /// Where the lifelines end.
    pub(super) end: f64,
}

/// Half the width of a CPU box.
const HALF_BOX: f64 = 7.0;
/// From a lifeline to text.
const INSET: f64 = 14.0;
/// From a message's label to its arrow.
const ARROW: f64 = 23.0;
/// Free space between the longest bar and the tip of its arrow.
const BAR_GAP: f64 = 22.0;

impl Panel<'_> {
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        self.head(canvas);
        self.bands(canvas);
        for side in Side::BOTH {
            let x = self.lifeline(side);
            canvas.line([x, self.top + HEAD - 10.0], [x, self.end], "lifeline");
        }
        for (index, (flight, layout)) in self.trace.flights.iter().zip(self.flights).enumerate() {
            self.work(canvas, flight, layout);
            let steps = self.trace.steps.iter();
            for (row, step) in steps.filter(|step| step.flight == index).enumerate() {
                self.message(canvas, step, layout.messages + row as f64 * ROW);
            }
        }
    }

    fn lifeline(&self, side: Side) -> f64 {
        match side {
            Side::Client => self.left + SIDE,
            Side::Server => self.left + PANEL - SIDE,
        }
    }

    fn head(&self, canvas: &mut Canvas) {
        let middle = self.left + PANEL / 2.0;
        for (y, size, class, line) in [
            (18.0, HEADING, "heading", algorithms(self.trace)),
            (37.0, SMALL, "small muted", surroundings(self.trace)),
            (53.0, SMALL, "small muted", self.trace.title.clone()),
        ] {
            let fit = (PANEL / text_width("x", size)) as usize;
            let line = shortened(&line, fit);
            canvas.text([middle, self.top + y], Anchor::Middle, class, &line);
        }
        let top = self.top + HEAD - 50.0;
        for side in Side::BOTH {
            let x = self.lifeline(side);
            canvas.rectangle([x - 34.0, top], [68.0, 28.0], "head");
            canvas.text([x, top + 18.0], Anchor::Middle, "strong", &side.to_string());
            canvas.line([x, top + 28.0], [x, top + 40.0], "lifeline");
        }
    }

    /// Every second round trip is shaded.
    fn bands(&self, canvas: &mut Canvas) {
        let count = self.trace.flights.len().min(self.flights.len());
        for (trip, pair) in self.flights[..count].chunks(2).enumerate() {
            let (top, bottom) = (pair[0].top, pair[pair.len() - 1].bottom);
            if bottom <= top {
                continue;
            }
            if trip % 2 == 0 {
                canvas.rectangle([self.left, top], [PANEL, bottom - top], "band");
            }
            let label = match self.trace.totals.round_trips {
                Some(trips) if trip > trips => continue,
                Some(trips) if trip == trips => "the client may send data",
                _ => &format!("round trip {}", trip + 1),
            };
            // On the other side of the times of the flight.
            let (anchor, x) = match self.trace.flights[2 * trip].sender {
                Side::Client => (Anchor::End, self.lifeline(Side::Server) - INSET),
                Side::Server => (Anchor::Start, self.lifeline(Side::Client) + INSET),
            };
            canvas.text([x, top + 18.0], anchor, "small muted", label);
        }
    }

    /// The CPU box before a flight, and its times beside it.
    fn work(&self, canvas: &mut Canvas, flight: &FlightSummary, layout: &FlightLayout) {
        let x = self.lifeline(flight.sender);
        let mut y = layout.top + 9.0;
        for part in parts(flight, self.scale) {
            let size = [2.0 * HALF_BOX, part.height];
            canvas.rectangle([x - HALF_BOX, y], size, &format!("box {}", part.class));
            y += part.height;
        }
        let (anchor, x) = match flight.sender {
            Side::Client => (Anchor::Start, x + INSET),
            Side::Server => (Anchor::End, x - INSET),
        };
        for (line, label) in labels(flight).iter().enumerate() {
            let class = match label.starts_with("CPU") {
                true => "small strong",
                false => "small muted",
            };
            let y = layout.top + 18.0 + line as f64 * LINE;
            canvas.text([x, y], anchor, class, label);
        }
    }

    fn message(&self, canvas: &mut Canvas, step: &Step, top: f64) {
        let [client, server] = Side::BOTH.map(|side| self.lifeline(side));
        let wire_bytes = step.bytes + step.overhead;
        let is_encrypted = step.protection.is_encrypted();
        let class = if is_encrypted { "encrypted" } else { "clear" };
        let (left, line) = (client + INSET, top + 15.0);
        canvas.lock([left, line], is_encrypted, class);
        let name = step.message.to_string();
        canvas.text([left + LOCK + 6.0, line], Anchor::Start, "", &name);
        let size = format!("{} B", number(wire_bytes));
        canvas.text([server - INSET, line], Anchor::End, "small muted", &size);

        let y = top + ARROW;
        let (from, to, direction) = match step.sender {
            Side::Client => (client, server, 1.0),
            Side::Server => (server, client, -1.0),
        };
        let tip = to - direction * 2.0;
        canvas.line(
            [from, y],
            [tip - direction * 8.0, y],
            &format!("arrow {class}"),
        );
        canvas.tip([tip, y], direction * 9.0, &format!("tip {class}"));
        // Application data have no scale: they are as long as the user wants.
        if step.message.belongs_to_handshake() {
            let longest = server - client - BAR_GAP;
            let share = (wire_bytes as f64 / self.scale.bytes as f64).min(1.0);
            let length = (longest * share).max(1.5);
            let left = if direction > 0.0 { from } else { from - length };
            canvas.rectangle([left, y - 4.0], [length, 8.0], &format!("bar {class}"));
        }
    }
}

/// Cut to a number of characters.
pub(super) fn shortened(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}
