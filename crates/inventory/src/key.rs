//! Keys as PKCS #8, PKCS #1, SEC 1 and SubjectPublicKeyInfo write them.

use audit::{Algorithm, Curve, KeyFacts, KeyForm, KeyUse};

use crate::der::{self, Element};
use crate::{fingerprint, oid};

/// What an algorithm can be used for. RSA and the curves of ECDSA serve both, and nothing in
/// a bare key says which, so both are named.
pub(crate) fn uses(algorithm: &Algorithm) -> Vec<KeyUse> {
    use KeyUse::{KeyEstablishment, Signature};
    match algorithm {
        Algorithm::Ec(Curve::X25519 | Curve::X448) | Algorithm::Dh(_) | Algorithm::MlKem(_) => {
            vec![KeyEstablishment]
        }
        Algorithm::Ec(Curve::Ed25519 | Curve::Ed448)
        | Algorithm::Dsa(_)
        | Algorithm::MlDsa(_)
        | Algorithm::SlhDsa(_)
        | Algorithm::HashBased(_) => vec![Signature],
        Algorithm::Rsa(_) | Algorithm::Ec(_) => vec![KeyEstablishment, Signature],
        Algorithm::Hybrid(_, other) => uses(other),
        Algorithm::OtherPostQuantum(_) | Algorithm::Other(_) => Vec::new(),
    }
}

fn uses_by_oid(oid: &str, algorithm: &Algorithm) -> Vec<KeyUse> {
    match oid {
        oid::RSA_PSS => vec![KeyUse::Signature],
        oid::RSA_OAEP => vec![KeyUse::KeyEstablishment],
        _ => uses(algorithm),
    }
}

fn facts(oid: &str, algorithm: Algorithm, is_private: bool, spki: Option<&[u8]>) -> KeyFacts {
    KeyFacts {
        form: KeyForm::X509,
        uses: uses_by_oid(oid, &algorithm),
        algorithm: Some(algorithm),
        is_private,
        is_encrypted: false,
        fingerprint: spki.map(fingerprint::sha256),
        owner: None,
    }
}

/// A private key that is encrypted; nothing is known but perhaps its algorithm.
pub(crate) fn encrypted(algorithm: Option<Algorithm>) -> KeyFacts {
    KeyFacts {
        form: KeyForm::X509,
        uses: algorithm.as_ref().map(uses).unwrap_or_default(),
        algorithm,
        is_private: true,
        is_encrypted: true,
        fingerprint: None,
        owner: None,
    }
}

/// A secret key of a keystore, of which nothing is in the clear.
pub(crate) fn secret() -> KeyFacts {
    KeyFacts {
        form: KeyForm::Symmetric,
        ..encrypted(None)
    }
}

/// SubjectPublicKeyInfo.
pub(crate) fn public(spki: &[u8]) -> Option<KeyFacts> {
    let algorithm = oid::public_key_algorithm(spki)?;
    let mut content = der::whole(spki)?.inside();
    let (oid, _) = der::algorithm_identifier(content.enter(der::SEQUENCE)?)?;
    Some(facts(&oid, algorithm, false, Some(spki)))
}

/// RSAPublicKey (RFC 8017 appendix A.1.1).
pub(crate) fn rsa_public(der: &[u8]) -> Option<KeyFacts> {
    let mut content = der::whole(der)?.inside();
    let modulus = content.expect(der::INTEGER)?;
    content.expect(der::INTEGER)?;
    let spki = public_key_info(&rsa_identifier(), &[&[0], der]);
    let algorithm = Algorithm::Rsa(der::bits(modulus.content));
    content
        .is_empty()
        .then(|| facts(oid::RSA_ENCRYPTION, algorithm, false, Some(&spki)))
}

/// PrivateKeyInfo (RFC 5208) and OneAsymmetricKey (RFC 5958).
pub(crate) fn pkcs8(der: &[u8]) -> Option<KeyFacts> {
    let mut content = der::whole(der)?.inside();
    content.expect(der::INTEGER)?;
    let identifier = content.expect(der::SEQUENCE)?;
    let (oid, parameters) = der::algorithm_identifier(identifier.inside())?;
    let key = content.expect(der::OCTET_STRING)?;
    // publicKey [1] IMPLICIT BIT STRING, behind the attributes.
    let stated = content.find(|element| element.identifier == 0x81);
    let stated = stated.map(|key| public_key_info(identifier.encoded, &[key.content]));
    match oid.as_str() {
        oid::RSA_ENCRYPTION | oid::RSA_PSS | oid::RSA_OAEP => {
            let (algorithm, spki) = rsa_halves(key.content, identifier.encoded)?;
            Some(facts(&oid, algorithm, true, Some(&spki)))
        }
        oid::EC => {
            let algorithm = oid::key_algorithm(&oid, parameters);
            let public = ec_public(key.content, identifier.encoded);
            Some(facts(&oid, algorithm, true, public.or(stated).as_deref()))
        }
        _ => {
            let algorithm = oid::key_algorithm(&oid, parameters);
            Some(facts(&oid, algorithm, true, stated.as_deref()))
        }
    }
}

/// RSAPrivateKey (RFC 8017 appendix A.1.2).
pub(crate) fn rsa_private(der: &[u8]) -> Option<KeyFacts> {
    let (algorithm, spki) = rsa_halves(der, &rsa_identifier())?;
    Some(facts(oid::RSA_ENCRYPTION, algorithm, true, Some(&spki)))
}

/// DSAPrivateKey as OpenSSL writes it: version, p, q, g, y, x.
pub(crate) fn dsa_private(der: &[u8]) -> Option<KeyFacts> {
    let mut content = der::whole(der)?.inside();
    content.expect(der::INTEGER)?;
    let numbers: Vec<Element<'_>> = content.collect();
    let [p, q, g, y, _] = numbers.as_slice() else {
        return None;
    };
    let is_integer = |element: &Element<'_>| element.identifier == der::INTEGER;
    if !numbers.iter().all(is_integer) {
        return None;
    }
    let parameters = der::encode(der::SEQUENCE, &[p.encoded, q.encoded, g.encoded]);
    // 1.2.840.10040.4.1
    let oid = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
    let identifier = der::encode(der::SEQUENCE, &[&oid, &parameters]);
    let spki = public_key_info(&identifier, &[&[0], y.encoded]);
    let algorithm = Algorithm::Dsa(der::bits(p.content));
    Some(facts(oid::DSA, algorithm, true, Some(&spki)))
}

/// ECPrivateKey (RFC 5915); `curve` is the element of a block of parameters before it, for
/// a key that has none.
pub(crate) fn ec_private(der: &[u8], curve: Option<&[u8]>) -> Option<KeyFacts> {
    let mut content = der::whole(der)?.inside();
    content.expect(der::INTEGER)?;
    content.expect(der::OCTET_STRING)?;
    let own = content.enter(der::CONTEXT_0).and_then(|mut own| own.next());
    let parameters = own.or_else(|| der::whole(curve?));
    // 1.2.840.10045.2.1
    let oid = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    let named = parameters.map(|parameters| {
        let identifier = der::encode(der::SEQUENCE, &[&oid, parameters.encoded]);
        ec_public(der, &identifier)
    });
    let algorithm = oid::key_algorithm(oid::EC, parameters);
    Some(facts(oid::EC, algorithm, true, named.flatten().as_deref()))
}

/// Whether this is EncryptedPrivateKeyInfo (RFC 5958 section 3): an algorithm of PKCS #5 or
/// PKCS #12, or of Java's stores, before an OCTET STRING.
pub(crate) fn is_encrypted_pkcs8(der: &[u8]) -> bool {
    encryption_of(der).is_some()
}

/// The object identifier and parameters of an EncryptedPrivateKeyInfo's encryption.
pub(crate) fn encryption_of(der: &[u8]) -> Option<(String, Option<Element<'_>>)> {
    let mut content = der::whole(der)?.inside();
    let algorithm = der::algorithm_identifier(content.enter(der::SEQUENCE)?)?;
    content.expect(der::OCTET_STRING)?;
    let families = [
        "1.2.840.113549.1.5.",
        "1.2.840.113549.1.12.1.",
        "1.3.6.1.4.1.42.2.",
    ];
    let is_known = families
        .iter()
        .any(|family| algorithm.0.starts_with(family));
    (is_known && content.is_empty()).then_some(algorithm)
}

/// The algorithm and SubjectPublicKeyInfo of an RSAPrivateKey.
fn rsa_halves(private: &[u8], identifier: &[u8]) -> Option<(Algorithm, Vec<u8>)> {
    let mut content = der::whole(private)?.inside();
    content.expect(der::INTEGER)?;
    let modulus = content.expect(der::INTEGER)?;
    let exponent = content.expect(der::INTEGER)?;
    // Six secret numbers follow; nothing is read of them but that they are there.
    let secret = (0..6).filter_map(|_| content.expect(der::INTEGER)).count();
    if secret < 6 {
        return None;
    }
    let public = der::encode(der::SEQUENCE, &[modulus.encoded, exponent.encoded]);
    let spki = public_key_info(identifier, &[&[0], &public]);
    Some((Algorithm::Rsa(der::bits(modulus.content)), spki))
}

/// The SubjectPublicKeyInfo of an ECPrivateKey, if its public key stands beside it.
fn ec_public(private: &[u8], identifier: &[u8]) -> Option<Vec<u8>> {
    let mut content = der::whole(private)?.inside();
    let mut public = content
        .find(|element| element.identifier == der::CONTEXT_1)?
        .inside();
    let point = public.expect(der::BIT_STRING)?;
    Some(public_key_info(identifier, &[point.content]))
}

fn public_key_info(identifier: &[u8], key: &[&[u8]]) -> Vec<u8> {
    der::encode(
        der::SEQUENCE,
        &[identifier, &der::encode(der::BIT_STRING, key)],
    )
}

/// The AlgorithmIdentifier of rsaEncryption, 1.2.840.113549.1.1.1, with its NULL.
fn rsa_identifier() -> Vec<u8> {
    let oid = [
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
    ];
    der::encode(der::SEQUENCE, &[&oid, &[0x05, 0x00]])
}
