//! What a server answers.

use std::io;
use std::path::Path;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use crate::life::Life;
use crate::proxy::{Backend, Proxy, headers};
use crate::{Files, ServerError, Visitor, echo};

/// What stands behind TLS.
#[derive(Clone)]
pub enum Site {
    /// A page, or JSON, that shows the visitor what was negotiated.
    Echo,
    /// The files of a folder.
    Files(Files),
    /// Requests go to a backend, with what is known of the client in headers.
    Proxy(Proxy),
    /// Bytes go to a backend, whatever protocol they are of.
    Tunnel(Backend),
}

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

impl Site {
    /// What [`Files`] shows of a folder.
    ///
    /// # Errors
    /// [`ServerError::Root`] when it is no folder.
    pub fn files(root: &Path) -> Result<Self, ServerError> {
        Files::new(root).map(Self::Files)
    }

    /// Whether the connection may change its protocol as this request asks.
    pub(crate) fn upgrades<B>(&self, request: &Request<B>) -> bool {
        matches!(self, Self::Proxy(_)) && headers::asks_for_websocket(request)
    }

    pub(crate) async fn respond(
        &self,
        request: Request<Incoming>,
        visitor: &Visitor,
        life: &Life,
    ) -> Response<Body> {
        match (self, method_not_allowed(request.method())) {
            (Self::Proxy(proxy), _) => proxy.respond(request, visitor, life).await,
            // Its connections never come to HTTP.
            (Self::Tunnel(_), _) => text(StatusCode::NOT_FOUND, "no HTTP here\n"),
            (Self::Files(_) | Self::Echo, Some(refusal)) => whole(refusal),
            (Self::Files(files), None) => files.respond(request).await,
            (Self::Echo, None) => whole(echo(&request, visitor)),
        }
    }
}

/// What is answered to a method that does more than read, which is all that files and pages
/// are for: with the methods that they take (RFC 9110 section 15.5.6).
pub fn method_not_allowed(method: &Method) -> Option<Response<Bytes>> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let mut response = content(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n");
    let allowed = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, allowed);
    Some(response)
}

pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    whole(content(status, TEXT, text))
}

/// A response whose body is all there.
pub(crate) fn whole(response: Response<Bytes>) -> Response<Body> {
    response.map(|bytes| {
        Full::new(bytes)
            .map_err(|never| match never {})
            .boxed_unsync()
    })
}

pub(crate) fn content(
    status: StatusCode,
    content_type: &'static str,
    content: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(content.into());
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
