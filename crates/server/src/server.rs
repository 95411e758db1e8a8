//! The listener and its limits.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use stack::Endpoint;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use crate::{Counters, Event, session};

/// A listener with the endpoint that its connections are made from.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    endpoint: Arc<dyn Endpoint>,
    mode: ServeMode,
    limits: Limits,
    counters: Arc<Counters>,
}

/// Which of an endpoint's connections a listener gives. Two listeners may share an
/// endpoint: one issues the tickets with which clients resume at the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServeMode {
    /// The handshakes that the endpoint was set up for ([`Endpoint::connection`]).
    Measured,
    /// Full handshakes that issue tickets ([`Endpoint::issuing_connection`]).
    Issuing,
}

/// What clients may take of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time. One more is closed at once: it does not wait in a queue,
    /// where it would be measured as slow.
    pub connections: usize,
    /// Time for a handshake, from the acceptance of the connection.
    pub handshake: Duration,
    /// Time from the handshake or the last answer until the next request is answered.
    pub idle: Duration,
    /// The length of a request in bytes, blank line included.
    pub request: usize,
}

impl Default for Limits {
    /// 1024 connections, 10 s for a handshake, 30 s for a request, of at most 8 KiB.
    fn default() -> Self {
        Self {
            connections: 1024,
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            request: 8 * 1024,
        }
    }
}

/// A server can't begin.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Choose another address, or end the program that has it.
    #[error("can't listen at {address}: {error}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

/// How long the server waits after the system refused to give it a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

impl Server {
    /// Listens at `address`; port 0 lets the system choose. Connections wait in the
    /// kernel's queue until [`Server::serve`].
    ///
    /// # Errors
    /// When the address is taken, or not of this machine.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub async fn bind(
        address: SocketAddr,
        endpoint: Arc<dyn Endpoint>,
        mode: ServeMode,
        limits: Limits,
    ) -> Result<Self, ServerError> {
        let fault = |error| ServerError::Bind { address, error };
        let listener = TcpListener::bind(address).await.map_err(fault)?;
        Ok(Self {
            address: listener.local_addr().map_err(fault)?,
            listener,
            endpoint,
            mode,
            limits,
            counters: Arc::default(),
        })
    }

    /// Where it listens, with the port that the system chose.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What became of its connections; stays alive with the caller.
    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }

    /// Accepts connections on the current runtime, which must have I/O and time enabled,
    /// until `shutdown` is done. Connections that are still open then are cut.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let room = Arc::new(Semaphore::new(
            self.limits.connections.min(Semaphore::MAX_PERMITS),
        ));
        // Dropped at the end of this function, it aborts what is left.
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                Some(ended) = tasks.join_next() => self.note_panic(&ended),
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, _)) => self.admit(socket, &room, &mut tasks),
                    Err(_) => {
                        self.counters.add(Event::AcceptFault);
                        // Out of descriptors, accepting at once would spin.
                        tokio::select! {
                            () = &mut shutdown => return,
                            () = sleep(ACCEPT_PAUSE) => {}
                        }
                    }
                },
            }
        }
    }

    fn admit(&self, socket: TcpStream, room: &Arc<Semaphore>, tasks: &mut JoinSet<()>) {
        self.counters.add(Event::Accepted);
        let Ok(permit) = room.clone().try_acquire_owned() else {
            self.counters.add(Event::Refused);
            return;
        };
        let (endpoint, counters) = (self.endpoint.clone(), self.counters.clone());
        let (mode, limits) = (self.mode, self.limits);
        tasks.spawn(async move {
            let connection = match mode {
                ServeMode::Measured => endpoint.connection(),
                ServeMode::Issuing => endpoint.issuing_connection(),
            };
            let event = session::serve(socket, connection, limits, &counters).await;
            drop(permit);
            counters.add(event);
        });
    }

    fn note_panic(&self, ended: &Result<(), JoinError>) {
        if ended.as_ref().is_err_and(JoinError::is_panic) {
            self.counters.add(Event::Panicked);
        }
    }
}
