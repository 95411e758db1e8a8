//! What a connection over QUIC tells.

use pki::CertifiedKey;
use server::Offered;
use stack::rustls_config::Watched;

use super::findings::{
    Answer, ClientCertificate, Datagrams, Findings, Negotiated, PostQuantum, Wire, lossy, micros,
    shown,
};

impl Findings {
    /// Adds what the client was told of the server, however far the handshake came.
    pub(super) fn add_watched(&mut self, watched: &Watched, own: Option<&CertifiedKey>) {
        self.certificates = shown(&watched.chain);
        self.verdict = watched.verdict.clone().map(Into::into);
        // CertificateRequest comes before the server's Certificate (RFC 8446 section 4.3.2).
        if watched.request.is_some() || !watched.chain.is_empty() {
            let request = watched.request.as_ref();
            let is_sent = watched.own_scheme.is_some();
            self.client_certificate = Some(ClientCertificate::new(request, is_sent, own));
        }
    }

    /// Adds what an exchange tells beside.
    pub(super) fn add_exchange(&mut self, exchange: &quic::Exchange, watched: &Watched) {
        let session = &exchange.session;
        let seen = session.observation.as_ref();
        let group = seen.and_then(|seen| seen.group);
        self.address = Some(session.address.to_string());
        self.offered = seen
            .and_then(|seen| seen.client_hello.as_ref())
            .map(Offered::from);
        self.negotiated = Some(Negotiated {
            version: Some("TLS 1.3".to_owned()),
            cipher_suite: seen.and_then(|s| s.cipher_suite).map(|s| s.to_string()),
            server_scheme: watched.scheme.map(|scheme| scheme.to_string()),
            client_scheme: watched.own_scheme.map(|scheme| scheme.to_string()),
            alpn: session.alpn.as_deref().map(lossy),
            has_hello_retry: seen.map(|seen| seen.has_hello_retry),
            ..Negotiated::of_group(group)
        });
        self.post_quantum = Some(PostQuantum::new(group, watched.scheme, &self.certificates));
        self.wire = Wire {
            bytes_sent: exchange.sent.bytes,
            bytes_received: exchange.received.bytes,
            flights: Vec::new(),
        };
        self.quic = seen.map(|seen| Datagrams {
            datagrams_sent: exchange.sent.datagrams,
            datagrams_received: exchange.received.datagrams,
            first_flight_initials: seen.first_flight.initials,
            has_retry: seen.has_retry,
            bytes_received_before_validation: seen.before_validation.received,
            bytes_sent_before_validation: seen.before_validation.sent,
            bytes_allowed_before_validation: seen.before_validation.limit(),
            is_limit_exhausted: seen.before_validation.is_exhausted(),
            round_trip_us: micros(session.round_trip).unwrap_or(u64::MAX),
        });
        self.response = exchange.response.as_ref().map(|response| Answer {
            status_line: format!("HTTP/3 {}", response.status),
        });
        self.times.handshake_us = micros(session.handshake);
        // As over TCP: what came before the request is no part of it.
        let response = exchange.response.as_ref();
        self.times.first_byte_us = response
            .map(|response| response.first_byte.saturating_sub(session.handshake))
            .and_then(micros);
    }

    /// Adds what is known of a handshake after which the connection failed.
    pub(super) fn add_lost(&mut self, error: &quic::ClientError, watched: &Watched) {
        if is_after_handshake(error) {
            self.negotiated = Some(Negotiated {
                version: Some("TLS 1.3".to_owned()),
                server_scheme: watched.scheme.map(|scheme| scheme.to_string()),
                client_scheme: watched.own_scheme.map(|scheme| scheme.to_string()),
                ..Negotiated::default()
            });
        }
    }
}

fn is_after_handshake(error: &quic::ClientError) -> bool {
    match error {
        quic::ClientError::Alert { stage, .. }
        | quic::ClientError::Timeout { stage, .. }
        | quic::ClientError::Quic { stage, .. } => *stage == quic::Stage::Response,
        quic::ClientError::Http(_) => true,
        _ => false,
    }
}
