//! What came of a load.

use std::time::Duration;

use super::tally::Tally;

/// What came of a load.
#[derive(Debug, Clone)]
pub struct Report {
    /// Counts and times.
    pub tally: Tally,
    /// For how long connections began, if the plan has a duration; otherwise until the last
    /// one was measured or had failed: how they part is no part of it.
    pub window: Duration,
    /// Until the last connection had ended, its parting included.
    pub elapsed: Duration,
    /// What each worker used.
    pub workers: Vec<WorkerUse>,
    /// Handshakes before the load, for the tickets of its first resumptions.
    pub prepared: u64,
    /// Connections at a time that were allowed: what was planned, or what this process may
    /// have open.
    pub max_in_flight: usize,
    /// Whether it was ended early.
    pub is_interrupted: bool,
}

/// What a worker used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkerUse {
    /// How long it ran.
    pub wall: Duration,
    /// CPU time of its thread; `None` where the system does not tell.
    pub cpu: Option<Duration>,
}

/// Connections per second, within the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Asked for by the schedule.
    pub offered: f64,
    /// Begun.
    pub started: f64,
    /// Succeeded before the end of the window.
    pub achieved: f64,
    /// Failed.
    pub failed: f64,
}

/// Why a load may have measured its generator instead of the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClientLimit {
    /// The busiest worker had no time left: its share of a core.
    Cpu(f64),
    /// Much of the response times is this side's own delay.
    Delay(ClientDelay),
}

/// This side's delay beside the response times that hold it, both at one quantile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClientDelay {
    /// The quantile, 0.99 for p99: the highest of a few that is settled.
    pub quantile: f64,
    /// See [`Tally::client_delay`].
    pub delay: Duration,
    /// See [`Tally::response_time`].
    pub response: Duration,
}

/// A worker that is busy for more than this share of its time has none left for bursts.
const BUSY: f64 = 0.9;
/// A delay of more than this share of the response time changes what is read from it.
const DELAYED: f64 = 0.25;
/// The quantiles at which delays are judged. A hundred connections settle the last one; with
/// fewer a hiccup could be all that is seen.
const JUDGED: [f64; 2] = [0.99, 0.9];
/// The least number of connections of which a worker's CPU time says something.
const ENOUGH: u64 = 100;

impl Report {
    /// What happened per second.
    pub fn rates(&self) -> Rates {
        let Tally {
            offered,
            succeeded_in_time,
            failed,
            ..
        } = self.tally;
        let seconds = self.window.as_secs_f64();
        let rate = |count: u64| match seconds > 0.0 {
            true => count as f64 / seconds,
            false => 0.0,
        };
        Rates {
            offered: rate(offered),
            started: rate(self.tally.started()),
            achieved: rate(succeeded_in_time),
            failed: rate(failed),
        }
    }

    /// CPU time of all workers; `None` where the system does not tell.
    pub fn cpu(&self) -> Option<Duration> {
        self.workers.iter().map(|worker| worker.cpu).sum()
    }

    /// Successful connections for each second of CPU time that the client used.
    pub fn per_core_second(&self) -> Option<f64> {
        let cpu = self.cpu()?.as_secs_f64();
        (cpu > 0.0).then(|| self.tally.succeeded as f64 / cpu)
    }

    /// This side's part of the response times; `None` with fewer than a hundred of them.
    pub fn client_delay(&self) -> Option<ClientDelay> {
        let Tally {
            client_delay,
            response_time,
            ..
        } = &self.tally;
        JUDGED.into_iter().find_map(|quantile| {
            Some(ClientDelay {
                quantile,
                delay: client_delay.settled_quantile(quantile)?,
                response: response_time.settled_quantile(quantile)?,
            })
        })
    }

    /// Whether the client itself could not keep up, and how that shows. With fewer than a
    /// hundred connections nothing is said.
    pub fn client_limit(&self) -> Option<ClientLimit> {
        let share = |worker: &WorkerUse| {
            let cpu = worker.cpu?.as_secs_f64();
            (!worker.wall.is_zero()).then(|| cpu / worker.wall.as_secs_f64())
        };
        let busiest = self.workers.iter().filter_map(share).fold(0.0, f64::max);
        if busiest > BUSY && self.tally.started() >= ENOUGH {
            return Some(ClientLimit::Cpu(busiest));
        }
        let is_late = |delay: &ClientDelay| delay.delay > delay.response.mul_f64(DELAYED);
        self.client_delay().filter(is_late).map(ClientLimit::Delay)
    }

    /// Whether p99 of the response times is within the bound, and at most one connection
    /// in a thousand failed or was not begun.
    pub fn keeps_up(&self, p99: Duration) -> bool {
        let lost = self.tally.failed + self.tally.not_started;
        let is_complete = lost * 1000 <= self.tally.offered;
        let response = self.tally.response_time.quantile(0.99);
        is_complete && response.is_some_and(|response| response <= p99)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A report of so many connections with one delay and one response time, by a worker
    /// that was busy for this share of a second.
    fn report(connections: u64, delay: Duration, response: Duration, busy: f64) -> Report {
        let mut tally = Tally {
            offered: connections,
            ..Tally::default()
        };
        for _ in 0..connections {
            tally.client_delay.record(delay);
            tally.response_time.record(response);
        }
        Report {
            tally,
            window: Duration::from_secs(1),
            elapsed: Duration::from_secs(1),
            workers: vec![WorkerUse {
                wall: Duration::from_secs(1),
                cpu: Some(Duration::from_secs_f64(busy)),
            }],
            prepared: 0,
            max_in_flight: 1,
            is_interrupted: false,
        }
    }

    #[test]
    fn a_delay_limits_what_can_be_read_from_the_times_that_it_is_much_of() {
        // The same delay, beside a long and a short response time.
        let small = report(1000, 2 * MS, 1000 * MS, 0.1);
        assert_eq!(small.client_limit(), None);
        let large = report(1000, 2 * MS, 4 * MS, 0.1);
        let Some(ClientLimit::Delay(delay)) = large.client_limit() else {
            panic!("{:?}", large.client_limit());
        };
        assert_eq!(delay.quantile, 0.99);
        assert!(delay.delay >= 2 * MS && delay.response >= 4 * MS);
    }

    #[test]
    fn a_few_late_connections_among_many_are_no_limit() {
        let mut report = report(10_000, MS / 100, 2 * MS, 0.1);
        for _ in 0..50 {
            report.tally.client_delay.record(10 * MS);
            report.tally.response_time.record(12 * MS);
        }
        assert_eq!(report.client_limit(), None);
    }

    #[test]
    fn a_worker_without_time_left_is_a_limit() {
        assert_eq!(report(100, MS / 100, MS, 0.89).client_limit(), None);
        let busy = report(100, MS / 100, MS, 0.95).client_limit();
        assert!(matches!(busy, Some(ClientLimit::Cpu(_))), "{busy:?}");
    }

    #[test]
    fn nothing_is_said_of_too_few_connections() {
        assert_eq!(report(99, 9 * MS, 10 * MS, 0.99).client_limit(), None);
        let enough = report(100, 9 * MS, 10 * MS, 0.1);
        let delay = enough.client_delay().unwrap();
        assert_eq!(delay.quantile, 0.9);
        assert!(enough.client_limit().is_some());
    }
}
