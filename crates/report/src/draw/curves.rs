//! Lines over a plane.

use super::Layout;
use super::axis::Axis;
use super::font::{text_width, wrap};
use super::frame::{Area, SMALL, Swatch, legend, marker};
use super::scene::{Anchor, Scene, Text};
use crate::figure::{Curve, Curves, Scale};
use crate::number::{self, NBSP};
use crate::palette::Ink;

/// Draws; gives the bottom.
pub(super) fn draw(scene: &mut Scene, curves: &Curves, area: Area) -> f64 {
    let names: Vec<String> = curves.lines.iter().map(with_marks).collect();
    let entries: Vec<_> = curves
        .lines
        .iter()
        .zip(&names)
        .enumerate()
        .map(|(at, (line, name))| {
            let swatch = Swatch::Stroke(Ink::Tone(line.tone), &line.dash, at);
            (swatch, name.as_str())
        })
        .collect();
    let mut top = legend(scene, &entries, area);
    for line in wrap(&curves.y.label, SMALL, false, area.right - area.left) {
        top += SMALL * 1.45;
        scene.text(Text::new(area.left, top - 3.0, line).size(SMALL).muted());
    }
    top += 8.0;
    let height = match area.layout {
        Layout::Wide => 320.0,
        Layout::Narrow => 260.0,
    };
    let bottom = top + height;
    let y = Axis {
        range: [bottom, top],
        ..axis(&curves.y, &curves.lines, 1)
    };
    let y_ticks = ticks(&curves.y, || y.upright_ticks(SMALL));
    let label_width = y_ticks
        .iter()
        .map(|(_, label)| text_width(label, SMALL, false))
        .fold(0.0, f64::max);
    let left = area.left + label_width + 8.0;
    let x = Axis {
        range: [left, area.right - 12.0],
        ..axis(&curves.x, &curves.lines, 0)
    };
    let x_ticks = ticks(&curves.x, || x.ticks(SMALL));
    for (value, label) in &y_ticks {
        let at = y.at(*value);
        scene.line((left, at), (area.right, at), Ink::Grid, 1.0);
        let text = Text::new(left - 7.0, at + SMALL * 0.36, label.as_str());
        scene.text(text.size(SMALL).muted().anchor(Anchor::End));
    }
    let mut free_from = f64::NEG_INFINITY;
    for (value, label) in &x_ticks {
        let at = x.at(*value);
        scene.line((at, top), (at, bottom), Ink::Grid, 1.0);
        let text = Text::new(at, bottom + SMALL * 1.4, label.as_str());
        let text = text
            .size(SMALL)
            .muted()
            .anchor(Anchor::Middle)
            .clamped(area.left, area.right);
        let [from, _, to, _] = text.edges();
        if from > free_from {
            free_from = to + 6.0;
            scene.text(text);
        }
    }
    scene.line((left, bottom), (area.right, bottom), Ink::Muted, 1.0);
    for (at, line) in curves.lines.iter().enumerate() {
        draw_line(scene, line, at, &x, &y);
    }
    let mut below = bottom + SMALL * 1.4;
    for line in wrap(&curves.x.label, SMALL, false, area.right - area.left) {
        below += SMALL * 1.5;
        let text = Text::new((left + area.right) / 2.0, below, line);
        let text = text.size(SMALL).muted().anchor(Anchor::Middle);
        scene.text(text.clamped(area.left, area.right));
    }
    below + SMALL * 0.5
}

/// A line's name with the values of its marks, which a reader cannot take from the plane.
fn with_marks(line: &Curve) -> String {
    let marks: Vec<String> = line
        .marks
        .iter()
        .map(|(_, y, name)| format!("{name}{NBSP}{}", number::three_digits(*y)))
        .collect();
    if marks.is_empty() {
        line.name.clone()
    } else {
        format!("{}: {}", line.name, marks.join(", "))
    }
}

fn draw_line(scene: &mut Scene, line: &Curve, shape: usize, x: &Axis, y: &Axis) {
    let ink = Ink::Tone(line.tone);
    let points = line
        .points
        .iter()
        .filter(|point| point.iter().all(|v| v.is_finite()));
    let points: Vec<_> = points.map(|[px, py]| (x.at(*px), y.at(*py))).collect();
    if points.len() > 1 {
        scene.path(points, ink, 2.0, &line.dash);
    }
    for (px, py, _) in line
        .marks
        .iter()
        .filter(|mark| mark.0.is_finite() && mark.1.is_finite())
    {
        marker(scene, x.at(*px), y.at(*py), ink, shape);
    }
}

fn ticks(scale: &Scale, round: impl Fn() -> Vec<(f64, String)>) -> Vec<(f64, String)> {
    if scale.ticks.is_empty() {
        round()
    } else {
        scale.ticks.clone()
    }
}

/// The axis that holds every point of every line.
fn axis(scale: &Scale, lines: &[Curve], coordinate: usize) -> Axis {
    let values = || {
        let points = lines.iter().flat_map(|line| &line.points);
        points
            .map(|point| point[coordinate])
            .filter(|value| value.is_finite())
    };
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let domain = match (scale.logarithmic, scale.ticks.is_empty()) {
        (true, _) => [low.max(f64::MIN_POSITIVE) / 1.08, high * 1.12],
        (false, true) => [0.0, high * 1.05],
        (false, false) => [low, high],
    };
    Axis {
        domain,
        range: [0.0, 1.0],
        logarithmic: scale.logarithmic,
    }
}
