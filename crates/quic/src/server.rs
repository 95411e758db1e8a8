//! A server over UDP that answers requests of HTTP/3.

use std::future::Future;
use std::net::{SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use experiment::Side;
use h3::error::Code;
use h3::server::{RequestResolver, builder};
use http::{Method, Request, Response};
use quinn::{Connection, Endpoint, EndpointConfig, IdleTimeout, Incoming, TokioRuntime, VarInt};
use rustls::ServerConfig;
use stack::StackError;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::HTTP3;
use crate::error::ServerError;
use crate::fault;
use crate::pair::AddressValidation;
use crate::session::Session;
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

    /// Is told what becomes of connections.
    fn note(&self, _event: Event<'_>) {}
}

/// Something that happened to a connection.
#[derive(Debug)]
pub enum Event<'e> {
    /// Its client must come again with a token, to show that it is at its address.
    Retried(SocketAddr),
    /// There were as many as allowed.
    Refused(SocketAddr),
    /// Its handshake was completed.
    Established(&'e Session),
    /// A request was answered.
    Answered(&'e Session),
    /// Its handshake took too long.
    HandshakeTimeout(SocketAddr),
    /// Its handshake failed.
    Failed {
        /// The client.
        address: SocketAddr,
        /// Whose fault it is.
        error: StackError,
    },
    /// It has ended, in whatever way.
    Closed(&'e Session),
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
}

impl Default for Limits {
    /// 1024 connections, 10 s for a handshake, 30 s for a request, of at most 8 KiB, 32 at a
    /// time.
    fn default() -> Self {
        Self {
            connections: 1024,
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            request: 8 * 1024,
            streams: 32,
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
/// Content of a request that is taken, and thrown away, in bytes.
const MAX_CONTENT: usize = 64 * 1024;
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
            .datagram_receive_buffer_size(None);
        let mut config = transport::server(tls, transport).map_err(ServerError::Setup)?;
        config.max_incoming(MAX_INCOMING);
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
    /// until `shutdown` is done. Connections that are still open then are closed.
    pub async fn serve(self, service: Arc<impl Service>, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let connections = self.limits.connections.min(Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(connections));
        // Dropped at the end of this function, it aborts what is left.
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = tasks.join_next() => {}
                incoming = self.endpoint.accept() => match incoming {
                    Some(incoming) => self.admit(incoming, &service, &room, &mut tasks),
                    None => break,
                },
            }
        }
        self.endpoint.close(no_error(), b"the server ends");
        // Those that do not acknowledge it find out by themselves.
        let _ = timeout(CLOSING, self.endpoint.wait_idle()).await;
    }

    fn admit(
        &self,
        incoming: Incoming,
        service: &Arc<impl Service>,
        room: &Arc<Semaphore>,
        tasks: &mut JoinSet<()>,
    ) {
        let address = incoming.remote_address();
        let wants_retry = self.validation == AddressValidation::ByRetry;
        if wants_retry && !incoming.remote_address_validated() {
            // An address that is not validated may always be sent a Retry.
            if incoming.retry().is_ok() {
                service.note(Event::Retried(address));
            }
            return;
        }
        let Ok(permit) = room.clone().try_acquire_owned() else {
            incoming.refuse();
            service.note(Event::Refused(address));
            return;
        };
        let (service, tap, limits) = (service.clone(), self.tap.clone(), self.limits);
        tasks.spawn(async move {
            serve(incoming, &service, &tap, limits).await;
            drop(permit);
        });
    }
}

fn no_error() -> VarInt {
    // The codes of HTTP/3 are small.
    VarInt::from_u32(u32::try_from(Code::H3_NO_ERROR.value()).unwrap_or_default())
}

/// One connection, from its first datagram to its end.
async fn serve(incoming: Incoming, service: &Arc<impl Service>, tap: &Tap, limits: Limits) {
    let begin = Instant::now();
    let address = incoming.remote_address();
    let id = incoming.orig_dst_cid();
    let handshake = async { incoming.accept()?.await };
    let done = timeout(limits.handshake, handshake).await;
    let observation = tap.take(address, &id);
    let connection = match done {
        Err(_) => return service.note(Event::HandshakeTimeout(address)),
        Ok(Err(error)) => {
            let error = fault::of(&error);
            return service.note(Event::Failed { address, error });
        }
        Ok(Ok(connection)) => connection,
    };
    let session = Arc::new(Session::new(&connection, begin.elapsed(), observation));
    service.note(Event::Established(&session));
    if session.alpn.as_deref() == Some(HTTP3) {
        serve_http(&connection, service, &session, limits).await;
    } else {
        // There is nothing to say without HTTP; the client says when it has seen enough.
        let _ = timeout(limits.idle, connection.closed()).await;
    }
    connection.close(no_error(), b"");
    service.note(Event::Closed(&session));
}

async fn serve_http(
    connection: &Connection,
    service: &Arc<impl Service>,
    session: &Arc<Session>,
    limits: Limits,
) {
    let transport = h3_quinn::Connection::new(connection.clone());
    let mut builder = builder();
    builder.max_field_section_size(limits.request);
    let Ok(mut http) = builder.build::<_, Bytes>(transport).await else {
        return;
    };
    let mut requests = JoinSet::new();
    loop {
        match timeout(limits.idle, http.accept()).await {
            Ok(Ok(Some(request))) => {
                let (service, session) = (service.clone(), session.clone());
                requests.spawn(async move {
                    let answered = timeout(limits.idle, answer(request, &*service, &session));
                    if matches!(answered.await, Ok(Ok(()))) {
                        service.note(Event::Answered(&session));
                    }
                });
            }
            // The client has left, or breaks the protocol, or was idle for too long.
            _ => return,
        }
        while requests.try_join_next().is_some() {}
    }
}

async fn answer(
    request: RequestResolver<h3_quinn::Connection, Bytes>,
    service: &impl Service,
    session: &Arc<Session>,
) -> Result<(), h3::error::StreamError> {
    let (request, mut stream) = request.resolve_request().await?;
    let is_head = request.method() == Method::HEAD;
    let response = service.respond(request, session.clone()).await;
    let (head, body) = response.into_parts();
    stream.send_response(Response::from_parts(head, ())).await?;
    if !is_head && !body.is_empty() {
        stream.send_data(body).await?;
    }
    stream.finish().await?;
    // A stream that is dropped before its end was read counts as an error with the client.
    let mut content = 0;
    while let Some(data) = stream.recv_data().await? {
        content += data.remaining();
        if content > MAX_CONTENT {
            // Nobody needs the rest (RFC 9114 section 4.1).
            stream.stop_sending(Code::H3_NO_ERROR);
            break;
        }
    }
    Ok(())
}
