//! A server of HTTPS/1.1 and HTTP/2 over any TLS library.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::HeaderValue;
use http::header::{ALT_SVC, UPGRADE};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use stack::Endpoint;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use transport::TlsStream;

use crate::idle::IdleStream;
use crate::life::{Life, SelfDelimited};
use crate::listener::Listener;
use crate::proxy::BackendError;
use crate::session::establish;
use crate::site::{Body, Site};
use crate::{Counters, Event, Limits, Metrics, ServerError, Transport, Visitor};

/// A listener, the endpoint its connections are made from, and what it serves.
///
/// Each client has a task of its own, bounded in time and memory by [`Limits`]: one that is
/// slow, silent or hostile costs the others nothing.
pub struct HttpsServer {
    listener: Listener,
    service: Service,
}

struct Service {
    endpoint: Arc<dyn Endpoint>,
    site: Site,
    limits: Limits,
    metrics: Arc<Metrics>,
    counters: Arc<Counters>,
    alternative: Option<Alternative>,
    log: Log,
}

/// Where HTTP/3 is served (RFC 7838), as long as it is.
struct Alternative {
    service: HeaderValue,
    is_served: Arc<AtomicBool>,
}

/// A handshake that failed, or a backend that did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What carried the connection.
    pub transport: Transport,
    /// Who was served.
    pub client: SocketAddr,
    /// What it counts as.
    pub event: Event,
    /// Why, in the library's or the system's words.
    pub reason: String,
}

type Log = Arc<dyn Fn(&Trouble) + Send + Sync>;

/// TLS over a socket that does not wait for ever.
pub(crate) type Stream = TlsStream<IdleStream<TcpStream>>;

/// Streams of HTTP/2 that a client may have open at a time.
const STREAMS: u32 = 100;
/// The smallest buffer that hyper's HTTP/1 takes, in bytes.
const MIN_HEADERS: usize = 8 * 1024;

impl HttpsServer {
    /// Listens at `address`; port 0 lets the system choose. Connections wait in the
    /// kernel's queue until [`HttpsServer::serve`].
    ///
    /// # Errors
    /// When the address is taken, or not of this machine.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub async fn bind(
        address: SocketAddr,
        endpoint: Arc<dyn Endpoint>,
        site: Site,
        limits: Limits,
    ) -> Result<Self, ServerError> {
        let listener = Listener::bind(address).await?;
        let counters = listener.counters().clone();
        let service = Service {
            endpoint,
            site,
            limits,
            metrics: Arc::new(Metrics::new(counters.clone())),
            counters,
            alternative: None,
            log: Arc::new(|_| {}),
        };
        Ok(Self { listener, service })
    }

    /// Tells clients that HTTP/3 is served at this UDP port of the same host (RFC 7838), until
    /// `is_served` becomes false; then, that it is not any more.
    #[must_use]
    pub fn with_http3(mut self, port: u16, is_served: Arc<AtomicBool>) -> Self {
        let service = HeaderValue::try_from(format!("h3=\":{port}\"")).ok();
        self.service.alternative = service.map(|service| Alternative { service, is_served });
        self
    }

    /// Has `log` told of every handshake and every backend that fails, from the threads of
    /// the runtime.
    #[must_use]
    pub fn with_log(mut self, log: impl Fn(&Trouble) + Send + Sync + 'static) -> Self {
        self.service.log = Arc::new(log);
        self
    }

    /// Where it listens, with the port that the system chose.
    pub const fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// What became of its connections; stays alive with the caller.
    pub fn counters(&self) -> Arc<Counters> {
        self.listener.counters().clone()
    }

    /// What was negotiated with its clients; stays alive with the caller.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.service.metrics.clone()
    }

    /// Accepts connections on the current runtime, which must have I/O and time enabled,
    /// until `shutdown` is done. Then requests under way are answered, connections told
    /// that they end, and after `grace` what is left is cut.
    pub async fn serve(self, shutdown: impl Future<Output = ()>, grace: Duration) {
        let Self { listener, service } = self;
        let service = Arc::new(service);
        let (ending, is_ending) = watch::channel(false);
        let shutdown = async {
            shutdown.await;
            ending.send_replace(true);
        };
        let connections = service.limits.connections;
        let session =
            |socket, peer| Service::session(service.clone(), socket, peer, is_ending.clone());
        listener.run(shutdown, connections, grace, session).await;
    }
}

impl Service {
    async fn session(
        self: Arc<Self>,
        socket: TcpStream,
        peer: SocketAddr,
        is_ending: watch::Receiver<bool>,
    ) -> Event {
        let accepted = Instant::now();
        let Ok(local) = socket.set_nodelay(true).and_then(|()| socket.local_addr()) else {
            return Event::SocketFault;
        };
        let socket = IdleStream::new(socket, self.limits.idle);
        let connection = self.endpoint.connection();
        let stream = match establish(socket, connection, self.limits.handshake).await {
            Ok(stream) => stream,
            Err(failure) => {
                if let Some(hello) = &failure.hello {
                    self.metrics.note_offer(Transport::Tcp, hello);
                }
                (self.log)(&Trouble {
                    transport: Transport::Tcp,
                    client: peer,
                    event: failure.event,
                    reason: failure.reason,
                });
                return failure.event;
            }
        };
        let visitor = Visitor::meet(&stream, (peer, local), accepted.elapsed());
        self.counters.add(Event::Established);
        self.metrics.note(&visitor);
        if let Site::Tunnel(backend) = &self.site {
            return match backend.tunnel(stream).await {
                Ok(event) => event,
                Err(error) => {
                    (self.log)(&Trouble {
                        transport: Transport::Tcp,
                        client: peer,
                        event: Event::BackendFault,
                        reason: error.to_string(),
                    });
                    Event::BackendFault
                }
            };
        }
        self.serve_http(stream, Arc::new(visitor), is_ending).await
    }

    async fn serve_http(
        self: Arc<Self>,
        stream: Stream,
        visitor: Arc<Visitor>,
        mut is_ending: watch::Receiver<bool>,
    ) -> Event {
        let limits = self.limits;
        let is_http2 = visitor.alpn.as_deref() == Some(b"h2");
        let life = Arc::new(Life::default());
        let alive = life.clone();
        let respond = service_fn(move |request| {
            let (service, visitor, life) = (self.clone(), visitor.clone(), alive.clone());
            async move { Ok::<_, io::Error>(service.respond(request, &visitor, &life).await) }
        });
        let stream = TokioIo::new(SelfDelimited(stream));
        let mut is_idle = false;
        // The two kinds of connection have no trait in common.
        macro_rules! until_its_end {
            ($connection:expr, $idle:expr) => {{
                let mut connection = pin!($connection);
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    // An error says that the server itself is gone: it ends, too.
                    () = async { _ = is_ending.wait_for(|is_ending| *is_ending).await } => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                    () = $idle => {
                        is_idle = true;
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                }
            }};
        }
        let ended = if is_http2 {
            let mut http = http2::Builder::new(TokioExecutor::new());
            http.timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS)
                .max_header_list_size(u32::try_from(limits.request).unwrap_or(u32::MAX))
                .keep_alive_interval(limits.idle)
                .keep_alive_timeout(limits.idle);
            // A client that answers pings and asks for nothing is idle all the same.
            until_its_end!(
                http.serve_connection(stream, respond),
                life.idle_for(limits.idle)
            )
        } else {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new())
                .header_read_timeout(limits.idle)
                .max_buf_size(limits.request.max(MIN_HEADERS));
            let connection = http.serve_connection(stream, respond).with_upgrades();
            until_its_end!(connection, std::future::pending())
        };
        match (ended, is_idle) {
            (_, true) => Event::IdleTimeout,
            (Err(error), _) => event_of(&error),
            // A connection that has left HTTP lives on as part of this one, and its limits.
            (Ok(()), _) => match life.take_upgrade() {
                Some(joined) => joined.await,
                None => Event::Closed,
            },
        }
    }

    async fn respond(
        &self,
        mut request: Request<Incoming>,
        visitor: &Visitor,
        life: &Life,
    ) -> Response<Body> {
        let _busy = life.begin_request();
        if request.headers().contains_key(UPGRADE) && !self.site.upgrades(&request) {
            // hyper would leave the connection to somebody who never comes.
            let unwanted = hyper::upgrade::on(&mut request);
            life.follow_with(Box::pin(close(unwanted)));
        }
        let mut response = self.site.respond(request, visitor, life).await;
        if let Some(alternative) = &self.alternative {
            response.headers_mut().insert(ALT_SVC, alternative.header());
        }
        if let Some(BackendError(reason)) = response.extensions_mut().remove() {
            self.counters.add(Event::BackendFault);
            (self.log)(&Trouble {
                transport: Transport::Tcp,
                client: visitor.address,
                event: Event::BackendFault,
                reason,
            });
        }
        self.metrics
            .note_response(Transport::Tcp, response.status());
        self.counters.add(Event::Answered);
        response
    }
}

impl Alternative {
    fn header(&self) -> HeaderValue {
        match self.is_served.load(Ordering::Relaxed) {
            true => self.service.clone(),
            // Clients keep an alternative for a day (RFC 7838 section 3.1).
            false => HeaderValue::from_static("clear"),
        }
    }
}

/// Closes a connection that was to change its protocol and did not.
async fn close(upgrade: OnUpgrade) -> Event {
    if let Ok(upgraded) = upgrade.await {
        // Whether the client hears of it makes no difference any more.
        let _ = TokioIo::new(upgraded).shutdown().await;
    }
    Event::Closed
}

/// What the end of an HTTP connection counts as.
fn event_of(error: &hyper::Error) -> Event {
    let io = std::error::Error::source(error).and_then(|e| e.downcast_ref::<io::Error>());
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::TimedOut) => return Event::IdleTimeout,
        Some(io::ErrorKind::InvalidData) => return Event::PeerFault,
        Some(
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::NotConnected,
        ) => return Event::ClosedEarly,
        _ => {}
    }
    if error.is_timeout() {
        Event::IdleTimeout
    } else if error.is_parse_too_large() {
        Event::Overlong
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        Event::ClosedEarly
    } else if error.is_parse() || error.is_user() || io.is_none() {
        Event::PeerFault
    } else {
        Event::SocketFault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alternative_that_is_gone_is_taken_back() {
        let is_served = Arc::new(AtomicBool::new(true));
        let alternative = Alternative {
            service: HeaderValue::from_static("h3=\":443\""),
            is_served: is_served.clone(),
        };
        assert_eq!(alternative.header(), "h3=\":443\"");
        is_served.store(false, Ordering::Relaxed);
        assert_eq!(alternative.header(), "clear");
    }
}
