//! A page that shows visitors what was negotiated with them.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{Request, Response, StatusCode};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use pki::Certificate;
use serde::Serialize;

use crate::offered::lossy;
use crate::site::{TEXT, content};
use crate::{Offered, Visitor};

/// What a visitor is told; `None` is what there is none of, or what was not seen. Its fields
/// are the page's JSON: they stay.
#[derive(Debug, Serialize)]
struct Echo {
    /// `tcp` or `quic`.
    transport: &'static str,
    client_address: String,
    version: Option<String>,
    cipher_suite: Option<String>,
    group: Option<String>,
    post_quantum_key_exchange: Option<bool>,
    /// What the server signed with; none in a resumption.
    server_scheme: Option<String>,
    post_quantum_signature: Option<bool>,
    /// What the client signed with, where it showed a certificate.
    client_scheme: Option<String>,
    client_certificate: Option<Shown>,
    alpn: Option<String>,
    is_resumed: bool,
    has_hello_retry: Option<bool>,
    handshake: Sizes,
    offered: Option<Offered>,
}

#[derive(Debug, Serialize)]
struct Sizes {
    bytes_received: Option<u64>,
    bytes_sent: Option<u64>,
    microseconds: u128,
}

#[derive(Debug, Serialize)]
struct Shown {
    subject: String,
    issuer: String,
    serial: String,
    key: String,
}

impl From<&Visitor> for Echo {
    fn from(visitor: &Visitor) -> Self {
        let negotiated = &visitor.negotiated;
        Self {
            transport: visitor.transport.name(),
            client_address: visitor.address.to_string(),
            version: negotiated.version.map(|v| format!("TLS {v}")),
            cipher_suite: negotiated.cipher_suite.map(|s| s.to_string()),
            group: negotiated.group.map(|g| g.to_string()),
            post_quantum_key_exchange: visitor.has_post_quantum_key_exchange(),
            server_scheme: negotiated.own_scheme.map(|s| s.to_string()),
            post_quantum_signature: visitor.has_post_quantum_signature(),
            client_scheme: negotiated.peer_scheme.map(|s| s.to_string()),
            client_certificate: visitor.certificate().map(Into::into),
            alpn: visitor.alpn.as_deref().map(lossy),
            is_resumed: negotiated.is_resumed,
            has_hello_retry: visitor.has_hello_retry,
            handshake: Sizes {
                bytes_received: visitor.handshake_bytes.map(|bytes| bytes.received),
                bytes_sent: visitor.handshake_bytes.map(|bytes| bytes.sent),
                microseconds: visitor.handshake_time.as_micros(),
            },
            offered: visitor.hello.as_ref().map(Into::into),
        }
    }
}

impl From<Certificate> for Shown {
    fn from(certificate: Certificate) -> Self {
        Self {
            subject: certificate.subject,
            issuer: certificate.issuer,
            serial: certificate.serial,
            key: certificate.key.name,
        }
    }
}

/// The page about a visitor's connection: `/` as HTML, or as JSON for those who prefer it;
/// `/json` always as JSON.
pub fn echo<B>(request: &Request<B>, visitor: &Visitor) -> Response<Bytes> {
    match request.uri().path() {
        "/json" => json(visitor),
        "/" if prefers_json(request) => json(visitor),
        "/" => page(visitor),
        _ => content(StatusCode::NOT_FOUND, TEXT, "see / and /json\n"),
    }
}

fn prefers_json<B>(request: &Request<B>) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|v| v.to_str().ok());
    accept
        .is_some_and(|accept| accept.contains("application/json") && !accept.contains("text/html"))
}

fn json(visitor: &Visitor) -> Response<Bytes> {
    match serde_json::to_vec_pretty(&Echo::from(visitor)) {
        Ok(json) => content(StatusCode::OK, "application/json", json),
        Err(error) => fault(&error),
    }
}

fn page(visitor: &Visitor) -> Response<Bytes> {
    static PAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment
    });
    let echo = Serde(Echo::from(visitor));
    match PAGE.render_named_str("echo.html", include_str!("echo.html"), echo) {
        Ok(page) => content(StatusCode::OK, "text/html; charset=utf-8", page),
        Err(error) => fault(&error),
    }
}

fn fault(error: &dyn std::error::Error) -> Response<Bytes> {
    content(
        StatusCode::INTERNAL_SERVER_ERROR,
        TEXT,
        format!("{error}\n"),
    )
}
