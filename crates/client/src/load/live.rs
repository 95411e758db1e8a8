//! A look at the load while it goes on.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::latency::Latency;
use super::tally::Tally;

/// What has come of the load so far.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Since the beginning.
    pub elapsed: Duration,
    /// Connections that the schedule asked for.
    pub offered: u64,
    /// Of these, never begun.
    pub not_started: u64,
    /// Succeeded.
    pub succeeded: u64,
    /// Failed.
    pub failed: u64,
    /// Under way: not all of them is measured.
    pub in_flight: usize,
    /// Response times since the snapshot before.
    pub recent: Latency,
}

/// Where a worker shows what it did.
#[derive(Debug, Default)]
pub(super) struct Gauge(Mutex<Snapshot>);

impl Gauge {
    /// Shows the counts, and the times since the last call, which are taken out.
    pub(super) fn publish(&self, tally: &mut Tally, in_flight: usize) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.offered = tally.offered;
        shown.not_started = tally.not_started;
        shown.succeeded = tally.succeeded;
        shown.failed = tally.failed;
        shown.in_flight = in_flight;
        shown.recent.merge(&tally.recent);
        tally.recent.clear();
    }

    /// Adds what is shown to `sum`; the times are then of the next snapshot.
    pub(super) fn add_to(&self, sum: &mut Snapshot) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sum.offered += shown.offered;
        sum.not_started += shown.not_started;
        sum.succeeded += shown.succeeded;
        sum.failed += shown.failed;
        sum.in_flight += shown.in_flight;
        sum.recent.merge(&shown.recent);
        shown.recent.clear();
    }
}
