//! From values to pixels, and the round numbers along the way.

use super::font::text_width;
use crate::number;

/// Maps values to pixels along one axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    /// The values at both ends.
    pub(super) domain: [f64; 2],
    /// The pixels at both ends.
    pub(super) range: [f64; 2],
    pub(super) logarithmic: bool,
}

impl Axis {
    pub(super) fn at(&self, value: f64) -> f64 {
        let of = |v: f64| {
            if self.logarithmic {
                v.max(f64::MIN_POSITIVE).ln()
            } else {
                v
            }
        };
        let [from, to] = self.domain.map(of);
        let width = to - from;
        let share = if width > 0.0 {
            (of(value) - from) / width
        } else {
            0.0
        };
        let share = if share.is_finite() {
            share.clamp(-0.5, 1.5)
        } else {
            0.0
        };
        self.range[0] + share * (self.range[1] - self.range[0])
    }

    /// Round numbers with their labels, as many as stand apart from each other.
    pub(super) fn ticks(&self, size: f64) -> Vec<(f64, String)> {
        for wanted in [7, 6, 5, 4, 3, 2] {
            let ticks = self.round_numbers(wanted);
            if ticks.len() <= wanted + 2 && self.stand_apart(&ticks, size) {
                return ticks;
            }
        }
        Vec::new()
    }

    /// The same for an axis that runs upwards, where only the height of a label counts.
    pub(super) fn upright_ticks(&self, size: f64) -> Vec<(f64, String)> {
        let room = (self.range[1] - self.range[0]).abs() / (size * 2.6);
        self.round_numbers((room as usize).clamp(2, 7))
    }

    fn stand_apart(&self, ticks: &[(f64, String)], size: f64) -> bool {
        let mut last = f64::NEG_INFINITY;
        ticks.iter().all(|(value, label)| {
            let (x, half) = (self.at(*value), text_width(label, size, false) / 2.0);
            let apart = x - half > last + 10.0;
            last = x + half;
            apart
        })
    }

    fn round_numbers(&self, wanted: usize) -> Vec<(f64, String)> {
        let [low, high] = self.domain;
        if !(low.is_finite() && high.is_finite() && high > low) {
            return vec![(low, number::plain(low))];
        }
        if self.logarithmic && low > 0.0 {
            return decades(low, high, wanted);
        }
        let step = round_step((high - low) / wanted as f64);
        let exponent = step.log10().floor() as i32;
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        (first..=last)
            .map(|n| {
                let value = n as f64 * step;
                (value, number::rounded(value, exponent.min(0)))
            })
            .collect()
    }
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|f| f * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// Values of the form 1, 2, 5 (or 1 alone) times powers of ten.
fn decades(low: f64, high: f64, wanted: usize) -> Vec<(f64, String)> {
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let of = |factors: &[f64]| -> Vec<f64> {
        powers
            .clone()
            .flat_map(|power| factors.iter().map(move |f| f * 10f64.powi(power)))
            .filter(|value| (low..=high).contains(value))
            .collect()
    };
    let fine = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0];
    let sets: [&[f64]; 4] = [&fine, &[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
    let values = sets
        .into_iter()
        .map(of)
        .find(|values| values.len() <= wanted + 1);
    values
        .unwrap_or_default()
        .into_iter()
        .map(|value| (value, number::plain((value * 1e9).round() / 1e9)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(low: f64, high: f64, logarithmic: bool) -> Axis {
        Axis {
            domain: [low, high],
            range: [0.0, 400.0],
            logarithmic,
        }
    }

    #[test]
    fn ticks_are_round_and_apart() {
        let labels = |axis: Axis| -> Vec<String> {
            axis.ticks(12.0)
                .into_iter()
                .map(|(_, label)| label)
                .collect()
        };
        assert_eq!(
            labels(axis(0.0, 437.0, false)),
            ["0", "100", "200", "300", "400"]
        );
        assert_eq!(
            labels(axis(0.0, 20_000.0, false)),
            ["0", "5,000", "10,000", "15,000", "20,000"]
        );
        assert_eq!(labels(axis(0.4, 9.0, true)), ["0.5", "1", "2", "5"]);
    }

    #[test]
    fn odd_domains_are_safe() {
        for (low, high) in [
            (0.0, 0.0),
            (f64::NAN, 1.0),
            (5.0, 1.0),
            (0.0, f64::INFINITY),
        ] {
            for logarithmic in [false, true] {
                let axis = axis(low, high, logarithmic);
                axis.ticks(12.0);
                axis.upright_ticks(12.0);
                assert!(axis.at(3.0).is_finite(), "{low} {high}");
            }
        }
    }
}
