//! A connection of OpenSSL over memory.

use std::io::{self, Read, Write};

use openssl::ssl::{Error, ErrorCode, ShutdownState, Ssl, SslRef, SslStream, SslVersion};
use openssl::x509::X509VerifyResult;
use rustls::pki_types::CertificateDer;
use wire::{AlertDescription, CipherSuite, ProtocolVersion};

use super::ffi;
use crate::{Connection, EARLY_DATA, Negotiated, StackError, Verdict};

/// What a connection has to do with 0-RTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlyData {
    None,
    /// A client that has not sent it yet.
    ToSend,
    /// A server that has not seen its end yet.
    ToReceive,
}

pub(super) struct OpenSslConnection {
    stream: SslStream<Pipe>,
    /// Whether a chain that the peer sends is judged.
    judges: bool,
    early_data: EarlyData,
    early_bytes: usize,
}

/// The transport: what the peer sent, and what is to be sent.
#[derive(Debug, Default)]
struct Pipe {
    input: Vec<u8>,
    read: usize,
    output: Vec<u8>,
}

impl Pipe {
    fn feed(&mut self, bytes: &[u8]) {
        if self.read == self.input.len() {
            self.input.clear();
            self.read = 0;
        }
        self.input.extend_from_slice(bytes);
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.input[self.read..];
        if rest.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl OpenSslConnection {
    pub(super) fn new(ssl: Ssl, early_data: EarlyData) -> Result<Self, StackError> {
        let stream = SslStream::new(ssl, Pipe::default()).map_err(|error| StackError::Setup {
            what: "the connection's transport",
            message: error.to_string(),
        })?;
        Ok(Self {
            stream,
            judges: true,
            early_data,
            early_bytes: 0,
        })
    }

    /// One that does not say how the peer's chain was judged, since nobody asked.
    pub(super) fn that_does_not_judge(mut self) -> Self {
        self.judges = false;
        self
    }

    /// Takes what the peer sent, unless it had closed: OpenSSL would never read it, and a
    /// peer must not fill the memory.
    fn feed(&mut self, input: &[u8]) {
        if !self.has_peer_closed() {
            self.stream.get_mut().feed(input);
        }
    }

    /// Drops what came together with close_notify.
    fn forget_what_follows_the_end(&mut self) {
        if self.has_peer_closed() {
            let pipe = self.stream.get_mut();
            pipe.input = Vec::new();
            pipe.read = 0;
        }
    }

    /// Goes on with the handshake, or takes tickets after it.
    fn go_on(&mut self) -> Result<(), Error> {
        match self.early_data {
            EarlyData::ToSend => {
                self.stream.write_early_data(EARLY_DATA)?;
                self.early_data = EarlyData::None;
            }
            EarlyData::ToReceive => self.take_early_data()?,
            EarlyData::None => {}
        }
        if self.is_handshaking() {
            return self.stream.do_handshake();
        }
        // Tickets come in messages that OpenSSL looks at when application data is read.
        self.stream.ssl_read(&mut [0; 1]).map(|_| ())
    }

    /// Decrypts all that is there.
    fn read_all(&mut self, plaintext: &mut [u8]) -> Result<usize, StackError> {
        let mut received = 0;
        while received < plaintext.len() {
            match self.stream.ssl_read(&mut plaintext[received..]) {
                Ok(0) => break,
                Ok(count) => received += count,
                Err(error)
                    if matches!(error.code(), ErrorCode::WANT_READ | ErrorCode::ZERO_RETURN) =>
                {
                    break;
                }
                Err(error) => return Err(fault(self.stream.ssl(), &error)),
            }
        }
        Ok(received)
    }

    fn take_early_data(&mut self) -> Result<(), Error> {
        let mut buffer = [0; EARLY_DATA.len()];
        loop {
            match self.stream.read_early_data(&mut buffer)? {
                0 => {
                    self.early_data = EarlyData::None;
                    return Ok(());
                }
                count => self.early_bytes += count,
            }
        }
    }
}

impl Drop for OpenSslConnection {
    /// OpenSSL takes a connection that ends without close_notify for an attack, and makes
    /// its session unfit for resumption. Nothing was cut off here: it is just over.
    fn drop(&mut self) {
        self.stream
            .set_shutdown(ShutdownState::SENT | ShutdownState::RECEIVED);
    }
}

impl Connection for OpenSslConnection {
    fn advance(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        self.feed(input);
        let result = match self.go_on() {
            // An end after the handshake is no failure. A fatal alert counts as closing, too.
            Err(error) if error.code() == ErrorCode::ZERO_RETURN && !self.is_handshaking() => {
                Ok(())
            }
            Err(error) if error.code() == ErrorCode::WANT_READ => Ok(()),
            result => result.map_err(|error| fault(self.stream.ssl(), &error)),
        };
        self.forget_what_follows_the_end();
        output.append(&mut self.stream.get_mut().output);
        result
    }

    fn has_peer_closed(&self) -> bool {
        // The getter has no side effect, though the crate asks for a mutable borrow.
        ffi::has_received_shutdown(self.stream.ssl())
    }

    fn is_handshaking(&self) -> bool {
        !self.stream.ssl().is_init_finished()
    }

    fn send(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        self.stream
            .write_all(plaintext)
            .map_err(|error| StackError::Library(error.to_string()))?;
        output.append(&mut self.stream.get_mut().output);
        Ok(())
    }

    fn receive(&mut self, input: &[u8], plaintext: &mut [u8]) -> Result<usize, StackError> {
        self.feed(input);
        let received = self.read_all(plaintext);
        self.forget_what_follows_the_end();
        received
    }

    fn close(&mut self, output: &mut Vec<u8>) {
        // The alert is in the pipe, or the connection has failed and needs none.
        let _ = self.stream.shutdown();
        output.append(&mut self.stream.get_mut().output);
    }

    fn alpn(&self) -> Option<Vec<u8>> {
        self.stream
            .ssl()
            .selected_alpn_protocol()
            .map(<[u8]>::to_vec)
    }

    fn peer_chain(&self) -> Vec<CertificateDer<'static>> {
        let ssl = self.stream.ssl();
        let mut chain: Vec<CertificateDer<'static>> = Vec::new();
        // A server's view of the chain lacks the end entity (SSL_get_peer_cert_chain(3)).
        let leaf = ssl.is_server().then(|| ssl.peer_certificate()).flatten();
        chain.extend(leaf.and_then(|leaf| leaf.to_der().ok()).map(Into::into));
        for certificate in ssl.peer_cert_chain().into_iter().flatten() {
            chain.extend(certificate.to_der().ok().map(CertificateDer::from));
        }
        chain
    }

    fn verdict(&self) -> Option<Verdict> {
        let ssl = self.stream.ssl();
        ssl.peer_certificate().filter(|_| self.judges)?;
        Some(match ssl.verify_result() {
            X509VerifyResult::OK => Ok(()),
            why => Err(why.error_string().to_owned()),
        })
    }

    fn negotiated(&self) -> Negotiated {
        let ssl = self.stream.ssl();
        let version = ssl.version2().and_then(|version| match version {
            SslVersion::TLS1_2 => Some(ProtocolVersion::Tls12),
            SslVersion::TLS1_3 => Some(ProtocolVersion::Tls13),
            _ => None,
        });
        let suite = ssl.current_cipher().map(|cipher| cipher.protocol_id());
        Negotiated {
            version,
            cipher_suite: suite.map(|id| CipherSuite(u16::from_be_bytes(id))),
            group: ffi::group_name(ssl).and_then(|name| name.parse().ok()),
            peer_scheme: ffi::peer_signature_name(ssl).and_then(|name| name.parse().ok()),
            own_scheme: ffi::own_signature_name(ssl).and_then(|name| name.parse().ok()),
            is_resumed: ssl.session_reused(),
            has_peer_certificate: ssl.peer_certificate().is_some(),
            early_data: self.early_bytes,
        }
    }

    fn export_keying_material(&self, label: &str, output: &mut [u8]) -> Result<(), StackError> {
        self.stream
            .ssl()
            .export_keying_material(output, label, None)
            .map_err(|error| StackError::Library(error.to_string()))
    }
}

/// Reasons of OpenSSL (`sslerr.h`) by which it tells a failed check of the peer's bytes
/// from a peer that breaks the grammar.
const CRYPTOGRAPHY: &[&str] = &[
    "bad signature",
    "digest check failed",
    "decryption failed or bad record mac",
    "bad record mac",
    "decryption failed",
    "bad key share",
    "bad ecpoint",
    "bad decrypt",
    "binder does not verify",
    "invalid point encoding",
    "bad rsa decrypt",
    "failed during derivation",
    "wrong ciphertext size",
    "point is not on curve",
];

/// Reasons from here on (`SSL_AD_REASON_OFFSET` in `ssl.h`) are alerts received, by number.
const ALERTS: i32 = 1000;

/// The alert that an error tells of.
fn alert_of(error: &openssl::error::Error) -> Option<AlertDescription> {
    let number = error.reason_code().checked_sub(ALERTS)?;
    let is_of_tls = error.library() == Some("SSL routines");
    let number = u8::try_from(number).ok().filter(|_| is_of_tls);
    number.map(AlertDescription)
}

/// Whose fault an error of OpenSSL is.
fn fault(ssl: &SslRef, error: &Error) -> StackError {
    let reasons: Vec<&str> = error
        .ssl_error()
        .into_iter()
        .flat_map(|stack| stack.errors())
        .filter_map(openssl::error::Error::reason)
        .collect();
    let alert = error
        .ssl_error()
        .into_iter()
        .flat_map(|stack| stack.errors())
        .find_map(alert_of);
    let message = match reasons.as_slice() {
        [] => error.to_string(),
        reasons => reasons.join("; "),
    };
    let says = |part: &str| reasons.iter().any(|reason| reason.contains(part));
    if says("certificate verify failed") || says("peer did not return a certificate") {
        let result = ssl.verify_result();
        if result.as_raw() == openssl_sys::X509_V_ERR_CERT_SIGNATURE_FAILURE {
            return StackError::Cryptography(result.error_string().to_owned());
        }
        let why = if result == X509VerifyResult::OK {
            &message
        } else {
            result.error_string()
        };
        return StackError::Certificate(why.to_owned());
    }
    if reasons.iter().any(|reason| CRYPTOGRAPHY.contains(reason)) {
        return StackError::Cryptography(message);
    }
    if let Some(alert) = alert {
        return StackError::Alert(alert);
    }
    // What OpenSSL says of a certificate that it can't parse.
    if says("ASN1 lib") {
        return StackError::Certificate(message);
    }
    match error.code() {
        ErrorCode::SSL => StackError::Peer(message),
        ErrorCode::ZERO_RETURN => StackError::Alert(AlertDescription::CLOSE_NOTIFY),
        _ => StackError::Library(message),
    }
}
