//! The algorithms of a certificate chain.

use std::fmt;
use std::str::FromStr;

use crate::{ParseAlgorithmError, SignatureAlgorithm};

/// The key algorithm of every certificate in a chain of three: end entity (leaf),
/// intermediate and root.
///
/// Any algorithm may stand at any level. The leaf's key signs handshakes; the
/// intermediate's and the root's keys sign certificates.
///
/// Written from the leaf upwards with `+` between; a trailing run of equal algorithms
/// is written once, so a chain of one algorithm has that algorithm's name:
///
/// ```
/// use wire::{ChainAlgorithms, SignatureAlgorithm as A};
///
/// assert_eq!(ChainAlgorithms::uniform(A::MlDsa65).to_string(), "ml-dsa-65");
/// let mixed = ChainAlgorithms::mixed(A::EcdsaP256, A::Rsa4096, A::Rsa4096);
/// assert_eq!(mixed.to_string(), "ecdsa-p256+rsa-4096");
/// assert_eq!("ecdsa-p256+rsa-4096".parse(), Ok(mixed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainAlgorithms {
    leaf: SignatureAlgorithm,
    intermediate: SignatureAlgorithm,
    root: SignatureAlgorithm,
}

impl ChainAlgorithms {
    /// A chain with the same algorithm at every level.
    pub const fn uniform(algorithm: SignatureAlgorithm) -> Self {
        Self::mixed(algorithm, algorithm, algorithm)
    }

    /// A chain with an algorithm of its own for each level.
    pub const fn mixed(
        leaf: SignatureAlgorithm,
        intermediate: SignatureAlgorithm,
        root: SignatureAlgorithm,
    ) -> Self {
        Self {
            leaf,
            intermediate,
            root,
        }
    }

    /// The algorithm of the end entity's key.
    pub const fn leaf(self) -> SignatureAlgorithm {
        self.leaf
    }

    /// The algorithm of the intermediate's key, which signs the leaf's certificate.
    pub const fn intermediate(self) -> SignatureAlgorithm {
        self.intermediate
    }

    /// The algorithm of the root's key, which signs the intermediate's certificate.
    pub const fn root(self) -> SignatureAlgorithm {
        self.root
    }
}

impl From<SignatureAlgorithm> for ChainAlgorithms {
    fn from(algorithm: SignatureAlgorithm) -> Self {
        Self::uniform(algorithm)
    }
}

impl fmt::Display for ChainAlgorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = self.leaf.to_string();
        if self.leaf != self.intermediate || self.intermediate != self.root {
            name = format!("{name}+{}", self.intermediate);
        }
        if self.intermediate != self.root {
            name = format!("{name}+{}", self.root);
        }
        f.pad(&name)
    }
}

/// A text that names no certificate chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseChainError {
    /// One of the levels names no signature algorithm.
    #[error("certificate chain {chain:?}: {error}")]
    Algorithm {
        /// The whole text.
        chain: String,
        /// What is wrong with the level.
        error: ParseAlgorithmError,
    },
    /// More than three levels.
    #[error(
        "certificate chain {0:?} has more than three levels: write leaf, leaf+issuers or \
         leaf+intermediate+root"
    )]
    TooLong(String),
}

impl FromStr for ChainAlgorithms {
    type Err = ParseChainError;

    /// Reads what [`Display`](fmt::Display) writes. A trailing run of equal algorithms may
    /// also be written out.
    fn from_str(chain: &str) -> Result<Self, Self::Err> {
        let levels = chain
            .split('+')
            .map(SignatureAlgorithm::from_str)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| ParseChainError::Algorithm {
                chain: chain.to_owned(),
                error,
            })?;
        match levels[..] {
            [all] => Ok(Self::uniform(all)),
            [leaf, issuers] => Ok(Self::mixed(leaf, issuers, issuers)),
            [leaf, intermediate, root] => Ok(Self::mixed(leaf, intermediate, root)),
            _ => Err(ParseChainError::TooLong(chain.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use SignatureAlgorithm::{EcdsaP256, MlDsa65, Rsa2048, Rsa4096};

    #[test]
    fn every_chain_reads_back_from_its_name() {
        for leaf in SignatureAlgorithm::ALL {
            for intermediate in SignatureAlgorithm::ALL {
                for root in SignatureAlgorithm::ALL {
                    let chain = ChainAlgorithms::mixed(leaf, intermediate, root);
                    assert_eq!(chain.to_string().parse(), Ok(chain), "{chain}");
                }
            }
        }
    }

    #[test]
    fn only_a_trailing_run_is_shortened() {
        let name =
            |leaf, intermediate, root| ChainAlgorithms::mixed(leaf, intermediate, root).to_string();
        assert_eq!(name(EcdsaP256, EcdsaP256, EcdsaP256), "ecdsa-p256");
        assert_eq!(name(EcdsaP256, Rsa4096, Rsa4096), "ecdsa-p256+rsa-4096");
        assert_eq!(
            name(EcdsaP256, Rsa2048, Rsa4096),
            "ecdsa-p256+rsa-2048+rsa-4096"
        );
        assert_eq!(
            name(EcdsaP256, EcdsaP256, MlDsa65),
            "ecdsa-p256+ecdsa-p256+ml-dsa-65"
        );
        assert_eq!(
            name(MlDsa65, EcdsaP256, MlDsa65),
            "ml-dsa-65+ecdsa-p256+ml-dsa-65"
        );
    }

    #[test]
    fn a_written_out_run_means_the_same() {
        let chain: ChainAlgorithms = "ml-dsa-65+ml-dsa-65+ml-dsa-65".parse().unwrap();
        assert_eq!(chain, ChainAlgorithms::uniform(MlDsa65));
    }

    #[test]
    fn bad_names_are_refused() {
        for bad in [
            "",
            "+",
            "ecdsa-p256+",
            "+rsa-4096",
            "rsa-1024",
            "ed25519+rsa",
            "ed25519 ",
        ] {
            let parsed = bad.parse::<ChainAlgorithms>();
            assert!(
                matches!(parsed, Err(ParseChainError::Algorithm { .. })),
                "{bad:?}: {parsed:?}"
            );
        }
        let four = "ed25519+ed25519+ed25519+ed25519";
        assert_eq!(
            four.parse::<ChainAlgorithms>(),
            Err(ParseChainError::TooLong(four.to_owned()))
        );
    }
}
