//! Why there is no connection, or none to a server that is trusted.

use anyhow::anyhow;
use client::load::{FailureKind, LoadError};
use client::{ClientError, Inspection};
use serde::Serialize;
use wire::{AlertDescription, ContentType};

use super::findings::Findings;
use crate::BadInput;
use crate::target::LookupError;

/// For programs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    /// One of `pqlab load`'s kinds, or of those below.
    kind: &'static str,
    /// What happened, with its causes.
    pub(super) text: String,
    /// What may be behind it, and what to try.
    pub(super) hint: Option<String>,
}

/// The arguments or a file are wrong.
const BAD_INPUT: &str = "bad-input";
/// The host's name has no address.
const NO_ADDRESS: &str = "no-address";
/// The server answered with something else than TLS.
const NOT_TLS: &str = "not-tls";
/// A resumption without a ticket.
pub(super) const NO_TICKET: &str = "no-ticket";
/// The server does not speak this version of QUIC, or takes no connection now.
const REFUSED: &str = "refused";
/// The server's HTTP/3 is broken.
const HTTP: &str = "http";
/// This machine does not give what is needed.
const SYSTEM: &str = "system";
/// There is a connection; the server is not trusted.
const UNTRUSTED: &str = "untrusted";

/// What ended it before its end.
#[derive(Debug)]
pub(crate) struct Stopped {
    kind: &'static str,
    pub(crate) error: anyhow::Error,
    /// What the server said, if it said anything.
    alert: Option<AlertDescription>,
}

impl Stopped {
    pub(super) const fn new(kind: &'static str, error: anyhow::Error) -> Self {
        Self {
            kind,
            error,
            alert: None,
        }
    }

    /// Of a connection that was made and failed. A server without TLS is called that, and
    /// not what the library makes of its bytes.
    pub(crate) fn of_inspection(failure: ClientError, inspection: &Inspection) -> Self {
        match words_without_tls(inspection) {
            Some(words) => Self::new(NOT_TLS, anyhow!("the server does not speak TLS: {words}")),
            None => anyhow::Error::from(failure).into(),
        }
    }
}

impl From<anyhow::Error> for Stopped {
    fn from(error: anyhow::Error) -> Self {
        let (kind, alert) = if error.is::<BadInput>() {
            (BAD_INPUT, None)
        } else if let Some(error) = error.downcast_ref::<ClientError>() {
            let alert = match error {
                ClientError::Alert { alert, .. } => Some(*alert),
                _ => None,
            };
            (FailureKind::of(error).name(), alert)
        } else if let Some(error) = error.downcast_ref::<quic::ClientError>() {
            of_quic(error)
        } else if error.is::<LookupError>() {
            (NO_ADDRESS, None)
        } else if let Some(LoadError::NoTickets { kind, .. }) = error.downcast_ref() {
            (kind.map_or(NO_TICKET, FailureKind::name), None)
        } else {
            (SYSTEM, None)
        };
        Self { kind, error, alert }
    }
}

fn of_quic(error: &quic::ClientError) -> (&'static str, Option<AlertDescription>) {
    let kind = match error {
        quic::ClientError::Alert { alert, .. } => {
            return (FailureKind::Alert.name(), Some(*alert));
        }
        quic::ClientError::Setup(_) => BAD_INPUT,
        quic::ClientError::Socket(_) => FailureKind::NoSocket.name(),
        quic::ClientError::Timeout { stage, .. } => match stage {
            quic::Stage::Handshake => FailureKind::HandshakeTimeout.name(),
            quic::Stage::Response => FailureKind::ResponseTimeout.name(),
        },
        quic::ClientError::Version | quic::ClientError::Refused => REFUSED,
        quic::ClientError::Verification(_) => FailureKind::Verification.name(),
        quic::ClientError::Quic { .. } => FailureKind::Protocol.name(),
        quic::ClientError::Http(_) => HTTP,
    };
    (kind, None)
}

impl Failure {
    /// What stopped a connection, in the light of what was found out until then; or that the
    /// server is not trusted.
    pub(super) fn of(stopped: Option<&Stopped>, findings: &Findings) -> Option<Self> {
        match stopped {
            Some(stopped) => Some(Self {
                hint: stopped.alert.and_then(|alert| hint(alert, findings)),
                ..Self::without_hint(stopped)
            }),
            None => findings
                .is_stranger()
                .then(|| Self::untrusted(findings.reason())),
        }
    }

    /// Where nothing else was found out.
    pub(crate) fn without_hint(stopped: &Stopped) -> Self {
        Self {
            kind: stopped.kind,
            text: format!("{:#}", stopped.error),
            hint: None,
        }
    }

    pub(crate) fn untrusted(reason: &str) -> Self {
        Self {
            kind: UNTRUSTED,
            text: format!("the server is not trusted: {reason}"),
            hint: None,
        }
    }
}

/// What servers say that miss a certificate.
const MISSES_CERTIFICATE: [AlertDescription; 5] = [
    AlertDescription::HANDSHAKE_FAILURE,
    AlertDescription::BAD_CERTIFICATE,
    AlertDescription::CERTIFICATE_UNKNOWN,
    AlertDescription::ACCESS_DENIED,
    AlertDescription::CERTIFICATE_REQUIRED,
];

/// What an alert often means, given what was offered and asked for (RFC 8446 section 6.2).
fn hint(alert: AlertDescription, findings: &Findings) -> Option<String> {
    let wants_certificate = findings
        .client_certificate
        .as_ref()
        .is_some_and(|asked| asked.is_requested && !asked.is_sent);
    match alert {
        alert if wants_certificate && MISSES_CERTIFICATE.contains(&alert) => Some(
            "The server asked for a client certificate and got none: give one with --cert and \
             --key, or with --auth, whose key it can verify."
                .to_owned(),
        ),
        AlertDescription::HANDSHAKE_FAILURE => {
            let common = "The server takes none of the groups, of the cipher suites or of the \
                          signature schemes that were offered.";
            let ml_dsa = match findings.offered.as_ref() {
                Some(offered) if offered.versions.iter().all(|version| version != "TLS 1.3") => {
                    "TLS 1.2 has no ML-DSA: a server with an ML-DSA certificate alone refuses \
                     this offer. Leave 1.3 in --tls."
                }
                Some(offered) if !offered.ml_dsa => {
                    "There is no ML-DSA among them: a server with an ML-DSA certificate alone \
                     refuses this offer. --stack rustls and --stack openssl have it."
                }
                _ => return Some(common.to_owned()),
            };
            Some(format!("{common} {ml_dsa}"))
        }
        AlertDescription::PROTOCOL_VERSION => {
            Some("The server takes none of the versions that were offered: see --tls.".to_owned())
        }
        _ => None,
    }
}

/// What a server said in the place of its first record.
fn words_without_tls(inspection: &Inspection) -> Option<String> {
    const SHOWN: usize = 60;
    if inspection.established.is_some() {
        return None;
    }
    let pieces = inspection.recording.pieces.iter();
    let received = pieces.filter(|piece| !piece.is_own);
    let words: Vec<u8> = received.flat_map(|piece| piece.bytes.clone()).collect();
    match ContentType::from_byte(*words.first()?) {
        ContentType::Unknown(_) => {}
        _ => return None,
    }
    let known = [
        (&b"HTTP/"[..], "it answers in plain HTTP"),
        (b"SSH-", "it speaks SSH"),
        (b"220", "it speaks SMTP or FTP, which begin without TLS"),
        (b"* OK", "it speaks IMAP, which begins without TLS"),
        (b"+OK", "it speaks POP3, which begins without TLS"),
    ];
    let known = known
        .into_iter()
        .find(|(begin, _)| words.starts_with(begin));
    let protocol = known.map_or("it answers in another protocol", |(_, protocol)| protocol);
    let begin = words[..words.len().min(SHOWN)].escape_ascii();
    let more = if words.len() > SHOWN { "…" } else { "" };
    Some(format!("{protocol}: \"{begin}{more}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::findings::ClientCertificate;

    /// Another alert says something else, whatever else was asked for.
    #[test]
    fn a_missing_certificate_is_named_where_the_alert_may_be_about_it() {
        let target = "localhost:1".parse().unwrap();
        let request = wire::CertificateRequest {
            signature_schemes: Vec::new(),
            authorities: Vec::new(),
        };
        for (is_sent, number, is_named) in [
            (false, 116, true),
            (false, 40, true),
            (false, 42, true),
            (false, 70, false),
            (false, 80, false),
            (true, 116, false),
        ] {
            let mut findings = Findings::new(&target, "tcp");
            let asked = ClientCertificate::new(Some(&request), is_sent, None);
            findings.client_certificate = Some(asked);
            let hint = hint(AlertDescription(number), &findings);
            let names = hint.as_ref().is_some_and(|hint| hint.contains("--cert"));
            assert_eq!(names, is_named, "{number}: {hint:?}");
        }
    }
}
