//! PKCS#12 and encrypted keys.

use ca::{CaError, Kind, Passphrase, Store};
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::x509::X509;
use wire::SignatureAlgorithm as A;

use crate::common::{Lab, PATIENCE, new_authority, now, order};

#[test]
fn openssl_reads_every_pkcs12_file_with_its_password_alone() {
    for algorithm in A::ALL {
        let lab = Lab::new(algorithm);
        let wanted = order(Kind::Client, algorithm, &["a.test"]);
        let issued = lab.store.issue(&wanted, now()).unwrap();
        let file = lab.store.pfx(&issued, "secret").unwrap();
        let file = Pkcs12::from_der(&file).unwrap();
        assert!(file.parse2("wrong").is_err());
        let read = file.parse2("secret").unwrap();
        let (leaf, key) = (read.cert.unwrap(), read.pkey.unwrap());
        let der = lab.store.certificate(&issued.fingerprint).unwrap();
        assert_eq!(leaf.to_der().unwrap(), der.as_ref());
        assert!(leaf.public_key().unwrap().public_eq(&key), "{algorithm}");
        assert_eq!(read.ca.unwrap().len(), 2, "the intermediate and the root");
    }
}

#[test]
fn an_encrypted_store_issues_with_its_passphrase_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path(), Passphrase::new("right")).unwrap();
    let root = store
        .create_authority(&new_authority("root", A::EcdsaP256, None), now())
        .unwrap();
    let text = std::fs::read_to_string(store.key_path(&root.key)).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    // It is the usual format: OpenSSL opens it, too.
    let key = PKey::private_key_from_pem_passphrase(text.as_bytes(), b"right").unwrap();
    let der = store.root("root").unwrap();
    let certificate = X509::from_der(&der).unwrap();
    assert!(certificate.public_key().unwrap().public_eq(&key));
    let mut wanted = order(Kind::Server, A::EcdsaP256, &["a.test"]);
    wanted.encrypts_key = true;
    let issued = store.issue(&wanted, now()).unwrap();
    let text = std::fs::read_to_string(store.key_path(&issued.serial)).unwrap();
    assert!(text.contains("ENCRYPTED"));
    // A server's key is not, unless asked for.
    wanted.encrypts_key = false;
    let plain = store.issue(&wanted, now()).unwrap();
    let text = std::fs::read_to_string(store.key_path(&plain.serial)).unwrap();
    assert!(!text.contains("ENCRYPTED"));
    drop(store);
    for wrong in [None, Passphrase::new("wrong")] {
        let store = Store::open(folder.path(), PATIENCE, wrong).unwrap();
        let before = store.log().unwrap();
        let error = store.issue(&wanted, now()).unwrap_err();
        let CaError::Key { is_passphrase, .. } = error else {
            panic!("{error}");
        };
        assert!(is_passphrase);
        // Nor does it take a key that the right one would not open.
        let other = new_authority("other", A::EcdsaP256, None);
        assert!(store.create_authority(&other, now()).is_err());
        assert_eq!(store.log().unwrap(), before);
        // Not to be looked at is not to be wrong.
        assert!(store.check().unwrap().iter().all(|fault| !fault.is_serious));
    }
    let plain = Lab::new(A::EcdsaP256);
    let mut wanted = order(Kind::Server, A::EcdsaP256, &["a.test"]);
    wanted.encrypts_key = true;
    let error = plain.store.issue(&wanted, now()).unwrap_err();
    assert!(matches!(error, CaError::NotEncrypted), "{error}");
}
