//! Algorithms of keys and signatures by their object identifiers. Those that tell all alone
//! stand in `audit`.

use audit::{Algorithm, Curve};

use crate::der::{self, Element, Elements};

pub(crate) const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";
pub(crate) const RSA_PSS: &str = "1.2.840.113549.1.1.10";
pub(crate) const RSA_OAEP: &str = "1.2.840.113549.1.1.7";
pub(crate) const DSA: &str = "1.2.840.10040.4.1";
pub(crate) const DH: &str = "1.2.840.10046.2.1";
pub(crate) const DH_PKCS3: &str = "1.2.840.113549.1.3.1";
pub(crate) const EC: &str = "1.2.840.10045.2.1";

/// The algorithm that an identifier alone tells: its parameter set is part of it.
fn complete(oid: &str) -> Option<Algorithm> {
    if let Some(known) = Algorithm::of_object_identifier(oid) {
        return Some(known);
    }
    // ML-DSA and SLH-DSA with a pre-hash stand 15 numbers behind those without, from 32 on.
    const SIGNATURES: &str = "2.16.840.1.101.3.4.3.";
    if let Some(last) = oid.strip_prefix(SIGNATURES) {
        let number: u32 = last.parse().ok()?;
        let plain = (32..=46).contains(&number).then(|| number - 15)?;
        return Algorithm::of_object_identifier(&format!("{SIGNATURES}{plain}"));
    }
    // Stateful hash-based signatures (RFC 9802).
    let name = match oid {
        "1.2.840.113549.1.9.16.3.17" => "HSS",
        "1.3.6.1.5.5.7.6.34" => "XMSS",
        "1.3.6.1.5.5.7.6.35" => "XMSS^MT",
        _ => return None,
    };
    Some(Algorithm::HashBased(name.to_owned()))
}

/// The algorithm of a curve, by its identifier.
pub(crate) fn curve(oid: &str) -> Algorithm {
    match Algorithm::of_object_identifier(oid) {
        Some(curve @ Algorithm::Ec(_)) => curve,
        _ => Algorithm::Other(oid.to_owned()),
    }
}

/// The algorithm of a key without the key itself: RSA, whose size stands in the key, has
/// size 0.
pub(crate) fn key_algorithm(oid: &str, parameters: Option<Element<'_>>) -> Algorithm {
    // The first INTEGER of the parameters is the prime of the field.
    let prime = || {
        let integer = parameters?.inside().expect(der::INTEGER)?;
        Some(der::bits(integer.content))
    };
    match oid {
        RSA_ENCRYPTION | RSA_PSS | RSA_OAEP => Algorithm::Rsa(0),
        DSA => Algorithm::Dsa(prime().unwrap_or(0)),
        DH | DH_PKCS3 => Algorithm::Dh(prime().unwrap_or(0)),
        EC => match parameters {
            Some(named) if named.identifier == der::OBJECT_IDENTIFIER => {
                curve(&der::dotted(named.content))
            }
            Some(_) => Algorithm::Other("EC with explicit parameters".to_owned()),
            None => Algorithm::Other("EC without parameters".to_owned()),
        },
        _ => complete(oid).unwrap_or_else(|| Algorithm::Other(oid.to_owned())),
    }
}

/// The algorithm of a SubjectPublicKeyInfo, from its encoding (RFC 5280 section 4.1.2.7).
pub(crate) fn public_key_algorithm(spki: &[u8]) -> Option<Algorithm> {
    let mut content = Elements::of(spki).enter(der::SEQUENCE)?;
    let (oid, parameters) = der::algorithm_identifier(content.enter(der::SEQUENCE)?)?;
    let key = content.expect(der::BIT_STRING)?;
    Some(match key_algorithm(&oid, parameters) {
        Algorithm::Rsa(_) => {
            // The first octet counts the unused bits of the last.
            let (_, key) = key.content.split_first()?;
            let modulus = Elements::of(key)
                .enter(der::SEQUENCE)?
                .expect(der::INTEGER)?;
            Algorithm::Rsa(der::bits(modulus.content))
        }
        algorithm => algorithm,
    })
}

/// What a signature's algorithm identifier and value tell.
pub(crate) struct SignatureFacts {
    pub(crate) algorithm: Algorithm,
    /// The hash, where the algorithm leaves it open.
    pub(crate) hash: Option<String>,
}

/// The algorithm of a signature over a certificate.
///
/// The value tells the size of the key, as an RSA signature is as long as the modulus
/// (RFC 8017 section 8.2.1) and the numbers of an ECDSA signature as the order of the curve.
/// Among curves of one size the NIST curve is assumed; `own_key` is taken instead where the
/// certificate is issued by its own subject and the kinds agree.
pub(crate) fn signature(
    oid: &str,
    parameters: Option<Element<'_>>,
    value: &[u8],
    own_key: Option<&Algorithm>,
) -> SignatureFacts {
    let rsa = Algorithm::Rsa(u32::try_from(value.len() * 8).unwrap_or(0));
    let (algorithm, hash) = match oid {
        "1.2.840.113549.1.1.2" => (rsa, Some("MD2")),
        "1.2.840.113549.1.1.4" => (rsa, Some("MD5")),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => (rsa, Some("SHA-1")),
        "1.2.840.113549.1.1.14" => (rsa, Some("SHA-224")),
        "1.2.840.113549.1.1.11" => (rsa, Some("SHA-256")),
        "1.2.840.113549.1.1.12" => (rsa, Some("SHA-384")),
        "1.2.840.113549.1.1.13" => (rsa, Some("SHA-512")),
        "1.2.840.113549.1.1.15" => (rsa, Some("SHA-512/224")),
        "1.2.840.113549.1.1.16" => (rsa, Some("SHA-512/256")),
        "2.16.840.1.101.3.4.3.14" => (rsa, Some("SHA3-256")),
        "2.16.840.1.101.3.4.3.15" => (rsa, Some("SHA3-384")),
        "2.16.840.1.101.3.4.3.16" => (rsa, Some("SHA3-512")),
        RSA_PSS => (rsa, pss_hash(parameters)),
        // RFC 8702.
        "1.3.6.1.5.5.7.6.30" => (rsa, Some("SHAKE128")),
        "1.3.6.1.5.5.7.6.31" => (rsa, Some("SHAKE256")),
        "1.2.840.10040.4.3" => (Algorithm::Dsa(0), Some("SHA-1")),
        "2.16.840.1.101.3.4.3.1" => (Algorithm::Dsa(0), Some("SHA-224")),
        "2.16.840.1.101.3.4.3.2" => (Algorithm::Dsa(0), Some("SHA-256")),
        "2.16.840.1.101.3.4.3.3" => (Algorithm::Dsa(0), Some("SHA-384")),
        "2.16.840.1.101.3.4.3.4" => (Algorithm::Dsa(0), Some("SHA-512")),
        "1.2.840.10045.4.1" => (ecdsa(value), Some("SHA-1")),
        "1.2.840.10045.4.3.1" => (ecdsa(value), Some("SHA-224")),
        "1.2.840.10045.4.3.2" => (ecdsa(value), Some("SHA-256")),
        "1.2.840.10045.4.3.3" => (ecdsa(value), Some("SHA-384")),
        "1.2.840.10045.4.3.4" => (ecdsa(value), Some("SHA-512")),
        "2.16.840.1.101.3.4.3.10" => (ecdsa(value), Some("SHA3-256")),
        "2.16.840.1.101.3.4.3.11" => (ecdsa(value), Some("SHA3-384")),
        "2.16.840.1.101.3.4.3.12" => (ecdsa(value), Some("SHA3-512")),
        "1.3.6.1.5.5.7.6.32" => (ecdsa(value), Some("SHAKE128")),
        "1.3.6.1.5.5.7.6.33" => (ecdsa(value), Some("SHAKE256")),
        "1.2.156.10197.1.501" => (Algorithm::Ec(Curve::Sm2), Some("SM3")),
        _ => (key_algorithm(oid, None), None),
    };
    let algorithm = match (own_key, algorithm) {
        (Some(own @ Algorithm::Rsa(_)), Algorithm::Rsa(_))
        | (Some(own @ Algorithm::Dsa(_)), Algorithm::Dsa(_)) => own.clone(),
        (Some(own @ Algorithm::Ec(curve)), Algorithm::Ec(of_size))
            if order_bytes(*curve) == order_bytes(of_size) =>
        {
            own.clone()
        }
        (_, algorithm) => algorithm,
    };
    SignatureFacts {
        algorithm,
        hash: hash.map(str::to_owned),
    }
}

/// The NIST curve of an ECDSA signature's size. That both numbers begin with so many zeros
/// that they fit a smaller curve does not happen.
fn ecdsa(value: &[u8]) -> Algorithm {
    let numbers = Elements::of(value).enter(der::SEQUENCE);
    let longest = numbers.and_then(|numbers| {
        let bits = numbers.map(|number| der::bits(number.content));
        bits.max()
    });
    match longest {
        Some(1..=224) => Algorithm::Ec(Curve::P224),
        Some(225..=256) => Algorithm::Ec(Curve::P256),
        Some(257..=384) => Algorithm::Ec(Curve::P384),
        Some(385..=512) => Algorithm::Ec(Curve::BrainpoolP512),
        Some(513..=521) => Algorithm::Ec(Curve::P521),
        _ => Algorithm::Other("ECDSA".to_owned()),
    }
}

/// Octets of the order of a curve for ECDSA; none for the others.
fn order_bytes(curve: Curve) -> Option<u8> {
    match curve {
        Curve::P224 => Some(28),
        Curve::P256 | Curve::Secp256k1 | Curve::BrainpoolP256 => Some(32),
        Curve::P384 | Curve::BrainpoolP384 => Some(48),
        Curve::BrainpoolP512 => Some(64),
        Curve::P521 => Some(66),
        _ => None,
    }
}

/// The hash of RSASSA-PSS-params (RFC 4055 section 3.1), SHA-1 where it is absent.
fn pss_hash(parameters: Option<Element<'_>>) -> Option<&'static str> {
    let hash = parameters?.inside().enter(der::CONTEXT_0);
    let Some(mut hash) = hash else {
        return Some("SHA-1");
    };
    let (oid, _) = der::algorithm_identifier(hash.enter(der::SEQUENCE)?)?;
    self::hash(&oid)
}

/// A hash by its identifier.
pub(crate) fn hash(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.2.840.113549.2.5" => "MD5",
        "1.3.14.3.2.26" => "SHA-1",
        "2.16.840.1.101.3.4.2.1" => "SHA-256",
        "2.16.840.1.101.3.4.2.2" => "SHA-384",
        "2.16.840.1.101.3.4.2.3" => "SHA-512",
        "2.16.840.1.101.3.4.2.4" => "SHA-224",
        "2.16.840.1.101.3.4.2.5" => "SHA-512/224",
        "2.16.840.1.101.3.4.2.6" => "SHA-512/256",
        "2.16.840.1.101.3.4.2.8" => "SHA3-256",
        "2.16.840.1.101.3.4.2.9" => "SHA3-384",
        "2.16.840.1.101.3.4.2.10" => "SHA3-512",
        "1.2.156.10197.1.401" => "SM3",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_sets_are_those_of_the_standards() {
        let cases = [
            ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
            ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
            ("2.16.840.1.101.3.4.3.20", "SLH-DSA-SHA2-128s"),
            ("2.16.840.1.101.3.4.3.31", "SLH-DSA-SHAKE-256f"),
            ("2.16.840.1.101.3.4.4.2", "ML-KEM-768"),
            ("1.3.101.113", "Ed448"),
            ("1.2.3.4", "1.2.3.4"),
            ("2.16.840.1.101.3.4.3.99", "2.16.840.1.101.3.4.3.99"),
        ];
        for (oid, name) in cases {
            assert_eq!(key_algorithm(oid, None).to_string(), name, "{oid}");
        }
    }

    #[test]
    fn an_ecdsa_signature_tells_the_size_of_its_curve() {
        let number = |length: usize| der::encode(der::INTEGER, &[&vec![0x55; length]]);
        for (length, curve) in [(28, "P-224"), (32, "P-256"), (48, "P-384"), (66, "Other")] {
            let mut wide = number(length);
            if length == 66 {
                wide = der::encode(der::INTEGER, &[&[0x01], &[0x55; 65]]);
            }
            let value = der::encode(der::SEQUENCE, &[&wide, &number(20)]);
            let name = ecdsa(&value).to_string();
            assert_eq!(name, if length == 66 { "P-521" } else { curve });
        }
        assert_eq!(ecdsa(&[]).to_string(), "ECDSA");
    }
}
