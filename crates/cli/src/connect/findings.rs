//! What was found out about a server, for programs. The names of fields stay, and tell the
//! unit: `schema` changes with them.

use pki::{Certificate, CertifiedKey};
use rustls_pki_types::CertificateDer;
use serde::Serialize;
use server::Offered;
use stack::Verdict as ChainVerdict;
use time::format_description::well_known::Rfc3339;
use wire::{CertificateRequest, GroupKind, NamedGroup, NistCategory, SignatureScheme};

use super::failure::Failure;
use crate::output::{SCHEMA, TOOL_VERSION};
use crate::target::Target;

/// What stands in for a group where the client encrypts the secret (RFC 5246 section 7.4.7.1).
pub(super) const RSA: &str = "RSA key transport";

/// The result first, then how it came about. What was not reached is null.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    pub(super) schema: u32,
    pub(super) tool_version: &'static str,
    pub(super) target: String,
    /// `tcp` or `quic`.
    pub(super) transport: &'static str,
    pub(super) address: Option<String>,
    pub(super) stack: Option<String>,
    /// Null exactly where the exit code is 0.
    pub(super) error: Option<Failure>,
    pub(super) verdict: Option<Verdict>,
    pub(super) post_quantum: Option<PostQuantum>,
    pub(super) offered: Option<Offered>,
    pub(super) negotiated: Option<Negotiated>,
    /// Whether the server asked for one; null where that can't be read.
    pub(super) client_certificate: Option<ClientCertificate>,
    pub(super) certificates: Vec<Shown>,
    pub(super) wire: Wire,
    pub(super) round_trips: Option<RoundTrips>,
    /// What there is over QUIC only.
    pub(super) quic: Option<Datagrams>,
    pub(super) response: Option<Answer>,
    pub(super) times: Times,
}

#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) is_trusted: bool,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct PostQuantum {
    pub(super) key_exchange: bool,
    /// The handshake's signature; none in a resumption.
    pub(super) authentication: Option<bool>,
    /// Whether every signature of the chain that was sent is, too.
    pub(super) chain: Option<bool>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Negotiated {
    pub(super) version: Option<String>,
    pub(super) cipher_suite: Option<String>,
    pub(super) group: Option<String>,
    /// `classical`, `post-quantum` or `hybrid`; none for RSA key transport.
    pub(super) group_kind: Option<&'static str>,
    /// 1, 3 or 5; none for a classical group.
    pub(super) nist_category: Option<u8>,
    /// What the server signed with; none in a resumption.
    pub(super) server_scheme: Option<String>,
    /// What the client signed with, if it showed a certificate.
    pub(super) client_scheme: Option<String>,
    pub(super) alpn: Option<String>,
    pub(super) is_resumed: bool,
    /// The key exchange of the handshake whose master secret a resumption in TLS 1.2 uses
    /// again: a group, or `RSA key transport`.
    pub(super) session_key_exchange: Option<String>,
    /// Null where a connection over QUIC failed after its handshake: as the group, the suite and
    /// the protocol, it is not known then.
    pub(super) has_hello_retry: Option<bool>,
}

/// CertificateRequest, and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct ClientCertificate {
    pub(super) is_requested: bool,
    /// What the server can verify, in its order.
    pub(super) signature_schemes: Vec<String>,
    /// Subjects of the authorities that it names.
    pub(super) authorities: Vec<String>,
    pub(super) is_sent: bool,
    /// The subject of what was sent.
    pub(super) subject: Option<String>,
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

/// Over TCP that of the handshake, record headers included; over QUIC everything.
#[derive(Debug, Default, Serialize)]
pub(super) struct Wire {
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
    pub(super) flights: Vec<Flight>,
}

#[derive(Debug, Serialize)]
pub(super) struct Flight {
    pub(super) sender: &'static str,
    pub(super) bytes: usize,
    /// TCP segments at 1,448 bytes each.
    pub(super) segments: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct RoundTrips {
    pub(super) tcp: u32,
    pub(super) tls: u32,
    /// Whether the server's longest flight fits an initial window of ten segments: one
    /// more round trip on a real network if not (RFC 6928).
    pub(super) fits_initial_window: bool,
}

/// The datagrams of a QUIC handshake.
#[derive(Debug, Serialize)]
pub(super) struct Datagrams {
    pub(super) datagrams_sent: u64,
    pub(super) datagrams_received: u64,
    /// Initial packets of the client before the server's first word: two where a
    /// post-quantum key share does not fit into one.
    pub(super) first_flight_initials: u64,
    pub(super) has_retry: bool,
    /// From the client before its address was validated.
    pub(super) bytes_received_before_validation: u64,
    /// To it until then; three times as many are allowed (RFC 9000 section 8.1).
    pub(super) bytes_sent_before_validation: u64,
    pub(super) bytes_allowed_before_validation: u64,
    /// Whether the server had to wait for the client at that limit.
    pub(super) is_limit_exhausted: bool,
    pub(super) round_trip_us: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) status_line: String,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Times {
    pub(super) resolve_us: Option<u64>,
    pub(super) connect_us: Option<u64>,
    pub(super) handshake_us: Option<u64>,
    /// From the end of the handshake, with which the request is sent.
    pub(super) first_byte_us: Option<u64>,
}

impl Findings {
    /// Nothing yet.
    pub(super) fn new(target: &Target, transport: &'static str) -> Self {
        Self {
            schema: SCHEMA,
            tool_version: TOOL_VERSION,
            target: target.to_string(),
            transport,
            address: None,
            stack: None,
            error: None,
            verdict: None,
            post_quantum: None,
            offered: None,
            negotiated: None,
            client_certificate: None,
            certificates: Vec::new(),
            wire: Wire::default(),
            round_trips: None,
            quic: None,
            response: None,
            times: Times::default(),
        }
    }

    /// Whether the server's chain was judged and is not trusted.
    pub(super) fn is_stranger(&self) -> bool {
        let verdict = self.verdict.as_ref();
        verdict.is_some_and(|verdict| !verdict.is_trusted)
    }

    /// Why not.
    pub(super) fn reason(&self) -> &str {
        let verdict = self.verdict.as_ref();
        let reason = verdict.and_then(|verdict| verdict.reason.as_deref());
        reason.unwrap_or("no reason given")
    }
}

impl From<ChainVerdict> for Verdict {
    fn from(verdict: ChainVerdict) -> Self {
        Self {
            is_trusted: verdict.is_ok(),
            reason: verdict.err(),
        }
    }
}

impl PostQuantum {
    pub(super) fn new(
        group: Option<NamedGroup>,
        scheme: Option<SignatureScheme>,
        chain: &[Shown],
    ) -> Self {
        let is_post_quantum =
            |scheme: SignatureScheme| scheme.facts().is_some_and(|facts| facts.post_quantum);
        let is_chain = || chain.iter().all(|shown| shown.is_post_quantum_signature);
        Self {
            key_exchange: group.is_some_and(|group| group.is_post_quantum()),
            authentication: scheme.map(is_post_quantum),
            chain: (!chain.is_empty()).then(is_chain),
        }
    }
}

impl Negotiated {
    /// What follows from the group alone.
    pub(super) fn of_group(group: Option<NamedGroup>) -> Self {
        let facts = group.and_then(|group| group.facts());
        Self {
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
            ..Self::default()
        }
    }
}

impl ClientCertificate {
    /// `own` is what the client was given to show.
    pub(super) fn new(
        request: Option<&CertificateRequest>,
        is_sent: bool,
        own: Option<&CertifiedKey>,
    ) -> Self {
        let (schemes, authorities) = request.map_or((&[][..], &[][..]), |request| {
            (&request.signature_schemes, &request.authorities)
        });
        let subject = own.and_then(|own| shown(own.chain()).into_iter().next());
        Self {
            is_requested: request.is_some(),
            signature_schemes: schemes.iter().map(|scheme| scheme.label()).collect(),
            authorities: authorities.iter().map(|name| authority(name)).collect(),
            is_sent,
            subject: subject.filter(|_| is_sent).map(|own| own.subject),
        }
    }
}

fn authority(der: &[u8]) -> String {
    pki::distinguished_name_from_der(der).unwrap_or_else(|| "a name that can't be read".to_owned())
}

/// The certificates that can be read.
pub(super) fn shown(chain: &[CertificateDer<'_>]) -> Vec<Shown> {
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

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(super) fn micros(duration: std::time::Duration) -> Option<u64> {
    u64::try_from(duration.as_micros()).ok()
}
