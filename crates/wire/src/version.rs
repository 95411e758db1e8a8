//! Protocol versions.

/// The two TLS versions in use (RFC 5246, RFC 8446).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProtocolVersion {
    /// TLS 1.2: the legacy baseline, and the only one with static RSA.
    Tls12,
    /// TLS 1.3: the only one with post-quantum key exchange.
    Tls13,
}

impl ProtocolVersion {
    /// The number on the wire.
    pub const fn code_point(self) -> u16 {
        match self {
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }
}

impl std::fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        })
    }
}

impl std::str::FromStr for ProtocolVersion {
    type Err = crate::code_point::UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "1.2" => Ok(Self::Tls12),
            "1.3" => Ok(Self::Tls13),
            _ => Err(crate::code_point::UnknownName {
                what: "TLS version (1.2 or 1.3)",
                name: name.to_owned(),
            }),
        }
    }
}
