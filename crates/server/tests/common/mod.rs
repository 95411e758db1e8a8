//! A server of one scenario on a loopback port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use experiment::{Handshake, Side};
use server::{Counters, Event, Limits, ServeMode, Server};
use stack::{Credentials, Endpoint, PhaseTiming};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn endpoint(stack: &str, side: Side, handshake: &Handshake) -> Box<dyn Endpoint> {
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    let credentials = Credentials::for_handshake(handshake, &cache).unwrap();
    stack::by_name(&stack.parse().unwrap())
        .unwrap()
        .endpoint(side, handshake, &credentials, PhaseTiming::Off)
        .unwrap()
}

pub(crate) struct Running {
    pub address: SocketAddr,
    pub counters: Arc<Counters>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(
        endpoint: Arc<dyn Endpoint>,
        mode: ServeMode,
        limits: Limits,
    ) -> Self {
        let any_port = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(any_port, endpoint, mode, limits)
            .await
            .unwrap();
        let (stop, stopped) = oneshot::channel();
        Self {
            address: server.local_addr(),
            counters: server.counters(),
            stop,
            task: tokio::spawn(server.serve(async {
                let _ = stopped.await;
            })),
        }
    }

    /// Waits until an event has happened so often.
    pub(crate) async fn until(&self, event: Event, count: u64) {
        let reached = async {
            while self.counters.count(event) < count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(LIMIT, reached).await.is_err() {
            panic!("no {count} of {event:?}: {:?}", self.counters);
        }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(LIMIT, self.task)
            .await
            .unwrap()
            .unwrap();
    }
}
