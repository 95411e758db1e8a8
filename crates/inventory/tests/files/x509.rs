//! What openssl writes.

use audit::{AssetKind, KeyUse};

use crate::tool::{Folder, algorithm, certificate, key, only, read_bytes};

#[test]
fn a_private_key_its_public_key_and_its_certificate_are_told_alike() {
    let folder = Folder::new();
    let kinds = [
        ("RSA -pkeyopt rsa_keygen_bits:2048", "RSA-2048", true),
        ("RSA-PSS -pkeyopt rsa_keygen_bits:1024", "RSA-1024", true),
        ("EC -pkeyopt ec_paramgen_curve:P-256", "P-256", true),
        ("EC -pkeyopt ec_paramgen_curve:P-521", "P-521", true),
        ("EC -pkeyopt ec_paramgen_curve:secp256k1", "secp256k1", true),
        (
            "EC -pkeyopt ec_paramgen_curve:brainpoolP384r1",
            "brainpoolP384r1",
            true,
        ),
        ("ED25519", "Ed25519", true),
        ("ED448", "Ed448", true),
        ("X25519", "X25519", false),
        ("X448", "X448", false),
    ];
    for (options, name, signs) in kinds {
        if !folder.run(&format!("openssl genpkey -out k.pem -algorithm {options}")) {
            return;
        }
        folder.run("openssl pkey -in k.pem -pubout -out p.pem");
        folder.run("openssl pkey -in k.pem -outform DER -out k.bin");
        folder.run("openssl pkey -in k.pem -aes256 -passout pass:x -out e.pem");
        let private = only(folder.read("k.pem"));
        let public = only(folder.read("p.pem"));
        let der = only(folder.read("k.bin"));
        let encrypted = only(folder.read("e.pem"));
        assert_eq!([&private, &public, &der].map(algorithm), [name; 3]);
        assert!(key(&private).is_private && !key(&public).is_private);
        assert!(!key(&private).is_encrypted && key(&encrypted).is_encrypted);
        assert_eq!(
            key(&encrypted).algorithm,
            None,
            "PKCS #8 encrypts the algorithm too"
        );
        assert_eq!((private.location.line, der.location.line), (Some(1), None));
        // The private key of RFC 8410 does not hold its public one.
        match key(&private).fingerprint {
            Some(_) => assert_eq!(
                key(&private).fingerprint,
                key(&public).fingerprint,
                "{name}"
            ),
            None => assert!(
                matches!(name, "Ed25519" | "Ed448" | "X25519" | "X448"),
                "{name}"
            ),
        }
        if signs {
            folder.run("openssl req -x509 -new -key k.pem -subj /CN=a.example.test -out c.pem");
            let asset = only(folder.read("c.pem"));
            let facts = certificate(&asset);
            assert_eq!(facts.key.to_string(), name);
            assert_eq!(facts.signature.to_string(), name, "it is its own issuer");
            assert!(facts.is_self_issued && facts.is_authority);
        }
    }
}

#[test]
fn traditional_keys_are_told_by_their_labels() {
    let folder = Folder::new();
    if !folder.run("openssl genrsa -traditional -out rsa.pem 1536") {
        return;
    }
    folder.run("openssl rsa -in rsa.pem -RSAPublicKey_out -out rsa-public.pem");
    folder.run("openssl rsa -in rsa.pem -traditional -outform DER -out rsa.bin");
    folder.run("openssl rsa -in rsa.pem -traditional -aes128 -passout pass:x -out rsa-e.pem");
    folder.run("openssl rsa -in rsa.pem -pubout -out rsa-spki.pem");
    let names = ["rsa.pem", "rsa.bin", "rsa-public.pem", "rsa-spki.pem"];
    let keys = names.map(|name| only(folder.read(name)));
    for asset in &keys {
        assert_eq!(algorithm(asset), "RSA-1536");
        assert_eq!(key(asset).fingerprint, key(&keys[0]).fingerprint);
        assert_eq!(
            key(asset).uses,
            [KeyUse::KeyEstablishment, KeyUse::Signature]
        );
    }
    let encrypted = only(folder.read("rsa-e.pem"));
    assert_eq!(
        algorithm(&encrypted),
        "RSA",
        "the label tells, the size is encrypted"
    );
    assert!(key(&encrypted).is_encrypted);

    // With EC PARAMETERS before it.
    folder.run("openssl ecparam -name secp384r1 -genkey -out ec.pem");
    folder.run("openssl ec -in ec.pem -outform DER -out ec.bin");
    folder.run("openssl ec -in ec.pem -pubout -out ec-spki.pem");
    let keys = ["ec.pem", "ec.bin", "ec-spki.pem"].map(|name| only(folder.read(name)));
    for asset in &keys {
        assert_eq!(algorithm(asset), "P-384");
        assert_eq!(key(asset).fingerprint, key(&keys[0]).fingerprint);
    }
    folder.run("openssl dsaparam -genkey -out dsa-p8.pem 1024");
    folder.run("openssl dsa -in dsa-p8.pem -out dsa.pem");
    folder.run("openssl dsa -in dsa-p8.pem -pubout -out dsa-spki.pem");
    assert_eq!(algorithm(&only(folder.read("dsa-p8.pem"))), "DSA-1024");
    assert_eq!(algorithm(&only(folder.read("dsa-spki.pem"))), "DSA-1024");
    folder.run("openssl genpkey -algorithm DH -pkeyopt group:ffdhe2048 -out dh.pem");
    assert_eq!(algorithm(&only(folder.read("dh.pem"))), "DH-2048");
}

#[test]
fn an_issued_certificate_says_who_what_and_when() {
    let folder = Folder::new();
    let root = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout r.key \
                -out r.pem -sha384 -subj /O=Example,~Ltd/CN=Root~\\+~1 -days 10";
    if !folder.run(root) {
        return;
    }
    folder.run(
        "openssl req -new -newkey rsa:2048 -nodes -keyout l.key -out l.csr -subj /CN=www.example.test \
         -addext keyUsage=digitalSignature",
    );
    std::fs::write(
        folder.file("x.cnf"),
        "subjectAltName=DNS:www.example.test,IP:192.0.2.7,IP:2001:db8::7,email:a@example.test\n",
    )
    .unwrap();
    folder.run("openssl x509 -req -in l.csr -CA r.pem -CAkey r.key -set_serial 0x00ab12 -extfile x.cnf -out l.pem");
    let asset = only(folder.read("l.pem"));
    let facts = certificate(&asset);
    assert_eq!(facts.subject, "CN=www.example.test");
    assert_eq!(facts.issuer, "CN=Root \\+ 1,O=Example\\, Ltd");
    assert_eq!(facts.serial, "ab12");
    assert_eq!(
        facts.names,
        ["www.example.test", "192.0.2.7", "2001:db8::7"]
    );
    assert_eq!(facts.key.to_string(), "RSA-2048");
    assert_eq!(
        facts.signature.to_string(),
        "P-384",
        "as long as its numbers are"
    );
    assert_eq!(facts.signature_hash.as_deref(), Some("SHA-256"));
    assert!(!facts.is_authority && !facts.is_self_issued);
    assert!(facts.not_before.ends_with('Z') && facts.not_before < facts.not_after);

    let request = only(folder.read("l.csr"));
    let AssetKind::Request(facts) = &request.kind else {
        panic!("{request:?}")
    };
    assert_eq!(facts.owner.as_deref(), Some("CN=www.example.test"));
    assert_eq!(facts.uses, [KeyUse::Signature], "it asks for this use only");

    // The other forms of the same certificate.
    folder.run("openssl x509 -in l.pem -outform DER -out l.bin");
    folder.run("openssl x509 -in l.pem -trustout -addtrust serverAuth -out l.trusted.pem");
    for name in ["l.bin", "l.trusted.pem"] {
        assert_eq!(
            *certificate(&only(folder.read(name))),
            *certificate(&asset),
            "{name}"
        );
    }
    folder.run("openssl crl2pkcs7 -nocrl -certfile l.pem -certfile r.pem -out both.p7b");
    folder
        .run("openssl crl2pkcs7 -nocrl -certfile l.pem -certfile r.pem -outform DER -out both.bin");
    for name in ["both.p7b", "both.bin"] {
        let both = folder.read(name);
        assert_eq!(both.problems, []);
        let subjects = both
            .assets
            .iter()
            .map(|asset| certificate(asset).subject.as_str());
        let mut subjects: Vec<_> = subjects.collect();
        subjects.sort_unstable();
        assert_eq!(
            subjects,
            ["CN=Root \\+ 1,O=Example\\, Ltd", "CN=www.example.test"]
        );
        assert_eq!(both.assets[1].location.entry.as_deref(), Some("2"));
    }
}

#[test]
fn a_signature_of_rsa_tells_the_size_and_pss_its_hash() {
    let folder = Folder::new();
    let root = "openssl req -x509 -newkey rsa:3072 -nodes -keyout r.key -out r.pem -subj /CN=r";
    if !folder.run(root) {
        return;
    }
    folder.run("openssl req -new -newkey ed25519 -nodes -keyout l.key -out l.csr -subj /CN=l");
    folder.run(
        "openssl x509 -req -in l.csr -CA r.pem -CAkey r.key -sha512 -sigopt rsa_padding_mode:pss -out l.pem",
    );
    let asset = only(folder.read("l.pem"));
    let facts = certificate(&asset);
    assert_eq!(facts.signature.to_string(), "RSA-3072");
    assert_eq!(facts.signature_hash.as_deref(), Some("SHA-512"));
}

#[test]
fn an_ml_dsa_certificate_is_told_by_its_parameter_set() {
    let asset = only(read_bytes("www.txt", include_bytes!("ml-dsa-65.pem")));
    let facts = certificate(&asset);
    assert_eq!(facts.key.to_string(), "ML-DSA-65");
    assert_eq!(facts.signature.to_string(), "ML-DSA-65");
    assert_eq!(facts.signature_hash, None);
    assert_eq!(facts.names, ["www.example.test", "192.0.2.7"]);
    assert!(
        facts.issuer.contains("O=Example\\, Ltd"),
        "{}",
        facts.issuer
    );
}

#[test]
fn several_blocks_are_told_with_their_lines_and_a_broken_one_is_a_problem() {
    let folder = Folder::new();
    if !folder.run("openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=a")
    {
        return;
    }
    let [k, c] = ["k.pem", "c.pem"].map(|name| std::fs::read_to_string(folder.file(name)).unwrap());
    let broken = c.replacen("MII", "MIJ", 1);
    let json = format!("{{\"key\": \"{}\"}}\n", k.replace('\n', "\\n"));
    let all = format!(
        "# both\n{k}{broken}{c}{json}-----BEGIN X509 CRL-----\nAA==\n-----END X509 CRL-----\n"
    );
    let findings = read_bytes("notes.txt", all.as_bytes());
    let lines = |text: &str| u32::try_from(text.lines().count()).unwrap();
    assert_eq!(findings.assets[0].location.line, Some(2));
    assert_eq!(findings.assets.len(), 3);
    assert_eq!(
        findings.assets[1].location.line,
        Some(2 + lines(&k) + lines(&broken))
    );
    assert_eq!(
        algorithm(&findings.assets[2]),
        "RSA-2048",
        "in a string of JSON"
    );
    let [problem] = findings.problems.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(problem.location.line, Some(2 + lines(&k)));
}

#[test]
fn what_a_file_of_source_quotes_is_no_problem() {
    let source =
        b"let begin = \"-----BEGIN CERTIFICATE-----\\n\";\n// -----BEGIN RSA PRIVATE KEY-----\n";
    assert_eq!(
        read_bytes("source.rs", source),
        inventory::Findings::default()
    );
    let claimed = read_bytes("server.key", source);
    assert_eq!(claimed.problems.len(), 1, "its name promises a key");
    let unknown = read_bytes(
        "x",
        b"-----BEGIN SOMETHING-----\nAAAA\n-----END SOMETHING-----\n",
    );
    assert!(unknown.problems[0].reason.contains("SOMETHING"));
}
