//! Alerts: how a side closes, or says why it gives up (RFC 8446 section 6).

use std::fmt;

use crate::HelloError;
use crate::reader::Reader;

/// One alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// Whether the connection ends by it; TLS 1.3 ignores what the field says.
    pub is_fatal: bool,
    /// What it says.
    pub description: AlertDescription,
}

impl Alert {
    /// Reads the content of an alert record.
    ///
    /// # Errors
    /// When it is shorter than two bytes.
    pub fn parse(content: &[u8]) -> Result<Self, HelloError> {
        let mut reader = Reader { bytes: content };
        Ok(Self {
            is_fatal: reader.u8("an alert's level")? == 2,
            description: AlertDescription(reader.u8("an alert's description")?),
        })
    }
}

/// What an alert says, by its IANA number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AlertDescription(pub u8);

impl AlertDescription {
    /// Nothing more will be sent: the normal end.
    pub const CLOSE_NOTIFY: Self = Self(0);
    /// No set of parameters that both sides take.
    pub const HANDSHAKE_FAILURE: Self = Self(40);
    /// A certificate that is corrupt, or has a signature that does not verify.
    pub const BAD_CERTIFICATE: Self = Self(42);
    /// A certificate of an unsupported type, or for another use.
    pub const UNSUPPORTED_CERTIFICATE: Self = Self(43);
    /// A certificate that its issuer has revoked.
    pub const CERTIFICATE_REVOKED: Self = Self(44);
    /// A certificate that is not valid now.
    pub const CERTIFICATE_EXPIRED: Self = Self(45);
    /// A certificate that was not accepted for another reason.
    pub const CERTIFICATE_UNKNOWN: Self = Self(46);
    /// No known trust anchor vouches for the chain.
    pub const UNKNOWN_CA: Self = Self(48);
    /// A valid certificate whose owner may not enter.
    pub const ACCESS_DENIED: Self = Self(49);
    /// A signature, a Finished or a binder that does not verify.
    pub const DECRYPT_ERROR: Self = Self(51);
    /// A version that the side knows and does not take.
    pub const PROTOCOL_VERSION: Self = Self(70);
    /// A client without a certificate where one is wanted.
    pub const CERTIFICATE_REQUIRED: Self = Self(116);

    /// The name in the IANA registry, or `None` for a value that is not known here.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            22 => "record_overflow",
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            121 => "ech_required",
            _ => return None,
        })
    }
}

/// Name and number, as in `handshake_failure (40)`: libraries spell the names in their own
/// ways.
impl fmt::Display for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name().unwrap_or("unknown");
        f.pad(&format!("{name} ({})", self.0))
    }
}
