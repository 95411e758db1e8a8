//! One thread's share of the load: a loop over its sockets.
//!
//! Nothing blocks in here but the poll, each readiness is told once (edge-triggered), and
//! a connection takes about ten system calls: five to make the socket, one to connect and
//! one to ask whether it is, one to register it, and one for each flight. Memory is
//! allocated by the TLS library and by failures only.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use rand::RngExt;
use rand::rngs::StdRng;
use slab::Slab;
use transport::CpuWatch;

use super::alarm::Alarm;
use super::attempt::{Attempt, Beginning, Progress};
use super::failure::{Failure, FailureKind};
use super::live::Gauge;
use super::schedule::{Chance, Schedule, Share, Source};
use super::tally::{Purpose, Tally};
use super::tools::Tools;
use super::{Arrivals, Plan, WorkerEndpoints, WorkerUse};

pub(super) struct Worker<'a> {
    share: Share,
    plan: &'a Plan,
    stop: &'a AtomicBool,
    poll: Poll,
    events: Option<Events>,
    alarm: Alarm,
    tools: Tools,
    attempts: Slab<Attempt>,
    /// Attempts of which not all is measured yet. Others only wait for the server to close,
    /// or for a ticket.
    in_flight: usize,
    /// When which attempt's time is over, in order, since all have the same time. Many that
    /// ended earlier are still in there.
    deadlines: VecDeque<Deadline>,
    limits: Limits,
    serial: u64,
    random: StdRng,
    /// Success before this is success in time.
    end: Option<Instant>,
    tally: Tally,
}

#[derive(Debug, Clone, Copy)]
struct Deadline {
    at: Instant,
    key: usize,
    serial: u64,
}

/// How many connections there may be at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// That are still to be measured.
    pub(super) in_flight: usize,
    /// In all: what the system lets this process have open.
    pub(super) open: usize,
}

const ALARM: Token = Token(usize::MAX >> 1);
/// Events taken at once.
const EVENTS: usize = 256;
/// Connections begun before the network is looked at again.
const BATCH: usize = 16;
/// Deadlines of attempts that are over, which are kept before they are cleared out.
const DEADLINES: usize = 16 * 1024;
/// How often the loop looks up from the network at least.
const TICK: Duration = Duration::from_millis(100);
/// Tickets fetched before the load begins, at most, per worker.
const PREPARED_TICKETS: usize = 64;
/// Handshakes at a time while preparing.
const PREPARING: usize = 4;

impl<'a> Worker<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        endpoints: WorkerEndpoints,
        share: Share,
        limits: Limits,
        stop: &'a AtomicBool,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        let tools = Tools::new(plan, endpoints, poll.registry().try_clone()?);
        let own = |limit: usize| share.of(limit as u64).max(1) as usize;
        let limits = Limits {
            in_flight: own(limits.in_flight),
            open: own(limits.open),
        };
        Ok(Self {
            share,
            plan,
            stop,
            poll,
            events: Some(Events::with_capacity(EVENTS)),
            alarm,
            tools,
            attempts: Slab::with_capacity(limits.in_flight.min(4096)),
            in_flight: 0,
            deadlines: VecDeque::with_capacity(DEADLINES),
            limits,
            serial: 0,
            random: share.random(plan.seed, Chance::Purposes),
            end: None,
            tally: Tally::default(),
        })
    }

    /// Fetches tickets for the first resumptions. Gives what came of it.
    pub(super) fn prepare(&mut self) -> io::Result<Prepared> {
        if self.plan.resumed_share > 0.0 {
            let goal = match self.plan.arrivals {
                Arrivals::Closed { concurrency } => self.share.of(concurrency as u64) as usize,
                _ => self.limits.in_flight,
            };
            let goal = goal.clamp(1, PREPARED_TICKETS);
            // One tells whether the server issues any: others would wait in vain.
            for (at_once, goal) in [(1, 1), (PREPARING, goal)] {
                let missing = goal.saturating_sub(self.tools.tickets());
                let source = Source::closed(at_once, None, Some(missing as u64));
                self.run_through(source, Errand::Tickets, None)?;
                if self.tools.tickets() == 0 {
                    break;
                }
            }
        }
        let Tally {
            for_tickets: handshakes,
            failures,
            ..
        } = std::mem::take(&mut self.tally);
        let is_served = self.plan.resumed_share == 0.0
            || self.tools.tickets() > 0
            || self.stop.load(Ordering::Relaxed);
        let shortage = || match failures.into_iter().next() {
            Some(failure) => Shortage {
                reason: failure.example,
                kind: Some(failure.kind),
            },
            None => Shortage {
                reason: format!("full handshakes succeeded, {handshakes} in number"),
                kind: None,
            },
        };
        Ok(Prepared {
            handshakes,
            shortage: (!is_served).then(shortage),
        })
    }

    /// Makes this worker's share of the connections, beginning at `begin`.
    pub(super) fn perform(
        mut self,
        begin: Instant,
        gauge: &Gauge,
    ) -> io::Result<(Tally, WorkerUse)> {
        self.end = self.plan.duration.map(|duration| begin + duration);
        let limit = self.plan.handshakes.map(|total| self.share.of(total));
        let (share, seed) = (self.share, self.plan.seed);
        let source = match self.plan.arrivals {
            Arrivals::Constant { per_second } => {
                let schedule = Schedule::constant(per_second, share);
                Source::open(schedule, begin, self.end, limit)
            }
            Arrivals::Poisson { per_second } => {
                let schedule = Schedule::poisson(per_second, share, seed);
                Source::open(schedule, begin, self.end, limit)
            }
            Arrivals::Closed { concurrency } => {
                let concurrency = share.of(concurrency as u64) as usize;
                Source::closed(concurrency.min(self.limits.in_flight), self.end, limit)
            }
        };
        std::thread::sleep(begin.saturating_duration_since(Instant::now()));
        let (started, watch) = (Instant::now(), CpuWatch::start());
        self.run_through(source, Errand::Load, Some(gauge))?;
        let used = WorkerUse {
            wall: started.elapsed(),
            cpu: watch.read(),
        };
        gauge.publish(&mut self.tally, 0);
        Ok((self.tally, used))
    }

    /// The loop.
    fn run_through(
        &mut self,
        mut source: Source,
        errand: Errand,
        gauge: Option<&Gauge>,
    ) -> io::Result<()> {
        let mut events = self.events.take().unwrap_or(Events::with_capacity(EVENTS));
        let mut next_tick = Instant::now() + TICK;
        loop {
            let now = Instant::now();
            self.expire(now);
            let mut is_more_due = true;
            for _ in 0..BATCH {
                is_more_due = self.start_if_due(&mut source, errand);
                if !is_more_due {
                    break;
                }
            }
            let now = Instant::now();
            if now >= next_tick {
                next_tick = now + TICK;
                if let Some(gauge) = gauge {
                    gauge.publish(&mut self.tally, self.in_flight);
                }
            }
            if self.stop.load(Ordering::Relaxed) {
                self.tally.drop_overdue(source.take_overdue(now));
                self.cut_off();
                break;
            }
            if source.is_over(now) {
                self.tally.drop_overdue(source.take_overdue(now));
                if self.attempts.is_empty() {
                    break;
                }
            }
            let timeout = match is_more_due {
                true => Some(Duration::ZERO),
                false => self.alarm.set(self.wake(&source, next_tick, now), now)?,
            };
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let ready = Instant::now();
            for event in &events {
                if event.token() == ALARM {
                    self.alarm.note_ringing();
                    continue;
                }
                self.advance(event.token().0, event.is_read_closed(), ready);
                // What is due does not wait for all of the others.
                self.start_if_due(&mut source, errand);
            }
        }
        self.events = Some(events);
        Ok(())
    }

    /// When to look up from the network: it may be past.
    fn wake(&self, source: &Source, next_tick: Instant, now: Instant) -> Instant {
        let due = source.next_due().filter(|_| !source.is_over(now));
        let deadline = self.deadlines.front().map(|deadline| deadline.at);
        [due, deadline]
            .into_iter()
            .flatten()
            .fold(next_tick, Instant::min)
    }

    /// Begins a connection, if one is due. Whether one was.
    fn start_if_due(&mut self, source: &mut Source, errand: Errand) -> bool {
        let started = Instant::now();
        let Some(intended) = source.take_due(started, self.attempts.len()) else {
            return false;
        };
        let Limits { in_flight, open } = self.limits;
        if self.in_flight >= in_flight || self.attempts.len() >= open {
            self.tally.drop_overdue(1);
            return true;
        }
        self.tally.begin(started - intended);
        let purpose = self.purpose(errand);
        self.serial += 1;
        let entry = self.attempts.vacant_entry();
        let (key, serial) = (entry.key(), self.serial);
        let beginning = Beginning { intended, started };
        match Attempt::start(&mut self.tools, Token(key), serial, purpose, beginning) {
            Ok(attempt) => {
                entry.insert(attempt);
                self.in_flight += 1;
                let at = started + self.plan.timeout;
                self.deadlines.push_back(Deadline { at, key, serial });
            }
            Err(failure) => self.tally.fail(failure),
        }
        true
    }

    fn purpose(&mut self, errand: Errand) -> Purpose {
        if errand == Errand::Tickets {
            return Purpose::Ticket;
        }
        let share = self.plan.resumed_share;
        match share > 0.0 && (share >= 1.0 || self.random.random::<f64>() < share) {
            true => Purpose::Resumed,
            false => Purpose::Full,
        }
    }

    /// The socket of an attempt has been ready since `ready`.
    fn advance(&mut self, key: usize, is_input_over: bool, ready: Instant) {
        let Some(attempt) = self.attempts.get_mut(key) else {
            return;
        };
        attempt.note_queued(ready.elapsed());
        loop {
            match attempt.advance(&mut self.tools, is_input_over) {
                Ok(Progress::Waiting) => return,
                Ok(Progress::Measured(sample)) => {
                    self.in_flight -= 1;
                    let expected = &self.plan.expected_status;
                    self.tally.finish(&sample, expected, self.end);
                    if attempt.is_over() {
                        break;
                    }
                }
                Ok(Progress::Over) => break,
                Err(failure) => {
                    self.tally.fail(failure);
                    attempt.give_up(&self.tools);
                    self.remove(key);
                    return;
                }
            }
        }
        self.end_measured(key);
    }

    fn remove(&mut self, key: usize) -> Attempt {
        let attempt = self.attempts.remove(key);
        self.in_flight -= usize::from(!attempt.is_measured());
        attempt
    }

    fn end_measured(&mut self, key: usize) {
        let attempt = self.remove(key);
        self.tally.without_ticket += u64::from(attempt.lacks_ticket());
    }

    /// Ends the attempts whose time is over.
    fn expire(&mut self, now: Instant) {
        if self.deadlines.len() > 2 * self.attempts.len() + DEADLINES {
            let attempts = &self.attempts;
            self.deadlines.retain(|deadline| {
                let attempt = attempts.get(deadline.key);
                attempt.is_some_and(|attempt| attempt.serial == deadline.serial)
            });
        }
        while let Some(deadline) = self.deadlines.front().copied() {
            let attempt = self.attempts.get(deadline.key);
            let alive = attempt.filter(|attempt| attempt.serial == deadline.serial);
            if alive.is_some() && now < deadline.at {
                return;
            }
            self.deadlines.pop_front();
            let Some(attempt) = alive else {
                continue;
            };
            if attempt.is_measured() {
                self.end_measured(deadline.key);
            } else {
                let failure: Failure = attempt.time_out(&self.tools);
                self.remove(deadline.key);
                self.tally.fail(failure);
            }
        }
    }

    /// Ends all attempts.
    fn cut_off(&mut self) {
        self.tally.unfinished += std::mem::take(&mut self.in_flight) as u64;
        self.attempts.clear();
    }
}

/// What connections are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    Load,
    Tickets,
}

/// What came of fetching tickets.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Handshakes that succeeded.
    pub(super) handshakes: u64,
    /// What happened instead, if tickets are needed and none came.
    pub(super) shortage: Option<Shortage>,
}

/// Why there are no tickets.
#[derive(Debug)]
pub(super) struct Shortage {
    pub(super) reason: String,
    /// How the handshakes failed, if they did.
    pub(super) kind: Option<FailureKind>,
}
