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
    /// Whether it had to send another key share.
    pub has_hello_retry: bool,
    /// What it offered, if its ClientHello could be read.
    pub hello: Option<ClientHello>,
    /// Bytes of the handshake in both directions, with the headers of records, or of QUIC's
    /// packets.
    pub handshake_bytes: Tally,
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
            has_hello_retry: stream.has_hello_retry(),
            hello: client_hello(stream.peer_hello()),
            handshake_bytes: stream.tally(),
            handshake_time,
            chain: stream.peer_chain(),
        }
    }

    /// The client's certificate, if it showed one that can be read.
    pub fn certificate(&self) -> Option<Certificate> {
        Certificate::from_der(self.chain.first()?).ok()
    }

    /// Whether what is recorded of this connection stays closed to a quantum computer.
    pub fn has_post_quantum_key_exchange(&self) -> bool {
        self.negotiated.version == Some(ProtocolVersion::Tls13)
            && self.negotiated.group.is_some_and(|g| g.is_post_quantum())
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
