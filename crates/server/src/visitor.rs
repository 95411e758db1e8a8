//! What is known of a client once its handshake is done.

use std::net::SocketAddr;
use std::time::Duration;

use pki::Certificate;
use rustls_pki_types::CertificateDer;
use stack::Negotiated;
use transport::{Tally, TlsStream};
use wire::{ClientHello, HandshakeType, ProtocolVersion};

/// What carries TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A stream (RFC 8446).
    Tcp,
    /// QUIC (RFC 9001).
    Quic,
}

impl Transport {
    /// In the order of their numbers.
    pub(crate) const ALL: [Self; 2] = [Self::Tcp, Self::Quic];

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Quic => "quic",
        }
    }
}

/// A client, and what was negotiated with it.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// What its handshake came over.
    pub transport: Transport,
    /// Where it comes from.
    pub address: SocketAddr,
    /// Where it came to.
    pub local_address: SocketAddr,
    /// Version, suite, group, schemes.
    pub negotiated: Negotiated,
    /// The application protocol.
    pub alpn: Option<Vec<u8>>,
    /// Whether it had to send another key share; `None` where that was not seen.
    pub has_hello_retry: Option<bool>,
    /// What it offered, if its ClientHello could be read.
    pub hello: Option<ClientHello>,
    /// Bytes of the handshake in both directions, with the headers of records, or of QUIC's
    /// packets; `None` where they were not seen.
    pub handshake_bytes: Option<Tally>,
    /// From the acceptance of its connection to the end of the handshake.
    pub handshake_time: Duration,
    /// The certificates it sent, its end entity first; verified.
    pub chain: Vec<CertificateDer<'static>>,
}

impl Visitor {
    pub(crate) fn meet<S>(
        stream: &TlsStream<S>,
        (address, local_address): (SocketAddr, SocketAddr),
        handshake_time: Duration,
    ) -> Self
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        Self {
            transport: Transport::Tcp,
            address,
            local_address,
            negotiated: stream.negotiated(),
            alpn: stream.alpn(),
            has_hello_retry: Some(stream.has_hello_retry()),
            hello: client_hello(stream.peer_hello()),
            handshake_bytes: Some(stream.tally()),
            handshake_time,
            chain: stream.peer_chain(),
        }
    }

    /// The client's certificate, if it showed one that can be read.
    pub fn certificate(&self) -> Option<Certificate> {
        Certificate::from_der(self.chain.first()?).ok()
    }

    /// Whether what is recorded of this connection stays closed to a quantum computer; `None`
    /// where the key exchange was not seen.
    pub fn has_post_quantum_key_exchange(&self) -> Option<bool> {
        match (self.negotiated.version?, self.negotiated.group) {
            // TLS 1.2 may go without a group: RSA key transport.
            (ProtocolVersion::Tls12, _) => Some(false),
            (ProtocolVersion::Tls13, group) => Some(group?.is_post_quantum()),
        }
    }

    /// Whether this server's signature would stand before a quantum computer; `None` in a
    /// resumption, which has none.
    pub fn has_post_quantum_signature(&self) -> Option<bool> {
        let scheme = self.negotiated.own_scheme?;
        Some(scheme.facts().is_some_and(|facts| facts.post_quantum))
    }
}

pub(crate) fn client_hello(record: &[u8]) -> Option<ClientHello> {
    let messages = wire::plaintext_messages(record).ok()?;
    let first = messages.first()?;
    (first.handshake_type == HandshakeType::CLIENT_HELLO)
        .then(|| ClientHello::parse(&first.body).ok())?
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::Request;

    use super::*;
    use crate::{Metrics, echo};

    /// A server over QUIC may be too busy to follow a handshake.
    #[test]
    fn what_was_not_seen_is_not_taken_for_classical() {
        let address = ([192, 0, 2, 1], 443).into();
        let visitor = Visitor {
            transport: Transport::Quic,
            address,
            local_address: address,
            negotiated: Negotiated {
                version: Some(ProtocolVersion::Tls13),
                ..Negotiated::default()
            },
            alpn: Some(b"h3".to_vec()),
            has_hello_retry: None,
            hello: None,
            handshake_bytes: None,
            handshake_time: Duration::from_millis(3),
            chain: Vec::new(),
        };
        let get = |path| {
            let request = Request::get(path).body(()).unwrap();
            String::from_utf8(echo(&request, &visitor).into_body().to_vec()).unwrap()
        };
        let json: serde_json::Value = serde_json::from_str(&get("/json")).unwrap();
        for field in [
            "group",
            "cipher_suite",
            "post_quantum_key_exchange",
            "has_hello_retry",
        ] {
            assert!(json[field].is_null(), "{field} of {json}");
        }
        assert!(json["handshake"]["bytes_sent"].is_null(), "{json}");
        assert_eq!(json["handshake"]["microseconds"], 3000);
        let page = get("/");
        assert!(page.matches("not seen").count() >= 5, "{page}");
        for wrong in ["Classical", "RSA", "0 bytes", "Post-quantum key"] {
            assert!(!page.contains(wrong), "{wrong} is in {page}");
        }
        let metrics = Metrics::new(Arc::default());
        metrics.note(&visitor);
        let metrics = metrics.encode();
        let handshake = metrics
            .lines()
            .find(|line| line.starts_with("pqlab_tls_handshakes_total{"));
        for label in [
            "group",
            "cipher_suite",
            "signature_scheme",
            "hello_retry",
            "post_quantum",
        ] {
            let label = format!(r#"{label}="unknown""#);
            assert!(
                handshake.unwrap().contains(&label),
                "{label}: {handshake:?}"
            );
        }
        assert!(!metrics.contains("tls_handshake_bytes_total{"), "{metrics}");
        let count = r#"pqlab_tls_handshake_seconds_count{transport="quic"} 1"#;
        assert!(metrics.lines().any(|line| line == count), "{metrics}");
    }
}
