use super::*;
use crate::{Asset, AssetKind, Inventory, Settings};

const NGINX: &str = "server {\n    listen 443 ssl;\n    ssl_ecdh_curve X25519:prime256v1;\n}\n";

fn estate(settings: Settings, text: &str) -> Estate {
    let asset = Asset {
        location: Location {
            path: "/etc/site.conf".to_owned(),
            line: Some(1),
            entry: None,
        },
        kind: AssetKind::Settings(settings),
    };
    Estate {
        inventory: Some(Inventory {
            assets: vec![asset],
            ..Inventory::default()
        }),
        texts: [("/etc/site.conf".to_owned(), text.to_owned())].into(),
        ..Estate::default()
    }
}

fn settings(software: Software, directives: &[(u32, &str, &str)]) -> Settings {
    Settings {
        software,
        scope: "a test".to_owned(),
        serves: Vec::new(),
        version: None,
        library: None,
        directives: directives
            .iter()
            .map(|(line, name, value)| Directive {
                line: *line,
                name: (*name).to_owned(),
                value: (*value).to_owned(),
            })
            .collect(),
        key_exchanges: Vec::new(),
        key_exchanges_by_default: false,
        versions: Vec::new(),
        suites: Vec::new(),
        static_rsa: None,
        files: Vec::new(),
        remarks: Vec::new(),
    }
}

fn wished(wish: Wish, estate: &Estate, version: Option<&str>, library: Option<&str>) -> Remedy {
    let scope = estate.scopes().next().unwrap();
    let platform = Platform {
        software: Some(scope.settings.software),
        version: version.map(str::to_owned),
        library: library.map(str::to_owned),
    };
    let place = Place {
        estate,
        scope: Some(scope),
        platform,
    };
    remedy(wish, &place)
}

/// Software, version, library, and the directive that the remedy brings: none where the group
/// is not known there.
#[test]
fn each_program_gets_what_its_version_knows() {
    let old = Some("OpenSSL 3.4.1");
    let new = Some("OpenSSL 3.5.0");
    let sntrup = "KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256";
    let ml_kem = "KexAlgorithms mlkem768x25519-sha256,sntrup761x25519-sha512@openssh.com,\
                  curve25519-sha256";
    for (software, version, library, expected) in [
        (Software::Nginx, Some("1.28"), old, None),
        (
            Software::Nginx,
            Some("1.22"),
            new,
            Some("ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1;"),
        ),
        (Software::Nginx, Some("1.28"), None, None),
        (Software::Nginx, Some("1.28"), Some("LibreSSL 4.1"), None),
        (Software::Apache, None, old, None),
        (
            Software::Apache,
            None,
            new,
            Some("SSLOpenSSLConfCmd Groups X25519MLKEM768:X25519"),
        ),
        (Software::Haproxy, Some("3.2"), old, None),
        (
            Software::Haproxy,
            Some("2.6"),
            new,
            Some("ssl-default-bind-curves X25519MLKEM768:X25519"),
        ),
        (Software::Envoy, Some("1.38"), None, None),
        (
            Software::Envoy,
            Some("1.39"),
            None,
            Some("ecdh_curves: [X25519MLKEM768, X25519]"),
        ),
        (Software::Caddy, Some("2.9"), None, None),
        (
            Software::Caddy,
            Some("2.10"),
            None,
            Some("curves x25519mlkem768 x25519"),
        ),
        (Software::Openssl, Some("3.4"), None, None),
        (
            Software::Openssl,
            Some("3.5"),
            None,
            Some("Groups = X25519MLKEM768:X25519"),
        ),
        (Software::Openssh, Some("8.4"), None, None),
        (Software::Openssh, Some("8.5"), None, Some(sntrup)),
        (Software::Openssh, Some("9.8p1"), None, Some(sntrup)),
        (Software::Openssh, Some("9.9"), None, Some(ml_kem)),
        (Software::Openssh, None, None, None),
        (Software::Postgresql, Some("17.5"), new, None),
        (Software::Postgresql, Some("18"), old, None),
        (
            Software::Postgresql,
            Some("18"),
            new,
            Some("ssl_groups = 'X25519MLKEM768:X25519'"),
        ),
        (Software::Java, Some("26"), None, None),
        (
            Software::Java,
            Some("27"),
            None,
            Some("-Djdk.tls.namedGroups=X25519MLKEM768,x25519"),
        ),
    ] {
        let estate = estate(settings(software, &[]), "");
        let remedy = wished(Wish::Hybrid, &estate, version, library);
        let edits: Vec<&str> = remedy.edits.iter().map(|edit| edit.new.as_str()).collect();
        let label = format!("{software:?} {version:?} {library:?}");
        assert_eq!(edits, expected.into_iter().collect::<Vec<_>>(), "{label}");
        assert!(!remedy.sources.is_empty(), "{label}");
        if expected.is_none() {
            assert!(!remedy.steps.is_empty(), "{label}");
        }
        // What is known to be too old is never told the name of a group that stops it.
        let is_old = library == old || version == Some("17.5");
        if is_old {
            let words = format!("{} {}", remedy.summary, remedy.steps.join(" "));
            assert!(!words.contains("X25519MLKEM768"), "{label}: {words}");
            assert!(words.contains("pqlab proxy"), "{label}: {words}");
        }
    }
}

#[test]
fn a_known_line_is_replaced_and_keeps_its_other_groups() {
    let directive = (3, "ssl_ecdh_curve", "X25519:prime256v1");
    let estate = estate(settings(Software::Nginx, &[directive]), NGINX);
    let remedy = wished(Wish::Hybrid, &estate, None, Some("OpenSSL 3.5.2"));
    let [edit] = remedy.edits.as_slice() else {
        panic!("one edit: {remedy:?}");
    };
    assert_eq!(edit.new, "ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1;");
    assert_eq!(
        edit.old.as_deref(),
        Some("ssl_ecdh_curve X25519:prime256v1;")
    );
    assert_eq!(edit.location.as_ref().unwrap().line, Some(3));
    let diff = edit.diff.as_deref().unwrap();
    assert!(
        diff.contains("-    ssl_ecdh_curve X25519:prime256v1;\n"),
        "{diff}"
    );
    assert!(
        diff.contains("+    ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1;\n"),
        "{diff}"
    );
}

#[test]
fn lists_that_stand_there_are_kept_without_drafts() {
    for (software, name, value, library, expected) in [
        (
            Software::Nginx,
            "ssl_ecdh_curve",
            "X25519Kyber768Draft00:X25519:secp384r1",
            "3.6.0",
            "ssl_ecdh_curve X25519MLKEM768:X25519:secp384r1;",
        ),
        (
            Software::Nginx,
            "ssl_ecdh_curve",
            "auto",
            "3.6.0",
            "ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1;",
        ),
        (
            Software::Nginx,
            "ssl_ecdh_curve",
            "$injected; include evil",
            "3.6.0",
            "ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1;",
        ),
        (
            Software::Apache,
            "SSLOpenSSLConfCmd",
            "Curves P-384:X25519",
            "3.6.0",
            "SSLOpenSSLConfCmd Groups X25519MLKEM768:P-384:X25519",
        ),
        (
            Software::Haproxy,
            "curves",
            "P-256",
            "3.6.0",
            "curves X25519MLKEM768:P-256",
        ),
    ] {
        let estate = estate(settings(software, &[(1, name, value)]), "nothing\n");
        let remedy = wished(Wish::Hybrid, &estate, None, Some(library));
        assert_eq!(remedy.edits[0].new, expected);
        assert_eq!(
            remedy.edits[0].diff, None,
            "the file does not have that line"
        );
    }
}

#[test]
fn a_missing_line_is_added_after_the_last_one_that_is_known() {
    let text = "server {\n    listen 443 ssl;\n    ssl_protocols TLSv1.2;\n}\n";
    let estate = estate(
        settings(Software::Nginx, &[(3, "ssl_protocols", "TLSv1.2")]),
        text,
    );
    let remedy = wished(Wish::ForwardSecrecy, &estate, None, None);
    let diff = remedy.edits[0].diff.as_deref().unwrap();
    assert!(
        diff.contains(" \u{20}   ssl_protocols TLSv1.2;\n+    ssl_ciphers ECDHE+"),
        "{diff}"
    );
}

#[test]
fn options_of_haproxy_that_share_a_line_are_not_lost() {
    let text = "global\n    ssl-default-bind-options no-tls-tickets\n";
    let directive = (2, "ssl-default-bind-options", "no-tls-tickets");
    let estate = estate(settings(Software::Haproxy, &[directive]), text);
    let remedy = wished(Wish::Versions, &estate, None, None);
    let edit = &remedy.edits[0];
    assert_eq!(edit.new, "ssl-default-bind-options ssl-min-ver TLSv1.2");
    assert_eq!((&edit.old, &edit.diff), (&None, &None));
    assert!(edit.context.contains("beside"), "{}", edit.context);
}

#[test]
fn without_a_program_the_remedy_says_what_to_find_out() {
    let estate = Estate::default();
    let place = Place {
        estate: &estate,
        scope: None,
        platform: Platform::default(),
    };
    for wish in [
        Wish::Hybrid,
        Wish::SshHybrid,
        Wish::ForwardSecrecy,
        Wish::Versions,
    ] {
        let remedy = remedy(wish, &place);
        assert!(remedy.edits.is_empty());
        assert!(
            remedy.steps[0].starts_with("Find out which"),
            "{:?}",
            remedy.steps
        );
    }
}

#[test]
fn an_old_library_gets_no_ml_dsa_key() {
    let estate = estate(settings(Software::Nginx, &[]), "");
    for (library, expected) in [
        (
            Some("OpenSSL 3.0.15"),
            "First see that nginx has OpenSSL 3.5",
        ),
        (None, "First see that nginx has OpenSSL 3.5"),
        (Some("OpenSSL 3.6.3"), "Then add an ML-DSA-65 certificate"),
    ] {
        let remedy = wished(Wish::Certificates, &estate, None, library);
        assert!(
            remedy.steps.iter().any(|step| step.starts_with(expected)),
            "{library:?}"
        );
    }
}
