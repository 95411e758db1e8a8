//! Numbers as text: never more digits than their interval carries.

use experiment::Interval;

/// A space at which no line is broken: it stands between a number and its unit.
pub(crate) const NBSP: char = '\u{a0}';

/// A unit in which values are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scaled {
    /// As it stands behind a number.
    pub(crate) unit: &'static str,
    /// How much of the stored unit one of it is.
    pub(crate) size: f64,
}

pub(crate) const NANOSECONDS: Scaled = Scaled {
    unit: "ns",
    size: 1.0,
};
pub(crate) const MICROSECONDS: Scaled = Scaled {
    unit: "µs",
    size: 1e3,
};
pub(crate) const MILLISECONDS: Scaled = Scaled {
    unit: "ms",
    size: 1e6,
};
pub(crate) const SECONDS: Scaled = Scaled {
    unit: "s",
    size: 1e9,
};
pub(crate) const KIBIBYTES: Scaled = Scaled {
    unit: "KiB",
    size: 1024.0,
};

/// The unit for times of about this many nanoseconds.
pub(crate) fn time_unit(nanoseconds: f64) -> Scaled {
    match nanoseconds.abs() {
        n if n < 1e3 => NANOSECONDS,
        n if n < 1e6 => MICROSECONDS,
        n if n < 1e9 => MILLISECONDS,
        n if n.is_finite() => SECONDS,
        _ => MICROSECONDS,
    }
}

/// The unit for an interval of times: a difference near 0 has the unit of its ends.
pub(crate) fn interval_unit(interval: Interval) -> Scaled {
    let ends = [interval.value, interval.low, interval.high];
    time_unit(ends.into_iter().map(f64::abs).fold(0.0, f64::max))
}

impl Scaled {
    /// The interval in this unit.
    pub(crate) fn of(self, interval: Interval) -> Interval {
        map(interval, |value| value / self.size)
    }
}

/// Applies an increasing function to the estimate and both ends.
pub(crate) fn map(interval: Interval, f: impl Fn(f64) -> f64) -> Interval {
    Interval {
        value: f(interval.value),
        low: f(interval.low),
        high: f(interval.high),
    }
}

/// The power of ten to which a value may be rounded without pretending.
///
/// A step of 2 to 20 in the half-width of the interval; never beyond four significant
/// digits, which no timing deserves.
fn exponent(interval: Interval) -> i32 {
    let half_width = (interval.high - interval.low) / 2.0;
    let size = interval.value.abs();
    let finest = if size > 0.0 && size.is_finite() {
        size.log10().floor() as i32 - 3
    } else {
        -3
    };
    if half_width > 0.0 && half_width.is_finite() {
        ((half_width / 2.0).log10().floor() as i32).max(finest)
    } else {
        finest
    }
}

/// A number with thousands separators, a real minus sign, rounded to a power of ten.
pub(crate) fn rounded(value: f64, exponent: i32) -> String {
    if !value.is_finite() {
        return "not a number".to_owned();
    }
    let decimals = exponent.min(0).unsigned_abs() as usize;
    let step = 10f64.powi(exponent.max(0));
    let text = format!(
        "{:.decimals$}",
        if decimals > 0 {
            value
        } else {
            (value / step).round() * step
        }
    );
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) if digits.bytes().any(|b| (b'1'..=b'9').contains(&b)) => ("−", digits),
        Some(digits) => ("", digits),
        None => ("", text.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A count that is exact.
pub(crate) fn count(value: f64) -> String {
    rounded(value, 0)
}

/// A value at the precision of its interval.
pub(crate) fn value(interval: Interval) -> String {
    rounded(interval.value, exponent(interval))
}

/// Two values beside each other: decimals only if both have them.
pub(crate) fn values(pair: [Interval; 2]) -> [String; 2] {
    let coarser = exponent(pair[0]).max(exponent(pair[1])).min(0);
    pair.map(|interval| rounded(interval.value, exponent(interval).max(coarser)))
}

/// `21 µs [18, 24]`.
pub(crate) fn estimate(interval: Interval, scaled: Scaled) -> String {
    let interval = scaled.of(interval);
    let exponent = exponent(interval);
    let [value, low, high] =
        [interval.value, interval.low, interval.high].map(|v| rounded(v, exponent));
    format!("{value}{NBSP}{} [{low},{NBSP}{high}]", scaled.unit)
}

/// `21 µs`, at the precision of the interval.
pub(crate) fn sized(interval: Interval, scaled: Scaled) -> String {
    format!("{}{NBSP}{}", value(scaled.of(interval)), scaled.unit)
}

/// `1.23 [1.19, 1.27]`.
pub(crate) fn ratio(interval: Interval) -> String {
    let exponent = exponent(interval).max(-3);
    let [value, low, high] =
        [interval.value, interval.low, interval.high].map(|v| rounded(v, exponent));
    format!("{value} [{low},{NBSP}{high}]")
}

/// A number at three significant digits, where no interval says how many it has.
pub(crate) fn three_digits(value: f64) -> String {
    let size = value.abs();
    let exponent = if size > 0.0 && size.is_finite() {
        size.log10().floor() as i32 - 2
    } else {
        0
    };
    rounded(value, exponent)
}

/// A number by itself: four significant digits at most, and no zeros behind the last.
pub(crate) fn plain(value: f64) -> String {
    if value.fract() == 0.0 {
        return count(value);
    }
    let exact = Interval {
        value,
        low: value,
        high: value,
    };
    let text = rounded(value, exponent(exact).min(0));
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Value, lower and upper end as the cells of a table.
pub(crate) fn plain_interval(value: f64, interval: Option<[f64; 2]>) -> (String, String, String) {
    match interval {
        Some([low, high]) if low < high => {
            let exponent = exponent(Interval { value, low, high });
            (
                rounded(value, exponent),
                rounded(low, exponent),
                rounded(high, exponent),
            )
        }
        Some(_) => (plain(value), plain(value), plain(value)),
        None => (plain(value), String::new(), String::new()),
    }
}

/// A share as a percentage: whole numbers, one decimal below 10 %.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    format!(
        "{}{NBSP}%",
        rounded(percent, if percent.abs() < 9.95 { -1 } else { 0 })
    )
}

/// A share as a percentage in whole numbers, where two medians are held against each other.
pub(crate) fn whole_percent(share: f64) -> String {
    if share < 0.015 {
        return percent(share);
    }
    format!("{}{NBSP}%", rounded(share * 100.0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(low: f64, value: f64, high: f64) -> Interval {
        Interval { value, low, high }
    }

    #[test]
    fn digits_end_where_the_interval_begins() {
        for (low, value, high, text) in [
            (18_123.0, 21_370.0, 24_090.0, "21 µs [18, 24]"),
            (21_300.0, 21_370.0, 21_440.0, "21.37 µs [21.30, 21.44]"),
            (200_000.0, 231_000.0, 259_000.0, "230 µs [200, 260]"),
            (-3_400.0, -1_200.0, 900.0, "−1 µs [−3, 1]"),
            (204_000.0, 214_300.0, 224_000.0, "214 µs [204, 224]"),
        ] {
            let shown = estimate(interval(low, value, high), MICROSECONDS);
            assert_eq!(shown.replace(NBSP, " "), text);
        }
    }

    #[test]
    fn a_difference_near_nothing_has_the_unit_of_its_ends() {
        let difference = interval(-6_000.0, 40.0, 5_000.0);
        let shown = estimate(difference, interval_unit(difference));
        assert_eq!(shown.replace(NBSP, " "), "0 µs [−6, 5]");
    }

    #[test]
    fn two_values_of_one_bar_look_alike() {
        let pair = [interval(103.9, 106.2, 109.4), interval(105.8, 107.0, 109.8)];
        assert_eq!(values(pair), ["106", "107"]);
        let pair = [
            interval(470.0, 486.0, 507.0),
            interval(4_890.0, 4_932.0, 4_990.0),
        ];
        assert_eq!(values(pair), ["486", "4,930"]);
    }

    #[test]
    fn no_timing_has_more_than_four_digits() {
        let text = estimate(
            interval(1_524_111.0, 1_524_111.2, 1_524_111.4),
            MICROSECONDS,
        );
        assert_eq!(text.replace(NBSP, " "), "1,524 µs [1,524, 1,524]");
    }

    #[test]
    fn ratios_carry_their_interval() {
        assert_eq!(
            ratio(interval(1.186, 1.231, 1.274)).replace(NBSP, " "),
            "1.23 [1.19, 1.27]"
        );
        assert_eq!(
            ratio(interval(0.9995, 1.0, 1.0004)).replace(NBSP, " "),
            "1.000 [1.000, 1.000]"
        );
    }

    #[test]
    fn thousands_and_minus_signs() {
        assert_eq!(count(14_480.0), "14,480");
        assert_eq!(count(-1_234_567.0), "−1,234,567");
        assert_eq!(count(-0.2), "0");
        assert_eq!(count(999.0), "999");
        assert_eq!(rounded(-0.04, -1), "0.0");
        assert_eq!(percent(0.043).replace(NBSP, " "), "4.3 %");
        assert_eq!(percent(0.43).replace(NBSP, " "), "43 %");
    }

    #[test]
    fn what_is_no_number_says_so() {
        assert_eq!(count(f64::NAN), "not a number");
        assert_eq!(plain(f64::INFINITY), "not a number");
        assert!(!estimate(interval(f64::NAN, 1.0, f64::NAN), MICROSECONDS).is_empty());
        assert_eq!(
            estimate(interval(0.0, 0.0, 0.0), MICROSECONDS).replace(NBSP, " "),
            "0.000 µs [0.000, 0.000]"
        );
    }

    #[test]
    fn units_follow_the_size() {
        for (nanoseconds, unit) in [
            (0.0, "ns"),
            (999.0, "ns"),
            (1e3, "µs"),
            (5e6, "ms"),
            (2e9, "s"),
        ] {
            assert_eq!(time_unit(nanoseconds).unit, unit);
        }
    }
}
