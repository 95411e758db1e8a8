//! Headers that are added, and headers that must not pass.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{Method, Request, Response, StatusCode, Version};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pki::Certificate;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Visitor;

/// Prefixes of headers that only this proxy may write.
const OWN: [&str; 3] = ["x-amzn-mtls-", "x-amzn-tls-", "x-pqlab-"];

/// Headers that proxies write and backends believe, beside those. `X-Forwarded-For` is
/// appended to under its own name.
const OF_PROXIES: [&str; 6] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
];

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const TLS_VERSION: HeaderName = HeaderName::from_static("x-amzn-tls-version");
const TLS_SUITE: HeaderName = HeaderName::from_static("x-amzn-tls-cipher-suite");
const TLS_GROUP: HeaderName = HeaderName::from_static("x-pqlab-tls-group");
const SERIAL: HeaderName = HeaderName::from_static("x-amzn-mtls-clientcert-serial-number");
const ISSUER: HeaderName = HeaderName::from_static("x-amzn-mtls-clientcert-issuer");
const SUBJECT: HeaderName = HeaderName::from_static("x-amzn-mtls-clientcert-subject");
const VALIDITY: HeaderName = HeaderName::from_static("x-amzn-mtls-clientcert-validity");
const LEAF: HeaderName = HeaderName::from_static("x-amzn-mtls-clientcert-leaf");

/// What a load balancer leaves as it is in a URL-encoded certificate.
const PEM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'+')
    .remove(b'=')
    .remove(b'/')
    .remove(b'-');

/// Whether the request is one to forward; otherwise the status that says why not.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), StatusCode> {
    if *request.method() == Method::CONNECT {
        return Err(StatusCode::NOT_IMPLEMENTED);
    }
    // RFC 9112 section 3.2: a backend must not choose between two of them.
    let hosts = request.headers().get_all(HOST).iter().count();
    let needs_one = request.version() == Version::HTTP_11;
    match hosts {
        0 if needs_one => Err(StatusCode::BAD_REQUEST),
        0 | 1 => Ok(()),
        _ => Err(StatusCode::BAD_REQUEST),
    }
}

/// Removes what is meant for the next hop only (RFC 9110 section 7.6.1). What every hop
/// needs stays, whoever names it.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| ![HOST, CONTENT_LENGTH, AUTHORIZATION].contains(name))
        .collect();
    let fixed = [
        CONNECTION,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ];
    for name in named.into_iter().chain(fixed) {
        headers.remove(name);
    }
}

/// Removes headers from outside by which a client could pass for another one. Spellings
/// with underscores or other signs go too: backends that put headers into variables read all
/// of them as one (RFC 3875 section 4.1.18).
pub(crate) fn strip_own(headers: &mut HeaderMap) {
    let is_foreign = |name: &&HeaderName| is_reserved(name) && **name != FORWARDED_FOR;
    let foreign: Vec<HeaderName> = headers.keys().filter(is_foreign).cloned().collect();
    for name in foreign {
        headers.remove(name);
    }
}

/// Whether a backend may take a header of this name for the word of a proxy.
pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    let name = name
        .as_str()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    OWN.iter().any(|prefix| name.starts_with(prefix)) || OF_PROXIES.contains(&name.as_str())
}

/// Whether a client asks to change to WebSocket (RFC 6455 section 4.1) and to nothing else.
pub(crate) fn asks_for_websocket<B>(request: &Request<B>) -> bool {
    *request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && changes_to_websocket(request.headers())
}

/// Whether a backend does.
pub(crate) fn is_websocket<B>(response: &Response<B>) -> bool {
    changes_to_websocket(response.headers())
}

fn changes_to_websocket(headers: &HeaderMap) -> bool {
    let mut protocols = headers.get_all(UPGRADE).iter();
    let is_one = protocols
        .next()
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
        && protocols.next().is_none();
    let connection = headers
        .get(CONNECTION)
        .and_then(|value| value.to_str().ok());
    is_one
        && connection.is_some_and(|connection| {
            let mut names = connection.split(',');
            names.any(|name| name.trim().eq_ignore_ascii_case("upgrade"))
        })
}

pub(crate) fn ask_for_websocket(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Says who the client is and how it is connected.
pub(crate) fn describe(headers: &mut HeaderMap, visitor: &Visitor) {
    let address = visitor.address.ip();
    let path: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let path = match path.join(", ") {
        path if path.is_empty() => address.to_string(),
        path => format!("{path}, {address}"),
    };
    insert(headers, FORWARDED_FOR, &path);
    insert(headers, FORWARDED_PROTO, "https");
    let port = visitor.local_address.port().to_string();
    insert(headers, FORWARDED_PORT, &port);
    let negotiated = &visitor.negotiated;
    if let Some(version) = negotiated.version {
        insert(headers, TLS_VERSION, &format!("TLSv{version}"));
    }
    if let Some(suite) = negotiated.cipher_suite {
        insert(headers, TLS_SUITE, &suite.to_string());
    }
    if let Some(group) = negotiated.group {
        insert(headers, TLS_GROUP, &group.to_string());
    }
    if let (Some(leaf), Some(certificate)) = (visitor.chain.first(), visitor.certificate()) {
        insert(headers, SERIAL, &certificate.serial);
        insert(headers, ISSUER, &certificate.issuer);
        insert(headers, SUBJECT, &certificate.subject);
        insert(headers, VALIDITY, &validity(&certificate));
        let pem = pki::certificate_pem(leaf);
        insert(headers, LEAF, &utf8_percent_encode(&pem, PEM).to_string());
    }
}

fn validity(certificate: &Certificate) -> String {
    let time = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
    format!(
        "NotBefore={};NotAfter={}",
        time(certificate.not_before),
        time(certificate.not_after)
    )
}

/// What no header can carry is written as RFC 4514 section 2.4 writes bytes: the backslash
/// of the text itself is escaped there, so that no two names look alike.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let mut visible = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            ' '..='~' => visible.push(c),
            _ => {
                let mut bytes = [0; 4];
                let bytes = c.encode_utf8(&mut bytes).bytes();
                visible.extend(bytes.map(|byte| format!("\\{byte:02X}")));
            }
        }
    }
    match HeaderValue::from_str(&visible) {
        Ok(value) => _ = headers.insert(name, value),
        // Rather none than that of somebody else.
        Err(_) => _ = headers.remove(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_this_proxy_and_of_one_hop_do_not_pass() {
        let mut headers = HeaderMap::new();
        for name in [
            "x-amzn-mtls-clientcert-subject",
            "x_amzn_mtls_clientcert_subject",
            "x-amzn-mtls$clientcert.subject",
            "x_forwarded_for",
            "x-forwarded-host",
            "x_forwarded_proto",
            "forwarded",
            "x-real-ip",
            "x-amzn-mtls-clientcert",
            "x-amzn-tls-version",
            "x-pqlab-tls-group",
            "keep-alive",
            "x-private",
        ] {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_static("forged"));
        }
        headers.insert(
            CONNECTION,
            HeaderValue::from_static("close, X-Private, Host"),
        );
        headers.insert(HOST, HeaderValue::from_static("kept"));
        headers.insert("x-amzn-trace-id", HeaderValue::from_static("kept"));
        strip_hop_by_hop(&mut headers);
        strip_own(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["host", "x-amzn-trace-id"]);
    }

    #[test]
    fn websocket_and_nothing_else_may_follow() {
        let asks = |upgrade: &str, connection: &str, method: Method, version: Version| {
            let request = Request::builder()
                .method(method)
                .version(version)
                .header(UPGRADE, upgrade)
                .header(CONNECTION, connection);
            asks_for_websocket(&request.body(()).unwrap())
        };
        let (get, h1) = (Method::GET, Version::HTTP_11);
        assert!(asks("WebSocket", "keep-alive, Upgrade", get.clone(), h1));
        assert!(!asks("websocket", "keep-alive", get.clone(), h1));
        assert!(!asks("websocket", "upgrade", Method::POST, h1));
        assert!(!asks("websocket", "upgrade", get.clone(), Version::HTTP_10));
        for other in ["h2c", "websocket, h2c", "TLS/1.0", ""] {
            assert!(!asks(other, "upgrade", get.clone(), h1), "{other}");
        }
    }

    #[test]
    fn requests_without_one_host_and_for_tunnels_are_refused() {
        let request = |hosts: usize, method: Method| {
            let mut request = Request::builder().method(method);
            for _ in 0..hosts {
                request = request.header(HOST, "a");
            }
            request.body(()).unwrap()
        };
        assert_eq!(check(&request(1, Method::GET)), Ok(()));
        for hosts in [0, 2] {
            let refused = check(&request(hosts, Method::GET));
            assert_eq!(refused, Err(StatusCode::BAD_REQUEST));
        }
        let refused = check(&request(1, Method::CONNECT));
        assert_eq!(refused, Err(StatusCode::NOT_IMPLEMENTED));
    }

    #[test]
    fn names_that_differ_differ_in_headers() {
        let mut headers = HeaderMap::new();
        let mut written = |subject: &str| {
            insert(&mut headers, SUBJECT, subject);
            headers[SUBJECT].clone()
        };
        assert_eq!(written("CN=J\u{fc}rgen"), "CN=J\\C3\\BCrgen");
        assert_eq!(written("CN=J%C3%BCrgen"), "CN=J%C3%BCrgen");
    }
}
