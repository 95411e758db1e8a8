//! What a connection over TCP tells.

use anyhow::Result;
use client::{Established, Inspection};
use experiment::Side;
use pki::CertifiedKey;
use server::Offered;
use trace::{Message, Protection, Trace};
use wire::{ClientHello, HandshakeType, NamedGroup, ProtocolVersion};

use super::findings::{
    Answer, ClientCertificate, Findings, Flight, Negotiated, PostQuantum, RSA, RoundTrips, Wire,
    lossy, micros, shown,
};
use crate::recorded::Secrets;

/// Payload of a TCP segment over Ethernet with timestamps, in bytes.
const SEGMENT: usize = 1448;
/// The initial window in segments (RFC 6928).
const INITIAL_WINDOW: usize = 10;

impl Findings {
    /// Adds what the connection tells. `first` is the handshake of the session that it
    /// resumes, if that was asked for.
    pub(super) fn add_inspection(&mut self, inspection: &Inspection, first: Option<&Established>) {
        self.address = Some(inspection.address.to_string());
        self.offered = offered(inspection);
        self.times.connect_us = micros(inspection.connect);
        let flights = flights(inspection);
        let count = |sender: &str| -> u64 {
            let own = flights.iter().filter(|flight| flight.sender == sender);
            own.map(|flight| flight.bytes as u64).sum()
        };
        let (bytes_sent, bytes_received) = (count("client"), count("server"));
        let longest = flights.iter().filter(|flight| flight.sender == "server");
        let longest = longest.map(|flight| flight.segments).max().unwrap_or(0);
        self.wire = Wire {
            bytes_sent,
            bytes_received,
            flights,
        };
        if let Some(response) = &inspection.response {
            self.times.first_byte_us = micros(response.first_byte);
            self.response = Some(Answer {
                status_line: status_line(&response.begin),
            });
        }
        let Some(established) = &inspection.established else {
            return;
        };
        self.certificates = shown(&established.chain);
        self.negotiated = Some(negotiated(established, first));
        let scheme = established.negotiated.peer_scheme;
        self.post_quantum = Some(PostQuantum::new(
            group(established),
            scheme,
            &self.certificates,
        ));
        self.verdict = established.verdict.clone().map(Into::into);
        self.round_trips = Some(RoundTrips {
            tcp: 1,
            tls: established.tally.turns,
            fits_initial_window: longest <= INITIAL_WINDOW,
        });
        self.times.handshake_us = micros(established.handshake);
    }

    /// Adds what stands in encrypted messages and no library tells. `own` is the
    /// certificate that the client was given to show.
    pub(super) fn add_secrets(
        &mut self,
        inspection: &Inspection,
        secrets: &Secrets,
        own: Option<&CertifiedKey>,
    ) -> Result<()> {
        let trace = trace::explain(&secrets.capture(self.target.clone(), inspection)?);
        let is_whole = inspection.established.is_some() && is_readable(&trace);
        let request = trace.steps.iter().find_map(|step| match &step.message {
            Message::CertificateRequest(request) => Some(request),
            _ => None,
        });
        let is_sent = trace.steps.iter().any(|step| {
            let sends = match &step.message {
                Message::Certificate(sizes) => !sizes.is_empty(),
                Message::CompressedCertificate(_) => true,
                _ => false,
            };
            step.sender == Side::Client && sends
        });
        self.client_certificate = match (request, is_whole) {
            (None, false) => None,
            (request, _) => Some(ClientCertificate::new(request, is_sent, own)),
        };
        Ok(())
    }
}

fn is_readable(trace: &Trace) -> bool {
    let mut steps = trace.steps.iter();
    trace.error.is_none() && !steps.any(|step| step.protection == Protection::Unread)
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

/// A resumption in TLS 1.2 uses the master secret of its session again, without a key
/// exchange (RFC 5246 appendix F.1.4); OpenSSL tells the group of the session then.
fn reuses_master_secret(established: &Established) -> bool {
    let negotiated = &established.negotiated;
    negotiated.is_resumed && negotiated.version == Some(ProtocolVersion::Tls12)
}

/// The group of this handshake itself.
fn group(established: &Established) -> Option<NamedGroup> {
    let group = established.negotiated.group;
    group.filter(|_| !reuses_master_secret(established))
}

fn negotiated(established: &Established, first: Option<&Established>) -> Negotiated {
    let negotiated = &established.negotiated;
    let session = first.filter(|_| reuses_master_secret(established));
    Negotiated {
        version: negotiated.version.map(|version| format!("TLS {version}")),
        cipher_suite: negotiated.cipher_suite.map(|suite| suite.to_string()),
        server_scheme: negotiated.peer_scheme.map(|scheme| scheme.to_string()),
        client_scheme: negotiated.own_scheme.map(|scheme| scheme.to_string()),
        alpn: established.alpn.as_deref().map(lossy),
        is_resumed: negotiated.is_resumed,
        session_key_exchange: session.map(|first| match first.negotiated.group {
            Some(group) => group.to_string(),
            None => RSA.to_owned(),
        }),
        has_hello_retry: Some(established.has_hello_retry),
        ..Negotiated::of_group(group(established))
    }
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
