//! What became of the connections of one worker, and of all of them.

use std::time::{Duration, Instant};

use stack::Negotiated;

use super::failure::{self, Failure, FailureCount};
use super::latency::Latency;
use super::status::{ExpectedStatus, Status};

/// How a connection is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Full,
    Resumed,
    /// A full handshake for the ticket that it brings.
    Ticket,
}

/// A connection of which all is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) purpose: Purpose,
    pub(super) intended: Instant,
    pub(super) started: Instant,
    pub(super) connected: Instant,
    pub(super) secured: Instant,
    /// The first byte of the response, if one was asked for.
    pub(super) answered: Option<Instant>,
    /// For how long its socket was ready and not handled.
    pub(super) queued: Duration,
    pub(super) negotiated: Negotiated,
    /// Of the response, if one was asked for.
    pub(super) status: Option<Status>,
}

impl Sample {
    /// When all of it was done.
    pub(super) fn ended(&self) -> Instant {
        self.answered.unwrap_or(self.secured)
    }
}

/// Counts and times of connections.
///
/// `offered = not started + started`, and `started = succeeded + for tickets + failed +
/// unfinished`. Times are of those that succeeded: failures are counts, and where there
/// are many the times say little.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Connections that the schedule asked for.
    pub offered: u64,
    /// Of these, never begun: as many as allowed were in flight, or time was over.
    pub not_started: u64,
    /// As they should be.
    pub succeeded: u64,
    /// Of these, done before the end of the schedule, and not only after it.
    pub succeeded_in_time: u64,
    /// Full handshakes in place of resumptions for which there was no ticket. They count
    /// for nothing else.
    pub for_tickets: u64,
    /// Failed, in all ways.
    pub failed: u64,
    /// Cut off since the load was interrupted.
    pub unfinished: u64,
    /// Resumptions or handshakes for tickets after which no ticket came.
    pub without_ticket: u64,
    /// TCP: the call of connect() until the connection is established.
    pub connect: Latency,
    /// TLS: from before the connection object is built until the client's last flight,
    /// and the request if there is one, is with the kernel.
    pub handshake: Latency,
    /// From there until the first byte of the response has been decrypted.
    pub first_byte: Latency,
    /// The three together, from when the connection was begun.
    pub service_time: Latency,
    /// The three together, from when it was to begin. This is what users of an
    /// overloaded server wait; the service time hides that later ones had to wait for
    /// earlier ones (coordinated omission).
    pub response_time: Latency,
    /// How late connections were begun, failed ones included.
    pub lateness: Latency,
    /// What this side adds to each response time: how late the connection was begun, and
    /// for how long its socket was ready before its worker came to it. This is the least of
    /// it, since a socket counts as ready from when the poll tells.
    pub client_delay: Latency,
    /// Failures by kind.
    pub failures: Vec<FailureCount>,
    /// What was negotiated, and how often.
    pub negotiated: Vec<(Negotiated, u64)>,
    /// Response times that no [`super::Snapshot`] has shown yet.
    pub(super) recent: Latency,
    /// When the last connection was measured or had failed.
    pub(super) last_end: Option<Instant>,
    /// Responses by the first digit of their HTTP status, 1 to 5; 0 for what is no HTTP.
    /// Those that failed for their status are in here as well.
    pub statuses: [u64; 6],
}

impl Tally {
    /// Connections that were begun.
    pub const fn started(&self) -> u64 {
        self.offered - self.not_started
    }

    pub(super) fn begin(&mut self, lateness: Duration) {
        self.offered += 1;
        self.lateness.record(lateness);
    }

    pub(super) fn drop_overdue(&mut self, count: u64) {
        self.offered += count;
        self.not_started += count;
    }

    /// Takes a connection of which all is measured. It succeeded if its response, where one
    /// was asked for, is as expected.
    pub(super) fn finish(
        &mut self,
        sample: &Sample,
        expected: &ExpectedStatus,
        end: Option<Instant>,
    ) {
        self.last_end = self.last_end.max(Some(sample.ended()));
        if sample.purpose == Purpose::Ticket {
            self.for_tickets += 1;
            return;
        }
        if let Some(status) = sample.status {
            self.statuses[status.class()] += 1;
            if !expected.includes(status) {
                self.fail(Failure::of_status(status));
                return;
            }
        }
        let Sample {
            intended,
            started,
            connected,
            secured,
            answered,
            ..
        } = *sample;
        let ended = sample.ended();
        self.succeeded += 1;
        self.succeeded_in_time += u64::from(end.is_none_or(|end| ended <= end));
        self.connect.record(connected - started);
        self.handshake.record(secured - connected);
        if let Some(answered) = answered {
            self.first_byte.record(answered - secured);
        }
        self.service_time.record(ended - started);
        self.response_time.record(ended - intended);
        self.recent.record(ended - intended);
        self.client_delay.record(started - intended + sample.queued);
        add(&mut self.negotiated, sample.negotiated, 1);
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        self.last_end = self.last_end.max(Some(Instant::now()));
        failure::count(&mut self.failures, failure);
    }

    /// The failure that happened most often.
    pub fn main_failure(&self) -> Option<&FailureCount> {
        self.failures.iter().max_by_key(|failure| failure.count)
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.offered += other.offered;
        self.not_started += other.not_started;
        self.succeeded += other.succeeded;
        self.succeeded_in_time += other.succeeded_in_time;
        self.for_tickets += other.for_tickets;
        self.failed += other.failed;
        self.unfinished += other.unfinished;
        self.without_ticket += other.without_ticket;
        self.last_end = self.last_end.max(other.last_end);
        for (mine, other) in [
            (&mut self.connect, &other.connect),
            (&mut self.handshake, &other.handshake),
            (&mut self.first_byte, &other.first_byte),
            (&mut self.service_time, &other.service_time),
            (&mut self.response_time, &other.response_time),
            (&mut self.lateness, &other.lateness),
            (&mut self.client_delay, &other.client_delay),
        ] {
            mine.merge(other);
        }
        for count in other.failures {
            failure::add(&mut self.failures, count);
        }
        for (negotiated, count) in other.negotiated {
            add(&mut self.negotiated, negotiated, count);
        }
        for (mine, other) in self.statuses.iter_mut().zip(other.statuses) {
            *mine += other;
        }
    }
}

/// Few different outcomes are seen: a list is searched faster than anything else.
fn add(counts: &mut Vec<(Negotiated, u64)>, negotiated: Negotiated, more: u64) {
    let mut same = counts.iter_mut();
    match same.find(|(known, _)| *known == negotiated) {
        Some((_, count)) => *count += more,
        None => counts.push((negotiated, more)),
    }
}
