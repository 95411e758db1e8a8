//! Statistics over blocks. Samples of one block share the machine's mood, and blocks
//! near each other do too: every interval comes from resampling *rounds* of
//! neighbouring blocks, never single samples.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::{Flags, Sample};

/// Rounds that the blocks are cut into for an interval.
const ROUNDS: usize = 40;
/// Resamples of a bootstrap.
const RESAMPLES: usize = 600;

/// A central value with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What there is to say of one series of samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Samples used.
    pub count: usize,
    /// Samples taken.
    pub taken: usize,
    /// Samples that the scheduler disturbed: left out, unless that is most of them.
    pub disturbed: usize,
    /// The median, with its interval over rounds.
    pub median: Interval,
    /// The mean: what capacity is planned with where single values vary by nature.
    pub mean: f64,
    /// The used values in ascending order.
    sorted: Vec<i64>,
}

impl Summary {
    /// Summarises samples in the order in which they were taken, the disturbed ones
    /// left out unless that is most of them. `None` when there are none.
    pub fn of(samples: &[Sample]) -> Option<Self> {
        let mut sorted: Vec<i64> = representative(samples).map(|sample| sample.value).collect();
        let values: Vec<f64> = sorted.iter().map(|value| *value as f64).collect();
        sorted.sort_unstable();
        let value = quantile(&sorted, 0.5)?;
        let (low, high) = bootstrap(&values, median)?;
        let mean = sorted.iter().map(|value| *value as f64).sum::<f64>() / sorted.len() as f64;
        Some(Self {
            count: sorted.len(),
            taken: samples.len(),
            disturbed: disturbed(samples),
            // The interval is about block values; it is widened to hold the estimate.
            median: Interval {
                value,
                low: low.min(value),
                high: high.max(value),
            },
            mean,
            sorted,
        })
    }

    /// The value below which a share `q` (0 to 1) of the samples lies.
    pub fn quantile(&self, q: f64) -> f64 {
        // `sorted` is never empty: `of` returns `None` then.
        quantile(&self.sorted, q).unwrap_or(f64::NAN)
    }

    /// The least value.
    pub fn min(&self) -> f64 {
        self.quantile(0.0)
    }

    /// The greatest value.
    pub fn max(&self) -> f64 {
        self.quantile(1.0)
    }
}

/// How a candidate compares with a baseline that was measured in the same blocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioEstimate {
    /// Candidate over baseline.
    pub ratio: Interval,
    /// Candidate minus baseline, in the metric's unit.
    pub difference: Interval,
    /// Blocks that hold both.
    pub blocks: usize,
}

impl RatioEstimate {
    /// Compares within each block, then over blocks. `None` when no block holds both.
    pub fn paired(baseline: &[Sample], candidate: &[Sample]) -> Option<Self> {
        let candidate = block_values(candidate);
        let pairs: Vec<(f64, f64)> = block_values(baseline)
            .into_iter()
            .filter_map(|(block, base)| {
                let at = candidate
                    .binary_search_by_key(&block, |(block, _)| *block)
                    .ok()?;
                Some((base, candidate[at].1))
            })
            .filter(|(base, _)| *base > 0.0)
            .collect();
        let ratios: Vec<f64> = pairs.iter().map(|(base, new)| new / base).collect();
        let differences: Vec<f64> = pairs.iter().map(|(base, new)| new - base).collect();
        Some(Self {
            ratio: median_interval(&ratios)?,
            difference: median_interval(&differences)?,
            blocks: pairs.len(),
        })
    }
}

/// The median of values in the order of their blocks, with its interval over rounds.
pub(crate) fn median_interval(values: &[f64]) -> Option<Interval> {
    let (low, high) = bootstrap(values, median)?;
    Some(Interval {
        value: median(&mut values.to_vec()),
        low,
        high,
    })
}

fn disturbed(samples: &[Sample]) -> usize {
    let is_disturbed = |sample: &&Sample| sample.flags.is_disturbed();
    samples.iter().filter(is_disturbed).count()
}

/// The samples to be used: those that nothing disturbed. On a machine so busy that these
/// are the lesser part, all of them: what escapes the scheduler there is a selection of
/// the short ones.
fn representative(samples: &[Sample]) -> impl Iterator<Item = &Sample> {
    let is_busy = 2 * disturbed(samples) > samples.len();
    samples
        .iter()
        .filter(move |sample| is_busy || !sample.flags.is_disturbed())
}

/// The mean of each block's representative values, in the order of blocks.
pub(crate) fn block_values(samples: &[Sample]) -> Vec<(u32, f64)> {
    let mut blocks: Vec<(u32, f64, u32)> = Vec::new();
    for sample in representative(samples) {
        match blocks.last_mut() {
            Some((block, sum, count)) if *block == sample.block => {
                *sum += sample.value as f64;
                *count += 1;
            }
            _ => blocks.push((sample.block, sample.value as f64, 1)),
        }
    }
    blocks.sort_by_key(|(block, ..)| *block);
    blocks
        .into_iter()
        .map(|(block, sum, count)| (block, sum / f64::from(count)))
        .collect()
}

/// Percentile bootstrap over rounds of neighbouring values (a cluster bootstrap:
/// Davison and Hinkley, *Bootstrap Methods and their Application*, 1997, chapter 8).
///
/// The seed is fixed: the same samples give the same interval wherever they are read.
fn bootstrap(values: &[f64], statistic: fn(&mut [f64]) -> f64) -> Option<(f64, f64)> {
    if values.is_empty() {
        return None;
    }
    let mut estimates = bootstrap_estimates(values, statistic);
    estimates.sort_by(f64::total_cmp);
    let at = |q: f64| estimates[(q * (estimates.len() - 1) as f64).round() as usize];
    Some((at(0.025), at(0.975)))
}

/// The statistic of each resample.
pub(crate) fn bootstrap_estimates(values: &[f64], statistic: fn(&mut [f64]) -> f64) -> Vec<f64> {
    let rounds: Vec<&[f64]> = values
        .chunks(values.len().div_ceil(ROUNDS).max(1))
        .collect();
    let mut rng = StdRng::seed_from_u64(0x70_71_6c_61_62);
    let mut resample = Vec::with_capacity(values.len() + ROUNDS);
    (0..RESAMPLES)
        .map(|_| {
            resample.clear();
            for _ in 0..rounds.len() {
                resample.extend_from_slice(rounds[rng.random_range(0..rounds.len())]);
            }
            statistic(&mut resample)
        })
        .collect()
}

/// The median; reorders its input, which must not be empty.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    let (middle, is_odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if is_odd {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (lower + upper) / 2.0
}

/// A quantile by linear interpolation between order statistics (Hyndman and Fan type 7).
fn quantile(sorted: &[i64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = q.clamp(0.0, 1.0) * last as f64;
    let below = sorted[position.floor() as usize] as f64;
    let above = sorted[position.ceil() as usize] as f64;
    Some(below + (above - below) * position.fract())
}

impl Flags {
    /// Whether the scheduler or the hypervisor took the CPU away meanwhile.
    pub const fn is_disturbed(self) -> bool {
        self.contains(Self::SWITCHED) || self.contains(Self::STOLEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: impl IntoIterator<Item = (u32, i64)>) -> Vec<Sample> {
        values
            .into_iter()
            .map(|(block, value)| Sample {
                block,
                value,
                flags: Flags::NONE,
            })
            .collect()
    }

    #[test]
    fn summary_of_known_values() {
        let summary = Summary::of(&samples((0..101).map(|i| (i, i64::from(i) * 10)))).unwrap();
        assert_eq!(summary.count, 101);
        assert_eq!(summary.median.value, 500.0);
        assert!(summary.median.low < 500.0 && summary.median.high > 500.0);
        assert_eq!(summary.quantile(0.9), 900.0);
        assert_eq!(
            (summary.min(), summary.max(), summary.mean),
            (0.0, 1000.0, 500.0)
        );
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn disturbed_samples_are_counted_and_left_out() {
        let mut all = samples([(0, 1), (1, 1), (2, 1), (3, 1_000)]);
        all[3].flags = Flags::SWITCHED;
        let summary = Summary::of(&all).unwrap();
        assert_eq!(
            (summary.count, summary.disturbed, summary.max()),
            (3, 1, 1.0)
        );
    }

    /// Where hardly anything is undisturbed, leaving out would choose the short ones.
    #[test]
    fn on_a_busy_machine_every_sample_is_used() {
        let mut all = samples([(0, 10), (1, 30), (2, 30)]);
        all[1].flags = Flags::SWITCHED;
        all[2].flags = Flags::STOLEN;
        let summary = Summary::of(&all).unwrap();
        assert_eq!((summary.count, summary.disturbed), (3, 2));
        assert_eq!(summary.median.value, 30.0);
        assert_eq!(block_values(&all).len(), 3);
    }

    /// A machine whose speed drifts by half in mid-run moves both sides of a ratio.
    #[test]
    fn a_paired_ratio_survives_drift() {
        let speed = |block: u32| if block < 200 { 1000.0 } else { 1500.0 };
        let noise = |block: u32, salt: u32| {
            f64::from(block.wrapping_mul(2654435761).wrapping_mul(salt) >> 8 & 63)
        };
        let series = |factor: f64, salt| {
            samples((0..400).map(|b| (b, (speed(b) * factor + noise(b, salt)) as i64)))
        };
        let estimate = RatioEstimate::paired(&series(1.0, 3), &series(1.1, 7)).unwrap();
        assert!((estimate.ratio.value - 1.1).abs() < 0.02, "{estimate:?}");
        assert!(estimate.ratio.low > 1.0);
        let same = RatioEstimate::paired(&series(1.0, 3), &series(1.0, 11)).unwrap();
        assert!(
            same.ratio.low <= 1.01 && same.ratio.high >= 0.99,
            "{same:?}"
        );
    }

    #[test]
    fn only_common_blocks_are_compared() {
        let base = samples([(0, 10), (1, 10), (2, 10)]);
        let new = samples([(1, 20), (2, 20), (3, 99)]);
        let estimate = RatioEstimate::paired(&base, &new).unwrap();
        assert_eq!((estimate.blocks, estimate.ratio.value), (2, 2.0));
        assert_eq!(estimate.difference.value, 10.0);
        assert!(RatioEstimate::paired(&base, &samples([(7, 1)])).is_none());
    }
}
