//! What is drawn, with its place: the common ground of placement and painting.

use super::font::text_width;
use crate::figure::Fill;
use crate::palette::Ink;

/// A drawing of known size. Coordinates are pixels from the upper left corner.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) items: Vec<Item>,
}

#[derive(Debug, Clone)]
pub(super) enum Item {
    Plane {
        edges: [f64; 4],
        ink: Ink,
    },
    /// The ground of a text.
    Ground {
        edges: [f64; 4],
    },
    Bar {
        edges: [f64; 4],
        fill: Fill,
    },
    Path(Path),
    Dot {
        x: f64,
        y: f64,
        radius: f64,
        ink: Ink,
        filled: bool,
    },
    Text(Text),
}

#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) points: Vec<(f64, f64)>,
    pub(super) ink: Ink,
    pub(super) width: f64,
    /// Lengths of dash and gap; empty for a whole line.
    pub(super) dash: Vec<f64>,
}

#[derive(Debug, Clone)]
pub(super) struct Text {
    /// Where the anchor stands.
    pub(super) x: f64,
    /// The line on which the letters stand.
    pub(super) baseline: f64,
    pub(super) anchor: Anchor,
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) ink: Ink,
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Item {
    pub(super) const fn is_text_or_ground(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Ground { .. })
    }
}

/// The height of a capital letter in ems.
pub(super) const CAPITAL: f64 = 0.714;

impl Text {
    pub(super) fn new(x: f64, baseline: f64, text: impl Into<String>) -> Self {
        Self {
            x,
            baseline,
            anchor: Anchor::Start,
            size: 13.0,
            bold: false,
            ink: Ink::Text,
            text: text.into(),
        }
    }

    pub(super) fn size(self, size: f64) -> Self {
        Self { size, ..self }
    }

    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) fn muted(self) -> Self {
        Self {
            ink: Ink::Muted,
            ..self
        }
    }

    pub(super) fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub(super) fn width(&self) -> f64 {
        text_width(&self.text, self.size, self.bold)
    }

    /// Left, top, right and bottom of what the eye sees.
    pub(super) fn edges(&self) -> [f64; 4] {
        let width = self.width();
        let left = match self.anchor {
            Anchor::Start => self.x,
            Anchor::Middle => self.x - width / 2.0,
            Anchor::End => self.x - width,
        };
        let top = self.baseline - 0.77 * self.size;
        [left, top, left + width, self.baseline + 0.23 * self.size]
    }

    /// Moves it sideways until it stands within `left` and `right`.
    pub(super) fn clamped(mut self, left: f64, right: f64) -> Self {
        let [from, _, to, _] = self.edges();
        if to > right {
            self.x -= to - right;
        } else if from < left {
            self.x += left - from;
        }
        self
    }
}

impl Path {
    /// The whole line, or its dashes.
    pub(super) fn pieces(&self) -> Vec<Vec<(f64, f64)>> {
        let [dash, gap] = self.dash[..] else {
            return vec![self.points.clone()];
        };
        let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
        // Whether a dash is being drawn, and how much is left of it or of the gap.
        let (mut is_dash, mut left) = (true, dash);
        let mut piece: Vec<(f64, f64)> = self.points.first().copied().into_iter().collect();
        for pair in self.points.windows(2) {
            let ((mut x, mut y), (to_x, to_y)) = (pair[0], pair[1]);
            let mut rest = (to_x - x).hypot(to_y - y);
            while rest > left {
                let share = left / rest;
                (x, y) = (x + (to_x - x) * share, y + (to_y - y) * share);
                rest -= left;
                if is_dash {
                    piece.push((x, y));
                    pieces.push(std::mem::take(&mut piece));
                } else {
                    piece = vec![(x, y)];
                }
                is_dash = !is_dash;
                left = if is_dash { dash } else { gap };
            }
            left -= rest;
            if is_dash {
                piece.push((to_x, to_y));
            }
        }
        if piece.len() > 1 {
            pieces.push(piece);
        }
        pieces
    }
}

impl Scene {
    pub(super) fn new(width: f64) -> Self {
        Self {
            width,
            height: 0.0,
            items: Vec::new(),
        }
    }

    pub(super) fn text(&mut self, text: Text) {
        if !text.text.is_empty() {
            self.items.push(Item::Text(text));
        }
    }

    /// Text on a ground of its own, so that lines below do not cross it.
    pub(super) fn text_on_ground(&mut self, text: Text) {
        let [left, top, right, bottom] = text.edges();
        let edges = [left - 3.0, top, right + 3.0, bottom];
        self.items.push(Item::Ground { edges });
        self.text(text);
    }

    pub(super) fn plane(&mut self, edges: [f64; 4], ink: Ink) {
        self.items.push(Item::Plane { edges, ink });
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink, width: f64) {
        self.path(vec![from, to], ink, width, &[]);
    }

    pub(super) fn path(&mut self, points: Vec<(f64, f64)>, ink: Ink, width: f64, dash: &[f64]) {
        self.items.push(Item::Path(Path {
            points,
            ink,
            width,
            dash: dash.to_vec(),
        }));
    }

    /// An interval: a line with a short stroke at each end.
    pub(super) fn whisker(&mut self, low: f64, high: f64, y: f64, half_height: f64) {
        self.line((low, y), (high, y), Ink::Text, 1.4);
        for x in [low, high] {
            self.line((x, y - half_height), (x, y + half_height), Ink::Text, 1.4);
        }
    }

    pub(super) fn text_boxes(&self) -> Vec<([f64; 4], String)> {
        let texts = self.items.iter().filter_map(|item| match item {
            Item::Text(text) => Some((text.edges(), text.text.clone())),
            _ => None,
        });
        texts.collect()
    }
}
