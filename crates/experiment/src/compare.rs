//! Two runs against each other.
//!
//! They were not measured in the same blocks, so a machine that was slower on the day
//! would look like a regression. Each block therefore holds the yardstick, a fixed piece
//! of work: times are compared as multiples of it.

use crate::statistics::{block_values, bootstrap_estimates, median};
use crate::{Interval, Metric, Run, Sample, Subject, Unit};

/// Every metric that two runs share.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Rows in the order of the base run.
    pub rows: Vec<ComparisonRow>,
    /// What the base run has and the new one lacks.
    pub missing: Vec<(Subject, Metric)>,
    /// The widest A/A ratio of either run, as a share: 0.01 for 1 %.
    pub noise: f64,
    /// Whether times are multiples of the yardstick; else of the clock's nanosecond.
    pub normalised: bool,
}

/// One metric of one subject in both runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonRow {
    /// The subject.
    pub subject: Subject,
    /// The metric.
    pub metric: Metric,
    /// The median in the base run, in the metric's unit.
    pub base: f64,
    /// The median in the new run.
    pub new: f64,
    /// New over base, normalised; with a 95 % interval.
    pub ratio: Interval,
    /// What that means.
    pub verdict: Verdict,
}

/// What a comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Significantly more, and by more than the threshold.
    Regression,
    /// Significantly less, and by more than the threshold.
    Improvement,
    /// Neither.
    NoMeasurableDifference,
}

impl Comparison {
    /// Whether anything got worse.
    pub fn has_regression(&self) -> bool {
        self.rows
            .iter()
            .any(|row| row.verdict == Verdict::Regression)
    }
}

/// Compares every metric that both runs have.
///
/// A difference is significant when the whole interval lies beyond `threshold` (0.02 for
/// 2 %) and beyond the noise floor of both runs. Since a run has hundreds of rows, the
/// interval that decides is widened until the chance of *any* false alarm in the whole
/// comparison is about 5 % (Bonferroni); the interval that is shown is of one row.
pub fn compare(base: &Run, new: &Run, threshold: f64) -> Comparison {
    let noise = noise_floor(base).max(noise_floor(new));
    let normalised = [base, new].iter().all(|run| !yardstick(run).is_empty());
    let shared: Vec<(&Subject, Metric)> = base
        .records()
        .iter()
        .filter(|record| record.replica == 0 && record.subject != Subject::Yardstick)
        .map(|record| (&record.subject, record.metric))
        .collect();
    let tests = shared.len().max(1) as f64;
    let mut rows = Vec::new();
    let mut missing = Vec::new();
    for (subject, metric) in shared {
        let sides = [base, new].map(|run| run.samples(subject, 0, metric));
        let values = [base, new].map(|run| {
            let samples = run.samples(subject, 0, metric);
            let ruler = if normalised && metric.unit() == Unit::Nanoseconds {
                yardstick(run)
            } else {
                Vec::new()
            };
            normalise(samples, &ruler)
        });
        match row(subject, metric, sides, values, tests, threshold.max(noise)) {
            Some(row) => rows.push(row),
            None => missing.push((subject.clone(), metric)),
        }
    }
    Comparison {
        rows,
        missing,
        noise,
        normalised,
    }
}

fn row(
    subject: &Subject,
    metric: Metric,
    sides: [&[Sample]; 2],
    values: [Vec<f64>; 2],
    tests: f64,
    margin: f64,
) -> Option<ComparisonRow> {
    let [base, new] = sides.map(|samples| {
        let mut values: Vec<f64> = block_values(samples).into_iter().map(|(_, v)| v).collect();
        (!values.is_empty()).then(|| median(&mut values))
    });
    let [base_values, new_values] = values;
    let (base, new) = (base?, new?);
    let centre = [&base_values, &new_values].map(|values| median(&mut values.to_vec()));
    if centre[0] <= 0.0 {
        return None;
    }
    let log_ratio = (centre[1] / centre[0]).ln();
    let spread = [base_values, new_values]
        .map(|values| log_spread(&bootstrap_estimates(&values, median)))
        .iter()
        .map(|spread| spread * spread)
        .sum::<f64>()
        .sqrt();
    let at = |z: f64| (log_ratio + z * spread).exp();
    let z = normal_quantile(1.0 - 0.025 / tests);
    let verdict = if at(-z) > 1.0 + margin {
        Verdict::Regression
    } else if at(z) < 1.0 / (1.0 + margin) {
        Verdict::Improvement
    } else {
        Verdict::NoMeasurableDifference
    };
    Some(ComparisonRow {
        subject: subject.clone(),
        metric,
        base,
        new,
        ratio: Interval {
            value: at(0.0),
            low: at(-1.96),
            high: at(1.96),
        },
        verdict,
    })
}

/// The standard deviation of the logarithm of bootstrap estimates.
fn log_spread(estimates: &[f64]) -> f64 {
    let logs: Vec<f64> = estimates
        .iter()
        .filter(|value| **value > 0.0)
        .map(|value| value.ln())
        .collect();
    let count = logs.len().max(1) as f64;
    let mean = logs.iter().sum::<f64>() / count;
    (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / count).sqrt()
}

/// Each block's value as a multiple of that block's yardstick, where there is one.
fn normalise(samples: &[Sample], ruler: &[(u32, f64)]) -> Vec<f64> {
    let values = block_values(samples);
    if ruler.is_empty() {
        return values.into_iter().map(|(_, value)| value).collect();
    }
    // Blocks outside of those with a yardstick, those of other meters, use its median.
    let typical = median(&mut ruler.iter().map(|(_, value)| *value).collect::<Vec<_>>());
    values
        .into_iter()
        .map(|(block, value)| {
            let at = ruler.binary_search_by_key(&block, |(block, _)| *block);
            value / at.map_or(typical, |at| ruler[at].1)
        })
        .collect()
}

fn yardstick(run: &Run) -> Vec<(u32, f64)> {
    block_values(run.samples(&Subject::Yardstick, 0, Metric::Operation))
}

/// How far the baseline seems to differ from itself, at the far end of the interval.
fn noise_floor(run: &Run) -> f64 {
    use crate::Side::{Client, Server};
    run.noise(&[Metric::Wall(Client), Metric::Wall(Server)])
        .map_or(0.0, |noise| {
            (noise.ratio.high - 1.0)
                .abs()
                .max((1.0 - noise.ratio.low).abs())
        })
}

/// The quantile of the normal distribution for `p` of at least one half
/// (Abramowitz and Stegun, formula 26.2.23: error below 4.5e-4).
fn normal_quantile(p: f64) -> f64 {
    let tail = (1.0 - p).clamp(1e-12, 0.5);
    let t = (-2.0 * tail.ln()).sqrt();
    t - (2.515517 + 0.802853 * t + 0.010328 * t * t)
        / (1.0 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Budget, Flags, Machine, Manifest, Record, Side};

    const SUBJECT: &str = "rustls>rustls/1.3/x25519/ecdsa-p256/full@memory";

    /// A run whose machine has its own speed, drifting by a third within the run; the
    /// handshake takes `factor` times the usual work, and sends `bytes`.
    fn run(speed: f64, factor: f64, bytes: i64, salt: u32) -> Run {
        let subject: Subject = SUBJECT.parse().unwrap();
        let noise = |block: u32, scale: f64| {
            let mixed = (block ^ salt.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
            f64::from(mixed >> 16 & 0xff) / 255.0 * scale
        };
        let pace = |block: u32| speed * (1.0 + f64::from(block) / 900.0);
        let series = |value: &dyn Fn(u32) -> f64| -> Vec<Sample> {
            (0..300)
                .map(|block| Sample {
                    block,
                    value: value(block) as i64,
                    flags: Flags::NONE,
                })
                .collect()
        };
        let record = |subject: &Subject, metric, samples| Record {
            subject: subject.clone(),
            replica: 0,
            metric,
            samples,
        };
        let work = |b: u32| 200_000.0 * factor * pace(b) * (1.0 + noise(b, 0.02));
        let yardstick = |b: u32| 100_000.0 * pace(b) * (1.0 + noise(b + 7, 0.01));
        let records = vec![
            record(&subject, Metric::Wall(Side::Server), series(&work)),
            record(
                &subject,
                Metric::FlightBytes(2, Side::Server),
                series(&|_| bytes as f64),
            ),
            record(&Subject::Yardstick, Metric::Operation, series(&yardstick)),
        ];
        Run::new(manifest(), records)
    }

    fn manifest() -> Manifest {
        Manifest {
            schema: Manifest::SCHEMA,
            pqlab_version: String::new(),
            git_revision: String::new(),
            compiler: String::new(),
            started: String::new(),
            finished: None,
            title: String::new(),
            matrix: String::new(),
            filters: Vec::new(),
            budget: Budget::default(),
            seed: 0,
            baseline: None,
            machine: Machine {
                host: String::new(),
                cpu: String::new(),
                cores: 2,
                memory: 0,
                system: String::new(),
                virtualisation: None,
                features: Vec::new(),
            },
            libraries: Vec::new(),
            spent: BTreeMap::new(),
            refusals: Vec::new(),
            remarks: Vec::new(),
        }
    }

    fn verdicts(base: &Run, new: &Run, threshold: f64) -> Vec<Verdict> {
        compare(base, new, threshold)
            .rows
            .iter()
            .map(|row| row.verdict)
            .collect()
    }

    #[test]
    fn the_same_work_on_a_slower_day_is_no_difference() {
        use Verdict::NoMeasurableDifference as Same;
        for salt in 1..20 {
            let (base, new) = (run(1.0, 1.0, 1000, salt), run(1.6, 1.0, 1000, salt + 100));
            assert_eq!(verdicts(&base, &new, 0.01), [Same, Same], "{salt}");
        }
    }

    #[test]
    fn more_work_on_a_faster_day_is_a_regression() {
        for salt in 1..20 {
            let (base, new) = (run(1.0, 1.0, 1000, salt), run(0.7, 1.03, 1000, salt + 100));
            let comparison = compare(&base, &new, 0.01);
            assert_eq!(comparison.rows[0].verdict, Verdict::Regression, "{salt}");
            assert!((comparison.rows[0].ratio.value - 1.03).abs() < 0.01);
            assert!(comparison.has_regression());
            assert_eq!(verdicts(&new, &base, 0.01)[0], Verdict::Improvement);
            assert_eq!(
                verdicts(&base, &new, 0.05)[0],
                Verdict::NoMeasurableDifference
            );
        }
    }

    /// Bytes don't vary with the machine: they are compared as they are.
    #[test]
    fn more_bytes_are_a_regression() {
        let (base, new) = (run(1.0, 1.0, 1000, 1), run(1.6, 1.0, 1100, 2));
        assert_eq!(verdicts(&base, &new, 0.01)[1], Verdict::Regression);
    }

    #[test]
    fn what_the_new_run_lacks_is_told() {
        let base = run(1.0, 1.0, 1000, 1);
        let new = Run::new(manifest(), base.records()[1..].to_vec());
        let comparison = compare(&base, &new, 0.01);
        assert_eq!(comparison.rows.len(), 1);
        assert_eq!(comparison.missing[0].1, Metric::Wall(Side::Server));
    }
}
