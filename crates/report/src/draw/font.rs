//! The embedded typeface: Open Sans, cut down to Latin letters and the signs of numbers.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, ScaleFont};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plotters::style::{FontStyle, register_font};

static REGULAR: &[u8] = include_bytes!("../../fonts/OpenSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../../fonts/OpenSans-Bold.ttf");
static REGULAR_WOFF2: &[u8] = include_bytes!("../../fonts/OpenSans-Regular.woff2");
static BOLD_WOFF2: &[u8] = include_bytes!("../../fonts/OpenSans-Bold.woff2");

/// The name under which plotters knows the typeface, and the list that an SVG viewer
/// without it walks along.
pub(super) const FAMILY: &str = "pqlab Sans, Open Sans, DejaVu Sans, Arial, sans-serif";

/// The face of one weight; `None` only if the committed file were damaged.
static FACES: LazyLock<[Option<FontRef<'static>>; 2]> =
    LazyLock::new(|| [REGULAR, BOLD].map(|bytes| FontRef::try_from_slice(bytes).ok()));

/// Makes the typeface known to plotters.
pub(super) fn register() {
    static ONCE: LazyLock<()> = LazyLock::new(|| {
        for (style, bytes) in [(FontStyle::Normal, REGULAR), (FontStyle::Bold, BOLD)] {
            // A face that can't be registered leaves a drawing without text; the tests
            // of this crate see that before a release.
            let _ = register_font(FAMILY, style, bytes);
        }
    });
    LazyLock::force(&ONCE);
}

/// The height of a face in ems, which is what ab_glyph scales by.
pub(super) fn height_in_ems() -> f64 {
    FACES[0].as_ref().map_or(1.0, |face| {
        f64::from(face.height_unscaled() / face.units_per_em().unwrap_or(1000.0))
    })
}

/// The width of a text in pixels at a font size in pixels.
pub(super) fn text_width(text: &str, size: f64, bold: bool) -> f64 {
    let Some(face) = &FACES[usize::from(bold)] else {
        return size * 0.6 * text.chars().count() as f64;
    };
    let scaled = face.as_scaled((size * height_in_ems()) as f32);
    let width: f32 = text
        .chars()
        .map(|c| scaled.h_advance(scaled.glyph_id(c)))
        .sum();
    f64::from(width)
}

/// The space at the left of a letter, and how far it moves the pen, in pixels.
pub(super) fn letter(letter: char, size: f64, bold: bool) -> (f64, f64) {
    let Some(face) = &FACES[usize::from(bold)] else {
        return (0.0, size * 0.6);
    };
    let scaled = face.as_scaled((size * height_in_ems()) as f32);
    let glyph = scaled.scaled_glyph(letter);
    let advance = scaled.h_advance(glyph.id);
    let bearing = scaled
        .outline_glyph(glyph)
        .map_or(0.0, |outline| outline.px_bounds().min.x);
    (bearing.into(), advance.into())
}

/// Breaks a text into lines no wider than `width`. A word that is wider stands alone.
pub(super) fn wrap(text: &str, size: f64, bold: bool, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), size, bold) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The typeface as style rules that need no file and no network.
pub(crate) fn woff2_rules() -> String {
    let rule = |weight: u16, bytes: &[u8]| {
        format!(
            "@font-face{{font-family:'pqlab Sans';font-weight:{weight};\
             src:url(data:font/woff2;base64,{}) format('woff2')}}",
            STANDARD.encode(bytes)
        )
    };
    rule(400, REGULAR_WOFF2) + &rule(700, BOLD_WOFF2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_that_charts_use_is_in_the_font() {
        for face in FACES.iter() {
            let face = face.as_ref().unwrap();
            for sign in "AZaz09 ,.;:()[]>/+×−–—µ±≈≥≤·%“”’…\u{a0}".chars() {
                assert_ne!(face.glyph_id(sign).0, 0, "{sign:?}");
            }
        }
    }

    #[test]
    fn lines_are_no_wider_than_asked() {
        let text = "Hybrid X25519MLKEM768 adds 37 µs of CPU time to each handshake";
        let lines = wrap(text, 13.0, false, 200.0);
        assert!(lines.len() > 1);
        assert!(
            lines
                .iter()
                .all(|line| text_width(line, 13.0, false) <= 200.0)
        );
        assert_eq!(lines.join(" "), text);
    }
}
