//! How numbers, times and the peers' strings are written.

use std::fmt::Display;
use std::time::Duration;

use experiment::Phase;
use wire::is_grease;

/// The phase's name, as in metrics.
pub(crate) const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::GenerateShare => "generate-share",
        Phase::Agree => "agree",
        Phase::Sign => "sign",
        Phase::Verify => "verify",
    }
}

/// With a comma before each group of three digits.
pub(crate) fn number(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1,216 bytes`.
pub(crate) fn bytes(count: usize) -> String {
    counted(count, "byte")
}

/// `1 segment`, `2 segments`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", number(count))
}

/// Three significant digits, in microseconds or milliseconds.
pub(crate) fn time(time: Duration) -> String {
    let microseconds = time.as_secs_f64() * 1e6;
    let (value, unit) = match microseconds {
        ..1000.0 => (microseconds, "µs"),
        _ => (microseconds / 1000.0, "ms"),
    };
    let decimals = match value {
        ..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

/// What a peer sent, without anything that a terminal or a page would act upon.
pub(crate) fn printable(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// The names of code points in their order; those without meaning as GREASE.
pub(crate) fn code_points<T: Display>(list: &[T], value: impl Fn(&T) -> u16) -> String {
    let names: Vec<String> = list
        .iter()
        .map(|point| match is_grease(value(point)) {
            true => "GREASE".to_owned(),
            false => point.to_string(),
        })
        .collect();
    join(&names)
}

/// `a, b, c`, or `none`.
pub(crate) fn join(parts: &[String]) -> String {
    match parts {
        [] => "none".to_owned(),
        parts => parts.join(", "),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn enumerate(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The name of a protocol version's code point.
pub(crate) fn version(code_point: u16) -> String {
    match code_point {
        0x0304 => "TLS 1.3".to_owned(),
        0x0303 => "TLS 1.2".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0300 => "SSL 3.0".to_owned(),
        other if is_grease(other) => "GREASE".to_owned(),
        other => format!("0x{other:04x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_easy_to_read() {
        let numbers = [0, 999, 1000, 14_480, 1_234_567].map(number);
        assert_eq!(numbers, ["0", "999", "1,000", "14,480", "1,234,567"]);
        let times = [7_654, 76_543, 765_432, 1_524_000].map(|ns| time(Duration::from_nanos(ns)));
        assert_eq!(times, ["7.65 µs", "76.5 µs", "765 µs", "1.52 ms"]);
    }

    /// What a peer sends must not move a terminal's cursor.
    #[test]
    fn the_peers_strings_are_harmless() {
        assert_eq!(printable(b"a\x1b[2J\n"), "a\\x1b[2J\\n");
    }
}
