//! Key shares that can be completed: for the few connections in which something has to be
//! read that is encrypted. Groups are enumerated without any.

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::kem::{self, DecapsulationKey};
use wire::NamedGroup;

/// The private half of a key share.
pub(crate) struct Share {
    group: NamedGroup,
    public: Vec<u8>,
    secret: Secret,
}

enum Secret {
    Agreement(&'static agreement::Algorithm, PrivateKey),
    Kem(Box<DecapsulationKey<kem::AlgorithmId>>),
    /// The halves in the order in which they stand on the wire.
    Hybrid(Box<[Share; 2]>),
}

impl Share {
    /// A fresh one; `None` where the group can't be computed here.
    pub(crate) fn generate(group: NamedGroup) -> Option<Self> {
        if let Some([classical, kem]) = group.halves() {
            // RFC 10024: ML-KEM comes first with X25519, and last with the NIST curves.
            let order = match group {
                NamedGroup::X25519MLKEM768 => [kem, classical],
                _ => [classical, kem],
            };
            let [first, second] = order.map(Self::generate);
            let halves = [first?, second?];
            return Some(Self {
                group,
                public: halves.iter().flat_map(|half| half.public.clone()).collect(),
                secret: Secret::Hybrid(Box::new(halves)),
            });
        }
        if let Some(algorithm) = kem_algorithm(group) {
            let key = DecapsulationKey::generate(algorithm).ok()?;
            let public = key
                .encapsulation_key()
                .ok()?
                .key_bytes()
                .ok()?
                .as_ref()
                .to_vec();
            return Some(Self {
                group,
                public,
                secret: Secret::Kem(Box::new(key)),
            });
        }
        let algorithm = agreement_algorithm(group)?;
        let key = PrivateKey::generate(algorithm).ok()?;
        let public = key.compute_public_key().ok()?.as_ref().to_vec();
        Some(Self {
            group,
            public,
            secret: Secret::Agreement(algorithm, key),
        })
    }

    /// Whether [`Self::generate`] knows the group.
    pub(crate) fn is_computable(group: NamedGroup) -> bool {
        match group.halves() {
            Some(halves) => halves.into_iter().all(Self::is_computable),
            None => kem_algorithm(group).is_some() || agreement_algorithm(group).is_some(),
        }
    }

    pub(crate) const fn group(&self) -> NamedGroup {
        self.group
    }

    /// What is sent.
    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    /// The shared secret; `None` where the peer's share is malformed.
    pub(crate) fn complete(&self, peer: &[u8]) -> Option<Vec<u8>> {
        match &self.secret {
            Secret::Agreement(algorithm, key) => {
                let peer = UnparsedPublicKey::new(algorithm, peer);
                agreement::agree(key, peer, (), |secret| Ok(secret.to_vec())).ok()
            }
            Secret::Kem(key) => {
                let secret = key.decapsulate(peer.into()).ok()?;
                Some(secret.as_ref().to_vec())
            }
            Secret::Hybrid(halves) => {
                let [first, second] = halves.as_ref();
                let length = usize::from(first.group.facts()?.server_share);
                let (one, other) = peer.split_at_checked(length)?;
                let mut secret = first.complete(one)?;
                secret.extend(second.complete(other)?);
                Some(secret)
            }
        }
    }
}

const fn kem_algorithm(group: NamedGroup) -> Option<&'static kem::Algorithm<kem::AlgorithmId>> {
    Some(match group {
        NamedGroup::MLKEM512 => &kem::ML_KEM_512,
        NamedGroup::MLKEM768 => &kem::ML_KEM_768,
        NamedGroup::MLKEM1024 => &kem::ML_KEM_1024,
        _ => return None,
    })
}

fn agreement_algorithm(group: NamedGroup) -> Option<&'static agreement::Algorithm> {
    Some(match group.0 {
        0x0017 => &agreement::ECDH_P256,
        0x0018 => &agreement::ECDH_P384,
        0x0019 => &agreement::ECDH_P521,
        0x001d => &agreement::X25519,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_the_lengths_of_the_tables() {
        for facts in NamedGroup::known() {
            let share = Share::generate(facts.code_point);
            assert_eq!(
                share.is_some(),
                Share::is_computable(facts.code_point),
                "{}",
                facts.name
            );
            if let Some(share) = share {
                assert_eq!(
                    share.public().len(),
                    usize::from(facts.client_share),
                    "{}",
                    facts.name
                );
            }
        }
        assert!(Share::is_computable(NamedGroup::X25519MLKEM768));
    }

    #[test]
    fn malformed_answers_of_a_peer_are_refused() {
        for group in [
            NamedGroup::X25519,
            NamedGroup::MLKEM768,
            NamedGroup::X25519MLKEM768,
        ] {
            let share = Share::generate(group).unwrap();
            let length = usize::from(group.facts().unwrap().server_share);
            assert_eq!(share.complete(&[]), None);
            assert_eq!(share.complete(&vec![9; length - 1]), None);
            assert_eq!(share.complete(&vec![9; length + 1]), None);
        }
        // An all-zero point is of low order (RFC 7748 section 6.1).
        assert_eq!(
            Share::generate(NamedGroup::X25519)
                .unwrap()
                .complete(&[0; 32]),
            None
        );
    }
}
