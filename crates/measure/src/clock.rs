//! What the kernel says of this thread: its CPU time, its interruptions, its core.

use std::time::Duration;

/// What happened to this thread, by the kernel's own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Disturbances {
    /// Times that the scheduler took the core away.
    pub(crate) switches: u64,
}

#[cfg(target_os = "linux")]
mod linux {
    use std::sync::OnceLock;

    use super::{Disturbances, Duration};
    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::time::{ClockId, clock_gettime};
    use nix::unistd::Pid;

    /// CPU time of this thread since it began.
    pub(crate) fn thread_cpu() -> Duration {
        clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
    }

    pub(crate) fn disturbances() -> Disturbances {
        let usage = getrusage(UsageWho::RUSAGE_THREAD);
        let switches = usage.map_or(0, |usage| usage.involuntary_context_switches());
        Disturbances {
            switches: u64::try_from(switches).unwrap_or(0),
        }
    }

    /// Hundredths of a second that the hypervisor took from all cores since boot.
    pub(crate) fn stolen_ticks() -> u64 {
        let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let total = stat.lines().next().unwrap_or_default();
        total
            .split_whitespace()
            .nth(8)
            .and_then(|ticks| ticks.parse().ok())
            .unwrap_or(0)
    }

    /// The cores that this process may use. Looked up once, before any thread is kept on
    /// one core: a pinned thread, and those that it starts, see that core only.
    pub(crate) fn cores() -> &'static [usize] {
        static CORES: OnceLock<Vec<usize>> = OnceLock::new();
        CORES.get_or_init(|| {
            let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else {
                return vec![0];
            };
            (0..CpuSet::count())
                .filter(|core| set.is_set(*core).unwrap_or(false))
                .collect()
        })
    }

    /// Keeps this thread on one core. Whether that worked.
    pub(crate) fn pin_to(core: usize) -> bool {
        let mut set = CpuSet::new();
        set.set(core)
            .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
            .is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use super::{Disturbances, Duration};
    use std::sync::OnceLock;
    use std::time::Instant;

    /// There is no portable thread clock: wall time stands in, and a remark says so.
    pub(crate) fn thread_cpu() -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    pub(crate) fn disturbances() -> Disturbances {
        Disturbances::default()
    }

    pub(crate) fn stolen_ticks() -> u64 {
        0
    }

    pub(crate) fn cores() -> &'static [usize] {
        static CORES: OnceLock<Vec<usize>> = OnceLock::new();
        CORES.get_or_init(|| {
            (0..std::thread::available_parallelism().map_or(1, usize::from)).collect()
        })
    }

    pub(crate) fn pin_to(_: usize) -> bool {
        false
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{cores, disturbances, pin_to, stolen_ticks, thread_cpu};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{cores, disturbances, pin_to, stolen_ticks, thread_cpu};
