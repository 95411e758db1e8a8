//! When connections are to begin: decided beforehand, whatever becomes of them.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How connections follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrivals {
    /// Open loop: one after each same interval.
    Constant {
        /// Connections per second, of all workers together.
        per_second: f64,
    },
    /// Open loop: independent of each other, as from a crowd of clients; the intervals
    /// are exponentially distributed.
    Poisson {
        /// The mean number of connections per second, of all workers together.
        per_second: f64,
    },
    /// Closed loop: the next one begins when one has ended. A slow server slows the load
    /// down and is measured less often: see [`Arrivals::Constant`] for latency.
    Closed {
        /// Connections at a time, of all workers together.
        concurrency: usize,
    },
}

/// One worker among those that share the load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub(super) worker: usize,
    pub(super) workers: usize,
}

impl Share {
    /// This worker's part of a whole number; those of all workers add up to it.
    pub(super) fn of(self, total: u64) -> u64 {
        let (worker, workers) = (self.worker as u64, self.workers as u64);
        total / workers + u64::from(worker < total % workers)
    }

    /// A source of chance that no other worker has.
    pub(super) fn random(self, seed: u64, chance: Chance) -> StdRng {
        let seeds = StdRng::seed_from_u64(seed);
        let skipped = 2 * self.worker + chance as usize;
        StdRng::seed_from_u64(seeds.random_iter().nth(skipped).unwrap_or(seed))
    }
}

/// What is left to chance.
#[derive(Debug, Clone, Copy)]
pub(super) enum Chance {
    /// When connections begin.
    Intervals,
    /// Which of them resume.
    Purposes,
}

/// The beginnings of one worker's connections, counted from the beginning of the load.
/// Endless.
#[derive(Debug)]
pub(super) enum Schedule {
    Constant {
        share: Share,
        per_second: f64,
        count: u64,
    },
    Poisson {
        mean_interval: f64,
        seconds: f64,
        random: Box<StdRng>,
    },
}

impl Schedule {
    pub(super) const fn constant(per_second: f64, share: Share) -> Self {
        Self::Constant {
            share,
            per_second,
            count: 0,
        }
    }

    /// Poisson processes add up to one: each worker has its own.
    pub(super) fn poisson(per_second: f64, share: Share, seed: u64) -> Self {
        Self::Poisson {
            mean_interval: share.workers as f64 / per_second,
            seconds: 0.0,
            random: Box::new(share.random(seed, Chance::Intervals)),
        }
    }

    fn next(&mut self) -> Duration {
        let seconds = match self {
            Self::Constant {
                share,
                per_second,
                count,
            } => {
                // From the count, so that no error adds up; the workers take turns.
                let turn = *count * share.workers as u64 + share.worker as u64;
                *count += 1;
                turn as f64 / *per_second
            }
            Self::Poisson {
                mean_interval,
                seconds,
                random,
            } => {
                let uniform: f64 = random.random();
                // 1 - uniform is never 0.
                *seconds -= (1.0 - uniform).ln() * *mean_interval;
                *seconds
            }
        };
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// How late connections may begin after the end of the load.
const GRACE: Duration = Duration::from_millis(100);

/// Says when the next connection is due, until time or number are used up.
#[derive(Debug)]
pub(super) struct Source {
    pace: Pace,
    end: Option<Instant>,
    left: Option<u64>,
}

#[derive(Debug)]
enum Pace {
    Open {
        begin: Instant,
        schedule: Schedule,
        next: Instant,
    },
    Closed {
        concurrency: usize,
    },
}

impl Source {
    pub(super) fn open(
        mut schedule: Schedule,
        begin: Instant,
        end: Option<Instant>,
        limit: Option<u64>,
    ) -> Self {
        let next = after(begin, schedule.next());
        Self {
            pace: Pace::Open {
                begin,
                schedule,
                next,
            },
            end,
            left: limit,
        }
    }

    pub(super) fn closed(concurrency: usize, end: Option<Instant>, limit: Option<u64>) -> Self {
        Self {
            pace: Pace::Closed { concurrency },
            end,
            left: limit,
        }
    }

    /// Takes the next connection, if it is due: when it was to begin.
    pub(super) fn take_due(&mut self, now: Instant, in_flight: usize) -> Option<Instant> {
        if self.is_over(now) {
            return None;
        }
        match &self.pace {
            Pace::Open { .. } => self.take_planned(now),
            Pace::Closed { concurrency } if in_flight < *concurrency => {
                self.count_down();
                Some(now)
            }
            Pace::Closed { .. } => None,
        }
    }

    /// The number of connections that were to begin before `now`, or before the end, and
    /// were not taken. They are taken now.
    pub(super) fn take_overdue(&mut self, now: Instant) -> u64 {
        let mut overdue = 0;
        while self.take_planned(now).is_some() {
            overdue += 1;
        }
        overdue
    }

    /// When the next connection is due; `None` if that does not depend on the time.
    pub(super) fn next_due(&self) -> Option<Instant> {
        match &self.pace {
            Pace::Open { next, .. } if self.left != Some(0) => match self.end {
                Some(end) => Some(end.min(*next)),
                None => Some(*next),
            },
            Pace::Closed { .. } if self.left != Some(0) => self.end,
            _ => None,
        }
    }

    /// Whether no more connection is to begin. Those that were to begin before the end may
    /// be a little late.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let is_late = |end| match &self.pace {
            Pace::Open { next, .. } => *next < end && now < end + GRACE,
            Pace::Closed { .. } => false,
        };
        let is_at_end = |end| now >= end && !is_late(end);
        self.left == Some(0) || self.end.is_some_and(is_at_end)
    }

    fn take_planned(&mut self, now: Instant) -> Option<Instant> {
        let Pace::Open {
            begin,
            schedule,
            next,
        } = &mut self.pace
        else {
            return None;
        };
        let intended = *next;
        let is_due = intended <= now && self.end.is_none_or(|end| intended < end);
        if !is_due || self.left == Some(0) {
            return None;
        }
        *next = after(*begin, schedule.next());
        self.count_down();
        Some(intended)
    }

    fn count_down(&mut self) {
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
    }
}

/// A century stands for what no clock holds.
fn after(begin: Instant, time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    begin + time.min(CENTURY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Share = Share {
        worker: 0,
        workers: 1,
    };

    fn times(mut schedule: Schedule, count: usize) -> Vec<f64> {
        (0..count).map(|_| schedule.next().as_secs_f64()).collect()
    }

    #[test]
    fn workers_at_a_constant_rate_take_turns() {
        let share = |worker| Share { worker, workers: 3 };
        let mut merged: Vec<f64> = (0..3)
            .flat_map(|worker| times(Schedule::constant(100.0, share(worker)), 50))
            .collect();
        merged.sort_by(f64::total_cmp);
        for (turn, time) in merged.iter().enumerate() {
            assert!((time - turn as f64 / 100.0).abs() < 1e-8, "{turn}: {time}");
        }
    }

    /// Mean and variance of exponential intervals are 1/rate and 1/rate²; 40,000 of them
    /// come within a few hundredths. The seed decides.
    #[test]
    fn poisson_intervals_are_exponential_and_repeatable() {
        let times = |seed, count| times(Schedule::poisson(250.0, ALONE, seed), count);
        let count = 40_000;
        for seed in 0..3 {
            let times = times(seed, count);
            let mut intervals = vec![times[0]];
            intervals.extend(times.windows(2).map(|pair| pair[1] - pair[0]));
            let mean = intervals.iter().sum::<f64>() / count as f64;
            let variance = intervals.iter().map(|i| (i - mean).powi(2)).sum::<f64>() / count as f64;
            assert!((mean * 250.0 - 1.0).abs() < 0.03, "{mean}");
            let scaled = variance * 250.0 * 250.0;
            assert!((scaled - 1.0).abs() < 0.08, "{variance}");
        }
        assert_eq!(times(7, 9), times(7, 9));
        assert_ne!(times(7, 9), times(8, 9));
    }

    #[test]
    fn workers_at_a_poisson_rate_differ_and_share_it() {
        let share = |worker| Share { worker, workers: 2 };
        let worker = |worker| times(Schedule::poisson(100.0, share(worker), 1), 10_000);
        let [first, second] = [0, 1].map(worker);
        assert_ne!(first, second);
        // Each has half of the rate: 10,000 connections in about 200 s.
        for last in [first.last(), second.last()] {
            let last = last.unwrap();
            assert!((180.0..220.0).contains(last), "{last}");
        }
    }

    #[test]
    fn shares_add_up() {
        for (total, workers) in [(10, 3), (2, 4), (0, 2), (9, 3)] {
            let shares = (0..workers).map(|worker| Share { worker, workers }.of(total));
            assert_eq!(shares.sum::<u64>(), total);
        }
    }

    fn every_ten_milliseconds(end: Option<u64>, limit: Option<u64>) -> (Source, Instant) {
        let begin = Instant::now();
        let schedule = Schedule::constant(100.0, ALONE);
        let end = end.map(|end| begin + Duration::from_millis(end));
        (Source::open(schedule, begin, end, limit), begin)
    }

    #[test]
    fn a_late_worker_gets_what_it_missed_with_the_intended_times() {
        let (mut source, begin) = every_ten_milliseconds(None, None);
        let at = |time| begin + Duration::from_millis(time);
        let mut taken = Vec::new();
        while let Some(intended) = source.take_due(at(25), 1000) {
            taken.push(intended);
        }
        assert_eq!(taken, [at(0), at(10), at(20)]);
        assert_eq!(source.next_due(), Some(at(30)));
    }

    #[test]
    fn what_was_due_just_before_the_end_still_begins() {
        let (mut source, begin) = every_ten_milliseconds(Some(20), None);
        let end = begin + Duration::from_millis(20);
        assert!(!source.is_over(end));
        assert_eq!(source.take_due(end, 0), Some(begin));
        assert!(source.take_due(end, 0).is_some());
        assert!(source.is_over(end));
        assert_eq!(source.take_due(end, 0), None);
        assert_eq!(source.take_overdue(end), 0);
    }

    #[test]
    fn at_the_end_what_was_not_begun_is_counted_and_no_more() {
        let (mut source, begin) = every_ten_milliseconds(Some(100), None);
        assert!(source.take_due(begin, 0).is_some());
        let late = begin + Duration::from_millis(500);
        assert!(source.is_over(late));
        assert_eq!(source.take_due(late, 0), None);
        assert_eq!(source.take_overdue(late), 9);
        assert_eq!(source.take_overdue(late), 0);
    }

    #[test]
    fn a_number_is_an_end_as_well() {
        let (mut source, begin) = every_ten_milliseconds(None, Some(2));
        let late = begin + Duration::from_millis(500);
        assert!(source.take_due(late, 0).is_some() && source.take_due(late, 0).is_some());
        assert!(source.is_over(late));
        assert_eq!(source.take_due(late, 0), None);
        assert_eq!(source.next_due(), None);
    }

    #[test]
    fn a_closed_loop_keeps_its_number_in_flight() {
        let now = Instant::now();
        let mut source = Source::closed(2, None, Some(3));
        assert_eq!(source.take_due(now, 0), Some(now));
        assert_eq!(source.take_due(now, 1), Some(now));
        assert_eq!(source.take_due(now, 2), None);
        assert_eq!(source.take_due(now, 1), Some(now));
        assert!(source.is_over(now));
    }
}
