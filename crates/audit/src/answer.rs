//! The three values of an observation.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What one question to a peer brought.
///
/// "No" is only what the peer said itself. All else is `Unknown`, with its reason, and a
/// reader must not count it as either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "state", content = "detail", rename_all = "snake_case")]
pub enum Answer<T> {
    /// The peer does it, and this is how.
    Supported(T),
    /// The peer said no.
    Refused(Refusal),
    /// It can't be told.
    Unknown(Unknown),
}

impl<T> Answer<T> {
    /// Not known, for this reason.
    pub fn unknown(cause: Cause, detail: impl Into<String>) -> Self {
        Self::Unknown(Unknown {
            cause,
            detail: detail.into(),
        })
    }

    /// What is supported, if it is.
    pub const fn supported(&self) -> Option<&T> {
        match self {
            Self::Supported(how) => Some(how),
            Self::Refused(_) | Self::Unknown(_) => None,
        }
    }

    /// Whether the peer does it.
    pub const fn is_supported(&self) -> bool {
        matches!(self, Self::Supported(_))
    }

    /// Whether the peer said no.
    pub const fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Whether nothing is known.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// The same answer about something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Supported(how) => Answer::Supported(change(how)),
            Self::Refused(refusal) => Answer::Refused(refusal),
            Self::Unknown(unknown) => Answer::Unknown(unknown),
        }
    }
}

/// How a peer said no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Refusal {
    /// The TLS alert's number (RFC 8446 section 6), where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alert: Option<u8>,
    /// In words: the alert's name, or what the peer chose or said instead.
    pub said: String,
}

impl Refusal {
    /// By a TLS alert.
    pub fn by_alert(alert: wire::AlertDescription) -> Self {
        Self {
            alert: Some(alert.0),
            said: alert.to_string(),
        }
    }

    /// By something else that the peer said or chose.
    pub fn by_choice(said: impl Into<String>) -> Self {
        Self {
            alert: None,
            said: said.into(),
        }
    }
}

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unknown {
    /// The kind of reason.
    pub cause: Cause,
    /// In words.
    pub detail: String,
}

/// The kinds of reasons for knowing nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The name has no address, or the lookup failed.
    Lookup,
    /// No connection: refused, unreachable, or out of local resources.
    Connect,
    /// Nothing within the time, or not all of it.
    Timeout,
    /// The peer reset the connection.
    Reset,
    /// The peer closed the connection before it had answered.
    Closed,
    /// What came is not what the protocol has there.
    Garbage,
    /// The peer answered with an alert that says nothing about the question.
    Alert,
    /// The peer would have to be asked in a way that this version does not know.
    NotImplemented,
    /// The question was not put: something that it needs is missing, or it was not wanted.
    NotAsked,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lookup => "lookup failed",
            Self::Connect => "no connection",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Garbage => "garbage",
            Self::Alert => "other alert",
            Self::NotImplemented => "not implemented",
            Self::NotAsked => "not asked",
        })
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail.is_empty() {
            true => write!(f, "{}", self.cause),
            false => write!(f, "{}: {}", self.cause, self.detail),
        }
    }
}
