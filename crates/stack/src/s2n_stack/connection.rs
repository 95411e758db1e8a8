//! A connection of s2n-tls over memory.

use std::task::Poll;

use s2n_tls::connection::Connection as S2nConnection;
use s2n_tls::enums::{Mode, Version};
use s2n_tls::error::{Error, ErrorType};
use wire::ProtocolVersion;

use super::pipe::PipedConnection;
use crate::{Connection, Negotiated, StackError};

pub(super) struct MemoryConnection {
    inner: PipedConnection,
}

impl MemoryConnection {
    pub(super) fn new(connection: S2nConnection) -> Result<Self, StackError> {
        let inner = PipedConnection::new(connection)
            .map_err(|error| super::refused("the connection's transport", error))?;
        Ok(Self { inner })
    }

    fn go_on(&mut self) -> Result<(), Error> {
        let connection = self.inner.connection_mut();
        let state = if connection.handshake_complete() {
            // Messages after the handshake are looked at when application data is read.
            connection.poll_recv(&mut [0; 1]).map_ok(drop)
        } else {
            connection.poll_negotiate().map_ok(drop)
        };
        match state {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    }

    fn fault(&self, error: &Error) -> StackError {
        fault(error, self.inner.connection().alert())
    }
}

impl Connection for MemoryConnection {
    fn advance(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        self.inner.feed(input);
        let result = self.go_on();
        self.inner.drain(output);
        result.map_err(|error| self.fault(&error))
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
                // The pipe takes everything: s2n-tls waits for nothing.
                Poll::Pending => return Err(StackError::Library("can't send".to_owned())),
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
            peer_scheme: scheme.and_then(|name| name.parse().ok()),
            is_resumed: connection.resumed(),
            has_peer_certificate: is_client || connection.client_cert_used(),
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

/// Whose fault an error of s2n-tls is.
fn fault(error: &Error, alert: Option<u8>) -> StackError {
    let message = words(error);
    match error.kind() {
        ErrorType::Alert => match alert {
            Some(number) => StackError::Alert(format!("{message}: alert {number}")),
            None => StackError::Alert(message),
        },
        ErrorType::ProtocolError => StackError::Peer(message),
        _ => StackError::Library(message),
    }
}

/// The name of an error and what s2n-tls says of it.
fn words(error: &Error) -> String {
    format!("{} ({})", error.message(), error.name())
}
