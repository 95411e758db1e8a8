//! What openssl and keytool write as keystores.

use audit::StoreFormat;

use crate::tool::{Folder, algorithm, certificate, key, store};

fn identity(folder: &Folder) -> bool {
    folder.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -subj /CN=a")
}

#[test]
fn pkcs12_shows_its_protection_and_nothing_more() {
    let folder = Folder::new();
    if !identity(&folder) {
        return;
    }
    let export = "openssl pkcs12 -export -inkey k.pem -in c.pem -passout pass:secret -name www";
    folder.run(&format!("{export} -out new.p12"));
    let findings = folder.read("new.p12");
    assert_eq!(findings.problems, []);
    let facts = store(&findings.assets[0]);
    assert_eq!(facts.format, StoreFormat::Pkcs12);
    assert_eq!((facts.private_keys, facts.certificates), (Some(1), None));
    let expected = [
        "MAC HMAC-SHA-256 (2048 iterations)",
        "PBES2 with PBKDF2-HMAC-SHA-256 (2048 iterations) and AES-256-CBC",
    ];
    assert_eq!(facts.protection, expected);
    let [_, asset] = findings.assets.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(asset.location.entry.as_deref(), Some("www"));
    assert!(key(asset).is_encrypted && key(asset).algorithm.is_none());

    let old = "-certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-3DES -macalg sha1 -provider default -provider legacy";
    folder.run(&format!("{export} {old} -out old.p12"));
    let findings = folder.read("old.p12");
    let expected = [
        "MAC HMAC-SHA-1 (2048 iterations)",
        "pbeWithSHAAnd3-KeyTripleDES-CBC (2048 iterations)",
        "pbewithSHAAnd40BitRC2-CBC (2048 iterations)",
    ];
    assert_eq!(store(&findings.assets[0]).protection, expected);
}

#[test]
fn pkcs12_in_the_clear_is_read() {
    let folder = Folder::new();
    if !identity(&folder) {
        return;
    }
    folder.run("openssl pkcs12 -export -inkey k.pem -in c.pem -passout pass: -name www -certpbe NONE -keypbe NONE -nomac -out open.bin");
    let findings = folder.read("open.bin");
    assert_eq!(findings.problems, []);
    let facts = store(&findings.assets[0]);
    assert_eq!((facts.private_keys, facts.certificates), (Some(1), Some(1)));
    assert_eq!(facts.protection, ["a private key in the clear", "no MAC"]);
    assert_eq!(certificate(&findings.assets[1]).subject, "CN=a");
    assert_eq!(algorithm(&findings.assets[2]), "P-256");
    assert!(!key(&findings.assets[2]).is_encrypted);
    assert_eq!(findings.assets[2].location.entry.as_deref(), Some("www"));
}

#[test]
fn java_stores_show_certificates_and_count_keys() {
    let folder = Folder::new();
    let generate = "keytool -genkeypair -alias www -keyalg RSA -keysize 2048 -dname CN=www.example.test \
                    -storepass changeit -keypass changeit";
    if !folder.run(&format!("{generate} -storetype JKS -keystore a.jks")) {
        return;
    }
    folder.run("keytool -exportcert -alias www -keystore a.jks -storepass changeit -file www.bin");
    folder.run("keytool -importcert -noprompt -alias anchor -keystore a.jks -storepass changeit -file www.bin");
    let findings = folder.read("a.jks");
    assert_eq!(findings.problems, []);
    let facts = store(&findings.assets[0]);
    assert_eq!(facts.format, StoreFormat::Jks);
    assert_eq!((facts.private_keys, facts.certificates), (Some(1), Some(2)));
    assert!(
        facts.protection[0].starts_with("JKS key protector"),
        "{:?}",
        facts.protection
    );
    let aliases = findings.assets[1..]
        .iter()
        .map(|asset| asset.location.entry.clone().unwrap());
    let mut aliases: Vec<_> = aliases.collect();
    aliases.sort();
    assert_eq!(aliases, ["anchor", "www", "www"]);
    for asset in &findings.assets[1..] {
        assert_eq!(algorithm(asset), "RSA-2048");
    }

    folder.run(&format!("{generate} -storetype JCEKS -keystore b.store"));
    let findings = folder.read("b.store");
    let facts = store(&findings.assets[0]);
    assert_eq!(
        (facts.format, facts.private_keys),
        (StoreFormat::Jceks, Some(1))
    );
    assert!(
        facts.protection[0].starts_with("PBEWithMD5AndTripleDES"),
        "{:?}",
        facts.protection
    );
    folder.run("keytool -genseckey -alias aes -keyalg AES -keysize 128 -storetype JCEKS -keystore c.store -storepass changeit -keypass changeit");
    let findings = folder.read("c.store");
    assert_eq!(findings.assets[1].location.entry.as_deref(), Some("aes"));
    assert_eq!(
        store(&findings.assets[0]).private_keys,
        None,
        "what follows can't be counted"
    );
    assert_eq!(findings.problems.len(), 1);

    folder.run(&format!("{generate} -storetype PKCS12 -keystore d.bin"));
    let findings = folder.read("d.bin");
    assert_eq!(findings.problems, []);
    assert_eq!(store(&findings.assets[0]).private_keys, Some(1));
    assert_eq!(findings.assets[1].location.entry.as_deref(), Some("www"));
}
