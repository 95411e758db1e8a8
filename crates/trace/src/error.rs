//! Why a capture could not be read to its end.

use experiment::Side;
use wire::{CipherSuite, HandshakeType, HelloError, RecordError};

use crate::SecretLabel;

/// What is wrong with a capture, and where. Flights count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The bytes are no TLS records.
    #[error("flight {flight}, from the {sender}: {source}")]
    Record {
        /// The flight.
        flight: usize,
        /// Its sender.
        sender: Side,
        /// What is wrong.
        source: RecordError,
    },
    /// A message breaks its grammar.
    #[error("flight {flight}, from the {sender}, {message}: {source}")]
    Message {
        /// The flight.
        flight: usize,
        /// Its sender.
        sender: Side,
        /// The message.
        message: HandshakeType,
        /// What is wrong.
        source: HelloError,
    },
    /// An alert is cut short.
    #[error("flight {flight}, from the {sender}, an alert: {source}")]
    Alert {
        /// The flight.
        flight: usize,
        /// Its sender.
        sender: Side,
        /// What is wrong.
        source: HelloError,
    },
    /// A record does not open with the secret that the key log has for it.
    #[error(
        "flight {flight}, from the {sender}: its record {record} does not open with the logged \
         secret: it was changed on the way, or the key log is not of this connection"
    )]
    Decryption {
        /// The flight.
        flight: usize,
        /// Its sender.
        sender: Side,
        /// The record within the flight, from 1.
        record: usize,
    },
    /// A logged secret can't be one of the negotiated cipher suite.
    #[error("the key log's {label} has {length} bytes, which {suite} does not have: log again")]
    Secret {
        /// What the secret is for.
        label: SecretLabel,
        /// Its length in bytes.
        length: usize,
        /// The negotiated suite.
        suite: CipherSuite,
    },
    /// The sender broke a rule of the record layer.
    #[error("flight {flight}, from the {sender}: {rule}")]
    Protocol {
        /// The flight.
        flight: usize,
        /// Its sender.
        sender: Side,
        /// The rule.
        rule: &'static str,
    },
    /// The capture ends within a message.
    #[error("the capture ends within a handshake message of the {sender}: {missing} bytes miss")]
    Unfinished {
        /// Who sent it.
        sender: Side,
        /// Bytes missing, at least.
        missing: usize,
    },
}
