//! `pqlab lab certs`: bad certificates before both libraries.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use pki::{Cache, Role, SERVER_NAME, certificate_pem};
use serde_json::{Value, json};
use wire::{ChainAlgorithms, SignatureAlgorithm};

use crate::common::{expect, pqlab, run, text, write};
use crate::connecting::connect;

#[test]
fn cases_are_shown_judged_and_explained() {
    let arguments = ["--case", "expired", "--case", "common-name-only"];
    let output = run(&[&["lab", "certs"], &arguments[..]].concat());
    let said = [
        "refuses: ExpiredContext",
        "refuses: error 10",
        "RFC 5280 section 6.1.3 (a)(2)",
        "Where they differ",
        "common-name-only: rustls refuses: NotValidForNameContext, OpenSSL accepts",
        "RFC 9525 section 2",
        "2 of 2 cases as expected",
    ];
    expect(&output, 0, &said);

    let output = run(&[&["lab", "certs", "--json"], &arguments[..]].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["is_as_expected"], true);
    let [expired, common_name] = report["cases"].as_array().unwrap().as_slice() else {
        panic!("{report}");
    };
    let [rustls, openssl] = expired["outcomes"].as_array().unwrap().as_slice() else {
        panic!("{report}");
    };
    assert_eq!(expired["differs"], false);
    assert_eq!(rustls["verifier"]["code"], "ExpiredContext");
    // The alert crossed a real connection: RFC 8446 section 6.2.
    assert_eq!(rustls["handshake"]["alert"], "certificate_expired (45)");
    assert_eq!(openssl["verifier"]["code"], "10");
    assert_eq!(openssl["handshake"]["alert"], "certificate_expired (45)");
    assert_eq!(common_name["differs"], true);
    let accepted = &common_name["outcomes"][1]["handshake"];
    assert_eq!(accepted["accepts"], true);
    assert_eq!(accepted["scheme"], "ecdsa_secp256r1_sha256");
}

#[test]
fn the_list_names_every_case_and_an_unknown_one_is_bad_input() {
    let output = run(&["lab", "certs", "--list"]);
    let said = ["expired-root", "ml-dsa-key-encipherment", "RFC 9881"];
    expect(&output, 0, &said);
    let output = run(&["lab", "certs", "--list", "--json"]);
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    // As README.md has it.
    assert_eq!(list["cases"].as_array().unwrap().len(), 49, "{list}");
    let output = run(&["lab", "certs", "--case", "nonsense"]);
    expect(&output, 2, &["nonsense", "--list"]);
}

/// A file of x509-limbo with one good chain, and what is said of it; of the cases, those whose
/// name has one of these beginnings.
fn limbo(folder: &tempfile::TempDir, version: u32, groups: &[&str]) -> PathBuf {
    let cache = Cache::open(folder.path().join("pki")).unwrap();
    let chain = ChainAlgorithms::uniform(SignatureAlgorithm::EcdsaP256);
    let server = cache.identity(chain, Role::Server).unwrap();
    let [leaf, intermediate] = server.chain() else {
        panic!("a leaf and an intermediate");
    };
    let case = |id: &str, expected: &str, changes: Value| {
        let mut case = json!({
            "id": id,
            "description": "ignored",
            "a_field_of_tomorrow": { "is": "ignored" },
            "features": [],
            "importance": "high",
            "validation_kind": "SERVER",
            "trusted_certs": [certificate_pem(server.root())],
            "untrusted_intermediates": [certificate_pem(intermediate)],
            "peer_certificate": certificate_pem(leaf),
            "validation_time": null,
            "signature_algorithms": [],
            "key_usage": [],
            "extended_key_usage": ["serverAuth"],
            "expected_result": expected,
            "expected_peer_name": { "kind": "DNS", "value": SERVER_NAME },
            "expected_peer_names": [],
            "max_chain_depth": null,
            "crls": [],
        });
        for (field, value) in changes.as_object().unwrap() {
            case[field] = value.clone();
        }
        case
    };
    let mut cases = vec![
        case("good::chain", "SUCCESS", json!({})),
        case(
            "good::address",
            "SUCCESS",
            json!({
                "expected_peer_name": { "kind": "IP", "value": "127.0.0.1" },
            }),
        ),
        case(
            "bad::late",
            "FAILURE",
            json!({
                "validation_time": "2199-01-01T00:00:00+00:00",
                "features": ["pedantic-test"],
            }),
        ),
        case(
            "bad::no-intermediate",
            "FAILURE",
            json!({ "untrusted_intermediates": [] }),
        ),
        case(
            "bad::as-client",
            "FAILURE",
            json!({
                "validation_kind": "CLIENT",
                "extended_key_usage": ["clientAuth"],
                "expected_peer_name": null,
            }),
        ),
        case("wrong::expectation", "FAILURE", json!({})),
        case("skipped::depth", "SUCCESS", json!({ "max_chain_depth": 0 })),
        case(
            "skipped::kind",
            "SUCCESS",
            json!({ "validation_kind": "OTHER" }),
        ),
        case(
            "unreadable::pem",
            "FAILURE",
            json!({ "peer_certificate": "-----BEGIN" }),
        ),
    ];
    let is_wanted = |case: &Value| {
        let id = case["id"].as_str().unwrap();
        groups.iter().any(|group| id.starts_with(group))
    };
    cases.retain(is_wanted);
    let suite = json!({ "version": version, "testcases": cases });
    write(folder.path(), "limbo.json", &suite.to_string())
}

#[test]
fn a_file_of_x509_limbo_is_put_to_both_verifiers() {
    let folder = tempfile::tempdir().unwrap();
    let file = limbo(&folder, 1, &[""]);
    let file = file.to_str().unwrap();
    let output = run(&["lab", "certs", "--limbo", file]);
    let said = [
        "pedantic-test",
        "wrong::expectation",
        "1: a limit to the length of chains",
        "1: neither a server nor a client",
        "Not judged, since it can't be read:\n  1: PEM",
    ];
    expect(&output, 0, &said);

    let output = run(&["lab", "certs", "--limbo", file, "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let total = json!({
        "cases": 6,
        "to_accept": 2,
        "rustls_as_expected": 5,
        "openssl_as_expected": 5,
        "both_alike": 6,
    });
    assert_eq!(report["total"], total, "{report}");
    assert_eq!(report["groups"]["bad"]["rustls_as_expected"], 3);
    assert_eq!(report["features"]["pedantic-test"]["cases"], 1);
    assert_eq!(report["skipped"].as_array().unwrap().len(), 2);
    assert_eq!(report["unreadable"][0]["id"], "unreadable::pem");
    let disagreements = report["disagreements"].as_array().unwrap();
    assert_eq!(disagreements.len(), 1, "{report}");
    assert_eq!(disagreements[0]["id"], "wrong::expectation");
    assert_eq!(disagreements[0]["openssl"]["accepts"], true);
}

#[test]
fn a_file_that_is_not_of_x509_limbo_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let of_tomorrow = limbo(&folder, 2, &[""]);
    let garbage = write(
        folder.path(),
        "garbage.json",
        "{\"version\": 1, \"testcases\": 7}",
    );
    let absent = folder.path().join("absent.json");
    for (file, said) in [
        (of_tomorrow, "version 2"),
        (garbage, "not a file of x509-limbo"),
        (absent, "absent.json"),
    ] {
        let output = run(&["lab", "certs", "--limbo", file.to_str().unwrap()]);
        expect(&output, 2, &[said]);
    }
}

#[test]
fn a_file_of_which_no_case_can_be_judged_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = limbo(&folder, 1, &["skipped", "unreadable"]);
    let output = run(&["lab", "certs", "--limbo", file.to_str().unwrap()]);
    let said = ["no case of", "2 are not for a TLS library, 1 can't be read"];
    expect(&output, 2, &said);
}

/// `--serve`; killed when it is dropped.
struct Served {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        let mut process = pqlab()
            .args(["lab", "certs", "--json", "--serve"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    fn event(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Asks it to stop, and gives what it says at last.
    fn stop(mut self) -> Value {
        let pid = self.process.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(killed.success());
        let stopped = loop {
            let event = self.event();
            if event["event"] != "failed" {
                break event;
            }
        };
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
        assert_eq!(stopped["event"], "stopped");
        stopped
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a command that was told; `None` where its program is not installed.
fn typed(command: &Value) -> Option<(i32, String)> {
    let output = Command::new("sh")
        .args(["-c", command.as_str().unwrap()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    match output.status.code().unwrap() {
        127 => {
            eprintln!("skipped: {command}");
            None
        }
        code => Some((code, text(&output))),
    }
}

#[test]
fn every_case_is_served_to_real_clients() {
    let mut served = Served::start(&["all", "--listen", "127.0.0.1:0"]);
    let cases: Vec<Value> = (0..49).map(|_| served.event()).collect();
    let case = |name: &str| {
        let found = cases.iter().find(|case| case["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    for (name, code, curl_code) in [
        ("good", 0, 0),
        ("expired", 1, 60),
        ("wrong-host", 1, 60),
        ("client-good", 0, 0),
    ] {
        let case = case(name);
        assert_eq!(case["event"], "listening");
        let root = case["root_file"].as_str().unwrap();
        let wanted = case["server_name"].as_str().unwrap();
        let mut arguments = vec!["--ca", root, "--server-name", wanted, "--request", "/json"];
        if let Some(files) = case["client_files"].as_array() {
            let files: Vec<&str> = files.iter().map(|file| file.as_str().unwrap()).collect();
            arguments.extend(["--cert", files[0], "--key", files[1]]);
        }
        let (got, found) = connect(case["address"].as_str().unwrap(), &arguments);
        assert_eq!(got, code, "{name}: {found:#}");
        if let Some((got, said)) = typed(&case["commands"]["curl"]) {
            assert_eq!(got, curl_code, "{name}: {said}");
        }
        if let Some((got, said)) = typed(&case["commands"]["openssl"]) {
            assert_eq!(got == 0, code == 0, "{name}: {got} {said}");
            assert_eq!(said.contains("200 OK"), code == 0, "{name}: {said}");
        }
    }
    // The server decides: no certificate, and somebody else's with a key of one's own.
    for name in ["client-none", "client-stolen"] {
        let case = case(name);
        assert_eq!(case["judge"], "server");
        if let Some((got, said)) = typed(&case["commands"]["curl"]) {
            assert_ne!(got, 0, "{name}: {said}");
        }
    }
    let files = Path::new(case("good")["root_file"].as_str().unwrap()).to_owned();
    assert!(files.is_file());
    let stopped = served.stop();
    assert!(!stopped["connections"]["expired"].is_null(), "{stopped}");
    assert!(stopped["connections"]["address"].is_null(), "{stopped}");
    assert!(!files.parent().unwrap().exists(), "{}", files.display());
}

#[test]
fn one_case_is_served_where_it_was_asked_for_and_its_files_stay() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let mut served = Served::start(&["good", "--listen", "127.0.0.1:0", "--out", folder]);
    let told = served.event();
    assert_eq!(told["standard"], "accept");
    // Taken: the next one can't have it.
    let address = told["address"].as_str().unwrap();
    let again = ["lab", "certs", "--serve", "good", "--listen", address];
    expect(&run(&again), 2, &[address]);
    served.stop();
    assert!(out.path().join("good-root.pem").is_file());
    expect(
        &run(&["lab", "certs", "--serve", "nonsense"]),
        2,
        &["nonsense"],
    );
    let alone = ["lab", "certs", "--listen", "127.0.0.1:0"];
    expect(&run(&alone), 2, &["--serve"]);
    let beyond = [
        "lab",
        "certs",
        "--serve",
        "all",
        "--listen",
        "127.0.0.1:65530",
    ];
    expect(&run(&beyond), 2, &["too few ports"]);
}
