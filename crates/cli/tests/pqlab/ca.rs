//! `pqlab ca` as a user runs it, with servers and clients that use what it issues.

mod cloud;
mod failures;
mod renewal;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{expect, pqlab, text, write};
use crate::connecting::connect;
use crate::serving::Server;

/// A folder in which commands run.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// One that has an authority of this algorithm.
    fn with(algorithm: &str) -> Self {
        let desk = Self::new();
        desk.good(&["init", "--algorithm", algorithm]);
        desk
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = pqlab();
        command
            .current_dir(self.0.path())
            .env_remove("PQLAB_CA")
            .env_remove("PQLAB_CA_PASSPHRASE")
            .arg("ca")
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        expect(&output, 0, &[]);
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.good(arguments)).unwrap()
    }

    fn bad(&self, arguments: &[&str], code: i32, said: &[&str]) {
        expect(&self.run(arguments), code, said);
    }
}

#[test]
fn a_dual_pair_serves_old_and_new_clients() {
    let desk = Desk::new();
    desk.good(&["init", "--name", "Tests", "--organization", "A, B"]);
    let issued = desk.json(&["issue", "--dual", "server.test", "127.0.0.1", "--json"]);
    assert_eq!(issued["schema"], 1);
    assert_eq!(issued["issued"][0]["algorithm"], "ml-dsa-65");
    let bundle = desk.json(&["bundle", "--json"]);
    assert_eq!(bundle["roots"].as_array().unwrap().len(), 2);
    let mut arguments = Vec::new();
    for one in issued["issued"].as_array().unwrap() {
        arguments.extend([
            "--cert".to_owned(),
            desk.path(one["chain_file"].as_str().unwrap()),
        ]);
        arguments.extend([
            "--key".to_owned(),
            desk.path(one["key_file"].as_str().unwrap()),
        ]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = Server::start(&["serve"], &arguments);
    let roots = desk.path("trust/roots.pem");
    let new = ["--ca", &roots, "--server-name", "server.test"];
    let old = [&new[..], &["--tls", "1.2", "--groups", "x25519,secp256r1"]].concat();
    for (arguments, scheme) in [(&new[..], "mldsa65"), (&old, "ecdsa_secp256r1_sha256")] {
        let (code, found) = connect(&server.address, arguments);
        assert_eq!(code, 0, "{found:#}");
        assert_eq!(found["negotiated"]["server_scheme"], scheme, "{found:#}");
    }
}

#[test]
fn a_certificate_lives_from_issue_to_revocation() {
    let desk = Desk::with("ecdsa-p384");
    let issued = desk.json(&["issue", "client.test", "--client", "--json"]);
    let serial = issued["issued"][0]["serial"].as_str().unwrap();
    desk.bad(
        &["issue", "client.test"],
        2,
        &["client.test.pem is there already"],
    );
    desk.good(&["verify", "client.test", "--client"]);
    let renewed = desk.json(&["renew", "client.test", "--force", "--json"]);
    assert_eq!(renewed["issued"][0]["renews"], serial);
    desk.good(&["revoke", serial, "--reason", "superseded"]);
    desk.bad(&["revoke", serial], 2, &["was revoked at", "superseded"]);
    desk.good(&["crl", "--out", "lists.pem"]);
    let judged = ["verify", serial, "--client", "--crl", "lists.pem"];
    desk.bad(&judged, 1, &["Revoked", "23"]);
    desk.good(&["verify", "client.test", "--client", "--crl", "lists.pem"]);
    let list = desk.json(&["list", "--json"]);
    let leaves = |c: &&Value| c["kind"] == "client";
    let states: Vec<_> = list["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(leaves)
        .map(|c| &c["state"])
        .collect();
    assert_eq!(states, ["revoked", "valid"]);
    assert_eq!(
        desk.json(&["list", "--expiring", "1", "--json"])["certificates"],
        serde_json::json!([])
    );
    assert_eq!(
        desk.json(&["list", "log", "--json"])["log"]
            .as_array()
            .unwrap()
            .len(),
        11
    );
    desk.good(&["check"]);
}

/// The steps of AWS' manual, under their names, with an algorithm that its listeners do not
/// have.
#[test]
fn the_steps_of_a_cloud_s_manual_work_here() {
    for (key, signing) in [("RSA_2048", "SHA256WITHRSA"), ("ML_DSA_65", "ML_DSA_65")] {
        let desk = Desk::with("ed25519");
        write(
            desk.0.path(),
            "ca_config.json",
            &format!(
                r#"{{"KeyAlgorithm": "{key}", "SigningAlgorithm": "{signing}",
                    "Subject": {{"CommonName": "Example Root", "Organization": "Tests"}}}}"#
            ),
        );
        let made = desk.json(&[
            "create-certificate-authority",
            "--certificate-authority-configuration",
            "file://ca_config.json",
            "--certificate-authority-type",
            "ROOT",
        ]);
        let arn = made["CertificateAuthorityArn"].as_str().unwrap();
        assert!(arn.ends_with("/example-root"));
        let on = ["--certificate-authority-arn", arn];
        let step = |verb: &str, more: &[&str]| desk.run(&[&[verb][..], &on, more].concat());
        let status = || {
            let output = step("describe-certificate-authority", &[]);
            let json: Value = serde_json::from_slice(&output.stdout).unwrap();
            json["CertificateAuthority"]["Status"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(status(), "PENDING_CERTIFICATE");
        let csr = step("get-certificate-authority-csr", &["--output", "text"]);
        write(
            desk.0.path(),
            "ca.csr",
            &String::from_utf8(csr.stdout).unwrap(),
        );
        let issue = [
            "--csr",
            "fileb://ca.csr",
            "--signing-algorithm",
            signing,
            "--template-arn",
            "arn:aws:acm-pca:::template/RootCACertificate/V1",
            "--validity",
            "Value=3650,Type=DAYS",
        ];
        let issued: Value =
            serde_json::from_slice(&step("issue-certificate", &issue).stdout).unwrap();
        let certificate = issued["CertificateArn"].as_str().unwrap();
        let got = step(
            "get-certificate",
            &["--certificate-arn", certificate, "--output", "text"],
        );
        write(
            desk.0.path(),
            "ca-cert.pem",
            &String::from_utf8(got.stdout).unwrap(),
        );
        let import = ["--certificate", "fileb://ca-cert.pem"];
        expect(
            &step("import-certificate-authority-certificate", &import),
            0,
            &[],
        );
        assert_eq!(status(), "ACTIVE");
        let again = step("issue-certificate", &issue);
        expect(&again, 2, &["ACTIVE", "already"]);

        let request = ["--domain-name", "example.test", "--key-algorithm", key];
        expect(
            &step("request-certificate", &request),
            2,
            &["create-permission"],
        );
        let actions = [
            "--actions",
            "IssueCertificate",
            "GetCertificate",
            "ListPermissions",
        ];
        expect(&step("create-permission", &actions), 0, &[]);
        let requested = step("request-certificate", &request);
        let requested: Value = serde_json::from_slice(&requested.stdout).unwrap();
        let leaf = [
            "--certificate-arn",
            requested["CertificateArn"].as_str().unwrap(),
        ];
        let described = desk.json(&[&["describe-certificate"][..], &leaf].concat());
        assert_eq!(described["Certificate"]["Status"], "ISSUED");
        assert_eq!(described["Certificate"]["KeyAlgorithm"], key);
        let exported = desk.good(&[&["export-certificate"][..], &leaf].concat());
        assert!(exported.contains("curl --cacert"), "{exported}");

        // Attached to a listener, and verified.
        let (cert, key) = (
            desk.path("example.test.pem"),
            desk.path("example.test-key.pem"),
        );
        let server = Server::start(&["serve"], &["--cert", &cert, "--key", &key]);
        let root = desk.path("example.test.root.pem");
        let (code, found) = connect(
            &server.address,
            &["--ca", &root, "--server-name", "example.test"],
        );
        assert_eq!(code, 0, "{found:#}");
        let wrong = step(
            "issue-certificate",
            &[
                &issue[..2],
                &["--signing-algorithm", "SHA512WITHRSA"],
                &issue[6..],
            ]
            .concat(),
        );
        expect(&wrong, 2, &["signs with"]);
    }
}

#[test]
fn requests_of_other_tools_are_signed_and_broken_ones_refused() {
    let desk = Desk::with("ml-dsa-44");
    desk.good(&[
        "csr",
        "a.test",
        "--algorithm",
        "ml-dsa-87",
        "--out",
        "r.pem",
    ]);
    desk.good(&["sign", "r.pem", "--out", "a.pem"]);
    desk.good(&["verify", "a.pem", "--name", "a.test"]);
    let request = std::fs::read_to_string(desk.path("r.pem")).unwrap();
    let middle = request.len() / 2;
    let letter = if &request[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    let changed = format!("{}{letter}{}", &request[..middle], &request[middle + 1..]);
    write(desk.0.path(), "changed.pem", &changed);
    write(desk.0.path(), "cut.pem", &request[..middle]);
    write(desk.0.path(), "none.pem", "nothing");
    let before = desk.good(&["list", "log", "--json"]);
    desk.bad(&["sign", "changed.pem"], 2, &["changed.pem"]);
    desk.bad(
        &["sign", "cut.pem"],
        2,
        &["cut.pem", "no certificate request"],
    );
    desk.bad(&["sign", "none.pem"], 2, &["no certificate request"]);
    desk.bad(&["sign", "absent.pem"], 2, &["reading absent.pem"]);
    desk.bad(&["verify", "none.pem"], 2, &["certificate"]);
    assert_eq!(desk.good(&["list", "log", "--json"]), before);
}

#[test]
fn what_a_user_gets_wrong_is_named_and_changes_nothing() {
    let desk = Desk::new();
    desk.bad(
        &["list"],
        2,
        &["holds no certificate authority", "pqlab ca init"],
    );
    desk.bad(
        &["init", "--permit-dns", "a b"],
        2,
        &["no name for a certificate"],
    );
    desk.bad(&["init", "--permit-dns", "*.a.test"], 2, &["a domain"]);
    let long = "n".repeat(60);
    desk.bad(&["init", "--name", &long], 2, &["1 to 64 characters"]);
    // Nothing was made by halves.
    desk.bad(&["list"], 2, &["holds no certificate authority"]);
    desk.bad(&["init", "--algorithm", "rsa-512"], 2, &["rsa-512"]);
    write(desk.0.path(), "file", "no folder");
    desk.bad(&["init", "--store", "file"], 3, &["file"]);
    desk.good(&["init", "--permit-dns", "example.test"]);
    desk.bad(&["init"], 2, &["already"]);
    desk.bad(
        &["init", "--add", "--algorithm", "ml-dsa-65"],
        2,
        &["root-ml-dsa-65", "one of this name"],
    );
    desk.bad(&["issue"], 2, &["NAME"]);
    desk.bad(&["issue", "a..b"], 2, &["no name for a certificate"]);
    desk.bad(&["issue", "other.test"], 2, &["limited to example.test"]);
    desk.bad(
        &["issue", "a.example.test", "--days", "0"],
        2,
        &["1 to 36500"],
    );
    desk.bad(
        &["issue", "a.example.test", "--authority", "nobody"],
        2,
        &["root-ml-dsa-65"],
    );
    desk.bad(
        &["issue", "a.example.test", "--encrypt-key"],
        2,
        &["passphrase"],
    );
    desk.bad(&["issue", "192.0.2.1"], 2, &["limited to example.test"]);
    desk.bad(&["show", "a.example.test"], 2, &["has no certificate"]);
    desk.bad(&["init", "--add", "--crl-url", "ftp://x"], 2, &["http://"]);
    desk.good(&[
        "init",
        "--add",
        "--algorithm",
        "ml-dsa-65",
        "--id-suffix",
        "2",
    ]);
    desk.bad(
        &["revoke", "00", "--reason", "boredom"],
        2,
        &["keyCompromise"],
    );
    desk.bad(&["migrate-plan", "issuing-ecdsa-p256"], 2, &["root"]);
    desk.good(&["issue", "a.example.test"]);
    desk.bad(&["pfx", "a.example.test", "--base64"], 2, &["password"]);
    desk.bad(
        &[
            "pfx",
            "a.example.test",
            "--base64",
            "--password-file",
            "absent",
        ],
        2,
        &["absent"],
    );
    // A store that is half there.
    let database = desk.path("pqlab-ca/ca.redb");
    let whole = std::fs::read(&database).unwrap();
    std::fs::write(&database, &whole[..4096]).unwrap();
    desk.bad(&["list"], 3, &["database"]);
    std::fs::write(&database, &whole).unwrap();
    desk.good(&["check"]);
}

#[test]
fn an_encrypted_store_opens_with_its_passphrase() {
    let desk = Desk::new();
    write(desk.0.path(), "right", "the right one\n");
    write(desk.0.path(), "wrong", "another\n");
    let right = ["--passphrase-file", "right"];
    desk.good(&[&["init", "--algorithm", "ecdsa-p256"][..], &right].concat());
    desk.bad(&["issue", "a.test"], 2, &["encrypted", "passphrase"]);
    desk.bad(
        &["issue", "a.test", "--passphrase-file", "wrong"],
        2,
        &["wrong"],
    );
    desk.good(&[&["issue", "a.test"][..], &right].concat());
    // Nor does a new hierarchy come in without it, or under another one.
    desk.bad(
        &["init", "--add", "--algorithm", "ed25519"],
        2,
        &["passphrase"],
    );
    let wrong = [
        "init",
        "--add",
        "--algorithm",
        "ed25519",
        "--passphrase-file",
        "wrong",
    ];
    desk.bad(&wrong, 2, &["wrong"]);
    let mut command = desk.command(&["list"]);
    command.env("PQLAB_CA_PASSPHRASE", "");
    expect(&command.output().unwrap(), 2, &["empty"]);
    desk.good(&[&["check"][..], &right].concat());
    // Looking needs no key.
    desk.good(&["list"]);
    let mut command = desk.command(&["issue", "b.test"]);
    command.env("PQLAB_CA_PASSPHRASE", "the right one");
    expect(&command.output().unwrap(), 0, &[]);
}

#[test]
fn processes_take_turns_and_one_that_does_not_get_it_says_so() {
    let desk = Desk::with("ed25519");
    let issuing: Vec<_> = (0..6)
        .map(|at| {
            let name = format!("h{at}.test");
            let mut command = desk.command(&["issue", &name, "--wait", "60"]);
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut process in issuing {
        assert!(process.wait().unwrap().success());
    }
    let list = desk.json(&["list", "--json"]);
    assert_eq!(
        list["certificates"].as_array().unwrap().len(),
        8,
        "two are authorities'"
    );
    desk.good(&["check"]);
}

/// Each with a wish of its own: one of them makes the store, and the others say so.
#[test]
fn processes_that_make_a_store_at_once_make_one() {
    let desk = Desk::new();
    let making: Vec<_> = (0..4)
        .map(|_| {
            let mut command = desk.command(&["init", "--algorithm", "ed25519"]);
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let codes: Vec<_> = making
        .into_iter()
        .map(|mut process| process.wait().unwrap().code())
        .collect();
    assert!(codes.contains(&Some(0)), "{codes:?}");
    assert!(
        codes.iter().all(|code| matches!(code, Some(0 | 2))),
        "{codes:?}"
    );
    let list = desk.json(&["list", "authorities", "--json"]);
    assert_eq!(list["authorities"].as_array().unwrap().len(), 2);
    desk.good(&["check"]);
}

#[test]
fn the_commands_of_a_plan_can_be_typed() {
    let desk = Desk::with("rsa-2048");
    desk.good(&["issue", "a.test", "*.b.test"]);
    let plan = desk.json(&["migrate-plan", "root-rsa-2048", "--json"]);
    let mut ran = 0;
    for step in plan["steps"].as_array().unwrap() {
        for line in step["commands"].as_array().unwrap() {
            let line = line.as_str().unwrap();
            // What has places to fill in, or serves, is for a person.
            if !line.starts_with("pqlab ca ") || line.contains("NAME") {
                continue;
            }
            let words = line["pqlab ca ".len()..].replace('\'', "");
            let words: Vec<&str> = words.split(' ').collect();
            desk.good(&words);
            ran += 1;
        }
    }
    assert!(ran >= 5, "{ran} of {plan:#}");
    let after = desk.json(&["migrate-plan", "root-rsa-2048", "--json"]);
    assert_eq!(after["servers_with_twin"], 1);
    assert_eq!(after["steps"][5]["done"], true);
}

#[test]
fn a_store_survives_being_killed_at_any_moment() {
    let desk = Desk::with("ecdsa-p256");
    let mut killed = 0;
    for at in 0..40u64 {
        let name = format!("h{at}.test");
        let mut process = desk
            .command(&["issue", &name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros(at * 1500));
        let _ = process.kill();
        killed += u32::from(!process.wait().unwrap().success());
        let output = desk.run(&["check"]);
        expect(&output, 0, &[]);
    }
    assert!(killed > 0, "nothing was killed");
    // What the store says was issued is whole, key included.
    let list = desk.json(&["list", "--json"]);
    for one in list["certificates"].as_array().unwrap() {
        if one["kind"] == "authority" {
            continue;
        }
        let serial = one["serial"].as_str().unwrap();
        desk.good(&["verify", serial]);
        assert!(Path::new(&desk.path(&format!("pqlab-ca/keys/{serial}.pem"))).is_file());
    }
    desk.good(&["issue", "last.test"]);
}

#[test]
fn third_parties_read_what_is_exported() {
    let desk = Desk::with("ecdsa-p256");
    desk.good(&["issue", "a.test", "--client"]);
    write(desk.0.path(), "password", "secret\n");
    let pfx = [
        "pfx",
        "a.test",
        "--password-file",
        "password",
        "--out",
        "a.pfx",
    ];
    desk.good(&pfx);
    desk.bad(&pfx, 2, &["a.pfx is there already"]);
    let once = desk.good(&["pfx", "a.test", "--password-file", "password", "--base64"]);
    assert_eq!(once.lines().count(), 1);
    desk.good(&["bundle", "--for", "curl"]);
    desk.good(&["crl", "--out", "lists.pem"]);
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(desk.0.path())
            .output();
        match output {
            Ok(output) => expect(&output, 0, &[]),
            Err(error) => eprintln!("skipped: no openssl on this machine: {error}"),
        }
    };
    openssl(&[
        "pkcs12",
        "-in",
        "a.pfx",
        "-passin",
        "pass:secret",
        "-noenc",
        "-out",
        "/dev/null",
    ]);
    openssl(&[
        "verify",
        "-CAfile",
        "trust/roots.pem",
        "-untrusted",
        "a.test.pem",
        "a.test.pem",
    ]);
    openssl(&["crl", "-in", "lists.pem", "-noout", "-text"]);
    assert!(text(&desk.run(&["show", "a.test"])).contains("CN=pqlab Issuing CA ecdsa-p256"));
}
