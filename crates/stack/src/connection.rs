//! The one trait behind which every TLS library stands: bytes in, bytes out, no I/O.

use experiment::{Handshake, Library, Side, StackName};
use rustls::pki_types::CertificateDer;
use wire::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::{ClientProfile, Credentials, ServerProfile};

/// A TLS library under test.
pub trait TlsStack: Sync {
    /// Its name in scenarios.
    fn name(&self) -> StackName;

    /// The library behind it, its version, and what to know before using it.
    fn library(&self) -> Library;

    /// Whether this side of such a handshake can be set up.
    ///
    /// # Errors
    /// The reason why not, in terms of the library.
    fn supports(&self, side: Side, handshake: &Handshake) -> Result<(), Unsupported>;

    /// Whether it takes its cryptography as objects that can be timed in place.
    fn times_phases(&self) -> bool {
        false
    }

    /// Sets up one side: everything that a real program does once, not per connection.
    /// `timing` is [`PhaseTiming::Off`] where [`TlsStack::times_phases`] is false.
    ///
    /// # Errors
    /// When the library refuses the configuration.
    fn endpoint(
        &self,
        side: Side,
        handshake: &Handshake,
        credentials: &Credentials,
        timing: PhaseTiming,
    ) -> Result<Box<dyn Endpoint>, StackError>;

    /// Sets up a server for clients of many kinds.
    ///
    /// # Errors
    /// [`StackError::Setup`] when the library can't do a part of the profile, or refuses it.
    fn server(&self, _: &ServerProfile) -> Result<Box<dyn Endpoint>, StackError> {
        Err(scenarios_only())
    }

    /// Sets up a client that offers lists.
    ///
    /// # Errors
    /// [`StackError::Setup`] when the library can't do a part of the profile, or refuses it.
    fn client(&self, _: &ClientProfile) -> Result<Box<dyn Endpoint>, StackError> {
        Err(scenarios_only())
    }
}

/// What a stack says that takes its settings from scenarios alone.
fn scenarios_only() -> StackError {
    StackError::Setup {
        what: "the stack",
        message: "it performs the handshakes of scenarios only: choose rustls or openssl"
            .to_owned(),
    }
}

/// Whether the pluggable cryptography is timed in place (see [`crate::phases`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseTiming {
    /// As in production.
    Off,
    /// With a clock around each key exchange, signature and verification.
    On,
}

/// One side's configuration, from which connections are made.
pub trait Endpoint: Send + Sync {
    /// A new connection for the handshake that this endpoint was set up for.
    ///
    /// # Errors
    /// When the library refuses, or a resumption lacks a ticket.
    fn connection(&self) -> Result<Box<dyn Connection>, StackError>;

    /// A new connection for a full handshake in which the server issues tickets and the
    /// client keeps them, for the resumptions to come.
    ///
    /// # Errors
    /// When the library refuses.
    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError>;

    /// How many tickets are left. Each is used once (RFC 8446 appendix C.4).
    fn tickets(&self) -> usize;
}

/// One side of one connection.
pub trait Connection: Send {
    /// Takes all of `input`, which the peer sent, and appends what is to be sent.
    ///
    /// A client's first call, with no input, gives the ClientHello. After the handshake
    /// it takes tickets.
    ///
    /// # Errors
    /// When the peer is at fault, or the library.
    fn advance(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), StackError>;

    /// Whether application data can't be sent and received yet.
    fn is_handshaking(&self) -> bool;

    /// Encrypts application data.
    ///
    /// # Errors
    /// When the library refuses.
    fn send(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), StackError>;

    /// Decrypts whole records of application data into `plaintext`, which must have room
    /// for all of it. Gives the number of bytes.
    ///
    /// # Errors
    /// When they were tampered with.
    fn receive(&mut self, input: &[u8], plaintext: &mut [u8]) -> Result<usize, StackError>;

    /// Whether the peer has sent close_notify: nothing that comes after it counts, and an
    /// end of the stream without it is a truncation (RFC 8446 section 6.1).
    fn has_peer_closed(&self) -> bool {
        false
    }

    /// Appends close_notify (RFC 8446 section 6.1): nothing is sent after it.
    fn close(&mut self, _output: &mut Vec<u8>) {}

    /// What the library says was negotiated; meaningful after the handshake.
    fn negotiated(&self) -> Negotiated;

    /// The application protocol (RFC 7301); meaningful after the handshake.
    fn alpn(&self) -> Option<Vec<u8>> {
        None
    }

    /// The certificates that the peer sent, its end entity first; empty before they came,
    /// and where the library does not keep them.
    fn peer_chain(&self) -> Vec<CertificateDer<'static>> {
        Vec::new()
    }

    /// How the peer's chain was judged; `None` before, and with
    /// [`Trust::Unverified`](crate::Trust::Unverified).
    fn verdict(&self) -> Option<Verdict> {
        None
    }

    /// Fills `output` with exported keying material (RFC 8446 section 7.5, RFC 5705),
    /// without context.
    ///
    /// # Errors
    /// During the handshake.
    fn export_keying_material(&self, label: &str, output: &mut [u8]) -> Result<(), StackError>;
}

/// What a library says of a connection; `None` where it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Negotiated {
    /// The protocol version.
    pub version: Option<ProtocolVersion>,
    /// The cipher suite.
    pub cipher_suite: Option<CipherSuite>,
    /// The named group of the key exchange.
    pub group: Option<NamedGroup>,
    /// The scheme of the peer's signature in this handshake.
    pub peer_scheme: Option<SignatureScheme>,
    /// The scheme that this side signed with, where it was set up by a profile.
    pub own_scheme: Option<SignatureScheme>,
    /// Whether an earlier session was resumed.
    pub is_resumed: bool,
    /// Whether the peer showed a certificate, now or in the session resumed.
    pub has_peer_certificate: bool,
    /// Bytes of 0-RTT data that a server took.
    pub early_data: usize,
}

/// How a certificate chain was judged: trusted, or why not in the library's words.
pub type Verdict = Result<(), String>;

/// Why a stack can't do one side of a handshake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{stack} as {side}: {reason}")]
pub struct Unsupported {
    /// The stack.
    pub stack: StackName,
    /// The side it was asked for.
    pub side: Side,
    /// What the library lacks.
    pub reason: String,
}

/// A connection or its setup failed; tells whose fault it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StackError {
    /// The library refused a configuration or a key.
    #[error("setting up {what}: {message}")]
    Setup {
        /// What was set up.
        what: &'static str,
        /// What the library said.
        message: String,
    },
    /// The peer's certificate chain was not accepted.
    #[error("the peer's certificate was not accepted: {0}")]
    Certificate(String),
    /// A key share, ciphertext, signature, Finished or record failed its check.
    #[error("what the peer sent failed a cryptographic check: {0}")]
    Cryptography(String),
    /// The peer broke the protocol, or offered nothing in common.
    #[error("the peer broke the protocol or offers nothing in common: {0}")]
    Peer(String),
    /// The peer sent an alert.
    #[error("the peer gave up with an alert: {0}")]
    Alert(AlertDescription),
    /// Neither side has anything to say, and the handshake is not done.
    #[error("the handshake stalled: both sides wait for the other")]
    Stalled,
    /// A resumption without a ticket.
    #[error("no ticket is left to resume with")]
    NoTicket,
    /// The library failed in another way.
    #[error("the library failed: {0}")]
    Library(String),
}

/// Text that a peer may have written, for a terminal or a log: what would move the cursor,
/// change colours, or turn the order of letters is shown as Rust writes it, `\u{1b}`.
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match is_harmful(c) {
            true => printable.extend(c.escape_default()),
            false => printable.push(c),
        }
    }
    printable
}

/// Control characters, separators of lines, and those that set a direction (Unicode Standard
/// Annex 9 section 2).
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}
