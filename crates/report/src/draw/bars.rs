//! Horizontal bars: labels whole, a value behind every bar.

use super::Layout;
use super::axis::Axis;
use super::font::{text_width, wrap};
use super::frame::{Area, BODY, SMALL, keys, legend};
use super::scene::{Anchor, CAPITAL, Item, Scene, Text};
use crate::figure::{Bar, Bars, Row};
use crate::palette::Ink;

const GAP: f64 = 3.0;
const ROW_GAP: f64 = 9.0;
const LABEL_LINE: f64 = 17.0;

struct Sizes {
    bar: f64,
    /// Where the bars begin.
    zero: f64,
    /// Width for labels; on a telephone they stand above their bars.
    label: f64,
}

/// Draws; gives the bottom.
pub(super) fn draw(scene: &mut Scene, bars: &Bars, area: Area) -> f64 {
    let sizes = sizes(bars, area);
    let axis = axis(bars, sizes.zero, area.right);
    let top = legend(scene, &keys(&bars.legend), area);
    let top = reference_labels(scene, bars, &axis, Area { top, ..area });
    // Lines lie below the bars: their place in the list is kept until the height is known.
    let below = scene.items.len();
    let mut y = top + 2.0;
    for (at, group) in bars.groups.iter().enumerate() {
        if !group.title.is_empty() {
            y += if at == 0 { 2.0 } else { 10.0 };
            for line in wrap(&group.title, BODY, true, area.right - area.left) {
                y += LABEL_LINE;
                scene.text_on_ground(Text::new(area.left, y - 4.0, line).bold());
            }
            y += 4.0;
        }
        for row in &group.rows {
            y = draw_row(scene, row, &sizes, &axis, area, y);
        }
    }
    grid(scene, bars, &axis, [top, y], below);
    // Texts cover lines, never the other way round.
    let (texts, shapes): (Vec<Item>, Vec<Item>) = scene
        .items
        .split_off(below)
        .into_iter()
        .partition(Item::is_text_or_ground);
    scene.items.extend(shapes);
    scene.items.extend(texts);
    y = tick_labels(scene, &axis, y);
    axis_title(scene, &bars.axis, [sizes.zero, area.right], area, y)
}

fn sizes(bars: &Bars, area: Area) -> Sizes {
    let widest = rows(bars)
        .map(|row| text_width(&row.label, BODY, false))
        .fold(0.0, f64::max);
    match area.layout {
        Layout::Wide => {
            let label = widest.min((area.right - area.left) * 0.42);
            Sizes {
                bar: 17.0,
                zero: area.left + label + 12.0,
                label,
            }
        }
        Layout::Narrow => Sizes {
            bar: 15.0,
            zero: area.left + 1.0,
            label: area.right - area.left,
        },
    }
}

fn rows(bars: &Bars) -> impl Iterator<Item = &Row> {
    bars.groups.iter().flat_map(|group| &group.rows)
}

/// The largest scale at which every bar and the text behind it stay within the area.
fn axis(bars: &Bars, zero: f64, right: f64) -> Axis {
    let all = || rows(bars).flat_map(|row| &row.bars);
    let room = |text: &str| {
        let text = if text.is_empty() {
            0.0
        } else {
            text_width(text, SMALL, false) + 10.0
        };
        (right - zero - text).max(40.0)
    };
    let per_pixel = all()
        .map(|bar| far_end(bar) / room(&bar.text))
        .chain(
            bars.references
                .iter()
                .map(|r| r.value / (right - zero - 4.0).max(40.0)),
        )
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let width = right - zero;
    let far = if per_pixel > 0.0 {
        per_pixel * width
    } else {
        1.0
    };
    Axis {
        domain: [0.0, far],
        range: [zero, right],
        logarithmic: false,
    }
}

/// Where a bar or one of its whiskers ends.
fn far_end(bar: &Bar) -> f64 {
    let mut start = 0.0;
    let mut end: f64 = 0.0;
    for segment in &bar.segments {
        let high = segment
            .interval
            .map_or(0.0, |[_, high]| if high.is_finite() { high } else { 0.0 });
        end = end.max(start + segment.length().max(high));
        start += segment.length();
    }
    end
}

/// The names of the reference lines, each on a line of its own, so that none covers another.
fn reference_labels(scene: &mut Scene, bars: &Bars, axis: &Axis, area: Area) -> f64 {
    let mut y = area.top;
    for reference in &bars.references {
        let x = axis.at(reference.value);
        for line in wrap(&reference.label, SMALL, false, area.right - area.left) {
            y += SMALL * 1.45;
            let text = Text::new(x, y - 4.0, line)
                .size(SMALL)
                .anchor(Anchor::Middle);
            scene.text(text.clamped(area.left, area.right));
        }
    }
    if bars.references.is_empty() {
        y
    } else {
        y + 2.0
    }
}

fn draw_row(scene: &mut Scene, row: &Row, sizes: &Sizes, axis: &Axis, area: Area, top: f64) -> f64 {
    let lines = wrap(&row.label, BODY, false, sizes.label);
    let bars_height = row.bars.len() as f64 * (sizes.bar + GAP) - GAP;
    let mut y = top;
    match area.layout {
        Layout::Wide => {
            let text_height = (lines.len() - 1) as f64 * LABEL_LINE + BODY * CAPITAL;
            let height = bars_height.max(text_height + 6.0);
            let mut baseline = y + (height - text_height) / 2.0 + BODY * CAPITAL;
            for line in lines {
                scene.text(Text::new(sizes.zero - 10.0, baseline, line).anchor(Anchor::End));
                baseline += LABEL_LINE;
            }
            draw_bars(scene, row, sizes, axis, y + (height - bars_height) / 2.0);
            y += height;
        }
        Layout::Narrow => {
            for line in lines {
                y += LABEL_LINE;
                scene.text_on_ground(Text::new(area.left, y - 5.0, line));
            }
            draw_bars(scene, row, sizes, axis, y);
            y += bars_height;
        }
    }
    y + ROW_GAP
}

fn draw_bars(scene: &mut Scene, row: &Row, sizes: &Sizes, axis: &Axis, top: f64) {
    let mut y = top;
    for bar in &row.bars {
        let middle = y + sizes.bar / 2.0;
        let mut start = 0.0;
        for segment in &bar.segments {
            let edges = [
                axis.at(start),
                y,
                axis.at(start + segment.length()),
                y + sizes.bar,
            ];
            if edges[2] - edges[0] > 0.2 {
                scene.items.push(Item::Bar {
                    edges,
                    fill: segment.fill,
                });
                if start > 0.0 {
                    scene.line((edges[0], y), (edges[0], y + sizes.bar), Ink::Surface, 1.0);
                }
            }
            start += segment.length();
        }
        let mut start = 0.0;
        for segment in &bar.segments {
            if let Some([low, high]) = segment.interval
                && low.is_finite()
                && high.is_finite()
                && axis.at(high) - axis.at(low) > 1.0
            {
                scene.whisker(axis.at(start + low), axis.at(start + high), middle, 4.0);
            }
            start += segment.length();
        }
        let text = Text::new(
            axis.at(far_end(bar)) + 7.0,
            middle + SMALL * 0.36,
            bar.text.as_str(),
        );
        if !text.text.is_empty() {
            scene.text_on_ground(text.size(SMALL));
        }
        y += sizes.bar + GAP;
    }
}

fn grid(scene: &mut Scene, bars: &Bars, axis: &Axis, [top, bottom]: [f64; 2], below: usize) {
    let mut lines = Scene::new(scene.width);
    for (value, _) in axis.ticks(SMALL) {
        let x = axis.at(value);
        let ink = if value == 0.0 { Ink::Muted } else { Ink::Grid };
        lines.line((x, top), (x, bottom), ink, 1.0);
    }
    scene.items.splice(below..below, lines.items);
    for reference in &bars.references {
        let x = axis.at(reference.value);
        scene.path(vec![(x, top), (x, bottom)], Ink::Text, 1.5, &[5.0, 4.0]);
    }
}

/// What the axis counts, below the middle of the plot; gives its bottom.
pub(super) fn axis_title(
    scene: &mut Scene,
    title: &str,
    plot: [f64; 2],
    area: Area,
    mut y: f64,
) -> f64 {
    for line in wrap(title, SMALL, false, area.right - area.left) {
        y += SMALL * 1.4;
        let text = Text::new((plot[0] + plot[1]) / 2.0, y, line);
        let text = text.size(SMALL).muted().anchor(Anchor::Middle);
        scene.text(text.clamped(area.left, area.right));
    }
    y + SMALL * 0.5
}

/// Numbers below the axis; gives their bottom.
pub(super) fn tick_labels(scene: &mut Scene, axis: &Axis, top: f64) -> f64 {
    for (value, label) in axis.ticks(SMALL) {
        let text = Text::new(axis.at(value), top + SMALL * 1.2, label);
        let text = text.size(SMALL).muted().anchor(Anchor::Middle);
        scene.text(text.clamped(0.0, scene.width));
    }
    top + SMALL * 1.5
}
