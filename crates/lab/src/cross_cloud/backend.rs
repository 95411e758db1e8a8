//! The service behind the proxy: it believes the headers and logs them.

use std::convert::Infallible;
use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request as HttpRequest, Response};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;

use super::{ACCEPT_PAUSE, CrossCloudError};

/// A server of plain HTTP.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    pub(super) listen: SocketAddr,
}

/// A request that reached the backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What was asked for.
    pub path: String,
    /// `X-Amzn-Mtls-Clientcert-Subject`: whom the proxy has verified.
    pub subject: Option<String>,
    /// `X-Pqlab-Tls-Group`, which pqlab's own proxy adds.
    pub group: Option<String>,
}

/// Serves until the process ends. The first line that it tells says where it listens, each
/// further one is a request.
pub(super) async fn serve(backend: Backend, tell: fn(&str)) -> Result<(), CrossCloudError> {
    let address = backend.listen;
    let failed = |error| CrossCloudError::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tell(&json!({ "listening": [address] }).to_string());
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let respond = service_fn(move |request: HttpRequest<Incoming>| async move {
            let request = seen(&request);
            tell(&json!({ "request": request }).to_string());
            let subject = request.subject.unwrap_or_else(|| "nobody".to_owned());
            let body = Full::new(Bytes::from(format!("hello, {subject}\n")));
            Ok::<_, Infallible>(Response::new(body))
        });
        // A proxy that leaves ends its connection, and nothing else.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), respond));
    }
}

fn seen<B>(request: &HttpRequest<B>) -> Request {
    Request {
        path: request.uri().path().to_owned(),
        subject: header(request.headers(), "x-amzn-mtls-clientcert-subject"),
        group: header(request.headers(), "x-pqlab-tls-group"),
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}
