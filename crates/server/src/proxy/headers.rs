//! Headers that are added, and headers that must not pass.

use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pki::Certificate;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Visitor;

/// Prefixes of headers that only this proxy may write.
const OWN: [&str; 3] = ["x-amzn-mtls-", "x-amzn-tls-", "x-pqlab-"];

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

/// Removes what is meant for the next hop only (RFC 9110 section 7.6.1).
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
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
    let is_own = |name: &HeaderName| {
        let name = name
            .as_str()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        OWN.iter().any(|prefix| name.starts_with(prefix))
    };
    let foreign: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_own(name))
        .cloned()
        .collect();
    for name in foreign {
        headers.remove(name);
    }
}

/// The protocol that a client asks to change to (RFC 9110 section 7.8), if it does.
pub(crate) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let connection = headers.get(CONNECTION)?.to_str().ok()?;
    let mut names = connection.split(',');
    names
        .any(|name| name.trim().eq_ignore_ascii_case("upgrade"))
        .then(|| headers.get(UPGRADE).cloned())?
}

pub(crate) fn ask_to_upgrade(headers: &mut HeaderMap, protocol: &HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol.clone());
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

/// Names of certificates may hold any character: what no header can carry is encoded.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).or_else(|_| {
        let encoded = utf8_percent_encode(value, percent_encoding::CONTROLS);
        HeaderValue::from_str(&encoded.to_string())
    });
    match value {
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
            "x-amzn-mtls-clientcert",
            "x-amzn-tls-version",
            "x-pqlab-tls-group",
            "keep-alive",
            "x-private",
        ] {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_static("forged"));
        }
        headers.insert(CONNECTION, HeaderValue::from_static("close, X-Private"));
        headers.insert("x-amzn-trace-id", HeaderValue::from_static("kept"));
        strip_hop_by_hop(&mut headers);
        strip_own(&mut headers);
        let left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["x-amzn-trace-id"]);
    }

    #[test]
    fn an_upgrade_needs_both_of_its_headers() {
        let mut headers = HeaderMap::new();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        assert_eq!(upgrade(&headers), None);
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        assert_eq!(
            upgrade(&headers),
            Some(HeaderValue::from_static("websocket"))
        );
    }
}
