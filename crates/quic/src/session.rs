//! What is known of a connection over UDP once its handshake is done.

use std::net::SocketAddr;
use std::time::Duration;

use quinn::Connection;
use quinn::crypto::rustls::HandshakeData;
use rustls::pki_types::CertificateDer;

use crate::observation::Observation;

/// A connection, and what was negotiated.
#[derive(Debug, Clone)]
pub struct Session {
    /// The other end.
    pub address: SocketAddr,
    /// The name that the client asked for; known to servers only.
    pub server_name: Option<String>,
    /// The application protocol.
    pub alpn: Option<Vec<u8>>,
    /// The other end's certificates, its own first; empty where it showed none.
    pub chain: Vec<CertificateDer<'static>>,
    /// Wall time of the handshake: at the client from before its connection is built, at the
    /// server from the acceptance of the first datagram.
    pub handshake: Duration,
    /// One round trip as QUIC estimates it (RFC 9002 section 5), the other end's work on the
    /// handshake included.
    pub round_trip: Duration,
    /// What the datagrams told. `None` at a server that was too busy, or that has several
    /// connections with one address.
    pub observation: Option<Observation>,
}

impl Session {
    pub(crate) fn new(
        connection: &Connection,
        handshake: Duration,
        observation: Option<Observation>,
    ) -> Self {
        let data = connection.handshake_data();
        let data = data.and_then(|data| data.downcast::<HandshakeData>().ok());
        let (server_name, alpn) = data.map_or((None, None), |d| (d.server_name, d.protocol));
        let chain = connection.peer_identity();
        let chain = chain.and_then(|chain| chain.downcast().ok());
        Self {
            address: connection.remote_address(),
            server_name,
            alpn,
            chain: chain.map_or_else(Vec::new, |chain| *chain),
            handshake,
            round_trip: connection.rtt(),
            observation,
        }
    }

    /// The handshake in round trips. Where the other end is near, most of it is no waiting
    /// for the network, and the number says little.
    pub fn round_trips(&self) -> f64 {
        self.handshake.as_secs_f64() / self.round_trip.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}
