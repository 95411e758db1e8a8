//! The page over HTTP/3.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use bytes::Bytes;
use experiment::Side;
use http::{Request, Response};
use quic::{
    AddressValidation, Event, Fault, Limits, Observation, Server, ServerError, Service, Session,
};
use server::{Metrics, Transport, Trouble, Visitor, echo, method_not_allowed};
use stack::{Negotiated, ServerProfile};
use transport::Tally;
use wire::ProtocolVersion;

use crate::bad_input;
use crate::offer_options::OfferOptions;

/// What listens at an address for QUIC, with what the profile says of TLS 1.3.
pub(super) fn binder(
    profile: &ServerProfile,
    has_retry: bool,
    limits: server::Limits,
) -> Result<impl Fn(SocketAddr) -> Result<Server, ServerError>> {
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
    Ok(move |address| Server::bind(address, config.clone(), validation, limits))
}

/// Shows visitors what was negotiated, counts what becomes of connections, and tells why
/// handshakes fail.
pub(super) struct Page<L> {
    pub(super) address: SocketAddr,
    pub(super) metrics: Arc<Metrics>,
    /// Becomes false when the socket is lost.
    pub(super) is_served: Arc<AtomicBool>,
    pub(super) log: L,
}

impl<L: Fn(&Trouble) + Send + Sync + 'static> Service for Page<L> {
    async fn respond(&self, request: Request<()>, session: Arc<Session>) -> Response<Bytes> {
        let refusal = method_not_allowed(request.method());
        let response = refusal.unwrap_or_else(|| echo(&request, &self.visitor(&session)));
        self.metrics
            .note_response(Transport::Quic, response.status());
        response
    }

    fn note(&self, event: Event<'_>) {
        use server::Event as Counted;
        self.count(match event {
            Event::Retried(_) => Counted::Retried,
            Event::Began(_) => Counted::Accepted,
            Event::Refused(_) => Counted::Refused,
            Event::Established(session) => {
                self.metrics.note(&self.visitor(session));
                Counted::Established
            }
            Event::Failed(failure) => {
                if let Some(hello) = &failure.client_hello {
                    self.metrics.note_offer(Transport::Quic, hello);
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
                self.is_served.store(false, Ordering::Relaxed);
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

    /// What the datagrams told, if they were followed. The server's signature is not in it:
    /// QUIC encrypts it.
    fn visitor(&self, session: &Session) -> Visitor {
        let observation = session.observation.as_ref();
        let bytes = |seen: &Observation| {
            let sent = |side| seen.sent(side).bytes;
            Tally::of_bytes(sent(Side::Server), sent(Side::Client))
        };
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
            has_hello_retry: observation.map(|seen| seen.has_hello_retry),
            hello: observation.and_then(|seen| seen.client_hello.clone()),
            handshake_bytes: observation.map(bytes),
            handshake_time: session.handshake,
            chain: session.chain.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use http::header::ALLOW;
    use server::{Counters, HttpsServer, Site};
    use stack::Offer;
    use wire::{ChainAlgorithms, SignatureAlgorithm};

    use super::*;
    use crate::offer_options::certified_keys;

    fn profile() -> ServerProfile {
        let chain = ChainAlgorithms::uniform(SignatureAlgorithm::EcdsaP256);
        ServerProfile {
            offer: Offer::default(),
            certificates: certified_keys(&[], &[], &[chain], pki::Role::Server).unwrap(),
            client_authentication: None,
            tickets: 0,
        }
    }

    /// The metrics of a server that is not started.
    async fn metrics() -> Arc<Metrics> {
        let stack = stack::by_name(&"rustls".parse().unwrap()).unwrap();
        let endpoint = Arc::from(stack.server(&profile()).unwrap());
        let limits = server::Limits::default();
        let any = ([127, 0, 0, 1], 0).into();
        let server = HttpsServer::bind(any, endpoint, Site::Echo, limits).await;
        server.unwrap().metrics()
    }

    fn count(metrics: &Metrics, event: server::Event) -> u64 {
        let counters: &Counters = metrics.counters(Transport::Quic);
        counters.count(event)
    }

    #[tokio::test]
    async fn a_page_is_read_and_its_socket_missed() {
        let address: SocketAddr = ([127, 0, 0, 1], 443).into();
        let (tell, told) = channel();
        let page = Arc::new(Page {
            address,
            metrics: metrics().await,
            is_served: Arc::new(AtomicBool::new(true)),
            log: move |trouble: &Trouble| tell.send(trouble.reason.clone()).unwrap(),
        });
        let session = Arc::new(Session {
            address,
            server_name: None,
            alpn: Some(quic::HTTP3.to_vec()),
            chain: Vec::new(),
            handshake: Duration::from_millis(3),
            round_trip: Duration::from_millis(1),
            observation: None,
        });
        let ask = async |method: &str| {
            let request = Request::builder().method(method).uri("/json");
            let request = request.body(()).unwrap();
            page.respond(request, session.clone()).await
        };
        assert_eq!(ask("GET").await.status(), 200);
        let refusal = ask("POST").await;
        assert_eq!(refusal.status(), 405);
        assert_eq!(refusal.headers()[ALLOW], "GET, HEAD");
        let json = ask("GET").await.into_body();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert!(json["post_quantum_key_exchange"].is_null(), "{json}");

        page.note(Event::Retried(address));
        assert_eq!(count(&page.metrics, server::Event::Retried), 1);
        assert!(page.is_served.load(Ordering::Relaxed));
        page.note(Event::SocketLost);
        assert!(!page.is_served.load(Ordering::Relaxed));
        assert_eq!(count(&page.metrics, server::Event::AcceptFault), 1);
        assert!(told.try_recv().unwrap().contains("UDP socket"));
    }
}
