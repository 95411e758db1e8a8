//! Deadlines on a time axis: a row for each policy, today as an upright line.

use super::Layout;
use super::axis::Axis;
use super::font::{text_width, wrap};
use super::frame::{Area, BODY, SMALL, Swatch, legend, marker};
use super::scene::{Anchor, Scene, Text};
use crate::deadline::{Deadline, DeadlineKind, DeadlineRow, Deadlines};
use crate::palette::{Ink, Tone};

const LINE: f64 = 17.0;
const ROW_GAP: f64 = 9.0;
/// Above and below the middle of a row: key establishment and signatures often fall on one day.
const LANE: f64 = 7.0;

struct Columns {
    label: f64,
    plot: [f64; 2],
    text: f64,
}

/// Draws; gives the bottom.
pub(super) fn draw(scene: &mut Scene, deadlines: &Deadlines, area: Area) -> f64 {
    let top = legend(scene, &entries(deadlines), area) + 2.0;
    let columns = columns(deadlines, area);
    let axis = axis(deadlines, columns.plot);
    let today = axis.at(deadlines.today.year);
    let label = Text::new(
        today,
        top + SMALL,
        format!("today, {}", deadlines.today.date),
    )
    .size(SMALL)
    .anchor(Anchor::Middle);
    scene.text(label.clamped(area.left, area.right));
    let top = top + SMALL * 1.5;
    let below = scene.items.len();
    let mut y = top + 4.0;
    for row in &deadlines.rows {
        y = draw_row(scene, row, &columns, &axis, area, y);
    }
    let ticks = ticks(&axis);
    let mut lines = Scene::new(scene.width);
    for (year, _) in &ticks {
        lines.line((axis.at(*year), top), (axis.at(*year), y), Ink::Grid, 1.0);
    }
    lines.path(vec![(today, top), (today, y)], Ink::Text, 1.5, &[5.0, 4.0]);
    scene.items.splice(below..below, lines.items);
    for (year, label) in ticks {
        let text = Text::new(axis.at(year), y + SMALL * 1.2, label);
        let text = text.size(SMALL).muted().anchor(Anchor::Middle);
        scene.text(text.clamped(0.0, scene.width));
    }
    y + SMALL * 1.5
}

/// What the marks mean, as far as they occur.
fn entries(deadlines: &Deadlines) -> Vec<(Swatch<'static>, &'static str)> {
    let has = |wanted: &dyn Fn(&Deadline) -> bool| marks(deadlines).any(wanted);
    let is = |kind| move |mark: &Deadline| mark.kind == kind;
    let hollow =
        |kind| move |mark: &Deadline| mark.kind == kind && mark.is_draft && !mark.is_advice;
    let advice = |mark: &Deadline| mark.is_advice;
    let (key, signature) = (DeadlineKind::KeyEstablishment, DeadlineKind::Signature);
    let all = [
        (
            has(&is(key)),
            Swatch::Marker(ink(key, false), 0),
            "key establishment",
        ),
        (
            has(&is(signature)),
            Swatch::Marker(ink(signature, false), 1),
            "signatures",
        ),
        (
            has(&hollow(key)),
            Swatch::Marker(ink(key, false), 3),
            "key establishment, draft",
        ),
        (
            has(&hollow(signature)),
            Swatch::Marker(ink(signature, false), 2),
            "signatures, draft",
        ),
        (
            has(&advice),
            Swatch::Marker(Ink::Muted, 0),
            "grey: advice only",
        ),
        (
            has(&is(DeadlineKind::Plan)),
            Swatch::Tick(Ink::Muted),
            "a plan is due",
        ),
    ];
    all.into_iter()
        .filter_map(|(is_there, swatch, name)| is_there.then_some((swatch, name)))
        .collect()
}

fn marks(deadlines: &Deadlines) -> impl Iterator<Item = &Deadline> {
    deadlines.rows.iter().flat_map(|row| &row.marks)
}

const fn ink(kind: DeadlineKind, is_advice: bool) -> Ink {
    match kind {
        _ if is_advice => Ink::Muted,
        DeadlineKind::KeyEstablishment => Ink::Tone(Tone::Agree),
        DeadlineKind::Signature => Ink::Tone(Tone::Sign),
        DeadlineKind::Plan => Ink::Muted,
    }
}

fn columns(deadlines: &Deadlines, area: Area) -> Columns {
    let width = area.right - area.left;
    let widest = |of: fn(&DeadlineRow) -> &str, size| {
        let widths = deadlines
            .rows
            .iter()
            .map(|row| text_width(of(row), size, false));
        widths.fold(0.0, f64::max)
    };
    match area.layout {
        Layout::Wide => {
            let label = widest(|row| &row.label, BODY).min(width * 0.24);
            let text = widest(|row| &row.text, SMALL).min(width * 0.34);
            Columns {
                label,
                plot: [area.left + label + 18.0, area.right - text - 16.0],
                text,
            }
        }
        Layout::Narrow => Columns {
            label: width,
            plot: [area.left + 12.0, area.right - 12.0],
            text: width,
        },
    }
}

fn axis(deadlines: &Deadlines, range: [f64; 2]) -> Axis {
    let days = marks(deadlines).map(|mark| mark.day.year);
    let days = days.chain([deadlines.today.year]);
    let days: Vec<f64> = days.filter(|day| day.is_finite()).collect();
    let low = days.iter().copied().fold(f64::INFINITY, f64::min);
    let high = days.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = match low <= high {
        true => (low, high.max(low + 4.0)),
        false => (2025.0, 2035.0),
    };
    let margin = (high - low) * 0.05;
    Axis {
        domain: [low - margin, high + margin],
        range,
        logarithmic: false,
    }
}

/// Years, as many as stand apart from each other.
fn ticks(axis: &Axis) -> Vec<(f64, String)> {
    let [low, high] = axis.domain;
    let of = |step: f64| -> Vec<(f64, String)> {
        let years = (low / step).ceil() as i64..=(high / step).floor() as i64;
        let years = years.map(|number| number as f64 * step);
        years.map(|year| (year, format!("{year:.0}"))).collect()
    };
    let room = (axis.range[1] - axis.range[0]) / (high - low);
    let width = text_width("2000", SMALL, false) + 14.0;
    let steps = [
        1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0, 1000.0, 5000.0,
    ];
    let step = steps.into_iter().find(|step| room * step >= width);
    step.map_or_else(Vec::new, of)
}

fn draw_row(
    scene: &mut Scene,
    row: &DeadlineRow,
    columns: &Columns,
    axis: &Axis,
    area: Area,
    top: f64,
) -> f64 {
    let labels = wrap(&row.label, BODY, false, columns.label);
    let texts = wrap(&row.text, SMALL, false, columns.text);
    let write = |scene: &mut Scene, lines: &[String], x: f64, size: f64, mut y: f64| {
        for line in lines {
            y += LINE;
            scene.text_on_ground(Text::new(x, y - 4.5, line.as_str()).size(size));
        }
        y
    };
    let (middle, bottom) = match area.layout {
        Layout::Wide => {
            let height = labels.len().max(texts.len()).max(2) as f64 * LINE;
            let centred = |lines: &[String]| top + (height - lines.len() as f64 * LINE) / 2.0;
            write(scene, &labels, area.left, BODY, centred(&labels));
            let right = columns.plot[1] + 16.0;
            write(scene, &texts, right, SMALL, centred(&texts));
            (top + height / 2.0, top + height)
        }
        Layout::Narrow => {
            let y = write(scene, &labels, area.left, BODY, top);
            let y = write(scene, &texts, area.left, SMALL, y);
            (y + 6.0 + 2.0 * LANE, y + 8.0 + 4.0 * LANE)
        }
    };
    let [from, to] = columns.plot;
    scene.line((from, middle), (to, middle), Ink::Grid, 1.0);
    // Plans lie below: a mark that is a duty must not be covered.
    let (plans, duties): (Vec<&Deadline>, Vec<&Deadline>) = row
        .marks
        .iter()
        .partition(|mark| mark.kind == DeadlineKind::Plan);
    for mark in plans {
        let x = axis.at(mark.day.year);
        scene.line((x, middle - 9.0), (x, middle + 9.0), Ink::Muted, 2.0);
    }
    for mark in duties {
        let ink = ink(mark.kind, mark.is_advice);
        let (lane, shape) = match (mark.kind, mark.is_draft) {
            (DeadlineKind::Signature, false) => (LANE, 1),
            (DeadlineKind::Signature, true) => (LANE, 2),
            (_, false) => (-LANE, 0),
            (_, true) => (-LANE, 3),
        };
        marker(scene, axis.at(mark.day.year), middle + lane, ink, shape);
    }
    bottom + ROW_GAP
}
