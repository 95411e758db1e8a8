//! Requests of this program and of OpenSSL, and those that must be refused.

use ca::{CaError, Request, RequestError, RevocationReason, SignOrder, new_request};
use openssl::asn1::Asn1Object;
use openssl::bn::BigNumContext;
use openssl::ec::{Asn1Flag, EcGroup, EcKey, PointConversionForm};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509NameBuilder, X509ReqBuilder};
use wire::SignatureAlgorithm as A;

use crate::common::{Lab, names, now};

fn sign_order() -> SignOrder {
    SignOrder {
        authority: None,
        role: pki::Role::Server,
        names: None,
        subject: None,
        lifetime: None,
    }
}

/// A request as OpenSSL makes it, which asks for more than it should.
fn greedy(key: &PKey<Private>, digest: MessageDigest) -> Vec<u8> {
    let mut builder = X509ReqBuilder::new().unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject
        .append_entry_by_nid(Nid::ORGANIZATIONNAME, "Somebody Else")
        .unwrap();
    subject
        .append_entry_by_nid(Nid::COMMONNAME, "elsewhere.test")
        .unwrap();
    builder.set_subject_name(&subject.build()).unwrap();
    builder.set_pubkey(key).unwrap();
    let context = builder.x509v3_context(None);
    let names = SubjectAlternativeName::new()
        .dns("a.test")
        .ip("192.0.2.1")
        .build(&context)
        .unwrap();
    let mut extensions = Stack::new().unwrap();
    extensions.push(names).unwrap();
    extensions
        .push(BasicConstraints::new().ca().build().unwrap())
        .unwrap();
    extensions
        .push(KeyUsage::new().key_cert_sign().build().unwrap())
        .unwrap();
    builder.add_extensions(&extensions).unwrap();
    builder.sign(key, digest).unwrap();
    builder.build().to_pem().unwrap()
}

fn rsa(bits: u32) -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap()
}

fn ec(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

#[test]
fn requests_of_every_algorithm_are_signed() {
    for algorithm in A::ALL {
        let lab = Lab::new(A::EcdsaP256);
        let made = new_request(algorithm, None, &names(&["a.test", "192.0.2.1"]), None).unwrap();
        let request = Request::from_pem(made.request.as_bytes()).unwrap();
        assert_eq!(request.algorithm(), algorithm);
        let issued = lab.store.sign(&request, &sign_order(), now()).unwrap();
        assert!(!issued.has_key);
        assert_eq!(
            lab.is_server(&issued, "192.0.2.1"),
            [None, None],
            "{algorithm}"
        );
        let error = lab.store.renew(&issued.serial, None, now()).unwrap_err();
        assert!(matches!(error, CaError::NoKey(_)), "{error}");
    }
}

#[test]
fn nothing_but_key_and_names_is_taken_from_a_request() {
    let lab = Lab::new(A::EcdsaP256);
    for (key, digest) in [
        (rsa(2048), MessageDigest::sha256()),
        (rsa(3072), MessageDigest::sha512()),
        (ec(Nid::X9_62_PRIME256V1), MessageDigest::sha384()),
        (PKey::generate_ed25519().unwrap(), MessageDigest::null()),
    ] {
        let request = Request::from_pem(&greedy(&key, digest)).unwrap();
        assert!(request.asks_to_be_authority);
        assert_eq!(request.ignored, ["basicConstraints", "keyUsage"]);
        assert_eq!(request.names, names(&["a.test", "192.0.2.1"]));
        let issued = lab.store.sign(&request, &sign_order(), now()).unwrap();
        let der = lab.store.certificate(&issued.fingerprint).unwrap();
        let certificate = pki::Certificate::from_der(&der).unwrap();
        assert!(!certificate.is_authority);
        assert_eq!(certificate.subject, "CN=a.test");
        assert_eq!(lab.is_server(&issued, "a.test"), [None, None]);
    }
}

#[test]
fn a_request_without_names_needs_them_from_who_signs() {
    let lab = Lab::new(A::EcdsaP256);
    let mut builder = X509ReqBuilder::new().unwrap();
    let key = ec(Nid::X9_62_PRIME256V1);
    builder.set_pubkey(&key).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let request = Request::from_pem(&builder.build().to_pem().unwrap()).unwrap();
    let error = lab.store.sign(&request, &sign_order(), now()).unwrap_err();
    assert!(matches!(error, CaError::NoNames), "{error}");
    let named = SignOrder {
        names: Some(names(&["b.test"])),
        ..sign_order()
    };
    let issued = lab.store.sign(&request, &named, now()).unwrap();
    assert_eq!(lab.is_server(&issued, "b.test"), [None, None]);
}

#[test]
fn requests_without_proof_and_with_weak_or_strange_keys_are_refused() {
    let key = ec(Nid::X9_62_PRIME256V1);
    let pem = greedy(&key, MessageDigest::sha256());
    let der = pem::parse(&pem).unwrap().into_contents();
    let mut changed = der.clone();
    let at = der.windows(6).position(|w| w == b"a.test").unwrap();
    changed[at] = b'b';
    assert_eq!(
        Request::from_der(&changed).unwrap_err(),
        RequestError::Signature
    );
    for cut in [0, 1, 20, der.len() - 1] {
        let error = Request::from_der(&der[..cut]).unwrap_err();
        assert!(matches!(error, RequestError::Damaged(_)), "{cut}: {error}");
    }
    let more = [der.as_slice(), &[0]].concat();
    assert!(matches!(
        Request::from_der(&more),
        Err(RequestError::Damaged(_))
    ));
    let weak = greedy(&rsa(1024), MessageDigest::sha256());
    let error = Request::from_pem(&weak).unwrap_err();
    assert!(matches!(error, RequestError::WeakKey(_)), "{error}");
    let exponent = openssl::bn::BigNum::from_u32(3).unwrap();
    let small = Rsa::generate_with_e(2048, &exponent).unwrap();
    let small = greedy(&PKey::from_rsa(small).unwrap(), MessageDigest::sha256());
    let error = Request::from_pem(&small).unwrap_err();
    assert!(error.to_string().contains("exponent 3"), "{error}");
    for (strange, name) in [
        (ec(Nid::SECP256K1), "ECDSA on secp256k1 (1.3.132.0.10)"),
        (ec(Nid::SECP521R1), "ECDSA on P-521 (1.3.132.0.35)"),
        (
            ec(Nid::BRAINPOOL_P256R1),
            "ECDSA on brainpoolP256r1 (1.3.36.3.3.2.8.1.1.7)",
        ),
        (rsa(2560), "RSA with 2560 bits"),
    ] {
        let error = Request::from_pem(&greedy(&strange, MessageDigest::sha256())).unwrap_err();
        assert_eq!(error, RequestError::UnknownKey(name.to_owned()));
    }
    let ed448 = greedy(&PKey::generate_ed448().unwrap(), MessageDigest::null());
    let error = Request::from_pem(&ed448).unwrap_err().to_string();
    assert!(error.contains("ED448 (1.3.101.113)"), "{error}");
    for text in ["", "garbage", "-----BEGIN CERTIFICATE REQUEST-----\nAA"] {
        let error = Request::from_pem(text.as_bytes()).unwrap_err();
        assert_eq!(error, RequestError::NoPem, "{text}");
    }
}

/// What few verifiers would read.
#[test]
fn points_that_are_compressed_and_curves_that_are_spelt_out_are_told() {
    let mut group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let point = EcKey::generate(&group).unwrap();
    let key = |group: &EcGroup| {
        let private = point.private_key();
        let public = point.public_key();
        let key = EcKey::from_private_components(group, private, public).unwrap();
        PKey::from_ec_key(key).unwrap()
    };
    let error = |key: &PKey<Private>| Request::from_pem(&greedy(key, MessageDigest::sha256()));
    group.set_asn1_flag(Asn1Flag::EXPLICIT_CURVE);
    let spelt_out = error(&key(&group)).unwrap_err();
    assert!(spelt_out.to_string().contains("spelt out"), "{spelt_out}");
    // OpenSSL writes a key's point as its file has it.
    group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
    let mut context = BigNumContext::new().unwrap();
    let form = PointConversionForm::COMPRESSED;
    let bytes = point.public_key().to_bytes(&group, form, &mut context);
    let compressed = key(&group).public_key_to_der().unwrap();
    let at = compressed.len() - 65;
    let compressed = [&compressed[..at], &bytes.unwrap()].concat();
    // The lengths of the two SEQUENCEs around it, and of the BIT STRING.
    assert_eq!(compressed.len(), 59);
    let mut spki = compressed;
    (spki[1], spki[24]) = (57, 34);
    let public = PKey::public_key_from_der(&spki).unwrap();
    let mut builder = X509ReqBuilder::new().unwrap();
    builder.set_pubkey(&public).unwrap();
    builder.sign(&key(&group), MessageDigest::sha256()).unwrap();
    let request = builder.build().to_der().unwrap();
    assert_eq!(
        Request::read(&request).unwrap_err(),
        RequestError::CompressedPoint
    );
}

#[test]
fn a_request_is_read_in_der_and_what_is_none_is_named() {
    let key = ec(Nid::X9_62_PRIME256V1);
    let pem = greedy(&key, MessageDigest::sha256());
    let der = pem::parse(&pem).unwrap().into_contents();
    let (from_pem, from_der) = (Request::read(&pem).unwrap(), Request::read(&der).unwrap());
    assert_eq!(from_pem.public_key_info(), from_der.public_key_info());
    let lab = Lab::new(A::Ed25519);
    let root = lab.store.root("root").unwrap();
    let secret = key.private_key_to_pem_pkcs8().unwrap();
    let cipher = openssl::symm::Cipher::aes_128_cbc();
    let encrypted = key.private_key_to_pem_pkcs8_passphrase(cipher, b"a word");
    for (what, bytes) in [
        ("a certificate", pki::certificate_pem(&root).into_bytes()),
        ("a certificate", root.to_vec()),
        ("a private key", secret.clone()),
        ("a private key", encrypted.unwrap()),
        ("a private key", key.private_key_to_der().unwrap()),
        ("a public key", key.public_key_to_pem().unwrap()),
    ] {
        let error = Request::read(&bytes).unwrap_err().to_string();
        assert!(error.contains(what), "{what}: {error}");
    }
    // Beside its key, as some tools write them.
    assert!(Request::read(&[secret, pem].concat()).is_ok());
}

#[test]
fn keys_that_were_compromised_or_are_an_authority_s_are_not_certified() {
    let lab = Lab::new(A::EcdsaP256);
    let key = ec(Nid::X9_62_PRIME256V1);
    let request = Request::from_pem(&greedy(&key, MessageDigest::sha256())).unwrap();
    let issued = lab.store.sign(&request, &sign_order(), now()).unwrap();
    assert!(lab.store.sign(&request, &sign_order(), now()).is_ok());
    let reason = RevocationReason::KeyCompromise;
    lab.store.revoke(&issued.serial, reason, now()).unwrap();
    let error = lab.store.sign(&request, &sign_order(), now()).unwrap_err();
    assert!(matches!(error, CaError::RefusedKey(_)), "{error}");
    let own = lab.store.authority_request("root").unwrap();
    let own = Request::from_pem(own.as_bytes()).unwrap();
    let named = SignOrder {
        names: Some(names(&["b.test"])),
        ..sign_order()
    };
    let error = lab.store.sign(&own, &named, now()).unwrap_err();
    assert!(matches!(error, CaError::RefusedKey(_)), "{error}");
}

#[test]
fn names_that_no_certificate_should_have_are_refused() {
    let key = ec(Nid::X9_62_PRIME256V1);
    let mut builder = X509ReqBuilder::new().unwrap();
    builder.set_pubkey(&key).unwrap();
    let context = builder.x509v3_context(None);
    let oid = Asn1Object::from_str("1.3.6.1.4.1.32473.1").unwrap();
    let other = SubjectAlternativeName::new()
        .other_name2(oid, b"\x0c\x01x")
        .build(&context)
        .unwrap();
    let mut extensions = Stack::new().unwrap();
    extensions.push(other).unwrap();
    builder.add_extensions(&extensions).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let error = Request::from_pem(&builder.build().to_pem().unwrap()).unwrap_err();
    assert!(matches!(error, RequestError::Name(_)), "{error}");
}
