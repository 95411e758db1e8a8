//! One connection, from its socket to its end.

use std::io;
use std::time::{Duration, Instant};

use mio::Token;
use stack::{Connection, Negotiated};
use wire::ProtocolVersion;

use super::Parting;
use super::failure::{Failure, FailureKind};
use super::link::Link;
use super::status::StatusLine;
use super::tally::{Purpose, Sample};
use super::tools::Tools;
use crate::{ClientError, Stage};

/// A connection under way.
pub(super) struct Attempt {
    /// Tells it from others that had the same place.
    pub(super) serial: u64,
    purpose: Purpose,
    step: Step,
    link: Link,
    /// There from [`Step::Handshaking`] on.
    tls: Option<Box<dyn Connection>>,
    has_ticket: bool,
    status_line: StatusLine,
    intended: Instant,
    started: Instant,
    connected: Instant,
    secured: Instant,
    /// For how long its socket was ready, in sum, while this worker was busy with others.
    queued: Duration,
}

/// With so many tickets in store, none is waited for.
const MANY_TICKETS: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Connecting,
    Handshaking,
    Responding,
    /// All that is measured is done; a ticket is to come.
    Collecting,
    /// This side has closed; the server is to do so.
    Parting,
    Over,
}

/// How far a call has brought a connection.
#[derive(Debug)]
pub(super) enum Progress {
    /// It waits for the network.
    Waiting,
    /// All that is measured is done. Unless it is over, it goes on.
    Measured(Sample),
    /// There is nothing to wait for any more.
    Over,
}

/// When a connection was to begin, and when it did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beginning {
    pub(super) intended: Instant,
    pub(super) started: Instant,
}

impl Attempt {
    /// Connects. Over loopback TCP is established on return, and the ClientHello sent.
    pub(super) fn start(
        tools: &mut Tools,
        token: Token,
        serial: u64,
        purpose: Purpose,
        beginning: Beginning,
    ) -> Result<Self, Failure> {
        let Beginning { intended, started } = beginning;
        let mut attempt = Self {
            serial,
            purpose,
            step: Step::Connecting,
            link: Link::connect(tools, token)?,
            tls: None,
            has_ticket: false,
            status_line: StatusLine::default(),
            intended,
            started,
            connected: started,
            secured: started,
            queued: Duration::ZERO,
        };
        if attempt.link.is_connected() {
            attempt.greet(tools)?;
        }
        let is_connecting = attempt.step == Step::Connecting;
        let registered = attempt.link.register(&tools.registry, is_connecting);
        registered.map_err(ClientError::Socket)?;
        Ok(attempt)
    }

    /// Notes that its socket was ready for so long before this worker came to it.
    pub(super) fn note_queued(&mut self, time: Duration) {
        self.queued += time;
    }

    /// Goes as far as the network lets it. `is_input_over` says that the server's end of
    /// the stream is known to be near.
    ///
    /// After [`Progress::Measured`] it is to be called again, unless it is over: readiness
    /// is told once.
    pub(super) fn advance(
        &mut self,
        tools: &mut Tools,
        is_input_over: bool,
    ) -> Result<Progress, Failure> {
        if self.step == Step::Connecting {
            if !self.link.is_connected() {
                return match self.link.fault() {
                    None => Ok(Progress::Waiting),
                    Some(error) => Err(ClientError::Connect(error).into()),
                };
            }
            self.greet(tools)?;
        }
        if !self.link.is_flushed() {
            let sent = self.link.resend();
            sent.map_err(|error| self.socket_failure(error))?;
            if let Some(sample) = self.after_sending(tools)? {
                return Ok(Progress::Measured(sample));
            }
        }
        loop {
            let count = match self.link.read(&mut tools.input) {
                Ok(None) => return Ok(Progress::Waiting),
                Ok(Some(0)) => return self.end_of_input(),
                Ok(Some(count)) => count,
                Err(_) if self.is_measured() => return self.end_of_input(),
                Err(error) => return Err(self.socket_failure(error)),
            };
            match self.take_input(tools, count)? {
                Progress::Waiting => {}
                progress => return Ok(progress),
            }
            // Less than there was room for: the kernel has no more, but for the end.
            if count < tools.input.len() && !is_input_over {
                return Ok(Progress::Waiting);
            }
        }
    }

    /// Whether it is done with, and can be dropped.
    pub(super) fn is_over(&self) -> bool {
        self.step == Step::Over
    }

    /// Whether all that is measured is done.
    pub(super) fn is_measured(&self) -> bool {
        matches!(self.step, Step::Collecting | Step::Parting | Step::Over)
    }

    /// Whether it is one of those that are to bring a ticket, and did not.
    pub(super) fn lacks_ticket(&self) -> bool {
        self.purpose != Purpose::Full && !self.has_ticket
    }

    /// What it means that its time is over.
    pub(super) fn time_out(&self, tools: &Tools) -> Failure {
        let (stage, limit) = (self.stage(), tools.timeout);
        ClientError::Timeout { stage, limit }.into()
    }

    fn stage(&self) -> Stage {
        match self.step {
            Step::Connecting => Stage::Connect,
            Step::Handshaking => Stage::Handshake,
            Step::Responding | Step::Collecting | Step::Parting | Step::Over => Stage::Response,
        }
    }

    /// TCP is established: sends the ClientHello.
    fn greet(&mut self, tools: &mut Tools) -> Result<(), Failure> {
        self.connected = Instant::now();
        self.step = Step::Handshaking;
        // Only now, since others may have taken the tickets while TCP connected.
        if self.purpose == Purpose::Resumed && tools.tickets() == 0 {
            self.purpose = Purpose::Ticket;
        }
        let mut tls = tools.connection(self.purpose)?;
        let made = tls.advance(&[], &mut tools.output);
        self.tls = Some(tls);
        self.send_after(tools, made)
    }

    fn take_input(&mut self, tools: &mut Tools, count: usize) -> Result<Progress, Failure> {
        let tickets = self.count_tickets(tools);
        let progress = match self.step {
            Step::Handshaking => {
                self.shake_hands(tools, count)?;
                self.note_ticket(tools, tickets);
                self.after_sending(tools)?
            }
            Step::Responding => {
                let received = self.receive(tools, count)?;
                self.note_ticket(tools, tickets);
                self.status_line.take(&tools.plaintext[..received]);
                let is_whole = self.status_line.is_whole();
                is_whole.then(|| self.measured(tools, Some(Instant::now())))
            }
            Step::Collecting => {
                // A server may say anything after the measurement.
                if self.receive(tools, count).is_err() {
                    self.step = Step::Over;
                }
                self.note_ticket(tools, tickets);
                if self.has_ticket && !self.is_over() {
                    self.part(tools);
                }
                None
            }
            // What still comes is of no use.
            Step::Connecting | Step::Parting | Step::Over => None,
        };
        Ok(match progress {
            Some(sample) => Progress::Measured(sample),
            None if self.is_over() => Progress::Over,
            None => Progress::Waiting,
        })
    }

    fn shake_hands(&mut self, tools: &mut Tools, count: usize) -> Result<(), Failure> {
        let Some(tls) = &mut self.tls else {
            return Ok(());
        };
        let mut taken = tls.advance(&tools.input[..count], &mut tools.output);
        // The request leaves with the client's last flight, in one segment.
        if let (Ok(()), false, Some(request)) = (&taken, tls.is_handshaking(), &tools.request) {
            taken = tls.send(request, &mut tools.output);
        }
        self.send_after(tools, taken)
    }

    /// The handshake is done once its last flight is with the kernel.
    fn after_sending(&mut self, tools: &mut Tools) -> Result<Option<Sample>, Failure> {
        let is_handshaking = self.tls.as_ref().is_none_or(|tls| tls.is_handshaking());
        if self.step != Step::Handshaking || is_handshaking || !self.link.is_flushed() {
            return Ok(None);
        }
        self.secured = Instant::now();
        self.check(tools)?;
        if tools.request.is_some() {
            self.step = Step::Responding;
            return Ok(None);
        }
        Ok(Some(self.measured(tools, None)))
    }

    /// Whether the handshake is what was asked for.
    fn check(&self, tools: &Tools) -> Result<(), Failure> {
        let negotiated = self.negotiated();
        let unlike = |kind, message| Err(Failure::of_kind(kind, message));
        match (self.purpose, negotiated.is_resumed) {
            (Purpose::Resumed, false) => {
                let message = "the server took no notice of the ticket".to_owned();
                return unlike(FailureKind::NotResumed, message);
            }
            (Purpose::Full, true) => {
                let message = "a full handshake was asked for".to_owned();
                return unlike(FailureKind::NotFull, message);
            }
            _ => {}
        }
        // A resumption of TLS 1.2 exchanges no keys.
        let has_group =
            !(negotiated.is_resumed && negotiated.version == Some(ProtocolVersion::Tls12));
        match tools.expected_group {
            Some(expected) if has_group && negotiated.group != Some(expected) => {
                let group = match negotiated.group {
                    Some(group) => group.to_string(),
                    None => "no group".to_owned(),
                };
                let message = format!("{group} was negotiated, not {expected}");
                unlike(FailureKind::OtherGroup, message)
            }
            _ => Ok(()),
        }
    }

    fn measured(&mut self, tools: &mut Tools, answered: Option<Instant>) -> Sample {
        let is_for_tickets = self.purpose != Purpose::Full && !self.has_ticket;
        if is_for_tickets && self.can_collect(tools) {
            self.step = Step::Collecting;
        } else {
            self.part(tools);
        }
        Sample {
            purpose: self.purpose,
            intended: self.intended,
            started: self.started,
            connected: self.connected,
            secured: self.secured,
            answered,
            queued: self.queued,
            negotiated: self.negotiated(),
            status: answered.map(|_| self.status_line.status()),
        }
    }

    /// Ends it as the plan says. What can't be sent now is not waited for.
    fn part(&mut self, tools: &mut Tools) {
        self.step = Step::Over;
        if tools.parting == Parting::Reset || !self.link.is_flushed() {
            return;
        }
        if let Some(tls) = &mut self.tls {
            tls.close(&mut tools.output);
        }
        if self.link.finish(&tools.output) {
            self.step = Step::Parting;
        }
        tools.output.clear();
    }

    /// Has the kernel deliver what was sent last, which is an alert, when this is dropped: a
    /// reset may overtake it.
    pub(super) fn give_up(&self, tools: &Tools) {
        if tools.parting == Parting::Orderly {
            self.link.linger();
        }
    }

    /// Whether it is worth while to wait for a ticket.
    fn can_collect(&mut self, tools: &mut Tools) -> bool {
        // Before TLS 1.3 sessions come within the handshake.
        if self.negotiated().version != Some(ProtocolVersion::Tls13) {
            self.has_ticket = tools.tickets() > 0;
            return false;
        }
        let tickets = tools.tickets();
        if tickets >= MANY_TICKETS {
            self.has_ticket = true;
            return false;
        }
        // One may have come together with the handshake's end, and wait in the library.
        let is_good = self.receive(tools, 0).is_ok();
        self.note_ticket(tools, tickets);
        is_good && !self.has_ticket
    }

    fn count_tickets(&self, tools: &Tools) -> usize {
        match self.purpose {
            Purpose::Full => 0,
            Purpose::Resumed | Purpose::Ticket => tools.tickets(),
        }
    }

    /// Nobody else's ticket can have come since `before` was counted: the endpoint belongs
    /// to this worker alone.
    fn note_ticket(&mut self, tools: &Tools, before: usize) {
        self.has_ticket |= self.count_tickets(tools) > before;
    }

    fn negotiated(&self) -> Negotiated {
        let tls = self.tls.as_ref();
        tls.map(|tls| tls.negotiated()).unwrap_or_default()
    }

    fn receive(&mut self, tools: &mut Tools, count: usize) -> Result<usize, Failure> {
        let Some(tls) = &mut self.tls else {
            return Ok(0);
        };
        tls.receive(&tools.input[..count], &mut tools.plaintext)
            .map_err(|error| ClientError::of_tls(self.stage(), error).into())
    }

    fn end_of_input(&mut self) -> Result<Progress, Failure> {
        if self.is_measured() {
            self.step = Step::Over;
            return Ok(Progress::Over);
        }
        let stage = self.stage();
        Err(ClientError::Closed { stage }.into())
    }

    /// Sends the output, which after a failure is an alert, and then reports the failure.
    fn send_after(
        &mut self,
        tools: &mut Tools,
        result: Result<(), stack::StackError>,
    ) -> Result<(), Failure> {
        let stage = self.stage();
        let sent = self.link.send(&tools.registry, &tools.output);
        tools.output.clear();
        result.map_err(|error| ClientError::of_tls(stage, error))?;
        sent.map_err(|error| self.socket_failure(error))
    }

    fn socket_failure(&self, error: io::Error) -> Failure {
        ClientError::of_transport(self.stage(), error.into()).into()
    }
}
