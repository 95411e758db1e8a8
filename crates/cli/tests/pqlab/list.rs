//! `pqlab list` and `pqlab verify`: what there is, and whether it works.

use crate::common::{expect, run};

#[test]
fn lists_say_what_there_is_and_what_to_beware_of() {
    expect(
        &run(&["list", "stacks"]),
        0,
        &["rustls-pqcrypto", "unmaintained", "OpenSSL 3."],
    );
    expect(
        &run(&["list", "groups"]),
        0,
        &[
            "X25519MLKEM768",
            "0x11ec",
            "1216/1120",
            "RFC 10024",
            "obsolete",
            "private use",
        ],
    );
    expect(
        &run(&["list", "auth"]),
        0,
        &["ml-dsa-65", "3309", "rsa_pss_rsae_sha256"],
    );
    expect(&run(&["list", "networks"]), 0, &["loopback"]);
    let json = run(&["list", "groups", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(rows.as_array().unwrap().len() > 15);
}

#[test]
fn unsupported_scenarios_have_a_reason() {
    let output = run(&[
        "list",
        "scenarios",
        "--filter",
        "kx=static-rsa,auth=rsa-2048",
    ]);
    expect(
        &output,
        0,
        &["by design", "supported", "openssl>openssl/1.2/static-rsa"],
    );
}

#[test]
fn verify_checks_each_cell() {
    let output = run(&[
        "verify",
        "--all",
        "--filter",
        "kx=X25519MLKEM768,auth=ml-dsa-65",
    ]);
    expect(
        &output,
        0,
        &[
            "0 failed",
            "rustls>openssl/1.3/X25519MLKEM768/ml-dsa-65/full@memory",
        ],
    );
}
