//! What came of a load.

use std::time::Duration;

use super::tally::Tally;

/// What came of a load.
#[derive(Debug, Clone)]
pub struct Report {
    /// Counts and times.
    pub tally: Tally,
    /// For how long connections began, if the plan has a duration; otherwise until the
    /// last one had ended.
    pub window: Duration,
    /// Until the last connection had ended.
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
    /// Connections began late: p99 of the lateness.
    Late(Duration),
}

/// A worker that is busy for more than this share of its time has none left for bursts.
const BUSY: f64 = 0.9;
/// Connections that begin later than this are part of what is measured.
const LATE: Duration = Duration::from_millis(1);

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

    /// Whether the client itself could not keep up, and how that shows.
    pub fn client_limit(&self) -> Option<ClientLimit> {
        let share = |worker: &WorkerUse| {
            let cpu = worker.cpu?.as_secs_f64();
            (!worker.wall.is_zero()).then(|| cpu / worker.wall.as_secs_f64())
        };
        let busiest = self.workers.iter().filter_map(share).fold(0.0, f64::max);
        let lateness = self.tally.lateness.quantile(0.99);
        match lateness {
            _ if busiest > BUSY => Some(ClientLimit::Cpu(busiest)),
            Some(late) if late > LATE => Some(ClientLimit::Late(late)),
            _ => None,
        }
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
