//! Accepting connections, as many as allowed.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::{Counters, Event, ServerError};

/// A bound socket and what its connections are counted in.
pub(crate) struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    counters: Arc<Counters>,
}

/// How long the server waits after the system refused to give it a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

impl Listener {
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, ServerError> {
        let fault = |error| ServerError::Bind { address, error };
        let listener = TcpListener::bind(address).await.map_err(fault)?;
        Ok(Self {
            address: listener.local_addr().map_err(fault)?,
            listener,
            counters: Arc::default(),
        })
    }

    pub(crate) const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    pub(crate) const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Gives each connection a task of its own, at most `connections` at a time, until
    /// `shutdown` is done. Connections that are open then get `grace` to end, and are cut.
    ///
    /// One connection more than allowed is closed at once: it does not wait in a queue,
    /// where it would be measured as slow.
    pub(crate) async fn run<F>(
        self,
        shutdown: impl Future<Output = ()>,
        connections: usize,
        grace: Duration,
        session: impl Fn(TcpStream, SocketAddr) -> F,
    ) where
        F: Future<Output = Event> + Send + 'static,
    {
        let mut shutdown = pin!(shutdown);
        let room = Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS)));
        // Dropped at the end of this function, it aborts what is left.
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(ended) = tasks.join_next() => self.note_panic(&ended),
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, peer)) => {
                        self.counters.add(Event::Accepted);
                        let Ok(permit) = room.clone().try_acquire_owned() else {
                            self.counters.add(Event::Refused);
                            continue;
                        };
                        let (session, counters) = (session(socket, peer), self.counters.clone());
                        tasks.spawn(async move {
                            let event = session.await;
                            drop(permit);
                            counters.add(event);
                        });
                    }
                    Err(_) => if self.pause(shutdown.as_mut()).await { break },
                },
            }
        }
        // Whoever connects from now on is refused by the kernel.
        drop(self.listener);
        let _ = timeout(grace, async { while tasks.join_next().await.is_some() {} }).await;
    }

    /// Out of descriptors, accepting at once would spin. Gives whether to shut down.
    async fn pause(&self, shutdown: Pin<&mut impl Future<Output = ()>>) -> bool {
        self.counters.add(Event::AcceptFault);
        tokio::select! {
            () = shutdown => true,
            () = sleep(ACCEPT_PAUSE) => false,
        }
    }

    fn note_panic(&self, ended: &Result<(), JoinError>) {
        if ended.as_ref().is_err_and(JoinError::is_panic) {
            self.counters.add(Event::Panicked);
        }
    }
}
