//! Whose fault a failed connection is, in the terms of every other stack.

use quinn_proto::{ConnectionError, TransportErrorCode};
use rustls::AlertDescription;
use stack::StackError;

/// The TLS alert within an error code of QUIC (RFC 9001 section 4.8).
fn alert(code: TransportErrorCode) -> Option<AlertDescription> {
    let code = u64::from(code).checked_sub(0x100)?;
    u8::try_from(code).ok().map(AlertDescription::from)
}

/// What an end says of the connection that it lost.
pub(crate) fn of(error: &ConnectionError) -> StackError {
    let message = error.to_string();
    match error {
        ConnectionError::ConnectionClosed(close) => match alert(close.error_code) {
            Some(alert) => StackError::Alert(wire::AlertDescription(alert.into())),
            None => StackError::Peer(message),
        },
        ConnectionError::TransportError(error) => {
            let reason = error.reason.clone();
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
