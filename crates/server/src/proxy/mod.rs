//! A proxy that ends TLS in front of a backend, as an application load balancer does.

mod backend;
pub(crate) mod headers;

use std::io;
use std::time::Duration;

use http::header::HOST;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::copy_bidirectional;
use tokio::time::timeout;

pub use backend::Backend;

use crate::life::Life;
use crate::site::{Body, text};
use crate::{Event, Visitor};

/// Sends requests to a backend over HTTP/1.1, with what is known of the client in headers.
///
/// - Client certificates: `X-Amzn-Mtls-Clientcert-Serial-Number`, `-Issuer`, `-Subject`,
///   `-Validity` and `-Leaf`, as an AWS application load balancer sends them in verify
///   mode.
/// - TLS: `X-Amzn-Tls-Version`, `X-Amzn-Tls-Cipher-Suite`, and `X-Pqlab-Tls-Group`, which
///   no load balancer has.
/// - `X-Forwarded-For` (appended to), `-Proto` and `-Port`.
///
/// Whatever of these comes from outside is dropped, in any spelling that a backend may take
/// for them, and so are `Forwarded`, `X-Forwarded-Host` and `X-Real-Ip`. WebSocket is the
/// only protocol that a connection may change to: over another one, such as h2c, a client
/// could speak past these rules.
#[derive(Clone)]
pub struct Proxy {
    client: Client<Backend, Incoming>,
    backend: Backend,
    limit: Duration,
}

impl Proxy {
    /// Connections to the backend are kept and used again. `limit` is for the beginning of
    /// its answer; it must be shorter than what a client may be idle.
    pub fn new(backend: Backend, limit: Duration) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(backend.clone());
        Self {
            client,
            backend,
            limit,
        }
    }

    pub(crate) async fn respond(
        &self,
        mut request: Request<Incoming>,
        visitor: &Visitor,
        life: &Life,
    ) -> Response<Body> {
        if let Err(response) = headers::check(&request) {
            return text(response, "not a request for a proxy like this one\n");
        }
        let is_websocket = headers::asks_for_websocket(&request);
        let client_side = is_websocket.then(|| hyper::upgrade::on(&mut request));
        if let Err(error) = self.prepare(&mut request, is_websocket, visitor) {
            return text(StatusCode::BAD_REQUEST, format!("{error}\n"));
        }
        let mut response = match timeout(self.limit, self.client.request(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return failure(&error),
            Err(_) => {
                let reason = format!("the backend did not answer within {:?}", self.limit);
                return unavailable(StatusCode::GATEWAY_TIMEOUT, reason);
            }
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let Some(client_side) = client_side.filter(|_| headers::is_websocket(&response)) else {
                let reason = "the backend changes to a protocol that nobody asked for";
                return unavailable(StatusCode::BAD_GATEWAY, reason.to_owned());
            };
            let backend_side = hyper::upgrade::on(&mut response);
            life.follow_with(Box::pin(join(client_side, backend_side)));
        } else {
            headers::strip_hop_by_hop(response.headers_mut());
        }
        *response.version_mut() = Version::default();
        response.map(|body| body.map_err(io::Error::other).boxed_unsync())
    }

    /// Makes a request for the backend out of one of the client.
    fn prepare(
        &self,
        request: &mut Request<Incoming>,
        is_websocket: bool,
        visitor: &Visitor,
    ) -> Result<(), http::Error> {
        // HTTP/2 has the host in its target.
        if let Some(authority) = request.uri().authority() {
            let host = HeaderValue::from_str(authority.as_str())?;
            request.headers_mut().insert(HOST, host);
        }
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.backend.authority())
            .path_and_query(path.unwrap_or_else(|| PathAndQuery::from_static("/")))
            .build()?;
        *request.version_mut() = Version::HTTP_11;
        headers::strip_hop_by_hop(request.headers_mut());
        headers::strip_own(request.headers_mut());
        if is_websocket {
            headers::ask_for_websocket(request.headers_mut());
        }
        headers::describe(request.headers_mut(), visitor);
        Ok(())
    }
}

/// Why a backend failed: for the operator's log, not for the client.
#[derive(Debug, Clone)]
pub(crate) struct BackendError(pub(crate) String);

fn failure(error: &hyper_util::client::legacy::Error) -> Response<Body> {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let status = match cause.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::TimedOut) => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    };
    unavailable(status, cause.to_string())
}

fn unavailable(status: StatusCode, reason: String) -> Response<Body> {
    let mut response = text(status, "the service behind this proxy is not available\n");
    response.extensions_mut().insert(BackendError(reason));
    response
}

/// Carries bytes both ways once both sides have left HTTP, until both have closed.
async fn join(client: OnUpgrade, backend: OnUpgrade) -> Event {
    let (Ok(client), Ok(backend)) = (client.await, backend.await) else {
        return Event::ClosedEarly;
    };
    let (mut client, mut backend) = (TokioIo::new(client), TokioIo::new(backend));
    backend::event_of(copy_bidirectional(&mut client, &mut backend).await)
}
