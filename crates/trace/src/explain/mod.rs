//! What the messages of a capture mean: for each who computes what, and what an
//! eavesdropper learns.

mod contents;
mod exposure;
mod findings;
mod work;

use experiment::Side;
use wire::{CipherSuiteFacts, HandshakeType, ProtocolVersion};

use crate::Capture;
use crate::capture::{Flight, alternating};
use crate::chain::Chain;
use crate::message::Message;
use crate::reader::{Item, read};
use crate::trace::{
    EarlyData, FlightSummary, INITIAL_WINDOW, Negotiated, PhaseTime, SEGMENT, SideTotals, Step,
    Totals, Trace,
};

/// Reads and explains a capture as far as it goes; [`Trace::error`] tells why it does not go
/// further.
pub fn explain(capture: &Capture) -> Trace {
    let flights = alternating(&capture.flights);
    let (items, error) = read(&flights, &capture.key_log);
    let context = Context::new(&items);
    let findings = findings::findings(&context);
    let flight_summaries = flights.iter().map(summary).collect();
    let totals = totals(&items, &flights);
    let steps = items
        .into_iter()
        .map(|item| {
            let exposure = exposure::exposure(&item, &context);
            Step {
                flight: item.flight,
                sender: item.sender,
                bytes: item.bytes,
                overhead: item.overhead,
                records: item.records,
                protection: item.protection,
                contents: contents::contents(&item, &context),
                seen: exposure.seen,
                secret: exposure.secret,
                work: work::work(&item, &context, &flights),
                message: item.message,
                body: item.body,
            }
        })
        .collect();
    Trace {
        title: capture.title.clone(),
        negotiated: context.negotiated,
        flights: flight_summaries,
        steps,
        findings,
        totals,
        error,
    }
}

/// What the whole capture tells, which the explanation of each message needs.
struct Context {
    negotiated: Negotiated,
    has_server_hello: bool,
    /// Whether a message after the hellos could not be read for want of a secret.
    has_unreadable: bool,
    /// What the chains of the client and of the server rest upon.
    chains: [Option<Chain>; 2],
}

impl Context {
    fn new(items: &[Item]) -> Self {
        let mut context = Self {
            negotiated: Negotiated::default(),
            has_server_hello: false,
            has_unreadable: false,
            chains: [None; 2],
        };
        for item in items {
            context.add(item);
        }
        let server_sent = |is_meant: fn(&Message) -> bool| {
            let mut of_server = items.iter().filter(|item| item.sender == Side::Server);
            of_server.any(|item| is_meant(&item.message))
        };
        // A TLS 1.2 server that changes keys without having shown a certificate resumes
        // (RFC 5246 section 7.3).
        if context.version() == Some(ProtocolVersion::Tls12) {
            context.negotiated.is_resumed = server_sent(|m| *m == Message::ChangeCipherSpec)
                && !server_sent(|m| matches!(m, Message::Certificate(_)));
        }
        context
    }

    fn add(&mut self, item: &Item) {
        let negotiated = &mut self.negotiated;
        match &item.message {
            Message::ClientHello(hello) if hello.early_data => {
                negotiated.early_data = Some(EarlyData::NotAccepted);
            }
            Message::HelloRetryRequest(_) => negotiated.has_hello_retry = true,
            Message::ServerHello(hello, _) => {
                self.has_server_hello = true;
                negotiated.version = hello.version;
                negotiated.cipher_suite = Some(hello.cipher_suite);
                negotiated.group = hello.key_share.map(|share| share.group);
                negotiated.is_resumed = hello.accepts_psk;
            }
            Message::EncryptedExtensions(extensions) if extensions.accepts_early_data => {
                negotiated.early_data = Some(EarlyData::Accepted);
            }
            Message::ServerKeyExchange(Some(exchange)) => {
                negotiated.group = Some(exchange.group);
                negotiated.server_scheme = Some(exchange.signature.scheme);
            }
            Message::CertificateVerify(verify) => match item.sender {
                Side::Server => negotiated.server_scheme = Some(verify.scheme),
                Side::Client => negotiated.client_scheme = Some(verify.scheme),
            },
            Message::Certificate(_) => {
                let version = negotiated.version;
                let chain = version.and_then(|version| Chain::of(&item.body, version));
                self.chains[item.sender as usize] = chain;
            }
            Message::Unreadable => self.has_unreadable = true,
            _ => {}
        }
    }

    const fn version(&self) -> Option<ProtocolVersion> {
        self.negotiated.version
    }

    fn suite(&self) -> Option<&'static CipherSuiteFacts> {
        self.negotiated.cipher_suite?.facts()
    }

    fn is_static_rsa(&self) -> bool {
        self.suite().is_some_and(|facts| facts.static_rsa)
    }
}

fn summary(flight: &Flight) -> FlightSummary {
    FlightSummary {
        sender: flight.sender,
        bytes: flight.bytes.len(),
        segments: flight.bytes.len().div_ceil(SEGMENT),
        offset: flight.offset,
        cpu: flight.cpu,
        phases: flight
            .phases
            .iter()
            .map(|(phase, time)| PhaseTime {
                phase: *phase,
                time: *time,
            })
            .collect(),
    }
}

fn totals(items: &[Item], flights: &[Flight]) -> Totals {
    let mut totals = Totals::default();
    for (index, flight) in flights.iter().enumerate() {
        let bytes: usize = items
            .iter()
            .filter(|item| item.flight == index && item.message.belongs_to_handshake())
            .map(|item| item.bytes + item.overhead)
            .sum();
        let side = match flight.sender {
            Side::Client => &mut totals.client,
            Side::Server => &mut totals.server,
        };
        *side = SideTotals {
            bytes: side.bytes + bytes,
            segments: side.segments + bytes.div_ceil(SEGMENT),
            cpu: match (side.cpu, flight.cpu) {
                (Some(a), Some(b)) => Some(a + b),
                (a, b) => a.or(b),
            },
        };
        if flight.sender == Side::Server {
            totals.largest_server_flight = totals.largest_server_flight.max(bytes);
        }
    }
    totals.fits_initial_window = totals.largest_server_flight <= INITIAL_WINDOW;
    totals.round_trips = round_trips(items, flights);
    totals
}

/// The flights of the server that the client waits for until it has sent its Finished and
/// taken in the server's.
fn round_trips(items: &[Item], flights: &[Flight]) -> Option<usize> {
    let finished = |sender| {
        items
            .iter()
            .find(|item| {
                item.sender == sender && item.message == Message::Handshake(HandshakeType::FINISHED)
            })
            .map(|item| item.flight)
    };
    let last = finished(Side::Client)?.max(finished(Side::Server)?);
    let answers = flights[..=last]
        .iter()
        .filter(|flight| flight.sender == Side::Server)
        .count();
    Some(answers)
}
