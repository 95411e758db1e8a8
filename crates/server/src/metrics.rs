//! What was negotiated, for Prometheus.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use wire::{ClientHello, ProtocolVersion};

use crate::listener::Listener;
use crate::site::{content, text, whole};
use crate::{Counters, Event, Limits, ServerError, Transport, Visitor};

/// Counts handshakes by what was negotiated, and responses by their status.
///
/// Names and units follow Prometheus' conventions; all begin with `pqlab_`.
pub struct Metrics {
    registry: Registry,
    handshakes: Family<HandshakeLabels, Counter>,
    offers: Family<OfferLabels, Counter>,
    seconds: Family<TransportLabels, Histogram, Seconds>,
    bytes: Family<DirectionLabels, Counter>,
    responses: Family<ResponseLabels, Counter>,
    counters: [Arc<Counters>; 2],
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HandshakeLabels {
    transport: &'static str,
    version: String,
    group: String,
    cipher_suite: String,
    signature_scheme: String,
    resumed: String,
    hello_retry: String,
    client_certificate: String,
    post_quantum: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransportLabels {
    transport: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfferLabels {
    transport: &'static str,
    post_quantum_group: String,
    ml_dsa: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabels {
    transport: &'static str,
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResponseLabels {
    transport: &'static str,
    status: u16,
}

/// Makes the histogram of a transport.
#[derive(Clone)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    /// 0.25 ms to 8 s: from one machine to the far side of the world.
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(0.00025, 2.0, 16))
    }
}

/// The label of what was not seen of a handshake.
const UNKNOWN: &str = "unknown";
/// The label of what a handshake does not have.
const NONE: &str = "none";

/// What Prometheus asks for first.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Connections that may ask for metrics at a time.
const SCRAPERS: usize = 16;

impl Metrics {
    /// `counters` are those of connections over TCP.
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        let counters = [counters, Arc::default()];
        let mut registry = Registry::with_prefix("pqlab");
        let handshakes = Family::default();
        registry.register(
            "tls_handshakes",
            "Completed handshakes by what was negotiated",
            handshakes.clone(),
        );
        let offers = Family::default();
        registry.register(
            "tls_client_offers",
            "Handshakes, completed or not, by what the client could have done",
            offers.clone(),
        );
        let seconds = Family::new_with_constructor(Seconds);
        registry.register(
            "tls_handshake_seconds",
            "From the acceptance of a connection to the end of its handshake",
            seconds.clone(),
        );
        let bytes = Family::default();
        registry.register(
            "tls_handshake_bytes",
            "Bytes of completed handshakes, headers of records or QUIC packets included",
            bytes.clone(),
        );
        let responses = Family::default();
        registry.register("http_responses", "Responses by status", responses.clone());
        registry.register_collector(Box::new(Connections(counters.clone())));
        Self {
            registry,
            handshakes,
            offers,
            seconds,
            bytes,
            responses,
            counters,
        }
    }

    /// What became of connections over one transport.
    pub const fn counters(&self, transport: Transport) -> &Arc<Counters> {
        &self.counters[transport as usize]
    }

    /// Counts a completed handshake.
    pub fn note(&self, visitor: &Visitor) {
        let transport = visitor.transport.name();
        let negotiated = &visitor.negotiated;
        let is_12 = negotiated.version == Some(ProtocolVersion::Tls12);
        // RSA key transport has no group and no signature; a resumption has no signature.
        let no_group = if is_12 { NONE } else { UNKNOWN };
        let no_signature = if is_12 || negotiated.is_resumed {
            NONE
        } else {
            UNKNOWN
        };
        let labels = HandshakeLabels {
            transport,
            version: label(negotiated.version, UNKNOWN),
            group: label(negotiated.group, no_group),
            cipher_suite: label(negotiated.cipher_suite, UNKNOWN),
            signature_scheme: label(negotiated.own_scheme, no_signature),
            resumed: negotiated.is_resumed.to_string(),
            hello_retry: label(visitor.has_hello_retry, UNKNOWN),
            client_certificate: negotiated.has_peer_certificate.to_string(),
            post_quantum: label(visitor.has_post_quantum_key_exchange(), UNKNOWN),
        };
        self.handshakes.get_or_create(&labels).inc();
        if let Some(hello) = &visitor.hello {
            self.note_offer(visitor.transport, hello);
        }
        self.seconds
            .get_or_create(&TransportLabels { transport })
            .observe(visitor.handshake_time.as_secs_f64());
        let Some(bytes) = visitor.handshake_bytes else {
            return;
        };
        for (direction, count) in [("received", bytes.received), ("sent", bytes.sent)] {
            let labels = DirectionLabels {
                transport,
                direction,
            };
            self.bytes.get_or_create(&labels).inc_by(count);
        }
    }

    /// Counts a client by what it offers. [`Metrics::note`] does that as well: this is for
    /// handshakes that fail.
    pub fn note_offer(&self, transport: Transport, hello: &ClientHello) {
        let offers_13 = hello
            .versions
            .contains(&ProtocolVersion::Tls13.code_point());
        let groups = hello.groups.iter();
        let mut schemes = hello.signature_schemes.iter();
        let labels = OfferLabels {
            transport: transport.name(),
            post_quantum_group: (offers_13 && groups.clone().any(|g| g.is_post_quantum()))
                .to_string(),
            ml_dsa: (offers_13
                && schemes.any(|s| s.facts().is_some_and(|facts| facts.post_quantum)))
            .to_string(),
        };
        self.offers.get_or_create(&labels).inc();
    }

    /// Counts a response.
    pub fn note_response(&self, transport: Transport, status: StatusCode) {
        let labels = ResponseLabels {
            transport: transport.name(),
            status: status.as_u16(),
        };
        self.responses.get_or_create(&labels).inc();
    }

    /// The text format of OpenMetrics, which Prometheus reads.
    pub fn encode(&self) -> String {
        let mut page = String::new();
        // A String takes everything, and the labels are all of this file.
        let _ = encode(&mut page, &self.registry);
        page
    }
}

/// A listener for Prometheus: `GET /metrics` over plaintext HTTP.
pub struct MetricsServer {
    listener: Listener,
    metrics: Arc<Metrics>,
}

impl MetricsServer {
    /// Listens at `address`; port 0 lets the system choose.
    ///
    /// # Errors
    /// When the address is taken, or not of this machine.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub async fn bind(address: SocketAddr, metrics: Arc<Metrics>) -> Result<Self, ServerError> {
        Ok(Self {
            listener: Listener::bind(address).await?,
            metrics,
        })
    }

    /// Where it listens, with the port that the system chose.
    pub const fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// Answers until `shutdown` is done.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, metrics } = self;
        let session = |socket, _| {
            let metrics = metrics.clone();
            async move {
                let respond = service_fn(move |request: Request<Incoming>| {
                    let response = match request.uri().path() {
                        "/metrics" => {
                            whole(content(StatusCode::OK, OPEN_METRICS, metrics.encode()))
                        }
                        _ => text(StatusCode::NOT_FOUND, "see /metrics\n"),
                    };
                    async move { Ok::<_, std::convert::Infallible>(response) }
                });
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new())
                    .header_read_timeout(Limits::default().idle);
                match http.serve_connection(TokioIo::new(socket), respond).await {
                    Ok(()) => Event::Closed,
                    Err(_) => Event::PeerFault,
                }
            }
        };
        listener
            .run(shutdown, SCRAPERS, Duration::ZERO, session)
            .await;
    }
}

/// The counters of connections, read whenever somebody asks.
#[derive(Debug)]
struct Connections([Arc<Counters>; 2]);

impl Collector for Connections {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let one = ConstCounter::new(0u64);
        let mut family = encoder.encode_descriptor(
            "connection_events",
            "What became of connections",
            None,
            one.metric_type(),
        )?;
        for transport in Transport::ALL {
            for event in Event::ALL {
                let labels = [("transport", transport.name()), ("event", event.name())];
                let count = ConstCounter::new(self.0[transport as usize].count(event));
                count.encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

fn label(value: Option<impl fmt::Display>, otherwise: &str) -> String {
    value.map_or_else(|| otherwise.to_owned(), |value| value.to_string())
}
