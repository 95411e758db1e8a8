//! Entrances for the fuzz targets; no part of the interface.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use stack::Negotiated;
use transport::Tally;

use crate::proxy::headers;
use crate::respond::Requests;
use crate::{Transport, Visitor};

/// How many requests are found in bytes that come in pieces of this size; `None` if one is
/// overlong.
pub fn count_requests(bytes: &[u8], piece: usize) -> Option<usize> {
    let mut requests = Requests::new(4096);
    let mut count = 0;
    for piece in bytes.chunks(piece) {
        count += requests.take(piece).ok()?;
    }
    Some(count)
}

/// The headers that the proxy writes about a client of this certificate.
pub fn describe(certificate: &[u8]) {
    let address = ([127, 0, 0, 1], 1).into();
    let visitor = Visitor {
        transport: Transport::Tcp,
        address,
        local_address: address,
        negotiated: Negotiated::default(),
        alpn: None,
        has_hello_retry: Some(false),
        hello: None,
        handshake_bytes: Some(Tally::default()),
        handshake_time: Duration::ZERO,
        chain: vec![certificate.to_vec().into()],
    };
    headers::describe(&mut HeaderMap::new(), &visitor);
}

/// The headers that the proxy lets pass, of those in `name: value` lines.
///
/// # Panics
/// When one passes that must not.
pub fn strip(lines: &[u8]) {
    let mut map = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = parts.next().and_then(|n| HeaderName::from_bytes(n).ok());
        let value = parts.next().and_then(|v| HeaderValue::from_bytes(v).ok());
        if let (Some(name), Some(value)) = (name, value) {
            map.append(name, value);
        }
    }
    headers::strip_hop_by_hop(&mut map);
    headers::strip_own(&mut map);
    for name in map.keys() {
        let is_chain = name == "x-forwarded-for";
        assert!(is_chain || !headers::is_reserved(name), "{name}");
        let name = name.as_str();
        assert!(
            name != "connection" && name != "transfer-encoding",
            "{name}"
        );
    }
}
