//! What a sample is a value of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::QuicMetric;

/// The side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The side that connects.
    Client,
    /// The side that listens.
    Server,
}

impl Side {
    /// Both, client first.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Server];

    /// The side at the other end.
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One way of measuring; a matrix gives each its share of the time.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Meter {
    /// CPU and wall time of each side, in memory.
    Cpu,
    /// Where that time goes: the pluggable cryptography timed in place.
    Phases,
    /// Bytes, records and segments of every flight.
    Bytes,
    /// Heap held by a connection, and allocations per handshake.
    Memory,
    /// The same handshakes over QUIC: CPU time, round trips, datagrams.
    Quic,
    /// Handshakes back to back, on one core and on all.
    Throughput,
    /// The time a client waits, over TCP.
    Latency,
    /// Bulk data through an established connection.
    Transfer,
    /// Cryptographic operations alone.
    Primitives,
}

impl Meter {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 9] = [
        Self::Bytes,
        Self::Memory,
        Self::Quic,
        Self::Primitives,
        Self::Phases,
        Self::Cpu,
        Self::Throughput,
        Self::Transfer,
        Self::Latency,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Phases => "phases",
            Self::Bytes => "bytes",
            Self::Memory => "memory",
            Self::Quic => "quic",
            Self::Throughput => "throughput",
            Self::Latency => "latency",
            Self::Transfer => "transfer",
            Self::Primitives => "primitives",
        }
    }
}

impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The pluggable cryptography within a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The client makes its key share.
    GenerateShare,
    /// The shared secret: the client's completion, or the server's share and completion at once.
    Agree,
    /// The signature of CertificateVerify, or of ServerKeyExchange in TLS 1.2.
    Sign,
    /// The peer's certificates and its signature.
    Verify,
}

impl Phase {
    /// All of them, in the order of every chart.
    pub const ALL: [Self; 4] = [Self::GenerateShare, Self::Agree, Self::Sign, Self::Verify];

    const fn name(self) -> &'static str {
        match self {
            Self::GenerateShare => "generate-share",
            Self::Agree => "agree",
            Self::Sign => "sign",
            Self::Verify => "verify",
        }
    }
}

/// What a value counts. Less is better for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// Things: records, segments, allocations, round trips.
    Count,
}

/// The quantity that a sample is a value of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Thread CPU time that a side spends in one handshake.
    Cpu(Side),
    /// Wall time that a side spends in one handshake, waiting excluded.
    Wall(Side),
    /// Wall time that a side spends on tickets after both may send application data.
    Tickets(Side),
    /// Wall time of one phase within a handshake.
    Phase(Side, Phase),
    /// Bytes of a flight; the first is flight 1.
    FlightBytes(u8, Side),
    /// TLS records of a flight.
    FlightRecords(u8, Side),
    /// TCP segments of a flight, at a maximum segment size of 1448 bytes.
    FlightSegments(u8, Side),
    /// Heap bytes that one side of an established connection holds.
    Heap(Side),
    /// The most heap that one side of a handshake held at a time.
    HeapPeak(Side),
    /// Calls of malloc and its kin by one side during a handshake.
    Allocations(Side),
    /// Wall time per handshake of both sides, back to back on one thread.
    IntervalOneCore,
    /// Wall time per handshake of both sides, with one thread on each core.
    IntervalAllCores,
    /// From `connect` to an established TCP connection.
    Connect,
    /// From building the client's connection, in which some libraries make their key
    /// share, until the client may send.
    HandshakeLatency,
    /// From `connect` to the first byte of a response.
    FirstByte,
    /// Wall time to encrypt one record.
    Send,
    /// Wall time to decrypt one record.
    Receive,
    /// Wall time of one operation.
    Operation,
    /// A quantity of a handshake over QUIC.
    Quic(QuicMetric),
}

impl Metric {
    /// What its values count.
    pub const fn unit(self) -> Unit {
        match self {
            Self::FlightBytes(..) | Self::Heap(_) | Self::HeapPeak(_) => Unit::Bytes,
            Self::FlightRecords(..) | Self::FlightSegments(..) | Self::Allocations(_) => {
                Unit::Count
            }
            Self::Quic(metric) => metric.unit(),
            _ => Unit::Nanoseconds,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu(side) => write!(f, "{side}.cpu"),
            Self::Wall(side) => write!(f, "{side}.wall"),
            Self::Tickets(side) => write!(f, "{side}.tickets"),
            Self::Phase(side, phase) => write!(f, "{side}.phase.{}", phase.name()),
            Self::FlightBytes(flight, sender) => write!(f, "flight{flight}.{sender}.bytes"),
            Self::FlightRecords(flight, sender) => write!(f, "flight{flight}.{sender}.records"),
            Self::FlightSegments(flight, sender) => write!(f, "flight{flight}.{sender}.segments"),
            Self::Heap(side) => write!(f, "{side}.heap"),
            Self::HeapPeak(side) => write!(f, "{side}.heap-peak"),
            Self::Allocations(side) => write!(f, "{side}.allocations"),
            Self::IntervalOneCore => f.write_str("interval.one-core"),
            Self::IntervalAllCores => f.write_str("interval.all-cores"),
            Self::Connect => f.write_str("connect"),
            Self::HandshakeLatency => f.write_str("handshake"),
            Self::FirstByte => f.write_str("first-byte"),
            Self::Send => f.write_str("send"),
            Self::Receive => f.write_str("receive"),
            Self::Operation => f.write_str("operation"),
            Self::Quic(metric) => write!(f, "quic.{metric}"),
        }
    }
}

/// The text names no metric of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown metric {0:?}: was the run written by a newer pqlab?")]
pub struct UnknownMetric(pub(crate) String);

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownMetric(text.to_owned());
        let whole = match text {
            "interval.one-core" => Some(Self::IntervalOneCore),
            "interval.all-cores" => Some(Self::IntervalAllCores),
            "connect" => Some(Self::Connect),
            "handshake" => Some(Self::HandshakeLatency),
            "first-byte" => Some(Self::FirstByte),
            "send" => Some(Self::Send),
            "receive" => Some(Self::Receive),
            "operation" => Some(Self::Operation),
            _ => None,
        };
        if let Some(metric) = whole {
            return Ok(metric);
        }
        let (head, tail) = text.split_once('.').ok_or_else(unknown)?;
        if head == "quic" {
            let metric = QuicMetric::parse(tail).ok_or_else(unknown)?;
            return Ok(Self::Quic(metric));
        }
        if let Some(flight) = head.strip_prefix("flight") {
            let flight = flight.parse().map_err(|_| unknown())?;
            let (sender, what) = tail.split_once('.').ok_or_else(unknown)?;
            let sender = side(sender).ok_or_else(unknown)?;
            return match what {
                "bytes" => Ok(Self::FlightBytes(flight, sender)),
                "records" => Ok(Self::FlightRecords(flight, sender)),
                "segments" => Ok(Self::FlightSegments(flight, sender)),
                _ => Err(unknown()),
            };
        }
        let side = side(head).ok_or_else(unknown)?;
        match tail {
            "cpu" => Ok(Self::Cpu(side)),
            "wall" => Ok(Self::Wall(side)),
            "tickets" => Ok(Self::Tickets(side)),
            "heap" => Ok(Self::Heap(side)),
            "heap-peak" => Ok(Self::HeapPeak(side)),
            "allocations" => Ok(Self::Allocations(side)),
            _ => tail
                .strip_prefix("phase.")
                .and_then(|name| Phase::ALL.into_iter().find(|phase| phase.name() == name))
                .map(|phase| Self::Phase(side, phase))
                .ok_or_else(unknown),
        }
    }
}

fn side(text: &str) -> Option<Side> {
    Side::BOTH.into_iter().find(|side| side.name() == text)
}

impl Serialize for Metric {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_to_the_same_metric() {
        let mut metrics = vec![
            Metric::IntervalOneCore,
            Metric::IntervalAllCores,
            Metric::Connect,
            Metric::HandshakeLatency,
            Metric::FirstByte,
            Metric::Send,
            Metric::Receive,
            Metric::Operation,
        ];
        metrics.extend(QuicMetric::ALL.map(Metric::Quic));
        for side in Side::BOTH {
            metrics.extend([Metric::Cpu(side), Metric::Wall(side), Metric::Tickets(side)]);
            metrics.extend([
                Metric::Heap(side),
                Metric::HeapPeak(side),
                Metric::Allocations(side),
            ]);
            metrics.extend(Phase::ALL.map(|phase| Metric::Phase(side, phase)));
            metrics.extend([Metric::FlightBytes(3, side), Metric::FlightRecords(1, side)]);
            metrics.push(Metric::FlightSegments(2, side));
        }
        for metric in metrics {
            assert_eq!(metric.to_string().parse(), Ok(metric));
        }
        for text in [
            "",
            "client",
            "client.colour",
            "quic.colour",
            "flightx.client.bytes",
            "flight1.server.mass",
        ] {
            assert!(text.parse::<Metric>().is_err(), "{text:?}");
        }
    }
}
