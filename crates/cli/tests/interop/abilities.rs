//! What peers can do: cases are made of this, whether a peer is there or not.

use wire::{ChainAlgorithms, NamedGroup, SignatureAlgorithm as A};

pub(crate) const ECDSA: ChainAlgorithms = ChainAlgorithms::uniform(A::EcdsaP256);
pub(crate) const RSA: ChainAlgorithms = ChainAlgorithms::uniform(A::Rsa2048);
pub(crate) const ED25519: ChainAlgorithms = ChainAlgorithms::uniform(A::Ed25519);
pub(crate) const ML_DSA: ChainAlgorithms = ChainAlgorithms::uniform(A::MlDsa65);
/// A post-quantum end entity under issuers of today: for clients whose store of anchors knows
/// no ML-DSA.
pub(crate) const ML_DSA_UNDER_ECDSA: ChainAlgorithms =
    ChainAlgorithms::mixed(A::MlDsa65, A::EcdsaP256, A::EcdsaP256);

/// Every chain of the suite.
pub(crate) const CHAINS: [ChainAlgorithms; 5] = [ECDSA, RSA, ED25519, ML_DSA, ML_DSA_UNDER_ECDSA];

/// What a peer can do in one role.
#[derive(Clone, Default)]
pub(crate) struct Abilities {
    pub(crate) groups: Vec<NamedGroup>,
    pub(crate) chains: Vec<ChainAlgorithms>,
    pub(crate) tls12: bool,
    pub(crate) mutual_tls: bool,
    /// What is shown where a server has ML-DSA-65 and ECDSA P-256: by this server, or to this
    /// client. Nothing for a server that takes one certificate.
    pub(crate) dual: Option<A>,
    pub(crate) http2: bool,
    pub(crate) resumption: bool,
    /// Can offer several groups, the first with a key share.
    pub(crate) hello_retry: bool,
    /// Clients: offers groups of its own choice, as browsers do.
    pub(crate) fixed_groups: bool,
}

impl Abilities {
    /// Those of the libraries that have all that is standardised.
    pub(crate) fn post_quantum() -> Self {
        Self {
            groups: vec![
                NamedGroup::X25519,
                NamedGroup::X25519MLKEM768,
                NamedGroup::SECP256R1MLKEM768,
                NamedGroup::SECP384R1MLKEM1024,
                NamedGroup::MLKEM1024,
            ],
            chains: vec![ECDSA, RSA, ED25519, ML_DSA],
            mutual_tls: true,
            dual: Some(A::MlDsa65),
            hello_retry: true,
            ..Self::default()
        }
    }

    /// The chain with which it authenticates by ML-DSA.
    pub(crate) fn ml_dsa(&self) -> Option<ChainAlgorithms> {
        let mut chains = self.chains.iter().copied();
        chains.find(|chain| chain.leaf() == A::MlDsa65)
    }
}
