//! A key-exchange group made of one key encapsulation mechanism.

use std::fmt;
use std::marker::PhantomData;

use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, ProtocolVersion};

use crate::INVALID_KEY_SHARE;

/// A key encapsulation mechanism, as [`KemGroup`] needs it.
///
/// The implementing type is a marker for one parameter set and is never constructed.
pub trait Kem: fmt::Debug + 'static {
    /// Bytes of an encapsulation key: the client's key share.
    const ENCAPSULATION_KEY_LEN: usize;

    /// Bytes of a ciphertext: the server's key share.
    const CIPHERTEXT_LEN: usize;

    /// The client's secret between its two flights. It must clear itself when it is dropped.
    type DecapsulationKey: Send + Sync + 'static;

    /// Makes a key pair: the encoded encapsulation key, and the key that opens its ciphertexts.
    ///
    /// # Errors
    ///
    /// [`Error::FailedToGetRandomBytes`] or [`Error::General`] when the library fails on this
    /// side.
    fn generate() -> Result<(Vec<u8>, Self::DecapsulationKey), Error>;

    /// Encapsulates to the peer's key: the ciphertext, and the secret that it carries.
    ///
    /// `encapsulation_key` has [`ENCAPSULATION_KEY_LEN`](Self::ENCAPSULATION_KEY_LEN) bytes.
    ///
    /// # Errors
    ///
    /// `PeerMisbehaved::InvalidKeyShare` when the key fails the mechanism's own checks.
    fn encapsulate(encapsulation_key: &[u8]) -> Result<(Vec<u8>, SharedSecret), Error>;

    /// Opens a ciphertext.
    ///
    /// `ciphertext` has [`CIPHERTEXT_LEN`](Self::CIPHERTEXT_LEN) bytes. One that was altered is
    /// no error: a KEM with implicit rejection answers with an unrelated secret.
    ///
    /// # Errors
    ///
    /// `PeerMisbehaved::InvalidKeyShare` when the ciphertext is not well-formed.
    fn decapsulate(key: Self::DecapsulationKey, ciphertext: &[u8]) -> Result<SharedSecret, Error>;
}

/// A TLS 1.3 group whose client share is an encapsulation key and whose server share is a
/// ciphertext (draft-ietf-tls-mlkem, section 4).
///
/// ```
/// # use rustls::{Error, NamedGroup, crypto::{SharedSecret, SupportedKxGroup}};
/// # use rustls_pqcrypto::{Kem, KemGroup};
/// # #[derive(Debug)] struct MyKem;
/// # impl Kem for MyKem {
/// #     const ENCAPSULATION_KEY_LEN: usize = 0;
/// #     const CIPHERTEXT_LEN: usize = 0;
/// #     type DecapsulationKey = ();
/// #     fn generate() -> Result<(Vec<u8>, ()), Error> { Ok((Vec::new(), ())) }
/// #     fn encapsulate(_: &[u8]) -> Result<(Vec<u8>, SharedSecret), Error> {
/// #         Ok((Vec::new(), SharedSecret::from(&[][..])))
/// #     }
/// #     fn decapsulate(_: (), _: &[u8]) -> Result<SharedSecret, Error> {
/// #         Ok(SharedSecret::from(&[][..]))
/// #     }
/// # }
/// static MY_GROUP: &dyn SupportedKxGroup = &KemGroup::<MyKem>::new(NamedGroup::Unknown(0xfe20));
/// ```
#[derive(Debug)]
pub struct KemGroup<K> {
    name: NamedGroup,
    kem: PhantomData<fn() -> K>,
}

impl<K: Kem> KemGroup<K> {
    /// The group of `K` under the code point `name`.
    pub const fn new(name: NamedGroup) -> Self {
        Self {
            name,
            kem: PhantomData,
        }
    }
}

impl<K: Kem> SupportedKxGroup for KemGroup<K> {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let (encapsulation_key, decapsulation_key) = K::generate()?;
        Ok(Box::new(ActiveKem::<K> {
            name: self.name,
            encapsulation_key,
            decapsulation_key,
        }))
    }

    fn start_and_complete(&self, client_share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        if client_share.len() != K::ENCAPSULATION_KEY_LEN {
            return Err(INVALID_KEY_SHARE);
        }
        let (ciphertext, secret) = K::encapsulate(client_share)?;
        Ok(CompletedKeyExchange {
            group: self.name,
            pub_key: ciphertext,
            secret,
        })
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        self.name
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

/// The client's half of a key exchange that waits for the server's ciphertext.
struct ActiveKem<K: Kem> {
    name: NamedGroup,
    encapsulation_key: Vec<u8>,
    decapsulation_key: K::DecapsulationKey,
}

impl<K: Kem> ActiveKeyExchange for ActiveKem<K> {
    fn complete(self: Box<Self>, server_share: &[u8]) -> Result<SharedSecret, Error> {
        if server_share.len() != K::CIPHERTEXT_LEN {
            return Err(INVALID_KEY_SHARE);
        }
        K::decapsulate(self.decapsulation_key, server_share)
    }

    fn pub_key(&self) -> &[u8] {
        &self.encapsulation_key
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        self.name
    }
}
