//! What was found out about a server, for programs. The names of fields stay.

use std::time::Duration;

use client::{ClientError, Established, Inspection};
use pki::Certificate;
use rustls_pki_types::CertificateDer;
use serde::Serialize;
use server::Offered;
use stack::TlsStack;
use time::format_description::well_known::Rfc3339;
use wire::{ClientHello, GroupKind, HandshakeType, NamedGroup, NistCategory, SignatureScheme};

use crate::target::Target;

#[derive(Debug, Serialize)]
pub(super) struct Findings {
    pub(super) target: String,
    /// `tcp` or `quic`.
    pub(super) transport: &'static str,
    pub(super) address: String,
    pub(super) stack: String,
    pub(super) offered: Option<Offered>,
    pub(super) negotiated: Option<Negotiated>,
    pub(super) post_quantum: Option<PostQuantum>,
    pub(super) certificates: Vec<Shown>,
    pub(super) verdict: Option<Verdict>,
    pub(super) bytes: Bytes,
    pub(super) round_trips: Option<RoundTrips>,
    pub(super) timings_us: Timings,
    /// What there is over QUIC only.
    pub(super) quic: Option<Datagrams>,
    pub(super) response: Option<Answer>,
    pub(super) failure: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Negotiated {
    pub(super) version: Option<String>,
    pub(super) cipher_suite: Option<String>,
    pub(super) group: Option<String>,
    /// `classical`, `post-quantum` or `hybrid`; none for RSA key transport.
    pub(super) group_kind: Option<&'static str>,
    /// 1, 3 or 5; none for a classical group.
    pub(super) nist_category: Option<u8>,
    /// What the server signed with; none in a resumption.
    pub(super) scheme: Option<String>,
    pub(super) alpn: Option<String>,
    pub(super) is_resumed: bool,
    pub(super) has_hello_retry: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct PostQuantum {
    pub(super) key_exchange: bool,
    /// The handshake's signature; none in a resumption.
    pub(super) authentication: Option<bool>,
    /// Whether every signature of the chain that was sent is, too.
    pub(super) chain: Option<bool>,
}

#[derive(Debug, Serialize)]
pub(super) struct Shown {
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) serial: String,
    pub(super) names: Vec<String>,
    pub(super) key: String,
    pub(super) signature: String,
    pub(super) is_post_quantum_key: bool,
    pub(super) is_post_quantum_signature: bool,
    pub(super) not_before: String,
    pub(super) not_after: String,
    pub(super) bytes: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) is_trusted: bool,
    pub(super) reason: Option<String>,
}

/// Bytes of the handshake, record headers included.
#[derive(Debug, Serialize)]
pub(super) struct Bytes {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) flights: Vec<Flight>,
}

#[derive(Debug, Serialize)]
pub(super) struct Flight {
    pub(super) sender: &'static str,
    pub(super) bytes: usize,
    /// TCP segments at 1,448 bytes each.
    pub(super) segments: usize,
}

/// The datagrams of a QUIC handshake.
#[derive(Debug, Serialize)]
pub(super) struct Datagrams {
    pub(super) sent: u64,
    pub(super) received: u64,
    /// Initial packets of the client before the server's first word: two where a
    /// post-quantum key share does not fit into one.
    pub(super) first_flight_initials: u64,
    pub(super) has_retry: bool,
    /// Bytes from the client before its address was validated.
    pub(super) received_before_validation: u64,
    /// Bytes to it until then; three times as many are allowed (RFC 9000 section 8.1).
    pub(super) sent_before_validation: u64,
    pub(super) allowed_before_validation: u64,
    /// Whether the server had to wait for the client at that limit.
    pub(super) is_limit_exhausted: bool,
    pub(super) round_trip_us: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct RoundTrips {
    pub(super) tcp: u32,
    pub(super) tls: u32,
    /// Whether the server's longest flight fits an initial window of ten segments: one
    /// more round trip on a real network if not (RFC 6928).
    pub(super) fits_initial_window: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Timings {
    pub(super) resolve: u64,
    pub(super) connect: u64,
    pub(super) handshake: Option<u64>,
    /// From sending the request.
    pub(super) first_byte: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) status_line: String,
}

/// Payload of a TCP segment over Ethernet with timestamps, in bytes.
const SEGMENT: usize = 1448;
/// The initial window in segments (RFC 6928).
const INITIAL_WINDOW: usize = 10;

impl Findings {
    pub(super) fn new(
        target: &Target,
        stack: &dyn TlsStack,
        inspection: &Inspection,
        resolve: Duration,
    ) -> Self {
        let established = inspection.established.as_ref();
        let flights = flights(inspection);
        let count = |sender: &str| -> u64 {
            let own = flights.iter().filter(|flight| flight.sender == sender);
            own.map(|flight| flight.bytes as u64).sum()
        };
        let (sent, received) = (count("client"), count("server"));
        let longest = flights.iter().filter(|flight| flight.sender == "server");
        let longest = longest.map(|flight| flight.segments).max().unwrap_or(0);
        let certificates: Vec<Shown> = established
            .map(|established| shown(&established.chain))
            .unwrap_or_default();
        Self {
            target: target.to_string(),
            transport: "tcp",
            quic: None,
            address: inspection.address.to_string(),
            stack: stack.library().version,
            offered: offered(inspection),
            negotiated: established.map(negotiated),
            post_quantum: established.map(|established| post_quantum(established, &certificates)),
            verdict: established
                .and_then(|established| established.verdict.clone())
                .map(|verdict| Verdict {
                    is_trusted: verdict.is_ok(),
                    reason: verdict.err(),
                }),
            certificates,
            bytes: Bytes {
                sent,
                received,
                flights,
            },
            round_trips: established.map(|established| RoundTrips {
                tcp: 1,
                tls: established.tally.turns,
                fits_initial_window: longest <= INITIAL_WINDOW,
            }),
            timings_us: Timings {
                resolve: micros(resolve),
                connect: micros(inspection.connect),
                handshake: established.map(|established| micros(established.handshake)),
                first_byte: inspection.response.as_ref().map(|r| micros(r.first_byte)),
            },
            response: inspection.response.as_ref().map(|response| Answer {
                status_line: status_line(&response.begin),
            }),
            failure: inspection.failure.as_ref().map(ClientError::with_causes),
        }
    }
}

impl Findings {
    /// Of a connection over QUIC; the server was verified, or nobody asked.
    pub(super) fn of_quic(
        target: &Target,
        exchange: &quic::Exchange,
        is_verified: bool,
        resolve: Duration,
    ) -> Self {
        let session = &exchange.session;
        let seen = session.observation.as_ref();
        let certificates = shown(&session.chain);
        let group = seen.and_then(|seen| seen.group);
        Self {
            target: target.to_string(),
            transport: "quic",
            address: session.address.to_string(),
            stack: quic::library().version,
            offered: seen
                .and_then(|seen| seen.client_hello.as_ref())
                .map(Offered::from),
            negotiated: Some(Negotiated {
                version: Some("TLS 1.3".to_owned()),
                cipher_suite: seen.and_then(|s| s.cipher_suite).map(|s| s.to_string()),
                scheme: None,
                alpn: session.alpn.as_deref().map(lossy),
                is_resumed: false,
                has_hello_retry: seen.is_some_and(|seen| seen.has_hello_retry),
                ..Negotiated::of_group(group)
            }),
            post_quantum: Some(PostQuantum {
                key_exchange: group.is_some_and(|group| group.is_post_quantum()),
                // The signature is encrypted; it is one of the end entity's key.
                authentication: certificates.first().map(|leaf| leaf.is_post_quantum_key),
                chain: is_post_quantum_chain(&certificates),
            }),
            certificates,
            verdict: is_verified.then_some(Verdict {
                is_trusted: true,
                reason: None,
            }),
            bytes: Bytes {
                sent: exchange.sent.bytes,
                received: exchange.received.bytes,
                flights: Vec::new(),
            },
            round_trips: None,
            timings_us: Timings {
                resolve: micros(resolve),
                connect: 0,
                handshake: Some(micros(session.handshake)),
                first_byte: exchange.response.as_ref().map(|r| micros(r.first_byte)),
            },
            quic: seen.map(|seen| Datagrams {
                sent: exchange.sent.datagrams,
                received: exchange.received.datagrams,
                first_flight_initials: seen.first_flight.initials,
                has_retry: seen.has_retry,
                received_before_validation: seen.before_validation.received,
                sent_before_validation: seen.before_validation.sent,
                allowed_before_validation: seen.before_validation.limit(),
                is_limit_exhausted: seen.before_validation.is_exhausted(),
                round_trip_us: micros(session.round_trip),
            }),
            response: exchange.response.as_ref().map(|response| Answer {
                status_line: format!("HTTP/3 {}", response.status),
            }),
            failure: None,
        }
    }
}

fn offered(inspection: &Inspection) -> Option<Offered> {
    let first = inspection.recording.pieces.first()?;
    let messages = wire::plaintext_messages(&first.bytes).ok()?;
    let message = messages.first()?;
    if message.handshake_type != HandshakeType::CLIENT_HELLO {
        return None;
    }
    ClientHello::parse(&message.body)
        .ok()
        .as_ref()
        .map(Offered::from)
}

fn negotiated(established: &Established) -> Negotiated {
    let negotiated = &established.negotiated;
    Negotiated {
        version: negotiated.version.map(|version| format!("TLS {version}")),
        cipher_suite: negotiated.cipher_suite.map(|suite| suite.to_string()),
        scheme: negotiated.peer_scheme.map(|scheme| scheme.to_string()),
        alpn: established.alpn.as_deref().map(lossy),
        is_resumed: negotiated.is_resumed,
        has_hello_retry: established.has_hello_retry,
        ..Negotiated::of_group(negotiated.group)
    }
}

impl Negotiated {
    /// What follows from the group alone.
    fn of_group(group: Option<NamedGroup>) -> Self {
        let facts = group.and_then(|group| group.facts());
        Self {
            version: None,
            cipher_suite: None,
            group: group.map(|group| group.to_string()),
            group_kind: facts.map(|facts| match facts.kind {
                GroupKind::Classical => "classical",
                GroupKind::PostQuantum => "post-quantum",
                GroupKind::Hybrid => "hybrid",
            }),
            nist_category: facts.and_then(|facts| match facts.nist_category {
                NistCategory::None => None,
                NistCategory::One => Some(1),
                NistCategory::Three => Some(3),
                NistCategory::Five => Some(5),
            }),
            scheme: None,
            alpn: None,
            is_resumed: false,
            has_hello_retry: false,
        }
    }
}

fn post_quantum(established: &Established, chain: &[Shown]) -> PostQuantum {
    let negotiated = &established.negotiated;
    let is_post_quantum = |scheme: SignatureScheme| scheme.facts().is_some_and(|f| f.post_quantum);
    PostQuantum {
        key_exchange: negotiated
            .group
            .is_some_and(|group| group.is_post_quantum()),
        authentication: negotiated.peer_scheme.map(is_post_quantum),
        chain: is_post_quantum_chain(chain),
    }
}

fn is_post_quantum_chain(chain: &[Shown]) -> Option<bool> {
    (!chain.is_empty()).then(|| chain.iter().all(|shown| shown.is_post_quantum_signature))
}

fn shown(chain: &[CertificateDer<'_>]) -> Vec<Shown> {
    let readable = chain.iter().map(|der| Certificate::from_der(der));
    let time = |time: time::OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
    readable
        .flatten()
        .map(|certificate| Shown {
            subject: certificate.subject,
            issuer: certificate.issuer,
            serial: certificate.serial,
            names: certificate.names,
            key: certificate.key.name,
            signature: certificate.signature.name,
            is_post_quantum_key: certificate.key.is_post_quantum,
            is_post_quantum_signature: certificate.signature.is_post_quantum,
            not_before: time(certificate.not_before),
            not_after: time(certificate.not_after),
            bytes: certificate.length,
        })
        .collect()
}

/// What each side sent before it waited for the other, until the handshake was done or had
/// failed.
fn flights(inspection: &Inspection) -> Vec<Flight> {
    let pieces = &inspection.recording.pieces;
    let count = inspection
        .established
        .as_ref()
        .map_or(pieces.len(), |established| established.pieces);
    let mut flights: Vec<Flight> = Vec::new();
    for piece in &pieces[..count.min(pieces.len())] {
        let sender = if piece.is_own { "client" } else { "server" };
        match flights.last_mut() {
            Some(flight) if flight.sender == sender => flight.bytes += piece.bytes.len(),
            _ => flights.push(Flight {
                sender,
                bytes: piece.bytes.len(),
                segments: 0,
            }),
        }
    }
    for flight in &mut flights {
        flight.segments = flight.bytes.div_ceil(SEGMENT);
    }
    flights
}

fn status_line(response: &[u8]) -> String {
    let line = response.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    let line = lossy(line.strip_suffix(b"\r").unwrap_or(line));
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
