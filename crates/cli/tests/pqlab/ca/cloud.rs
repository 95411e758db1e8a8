//! Commands as they stand in AWS' manual.

use serde_json::Value;

use super::Desk;
use crate::common::{expect, text};

const CONFIGURATION: &str = r#"{"KeyAlgorithm": "ML_DSA_44", "SigningAlgorithm": "ML_DSA_44",
    "Subject": {"CommonName": "Example Root"}}"#;

#[test]
fn what_is_pasted_is_taken_and_what_means_nothing_is_told() {
    let desk = Desk::with("ecdsa-p256");
    let pasted = [
        "--region",
        "eu-central-1",
        "--tags",
        "Key=team,Value=a",
        "Key=b,Value=c",
        "--idempotency-token",
        "1234",
    ];
    let create = [
        "create-certificate-authority",
        "--certificate-authority-configuration",
        CONFIGURATION,
        "--certificate-authority-type",
        "ROOT",
    ];
    let output = desk.run(&[&create[..], &pasted, &["--output", "text"]].concat());
    let said = [
        "--region has no meaning",
        "--tags has",
        "--idempotency-token",
    ];
    expect(&output, 0, &said);
    let arn = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        arn,
        "arn:pqlab:acm-pca:::certificate-authority/example-root\n"
    );
    let shorthand = [
        "create-certificate-authority",
        "--certificate-authority-configuration",
        "KeyAlgorithm=RSA_2048,SigningAlgorithm=SHA256WITHRSA",
        "--certificate-authority-type",
        "ROOT",
    ];
    desk.bad(&shorthand, 2, &["shorthand", "JSON"]);
    let broken = [&create[..2], &["{\"KeyAlgorithm\": 7}"], &create[3..]].concat();
    desk.bad(&broken, 2, &["configuration of the authority"]);

    let listed = desk.json(&["list-certificate-authorities"]);
    let listed = listed["CertificateAuthorities"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    let pending = |one: &&Value| one["Status"] == "PENDING_CERTIFICATE";
    let found = listed.iter().find(pending).unwrap();
    assert_eq!(found["Arn"], arn.trim_end());
    let plain = desk.good(&["list-certificate-authorities", "--output", "text"]);
    assert!(
        plain.contains("CERTIFICATEAUTHORITIES\tarn:pqlab"),
        "{plain}"
    );
}

#[test]
fn certificates_are_issued_by_template_listed_and_revoked_by_serial_number() {
    let desk = Desk::with("ecdsa-p256");
    let authority = [
        "--certificate-authority-arn",
        "arn:pqlab:acm-pca:::certificate-authority/issuing-ecdsa-p256",
    ];
    desk.good(&["csr", "a.test", "--out", "a.csr"]);
    let issue = [
        "issue-certificate",
        "--csr",
        "fileb://a.csr",
        "--signing-algorithm",
        "SHA256WITHECDSA",
        "--validity",
        "Value=30,Type=DAYS",
        "--template-arn",
        "arn:aws:acm-pca:::template/EndEntityCertificate/V1",
    ];
    let output = desk.run(&[&issue[..], &authority].concat());
    expect(&output, 0, &["for a server"]);
    let issued: Value = serde_json::from_slice(&output.stdout).unwrap();
    let arn = issued["CertificateArn"].as_str().unwrap();
    let serial = arn.rsplit_once('/').unwrap().1.to_owned();
    let all = desk.json(&["list-certificates"]);
    let summary = &all["CertificateSummaryList"][0];
    assert_eq!(summary["DomainName"], "a.test");
    assert_eq!(summary["Status"], "ISSUED");

    // As AWS prints serial numbers.
    let pairs: Vec<String> = serial
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).to_lowercase())
        .collect();
    let colons = pairs.join(":");
    let revoke = |whose: &[&str], serial: &str, reason: &str| {
        let what = [
            "revoke-certificate",
            "--certificate-serial",
            serial,
            "--revocation-reason",
            reason,
        ];
        desk.run(&[&what[..], whose].concat())
    };
    let strange = revoke(&authority, &colons, "BOREDOM");
    expect(&strange, 2, &["KEY_COMPROMISE"]);
    let root = ["--certificate-authority-arn", "root-ecdsa-p256"];
    let another_s = revoke(&root, &colons, "KEY_COMPROMISE");
    expect(&another_s, 2, &["has no certificate"]);
    // A name is no serial number.
    expect(&revoke(&authority, "a.test", "SUPERSEDED"), 2, &["a.test"]);
    let revoked = revoke(&authority, &colons, "KEY_COMPROMISE");
    expect(&revoked, 0, &["pqlab ca crl"]);
    assert!(revoked.stdout.is_empty(), "{}", text(&revoked));
    let again = revoke(&authority, arn, "KEY_COMPROMISE");
    expect(&again, 2, &["was revoked at", "keyCompromise"]);
    let left = ["list-certificates", "--certificate-statuses", "ISSUED"];
    assert_eq!(
        desk.json(&left)["CertificateSummaryList"],
        serde_json::json!([])
    );
    let gone = desk.json(&["list-certificates", "--certificate-statuses", "REVOKED"]);
    assert_eq!(gone["CertificateSummaryList"][0]["DomainName"], "a.test");
    // An authority's certificate has no domain.
    let list = desk.json(&["list", "--json"]);
    let list = list["certificates"].as_array().unwrap();
    let own = list.iter().find(|one| one["kind"] == "authority").unwrap();
    let own = own["serial"].as_str().unwrap();
    let described = desk.json(&["describe-certificate", "--certificate-arn", own]);
    assert!(described["Certificate"]["DomainName"].is_null());
}

#[test]
fn options_of_a_verb_stand_apart_from_those_of_all() {
    let desk = Desk::new();
    let help = desk.good(&["issue", "--help"]);
    let (own, common) = help.split_once("Options of every `pqlab ca`:").unwrap();
    let check = desk.good(&["check", "--help"]);
    assert!(check.contains("Exit code 1"), "{check}");
    assert!(own.contains("--dual") && !own.contains("--store"), "{help}");
    assert!(
        common.contains("--store") && common.contains("--json"),
        "{help}"
    );
}
