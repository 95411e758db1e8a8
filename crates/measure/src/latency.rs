//! The time that a client waits, over TCP on the loopback interface.
//!
//! The server has a thread and a core of its own; the client runs on the measuring
//! thread's core. They meet only in the kernel's sockets.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use client::{Exchange, connect, issue_tickets};
use experiment::{Handshake, HandshakeKind, Metric, NetworkName, Scenario, Side, Subject};
use server::{Limits, ServeMode, Server, ServerError};
use stack::{Credentials, Endpoint, PairError, PhaseTiming};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use wire::{HandshakeType, ServerHello};

use crate::clock;
use crate::visit::{Value, Visit, VisitError};

/// Exchanges counted in one visit, after one that is not.
const COUNTED: usize = 32;
/// Time for one exchange: far more than any takes.
const LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct LatencyVisit {
    subject: Subject,
    handshake: Handshake,
    client: Box<dyn Endpoint>,
    runtime: Runtime,
    listeners: Listeners,
}

impl LatencyVisit {
    pub(crate) fn new(scenario: &Scenario, credentials: &Credentials) -> Result<Self, VisitError> {
        if *scenario.network() != NetworkName::loopback() {
            return Err(VisitError::Network(scenario.network().clone()));
        }
        let endpoint = |side| {
            stack::endpoint(
                scenario,
                side,
                credentials,
                PhaseTiming::Off,
                stack::by_name,
            )
        };
        let (client, server) = (endpoint(Side::Client)?, endpoint(Side::Server)?);
        Ok(Self {
            subject: Subject::Handshake(scenario.clone()),
            handshake: *scenario.handshake(),
            client,
            runtime: runtime()?,
            listeners: Listeners::start(server.into())?,
        })
    }

    /// One exchange, checked. Tickets are fetched before it where they are used up.
    fn exchange(&self) -> Result<Exchange, VisitError> {
        if self.handshake.kind().is_resumption() && self.client.tickets() == 0 {
            let address = self.listeners.issuing;
            self.runtime
                .block_on(issue_tickets(address, &*self.client, LIMIT))?;
        }
        let address = self.listeners.measured;
        let exchange = self
            .runtime
            .block_on(connect(address, &*self.client, LIMIT))?;
        exchange.negotiated.verify(Side::Client, &self.handshake)?;
        let wants_retry = self.handshake.kind() == HandshakeKind::FullWithHelloRetryRequest;
        if is_retry_request(&exchange.server_hello) != wants_retry {
            return Err(retry_mismatch(wants_retry).into());
        }
        Ok(exchange)
    }
}

impl Visit for LatencyVisit {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn visit(&mut self, values: &mut Vec<Value>) -> Result<(), VisitError> {
        self.exchange()?;
        for _ in 0..COUNTED {
            let exchange = self.exchange()?;
            values.push(Value::time(Metric::Connect, exchange.connect));
            values.push(Value::time(Metric::HandshakeLatency, exchange.handshake));
            values.push(Value::time(Metric::FirstByte, exchange.first_byte));
        }
        Ok(())
    }
}

fn runtime() -> Result<Runtime, VisitError> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(VisitError::Runtime)
}

/// Whether the server's first record asks for another key share (RFC 8446 section 4.1.4).
fn is_retry_request(record: &[u8]) -> bool {
    let messages = wire::plaintext_messages(record).unwrap_or_default();
    messages
        .iter()
        .filter(|message| message.handshake_type == HandshakeType::SERVER_HELLO)
        .filter_map(|message| ServerHello::parse(&message.body).ok())
        .any(|hello| hello.is_retry_request)
}

fn retry_mismatch(expected: bool) -> PairError {
    let describe = |is_there| if is_there { "sent" } else { "absent" };
    PairError::Mismatch {
        what: "the HelloRetryRequest",
        expected: describe(expected).to_owned(),
        found: describe(!expected).to_owned(),
    }
}

/// Two listeners of one server endpoint, on a thread of their own until they are dropped.
struct Listeners {
    measured: SocketAddr,
    issuing: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where the two listen.
type Addresses = Result<(SocketAddr, SocketAddr), VisitError>;

impl Listeners {
    fn start(endpoint: Arc<dyn Endpoint>) -> Result<Self, VisitError> {
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel::<Addresses>();
        let thread = std::thread::Builder::new()
            .name("pqlab-server".to_owned())
            .spawn(move || serve(endpoint, &tell, stopped))
            .map_err(VisitError::Runtime)?;
        let (measured, issuing) = told.recv().unwrap_or(Err(VisitError::ServerThread))?;
        Ok(Self {
            measured,
            issuing,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        // The receiver is gone only if the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The server's thread.
fn serve(
    endpoint: Arc<dyn Endpoint>,
    tell: &mpsc::Sender<Addresses>,
    stopped: oneshot::Receiver<()>,
) {
    if let [first, .., _] = *clock::cores() {
        clock::pin_to(first);
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = tell.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        let (measured, issuing) = match bind(endpoint).await {
            Ok(servers) => servers,
            Err(error) => {
                let _ = tell.send(Err(error.into()));
                return;
            }
        };
        let _ = tell.send(Ok((measured.local_addr(), issuing.local_addr())));
        let (stop_issuing, issuing_stopped) = oneshot::channel::<()>();
        let issuing = issuing.serve(async {
            let _ = issuing_stopped.await;
        });
        let measured = async move {
            measured
                .serve(async {
                    let _ = stopped.await;
                })
                .await;
            drop(stop_issuing);
        };
        tokio::join!(measured, issuing);
    });
}

async fn bind(endpoint: Arc<dyn Endpoint>) -> Result<(Server, Server), ServerError> {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let limits = Limits::default();
    let measured = Server::bind(any_port, endpoint.clone(), ServeMode::Measured, limits).await?;
    let issuing = Server::bind(any_port, endpoint, ServeMode::Issuing, limits).await?;
    Ok((measured, issuing))
}
