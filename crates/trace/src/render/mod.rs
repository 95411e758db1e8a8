//! A trace for people: text and pictures.

mod compare;
mod svg;
mod text;

pub use compare::compare_text;
pub use svg::{drawing, svg};
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

/// What the keys rest upon, by name.
fn key_exchange(trace: &Trace) -> String {
    let negotiated = &trace.negotiated;
    let suite = negotiated.cipher_suite.and_then(|suite| suite.facts());
    match negotiated.group {
        Some(group) => group.to_string(),
        None if negotiated.is_resumed => "none (resumed)".to_owned(),
        None if suite.is_some_and(|facts| facts.static_rsa) => "RSA key transport".to_owned(),
        None => "unknown".to_owned(),
    }
}

/// What the server signed with, by name.
fn signature(trace: &Trace) -> String {
    match trace.negotiated.server_scheme {
        Some(scheme) => scheme.to_string(),
        None => "none".to_owned(),
    }
}

/// What makes a handshake classical or not.
fn algorithms(trace: &Trace) -> String {
    let key_exchange = key_exchange(trace);
    match (trace.negotiated.server_scheme, trace.negotiated.is_resumed) {
        (Some(scheme), _) => format!("{key_exchange}, {scheme}"),
        (None, true) if trace.negotiated.group.is_none() => "resumed, no key exchange".to_owned(),
        (None, true) => format!("{key_exchange}, resumed"),
        (None, false) => key_exchange,
    }
}

/// The rest of what was negotiated.
fn surroundings(trace: &Trace) -> String {
    let negotiated = &trace.negotiated;
    let version = negotiated.version.map(|version| format!("TLS {version}"));
    let suite = negotiated.cipher_suite.map(|suite| suite.to_string());
    let parts: Vec<String> = version.into_iter().chain(suite).collect();
    parts.join(" · ")
}

/// Breaks text at spaces, and words that are longer than a line anywhere.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
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
