//! Key exchange and signing with a clock around them.

use std::sync::{Arc, Mutex, PoisonError};

use experiment::{Phase, Side};
use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, NamedGroup, ProtocolVersion, SignatureAlgorithm, SignatureScheme};

use crate::phases::timed;

#[derive(Debug)]
struct TimedGroup {
    side: Side,
    inner: &'static dyn SupportedKxGroup,
}

/// The timed twin of a group. rustls wants groups to live for ever, so each is made once
/// and kept: there are as many as there are groups.
pub(super) fn group(
    side: Side,
    inner: &'static dyn SupportedKxGroup,
) -> &'static dyn SupportedKxGroup {
    static MADE: Mutex<Vec<&'static TimedGroup>> = Mutex::new(Vec::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    // Two providers may have one group each of the same name: the object tells them apart.
    let is_same = |twin: &&&TimedGroup| {
        twin.side == side && std::ptr::addr_eq(twin.inner, inner) && twin.name() == inner.name()
    };
    if let Some(twin) = made.iter().find(is_same) {
        return *twin;
    }
    let twin = Box::leak(Box::new(TimedGroup { side, inner }));
    made.push(twin);
    twin
}

impl SupportedKxGroup for TimedGroup {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let inner = timed(self.side, Phase::GenerateShare, || self.inner.start())?;
        Ok(Box::new(TimedExchange {
            side: self.side,
            inner,
        }))
    }

    fn start_and_complete(&self, peer_pub_key: &[u8]) -> Result<CompletedKeyExchange, Error> {
        timed(self.side, Phase::Agree, || {
            self.inner.start_and_complete(peer_pub_key)
        })
    }

    fn name(&self) -> NamedGroup {
        self.inner.name()
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        self.inner.usable_for_version(version)
    }
}

struct TimedExchange {
    side: Side,
    inner: Box<dyn ActiveKeyExchange>,
}

impl ActiveKeyExchange for TimedExchange {
    fn complete(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        timed(self.side, Phase::Agree, || {
            self.inner.complete(peer_pub_key)
        })
    }

    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        self.inner.hybrid_component()
    }

    fn complete_hybrid_component(
        self: Box<Self>,
        peer_pub_key: &[u8],
    ) -> Result<SharedSecret, Error> {
        timed(self.side, Phase::Agree, || {
            self.inner.complete_hybrid_component(peer_pub_key)
        })
    }

    fn pub_key(&self) -> &[u8] {
        self.inner.pub_key()
    }

    fn group(&self) -> NamedGroup {
        self.inner.group()
    }
}

#[derive(Debug)]
pub(super) struct TimedKey {
    pub(super) side: Side,
    pub(super) inner: Arc<dyn SigningKey>,
}

impl SigningKey for TimedKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let inner = self.inner.choose_scheme(offered)?;
        Some(Box::new(TimedSigner {
            side: self.side,
            inner,
        }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.inner.algorithm()
    }
}

#[derive(Debug)]
struct TimedSigner {
    side: Side,
    inner: Box<dyn Signer>,
}

impl Signer for TimedSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        timed(self.side, Phase::Sign, || self.inner.sign(message))
    }

    fn scheme(&self) -> SignatureScheme {
        self.inner.scheme()
    }
}
