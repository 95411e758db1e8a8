//! What a step of a handshake says.

use std::fmt;

use wire::{
    Alert, AlertDescription, CertificateMessage, CertificateRequest, CertificateVerify,
    CipherSuite, ClientHello, CompressedCertificate, HandshakeType, HelloError, NewSessionTicket,
    ProtocolVersion, ServerExtensions, ServerHello, ServerKeyExchange, client_key_exchange_length,
};

/// A message as it was read off the wire. Its text form is its name in the RFC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The client's offer.
    ClientHello(Box<ClientHello>),
    /// The server asks for a key share of another group.
    HelloRetryRequest(ServerHello),
    /// The server's choice, and what it answers to extensions in the clear.
    ServerHello(ServerHello, ServerExtensions),
    /// What it answers to the others.
    EncryptedExtensions(ServerExtensions),
    /// Bytes of each certificate, the end entity first.
    Certificate(Vec<usize>),
    /// A chain that was compressed.
    CompressedCertificate(CompressedCertificate),
    /// The server asks for the client's certificate.
    CertificateRequest(CertificateRequest),
    /// The signature over the handshake.
    CertificateVerify(CertificateVerify),
    /// TLS 1.2: the server's ephemeral key; `None` for an explicit curve.
    ServerKeyExchange(Option<ServerKeyExchange>),
    /// TLS 1.2: the client's ephemeral key or encrypted premaster secret.
    ClientKeyExchange {
        /// Whether it is a premaster secret, encrypted to the certificate's key.
        static_rsa: bool,
        /// Bytes of it.
        length: usize,
    },
    /// A ticket for a later resumption.
    NewSessionTicket(NewSessionTicket),
    /// A message whose content is of no interest here, or not understood.
    Handshake(HandshakeType),
    /// A close, or the reason why a side gives up.
    Alert(Alert),
    /// TLS 1.2: what follows is encrypted. TLS 1.3: nothing, for the sake of middleboxes.
    ChangeCipherSpec,
    /// Application data, of any number of records.
    ApplicationData,
    /// Records that the key log has no secret for.
    Unreadable,
}

/// What must be known to read the messages after the hellos.
#[derive(Clone, Copy)]
pub(crate) struct Grammar {
    pub(crate) version: ProtocolVersion,
    pub(crate) suite: CipherSuite,
}

impl Message {
    /// Reads a handshake message; `grammar` is unknown before the ServerHello, and where
    /// the version is older than TLS 1.2.
    pub(crate) fn parse(
        kind: HandshakeType,
        body: &[u8],
        grammar: Option<Grammar>,
    ) -> Result<Self, HelloError> {
        match kind {
            HandshakeType::CLIENT_HELLO => {
                let hello = ClientHello::parse(body)?;
                return Ok(Self::ClientHello(Box::new(hello)));
            }
            HandshakeType::SERVER_HELLO => {
                let hello = ServerHello::parse(body)?;
                if hello.is_retry_request {
                    return Ok(Self::HelloRetryRequest(hello));
                }
                let extensions = ServerExtensions::of_server_hello(body)?;
                return Ok(Self::ServerHello(hello, extensions));
            }
            _ => {}
        }
        let Some(Grammar { version, suite }) = grammar else {
            return Ok(Self::Handshake(kind));
        };
        // The two key exchange messages can be read only where the suite says how.
        let static_rsa = suite.facts().map(|facts| facts.static_rsa);
        Ok(match (kind, static_rsa) {
            (HandshakeType::ENCRYPTED_EXTENSIONS, _) => {
                Self::EncryptedExtensions(ServerExtensions::of_encrypted_extensions(body)?)
            }
            (HandshakeType::CERTIFICATE, _) => {
                let chain = CertificateMessage::parse(body, version)?.certificates;
                Self::Certificate(chain.into_iter().map(<[u8]>::len).collect())
            }
            (HandshakeType::COMPRESSED_CERTIFICATE, _) => {
                Self::CompressedCertificate(CompressedCertificate::parse(body)?)
            }
            (HandshakeType::CERTIFICATE_REQUEST, _) => {
                Self::CertificateRequest(CertificateRequest::parse(body, version)?)
            }
            (HandshakeType::CERTIFICATE_VERIFY, _) => {
                Self::CertificateVerify(CertificateVerify::parse(body)?)
            }
            (HandshakeType::SERVER_KEY_EXCHANGE, Some(false)) => {
                Self::ServerKeyExchange(ServerKeyExchange::parse(body)?)
            }
            (HandshakeType::CLIENT_KEY_EXCHANGE, Some(static_rsa)) => Self::ClientKeyExchange {
                static_rsa,
                length: client_key_exchange_length(body, static_rsa)?,
            },
            (HandshakeType::NEW_SESSION_TICKET, _) => {
                Self::NewSessionTicket(NewSessionTicket::parse(body, version)?)
            }
            _ => Self::Handshake(kind),
        })
    }

    /// Whether it belongs to the handshake: neither to what the connection is for, nor to
    /// its orderly end.
    pub(crate) fn belongs_to_handshake(&self) -> bool {
        match self {
            Self::ApplicationData => false,
            Self::Alert(alert) => alert.description != AlertDescription::CLOSE_NOTIFY,
            _ => true,
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientHello(_) => HandshakeType::CLIENT_HELLO.fmt(f),
            Self::HelloRetryRequest(_) => f.pad("HelloRetryRequest"),
            Self::ServerHello(..) => HandshakeType::SERVER_HELLO.fmt(f),
            Self::EncryptedExtensions(_) => HandshakeType::ENCRYPTED_EXTENSIONS.fmt(f),
            Self::Certificate(_) => HandshakeType::CERTIFICATE.fmt(f),
            Self::CompressedCertificate(_) => HandshakeType::COMPRESSED_CERTIFICATE.fmt(f),
            Self::CertificateRequest(_) => HandshakeType::CERTIFICATE_REQUEST.fmt(f),
            Self::CertificateVerify(_) => HandshakeType::CERTIFICATE_VERIFY.fmt(f),
            Self::ServerKeyExchange(_) => HandshakeType::SERVER_KEY_EXCHANGE.fmt(f),
            Self::ClientKeyExchange { .. } => HandshakeType::CLIENT_KEY_EXCHANGE.fmt(f),
            Self::NewSessionTicket(_) => HandshakeType::NEW_SESSION_TICKET.fmt(f),
            Self::Handshake(kind) => kind.fmt(f),
            Self::Alert(_) => f.pad("Alert"),
            Self::ChangeCipherSpec => f.pad("ChangeCipherSpec"),
            Self::ApplicationData => f.pad("Application data"),
            Self::Unreadable => f.pad("Encrypted records"),
        }
    }
}
