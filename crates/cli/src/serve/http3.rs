//! The page over HTTP/3.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use experiment::Side;
use http::{Method, Request, Response, StatusCode};
use quic::{AddressValidation, Event, Fault, Limits, Server, Service, Session};
use server::{Metrics, Transport, Trouble, Visitor, echo};
use stack::{Negotiated, ServerProfile};
use transport::Tally;
use wire::ProtocolVersion;

use crate::bad_input;
use crate::offer_options::OfferOptions;

/// Listens at `address` for QUIC, with what the profile says of TLS 1.3.
pub(super) fn bind(
    address: SocketAddr,
    profile: &ServerProfile,
    has_retry: bool,
    limits: server::Limits,
) -> Result<Server> {
    let mut profile = profile.clone();
    OfferOptions::for_quic(&mut profile.offer.versions)?;
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

/// Shows visitors what was negotiated, counts what becomes of connections, and tells why
/// handshakes fail.
pub(super) struct Page<L> {
    pub(super) address: SocketAddr,
    pub(super) metrics: Arc<Metrics>,
    pub(super) log: L,
}

impl<L: Fn(&Trouble) + Send + Sync + 'static> Service for Page<L> {
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
        use server::Event as Counted;
        self.count(match event {
            Event::Retried(_) => return,
            Event::Began(_) => Counted::Accepted,
            Event::Refused(_) => Counted::Refused,
            Event::Established(session) => {
                self.metrics.note(&self.visitor(session));
                Counted::Established
            }
            Event::Failed(failure) => {
                if let Some(hello) = &failure.client_hello {
                    self.metrics.note_offer(hello);
                }
                let counted = counted(&failure.fault, Counted::HandshakeTimeout);
                self.tell(failure.address, counted, &failure.fault.to_string());
                counted
            }
            Event::Answered(_) => Counted::Answered,
            Event::RequestFailed { fault, .. } => counted(fault, Counted::IdleTimeout),
            Event::Closed { fault, .. } => {
                fault.map_or(Counted::Closed, |f| counted(f, Counted::IdleTimeout))
            }
            Event::Panicked => Counted::Panicked,
            Event::SocketLost => {
                let what = "the UDP socket failed, and HTTP/3 is not served any more";
                self.tell(self.address, Counted::AcceptFault, what);
                Counted::AcceptFault
            }
        });
    }
}

/// What a failure counts as, and `timeout` one that took too long.
fn counted(fault: &Fault, timeout: server::Event) -> server::Event {
    match fault {
        Fault::ClosedEarly => server::Event::ClosedEarly,
        Fault::Timeout => timeout,
        Fault::Overlong => server::Event::Overlong,
        Fault::Quic(error) => error.into(),
        Fault::Http(_) => server::Event::PeerFault,
    }
}

impl<L: Fn(&Trouble)> Page<L> {
    fn count(&self, event: server::Event) {
        self.metrics.counters(Transport::Quic).add(event);
    }

    fn tell(&self, client: SocketAddr, event: server::Event, reason: &str) {
        (self.log)(&Trouble {
            transport: Transport::Quic,
            client,
            event,
            reason: reason.to_owned(),
        });
    }

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
