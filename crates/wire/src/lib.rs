//! What the TLS standards define, and nothing else: code points, the facts about
//! the algorithms behind them, and the record and handshake codec.
//!
//! There is no cryptography, no I/O and no TLS library in here. A code point that
//! is unknown to the tables is still a valid value: an observer must be able to
//! carry what it saw.

mod alert;
mod algorithm;
mod chain;
mod cipher_suite;
mod code_point;
mod extension;
mod group;
mod handshake;
mod material;
mod messages;
mod offer;
mod reader;
mod record;
mod signature_scheme;
mod version;

pub use alert::{Alert, AlertDescription};
pub use algorithm::{ParseAlgorithmError, SignatureAlgorithm, SignatureAlgorithmFacts};
pub use chain::{ChainAlgorithms, ParseChainError};
pub use cipher_suite::{CipherSuite, CipherSuiteFacts};
pub use code_point::UnknownName;
pub use extension::{ExtensionType, is_grease};
pub use group::{GroupFacts, GroupKind, GroupStatus, NamedGroup, NistCategory};
pub use handshake::{
    ClientHello, HandshakeMessage, HandshakeType, HelloError, KeyShare, ServerHello,
    plaintext_messages,
};
pub use material::{ServerMaterial, TicketMaterial, dh_prime_bits};
pub use messages::{
    CertificateMessage, CertificateRequest, CertificateVerify, CompressedCertificate,
    NewSessionTicket, ServerExtensions, ServerKeyExchange, client_key_exchange_length,
};
pub use offer::{Offer, OfferedTicket, handshake_records};
pub use record::{ContentType, MAX_RECORD, Record, RecordError, Records};
pub use signature_scheme::{SignatureScheme, SignatureSchemeFacts};
pub use version::{ProtocolVersion, UnknownVersion, version_name};
