//! Values over powers of ten: a dot for each, for a bar has no zero to begin at there.

use super::Layout;
use super::axis::Axis;
use super::bars::{axis_title, tick_labels};
use super::font::{text_width, wrap};
use super::frame::{Area, BODY, SMALL, Swatch, legend, marker};
use super::scene::{Scene, Text};
use crate::figure::{DotRow, Dots};
use crate::palette::{Ink, Tone};

const LINE: f64 = 17.0;
/// Between the foot of a row and the head of the next.
const ROW_GAP: f64 = 7.0;

struct Columns {
    label: f64,
    plot: [f64; 2],
    text: f64,
}

/// Draws; gives the bottom.
pub(super) fn draw(scene: &mut Scene, dots: &Dots, area: Area) -> f64 {
    let tones = dots
        .legend
        .iter()
        .map(|key| (Swatch::Fill(key.fill), key.name.as_str()));
    let shapes = dots.series.iter().enumerate().map(|(at, name)| {
        let swatch = Swatch::Marker(Ink::Tone(Tone::Neutral), at);
        (swatch, name.as_str())
    });
    let top = legend(scene, &tones.chain(shapes).collect::<Vec<_>>(), area) + 2.0;
    let columns = columns(dots, area);
    let axis = axis(dots, columns.plot);
    let below = scene.items.len();
    let mut y = top;
    for (at, group) in dots.groups.iter().enumerate() {
        if !group.title.is_empty() {
            y += if at == 0 { 0.0 } else { 8.0 };
            for line in wrap(&group.title, BODY, true, area.right - area.left) {
                y += LINE;
                scene.text_on_ground(Text::new(area.left, y - 4.0, line).bold());
            }
            y += 4.0;
        }
        for row in &group.rows {
            y = draw_row(scene, row, &columns, &axis, area, y);
        }
    }
    let mut lines = Scene::new(scene.width);
    for (value, _) in axis.ticks(SMALL) {
        let x = axis.at(value);
        lines.line((x, top), (x, y), Ink::Grid, 1.0);
    }
    scene.items.splice(below..below, lines.items);
    y = tick_labels(scene, &axis, y);
    axis_title(scene, &dots.axis, columns.plot, area, y)
}

fn rows(dots: &Dots) -> impl Iterator<Item = &DotRow> {
    dots.groups.iter().flat_map(|group| &group.rows)
}

fn columns(dots: &Dots, area: Area) -> Columns {
    let width = area.right - area.left;
    let widest = |of: fn(&DotRow) -> &str, size| {
        rows(dots)
            .map(|row| text_width(of(row), size, false))
            .fold(0.0, f64::max)
    };
    match area.layout {
        Layout::Wide => {
            let label = widest(|row| &row.label, BODY).min(width * 0.36);
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

fn axis(dots: &Dots, range: [f64; 2]) -> Axis {
    let ends: Vec<f64> = rows(dots)
        .flat_map(|row| &row.dots)
        .flat_map(|dot| {
            let interval = dot.interval.into_iter().flatten();
            [dot.value].into_iter().chain(interval)
        })
        .filter(|end| end.is_finite() && *end > 0.0)
        .collect();
    let low = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let domain = if low <= high {
        [low / 1.25, high * 1.25]
    } else {
        [1.0, 10.0]
    };
    Axis {
        domain,
        range,
        logarithmic: true,
    }
}

fn draw_row(
    scene: &mut Scene,
    row: &DotRow,
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
            let height = labels.len().max(texts.len()) as f64 * LINE;
            let centred = |lines: &[String]| top + (height - lines.len() as f64 * LINE) / 2.0;
            write(scene, &labels, area.left, BODY, centred(&labels));
            let right = columns.plot[1] + 16.0;
            write(scene, &texts, right, SMALL, centred(&texts));
            (top + height / 2.0, top + height)
        }
        Layout::Narrow => {
            let y = write(scene, &labels, area.left, BODY, top);
            let y = write(scene, &texts, area.left, SMALL, y);
            (y + 9.0, y + 16.0)
        }
    };
    for dot in &row.dots {
        if !(dot.value.is_finite() && dot.value > 0.0) {
            continue;
        }
        let ink = Ink::Tone(row.tone);
        if let Some([low, high]) = dot.interval
            && low.is_finite()
            && high.is_finite()
            && low > 0.0
        {
            scene.line((axis.at(low), middle), (axis.at(high), middle), ink, 1.6);
        }
        marker(scene, axis.at(dot.value), middle, ink, dot.series);
    }
    bottom + ROW_GAP
}
