//! Whose fault a failed connection is, in the terms of every other stack.

use quinn_proto::{ConnectionError, TransportErrorCode};
use rustls::AlertDescription;
use stack::{StackError, printable};

/// The TLS alert within an error code of QUIC (RFC 9001 section 4.8).
fn alert(code: TransportErrorCode) -> Option<AlertDescription> {
    let code = u64::from(code).checked_sub(0x100)?;
    u8::try_from(code).ok().map(AlertDescription::from)
}

/// What an end says of the connection that it lost.
pub(crate) fn of(error: &ConnectionError) -> StackError {
    // Close frames carry any text that the peer likes.
    let message = printable(&error.to_string());
    match error {
        ConnectionError::ConnectionClosed(close) => match alert(close.error_code) {
            Some(alert) => StackError::Alert(wire::AlertDescription(alert.into())),
            None => StackError::Peer(message),
        },
        ConnectionError::TransportError(error) => {
            let reason = printable(&error.reason);
            match alert(error.code) {
                // The alerts that rustls sends for a chain that it does not accept.
                Some(
                    AlertDescription::BadCertificate
                    | AlertDescription::UnsupportedCertificate
                    | AlertDescription::CertificateRevoked
                    | AlertDescription::CertificateExpired
                    | AlertDescription::CertificateUnknown
                    | AlertDescription::UnknownCA
                    | AlertDescription::CertificateRequired,
                ) => StackError::Certificate(reason),
                Some(AlertDescription::DecryptError | AlertDescription::BadRecordMac) => {
                    StackError::Cryptography(reason)
                }
                Some(_) => StackError::Peer(reason),
                None => StackError::Peer(message),
            }
        }
        ConnectionError::TimedOut => StackError::Stalled,
        ConnectionError::VersionMismatch
        | ConnectionError::ApplicationClosed(_)
        | ConnectionError::Reset => StackError::Peer(message),
        ConnectionError::LocallyClosed | ConnectionError::CidsExhausted => {
            StackError::Library(message)
        }
    }
}

#[cfg(test)]
mod tests {
    use quinn_proto::{ApplicationClose, ConnectionClose};

    use super::*;

    #[test]
    fn what_a_peer_says_at_the_end_moves_no_cursor() {
        let reason = "\x1b[2Jg\u{9b}31m\r\nü";
        let of_quic = ConnectionError::ConnectionClosed(ConnectionClose {
            error_code: TransportErrorCode::INTERNAL_ERROR,
            frame_type: None,
            reason: reason.into(),
        });
        let of_http = ConnectionError::ApplicationClosed(ApplicationClose {
            error_code: 7_u32.into(),
            reason: reason.into(),
        });
        for error in [of_quic, of_http] {
            let text = of(&error).to_string();
            assert!(!text.contains(char::is_control), "{text:?}");
            assert!(text.contains(r"\u{1b}[2Jg\u{9b}31m\r\nü"), "{text}");
        }
    }
}
