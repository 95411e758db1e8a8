//! One end of the simulated link: quinn's protocol code with one connection.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use experiment::Side;
use quinn_proto::{
    ClientConfig, Connection, ConnectionHandle, DatagramEvent, Dir, Endpoint, Event, Incoming,
    StreamId, Transmit,
};
use stack::{PairError, StackError};

use crate::fault;
use crate::pair::AddressValidation;

/// What a client asks, and what a server answers: as small as can be.
const REQUEST: &[u8] = b"?";
const ANSWER: &[u8] = b"!";

pub(crate) struct End {
    side: Side,
    endpoint: Endpoint,
    peer: SocketAddr,
    validation: AddressValidation,
    connection: Option<(ConnectionHandle, Connection)>,
    /// Datagrams on their way here with the times at which they arrive, in order.
    inbox: VecDeque<(Instant, Vec<u8>)>,
    /// Datagrams that this end sends now.
    outbox: Vec<Vec<u8>>,
    /// Whether a request and an answer follow the handshake.
    exchanges: bool,
    stream: Option<StreamId>,
    /// When TLS was complete here.
    pub(crate) completed: Option<Instant>,
    /// When the first byte of the answer was here.
    pub(crate) answered: Option<Instant>,
}

impl End {
    pub(crate) const fn new(
        side: Side,
        endpoint: Endpoint,
        peer: SocketAddr,
        validation: AddressValidation,
        exchanges: bool,
    ) -> Self {
        Self {
            side,
            endpoint,
            peer,
            validation,
            connection: None,
            inbox: VecDeque::new(),
            outbox: Vec::new(),
            exchanges,
            stream: None,
            completed: None,
            answered: None,
        }
    }

    /// The client's first step.
    pub(crate) fn connect(&mut self, config: ClientConfig, now: Instant) -> Result<(), PairError> {
        let begun = self
            .endpoint
            .connect(now, config, self.peer, pki::SERVER_NAME);
        self.connection = Some(begun.map_err(|error| self.library(error))?);
        self.work(now)
    }

    /// Takes what has arrived, lets timers run out, and sends what there is to send.
    pub(crate) fn step(&mut self, now: Instant) -> Result<(), PairError> {
        while let Some((at, _)) = self.inbox.front()
            && *at <= now
        {
            if let Some((_, datagram)) = self.inbox.pop_front() {
                self.receive(&datagram, now)?;
            }
        }
        self.work(now)
    }

    /// When there is something to do next, if nothing else arrives.
    pub(crate) fn next(&mut self) -> Option<Instant> {
        let arrival = self.inbox.front().map(|(at, _)| *at);
        let timer = self.connection.as_mut();
        let timer = timer.and_then(|(_, connection)| connection.poll_timeout());
        arrival.into_iter().chain(timer).min()
    }

    pub(crate) fn push(&mut self, at: Instant, datagram: Vec<u8>) {
        self.inbox.push_back((at, datagram));
    }

    /// Datagrams that have arrived and wait for the next step.
    pub(crate) fn arrived(&self, now: Instant) -> impl Iterator<Item = &[u8]> {
        let arrived = self.inbox.iter().take_while(move |(at, _)| *at <= now);
        arrived.map(|(_, datagram)| datagram.as_slice())
    }

    pub(crate) fn take_outbox(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outbox)
    }

    /// Whether the client knows that the server has its Finished (RFC 9001 section 4.1.2).
    pub(crate) fn is_confirmed(&self) -> bool {
        self.connection()
            .is_some_and(|connection| connection.stats().frame_rx.handshake_done > 0)
    }

    /// Whether a request belongs to what this end does.
    pub(crate) const fn exchanges(&self) -> bool {
        self.exchanges
    }

    pub(crate) fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref().map(|(_, connection)| connection)
    }

    fn receive(&mut self, datagram: &[u8], now: Instant) -> Result<(), PairError> {
        let mut response = Vec::new();
        let bytes = BytesMut::from(datagram);
        let event = self
            .endpoint
            .handle(now, self.peer, None, None, bytes, &mut response);
        match event {
            Some(DatagramEvent::ConnectionEvent(_, event)) => {
                if let Some((_, connection)) = &mut self.connection {
                    connection.handle_event(event);
                }
            }
            Some(DatagramEvent::NewConnection(incoming)) => self.accept(incoming, now)?,
            Some(DatagramEvent::Response(transmit)) => self.send(&transmit, response),
            None => {}
        }
        Ok(())
    }

    fn accept(&mut self, incoming: Incoming, now: Instant) -> Result<(), PairError> {
        let mut response = Vec::new();
        let wants_retry = self.validation == AddressValidation::ByRetry;
        if wants_retry && !incoming.remote_address_validated() {
            let retry = self.endpoint.retry(incoming, &mut response);
            let transmit = retry.map_err(|error| self.library(error))?;
            self.send(&transmit, response);
            return Ok(());
        }
        let accepted = self.endpoint.accept(incoming, now, &mut response, None);
        self.connection = Some(accepted.map_err(|error| self.failed(fault::of(&error.cause)))?);
        Ok(())
    }

    fn work(&mut self, now: Instant) -> Result<(), PairError> {
        let Some((handle, connection)) = &mut self.connection else {
            return Ok(());
        };
        if connection.poll_timeout().is_some_and(|at| at <= now) {
            connection.handle_timeout(now);
        }
        while let Some(event) = connection.poll_endpoint_events() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                connection.handle_event(event);
            }
        }
        let mut lost = None;
        while let Some(event) = connection.poll() {
            match event {
                Event::Connected => self.completed = Some(now),
                Event::ConnectionLost { reason } => lost = Some(fault::of(&reason)),
                _ => {}
            }
        }
        if self.exchanges && self.completed.is_some() {
            self.exchange(now);
        }
        self.transmit(now);
        match lost {
            Some(error) => Err(self.failed(error)),
            None => Ok(()),
        }
    }

    /// The client asks once, and the server answers whatever it is asked.
    fn exchange(&mut self, now: Instant) {
        let Some((_, connection)) = &mut self.connection else {
            return;
        };
        let said = match self.side {
            Side::Client => REQUEST,
            Side::Server => ANSWER,
        };
        if self.stream.is_none() {
            self.stream = match self.side {
                Side::Client => connection.streams().open(Dir::Bi),
                Side::Server => connection.streams().accept(Dir::Bi),
            };
            if let Some(stream) = self.stream {
                // A byte on a fresh stream is within every window.
                let _ = connection.send_stream(stream).write(said);
            }
        }
        if let (Side::Client, Some(stream), None) = (self.side, self.stream, self.answered) {
            let mut stream = connection.recv_stream(stream);
            if let Ok(mut chunks) = stream.read(true) {
                if matches!(chunks.next(ANSWER.len()), Ok(Some(_))) {
                    self.answered = Some(now);
                }
                // What reading gives way for is sent in this step anyhow.
                let _ = chunks.finalize();
            }
        }
    }

    fn transmit(&mut self, now: Instant) {
        let Some((_, connection)) = &mut self.connection else {
            return;
        };
        let mut datagrams = Vec::new();
        loop {
            let mut datagram = Vec::new();
            let Some(transmit) = connection.poll_transmit(now, 1, &mut datagram) else {
                break;
            };
            datagrams.push((transmit, datagram));
        }
        for (transmit, datagram) in datagrams {
            self.send(&transmit, datagram);
        }
    }

    fn send(&mut self, transmit: &Transmit, mut datagram: Vec<u8>) {
        datagram.truncate(transmit.size);
        self.outbox.push(datagram);
    }

    fn failed(&self, error: StackError) -> PairError {
        PairError::Side {
            side: self.side,
            error,
        }
    }

    fn library(&self, error: impl ToString) -> PairError {
        self.failed(StackError::Library(error.to_string()))
    }
}
