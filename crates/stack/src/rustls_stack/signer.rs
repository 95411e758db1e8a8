//! A key told to sign with no scheme but one.
//!
//! Clients of the other stacks offer only the scheme of the scenario; one of s2n-tls offers
//! what its security policy has, and rustls would take RSA-PSS with SHA-512.

use std::sync::Arc;

use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

#[derive(Debug)]
pub(super) struct PinnedKey {
    pub(super) inner: Arc<dyn SigningKey>,
    pub(super) scheme: SignatureScheme,
}

impl SigningKey for PinnedKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        if !offered.contains(&self.scheme) {
            return None;
        }
        self.inner.choose_scheme(&[self.scheme])
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.inner.algorithm()
    }
}
