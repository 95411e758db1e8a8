//! Ratios with their intervals, around the line of no difference.

use super::Layout;
use super::axis::Axis;
use super::bars::{axis_title, tick_labels};
use super::font::{text_width, wrap};
use super::frame::{Area, BODY, SMALL, Swatch, legend};
use super::scene::{Item, Scene, Text};
use crate::figure::{Forest, ForestRow};
use crate::palette::Ink;

/// Draws; gives the bottom.
pub(super) fn draw(scene: &mut Scene, forest: &Forest, area: Area) -> f64 {
    let mut entries = vec![
        (
            Swatch::Dot(Ink::Text, true),
            "measurable difference, with 95 % interval",
        ),
        (Swatch::Dot(Ink::Muted, false), "no measurable difference"),
    ];
    if forest.noise.is_some() {
        entries.push((
            Swatch::Band,
            "noise floor: the same scenario against itself",
        ));
    }
    let top = legend(scene, &entries, area) + 2.0;
    let columns = columns(forest, area);
    let axis = axis(forest, columns.plot);
    let below = scene.items.len();
    let mut y = top;
    for row in &forest.rows {
        y = draw_row(scene, row, &columns, &axis, area, y);
    }
    let mut lines = Scene::new(scene.width);
    if let Some([low, high]) = forest.noise {
        // At least two pixels: a quiet machine's band must not vanish.
        let (low, high) = (axis.at(low), axis.at(high));
        let widen = ((2.0 - (high - low)) / 2.0).max(0.0);
        lines.plane([low - widen, top, high + widen, y], Ink::Band);
    }
    for (value, _) in axis.ticks(SMALL) {
        let ink = if value == 1.0 { Ink::Muted } else { Ink::Grid };
        lines.line((axis.at(value), top), (axis.at(value), y), ink, 1.0);
    }
    lines.line((axis.at(1.0), top), (axis.at(1.0), y), Ink::Text, 1.0);
    scene.items.splice(below..below, lines.items);
    y = tick_labels(scene, &axis, y);
    axis_title(scene, &forest.axis, columns.plot, area, y)
}

struct Columns {
    label: f64,
    plot: [f64; 2],
    text: f64,
}

fn columns(forest: &Forest, area: Area) -> Columns {
    let width = area.right - area.left;
    let widest = |of: fn(&ForestRow) -> &str, size| {
        forest
            .rows
            .iter()
            .map(|row| text_width(of(row), size, false))
            .fold(0.0, f64::max)
    };
    match area.layout {
        Layout::Wide => {
            let label = widest(|row| &row.label, BODY).min(width * 0.36);
            let text = widest(|row| &row.text, SMALL).min(width * 0.34);
            let plot = [area.left + label + 18.0, area.right - text - 16.0];
            Columns { label, plot, text }
        }
        Layout::Narrow => Columns {
            label: width,
            plot: [area.left + 12.0, area.right - 12.0],
            text: width,
        },
    }
}

fn axis(forest: &Forest, range: [f64; 2]) -> Axis {
    let ends = forest.rows.iter().flat_map(|row| row.interval);
    let ends = ends
        .chain(forest.noise.into_iter().flatten())
        .chain([0.9, 1.1]);
    let ends: Vec<f64> = ends.filter(|end| end.is_finite() && *end > 0.0).collect();
    let low = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Axis {
        domain: [low / 1.04, high * 1.04],
        range,
        logarithmic: true,
    }
}

fn draw_row(
    scene: &mut Scene,
    row: &ForestRow,
    columns: &Columns,
    axis: &Axis,
    area: Area,
    top: f64,
) -> f64 {
    const LINE: f64 = 17.0;
    let labels = wrap(&row.label, BODY, false, columns.label);
    let texts = wrap(&row.text, SMALL, false, columns.text);
    let mut y = top;
    let write = |scene: &mut Scene, lines: &[String], x: f64, size: f64, mut y: f64| {
        for line in lines {
            y += LINE;
            scene.text_on_ground(Text::new(x, y - 4.5, line.as_str()).size(size));
        }
        y
    };
    let middle = match area.layout {
        Layout::Wide => {
            let height = labels.len().max(texts.len()) as f64 * LINE;
            let centred = |lines: &[String]| y + (height - lines.len() as f64 * LINE) / 2.0;
            write(scene, &labels, area.left, BODY, centred(&labels));
            write(
                scene,
                &texts,
                columns.plot[1] + 16.0,
                SMALL,
                centred(&texts),
            );
            y += height + 8.0;
            top + height / 2.0
        }
        Layout::Narrow => {
            y = write(scene, &labels, area.left, BODY, y);
            y = write(scene, &texts, area.left, SMALL, y);
            y += 26.0;
            y - 18.0
        }
    };
    let ink = if row.is_real { Ink::Text } else { Ink::Muted };
    let [low, high] = row.interval;
    if [low, row.value, high]
        .iter()
        .all(|value| value.is_finite() && *value > 0.0)
    {
        scene.line((axis.at(low), middle), (axis.at(high), middle), ink, 2.0);
        scene.items.push(Item::Dot {
            x: axis.at(row.value),
            y: middle,
            radius: 4.5,
            ink,
            filled: row.is_real,
        });
    }
    y
}
