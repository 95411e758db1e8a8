//! What a sample of a QUIC handshake is a value of.

use std::fmt;

use crate::{Side, Unit};

/// The quantity that a sample of the meter [`Quic`](crate::Meter::Quic) is a value of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuicMetric {
    /// Thread CPU time that a side spends in one handshake, QUIC included.
    Cpu(Side),
    /// Round trips until the client may send a request.
    RoundTrips,
    /// Round trips until the client has the first byte of the answer.
    FirstByte,
    /// Round trips until the client may send a request, where the server first has it return
    /// a token (RFC 9000 section 8.1.2).
    RoundTripsWithRetry,
    /// UDP datagrams that the client sends before it hears of the server.
    FirstFlight,
    /// Initial packets of one side.
    Initials(Side),
    /// UDP datagrams of one side.
    Datagrams(Side),
    /// UDP payload of one side.
    Bytes(Side),
    /// What the server sends before the client's address is validated.
    Unvalidated,
    /// What it may send until then: three times what it has received (RFC 9000 section 8.1).
    Limit,
}

impl QuicMetric {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Cpu(Side::Client),
        Self::Cpu(Side::Server),
        Self::RoundTrips,
        Self::FirstByte,
        Self::RoundTripsWithRetry,
        Self::FirstFlight,
        Self::Initials(Side::Client),
        Self::Initials(Side::Server),
        Self::Datagrams(Side::Client),
        Self::Datagrams(Side::Server),
        Self::Bytes(Side::Client),
        Self::Bytes(Side::Server),
        Self::Unvalidated,
        Self::Limit,
    ];

    /// What its values count.
    pub const fn unit(self) -> Unit {
        match self {
            Self::Cpu(_) => Unit::Nanoseconds,
            Self::Bytes(_) | Self::Unvalidated | Self::Limit => Unit::Bytes,
            _ => Unit::Count,
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.to_string() == name)
    }
}

impl fmt::Display for QuicMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu(side) => write!(f, "{side}.cpu"),
            Self::RoundTrips => f.write_str("round-trips"),
            Self::FirstByte => f.write_str("first-byte"),
            Self::RoundTripsWithRetry => f.write_str("round-trips-with-retry"),
            Self::FirstFlight => f.write_str("first-flight"),
            Self::Initials(side) => write!(f, "{side}.initials"),
            Self::Datagrams(side) => write!(f, "{side}.datagrams"),
            Self::Bytes(side) => write!(f, "{side}.bytes"),
            Self::Unvalidated => f.write_str("unvalidated"),
            Self::Limit => f.write_str("limit"),
        }
    }
}
