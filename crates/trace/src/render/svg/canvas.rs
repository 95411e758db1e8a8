//! Shapes and text, by class.

use svg::Document;
use svg::node::Node;
use svg::node::element::{
    Description, Group, Line, Path, Rectangle, Style, Text, Title, path::Data,
};

/// Font size of a title in pixels, as in the style's rules.
pub const TITLE: f64 = 19.0;
/// Font size of a heading in pixels.
pub const HEADING: f64 = 14.0;
/// Font size of text in pixels.
pub const NORMAL: f64 = 13.0;
/// Font size of small text in pixels.
pub const SMALL: f64 = 12.0;

/// Width of a lock, in pixels.
pub const LOCK: f64 = 9.0;

/// Where a text's position lies in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// At its beginning.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

/// What is drawn so far. Places and sizes are in pixels, and classes those of
/// [`STYLE`](super::style::STYLE).
#[derive(Default)]
pub struct Canvas(Group);

impl Canvas {
    /// Writes a line of text on the base line `y`.
    pub fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, class: &str, content: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = Text::new(plain(content))
            .set("x", tenths(x))
            .set("y", tenths(y))
            .set("class", class)
            .set("text-anchor", anchor);
        self.0.append(text);
    }

    /// Draws a rectangle from its upper left corner.
    pub fn rectangle(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], class: &str) {
        let rectangle = Rectangle::new()
            .set("x", tenths(x))
            .set("y", tenths(y))
            .set("width", tenths(width))
            .set("height", tenths(height))
            .set("class", class);
        self.0.append(rectangle);
    }

    /// Draws a line.
    pub fn line(&mut self, from: [f64; 2], to: [f64; 2], class: &str) {
        let line = Line::new()
            .set("x1", tenths(from[0]))
            .set("y1", tenths(from[1]))
            .set("x2", tenths(to[0]))
            .set("y2", tenths(to[1]))
            .set("class", class);
        self.0.append(line);
    }

    /// The head of an arrow that points to the right, or to the left for a negative length.
    pub fn tip(&mut self, [x, y]: [f64; 2], length: f64, class: &str) {
        let data = Data::new()
            .move_to((tenths(x), tenths(y)))
            .line_by((-length, -4))
            .line_by((0, 8))
            .close();
        self.0
            .append(Path::new().set("d", data).set("class", class));
    }

    /// A lock on the base line of a text; open where it protects nothing.
    pub fn lock(&mut self, [x, y]: [f64; 2], is_closed: bool, class: &str) {
        let leg = if is_closed { 2.5 } else { -0.5 };
        let shackle = Data::new()
            .move_to((tenths(x + 2.0), tenths(y - 6.0)))
            .vertical_line_by(-2.5)
            .elliptical_arc_by((2.5, 2.5, 0, 0, 1, 5, 0))
            .vertical_line_by(leg);
        let class = format!("lock {class}");
        self.0
            .append(Path::new().set("d", shackle).set("class", class.as_str()));
        self.rectangle([x, y - 6.0], [LOCK, 7.0], &class);
    }

    /// The finished picture; title and description are for those who do not see it.
    pub fn document(
        self,
        [width, height]: [f64; 2],
        title: &str,
        description: &str,
        style: &str,
    ) -> String {
        let [width, height] = [width.ceil(), height.ceil()];
        let surface = Rectangle::new()
            .set("width", width)
            .set("height", height)
            .set("class", "surface");
        Document::new()
            .set("viewBox", (0, 0, width, height))
            .set("width", width)
            .set("height", height)
            .set("class", "handshakes")
            .set("role", "img")
            .set("aria-label", plain(title))
            .add(Title::new(plain(title)))
            .add(Description::new().add(svg::node::Text::new(plain(description))))
            .add(Style::new(style))
            .add(surface)
            .add(self.0)
            .to_string()
    }
}

/// An upper estimate of a text's width in the system's sans-serif font, in pixels.
pub fn text_width(text: &str, size: f64) -> f64 {
    0.6 * size * text.chars().count() as f64
}

/// XML 1.0 has no control characters, not even escaped.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// A tenth of a pixel is enough, and keeps the file small.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
