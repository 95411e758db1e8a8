use std::io;
use std::time::Duration;

use stack::StackError;
use transport::TransportError;

use super::Party;

/// Why a scene could not be performed.
#[derive(Debug, thiserror::Error)]
pub enum MitmError {
    /// The library that makes certificates failed.
    #[error("making a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A key of a form that the attacker can't give another public half.
    #[error("the attacker's key and the stolen certificate are not both of P-256")]
    OtherKey,
    /// A stack refuses to be a party of the scene.
    #[error(transparent)]
    Setup(#[from] StackError),
    /// There is no attacker without OpenSSL.
    #[error("the attacker needs OpenSSL, which is not in this build")]
    NoAttacker,
    /// A socket on loopback failed.
    #[error("a socket on loopback: {0}")]
    Socket(#[from] io::Error),
    /// A connection failed that nobody attacks.
    #[error("the {party} failed where it is not attacked: {error}")]
    Connection {
        /// Who failed.
        party: Party,
        /// How.
        error: TransportError,
    },
    /// The ClientHello is not one that can be changed.
    #[error("the client's first record is no ClientHello with the hybrid group")]
    Hello,
    /// A party waits for what never comes.
    #[error("the scene did not end within {} s", .0.as_secs())]
    Timeout(Duration),
}
