//! A key-exchange group made of two others.

use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, ProtocolVersion};

use crate::INVALID_KEY_SHARE;

/// A TLS 1.3 group that runs a classical and a KEM group side by side and concatenates their
/// shares and secrets (RFC 9954 section 3, RFC 10024).
///
/// The halves may come from any provider:
///
/// ```
/// use rustls::NamedGroup;
/// use rustls::crypto::aws_lc_rs::kx_group;
/// use rustls_pqcrypto::{Hybrid, Layout, Order};
///
/// static SECP384R1MLKEM1024: Hybrid = Hybrid::new(
///     NamedGroup::Unknown(0x11ed),
///     kx_group::SECP384R1,
///     kx_group::MLKEM1024,
///     Layout {
///         order: Order::ClassicalFirst,
///         classical_share: 97,
///         kem_client_share: 1568,
///         kem_server_share: 1568,
///     },
/// );
/// ```
///
/// On the client, the classical share is also offered by itself where the provider lists that
/// group too (see [`ActiveKeyExchange::hybrid_component`]), so that a server without the hybrid
/// needs no second round trip.
#[derive(Debug)]
pub struct Hybrid {
    name: NamedGroup,
    classical: &'static dyn SupportedKxGroup,
    kem: &'static dyn SupportedKxGroup,
    layout: Layout,
}

impl Hybrid {
    /// The hybrid of `classical` and `kem` under the code point `name`.
    ///
    /// A `layout` that does not fit the two groups makes every key exchange fail with
    /// [`Error::General`].
    pub const fn new(
        name: NamedGroup,
        classical: &'static dyn SupportedKxGroup,
        kem: &'static dyn SupportedKxGroup,
        layout: Layout,
    ) -> Self {
        Self {
            name,
            classical,
            kem,
            layout,
        }
    }
}

impl SupportedKxGroup for Hybrid {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let halves = Halves {
            classical: self.classical.start()?,
            kem: self.kem.start()?,
        };
        let shares = Halves {
            classical: halves.classical.pub_key(),
            kem: halves.kem.pub_key(),
        };
        self.layout.check(&shares, self.layout.kem_client_share)?;
        let share = self.layout.join(&shares);
        Ok(Box::new(ActiveHybrid {
            name: self.name,
            layout: self.layout,
            halves,
            share,
        }))
    }

    fn start_and_complete(&self, client_share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let shares = self
            .layout
            .split(client_share, self.layout.kem_client_share)?;
        let classical = self.classical.start_and_complete(shares.classical)?;
        let kem = self.kem.start_and_complete(shares.kem)?;

        let shares = Halves {
            classical: &*classical.pub_key,
            kem: &*kem.pub_key,
        };
        self.layout.check(&shares, self.layout.kem_server_share)?;
        Ok(CompletedKeyExchange {
            group: self.name,
            pub_key: self.layout.join(&shares),
            secret: self.layout.secret(&classical.secret, &kem.secret),
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

/// How the two halves of a hybrid lie in its shares. All lengths are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Which half comes first, in the shares and in the secret.
    pub order: Order,
    /// The classical share, of either side: 32 for X25519, 65 for P-256, 97 for P-384.
    pub classical_share: usize,
    /// The client's KEM share: an encapsulation key.
    pub kem_client_share: usize,
    /// The server's KEM share: a ciphertext.
    pub kem_server_share: usize,
}

/// Which half of a hybrid comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As in SecP256r1MLKEM768 and SecP384r1MLKEM1024.
    ClassicalFirst,
    /// As in X25519MLKEM768.
    KemFirst,
}

impl Layout {
    /// Cuts a peer's share into those of the halves.
    fn split<'a>(&self, share: &'a [u8], kem_share: usize) -> Result<Halves<&'a [u8]>, Error> {
        if share.len() != self.classical_share + kem_share {
            return Err(INVALID_KEY_SHARE);
        }
        Ok(match self.order {
            Order::ClassicalFirst => {
                let (classical, kem) = share.split_at(self.classical_share);
                Halves { classical, kem }
            }
            Order::KemFirst => {
                let (kem, classical) = share.split_at(kem_share);
                Halves { classical, kem }
            }
        })
    }

    /// Whether shares made on this side have the lengths that a peer will cut them by.
    fn check(&self, shares: &Halves<&[u8]>, kem_share: usize) -> Result<(), Error> {
        if shares.classical.len() == self.classical_share && shares.kem.len() == kem_share {
            return Ok(());
        }
        Err(Error::General(format!(
            "hybrid layout says {} + {kem_share} bytes (classical + KEM), but the groups made {} + \
             {}: correct the layout of this hybrid",
            self.classical_share,
            shares.classical.len(),
            shares.kem.len(),
        )))
    }

    fn join(&self, halves: &Halves<&[u8]>) -> Vec<u8> {
        match self.order {
            Order::ClassicalFirst => [halves.classical, halves.kem].concat(),
            Order::KemFirst => [halves.kem, halves.classical].concat(),
        }
    }

    fn secret(&self, classical: &SharedSecret, kem: &SharedSecret) -> SharedSecret {
        let secrets = Halves {
            classical: classical.secret_bytes(),
            kem: kem.secret_bytes(),
        };
        SharedSecret::from(self.join(&secrets))
    }
}

struct Halves<T> {
    classical: T,
    kem: T,
}

/// The client's half of a hybrid key exchange that waits for the server's share.
struct ActiveHybrid {
    name: NamedGroup,
    layout: Layout,
    halves: Halves<Box<dyn ActiveKeyExchange>>,
    share: Vec<u8>,
}

impl ActiveKeyExchange for ActiveHybrid {
    fn complete(self: Box<Self>, server_share: &[u8]) -> Result<SharedSecret, Error> {
        let shares = self
            .layout
            .split(server_share, self.layout.kem_server_share)?;
        let classical = self.halves.classical.complete(shares.classical)?;
        let kem = self.halves.kem.complete(shares.kem)?;
        Ok(self.layout.secret(&classical, &kem))
    }

    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        Some((
            self.halves.classical.group(),
            self.halves.classical.pub_key(),
        ))
    }

    fn complete_hybrid_component(
        self: Box<Self>,
        server_share: &[u8],
    ) -> Result<SharedSecret, Error> {
        self.halves.classical.complete(server_share)
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        self.name
    }
}
