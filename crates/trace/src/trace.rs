//! A handshake, step by step.

use std::fmt;
use std::time::Duration;

use experiment::{Phase, Side};
use serde::{Serialize, Serializer};
use wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::error::ReadError;
use crate::message::Message;

/// A connection that was read, as far as it could be.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// What the capture was called.
    pub title: String,
    /// What was negotiated.
    pub negotiated: Negotiated,
    /// Flights in order, of alternating senders.
    pub flights: Vec<FlightSummary>,
    /// Messages in order.
    pub steps: Vec<Step>,
    /// What this handshake is worth against a quantum computer.
    pub findings: Vec<Finding>,
    /// Sums over the handshake.
    pub totals: Totals,
    /// Why the capture could not be read to its end; `None` where it could.
    #[serde(serialize_with = "optional_text")]
    pub error: Option<ReadError>,
}

/// What both sides agreed on; `None` where the capture does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Negotiated {
    /// The version; `None` also for versions before TLS 1.2.
    #[serde(serialize_with = "version_name")]
    pub version: Option<ProtocolVersion>,
    /// The cipher suite.
    #[serde(serialize_with = "optional_text")]
    pub cipher_suite: Option<CipherSuite>,
    /// The group of the key exchange.
    #[serde(serialize_with = "optional_text")]
    pub group: Option<NamedGroup>,
    /// The scheme of the server's signature in this handshake.
    #[serde(serialize_with = "optional_text")]
    pub server_scheme: Option<SignatureScheme>,
    /// The scheme of the client's.
    #[serde(serialize_with = "optional_text")]
    pub client_scheme: Option<SignatureScheme>,
    /// Whether an earlier session was resumed.
    pub is_resumed: bool,
    /// Whether the client had to send a second ClientHello.
    pub has_hello_retry: bool,
    /// What became of 0-RTT data, where the client announced some.
    pub early_data: Option<EarlyData>,
}

/// What became of 0-RTT data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EarlyData {
    /// The server took them.
    Accepted,
    /// It did not, or the capture does not tell.
    NotAccepted,
}

/// What one side sent before it had to wait.
#[derive(Debug, Clone, Serialize)]
pub struct FlightSummary {
    /// Who sent it.
    #[serde(serialize_with = "text")]
    pub sender: Side,
    /// Bytes on the wire, application data included.
    pub bytes: usize,
    /// TCP segments of [`SEGMENT`] bytes that they fill.
    pub segments: usize,
    /// When it was sent, from the start of the connection, in nanoseconds.
    #[serde(rename = "offset_ns", serialize_with = "optional_nanoseconds")]
    pub offset: Option<Duration>,
    /// CPU time of taking in the other side's flight and making this one, in nanoseconds.
    #[serde(rename = "cpu_ns", serialize_with = "optional_nanoseconds")]
    pub cpu: Option<Duration>,
    /// The parts of it that were timed.
    pub phases: Vec<PhaseTime>,
}

/// The time of one phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PhaseTime {
    /// The phase.
    #[serde(serialize_with = "phase_name")]
    pub phase: Phase,
    /// Its time, in nanoseconds.
    #[serde(rename = "time_ns", serialize_with = "nanoseconds")]
    pub time: Duration,
}

/// One message.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Index of its flight; that in which it ended, should it span several.
    pub flight: usize,
    /// Who sent it.
    #[serde(serialize_with = "text")]
    pub sender: Side,
    /// What it is; its name, when serialised.
    #[serde(serialize_with = "text")]
    pub message: Message,
    /// Bytes of the message itself: with its type and length, without the record layer.
    pub bytes: usize,
    /// Bytes of the record layer: headers, tags, padding. Where messages share a record,
    /// the first is charged with them.
    #[serde(rename = "overhead_bytes")]
    pub overhead: usize,
    /// Records that it is charged with.
    pub records: usize,
    /// How it is protected on the wire.
    pub protection: Protection,
    /// Its contents in plain words.
    pub contents: Vec<Fact>,
    /// What an eavesdropper learns from it.
    pub seen: Vec<String>,
    /// What stays secret.
    pub secret: Vec<String>,
    /// Who computes what for it.
    pub work: Vec<Work>,
    /// The content that was read, for whoever wants more than `contents`: of a handshake
    /// message without type and length.
    #[serde(skip)]
    pub body: Vec<u8>,
}

/// How a message is protected on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// Not at all.
    Clear,
    /// By the keys of 0-RTT data.
    EarlyData,
    /// By the handshake keys of TLS 1.3.
    Handshake,
    /// By the application keys of TLS 1.3.
    Application,
    /// By the keys of TLS 1.2.
    Tls12,
    /// By keys that the key log does not have.
    Unread,
}

impl Protection {
    /// Whether it is encrypted.
    pub const fn is_encrypted(self) -> bool {
        !matches!(self, Self::Clear)
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Clear => "in the clear",
            Self::EarlyData => "encrypted, 0-RTT keys",
            Self::Handshake => "encrypted, handshake keys",
            Self::Application => "encrypted, application keys",
            Self::Tls12 => "encrypted, session keys",
            Self::Unread => "encrypted, no key logged",
        })
    }
}

/// A name and what stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// For example `key shares`.
    pub name: &'static str,
    /// For example `x25519 (32 bytes)`.
    pub value: String,
}

/// A computation that a message brings about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Work {
    /// Who does it.
    #[serde(serialize_with = "text")]
    pub side: Side,
    /// What it does, from the verb on.
    pub what: String,
    /// The time it took, in nanoseconds; `None` where it was not measured.
    #[serde(rename = "time_ns", serialize_with = "optional_nanoseconds")]
    pub time: Option<Duration>,
}

/// A statement about what protects the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// Whether a quantum computer breaks it.
    pub verdict: Verdict,
    /// The statement.
    pub text: String,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Confidentiality of the application data, recorded today.
    Confidentiality,
    /// Of 0-RTT data.
    EarlyData,
    /// The proof of who the server is.
    ServerAuthentication,
    /// The proof of who the client is.
    ClientAuthentication,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Confidentiality => "confidentiality",
            Self::EarlyData => "0-RTT data",
            Self::ServerAuthentication => "server authentication",
            Self::ClientAuthentication => "client authentication",
        })
    }
}

/// Whether a quantum computer breaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It does.
    Falls,
    /// It does not, as far as is known.
    Holds,
    /// That depends on what the capture does not tell.
    Open,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Falls => "falls",
            Self::Holds => "holds",
            Self::Open => "open",
        })
    }
}

/// Sums over the handshake. Application data and the closing alerts count for nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// What the client sent.
    pub client: SideTotals,
    /// What the server sent.
    pub server: SideTotals,
    /// Bytes of the server's largest flight.
    #[serde(rename = "largest_server_flight_bytes")]
    pub largest_server_flight: usize,
    /// Whether it may be sent before an acknowledgement (RFC 6928): see
    /// [`INITIAL_WINDOW`].
    pub fits_initial_window: bool,
    /// Round trips until the client may send application data; `None` where the handshake
    /// was not seen to end.
    pub round_trips: Option<usize>,
}

/// Sums over what one side sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SideTotals {
    /// Bytes on the wire.
    pub bytes: usize,
    /// TCP segments.
    pub segments: usize,
    /// CPU time of all its flights, in nanoseconds; `None` where not measured.
    #[serde(rename = "cpu_ns", serialize_with = "optional_nanoseconds")]
    pub cpu: Option<Duration>,
}

impl Totals {
    /// What one side sent.
    pub const fn of(&self, side: Side) -> SideTotals {
        match side {
            Side::Client => self.client,
            Side::Server => self.server,
        }
    }
}

/// TCP payload of one segment on Ethernet with IPv4 and timestamps, in bytes.
pub const SEGMENT: usize = 1448;
/// Ten segments: what a sender may have in flight before the first acknowledgement
/// (RFC 6928 section 2), in bytes.
pub const INITIAL_WINDOW: usize = 10 * SEGMENT;

fn text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn optional_text<T: fmt::Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

fn version_name<S: Serializer>(
    version: &Option<ProtocolVersion>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let version = version.map(|version| wire::version_name(version.code_point()));
    optional_text(&version, serializer)
}

fn nanoseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // 584 years fit.
    serializer.serialize_u64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

fn optional_nanoseconds<S: Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => nanoseconds(time, serializer),
        None => serializer.serialize_none(),
    }
}

fn phase_name<S: Serializer>(phase: &Phase, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(crate::words::phase(*phase))
}
