//! A server over UDP that answers requests of HTTP/3.

use std::future::Future;
use std::net::{SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use experiment::Side;
use h3::error::Code;
use http::{Request, Response};
use quinn::{Endpoint, EndpointConfig, IdleTimeout, Incoming, TokioRuntime};
use rustls::ServerConfig;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use crate::client::HTTP3;
use crate::error::ServerError;
use crate::event::Event;
use crate::pair::AddressValidation;
use crate::served::Served;
use crate::session::Session;
use crate::streams::error_code;
use crate::tap::{Tap, TapLimits};
use crate::transport;

/// What stands behind a server.
pub trait Service: Send + Sync + 'static {
    /// Answers a request; its content, if it has any, is not read.
    fn respond(
        &self,
        request: Request<()>,
        session: Arc<Session>,
    ) -> impl Future<Output = Response<Bytes>> + Send;

    /// Is told what becomes of connections and requests.
    fn note(&self, _event: Event<'_>) {}
}

/// What clients may take of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; further ones are refused.
    pub connections: usize,
    /// Time for a handshake.
    pub handshake: Duration,
    /// Time without a request, and for a request.
    pub idle: Duration,
    /// The length of a request's header in bytes, as HTTP/3 counts it.
    pub request: u64,
    /// Requests of one connection at a time.
    pub streams: u32,
    /// Handshakes at a time with clients that have not shown that they are at their address.
    /// Who comes beyond must come again with a token (RFC 9000 section 8.1.2), so that made-up
    /// addresses take no more of `connections` than this.
    pub unvalidated: usize,
}

impl Default for Limits {
    /// 1024 connections, 10 s for a handshake, 30 s for a request, of at most 8 KiB, 32 at a
    /// time; 128 clients whose address is not validated.
    fn default() -> Self {
        Self {
            connections: 1024,
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            request: 8 * 1024,
            streams: 32,
            unvalidated: 128,
        }
    }
}

/// A UDP socket with the configuration of its connections.
pub struct Server {
    endpoint: Endpoint,
    tap: Arc<Tap>,
    address: SocketAddr,
    validation: AddressValidation,
    limits: Limits,
}

/// Unidirectional streams that HTTP/3 uses: control, two of QPACK, and some to spare.
const UNIDIRECTIONAL: u32 = 8;
/// Bytes of requests that wait to be read: their content never is.
const RECEIVE_WINDOW: u32 = 64 * 1024;
/// Connections that wait for this program to accept or refuse them, which it does at once.
const MAX_INCOMING: usize = 256;
/// Bytes of each of them that are kept until then.
const INCOMING: u64 = 32 * 1024;
/// Bytes of answers that a client has not acknowledged.
const SEND_WINDOW: u64 = 1 << 20;
/// How long clients may take to acknowledge that the server ends.
const CLOSING: Duration = Duration::from_secs(1);

impl Server {
    /// Listens at `address`; port 0 lets the system choose. Offers HTTP/3 where `tls` names
    /// no application protocol.
    ///
    /// # Errors
    /// When the address is taken, or TLS is set up in a way that QUIC does not have.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn bind(
        address: SocketAddr,
        mut tls: ServerConfig,
        validation: AddressValidation,
        limits: Limits,
    ) -> Result<Self, ServerError> {
        if tls.alpn_protocols.is_empty() {
            tls.alpn_protocols = vec![HTTP3.to_vec()];
        }
        let mut transport = transport::transport();
        transport
            .max_idle_timeout(IdleTimeout::try_from(limits.idle).ok())
            .max_concurrent_bidi_streams(limits.streams.into())
            .max_concurrent_uni_streams(UNIDIRECTIONAL.into())
            .stream_receive_window(RECEIVE_WINDOW.into())
            .receive_window(RECEIVE_WINDOW.into())
            .send_window(SEND_WINDOW)
            .datagram_receive_buffer_size(None);
        let mut config = transport::server(tls, transport).map_err(ServerError::Setup)?;
        config
            .max_incoming(MAX_INCOMING)
            .incoming_buffer_size(INCOMING)
            .incoming_buffer_size_total(INCOMING * MAX_INCOMING as u64);
        let fault = |error| ServerError::Bind { address, error };
        let socket = UdpSocket::bind(address).map_err(fault)?;
        let tap_limits = TapLimits {
            peers: limits.connections,
            age: limits.handshake,
        };
        let tap = Arc::new(Tap::new(socket, Side::Server, tap_limits).map_err(fault)?);
        let endpoint = Endpoint::new_with_abstract_socket(
            EndpointConfig::default(),
            Some(config),
            tap.clone(),
            Arc::new(TokioRuntime),
        );
        let endpoint = endpoint.map_err(fault)?;
        Ok(Self {
            address: endpoint.local_addr().map_err(fault)?,
            endpoint,
            tap,
            validation,
            limits,
        })
    }

    /// Where it listens, with the port that the system chose.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Accepts connections on the current runtime, which must have I/O and time enabled,
    /// until `shutdown` is done. Then new connections are refused, clients told that theirs
    /// end, and requests under way answered; after `grace` what is left is closed.
    pub async fn serve(
        self,
        service: Arc<impl Service>,
        shutdown: impl Future<Output = ()>,
        grace: Duration,
    ) {
        let (ending, is_ending) = watch::channel(false);
        let mut door = Door::new(&self, service.clone(), is_ending);
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                incoming = self.endpoint.accept() => match incoming {
                    Some(incoming) => door.admit(incoming),
                    None => return service.note(Event::SocketLost),
                },
                Some(ended) = door.tasks.join_next() => note_panic(&*service, &ended),
            }
        }
        ending.send_replace(true);
        let rest = async {
            loop {
                tokio::select! {
                    incoming = self.endpoint.accept() => match incoming {
                        Some(incoming) => door.refuse(incoming),
                        None => return service.note(Event::SocketLost),
                    },
                    ended = door.tasks.join_next() => match ended {
                        Some(ended) => note_panic(&*service, &ended),
                        None => return,
                    },
                }
            }
        };
        let _ = timeout(grace, rest).await;
        self.endpoint
            .close(error_code(Code::H3_NO_ERROR.value()), b"the server ends");
        door.tasks.abort_all();
        // Those that do not acknowledge it find out by themselves.
        let _ = timeout(CLOSING, self.endpoint.wait_idle()).await;
    }
}

/// Who comes in.
struct Door<S> {
    service: Arc<S>,
    tap: Arc<Tap>,
    limits: Limits,
    is_ending: watch::Receiver<bool>,
    /// A permit for each connection.
    room: Arc<Semaphore>,
    /// A permit for each client that may be somebody else.
    unvalidated: Arc<Semaphore>,
    /// Dropped, it aborts what is left.
    tasks: JoinSet<()>,
}

impl<S: Service> Door<S> {
    fn new(server: &Server, service: Arc<S>, is_ending: watch::Receiver<bool>) -> Self {
        let limits = server.limits;
        let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            service,
            tap: server.tap.clone(),
            limits,
            is_ending,
            room: permits(limits.connections),
            unvalidated: permits(match server.validation {
                AddressValidation::ByHandshake => limits.unvalidated,
                AddressValidation::ByRetry => 0,
            }),
            tasks: JoinSet::new(),
        }
    }

    fn admit(&mut self, incoming: Incoming) {
        let Ok(permit) = self.room.clone().try_acquire_owned() else {
            return self.refuse(incoming);
        };
        let address = incoming.remote_address();
        let mut unvalidated = None;
        if !incoming.remote_address_validated() {
            unvalidated = self.unvalidated.clone().try_acquire_owned().ok();
            if unvalidated.is_none() {
                // An address that is not validated may always be sent a Retry.
                if incoming.retry().is_ok() {
                    self.service.note(Event::Retried(address));
                }
                return;
            }
        }
        self.service.note(Event::Began(address));
        let served = Served {
            service: self.service.clone(),
            tap: self.tap.clone(),
            limits: self.limits,
            is_ending: self.is_ending.clone(),
        };
        self.tasks.spawn(async move {
            served.run(incoming, unvalidated).await;
            drop(permit);
        });
    }

    fn refuse(&self, incoming: Incoming) {
        let address = incoming.remote_address();
        self.tap.forget(address, &incoming.orig_dst_cid());
        incoming.refuse();
        self.service.note(Event::Began(address));
        self.service.note(Event::Refused(address));
    }
}

fn note_panic(service: &impl Service, ended: &Result<(), JoinError>) {
    if ended.as_ref().is_err_and(JoinError::is_panic) {
        service.note(Event::Panicked);
    }
}
