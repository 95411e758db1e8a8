//! The page over HTTP/3.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use bytes::Bytes;
use experiment::Side;
use http::{Method, Request, Response, StatusCode};
use quic::{AddressValidation, Event, Limits, Server, Service, Session};
use server::{Metrics, Transport, Visitor, echo};
use stack::{Negotiated, ServerProfile};
use transport::Tally;
use wire::ProtocolVersion;

use crate::bad_input;

/// Listens at `address` for QUIC, with what the profile says of TLS 1.3.
pub(super) fn bind(
    address: SocketAddr,
    profile: &ServerProfile,
    has_retry: bool,
    limits: server::Limits,
) -> Result<Server> {
    let mut profile = profile.clone();
    profile
        .offer
        .versions
        .retain(|version| *version == ProtocolVersion::Tls13);
    if profile.offer.versions.is_empty() {
        let what = "QUIC is of TLS 1.3: leave 1.3 in --tls";
        return Err(bad_input(anyhow!(what)));
    }
    profile.offer.alpn = vec![quic::HTTP3.to_vec()];
    // The page could not tell a resumption: QUIC hides it.
    profile.tickets = 0;
    let config = stack::rustls_config::server_of(&profile).map_err(bad_input)?;
    let validation = match has_retry {
        true => AddressValidation::ByRetry,
        false => AddressValidation::ByHandshake,
    };
    let limits = Limits {
        connections: limits.connections,
        handshake: limits.handshake,
        idle: limits.idle,
        request: limits.request as u64,
        ..Limits::default()
    };
    Server::bind(address, config, validation, limits).map_err(bad_input)
}

/// Shows visitors what was negotiated, and counts them.
pub(super) struct Page {
    pub(super) address: SocketAddr,
    pub(super) metrics: Arc<Metrics>,
}

impl Service for Page {
    async fn respond(&self, request: Request<()>, session: Arc<Session>) -> Response<Bytes> {
        let response = match *request.method() {
            Method::GET | Method::HEAD => echo(&request, &self.visitor(&session)),
            _ => {
                let mut response = Response::new(Bytes::from_static(b"only GET and HEAD\n"));
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
                response
            }
        };
        self.metrics.note_response(response.status());
        response
    }

    fn note(&self, event: Event<'_>) {
        if let Event::Established(session) = event {
            self.metrics.note(&self.visitor(session));
        }
    }
}

impl Page {
    /// What the datagrams told. The server's signature is not in it: QUIC encrypts it.
    fn visitor(&self, session: &Session) -> Visitor {
        let observation = session.observation.as_ref();
        let bytes = |side| observation.map_or(0, |seen| seen.sent(side).bytes);
        Visitor {
            transport: Transport::Quic,
            address: session.address,
            local_address: self.address,
            negotiated: Negotiated {
                version: Some(ProtocolVersion::Tls13),
                cipher_suite: observation.and_then(|seen| seen.cipher_suite),
                group: observation.and_then(|seen| seen.group),
                has_peer_certificate: !session.chain.is_empty(),
                ..Negotiated::default()
            },
            alpn: session.alpn.clone(),
            has_hello_retry: observation.is_some_and(|seen| seen.has_hello_retry),
            hello: observation.and_then(|seen| seen.client_hello.clone()),
            handshake_bytes: Tally::of_bytes(bytes(Side::Server), bytes(Side::Client)),
            handshake_time: session.handshake,
            chain: session.chain.clone(),
        }
    }
}
