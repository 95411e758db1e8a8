//! A connection of s2n-tls over memory.

use std::task::Poll;

use s2n_tls::connection::Connection as S2nConnection;
use s2n_tls::enums::{Mode, Version};
use s2n_tls::error::{Error, ErrorType};
use wire::{AlertDescription, ProtocolVersion, SignatureScheme};

use super::pipe::PipedConnection;
use super::{refused, words};
use crate::{Connection, Negotiated, StackError};

pub(super) struct MemoryConnection {
    inner: PipedConnection,
}

impl MemoryConnection {
    pub(super) fn new(connection: S2nConnection) -> Result<Self, StackError> {
        let inner = PipedConnection::new(connection)
            .map_err(|error| refused("the connection's transport", &error))?;
        Ok(Self { inner })
    }

    fn go_on(&mut self) -> Poll<Result<(), Error>> {
        let connection = self.inner.connection_mut();
        if connection.handshake_complete() {
            // An alert that comes after is seen when application data is read.
            connection.poll_recv(&mut [0; 1]).map_ok(drop)
        } else {
            connection.poll_negotiate().map_ok(drop)
        }
    }

    fn fault(&self, error: &Error) -> StackError {
        fault(error, self.inner.connection().alert())
    }
}

impl Connection for MemoryConnection {
    fn advance(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        self.inner.feed(input);
        let result = match self.go_on() {
            Poll::Ready(Err(error)) => {
                let fault = self.fault(&error);
                // The alert is sent by the closing. It is a farewell: if it can't be sent,
                // the fault is still the one to report.
                let _ = self.inner.connection_mut().poll_shutdown_send();
                Err(fault)
            }
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        };
        self.inner.drain(output);
        result
    }

    fn is_handshaking(&self) -> bool {
        !self.inner.connection().handshake_complete()
    }

    fn send(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        let mut rest = plaintext;
        while !rest.is_empty() {
            match self.inner.connection_mut().poll_send(rest) {
                Poll::Ready(Ok(count)) => rest = &rest[count..],
                Poll::Ready(Err(error)) => return Err(StackError::Library(words(&error))),
                // The pipe takes everything: s2n-tls has nothing to wait for.
                Poll::Pending => {
                    let message = "s2n-tls waits though its output is taken".to_owned();
                    return Err(StackError::Library(message));
                }
            }
        }
        self.inner.drain(output);
        Ok(())
    }

    fn receive(&mut self, input: &[u8], plaintext: &mut [u8]) -> Result<usize, StackError> {
        self.inner.feed(input);
        let mut received = 0;
        while received < plaintext.len() {
            let rest = &mut plaintext[received..];
            match self.inner.connection_mut().poll_recv(rest) {
                Poll::Ready(Ok(0)) | Poll::Pending => break,
                Poll::Ready(Ok(count)) => received += count,
                Poll::Ready(Err(error)) => return Err(self.fault(&error)),
            }
        }
        Ok(received)
    }

    fn negotiated(&self) -> Negotiated {
        let connection = self.inner.connection();
        let version = match connection.actual_protocol_version() {
            Ok(Version::TLS12) => Some(ProtocolVersion::Tls12),
            Ok(Version::TLS13) => Some(ProtocolVersion::Tls13),
            _ => None,
        };
        let suite = connection.cipher_suite().ok();
        let group = connection.selected_key_exchange_group();
        let is_client = connection.mode() == Mode::Client;
        // Of the two signatures of a mutual handshake, this is the server's.
        let scheme = connection.signature_scheme().filter(|_| is_client);
        Negotiated {
            version,
            cipher_suite: suite.and_then(|name| name.parse().ok()),
            group: group.and_then(|name| name.parse().ok()),
            peer_scheme: scheme.and_then(signature_scheme),
            own_scheme: None,
            is_resumed: connection.resumed(),
            has_peer_certificate: connection.peer_cert_chain().is_ok(),
            early_data: 0,
        }
    }

    fn export_keying_material(&self, label: &str, output: &mut [u8]) -> Result<(), StackError> {
        self.inner
            .connection()
            .tls_exporter(label.as_bytes(), &[], output)
            .map_err(|error| StackError::Library(words(&error)))
    }
}

/// A scheme by s2n-tls' name, which is IANA's but for ECDSA: there it is the name of TLS
/// 1.2. TLS 1.3 alone is supported, where the hash tells the curve.
fn signature_scheme(name: &str) -> Option<SignatureScheme> {
    match name {
        "ecdsa_sha256" => Some(SignatureScheme::ECDSA_SECP256R1_SHA256),
        "ecdsa_sha384" => Some(SignatureScheme::ECDSA_SECP384R1_SHA384),
        name => name.parse().ok(),
    }
}

/// Names of errors (`s2n_errno.h`) that are about a failed check of the peer's bytes.
const CRYPTOGRAPHY: &[&str] = &[
    "S2N_ERR_BAD_FINISHED",
    "S2N_ERR_BAD_KEY_SHARE",
    "S2N_ERR_DECRYPT",
    "S2N_ERR_ECDHE_INVALID_PUBLIC_KEY",
    "S2N_ERR_ECDHE_SHARED_SECRET",
    "S2N_ERR_KEM_UNSUPPORTED_PARAMS",
    "S2N_ERR_PQ_CRYPTO",
    "S2N_ERR_VERIFY_SIGNATURE",
];

/// The server's word for a client that has no group in common with it, which it counts
/// among the errors of its own.
const NO_GROUP: &str = "S2N_ERR_INVALID_SUPPORTED_GROUP_STATE";

/// Names of errors that are about a certificate, beside those that begin as [`CERTIFICATE`].
const CERTIFICATES: &[&str] = &["S2N_ERR_DECODE_CERTIFICATE", "S2N_ERR_MISSING_CLIENT_CERT"];
const CERTIFICATE: &str = "S2N_ERR_CERT_";

/// Whose fault an error of s2n-tls is.
fn fault(error: &Error, alert: Option<u8>) -> StackError {
    let name = error.name();
    let message = words(error);
    if CRYPTOGRAPHY.contains(&name) {
        return StackError::Cryptography(message);
    }
    if CERTIFICATES.contains(&name) || name.starts_with(CERTIFICATE) {
        return StackError::Certificate(message);
    }
    if name == NO_GROUP {
        return StackError::Peer(message);
    }
    match (error.kind(), alert) {
        (ErrorType::Alert, Some(number)) => StackError::Alert(AlertDescription(number)),
        // The pipe has no end: it is the peer who closed, with a close_notify.
        (ErrorType::ConnectionClosed, _) => StackError::Alert(AlertDescription::CLOSE_NOTIFY),
        (ErrorType::Alert, None) | (ErrorType::ProtocolError, _) => StackError::Peer(message),
        _ => StackError::Library(message),
    }
}
