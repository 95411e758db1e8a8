//! Two ends and a simulated link between them.
//!
//! The ends are real: quinn's protocol code, which takes datagrams and the time as
//! arguments. The link is not: each datagram arrives whole, in order, and one fixed delay
//! after it was sent, on a clock that only the simulation moves. So the number of round
//! trips is that of the protocol, without loss, jitter or the speed of a machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use experiment::{Handshake, Scenario, Side};
use quinn_proto::{ClientConfig, Endpoint, EndpointConfig, ServerConfig, TransportConfig};
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use stack::{
    Credentials, Gauge, NoGauge, PairError, StackError, Stage, Unsupported, rustls_config,
};
use wire::ProtocolVersion;

use crate::end::End;
use crate::observation::{Observation, Observer};
use crate::transport;

/// The round-trip time of the simulated link.
pub const ROUND_TRIP: Duration = Duration::from_millis(40);

/// The only stack that speaks QUIC here.
const STACK: &str = "rustls";

/// More steps than any handshake takes: two ends that misunderstand each other stop here.
const MAX_STEPS: usize = 400;

/// How a server makes sure that a client is at its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressValidation {
    /// By what comes back in the handshake; until then it sends no more than three times
    /// what it received (RFC 9000 section 8.1).
    ByHandshake,
    /// By a token that the client must return before anything else (RFC 9000 section 8.1.2).
    ByRetry,
}

/// A client and a server that perform one kind of handshake again and again.
pub struct Pair {
    handshake: Handshake,
    endpoint: Arc<EndpointConfig>,
    client: ClientConfig,
    server: Arc<ServerConfig>,
    validation: AddressValidation,
}

/// A handshake that is done, and what it took. Times are on the clock of the link, from the
/// client's first datagram.
pub struct Established {
    /// Until the client's handshake was complete: it may send a request.
    pub complete: Duration,
    /// Until the first byte of the answer was with the client; `None` without a request.
    pub first_byte: Option<Duration>,
    /// The datagrams, as the server saw them.
    pub observation: Observation,
}

/// A time on the link's clock in whole round trips, to the nearest: pacing may add a part
/// of one.
pub fn round_trips(time: Duration) -> u64 {
    let round_trip = ROUND_TRIP.as_nanos();
    let whole = (time.as_nanos() + round_trip / 2) / round_trip;
    u64::try_from(whole).unwrap_or(u64::MAX)
}

impl Pair {
    /// Sets up both sides of a scenario.
    ///
    /// # Errors
    /// When QUIC has no such handshake, or this stack none over QUIC; when a setup is refused.
    pub fn new(
        scenario: &Scenario,
        credentials: &Credentials,
        validation: AddressValidation,
    ) -> Result<Self, PairError> {
        for side in Side::BOTH {
            supports(side, scenario)?;
        }
        let handshake = *scenario.handshake();
        let of = |side| move |error| PairError::Side { side, error };
        let name = ServerName::try_from(pki::SERVER_NAME).map_err(|error| PairError::Side {
            side: Side::Client,
            error: StackError::Library(error.to_string()),
        })?;
        let client = rustls_config::client(&handshake, credentials)
            .and_then(|mut tls| {
                // Nothing of one handshake helps the next, such as the group that the server
                // asked for.
                tls.resumption = Resumption::disabled();
                transport::client(tls, name, simulated())
            })
            .map_err(of(Side::Client))?;
        let server = rustls_config::server(&handshake, credentials)
            .and_then(|tls| transport::server(tls, simulated()))
            .map_err(of(Side::Server))?;
        let mut endpoint = EndpointConfig::default();
        // Packet numbers are left out at random: always the same ones here.
        endpoint.rng_seed(Some([0; 32]));
        Ok(Self {
            handshake,
            endpoint: Arc::new(endpoint),
            client,
            server: Arc::new(server),
            validation,
        })
    }

    /// Performs one handshake until the client knows that the server has completed it, too
    /// (RFC 9001 section 4.1.2), and checks it. The gauge is told of each step until both
    /// sides have completed.
    ///
    /// # Errors
    /// When a side fails, or the handshake was another one than asked for.
    pub fn handshake(&self, gauge: &mut impl Gauge) -> Result<Established, PairError> {
        self.run(false, gauge)
    }

    /// The same with a request, which the client sends as soon as it may, and the first byte
    /// of an answer.
    ///
    /// # Errors
    /// As [`Pair::handshake`].
    pub fn exchange(&self) -> Result<Established, PairError> {
        self.run(true, &mut NoGauge)
    }

    fn run(&self, exchanges: bool, gauge: &mut impl Gauge) -> Result<Established, PairError> {
        let mut link = Link::new(self, exchanges);
        link.connect(self.client.clone(), gauge)?;
        for _ in 0..MAX_STEPS {
            if let Some(established) = link.established()? {
                link.observer.verify(&self.handshake)?;
                return Ok(established);
            }
            link.advance(gauge)?;
        }
        Err(stalled())
    }
}

/// The transport of a link whose datagrams are never larger than 1200 bytes: no probes for
/// larger ones, which would be sent between the others.
fn simulated() -> TransportConfig {
    let mut transport = transport::transport();
    transport.mtu_discovery_config(None);
    transport
}

fn supports(side: Side, scenario: &Scenario) -> Result<(), Unsupported> {
    let stack = match side {
        Side::Client => scenario.client(),
        Side::Server => scenario.server(),
    };
    let handshake = scenario.handshake();
    let reason = if stack.as_str() != STACK {
        "QUIC is measured with quinn on rustls and aws-lc-rs, the stack rustls"
    } else if handshake.version() != ProtocolVersion::Tls13 {
        "QUIC has TLS 1.3 only (RFC 9001, section 4.2)"
    } else if handshake.kind().is_resumption() || handshake.tickets() > 0 {
        "resumption and tickets are not measured over QUIC in this version"
    } else {
        return stack::by_name(stack)?.supports(side, handshake);
    };
    Err(Unsupported {
        stack: stack.clone(),
        side,
        reason: reason.to_owned(),
    })
}

/// Both ends and the time.
struct Link {
    client: End,
    server: End,
    begin: Instant,
    now: Instant,
    observer: Observer,
}

impl Link {
    fn new(pair: &Pair, exchanges: bool) -> Self {
        let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (client, server) = (address(1), address(2));
        let end = |side, config, peer| {
            let endpoint = Endpoint::new(pair.endpoint.clone(), config, false, None);
            End::new(side, endpoint, peer, pair.validation, exchanges)
        };
        let now = Instant::now();
        Self {
            client: end(Side::Client, None, server),
            server: end(Side::Server, Some(pair.server.clone()), client),
            begin: now,
            now,
            observer: Observer::default(),
        }
    }

    fn connect(&mut self, config: ClientConfig, gauge: &mut impl Gauge) -> Result<(), PairError> {
        gauge.begin(Side::Client);
        let begun = self.client.connect(config, self.now);
        gauge.end(Side::Client, Stage::Handshake);
        begun?;
        self.carry();
        Ok(())
    }

    /// Moves the clock to where something happens, and lets it happen.
    fn advance(&mut self, gauge: &mut impl Gauge) -> Result<(), PairError> {
        let next = [self.client.next(), self.server.next()];
        self.now = next.into_iter().flatten().min().ok_or_else(stalled)?;
        for (side, at) in Side::BOTH.into_iter().zip(next) {
            if at.is_none_or(|at| at > self.now) {
                continue;
            }
            if side == Side::Server {
                for datagram in self.server.arrived(self.now) {
                    self.observer.note(Side::Client, datagram);
                }
            }
            let is_measured = self.is_handshaking();
            let end = match side {
                Side::Client => &mut self.client,
                Side::Server => &mut self.server,
            };
            if is_measured {
                gauge.begin(side);
            }
            let stepped = end.step(self.now);
            if is_measured {
                gauge.end(side, Stage::Handshake);
            }
            stepped?;
            self.carry();
        }
        Ok(())
    }

    fn is_handshaking(&self) -> bool {
        self.client.completed.is_none() || self.server.completed.is_none()
    }

    /// Puts what was sent on its way.
    fn carry(&mut self) {
        let arrival = self.now + ROUND_TRIP / 2;
        for datagram in self.client.take_outbox() {
            self.server.push(arrival, datagram);
        }
        for datagram in self.server.take_outbox() {
            self.observer.note(Side::Server, &datagram);
            self.client.push(arrival, datagram);
        }
    }

    /// The end of it, once both sides are done.
    fn established(&self) -> Result<Option<Established>, PairError> {
        let (Some(complete), false) = (self.client.completed, self.is_handshaking()) else {
            return Ok(None);
        };
        let is_answered = !self.client.exchanges() || self.client.answered.is_some();
        if !self.client.is_confirmed() || !is_answered {
            return Ok(None);
        }
        self.verify_exporters()?;
        Ok(Some(Established {
            complete: complete - self.begin,
            first_byte: self.client.answered.map(|at| at - self.begin),
            observation: self.observer.observation(),
        }))
    }

    /// Checks that both sides export the same keying material (RFC 8446 section 7.5).
    fn verify_exporters(&self) -> Result<(), PairError> {
        let export = |end: &End| {
            let mut material = [0; 32];
            let session = end.connection()?.crypto_session();
            let label = b"EXPORTER-pqlab";
            let exported = session.export_keying_material(&mut material, label, b"");
            exported.ok().map(|()| material)
        };
        match (export(&self.client), export(&self.server)) {
            (Some(client), Some(server)) if client == server => Ok(()),
            _ => Err(PairError::Mismatch {
                what: "the exported keying material",
                expected: "the same on both sides".to_owned(),
                found: "different".to_owned(),
            }),
        }
    }
}

fn stalled() -> PairError {
    PairError::Side {
        side: Side::Client,
        error: StackError::Stalled,
    }
}
