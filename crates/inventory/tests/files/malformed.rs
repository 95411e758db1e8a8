//! Every file of the other tests, cut at every byte and changed at random: nothing may panic,
//! and no secret may stand in what is told.

use std::fs;
use std::sync::OnceLock;

use crate::tool::{Folder, read_bytes};

/// Files of every format, as far as the tools are here.
fn fixtures() -> &'static [(String, Vec<u8>)] {
    static FILES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    FILES.get_or_init(made)
}

fn made() -> Vec<(String, Vec<u8>)> {
    let folder = Folder::new();
    fs::write(folder.file("mldsa.pem"), include_bytes!("ml-dsa-65.pem")).unwrap();
    let ec = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let is_made = folder.run(&format!("openssl req -x509 {ec} -keyout k.pem -out c.pem -subj /CN=a -addext subjectAltName=IP:192.0.2.1"));
    if is_made {
        for command in [
            "req -new -key k.pem -subj /CN=a -addext keyUsage=digitalSignature -out r.pem",
            "ec -in k.pem -out sec1.pem",
            "ec -in k.pem -outform DER -out sec1.der",
            "genrsa -traditional -out rsa.pem 1024",
            "rsa -in rsa.pem -traditional -aes128 -passout pass:x -out rsa-e.pem",
            "pkey -in rsa.pem -outform DER -out p8.der",
            "pkey -in k.pem -aes256 -passout pass:x -out p8-e.pem",
            "x509 -in c.pem -outform DER -out c.der",
            "crl2pkcs7 -nocrl -certfile c.pem -outform DER -out c.p7b",
            "pkcs12 -export -inkey k.pem -in c.pem -passout pass:x -name a -out a.p12",
            "pkcs12 -export -inkey k.pem -in c.pem -passout pass: -name a -certpbe NONE -keypbe NONE -out b.p12",
        ] {
            folder.run(&format!("openssl {command}"));
        }
    }
    if folder.run("ssh-keygen -q -t ed25519 -N  -C a -f ssh") {
        folder.run("ssh-keygen -q -t ecdsa -N  -C a -f ssh2");
        folder.run("ssh-keygen -q -s ssh -I id -n me ssh2.pub");
    }
    folder.run("keytool -genkeypair -alias a -keyalg EC -dname CN=a -storetype JCEKS -storepass changeit -keypass changeit -keystore a.jks");
    let gpg = "gpg --batch --quiet --pinentry-mode loopback --passphrase ";
    if folder.run(&format!(
        "{gpg} --quick-gen-key a future-default default never"
    )) {
        folder.run(&format!("{gpg} --output a.gpg --export-secret-keys"));
        folder.run(&format!("{gpg} --armor --output a.asc --export"));
        folder.run("gpgconf --kill all");
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let name = entry.file_name().into_string().unwrap();
            files.push((name, fs::read(entry.path()).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn cut_and_changed_files_are_read_without_a_panic() {
    // xorshift64: the same changes in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for (name, bytes) in fixtures() {
        for end in 0..bytes.len() {
            read_bytes(name, &bytes[..end]);
        }
        for _ in 0..500 {
            let mut changed = bytes.clone();
            for _ in 0..=random(4) {
                let at = random(changed.len());
                match random(4) {
                    0 => changed[at] = 0xff,
                    1 => changed[at] ^= 1 << random(8),
                    2 => drop(changed.remove(at)),
                    _ => changed.insert(at, [0x00, 0x30, 0x80, 0x84][random(4)]),
                }
                if changed.is_empty() {
                    break;
                }
            }
            read_bytes(name, &changed);
        }
    }
}

#[test]
fn a_cut_store_or_ring_is_a_problem_and_not_silence() {
    for (name, bytes) in fixtures() {
        let is_binary = [".p12", ".jks", ".der", ".p7b", ".gpg"]
            .iter()
            .any(|end| name.ends_with(end));
        if is_binary && !name.starts_with('.') {
            let cut = read_bytes(name, &bytes[..bytes.len() - 3]);
            assert!(!cut.problems.is_empty(), "{name}");
        }
    }
}

#[test]
fn lengths_and_nesting_that_lie_cost_nothing() {
    let huge_jks = [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2][..], &[0xff; 40]].concat();
    let deep_der = [0x30, 0x80].repeat(50_000);
    let deep_definite = (0..4000_u32).fold(Vec::new(), |inner: Vec<u8>, _| {
        let mut outer = vec![0x30, 0x82];
        outer.extend_from_slice(&u16::try_from(inner.len() % 65_536).unwrap().to_be_bytes());
        outer.extend_from_slice(&inner);
        outer
    });
    let openpgp = [
        0xc6, 255, 255, 255, 255, 255, 6, 0, 0, 0, 0, 27, 255, 255, 255, 255,
    ];
    let keybox = [&[0, 0, 0, 32, 1, 1, 0, 2][..], b"KBXf", &[0xff; 60]].concat();
    let mut der = vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff];
    der.extend_from_slice(&[0x30; 100]);
    for (name, bytes) in [
        ("a.jks", huge_jks.as_slice()),
        ("b.der", &deep_der),
        ("c.der", &deep_definite),
        ("d.gpg", &openpgp),
        ("e.key", &keybox),
        ("f.p12", &der),
    ] {
        assert!(!read_bytes(name, bytes).problems.is_empty(), "{name}");
    }
    let many = "-----BEGIN CERTIFICATE-----\n".repeat(20_000);
    assert_eq!(
        read_bytes("many.pem", many.as_bytes()).problems.len(),
        20_000
    );
}

#[test]
fn garbage_with_the_name_of_a_key_is_a_problem_and_without_it_nothing() {
    let garbage: Vec<u8> = (0..5000_u32)
        .map(|number| (number * 97 % 251) as u8)
        .collect();
    for ending in [
        "pem", "crt", "CER", "der", "key", "p12", "pfx", "jks", "keystore", "asc", "gpg", "pub",
    ] {
        let findings = read_bytes(&format!("a.{ending}"), &garbage);
        assert_eq!(
            (findings.assets.len(), findings.problems.len()),
            (0, 1),
            "{ending}"
        );
    }
    assert_eq!(
        read_bytes("a.png", &garbage),
        inventory::Findings::default()
    );
}

#[test]
fn no_secret_stands_in_what_is_told() {
    let folder = Folder::new();
    if !folder.run("openssl genpkey -algorithm ED25519 -out k.pem") {
        return;
    }
    let pem = fs::read_to_string(folder.file("k.pem")).unwrap();
    let base64 = pem.lines().nth(1).unwrap();
    for text in [
        pem.clone(),
        pem.replace("MC4C", "MC4D"),
        pem.replace("-----END", "----END"),
    ] {
        let findings = read_bytes("k.pem", text.as_bytes());
        assert_eq!(findings.assets.len() + findings.problems.len(), 1);
        let told = format!("{findings:?}");
        assert!(!told.contains(&base64[24..]), "{told}");
    }
}
