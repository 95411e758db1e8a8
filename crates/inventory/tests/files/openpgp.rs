//! What gpg writes, and packets of algorithms that it does not know.

use audit::{Asset, KeyUse};

use crate::tool::{Folder, algorithm, key, read_bytes};

fn generate(folder: &Folder, algorithm: &str, usage: &str, passphrase: &str) -> bool {
    folder.run(&format!(
        "gpg --batch --quiet --pinentry-mode loopback --passphrase {passphrase} --quick-gen-key \
         me@example.test {algorithm} {usage} never"
    ))
}

fn keys(assets: &[Asset]) -> Vec<(String, Vec<KeyUse>, bool, bool)> {
    let facts = assets.iter().map(|asset| {
        let facts = key(asset);
        (
            algorithm(asset),
            facts.uses.clone(),
            facts.is_private,
            facts.is_encrypted,
        )
    });
    facts.collect()
}

#[test]
fn rings_show_keys_uses_and_owners() {
    use KeyUse::{KeyEstablishment, Signature};
    for (algorithm, passphrase, expected) in [
        ("default", "secret", ["RSA-3072", "RSA-3072"]),
        ("future-default", "", ["Ed25519", "X25519"]),
        ("default", "", ["RSA-3072", "RSA-3072"]),
    ] {
        let folder = Folder::new();
        if !generate(&folder, algorithm, "default", passphrase) {
            return;
        }
        let export =
            format!("gpg --batch --quiet --pinentry-mode loopback --passphrase {passphrase}");
        folder.run(&format!("{export} --armor --output public.txt --export"));
        folder.run(&format!("{export} --output public.bin --export"));
        folder.run(&format!(
            "{export} --armor --output secret.txt --export-secret-keys"
        ));
        folder.run(&format!(
            "{export} --output secret.gpg --export-secret-keys"
        ));
        folder.run(&format!(
            "{export} --armor --output stub.txt --export-secret-subkeys"
        ));
        folder.run(&format!(
            "{export} --armor --output sig.asc --detach-sign public.bin"
        ));
        let is_encrypted = !passphrase.is_empty();
        let found = |is_private, is_encrypted| {
            vec![
                (
                    expected[0].to_owned(),
                    vec![Signature],
                    is_private,
                    is_encrypted,
                ),
                (
                    expected[1].to_owned(),
                    vec![KeyEstablishment],
                    is_private,
                    is_encrypted,
                ),
            ]
        };
        for name in ["public.txt", "public.bin", "pubring.kbx"] {
            let findings = folder.read(name);
            assert_eq!(findings.problems, [], "{name}");
            assert_eq!(keys(&findings.assets), found(false, false), "{name}");
        }
        for name in ["secret.txt", "secret.gpg"] {
            let findings = folder.read(name);
            assert_eq!(findings.problems, [], "{name}");
            assert_eq!(keys(&findings.assets), found(true, is_encrypted), "{name}");
            let public = folder.read("public.bin");
            for (one, other) in findings.assets.iter().zip(&public.assets) {
                assert_eq!(key(one).fingerprint, key(other).fingerprint);
                assert_eq!(key(one).owner.as_deref(), Some("me@example.test"));
            }
            let fingerprint = key(&findings.assets[0]).fingerprint.clone().unwrap();
            let known = folder.file(&format!(
                "openpgp-revocs.d/{}.rev",
                fingerprint.to_uppercase()
            ));
            assert!(
                known.exists(),
                "gpg calls it by another fingerprint than {fingerprint}"
            );
        }
        let stub = folder.read("stub.txt");
        assert!(
            !key(&stub.assets[0]).is_private,
            "the primary secret is not in this file"
        );
        assert!(key(&stub.assets[1]).is_private);
        assert_eq!(folder.read("sig.asc"), inventory::Findings::default());
        folder.run("gpgconf --kill all");
    }
}

/// A packet of a version 6 public key or subkey with material of this length.
fn packet(tag: u8, number: u8, material: usize) -> Vec<u8> {
    let mut body = vec![6, 0, 0, 0, 1, number];
    body.extend_from_slice(&u32::try_from(material).unwrap().to_be_bytes());
    body.resize(body.len() + material, 0x55);
    let mut packet = vec![0xc0 | tag, 255];
    packet.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
    packet.extend_from_slice(&body);
    packet
}

#[test]
fn post_quantum_keys_of_rfc_9980_are_told() {
    use KeyUse::{KeyEstablishment, Signature};
    // Lengths of table 7 and 10 of RFC 9980.
    for (number, length, name, use_) in [
        (30, 1984, "Ed25519+ML-DSA-65", Signature),
        (31, 2649, "Ed448+ML-DSA-87", Signature),
        (32, 32, "SLH-DSA-SHAKE-128s", Signature),
        (33, 32, "SLH-DSA-SHAKE-128f", Signature),
        (34, 64, "SLH-DSA-SHAKE-256s", Signature),
        (35, 1216, "X25519+ML-KEM-768", KeyEstablishment),
        (36, 1624, "X448+ML-KEM-1024", KeyEstablishment),
        (27, 32, "Ed25519", Signature),
    ] {
        let ring = [packet(6, number, length), packet(14, 99, 40)].concat();
        let findings = read_bytes("ring.bin", &ring);
        assert_eq!(findings.problems, []);
        let expected = [
            (name.to_owned(), vec![use_], false, false),
            ("OpenPGP algorithm 99".to_owned(), vec![], false, false),
        ];
        assert_eq!(keys(&findings.assets), expected);
        // SHA-256 is known of an unknown algorithm too: version 6 counts its material.
        assert!(
            findings
                .assets
                .iter()
                .all(|asset| key(asset).fingerprint.is_some())
        );
        let short = read_bytes("ring.gpg", &packet(6, number, length - 1));
        assert_eq!(short.problems.len(), 1, "{name} has a fixed length");
    }
}

#[test]
fn a_cut_ring_tells_what_is_whole() {
    let ring = [packet(6, 27, 32), packet(14, 25, 32)].concat();
    let findings = read_bytes("ring.bin", &ring[..ring.len() - 1]);
    assert_eq!(findings.assets.len(), 1);
    assert!(findings.problems[0].reason.contains("within a packet"));
}
