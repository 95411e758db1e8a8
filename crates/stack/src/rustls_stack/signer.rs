//! A key told to sign with no scheme but one, and one that notes which it used.
//!
//! Clients of the other stacks offer only the scheme of the scenario; one of s2n-tls offers
//! what its security policy has, and rustls would take RSA-PSS with SHA-512.

use std::sync::Arc;

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use super::observed;

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

#[derive(Debug)]
pub(super) struct ObservedKey(pub(super) Arc<dyn SigningKey>);

impl SigningKey for ObservedKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let signer = self.0.choose_scheme(offered)?;
        Some(Box::new(ObservedSigner(signer)))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.0.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[derive(Debug)]
struct ObservedSigner(Box<dyn Signer>);

impl Signer for ObservedSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let scheme = wire::SignatureScheme(self.0.scheme().into());
        observed::note(|observed| observed.own_scheme = Some(scheme));
        self.0.sign(message)
    }

    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }
}
