//! Waking up on time.
//!
//! The time-outs of epoll are whole milliseconds, and the kernel adds the slack of the
//! thread; a timer that is waited for like a socket has neither.

use std::io;
use std::time::{Duration, Instant};

use mio::{Registry, Token};

#[cfg(target_os = "linux")]
pub(super) use timer::Alarm;

#[cfg(not(target_os = "linux"))]
pub(super) use timeout::Alarm;

#[cfg(target_os = "linux")]
mod timer {
    use std::os::fd::{AsFd, AsRawFd};

    use mio::Interest;
    use mio::unix::SourceFd;
    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use nix::time::{ClockId as Clock, clock_gettime};

    use super::{Duration, Instant, Registry, Token, io};

    /// A timer of the kernel that is ready like a socket when its time has come.
    pub(in super::super) struct Alarm {
        timer: TimerFd,
        /// One moment on the clock of `Instant` and on that of the timer.
        moment: (Instant, Duration),
        set_to: Option<Instant>,
    }

    impl Alarm {
        pub(in super::super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
            let descriptor = timer.as_fd().as_raw_fd();
            registry.register(&mut SourceFd(&descriptor), token, Interest::READABLE)?;
            Ok(Self {
                timer,
                moment: moment()?,
                set_to: None,
            })
        }

        /// To be told when the token was ready.
        pub(in super::super) fn note_ringing(&mut self) {
            self.set_to = None;
        }

        /// Sees to it that a poll with the timeout returned ends at `wake`; it may end
        /// earlier.
        pub(in super::super) fn set(
            &mut self,
            wake: Instant,
            now: Instant,
        ) -> io::Result<Option<Duration>> {
            if wake <= now {
                return Ok(Some(Duration::ZERO));
            }
            // An alarm that rings too early costs less than a call to put it off.
            let rings_before = |set_to| now < set_to && set_to <= wake;
            if !self.set_to.is_some_and(rings_before) {
                let (instant, reading) = self.moment;
                let time = TimeSpec::from(reading + wake.duration_since(instant));
                self.timer.set(
                    Expiration::OneShot(time),
                    TimerSetTimeFlags::TFD_TIMER_ABSTIME,
                )?;
                self.set_to = Some(wake);
            }
            Ok(None)
        }
    }

    /// The same moment on both clocks. Of a few tries the one is taken that least came
    /// between.
    fn moment() -> io::Result<(Instant, Duration)> {
        let mut best: Option<(Duration, Instant, Duration)> = None;
        for _ in 0..5 {
            let before = Instant::now();
            let reading = clock_gettime(Clock::CLOCK_MONOTONIC)?.into();
            let took = before.elapsed();
            if best.is_none_or(|(least, _, _)| took < least) {
                best = Some((took, before, reading));
            }
        }
        best.map(|(_, instant, reading)| (instant, reading))
            .ok_or_else(|| io::ErrorKind::Other.into())
    }
}

#[cfg(not(target_os = "linux"))]
mod timeout {
    use super::{Duration, Instant, Registry, Token, io};

    /// The time-out of the poll itself, as exact as the system has it.
    pub(in super::super) struct Alarm;

    impl Alarm {
        pub(in super::super) fn new(_: &Registry, _: Token) -> io::Result<Self> {
            Ok(Self)
        }

        pub(in super::super) fn note_ringing(&mut self) {}

        pub(in super::super) fn set(
            &mut self,
            wake: Instant,
            now: Instant,
        ) -> io::Result<Option<Duration>> {
            Ok(Some(wake.saturating_duration_since(now)))
        }
    }
}
