//! A trace for people: text and pictures.

mod compare;
mod svg;
mod text;

pub use compare::compare_text;
pub use svg::svg;
pub use text::text;

use crate::trace::Trace;

/// Columns of everything for a terminal.
const WIDTH: usize = 100;

/// Version, suite, group and signature in one line, as far as they are known.
fn headline(trace: &Trace) -> Vec<String> {
    let negotiated = &trace.negotiated;
    let mut parts = Vec::new();
    parts.extend(negotiated.version.map(|version| format!("TLS {version}")));
    parts.extend(negotiated.cipher_suite.map(|suite| suite.to_string()));
    parts.extend(negotiated.group.map(|group| group.to_string()));
    parts.extend(negotiated.server_scheme.map(|scheme| scheme.to_string()));
    if negotiated.is_resumed {
        parts.push("resumed".to_owned());
    }
    parts
}

/// Breaks text at spaces, and words that are longer than a line anywhere.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut characters: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + characters.len() > width {
            lines.push(String::new());
            used = 0;
        }
        while characters.len() > width {
            let rest = characters.split_off(width);
            push(&mut lines, &characters);
            lines.push(String::new());
            characters = rest;
        }
        if used > 0 {
            push(&mut lines, &[' ']);
            used += 1;
        }
        push(&mut lines, &characters);
        used += characters.len();
    }
    lines
}

fn push(lines: &mut [String], characters: &[char]) {
    if let Some(line) = lines.last_mut() {
        line.extend(characters);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a abcdefgh b", 3), ["a", "abc", "def", "gh", "b"]);
        assert_eq!(wrap("", 3), [""]);
    }
}
