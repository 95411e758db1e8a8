//! What the system grants this process, and what it used.

#[cfg(target_os = "linux")]
mod linux {
    use std::time::Duration;

    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    use nix::time::{ClockId, clock_gettime};

    /// CPU time of this thread since it began.
    pub(in super::super) fn thread_cpu() -> Option<Duration> {
        let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
        time.ok().map(Duration::from)
    }

    /// How many descriptors this process may have, after asking for as many as it can get.
    pub(in super::super) fn descriptors() -> Option<usize> {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
        let granted = match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
            Ok(()) => hard,
            Err(_) => soft,
        };
        usize::try_from(granted).ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::time::Duration;

    /// There is no portable clock of threads.
    pub(in super::super) fn thread_cpu() -> Option<Duration> {
        None
    }

    /// There is no portable way to ask.
    pub(in super::super) fn descriptors() -> Option<usize> {
        None
    }
}

#[cfg(target_os = "linux")]
pub(super) use linux::{descriptors, thread_cpu};
#[cfg(not(target_os = "linux"))]
pub(super) use other::{descriptors, thread_cpu};
