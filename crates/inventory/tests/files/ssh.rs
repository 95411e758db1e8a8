//! What ssh-keygen writes.

use std::fs;

use crate::tool::{Folder, algorithm, key, only, read_bytes};

#[test]
fn keys_are_told_in_private_and_public_files() {
    let folder = Folder::new();
    let kinds = [
        ("rsa -b 2048", "RSA-2048"),
        ("ecdsa -b 256", "P-256"),
        ("ecdsa -b 384", "P-384"),
        ("ecdsa -b 521", "P-521"),
        ("ed25519", "Ed25519"),
    ];
    for (index, (options, name)) in kinds.into_iter().enumerate() {
        for (file, password) in [
            (format!("k{index}"), "-N "),
            (format!("e{index}"), "-N secret"),
        ] {
            if !folder.run(&format!(
                "ssh-keygen -q -t {options} {password} -C me@example.test -f {file}"
            )) {
                return;
            }
            let private = only(folder.read(&file));
            let public = only(folder.read(&format!("{file}.pub")));
            assert_eq!([&private, &public].map(algorithm), [name; 2]);
            assert_eq!(key(&private).fingerprint, key(&public).fingerprint);
            assert!(key(&private).is_private && !key(&public).is_private);
            assert_eq!(key(&private).is_encrypted, password.ends_with("secret"));
            assert_eq!(key(&public).owner.as_deref(), Some("me@example.test"));
            folder.run(&format!("ssh-keygen -q -l -f {file}.pub"));
        }
    }
}

#[test]
fn lines_of_authorized_keys_and_known_hosts_are_assets() {
    let folder = Folder::new();
    if !folder.run("ssh-keygen -q -t ed25519 -N  -C me@example.test -f k") {
        return;
    }
    let public = fs::read_to_string(folder.file("k.pub")).unwrap();
    let bare = public.trim_end().strip_suffix(" me@example.test").unwrap();
    let text = format!(
        "# {bare}\n\n{public}command=\"echo \\\"a b\\\"\",no-pty {public}restrict {bare}\n\
         host.example.test,192.0.2.7 {bare}\n@cert-authority *.example.test {bare}\n\
         |1|c2FsdA==|aGFzaA== {bare}\n[ssh.example.test]:2222 {bare} with a comment\n"
    );
    let findings = read_bytes("anything", text.as_bytes());
    assert_eq!(findings.problems, []);
    let found: Vec<_> = findings
        .assets
        .iter()
        .map(|asset| (asset.location.line.unwrap(), key(asset).owner.as_deref()))
        .collect();
    let expected = [
        (3, Some("me@example.test")),
        (4, Some("me@example.test")),
        (5, None),
        (6, Some("host.example.test,192.0.2.7")),
        (7, Some("*.example.test")),
        (8, None),
        (9, Some("with a comment")),
    ];
    assert_eq!(found, expected);

    let broken = format!("{bare}\nhost {}\n", &bare[..bare.len() - 10]);
    assert_eq!(
        read_bytes("known_hosts", broken.as_bytes()).problems.len(),
        1
    );
    assert_eq!(
        read_bytes("README", broken.as_bytes()).problems,
        [],
        "documents shorten keys"
    );
}

#[test]
fn certificates_show_their_key_and_their_authority() {
    let folder = Folder::new();
    if !folder.run("ssh-keygen -q -t rsa -b 3072 -N  -f ca") {
        return;
    }
    for (kind, name) in [
        ("ed25519", "Ed25519"),
        ("ecdsa", "P-256"),
        ("rsa", "RSA-3072"),
    ] {
        folder.run(&format!("ssh-keygen -q -t {kind} -N  -f {kind}"));
        folder.run(&format!(
            "ssh-keygen -q -s ca -I id-of-{kind} -n me -V +1h {kind}.pub"
        ));
        let findings = folder.read(&format!("{kind}-cert.pub"));
        assert_eq!(findings.problems, []);
        let [own, authority] = findings.assets.as_slice() else {
            panic!("{findings:?}")
        };
        assert_eq!(algorithm(own), name);
        assert_eq!(
            key(own).owner.as_deref(),
            Some(format!("id-of-{kind}").as_str())
        );
        assert_eq!(algorithm(authority), "RSA-3072");
        let ca = only(folder.read("ca.pub"));
        assert_eq!(key(authority).fingerprint, key(&ca).fingerprint);
    }
}

#[test]
fn other_forms_of_public_keys_are_told() {
    let folder = Folder::new();
    if !folder.run("ssh-keygen -q -t ed25519 -N  -C me@example.test -f k") {
        return;
    }
    let public = key(&only(folder.read("k.pub"))).clone();
    // RFC 4716, from the base64 of the line.
    let line = fs::read_to_string(folder.file("k.pub")).unwrap();
    let base64 = line.split(' ').nth(1).unwrap();
    let block = format!(
        "---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"me@example.test\"\n{base64}\n---- END SSH2 PUBLIC KEY ----\n"
    );
    let found = only(read_bytes("k.txt", block.as_bytes()));
    assert_eq!(key(&found), &public);
}

#[test]
fn names_that_are_not_known_are_keys_all_the_same() {
    let line = |name: &str| {
        let mut blob = u32::try_from(name.len()).unwrap().to_be_bytes().to_vec();
        blob.extend_from_slice(name.as_bytes());
        blob.extend_from_slice(&[0, 0, 0, 2, 1, 2]);
        format!(
            "{name} {}",
            base64::Engine::encode(&base64::prelude::BASE64_STANDARD, blob)
        )
    };
    for (name, expected) in [
        ("ssh-new@example.test", "ssh-new@example.test"),
        ("ssh-mldsa-65", "ML-DSA-65"),
        ("ssh-mldsa44-ed25519@openssh.com", "Ed25519+ML-DSA-44"),
    ] {
        let found = only(read_bytes("k.pub", line(name).as_bytes()));
        assert_eq!(algorithm(&found), expected);
    }
}
