//! The clock of work.

use std::time::Duration;

/// A stopwatch for CPU time: what a library takes, without the time in which somebody else
/// had the core.
#[derive(Debug, Clone, Copy)]
pub struct CpuWatch(Option<Duration>);

impl CpuWatch {
    /// Starts it for this thread.
    pub fn start() -> Self {
        Self(thread_cpu())
    }

    /// CPU time of this thread since the start. `None` where the system has no clock for
    /// it.
    pub fn read(&self) -> Option<Duration> {
        let passed = thread_cpu().zip(self.0);
        passed.map(|(now, then)| now.saturating_sub(then))
    }
}

#[cfg(target_os = "linux")]
fn thread_cpu() -> Option<Duration> {
    use nix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.ok().map(Duration::from)
}

/// There is no portable clock of threads.
#[cfg(not(target_os = "linux"))]
fn thread_cpu() -> Option<Duration> {
    None
}
