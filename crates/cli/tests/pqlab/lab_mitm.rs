//! `lab mitm`: an attacker between client and server.

use serde_json::Value;

use crate::common::{expect, run, text};

#[test]
fn every_scene_ends_as_it_should_with_both_libraries() {
    let output = run(&[
        "lab", "mitm", "--stack", "rustls", "--stack", "openssl", "--json",
    ]);
    assert!(output.status.success(), "{}", text(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["is_as_expected"], true);
    assert_eq!(document["tool_version"], env!("CARGO_PKG_VERSION"));
    let plays = document["plays"].as_array().unwrap();
    assert_eq!(plays.len(), 18);
    for play in plays {
        assert_eq!(play["is_as_expected"], true, "{play:#}");
        let is_lied_to = !play["received"].is_null() && play["received"] != play["sent"];
        let kept = play["recordings"].as_array().unwrap().iter();
        let kept: Vec<_> = kept
            .map(|kept| (&kept["group"], &kept["opens_later"]))
            .collect();
        if play["scene"] == "eavesdropper" {
            assert_eq!(kept[0], (&"X25519MLKEM768".into(), &false.into()));
            assert_eq!(kept[1], (&"x25519".into(), &true.into()));
        } else {
            assert!(kept.is_empty(), "{play:#}");
        }
        let succeeds = play["outcome"] == "succeeds";
        assert_eq!(succeeds, is_lied_to, "{play:#}");
    }
}

#[test]
fn a_scene_is_told_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let svg = folder.path().join("scene.svg");
    let path = svg.to_str().unwrap();
    let output = run(&[
        "lab",
        "mitm",
        "--scene",
        "stolen-certificate",
        "--svg",
        path,
    ]);
    let said = [
        "✓ attack fails",
        "invalid peer certificate: BadSignature",
        "decrypt_error (51)",
        "CertificateVerify",
        "RFC 8446 section 4.4.3",
    ];
    expect(&output, 0, &said);
    let picture = std::fs::read_to_string(svg).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("BadSignature"));
}

#[test]
fn what_opens_later_is_marked() {
    let said = [
        "✗ opens later, to whoever has a quantum computer",
        "✓ does not open later, as far as is known",
        "what x25519 protects opens later",
    ];
    let output = run(&["lab", "mitm", "--scene", "eavesdropper"]);
    let lines = String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert_eq!(output.status.code(), Some(0), "{lines}");
    for part in said {
        assert!(lines.contains(part), "{part:?} is not in {lines}");
    }
}

#[test]
fn scenes_are_listed_and_unknown_ones_named() {
    expect(
        &run(&["lab", "mitm", "--list"]),
        0,
        &["plain-http", "trusted-ca"],
    );
    let unknown = run(&["lab", "mitm", "--scene", "evil-twin"]);
    expect(&unknown, 2, &["no scene", "lookalike-ca"]);
    let unfit = run(&["lab", "mitm", "--stack", "null", "--scene", "self-signed"]);
    expect(&unfit, 2, &["scenarios only"]);
}
