//! The key schedule of TLS 1.3 (RFC 8446 section 7.1).

use aws_lc_rs::hmac;

use crate::expand::expand_label;
use crate::suite::{Hash, SuiteAlgorithms, TranscriptHash};

/// The three extractions, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// From a pre-shared key, or from none.
    Early,
    /// With the shared secret of the key exchange.
    Handshake,
    /// The end: the master secret.
    Master,
}

/// What can be derived, by its label in the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// The client's handshake traffic secret: after ServerHello.
    ClientHandshake,
    /// The server's handshake traffic secret: after ServerHello.
    ServerHandshake,
    /// The client's application traffic secret: after the server's Finished.
    ClientApplication,
    /// The server's application traffic secret: after the server's Finished.
    ServerApplication,
    /// The resumption master secret: after the client's Finished.
    Resumption,
}

impl Secret {
    const fn label(self) -> &'static str {
        match self {
            Self::ClientHandshake => "c hs traffic",
            Self::ServerHandshake => "s hs traffic",
            Self::ClientApplication => "c ap traffic",
            Self::ServerApplication => "s ap traffic",
            Self::Resumption => "res master",
        }
    }

    const fn stage(self) -> Stage {
        match self {
            Self::ClientHandshake | Self::ServerHandshake => Stage::Handshake,
            Self::ClientApplication | Self::ServerApplication | Self::Resumption => Stage::Master,
        }
    }
}

/// The secrets of one connection.
#[derive(Clone)]
pub struct Tls13Schedule {
    hash: Hash,
    early: Vec<u8>,
    handshake: Vec<u8>,
    master: Vec<u8>,
}

impl Tls13Schedule {
    /// From the pre-shared key, if one was taken, and the shared secret of the key exchange,
    /// if there was one (RFC 8446 section 7.1: zeros stand for what is absent).
    pub fn new(
        algorithms: SuiteAlgorithms,
        pre_shared_key: Option<&[u8]>,
        shared_secret: Option<&[u8]>,
    ) -> Option<Self> {
        let hash = algorithms.hash;
        let zeros = vec![0; hash.length()];
        let early = extract(hash, &zeros, pre_shared_key.unwrap_or(&zeros));
        let salt = derive(hash, &early, "derived", &empty(algorithms))?;
        let handshake = extract(hash, &salt, shared_secret.unwrap_or(&zeros));
        let salt = derive(hash, &handshake, "derived", &empty(algorithms))?;
        let master = extract(hash, &salt, &zeros);
        Some(Self {
            hash,
            early,
            handshake,
            master,
        })
    }

    /// One of the secrets, over the transcript up to where it stands in the standard.
    pub fn secret(&self, secret: Secret, transcript: &TranscriptHash) -> Option<Vec<u8>> {
        let from = self.stage(secret.stage());
        derive(self.hash, from, secret.label(), &transcript.value())
    }

    /// The secret that an extraction gave.
    pub fn stage(&self, stage: Stage) -> &[u8] {
        match stage {
            Stage::Early => &self.early,
            Stage::Handshake => &self.handshake,
            Stage::Master => &self.master,
        }
    }

    /// The binder of a resumption, over the hash of the ClientHello up to its binders
    /// (RFC 8446 section 4.2.11.2).
    pub fn resumption_binder(&self, truncated_hello: &TranscriptHash) -> Option<Vec<u8>> {
        let context = TranscriptHash::of(self.hash).value();
        let key = derive(self.hash, &self.early, "res binder", &context)?;
        finished(&key, truncated_hello)
    }

    /// The pre-shared key that a ticket stands for, of its nonce and the resumption master
    /// secret (RFC 8446 section 4.6.1).
    pub fn ticket_key(
        algorithms: SuiteAlgorithms,
        resumption_secret: &[u8],
        nonce: &[u8],
    ) -> Option<Vec<u8>> {
        derive(algorithms.hash, resumption_secret, "resumption", nonce)
    }
}

/// The content of a Finished message, of the side's handshake traffic secret and the
/// transcript before it (RFC 8446 section 4.4.4).
pub fn finished(traffic_secret: &[u8], transcript: &TranscriptHash) -> Option<Vec<u8>> {
    let hash = transcript.hash();
    let key = derive(hash, traffic_secret, "finished", &[])?;
    let key = hmac::Key::new(hash.hmac(), &key);
    Some(hmac::sign(&key, &transcript.value()).as_ref().to_vec())
}

fn empty(algorithms: SuiteAlgorithms) -> Vec<u8> {
    TranscriptHash::new(algorithms).value()
}

/// HKDF-Extract (RFC 5869 section 2.2).
fn extract(hash: Hash, salt: &[u8], input: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hash.hmac(), salt);
    hmac::sign(&key, input).as_ref().to_vec()
}

fn derive(hash: Hash, secret: &[u8], label: &str, context: &[u8]) -> Option<Vec<u8>> {
    let mut output = vec![0; hash.length()];
    expand_label(hash, secret, label, context, &mut output)?;
    Some(output)
}
