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

/// What people call the version of this number, as it stands in `supported_versions`: old
/// ones and reserved values (GREASE, RFC 8701) have names, others their number.
pub fn version_name(code_point: u16) -> String {
    match code_point {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0303 => "TLS 1.2".to_owned(),
        0x0304 => "TLS 1.3".to_owned(),
        grease if grease & 0x0f0f == 0x0a0a && grease >> 8 == grease & 0xff => "GREASE".to_owned(),
        other => format!("0x{other:04x}"),
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
    type Err = UnknownVersion;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "1.2" => Ok(Self::Tls12),
            "1.3" => Ok(Self::Tls13),
            _ => Err(UnknownVersion(name.to_owned())),
        }
    }
}

/// Neither of the two versions was named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no version of TLS that is known here; there are 1.2 and 1.3")]
pub struct UnknownVersion(String);
