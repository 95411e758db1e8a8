//! A proxy that ends TLS in front of a backend, as an application load balancer does.

mod backend;
pub(crate) mod headers;

use std::io;

use http::header::HOST;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::copy_bidirectional;

pub use backend::Backend;

use crate::Visitor;
use crate::site::{Body, text};

/// Sends requests to a backend over HTTP/1.1, with what is known of the client in headers.
///
/// - Client certificates: `X-Amzn-Mtls-Clientcert-Serial-Number`, `-Issuer`, `-Subject`,
///   `-Validity` and `-Leaf`, as an AWS application load balancer sends them in verify
///   mode. Headers of that prefix that come from outside are dropped.
/// - TLS: `X-Amzn-Tls-Version`, `X-Amzn-Tls-Cipher-Suite`, and `X-Pqlab-Tls-Group`, which
///   no load balancer has.
/// - `X-Forwarded-For` (appended to), `-Proto` and `-Port`.
#[derive(Clone)]
pub struct Proxy {
    client: Client<Backend, Incoming>,
    backend: Backend,
}

impl Proxy {
    /// Connections to the backend are kept and used again.
    pub fn new(backend: Backend) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(backend.clone());
        Self { client, backend }
    }

    pub(crate) async fn respond(
        &self,
        mut request: Request<Incoming>,
        visitor: &Visitor,
    ) -> Response<Body> {
        let upgrade = headers::upgrade(request.headers());
        // Taken before the request goes away: it waits for a 101 to go out.
        let client_side = upgrade.is_some().then(|| hyper::upgrade::on(&mut request));
        if let Err(error) = self.prepare(&mut request, upgrade.as_ref(), visitor) {
            return text(StatusCode::BAD_REQUEST, format!("{error}\n"));
        }
        match self.client.request(request).await {
            Ok(mut response) => {
                if let Some(client_side) = client_side
                    && response.status() == StatusCode::SWITCHING_PROTOCOLS
                {
                    let backend_side = hyper::upgrade::on(&mut response);
                    tokio::spawn(join(client_side, backend_side));
                } else {
                    headers::strip_hop_by_hop(response.headers_mut());
                }
                *response.version_mut() = Version::default();
                response.map(|body| body.map_err(io::Error::other).boxed_unsync())
            }
            Err(error) => {
                let mut cause: &dyn std::error::Error = &error;
                while let Some(source) = cause.source() {
                    cause = source;
                }
                let status = match cause.downcast_ref::<io::Error>().map(io::Error::kind) {
                    Some(io::ErrorKind::TimedOut) => StatusCode::GATEWAY_TIMEOUT,
                    _ => StatusCode::BAD_GATEWAY,
                };
                text(status, format!("the backend can't be reached: {cause}\n"))
            }
        }
    }

    /// Makes a request for the backend out of one of the client.
    fn prepare(
        &self,
        request: &mut Request<Incoming>,
        upgrade: Option<&HeaderValue>,
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
        if let Some(protocol) = upgrade {
            headers::ask_to_upgrade(request.headers_mut(), protocol);
        }
        headers::describe(request.headers_mut(), visitor);
        Ok(())
    }
}

/// Carries bytes both ways once both sides have left HTTP, until one closes.
async fn join(client: hyper::upgrade::OnUpgrade, backend: hyper::upgrade::OnUpgrade) {
    if let (Ok(client), Ok(backend)) = (client.await, backend.await) {
        // Whoever leaves early ends it for both; there is nobody to tell.
        let _ = copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(backend)).await;
    }
}
