//! What surrounds a picture: title, subtitle, legend, notes.

use super::Layout;
use super::font::{text_width, wrap};
use super::scene::{Item, Scene, Text};
use super::{bars, curves, deadlines, dots, forest};
use crate::figure::{Body, Figure, Fill, Key};
use crate::palette::Ink;

/// The part of a drawing that a picture may use: it grows downwards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) layout: Layout,
}

/// Sizes of letters in pixels.
pub(super) const BODY: f64 = 13.0;
pub(super) const SMALL: f64 = 12.0;

/// Title, subtitle, picture and notes.
pub(super) fn whole(figure: &Figure, layout: Layout) -> Scene {
    let mut scene = Scene::new(layout.width());
    let margin = match layout {
        Layout::Wide => 24.0,
        Layout::Narrow => 14.0,
    };
    let (left, right) = (margin, scene.width - margin);
    let title_size = match layout {
        Layout::Wide => 19.0,
        Layout::Narrow => 16.0,
    };
    let mut y = margin;
    for line in wrap(&figure.title, title_size, true, right - left) {
        y += title_size * 1.3;
        scene.text(
            Text::new(left, y - title_size * 0.3, line)
                .size(title_size)
                .bold(),
        );
    }
    y += 6.0;
    y = paragraph(&mut scene, &figure.subtitle, BODY, left, right, y) + 14.0;
    y = body(
        &mut scene,
        figure,
        Area {
            left,
            right,
            top: y,
            layout,
        },
    );
    if !figure.notes.is_empty() {
        y += 12.0;
    }
    for note in &figure.notes {
        y = paragraph(&mut scene, note, SMALL, left, right, y) + 4.0;
    }
    finish(scene, y + margin)
}

/// The picture alone.
pub(super) fn picture(figure: &Figure, layout: Layout) -> Scene {
    let mut scene = Scene::new(layout.width());
    // Room for the outer half of a stroke or of a letter at the edge.
    let area = Area {
        left: 2.0,
        right: scene.width - 2.0,
        top: 4.0,
        layout,
    };
    let bottom = body(&mut scene, figure, area);
    finish(scene, bottom + 4.0)
}

fn body(scene: &mut Scene, figure: &Figure, area: Area) -> f64 {
    match &figure.body {
        Body::Bars(body) => bars::draw(scene, body, area),
        Body::Curves(body) => curves::draw(scene, body, area),
        Body::Dots(body) => dots::draw(scene, body, area),
        Body::Forest(body) => forest::draw(scene, body, area),
        Body::Deadlines(body) => deadlines::draw(scene, body, area),
    }
}

fn finish(mut scene: Scene, height: f64) -> Scene {
    scene.height = height.ceil();
    let ground = Item::Plane {
        edges: [0.0, 0.0, scene.width, scene.height],
        ink: Ink::Surface,
    };
    scene.items.insert(0, ground);
    scene
}

/// Writes muted lines from `top`; gives the bottom.
fn paragraph(scene: &mut Scene, text: &str, size: f64, left: f64, right: f64, top: f64) -> f64 {
    let mut y = top;
    if text.is_empty() {
        return y;
    }
    for line in wrap(text, size, false, right - left) {
        y += size * 1.4;
        scene.text(Text::new(left, y - size * 0.35, line).size(size).muted());
    }
    y
}

/// What stands before the name of a legend's entry.
pub(super) enum Swatch<'a> {
    Fill(Fill),
    Stroke(Ink, &'a [f64], usize),
    Dot(Ink, bool),
    Marker(Ink, usize),
    /// An upright line.
    Tick(Ink),
    Band,
}

/// Entries side by side in as many rows as they need; gives the bottom.
pub(super) fn legend(scene: &mut Scene, entries: &[(Swatch<'_>, &str)], area: Area) -> f64 {
    if entries.is_empty() {
        return area.top;
    }
    const ROW: f64 = 20.0;
    let (mut x, mut y) = (area.left, area.top + ROW / 2.0);
    for (swatch, name) in entries {
        let sample = if matches!(swatch, Swatch::Stroke(..)) {
            34.0
        } else {
            18.0
        };
        let lines = wrap(name, SMALL, false, area.right - area.left - sample - 7.0);
        let widest = lines
            .iter()
            .map(|l| text_width(l, SMALL, false))
            .fold(0.0, f64::max);
        if x > area.left && x + sample + 7.0 + widest > area.right {
            (x, y) = (area.left, y + ROW);
        }
        match swatch {
            Swatch::Fill(fill) => {
                scene.items.push(Item::Bar {
                    edges: [x, y - 6.0, x + sample, y + 6.0],
                    fill: *fill,
                });
            }
            Swatch::Stroke(ink, dash, shape) => {
                scene.path(vec![(x, y), (x + sample, y)], *ink, 2.0, dash);
                marker(scene, x + sample / 2.0, y, *ink, *shape);
            }
            Swatch::Dot(ink, filled) => scene.items.push(Item::Dot {
                x: x + sample / 2.0,
                y,
                radius: 4.5,
                ink: *ink,
                filled: *filled,
            }),
            Swatch::Marker(ink, shape) => marker(scene, x + sample / 2.0, y, *ink, *shape),
            Swatch::Tick(ink) => {
                let x = x + sample / 2.0;
                scene.line((x, y - 7.0), (x, y + 7.0), *ink, 2.0);
            }
            Swatch::Band => scene.plane([x, y - 6.0, x + sample, y + 6.0], Ink::Band),
        }
        for (at, line) in lines.iter().enumerate() {
            let baseline = y + at as f64 * 16.0 + SMALL * 0.36;
            scene.text(Text::new(x + sample + 7.0, baseline, line.as_str()).size(SMALL));
        }
        y += (lines.len() - 1) as f64 * 16.0;
        x += sample + 7.0 + widest + 20.0;
    }
    y + ROW / 2.0 + 6.0
}

/// Legend entries of filled bars.
pub(super) fn keys(keys: &[Key]) -> Vec<(Swatch<'_>, &str)> {
    keys.iter()
        .map(|key| (Swatch::Fill(key.fill), key.name.as_str()))
        .collect()
}

/// A mark: each line of a plane and each series of dots has a shape of its own.
pub(super) fn marker(scene: &mut Scene, x: f64, y: f64, ink: Ink, shape: usize) {
    match shape % 4 {
        0 => scene.items.push(Item::Dot {
            x,
            y,
            radius: 4.0,
            ink,
            filled: true,
        }),
        1 => scene.plane([x - 3.5, y - 3.5, x + 3.5, y + 3.5], ink),
        2 => {
            scene.plane([x - 4.0, y - 4.0, x + 4.0, y + 4.0], ink);
            scene.plane([x - 2.0, y - 2.0, x + 2.0, y + 2.0], Ink::Surface);
        }
        _ => scene.items.push(Item::Dot {
            x,
            y,
            radius: 4.0,
            ink,
            filled: false,
        }),
    }
}
