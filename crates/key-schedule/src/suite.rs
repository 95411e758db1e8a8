//! What a cipher suite is made of.

use aws_lc_rs::{aead, digest, hkdf, hmac, tls_prf};
use wire::CipherSuite;

/// The algorithms of a cipher suite that this crate can undo.
#[derive(Clone, Copy)]
pub struct SuiteAlgorithms {
    pub(crate) aead: &'static aead::Algorithm,
    pub(crate) hash: Hash,
    /// TLS 1.2 with AES-GCM: eight bytes of the nonce stand before the ciphertext
    /// (RFC 5288 section 3).
    pub(crate) has_explicit_nonce: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    pub(crate) const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    pub(crate) const fn hkdf(self) -> hkdf::Algorithm {
        match self {
            Self::Sha256 => hkdf::HKDF_SHA256,
            Self::Sha384 => hkdf::HKDF_SHA384,
        }
    }

    pub(crate) const fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
        }
    }

    pub(crate) const fn prf(self) -> &'static tls_prf::Algorithm {
        match self {
            Self::Sha256 => &tls_prf::P_SHA256,
            Self::Sha384 => &tls_prf::P_SHA384,
        }
    }

    pub(crate) const fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
        }
    }
}

impl SuiteAlgorithms {
    /// `None` where the suite is unknown or no AEAD.
    pub fn of(suite: CipherSuite) -> Option<Self> {
        let (aead, hash) = match suite.0 {
            0x1301 | 0xc02b | 0xc02f | 0x009c => (&aead::AES_128_GCM, Hash::Sha256),
            0x1302 | 0xc02c | 0xc030 | 0x009d => (&aead::AES_256_GCM, Hash::Sha384),
            0x1303 | 0xcca8 | 0xcca9 => (&aead::CHACHA20_POLY1305, Hash::Sha256),
            _ => return None,
        };
        let is_tls13 = suite.facts().is_some_and(|facts| facts.tls13);
        Some(Self {
            aead,
            hash,
            has_explicit_nonce: !is_tls13 && aead != &aead::CHACHA20_POLY1305,
        })
    }

    /// Bytes of a traffic secret of TLS 1.3: those of the hash.
    pub const fn secret_length(self) -> usize {
        self.hash.length()
    }
}

/// The hash over the handshake messages so far (RFC 8446 section 4.4.1).
#[derive(Clone)]
pub struct TranscriptHash {
    hash: Hash,
    context: digest::Context,
}

impl TranscriptHash {
    /// Before the first message.
    pub fn new(algorithms: SuiteAlgorithms) -> Self {
        Self::of(algorithms.hash)
    }

    pub(crate) fn of(hash: Hash) -> Self {
        Self {
            hash,
            context: digest::Context::new(hash.digest()),
        }
    }

    /// As it goes on after a HelloRetryRequest: the first ClientHello is replaced by its hash.
    pub fn after_retry(algorithms: SuiteAlgorithms, first_hello: &[u8]) -> Self {
        let digest = digest::digest(algorithms.hash.digest(), first_hello);
        let mut transcript = Self::new(algorithms);
        // The message type message_hash, and a length that fits one byte.
        transcript.add(&[254, 0, 0, algorithms.hash.length() as u8]);
        transcript.add(digest.as_ref());
        transcript
    }

    /// Takes a message, its header included.
    pub fn add(&mut self, message: &[u8]) {
        self.context.update(message);
    }

    /// The hash up to here.
    pub fn value(&self) -> Vec<u8> {
        self.context.clone().finish().as_ref().to_vec()
    }

    pub(crate) const fn hash(&self) -> Hash {
        self.hash
    }
}
