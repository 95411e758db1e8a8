//! Paints a scene with plotters' backends.

use std::collections::BTreeSet;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::font;
use super::scene::{Anchor, Item, Path, Scene, Text};
use crate::Figure;
use crate::figure::Fill;
use crate::palette::{Ink, Pattern};

/// What an SVG is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Svg {
    /// A file of its own.
    Standalone,
    /// A part of a page, which has the typeface already.
    Inline,
}

/// Pixels of the backend to a pixel of the scene: plotters' coordinates are whole numbers.
const SCALE: f64 = 2.0;
/// Distance and width of a pattern's lines.
const PITCH: f64 = 5.0;
const STROKE: f64 = 1.6;

/// The scene as SVG text.
pub(super) fn svg(scene: &Scene, figure: &Figure, purpose: Svg, id: &str) -> String {
    let size = (pixels(scene.width) as u32, pixels(scene.height) as u32);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        // Writing to a string can't fail.
        let _ = Painter {
            area: &area,
            target: Target::Svg,
        }
        .paint(scene);
        let _ = area.present();
    }
    let head = head(scene, figure, purpose, id, &text);
    let body = text.split_once('>').map_or("", |(_, body)| body);
    let mut svg = head + body.trim_start_matches('\n');
    for pattern in PATTERNS {
        let reference = format!("url(#{id}-{})", pattern_name(pattern));
        svg = svg.replace(&hex(sentinel(pattern)), &reference);
    }
    svg
}

const PATTERNS: [Pattern; 3] = [Pattern::Rising, Pattern::Falling, Pattern::Upright];

/// The opening tag, for people who don't see the drawing too, and the patterns.
fn head(scene: &Scene, figure: &Figure, purpose: Svg, id: &str, drawn: &str) -> String {
    let mut head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" \
         viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n",
        scene.width,
        scene.height,
        pixels(scene.width),
        pixels(scene.height),
        escape(&figure.title),
        escape(&figure.subtitle),
    );
    if purpose == Svg::Standalone {
        head.push_str(&format!("<style>{}</style>\n", font::woff2_rules()));
    }
    let used: BTreeSet<_> = PATTERNS
        .into_iter()
        .filter(|pattern| drawn.contains(&hex(sentinel(*pattern))))
        .map(pattern_name)
        .collect();
    if !used.is_empty() {
        head.push_str("<defs>");
        for name in used {
            let (pitch, angle) = (PITCH * SCALE, angle(name));
            head.push_str(&format!(
                "<pattern id=\"{id}-{name}\" width=\"{pitch}\" height=\"{pitch}\" \
                 patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate({angle})\">\
                 <line x1=\"{0}\" y1=\"0\" x2=\"{0}\" y2=\"{pitch}\" stroke=\"{1}\" \
                 stroke-width=\"{2}\"/></pattern>",
                pitch / 2.0,
                hex(Ink::Surface.rgb()),
                STROKE * SCALE
            ));
        }
        head.push_str("</defs>\n");
    }
    head
}

/// Text as it may stand in an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

const fn pattern_name(pattern: Pattern) -> &'static str {
    match pattern {
        Pattern::Solid => "solid",
        Pattern::Rising => "rising",
        Pattern::Falling => "falling",
        Pattern::Upright => "upright",
    }
}

fn angle(name: &str) -> i32 {
    match name {
        "rising" => 45,
        "falling" => -45,
        _ => 0,
    }
}

/// A colour that no drawing uses: in SVG it stands for a pattern until the end.
const fn sentinel(pattern: Pattern) -> [u8; 3] {
    [1, 2, 3 + pattern as u8]
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// The scene as the bytes of a PNG file.
pub(super) fn png(scene: &Scene) -> Vec<u8> {
    let (width, height) = (pixels(scene.width) as u32, pixels(scene.height) as u32);
    let mut buffer = vec![0xFF; width as usize * height as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut buffer, (width, height)).into_drawing_area();
        // Neither can drawing to a buffer of the right size.
        let _ = Painter {
            area: &area,
            target: Target::Bitmap,
        }
        .paint(scene);
        let _ = area.present();
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // 192 dots per inch: the drawing has the size that its pixels were placed for.
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: 7559,
        yppu: 7559,
        unit: png::Unit::Meter,
    }));
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&buffer)?;
        writer.finish()
    });
    debug_assert!(written.is_ok(), "a Vec takes every byte: {written:?}");
    file
}

fn pixels(length: f64) -> i32 {
    (length * SCALE).round() as i32
}

fn colour(ink: Ink) -> RGBColor {
    let [r, g, b] = ink.rgb();
    RGBColor(r, g, b)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Svg,
    Bitmap,
}

struct Painter<'a, B: DrawingBackend> {
    area: &'a DrawingArea<B, Shift>,
    target: Target,
}

type Painted<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

impl<B: DrawingBackend> Painter<'_, B> {
    fn paint(&self, scene: &Scene) -> Painted<B> {
        font::register();
        for item in &scene.items {
            match item {
                Item::Plane { edges, ink } => self.plane(*edges, colour(*ink))?,
                Item::Ground { edges } => self.plane(*edges, colour(Ink::Surface))?,
                Item::Bar { edges, fill } => self.bar(*edges, *fill)?,
                Item::Path(path) => self.path(path)?,
                Item::Dot {
                    x,
                    y,
                    radius,
                    ink,
                    filled,
                } => {
                    self.dot((*x, *y), *radius, *ink, *filled)?;
                }
                Item::Text(text) => self.text(text)?,
            }
        }
        Ok(())
    }

    fn plane(&self, [left, top, right, bottom]: [f64; 4], colour: RGBColor) -> Painted<B> {
        let corners = [(pixels(left), pixels(top)), (pixels(right), pixels(bottom))];
        self.area.draw(&Rectangle::new(corners, colour.filled()))
    }

    fn bar(&self, edges: [f64; 4], fill: Fill) -> Painted<B> {
        self.plane(edges, colour(Ink::Tone(fill.tone)))?;
        if fill.pattern == Pattern::Solid {
            return Ok(());
        }
        if self.target == Target::Svg {
            let [r, g, b] = sentinel(fill.pattern);
            return self.plane(edges, RGBColor(r, g, b));
        }
        for line in pattern_lines(edges, fill.pattern) {
            let style = colour(Ink::Surface).stroke_width(pixels(STROKE) as u32);
            let line: Vec<_> = line
                .into_iter()
                .map(|(x, y)| (pixels(x), pixels(y)))
                .collect();
            self.area.draw(&PathElement::new(line, style))?;
        }
        Ok(())
    }

    fn path(&self, path: &Path) -> Painted<B> {
        let style = colour(path.ink).stroke_width(pixels(path.width).max(1) as u32);
        for piece in path.pieces() {
            let points: Vec<_> = piece
                .iter()
                .map(|(x, y)| (pixels(*x), pixels(*y)))
                .collect();
            self.area.draw(&PathElement::new(points, style))?;
        }
        Ok(())
    }

    fn dot(&self, (x, y): (f64, f64), radius: f64, ink: Ink, filled: bool) -> Painted<B> {
        let (centre, radius) = ((pixels(x), pixels(y)), pixels(radius));
        self.area
            .draw(&Circle::new(centre, radius, colour(ink).filled()))?;
        if filled {
            return Ok(());
        }
        let hole = (radius - pixels(1.8)).max(1);
        self.area
            .draw(&Circle::new(centre, hole, colour(Ink::Surface).filled()))
    }

    fn text(&self, text: &Text) -> Painted<B> {
        let size = text.size * SCALE;
        if self.target == Target::Bitmap {
            return self.letters(text, size);
        }
        // plotters writes a font size of 1/1.24 of what it is given, and the top of a text
        // 0.76 ems above its baseline.
        let position = match text.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let place = (
            pixels(text.x),
            (text.baseline * SCALE - size * 0.76).round() as i32,
        );
        self.string(&text.text, text, size * 1.24, position, place)
    }

    /// Letter by letter: in a bitmap, plotters drops the space at the left of each letter
    /// and adds up rounding errors.
    fn letters(&self, text: &Text, size: f64) -> Painted<B> {
        let [left, ..] = text.edges();
        let scale = size * font::height_in_ems();
        let y = (text.baseline * SCALE - scale / 2.0).round() as i32;
        let mut pen = left * SCALE;
        for letter in text.text.chars() {
            let (bearing, advance) = font::letter(letter, size, text.bold);
            if !letter.is_whitespace() {
                let place = ((pen + bearing).round() as i32, y);
                self.string(
                    letter.encode_utf8(&mut [0; 4]),
                    text,
                    scale,
                    HPos::Left,
                    place,
                )?;
            }
            pen += advance;
        }
        Ok(())
    }

    fn string(
        &self,
        string: &str,
        text: &Text,
        size: f64,
        position: HPos,
        place: (i32, i32),
    ) -> Painted<B> {
        let weight = if text.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        let ink = colour(text.ink);
        let style = TextStyle::from((font::FAMILY, size, weight).into_font())
            .color(&ink)
            .pos(Pos::new(position, VPos::Top));
        self.area
            .draw(&plotters::element::Text::new(string, place, style))
    }
}

/// The lines of a pattern, cut at the edges.
fn pattern_lines([left, top, right, bottom]: [f64; 4], pattern: Pattern) -> Vec<[(f64, f64); 2]> {
    let height = bottom - top;
    let lean = match pattern {
        Pattern::Rising => -height,
        Pattern::Falling => height,
        Pattern::Upright | Pattern::Solid => 0.0,
    };
    // Perpendicular distance is what the eye sees.
    let step = if lean == 0.0 {
        PITCH
    } else {
        PITCH * std::f64::consts::SQRT_2
    };
    let mut lines = Vec::new();
    let mut x = left - lean.abs() + step / 2.0;
    while x < right + lean.abs() {
        // From (x, top) to (x + lean, bottom), cut at left and right.
        let at = |share: f64| (x + lean * share, top + height * share);
        let (mut from, mut to) = (0.0, 1.0);
        if lean != 0.0 {
            let [a, b] = [(left - x) / lean, (right - x) / lean];
            from = a.min(b).clamp(0.0, 1.0);
            to = a.max(b).clamp(0.0, 1.0);
        } else if x < left || x > right {
            to = 0.0;
        }
        if to > from {
            lines.push([at(from), at(to)]);
        }
        x += step;
    }
    lines
}
