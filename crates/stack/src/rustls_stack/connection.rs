//! A connection of rustls.

use std::io::{Read, Write};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConnection, Error, HandshakeKind};
use wire::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion};

use super::observed::Observed;
use crate::{Connection, EARLY_DATA, Negotiated, StackError, Verdict};

pub(super) struct RustlsConnection {
    inner: rustls::Connection,
    observed: Observed,
    early_data: usize,
    has_peer_closed: bool,
    /// What ended the connection: rustls is not to be asked again after it.
    fault: Option<StackError>,
}

impl RustlsConnection {
    pub(super) fn new(connection: impl Into<rustls::Connection>) -> Self {
        Self {
            inner: connection.into(),
            observed: Observed::default(),
            early_data: 0,
            has_peer_closed: false,
            fault: None,
        }
    }

    fn take_input(&mut self, mut input: &[u8]) -> Result<(), StackError> {
        while !input.is_empty() && self.take_piece(&mut input)? {}
        Ok(())
    }

    /// Takes what the read buffer has room for. Gives false after close_notify, whatever
    /// follows: it must be ignored (RFC 8446 section 6.1).
    fn take_piece(&mut self, input: &mut &[u8]) -> Result<bool, StackError> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let count = self
            .inner
            .read_tls(input)
            .map_err(|e| StackError::Library(e.to_string()))?;
        let state = self.inner.process_new_packets().map_err(|error| {
            let fault = fault(error);
            self.fault = Some(fault.clone());
            fault
        })?;
        self.has_peer_closed |= state.peer_has_closed();
        Ok(count > 0)
    }

    fn give_output(&mut self, output: &mut Vec<u8>) -> Result<(), StackError> {
        while self.inner.wants_write() {
            self.inner
                .write_tls(output)
                .map_err(|e| StackError::Library(e.to_string()))?;
        }
        Ok(())
    }

    fn take_early_data(&mut self) -> Result<(), StackError> {
        let rustls::Connection::Server(server) = &mut self.inner else {
            return Ok(());
        };
        let Some(mut early) = server.early_data() else {
            return Ok(());
        };
        let mut buffer = [0; EARLY_DATA.len()];
        while let Ok(count @ 1..) = early.read(&mut buffer) {
            self.early_data += count;
        }
        Ok(())
    }
}

pub(super) fn write_early_data(connection: &mut ClientConnection) -> Result<(), StackError> {
    let mut early = connection.early_data().ok_or_else(|| StackError::Setup {
        what: "0-RTT data",
        message: "the ticket does not allow any".to_owned(),
    })?;
    early
        .write_all(EARLY_DATA)
        .map_err(|error| StackError::Library(error.to_string()))
}

impl Connection for RustlsConnection {
    fn advance(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        let mut observed = std::mem::take(&mut self.observed);
        let taken =
            observed.during(|| self.take_input(input).and_then(|()| self.take_early_data()));
        self.observed = observed;
        // The alert about a failure is output, too.
        self.give_output(output)?;
        taken
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn send(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        self.inner
            .writer()
            .write_all(plaintext)
            .map_err(|error| StackError::Library(error.to_string()))?;
        self.give_output(output)
    }

    fn receive(&mut self, mut input: &[u8], plaintext: &mut [u8]) -> Result<usize, StackError> {
        let mut received = 0;
        while !input.is_empty() && self.take_piece(&mut input)? {
            while let Ok(count @ 1..) = self.inner.reader().read(&mut plaintext[received..]) {
                received += count;
            }
        }
        Ok(received)
    }

    fn has_peer_closed(&self) -> bool {
        self.has_peer_closed
    }

    fn close(&mut self, output: &mut Vec<u8>) {
        self.inner.send_close_notify();
        // A Vec takes everything; there is nobody left to tell of an error.
        let _ = self.give_output(output);
    }

    fn alpn(&self) -> Option<Vec<u8>> {
        self.inner.alpn_protocol().map(<[u8]>::to_vec)
    }

    fn peer_chain(&self) -> Vec<CertificateDer<'static>> {
        let chain = self.inner.peer_certificates().unwrap_or_default();
        chain
            .iter()
            .cloned()
            .map(CertificateDer::into_owned)
            .collect()
    }

    fn verdict(&self) -> Option<Verdict> {
        self.observed.verdict.clone()
    }

    fn negotiated(&self) -> Negotiated {
        let version = self
            .inner
            .protocol_version()
            .and_then(|version| match version {
                rustls::ProtocolVersion::TLSv1_2 => Some(ProtocolVersion::Tls12),
                rustls::ProtocolVersion::TLSv1_3 => Some(ProtocolVersion::Tls13),
                _ => None,
            });
        let suite = self
            .inner
            .negotiated_cipher_suite()
            .map(|suite| suite.suite());
        let group = self
            .inner
            .negotiated_key_exchange_group()
            .map(|group| group.name());
        Negotiated {
            version,
            cipher_suite: suite.map(|suite| CipherSuite(suite.into())),
            group: group.map(|group| NamedGroup(group.into())),
            peer_scheme: self.observed.peer_scheme,
            own_scheme: self.observed.own_scheme,
            is_resumed: self.inner.handshake_kind() == Some(HandshakeKind::Resumed),
            has_peer_certificate: self.inner.peer_certificates().is_some(),
            early_data: self.early_data,
        }
    }

    fn export_keying_material(&self, label: &str, output: &mut [u8]) -> Result<(), StackError> {
        self.inner
            .export_keying_material(output, label.as_bytes(), None)
            .map(|_| ())
            .map_err(|error| StackError::Library(error.to_string()))
    }
}

/// What rustls-openssl says, as a general error, of a peer's share or record that failed:
/// a bad tag leaves no word on OpenSSL's stack of errors, and so none after the colon.
const GENERAL_CRYPTOGRAPHY: &[&str] = &[
    "OpenSSL encapsulation error",
    "OpenSSL decapsulation error",
    "OpenSSL error: OpenSSL error",
    "failed during derivation",
];

/// Whose fault an error of rustls is.
fn fault(error: Error) -> StackError {
    use rustls::{CertificateError, PeerMisbehaved};
    let message = error.to_string();
    match error {
        Error::InvalidCertificate(CertificateError::BadSignature)
        | Error::DecryptError
        | Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare)
        | Error::PeerMisbehaved(PeerMisbehaved::IncorrectBinder) => {
            StackError::Cryptography(message)
        }
        Error::General(text) if GENERAL_CRYPTOGRAPHY.iter().any(|part| text.contains(part)) => {
            StackError::Cryptography(message)
        }
        Error::InvalidCertificate(_)
        | Error::InvalidCertRevocationList(_)
        | Error::NoCertificatesPresented => StackError::Certificate(message),
        Error::AlertReceived(alert) => StackError::Alert(AlertDescription(alert.into())),
        Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::InvalidMessage(_)
        | Error::PeerIncompatible(_)
        | Error::PeerMisbehaved(_)
        | Error::PeerSentOversizedRecord => StackError::Peer(message),
        _ => StackError::Library(message),
    }
}
