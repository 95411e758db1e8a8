//! The load while it goes on, on stderr: a bar with figures on a terminal, lines elsewhere.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::Duration;

use client::load::{Plan, Snapshot};
use indicatif::{ProgressBar, ProgressStyle};

use super::figures::{count, per_second, time};

pub(super) struct LiveView {
    bar: Option<ProgressBar>,
    lines: Lines,
    counts_time: bool,
    before: Snapshot,
    /// Successes per second of the last intervals.
    rates: VecDeque<f64>,
}

/// What is shown where there is no terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    EverySecond,
    None,
}

/// Intervals in the little chart.
const CHART: usize = 40;

impl LiveView {
    pub(super) fn new(plan: &Plan, lines: Lines) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let length = match (plan.duration, plan.handshakes) {
                (Some(duration), _) => duration.as_millis() as u64,
                (None, handshakes) => handshakes.unwrap_or(0),
            };
            let bar = ProgressBar::new(length);
            let template = "{bar:40} {percent:>3} %  {elapsed}\n{msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Self {
            bar,
            lines,
            counts_time: plan.duration.is_some(),
            before: Snapshot::default(),
            rates: VecDeque::new(),
        }
    }

    /// How often it wants to be shown.
    pub(super) fn interval(&self) -> Duration {
        match self.bar {
            Some(_) => Duration::from_millis(500),
            None => Duration::from_secs(1),
        }
    }

    pub(super) fn show(&mut self, now: &Snapshot) {
        let passed = now.elapsed.saturating_sub(self.before.elapsed);
        // The last look may follow at once on the one before: the result says the same.
        if passed < self.interval() / 2 {
            return;
        }
        let seconds = passed.as_secs_f64();
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        let achieved = rate(now.succeeded, self.before.succeeded);
        let offered = rate(now.offered, self.before.offered);
        let dash = || "-".to_owned();
        let quantile = |share| now.recent.quantile(share).map_or_else(dash, time);
        let settled = |share| now.recent.settled_quantile(share).map_or_else(dash, time);
        let figures = format!(
            "offered {}  achieved {}  in flight {}  failed {}  not started {}",
            per_second(offered),
            per_second(achieved),
            count(now.in_flight as u64),
            count(now.failed),
            count(now.not_started),
        );
        let times = format!(
            "response time p50 {}  p90 {}  p99 {}  max {}",
            quantile(0.5),
            settled(0.9),
            settled(0.99),
            quantile(1.0)
        );
        match &self.bar {
            None if self.lines == Lines::None => {}
            None => eprintln!("{:.1} s  {figures}  {times}", now.elapsed.as_secs_f64()),
            Some(bar) => {
                self.rates.push_back(achieved);
                if self.rates.len() > CHART {
                    self.rates.pop_front();
                }
                bar.set_position(match self.counts_time {
                    true => now.elapsed.as_millis() as u64,
                    false => now.offered,
                });
                bar.set_message(format!("{}\n{figures}\n{times}", chart(&self.rates)));
            }
        }
        self.before = now.clone();
    }

    pub(super) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Numbers as a row of bars, the highest of them full.
fn chart(values: &VecDeque<f64>) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let bar = |value: &f64| BARS[((value / most * 7.0).round() as usize).min(7)];
    values.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_is_of_the_highest() {
        assert_eq!(chart(&[0.0, 50.0, 100.0].into()), "▁▅█");
        assert_eq!(chart(&[0.0, 0.0].into()), "▁▁");
    }
}
