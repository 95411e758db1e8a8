//! Numbers as text.

use std::time::Duration;

/// With three digits, and its unit.
pub(super) fn time(time: Duration) -> String {
    let nanoseconds = time.as_nanos() as f64;
    let (value, unit) = match nanoseconds {
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let digits = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

pub(super) fn per_second(rate: f64) -> String {
    format!("{}/s", number(rate))
}

/// Whole from a hundred on; below, with a digit after the point.
pub(super) fn number(value: f64) -> String {
    match value {
        value if value < 99.95 => format!("{value:.1}"),
        value => count(value.round() as u64),
    }
}

/// With commas between thousands.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_three_digits() {
        for (nanoseconds, text) in [
            (63, "0.06 µs"),
            (9_996, "10.0 µs"),
            (312_400, "312 µs"),
            (1_234_567, "1.23 ms"),
            (2_500_000_000, "2.50 s"),
        ] {
            assert_eq!(time(Duration::from_nanos(nanoseconds)), text);
        }
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1234567, "1,234,567"),
        ] {
            assert_eq!(count(value), text);
        }
        assert_eq!(number(99.96), "100");
        assert_eq!(number(12.34), "12.3");
    }
}
