//! What the tests over UDP share.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use experiment::Scenario;
use http::{Request, Response, StatusCode};
use quic::{
    AddressValidation, ClientError, ClientOptions, Event, Exchange, Limits, Server, Service,
    Session,
};
use stack::{Credentials, rustls_config};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(crate) const HYBRID: &str = "1.3/X25519MLKEM768/ml-dsa-65/full";
pub(crate) const CLASSICAL: &str = "1.3/x25519/ecdsa-p256/full";

/// For what should be over at once.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Setup {
    pub(crate) client: rustls::ClientConfig,
    pub(crate) server: rustls::ServerConfig,
}

pub(crate) fn setup(id: &str) -> Setup {
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    let scenario: Scenario = format!("rustls>rustls/{id}@memory").parse().unwrap();
    let handshake = scenario.handshake();
    let credentials = Credentials::for_handshake(handshake, &cache).unwrap();
    Setup {
        client: rustls_config::client(handshake, &credentials).unwrap(),
        server: rustls_config::server(handshake, &credentials).unwrap(),
    }
}

/// Says what was asked for and with which group, and keeps what it is told. It thinks about
/// `/slow` until it is released, and fails over `/panic`.
pub(crate) struct Echo {
    events: watch::Sender<Vec<String>>,
    /// How many certificates each client showed.
    pub(crate) chains: Mutex<Vec<usize>>,
    release: Semaphore,
}

impl Default for Echo {
    fn default() -> Self {
        Self {
            events: watch::Sender::default(),
            chains: Mutex::default(),
            release: Semaphore::new(0),
        }
    }
}

impl Service for Echo {
    async fn respond(&self, request: Request<()>, session: Arc<Session>) -> Response<Bytes> {
        self.chains.lock().unwrap().push(session.chain.len());
        self.keep(request.uri().path().to_owned());
        match request.uri().path() {
            "/slow" => self.release.acquire().await.unwrap().forget(),
            "/panic" => panic!("asked to"),
            _ => {}
        }
        let group = session.observation.as_ref().and_then(|seen| seen.group);
        let text = format!("{} {}", request.uri().path(), group.unwrap());
        let mut response = Response::new(Bytes::from(text));
        *response.status_mut() = StatusCode::CREATED;
        response
    }

    fn note(&self, event: Event<'_>) {
        self.keep(match event {
            Event::RequestFailed { fault, .. } => format!("RequestFailed {fault:?}"),
            Event::Closed { fault: None, .. } => "Closed".to_owned(),
            Event::Closed {
                fault: Some(fault), ..
            } => format!("Closed {fault:?}"),
            Event::Failed(failure) => format!("Failed {:?}", failure.fault),
            other => {
                let name = format!("{other:?}");
                name.split(['(', ' ']).next().unwrap().to_owned()
            }
        });
    }
}

impl Echo {
    fn keep(&self, event: String) {
        self.events.send_modify(|events| events.push(event));
    }

    /// How many events begin so.
    pub(crate) fn count(&self, event: &str) -> usize {
        let events = self.events.borrow();
        events.iter().filter(|name| name.starts_with(event)).count()
    }

    /// Waits until an event begins so, or a request is of this path.
    pub(crate) async fn until(&self, event: &str) {
        let mut events = self.events.subscribe();
        let seen = events.wait_for(|events| events.iter().any(|name| name.starts_with(event)));
        let seen = timeout(LIMIT, seen).await.is_ok();
        assert!(seen, "no {event} among {:?}", self.events.borrow());
    }

    /// Lets one slow answer go.
    pub(crate) fn release(&self) {
        self.release.add_permits(1);
    }
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) service: Arc<Echo>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(
        tls: rustls::ServerConfig,
        validation: AddressValidation,
        limits: Limits,
    ) -> Self {
        Self::start_for(tls, validation, limits, LIMIT)
    }

    /// One that waits so long for requests when it is stopped.
    pub(crate) fn start_for(
        tls: rustls::ServerConfig,
        validation: AddressValidation,
        limits: Limits,
        grace: Duration,
    ) -> Self {
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let server = Server::bind(any, tls, validation, limits).unwrap();
        let address = server.local_addr();
        let service = Arc::new(Echo::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = service.clone();
        let task = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            server.serve(served, shutdown, grace).await;
        });
        Self {
            address,
            service,
            stop: Some(stop),
            task,
        }
    }

    /// Asks it to stop.
    pub(crate) fn tell(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped.
    pub(crate) async fn ended(self) -> Arc<Echo> {
        timeout(LIMIT, self.task).await.unwrap().unwrap();
        self.service
    }

    pub(crate) async fn stop(mut self) -> Arc<Echo> {
        self.tell();
        self.ended().await
    }
}

pub(crate) async fn ask(
    address: SocketAddr,
    client: rustls::ClientConfig,
    path: &str,
) -> Result<Exchange, ClientError> {
    let options = ClientOptions {
        path: path.to_owned(),
        ..ClientOptions::default()
    };
    quic::connect(address, pki::SERVER_NAME, client, &options).await
}
