//! Colours: the same thing has the same colour everywhere.
//!
//! The classes of cryptography wear the Okabe-Ito colours, the phases of a handshake Paul
//! Tol's muted ones: both keep their differences for every common kind of colour vision.
//! Whatever a colour tells, a pattern, a dash or a label tells again.

use serde::Serialize;

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// Elliptic curves: falls to a quantum computer.
    Classical,
    /// Elliptic curve and ML-KEM together.
    Hybrid,
    /// ML-KEM or ML-DSA alone.
    PostQuantum,
    /// RSA.
    Rsa,
    /// Phase: the client's key share.
    GenerateShare,
    /// Phase: the shared secret.
    Agree,
    /// Phase: the handshake's signature.
    Sign,
    /// Phase: checking certificates and signature.
    Verify,
    /// Phase: everything else.
    Rest,
    /// No class of its own.
    Neutral,
    /// A rule is kept.
    Conforms,
    /// A rule is kept until a day.
    Limited,
    /// A rule is violated.
    Violates,
}

/// What a pattern over a colour stands for in the figure at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// None.
    Solid,
    /// Lines that rise to the right.
    Rising,
    /// Lines that fall to the right.
    Falling,
    /// Upright lines.
    Upright,
}

/// A colour of the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Text,
    Muted,
    Grid,
    Band,
    Surface,
    Tone(Tone),
}

impl Tone {
    const ALL: [Self; 13] = [
        Self::Classical,
        Self::Hybrid,
        Self::PostQuantum,
        Self::Rsa,
        Self::GenerateShare,
        Self::Agree,
        Self::Sign,
        Self::Verify,
        Self::Rest,
        Self::Neutral,
        Self::Conforms,
        Self::Limited,
        Self::Violates,
    ];
}

impl Ink {
    /// On white, and on a dark ground.
    const fn colours(self) -> [u32; 2] {
        match self {
            Self::Text => [0x1F2328, 0xE8EBEF],
            Self::Muted => [0x57606A, 0xA9B2BC],
            Self::Grid => [0xDDE1E6, 0x343B44],
            Self::Band => [0xC9D5E3, 0x3B4857],
            Self::Surface => [0xFFFFFF, 0x14181D],
            Self::Tone(tone) => match tone {
                Tone::Classical => [0x0072B2, 0x4DA6DE],
                Tone::Hybrid => [0xE69F00, 0xF0B030],
                Tone::PostQuantum => [0x009E73, 0x2DBE93],
                Tone::Rsa => [0xC44F00, 0xEC7A3C],
                Tone::GenerateShare => [0x88CCEE, 0x8ED0F0],
                Tone::Agree => [0x332288, 0x8D7FE0],
                Tone::Sign => [0xAA4499, 0xD07BC2],
                Tone::Verify => [0xC9B24A, 0xDDCC77],
                Tone::Rest => [0xBCC3CB, 0x68727D],
                Tone::Neutral => [0x5B6B7F, 0x94A4B8],
                Tone::Conforms => [0x44AA99, 0x5CC4B2],
                Tone::Limited => [0xD4B106, 0xE3C740],
                Tone::Violates => [0xCC3355, 0xEE6680],
            },
        }
    }

    /// Red, green and blue on white.
    pub(crate) const fn rgb(self) -> [u8; 3] {
        let [_, red, green, blue] = self.colours()[0].to_be_bytes();
        [red, green, blue]
    }
}

/// Style rules that recolour an inlined SVG for a dark page: SVG has the colours of print
/// as attributes, which any rule overrides.
pub(crate) fn dark_rules() -> String {
    let inks = [Ink::Text, Ink::Muted, Ink::Grid, Ink::Band, Ink::Surface];
    let mut rules = String::new();
    for ink in inks.into_iter().chain(Tone::ALL.map(Ink::Tone)) {
        let [light, dark] = ink.colours();
        for attribute in ["fill", "stroke"] {
            rules.push_str(&format!(
                ".chart [{attribute}=\"#{light:06X}\"]{{{attribute}:#{dark:06X}}}\n"
            ));
        }
    }
    rules
}

/// What a cell of a table can stand for: its class in the style sheet, and its colour.
const CELLS: [(&str, Tone); 7] = [
    ("classical", Tone::Classical),
    ("hybrid", Tone::Hybrid),
    ("pure", Tone::PostQuantum),
    ("neutral", Tone::Neutral),
    ("conforms", Tone::Conforms),
    ("limited", Tone::Limited),
    ("violates", Tone::Violates),
];

/// Light and dark: the place of a colour in a pair.
pub(crate) const LIGHT: usize = 0;
pub(crate) const DARK: usize = 1;

/// Style rules for the cells of tables: a strong edge, and a ground pale enough for text.
pub(crate) fn cell_rules(mode: usize) -> String {
    let rule = |(class, tone): &(&str, Tone)| {
        format!(
            ".cell.{class}{{--edge:#{:06X};--tint:#{:06X}}}\n",
            Ink::Tone(*tone).colours()[mode],
            tint(*tone, mode)
        )
    };
    CELLS.iter().map(rule).collect()
}

/// A sixth of the colour over the ground, on a dark ground a quarter.
fn tint(tone: Tone, mode: usize) -> u32 {
    let share = [6, 4][mode];
    let [colour, ground] =
        [Ink::Tone(tone), Ink::Surface].map(|ink| ink.colours()[mode].to_be_bytes());
    let mixed = |at: usize| {
        let (colour, ground) = (i32::from(colour[at]), i32::from(ground[at]));
        // Between two bytes lies a byte.
        (ground + (colour - ground) / share) as u32
    };
    mixed(1) << 16 | mixed(2) << 8 | mixed(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: u32) -> f64 {
        let [_, r, g, b] = colour.to_be_bytes();
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(a: u32, b: u32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// WCAG 2.2, success criterion 1.4.3: 4.5 for text.
    #[test]
    fn text_stands_out_from_the_ground_in_both_modes() {
        for mode in [0, 1] {
            let ground = Ink::Surface.colours()[mode];
            for ink in [Ink::Text, Ink::Muted] {
                assert!(contrast(ink.colours()[mode], ground) >= 4.5, "{ink:?}");
            }
        }
    }

    #[test]
    fn text_stands_out_from_the_cells_of_tables() {
        for mode in [LIGHT, DARK] {
            for (class, tone) in CELLS {
                let ground = tint(tone, mode);
                for ink in [Ink::Text, Ink::Muted] {
                    let contrast = contrast(ink.colours()[mode], ground);
                    assert!(contrast >= 4.5, "{class} {mode} {ink:?}: {contrast}");
                }
            }
        }
    }

    #[test]
    fn no_two_meanings_share_a_colour() {
        let mut colours: Vec<_> = Tone::ALL
            .iter()
            .map(|t| Ink::Tone(*t).colours()[0])
            .collect();
        colours.sort_unstable();
        colours.dedup();
        assert_eq!(colours.len(), Tone::ALL.len());
    }
}
