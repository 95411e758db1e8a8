//! Times in histograms of high dynamic range.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The shortest time told from a shorter one, in nanoseconds.
const LOWEST: u64 = 100;
/// The longest, in nanoseconds: two minutes; what takes longer counts as this.
const HIGHEST: u64 = 120_000_000_000;
/// Three decimal digits are kept.
const DIGITS: u8 = 3;

/// Values beyond a quantile that settle it.
const BEYOND: f64 = 10.0;

/// How often something took how long, to three digits, from 0.1 µs to two minutes.
#[derive(Debug, Clone)]
pub struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(LOWEST, HIGHEST, DIGITS);
        // The bounds are constants, and of the form that the library asks for: from 1,
        // twice that or more, up to five digits.
        Self(histogram.expect("constant bounds"))
    }
}

impl Latency {
    pub(super) fn record(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanoseconds);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        // Both have the same bounds, which is all that can be wrong.
        let _ = self.0.add(&other.0);
    }

    pub(super) fn clear(&mut self) {
        self.0.reset();
    }

    /// The number of times recorded.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that this share of all did not exceed, 0.99 for p99; `None` without any.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let value = || Duration::from_nanos(self.0.value_at_quantile(share));
        (self.count() > 0).then(value)
    }

    /// The same, if ten or more are beyond it: with fewer, chance decides what it is.
    pub fn settled_quantile(&self, share: f64) -> Option<Duration> {
        // The product is rounded, as shares like 0.999 are.
        let beyond = (self.count() as f64 * (1.0 - share) * 1e6).round() / 1e6;
        self.quantile(share).filter(|_| beyond >= BEYOND)
    }

    /// The longest; `None` without any.
    pub fn max(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_nanos(self.0.max()))
    }

    /// The arithmetic mean; `None` without any.
    pub fn mean(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_nanos(self.0.mean() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_keep_three_digits_and_nothing_is_lost() {
        let mut latency = Latency::default();
        assert_eq!((latency.quantile(0.5), latency.max()), (None, None));
        let mut other = Latency::default();
        for micros in 1..=1000 {
            latency.record(Duration::from_micros(micros));
            other.record(Duration::from_micros(1000 + micros));
        }
        other.record(Duration::from_secs(3600));
        latency.merge(&other);
        assert_eq!(latency.count(), 2001);
        let median = latency.quantile(0.5).unwrap().as_secs_f64();
        assert!((median / 1001e-6 - 1.0).abs() < 1e-3, "{median}");
        assert!(latency.max().unwrap() >= Duration::from_secs(119));
    }

    #[test]
    fn a_quantile_is_settled_by_ten_beyond_it() {
        for (share, enough) in [(0.5, 20), (0.9, 100), (0.99, 1000), (0.999, 10_000)] {
            let mut latency = Latency::default();
            for _ in 1..enough {
                latency.record(Duration::from_micros(1));
            }
            assert_eq!(latency.settled_quantile(share), None, "{share}");
            latency.record(Duration::from_micros(1));
            assert!(latency.settled_quantile(share).is_some(), "{share}");
        }
    }
}
