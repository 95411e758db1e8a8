//! What goes wrong, for people and for programs.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::Desk;
use crate::common::{expect, text, write};

/// The error that a program is told, if the exit code is this.
fn error(desk: &Desk, arguments: &[&str], code: i32) -> Value {
    let output = desk.run(&[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", text(&output)));
    assert_eq!(document["schema"], 1);
    let error = &document["error"];
    // People read the same.
    let told = String::from_utf8_lossy(&output.stderr);
    let whole = error["text"].as_str().unwrap();
    assert!(
        told.contains(whole),
        "{arguments:?}: {whole} is not in {told}"
    );
    error.clone()
}

#[test]
fn every_verb_that_fails_says_so_as_json_with_the_same_exit_code() {
    let desk = Desk::new();
    write(desk.0.path(), "there", "");
    let arn = ["--certificate-authority-arn", "x"];
    let on_arn = |verb: &'static str, more: &[&'static str]| [&[verb][..], &arn, more].concat();
    let certificate = ["--certificate-arn", "x"];
    let on_certificate = |verb: &'static str| [&[verb][..], &certificate].concat();
    let long = "n".repeat(60);
    let verbs: Vec<Vec<&str>> = vec![
        vec!["init", "--name", &long],
        vec!["issue", "a.test"],
        vec!["csr", "a.test", "--out", "there"],
        vec!["sign", "there"],
        vec!["renew", "a.test"],
        vec!["revoke", "a.test"],
        vec!["crl"],
        vec!["list"],
        vec!["show", "a.test"],
        vec!["check"],
        vec!["bundle"],
        vec!["export", "a.test"],
        vec!["pfx", "a.test", "--base64"],
        vec!["verify", "a.test"],
        vec!["migrate-plan", "x"],
        vec!["disable", "x"],
        vec!["enable", "x"],
        vec![
            "create-certificate-authority",
            "--certificate-authority-type",
            "ROOT",
            "--certificate-authority-configuration",
            "{}",
        ],
        on_arn("get-certificate-authority-csr", &[]),
        on_arn(
            "issue-certificate",
            &[
                "--csr",
                "there",
                "--signing-algorithm",
                "x",
                "--validity",
                "Value=1,Type=DAYS",
            ],
        ),
        on_arn("get-certificate", &certificate),
        on_arn(
            "import-certificate-authority-certificate",
            &["--certificate", "there"],
        ),
        on_arn("describe-certificate-authority", &[]),
        vec!["list-certificate-authorities"],
        on_arn("create-permission", &["--actions", "GetCertificate"]),
        on_arn(
            "revoke-certificate",
            &[
                "--certificate-serial",
                "1",
                "--revocation-reason",
                "SUPERSEDED",
            ],
        ),
        on_arn("request-certificate", &["--domain-name", "a.test"]),
        on_certificate("describe-certificate"),
        vec!["list-certificates"],
        on_certificate("export-certificate"),
    ];
    for arguments in verbs {
        // The first that fails where there is no store makes one.
        let _ = std::fs::remove_dir_all(desk.path("pqlab-ca"));
        assert_eq!(error(&desk, &arguments, 2)["kind"], "bad-input");
    }
}

#[test]
fn causes_are_told_apart_and_arguments_that_cannot_be_read_stay_plain() {
    let desk = Desk::with("ed25519");
    let absent = error(&desk, &["sign", "absent.pem"], 2);
    let causes = absent["causes"].as_array().unwrap();
    assert_eq!(causes[0], "reading absent.pem");
    assert_eq!(causes.len(), 2, "{absent:#}");
    let database = desk.path("pqlab-ca/ca.redb");
    let whole = std::fs::read(&database).unwrap();
    std::fs::write(&database, &whole[..4096]).unwrap();
    assert_eq!(error(&desk, &["list"], 3)["kind"], "system");
    let unread = desk.run(&["issue", "--json"]);
    expect(&unread, 2, &["NAME"]);
    assert!(unread.stdout.is_empty(), "{}", text(&unread));
}

#[test]
fn a_store_in_use_is_not_waited_for_if_nobody_wants_to() {
    let desk = Desk::with("ed25519");
    let folder = desk.path("pqlab-ca");
    let store = ::ca::Store::open(Path::new(&folder), Duration::ZERO, None).unwrap();
    desk.bad(&["list", "--wait", "0"], 3, &["is using", "try again"]);
    desk.bad(&["list", "--wait", "0.1"], 3, &["100ms"]);
    drop(store);
    desk.good(&["list", "--wait", "0"]);
    desk.bad(&["list", "--wait=-1"], 2, &["--wait"]);
}

/// A check that could not look at the keys has not shown that they are right.
#[test]
fn keys_that_were_not_looked_at_are_told() {
    let desk = Desk::new();
    write(desk.0.path(), "right", "the right one\n");
    let right = ["--passphrase-file", "right"];
    desk.good(&[&["init", "--algorithm", "ed25519"][..], &right].concat());
    let said = [
        "not looked at: authority root-ed25519",
        "2 keys",
        "--passphrase-file",
    ];
    desk.bad(&["check"], 1, &said);
    let output = desk.run(&["check", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["is_whole"], false);
    assert_eq!(document["faults"][0]["not_looked_at"], true);
    assert_eq!(document["faults"][0]["serious"], false);
    let whole = desk.json(&[&["check", "--json"][..], &right].concat());
    assert_eq!(whole["is_whole"], true, "{whole:#}");
}

#[test]
fn what_stands_in_the_place_of_a_request_is_named() {
    let desk = Desk::with("ecdsa-p256");
    desk.good(&["issue", "a.test"]);
    desk.bad(&["sign", "a.test.pem"], 2, &["a certificate, not a"]);
    desk.bad(&["sign", "a.test-key.pem"], 2, &["a private key, which"]);
    desk.good(&["csr", "b.test", "--out", "b.pem"]);
    let pem = std::fs::read(desk.path("b.pem")).unwrap();
    let der = der_of(&pem);
    std::fs::write(desk.path("b.der"), der).unwrap();
    desk.good(&["sign", "b.der", "--out", "signed.pem"]);
    desk.good(&["verify", "signed.pem", "--name", "b.test"]);
}

/// What is between the lines of PEM.
fn der_of(pem: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let text = String::from_utf8_lossy(pem);
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let engine = base64::engine::general_purpose::STANDARD;
    engine.decode(body).unwrap()
}
