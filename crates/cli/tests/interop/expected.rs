//! What must come of a case, and whether both sides say so.

use wire::{NamedGroup, ProtocolVersion, SignatureAlgorithm};

use crate::peers::haproxy;
use crate::terms::{CLIENT_NAME, SERVER_NAME, Seen, View};

/// What must come of a case.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    Agreed(Agreement),
    Refused(Refusal),
}

#[derive(Debug, Clone)]
pub(crate) struct Agreement {
    pub(crate) version: ProtocolVersion,
    pub(crate) group: NamedGroup,
    pub(crate) authentication: SignatureAlgorithm,
    pub(crate) has_client_certificate: bool,
    pub(crate) alpn: Option<&'static str>,
    pub(crate) is_resumed: bool,
    pub(crate) has_hello_retry: bool,
}

/// Why a handshake must fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The server finds no group that it has.
    NoCommonGroup,
    /// The server has no certificate whose signatures the client verifies.
    NoCommonScheme,
    /// The client finds no way from the server's chain to its anchor.
    UnknownServer,
    /// The server finds no way from the client's chain to its anchor.
    UnknownClient,
    /// The server asked for a certificate and got none.
    NoClientCertificate,
}

/// The two sides of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Expected {
    /// Compares it with what both sides say. `by_alert` is whether the side that finds fault
    /// with a certificate says so by an alert.
    pub(crate) fn check(&self, client: &Seen, server: &Seen, by_alert: bool) -> Result<(), String> {
        match self {
            Self::Agreed(agreement) => {
                agreement.check(agreed(client, "client")?, Side::Client)?;
                agreement.check(agreed(server, "server")?, Side::Server)
            }
            Self::Refused(refusal) => {
                let (finder, told) = match refusal.finder() {
                    Side::Client => (client, server),
                    Side::Server => (server, client),
                };
                refusal.check_words(finder, refusal.words_of_finder())?;
                match refusal {
                    Refusal::NoCommonGroup | Refusal::NoCommonScheme => {}
                    // The server may find its handshake good, and its client gone.
                    Refusal::UnknownServer if !by_alert => return Ok(()),
                    // The client's request is not answered as it should be.
                    _ if !by_alert => return refused(told).map(drop),
                    _ => {}
                }
                refusal.check_words(told, refusal.words_of_alert())
            }
        }
    }
}

fn agreed<'a>(seen: &'a Seen, side: &str) -> Result<&'a View, String> {
    match seen {
        Seen::Agreed(view) => Ok(view),
        Seen::Refused(error) => Err(format!("the {side} says: {error}")),
        Seen::Unnoticed => Err(format!("the {side} says nothing")),
    }
}

fn refused(seen: &Seen) -> Result<&str, String> {
    match seen {
        Seen::Refused(error) => Ok(error),
        Seen::Agreed(_) => Err("one side says that all is well".to_owned()),
        Seen::Unnoticed => Err("one side says nothing".to_owned()),
    }
}

impl Agreement {
    fn check(&self, view: &View, side: Side) -> Result<(), String> {
        let name = match side {
            Side::Client => "client",
            Side::Server => "server",
        };
        let differs = |what: &str, told: Option<String>, expected: String| match told {
            Some(told) if told != expected => Err(format!(
                "the {name} says {what} {told}, and it should be {expected}"
            )),
            _ => Ok(()),
        };
        let shown = |value: Option<bool>| value.map(|value| value.to_string());
        // A spelling that is not understood must not pass for silence.
        for (told, understood) in [
            (&view.version, view.version().is_some()),
            (&view.group, view.group().is_some()),
            (&view.authentication, view.authentication().is_some()),
        ] {
            if let (Some(told), false) = (told, understood) {
                return Err(format!("the {name} says {told:?}, which is unknown here"));
            }
        }
        differs(
            "version",
            view.version().map(|version| version.to_string()),
            self.version.to_string(),
        )?;
        differs(
            "group",
            view.group().map(|group| group.to_string()),
            self.group.to_string(),
        )?;
        differs(
            "certificate",
            view.authentication().map(|algorithm| algorithm.to_string()),
            self.authentication.to_string(),
        )?;
        differs(
            "resumed",
            shown(view.is_resumed),
            self.is_resumed.to_string(),
        )?;
        differs(
            "HelloRetryRequest",
            shown(view.has_hello_retry),
            self.has_hello_retry.to_string(),
        )?;
        if let Some(alpn) = self.alpn {
            differs("ALPN", view.alpn.clone(), alpn.to_owned())?;
        }
        let peer = view.peer.as_deref().unwrap_or_default();
        match side {
            // There is no certificate in a resumption.
            Side::Client if view.is_trusted != Some(true) && !self.is_resumed => {
                Err("the client does not say that it verified the server".to_owned())
            }
            Side::Client if !peer.is_empty() && !peer.contains(SERVER_NAME) => {
                Err(format!("the client connected to {peer}"))
            }
            Side::Server if self.has_client_certificate && !peer.contains(CLIENT_NAME) => {
                Err(format!("the server does not name the client, but {peer:?}"))
            }
            Side::Server if !self.has_client_certificate && !peer.is_empty() => {
                Err(format!("the server names {peer} without its certificate"))
            }
            _ => Ok(()),
        }
    }
}

impl Refusal {
    /// The side that finds the fault; the other is told by an alert.
    const fn finder(self) -> Side {
        match self {
            Self::UnknownServer => Side::Client,
            Self::NoCommonGroup
            | Self::NoCommonScheme
            | Self::UnknownClient
            | Self::NoClientCertificate => Side::Server,
        }
    }

    fn check_words(self, seen: &Seen, words: &[&str]) -> Result<(), String> {
        let error = refused(seen)?;
        let said = letters(error);
        if words.iter().any(|words| said.contains(&letters(words))) {
            Ok(())
        } else {
            Err(format!("another reason than {self:?}: {error}"))
        }
    }

    /// How the programs put it when they find it. pqlab's server counts faults of its clients.
    const fn words_of_finder(self) -> &'static [&'static str] {
        match self {
            Self::NoCommonGroup => &[
                "no suitable key share",
                "no key exchanges supported by both",
                "no shared group",
                "peer_fault",
            ],
            Self::NoCommonScheme => &["peer_fault"],
            Self::UnknownServer | Self::UnknownClient => &[
                "unknown issuer",
                "unable to get local issuer certificate",
                "UNABLE_TO_GET_ISSUER_CERT",
                "unable to verify the first certificate",
                "certificate signed by unknown authority",
                "certificate verify failed",
                "certificate verify error",
                "ERR_CERT_AUTHORITY_INVALID",
                "peer_fault",
                haproxy::NO_REASON,
            ],
            Self::NoClientCertificate => &[
                "peer did not return a certificate",
                "client didn't provide a certificate",
                "client sent no required SSL certificate",
                "peer_fault",
            ],
        }
    }

    /// The alerts that may be sent for it (RFC 8446 section 6.2), in all spellings.
    const fn words_of_alert(self) -> &'static [&'static str] {
        match self {
            Self::NoCommonGroup | Self::NoCommonScheme => &[
                "handshake_failure",
                "illegal_parameter",
                // Chromium's word for handshake_failure.
                "ERR_SSL_VERSION_OR_CIPHER_MISMATCH",
                haproxy::NO_REASON,
            ],
            Self::UnknownServer | Self::UnknownClient => &[
                "unknown_ca",
                // Some clients hold a certificate back that the server does not ask for.
                "certificate_required",
                "unknown certificate authority",
                "bad_certificate",
                "certificate_unknown",
                "unknown certificate",
                // pqlab's server counts alerts.
                "alert",
                ENVOY_AFTERWARDS,
                haproxy::NO_REASON,
            ],
            Self::NoClientCertificate => &[
                "certificate_required",
                "certificate required",
                "handshake_failure",
                "bad_certificate",
                ENVOY_AFTERWARDS,
                haproxy::NO_REASON,
            ],
        }
    }
}

/// What Envoy says of an alert that comes when the handshake is over for it.
const ENVOY_AFTERWARDS: &str = "reset_before_response_started{connection_termination}";

/// "NO_SHARED_GROUP", "NoSharedGroup" and "no shared group" are one.
fn letters(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}
