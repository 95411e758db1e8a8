//! The groups by themselves: share lengths and layouts, agreement with AWS-LC, hostile shares.

#![expect(clippy::unwrap_used, reason = "these tests fail by panicking")]

use rustls::PeerMisbehaved::InvalidKeyShare;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::crypto::{CompletedKeyExchange, SupportedKxGroup};
use rustls::{Error, NamedGroup, ProtocolVersion};
use rustls_pqcrypto::aws_lc::{AWS_LC_MLKEM512, AWS_LC_SECP384R1MLKEM1024};
use rustls_pqcrypto::{
    ALL, HQC128, Hybrid, Layout, MLKEM512, MLKEM768, MLKEM1024, Order, SECP256R1MLKEM768,
    SECP384R1MLKEM1024, X25519HQC128, X25519MLKEM768,
};

type Group = &'static dyn SupportedKxGroup;

/// Each pqcrypto group and the AWS-LC group of the same code point.
fn twins() -> [(Group, Group); 6] {
    [
        (X25519MLKEM768, kx_group::X25519MLKEM768),
        (SECP256R1MLKEM768, kx_group::SECP256R1MLKEM768),
        (SECP384R1MLKEM1024, AWS_LC_SECP384R1MLKEM1024),
        (MLKEM512, AWS_LC_MLKEM512),
        (MLKEM768, kx_group::MLKEM768),
        (MLKEM1024, kx_group::MLKEM1024),
    ]
}

fn every_group() -> impl Iterator<Item = Group> {
    ALL.iter()
        .copied()
        .chain([AWS_LC_MLKEM512, AWS_LC_SECP384R1MLKEM1024])
}

#[test]
fn shares_have_the_lengths_of_the_code_point() {
    for group in every_group() {
        let code_point = wire::NamedGroup(u16::from(group.name()));
        let facts = code_point.facts().expect("a listed group has facts");
        let client = group.start().unwrap();
        let server = group.start_and_complete(client.pub_key()).unwrap();
        assert_eq!(
            client.pub_key().len(),
            usize::from(facts.client_share),
            "{}",
            facts.name
        );
        assert_eq!(
            server.pub_key.len(),
            usize::from(facts.server_share),
            "{}",
            facts.name
        );
        assert_eq!((client.group(), server.group), (group.name(), group.name()));
    }
}

#[test]
fn groups_are_listed_once_and_for_tls13_only() {
    for group in every_group() {
        assert!(group.usable_for_version(ProtocolVersion::TLSv1_3));
        assert!(!group.usable_for_version(ProtocolVersion::TLSv1_2));
        assert!(!group.fips());
    }
    for group in ALL {
        assert_eq!(
            ALL.iter()
                .filter(|other| other.name() == group.name())
                .count(),
            1
        );
    }
}

#[test]
fn both_sides_agree_and_never_twice_on_the_same_secret() {
    for group in every_group() {
        assert_ne!(
            agree(group, group),
            agree(group, group),
            "{:?}",
            group.name()
        );
    }
}

#[test]
fn agrees_with_aws_lc_in_both_directions() {
    for (ours, theirs) in twins() {
        agree(ours, theirs);
        agree(theirs, ours);
    }
}

/// RFC 10024: the server's halves are made here by separate groups and put together by hand.
#[test]
fn hybrids_concatenate_in_the_order_of_their_specification() {
    use Order::{ClassicalFirst, KemFirst};
    let mlkem768: Group = kx_group::MLKEM768;
    let mlkem1024: Group = kx_group::MLKEM1024;
    for (hybrid, classical, kem, order, split) in [
        (X25519MLKEM768, kx_group::X25519, mlkem768, KemFirst, 1184),
        (
            SECP256R1MLKEM768,
            kx_group::SECP256R1,
            mlkem768,
            ClassicalFirst,
            65,
        ),
        (
            SECP384R1MLKEM1024,
            kx_group::SECP384R1,
            mlkem1024,
            ClassicalFirst,
            97,
        ),
        (
            AWS_LC_SECP384R1MLKEM1024,
            kx_group::SECP384R1,
            mlkem1024,
            ClassicalFirst,
            97,
        ),
        (X25519HQC128, kx_group::X25519, HQC128, KemFirst, 2241),
    ] {
        let client = hybrid.start().unwrap();
        let (first, second) = client.pub_key().split_at(split);
        let (classical_share, kem_share) = if order == KemFirst {
            (second, first)
        } else {
            (first, second)
        };

        let classical = classical.start_and_complete(classical_share).unwrap();
        let kem = kem.start_and_complete(kem_share).unwrap();
        let (share, secret) = match order {
            KemFirst => joined(&kem, &classical),
            ClassicalFirst => joined(&classical, &kem),
        };
        assert_eq!(
            client.complete(&share).unwrap().secret_bytes(),
            secret,
            "{:?}",
            hybrid.name()
        );
    }
}

#[test]
fn classical_half_of_a_hybrid_completes_alone() {
    for (hybrid, classical) in [
        (X25519MLKEM768, kx_group::X25519),
        (SECP256R1MLKEM768, kx_group::SECP256R1),
        (SECP384R1MLKEM1024, kx_group::SECP384R1),
        (X25519HQC128, kx_group::X25519),
    ] {
        let client = hybrid.start().unwrap();
        let (name, share) = client
            .hybrid_component()
            .expect("a hybrid has a classical half");
        assert_eq!(name, classical.name());
        let server = classical.start_and_complete(share).unwrap();
        let secret = client.complete_hybrid_component(&server.pub_key).unwrap();
        assert_eq!(secret.secret_bytes(), server.secret.secret_bytes());
    }
    assert!(MLKEM768.start().unwrap().hybrid_component().is_none());
}

#[test]
fn shares_of_the_wrong_length_are_refused() {
    for group in every_group() {
        let share = group.start().unwrap().pub_key().to_vec();
        for share in misshapen(&share) {
            assert_eq!(server_error(group, &share), INVALID, "{:?}", group.name());
        }
        let share = group.start_and_complete(&share).unwrap().pub_key;
        for share in misshapen(&share) {
            assert_eq!(client_error(group, &share), INVALID, "{:?}", group.name());
        }
    }
}

/// RFC 7748 section 6.1: an X25519 result of all zeros is refused, also inside a hybrid.
#[test]
fn all_zero_classical_shares_are_refused() {
    for (group, classical_at_client, classical_at_server) in [
        (X25519MLKEM768, 1184..1216, 1088..1120),
        (X25519HQC128, 2241..2273, 4433..4465),
        (SECP256R1MLKEM768, 0..65, 0..65),
        (SECP384R1MLKEM1024, 0..97, 0..97),
    ] {
        let mut client_share = group.start().unwrap().pub_key().to_vec();
        let mut server_share = group.start_and_complete(&client_share).unwrap().pub_key;
        client_share[classical_at_client].fill(0);
        server_share[classical_at_server].fill(0);
        assert_eq!(
            server_error(group, &client_share),
            INVALID,
            "{:?}",
            group.name()
        );
        assert_eq!(
            client_error(group, &server_share),
            INVALID,
            "{:?}",
            group.name()
        );
    }
}

/// Implicit rejection (FIPS 203 section 6.3): no error, and no common secret.
#[test]
fn an_altered_ciphertext_leaves_the_sides_with_different_secrets() {
    for (group, kem_at_server) in [
        (MLKEM512, 0..768),
        (MLKEM768, 0..1088),
        (MLKEM1024, 0..1568),
        (AWS_LC_MLKEM512, 0..768),
        (HQC128, 0..4433),
        (X25519MLKEM768, 0..1088),
        (SECP256R1MLKEM768, 65..1153),
        (SECP384R1MLKEM1024, 97..1665),
        (X25519HQC128, 0..4433),
    ] {
        for byte in [kem_at_server.start, kem_at_server.end - 1] {
            let client = group.start().unwrap();
            let mut server = group.start_and_complete(client.pub_key()).unwrap();
            server.pub_key[byte] ^= 0x01;
            let secret = client.complete(&server.pub_key).unwrap();
            assert_ne!(
                secret.secret_bytes(),
                server.secret.secret_bytes(),
                "{:?}",
                group.name()
            );
            assert_eq!(
                secret.secret_bytes().len(),
                server.secret.secret_bytes().len()
            );
        }
    }
}

/// FIPS 203 section 7.2: 3328 is the greatest coefficient that a key may hold.
#[test]
fn ml_kem_coefficients_beyond_the_modulus_are_refused() {
    for (group, key_at_client) in [
        (MLKEM512, 0..800),
        (MLKEM768, 0..1184),
        (MLKEM1024, 0..1568),
        (AWS_LC_MLKEM512, 0..800),
        (X25519MLKEM768, 0..1184),
        (SECP256R1MLKEM768, 65..1249),
        (SECP384R1MLKEM1024, 97..1665),
    ] {
        let share = group.start().unwrap().pub_key().to_vec();
        let (first, last) = (key_at_client.start, key_at_client.end - 32 - 3);
        for pair in [first, last] {
            // Two coefficients in three bytes: 3328 = 0xd00 fits, 3329 = 0xd01 and 0xfff do not.
            for (bytes, reduced) in [
                ([0x00, 0x0d, 0xd0], true),
                ([0x01, 0x0d, 0x00], false),
                ([0x00, 0x10, 0xd0], false),
                ([0xff, 0xff, 0xff], false),
            ] {
                let mut share = share.clone();
                share[pair..pair + 3].copy_from_slice(&bytes);
                let error = group.start_and_complete(&share).err();
                assert_eq!(
                    error,
                    (!reduced).then_some(INVALID),
                    "{:?} {bytes:x?}",
                    group.name()
                );
            }
        }
    }
}

/// HQC has no check of the key to fail: any bits of the right length give some secret.
#[test]
fn hqc_survives_arbitrary_shares() {
    for byte in [0x00, 0xff] {
        let server = HQC128.start_and_complete(&[byte; 2241]).unwrap();
        assert_eq!(server.pub_key.len(), 4433);
        assert!(HQC128.start().unwrap().complete(&[byte; 4433]).is_ok());
    }
}

#[test]
fn a_layout_that_does_not_fit_its_groups_is_our_error() {
    static WRONG: Hybrid = Hybrid::new(
        NamedGroup::Unknown(0xfe20),
        kx_group::X25519,
        MLKEM768,
        Layout {
            order: Order::KemFirst,
            classical_share: 32,
            kem_client_share: 1184,
            kem_server_share: 1184,
        },
    );
    let client = WRONG.start().unwrap();
    assert!(matches!(
        server_error(&WRONG, client.pub_key()),
        Error::General(_)
    ));
}

const INVALID: Error = Error::PeerMisbehaved(InvalidKeyShare);

/// A whole key exchange; the secret that both sides hold.
fn agree(client: Group, server: Group) -> Vec<u8> {
    let client = client.start().unwrap();
    let server = server.start_and_complete(client.pub_key()).unwrap();
    let secret = client.complete(&server.pub_key).unwrap();
    assert_eq!(
        secret.secret_bytes(),
        server.secret.secret_bytes(),
        "{:?}",
        server.group
    );
    secret.secret_bytes().to_vec()
}

fn joined(first: &CompletedKeyExchange, second: &CompletedKeyExchange) -> (Vec<u8>, Vec<u8>) {
    let secret = [first.secret.secret_bytes(), second.secret.secret_bytes()].concat();
    ([&*first.pub_key, &*second.pub_key].concat(), secret)
}

fn misshapen(share: &[u8]) -> [Vec<u8>; 3] {
    [
        vec![],
        share[..share.len() - 1].to_vec(),
        [share, &[0]].concat(),
    ]
}

fn server_error(group: Group, client_share: &[u8]) -> Error {
    group
        .start_and_complete(client_share)
        .err()
        .expect("the share is refused")
}

fn client_error(group: Group, server_share: &[u8]) -> Error {
    group
        .start()
        .unwrap()
        .complete(server_share)
        .err()
        .expect("the share is refused")
}
