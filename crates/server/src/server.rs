//! The server of the measurements, and the limits of every server.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use stack::Endpoint;

use crate::listener::Listener;
use crate::{Counters, session};

/// A listener with the endpoint that its connections are made from.
pub struct Server {
    listener: Listener,
    endpoint: Arc<dyn Endpoint>,
    mode: ServeMode,
    limits: Limits,
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
    /// Connections at a time; one more is closed at once.
    pub connections: usize,
    /// Time for a handshake, from the acceptance of the connection.
    pub handshake: Duration,
    /// Time from the handshake or the last answer until the next request is answered; over
    /// HTTPS, time without a byte, and over HTTP/2 without a request.
    pub idle: Duration,
    /// The length of a request, or of its header over HTTPS, in bytes.
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
    #[error("can't listen at {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// Name a folder that can be read.
    #[error("{} can't be served", root.display())]
    Root {
        /// What was to be served.
        root: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

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
        Ok(Self {
            listener: Listener::bind(address).await?,
            endpoint,
            mode,
            limits,
        })
    }

    /// Where it listens, with the port that the system chose.
    pub const fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// What became of its connections; stays alive with the caller.
    pub fn counters(&self) -> Arc<Counters> {
        self.listener.counters().clone()
    }

    /// Accepts connections on the current runtime, which must have I/O and time enabled,
    /// until `shutdown` is done. Connections that are still open then are cut.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self {
            listener,
            endpoint,
            mode,
            limits,
        } = self;
        let counters = listener.counters().clone();
        let session = |socket, _| {
            let (endpoint, counters) = (endpoint.clone(), counters.clone());
            async move {
                let connection = match mode {
                    ServeMode::Measured => endpoint.connection(),
                    ServeMode::Issuing => endpoint.issuing_connection(),
                };
                session::serve(socket, connection, limits, &counters).await
            }
        };
        listener
            .run(shutdown, limits.connections, Duration::ZERO, session)
            .await;
    }
}
