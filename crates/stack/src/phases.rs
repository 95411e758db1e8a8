//! Where the time of a handshake goes, measured in place.
//!
//! rustls takes its key exchange, signatures and verification as objects; with
//! [`PhaseTiming::On`](crate::PhaseTiming) each is wrapped by one that reads a clock
//! before and after. The sums are of the thread that runs the handshake.

use std::cell::Cell;
use std::time::{Duration, Instant};

use experiment::{Phase, Side};

thread_local! {
    static SUMS: Cell<[[Duration; Phase::ALL.len()]; 2]> =
        const { Cell::new([[Duration::ZERO; Phase::ALL.len()]; 2]) };
}

/// The time that this thread has spent in each phase since the last call; sets it to zero.
pub fn take() -> PhaseTimes {
    PhaseTimes(SUMS.take())
}

/// Time by side and phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PhaseTimes([[Duration; Phase::ALL.len()]; 2]);

impl PhaseTimes {
    /// The time of one phase on one side.
    pub fn time(&self, side: Side, phase: Phase) -> Duration {
        self.0[side as usize][phase as usize]
    }
}

/// Runs `work` and adds its time to a phase.
pub(crate) fn timed<T>(side: Side, phase: Phase, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let elapsed = start.elapsed();
    SUMS.with(|sums| {
        let mut times = sums.get();
        times[side as usize][phase as usize] += elapsed;
        sums.set(times);
    });
    result
}
