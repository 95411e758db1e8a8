//! `pqlab load` as a user runs it, against `pqlab serve`.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use serde_json::Value;

use crate::common::{expect, pqlab, run};
use crate::serving::Server;

/// The JSON of a load that ends with this exit code.
fn load(address: &str, arguments: &[&str], code: i32) -> Value {
    let output = pqlab()
        .args(["load", address, "--json"])
        .args(arguments)
        .output()
        .unwrap();
    expect(&output, code, &[]);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_connection_is_accounted_for_with_its_times_and_what_was_negotiated() {
    let server = Server::start(&["serve"], &["--auth", "ecdsa-p256"]);
    for stack in ["rustls", "openssl"] {
        let report = load(
            &server.address,
            &[
                "--ca",
                "lab",
                "--stack",
                stack,
                "--rate",
                "200",
                "--poisson",
                "--handshakes",
                "60",
                "--threads",
                "2",
                "--request",
                "/json",
                "--expect-group",
                "X25519MLKEM768",
            ],
            0,
        );
        let connections = &report["connections"];
        assert_eq!(connections["offered"], 60, "{report}");
        assert_eq!(connections["succeeded"], 60, "{report}");
        assert_eq!(report["statuses"]["2xx"], 60);
        assert_eq!(report["arrivals"]["process"], "poisson");
        let negotiated = report["negotiated"].as_array().unwrap();
        assert_eq!(negotiated.len(), 1, "{report}");
        assert_eq!(negotiated[0]["version"], "TLS 1.3");
        assert_eq!(negotiated[0]["group"], "X25519MLKEM768");
        assert_eq!(negotiated[0]["count"], 60);
        let latencies = report["latency_us"].as_object().unwrap();
        for (name, latency) in latencies {
            assert_eq!(latency["count"], 60, "{name}");
            let p50 = latency["p50"].as_f64().unwrap();
            assert!(p50 <= latency["p99"].as_f64().unwrap(), "{name}");
        }
        let total = |name: &str| latencies[name]["max"].as_f64().unwrap();
        assert!(total("response_time") >= total("handshake"));
        let workers = report["client_use"]["workers"].as_array().unwrap();
        assert_eq!(workers.len(), 2);
    }
}

#[test]
fn the_table_says_what_the_json_says() {
    let server = Server::start(&["serve"], &["--auth", "ecdsa-p256"]);
    let output = run(&[
        "load",
        &server.address,
        "--ca",
        "lab",
        "--handshakes",
        "20",
        "--concurrency",
        "2",
    ]);
    expect(
        &output,
        0,
        &[
            "2 at a time (closed loop)",
            "succeeded           20",
            "p99.9",
            "service time",
            "X25519MLKEM768",
            "connections per core and second",
        ],
    );
}

#[test]
fn resumptions_use_the_server_s_tickets() {
    let server = Server::start(&["serve"], &["--auth", "ecdsa-p256", "--tickets", "2"]);
    let arguments = ["--ca", "lab", "--handshakes", "40", "--resume"];
    for (share, least, most) in [("1", 40, 40), ("0.5", 4, 36)] {
        let report = load(&server.address, &[&arguments[..], &[share]].concat(), 0);
        assert_eq!(report["connections"]["succeeded"], 40, "{report}");
        let outcomes = report["negotiated"].as_array().unwrap();
        let resumed = outcomes.iter().filter(|o| o["is_resumed"] == true);
        let resumed: u64 = resumed.map(|o| o["count"].as_u64().unwrap()).sum();
        assert!((least..=most).contains(&resumed), "{report}");
    }
    let without = Server::start(&["serve"], &["--auth", "ecdsa-p256", "--tickets", "0"]);
    let mut command = pqlab();
    command.args(["load", &without.address, "--timeout", "0.3"]);
    let output = command.args(arguments).arg("1").output().unwrap();
    expect(&output, 3, &["no ticket came"]);
}

#[test]
fn failures_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().to_str().unwrap();
    expect(
        &run(&["certificates", "--auth", "rsa-2048", "--out", other]),
        0,
        &[],
    );
    let server = Server::start(&["serve"], &["--auth", "ecdsa-p256"]);
    let root = format!("{other}/root.pem");
    let failing = |address: &str, arguments: &[&str]| {
        let arguments = [&["--handshakes", "10"], arguments].concat();
        let report = load(address, &arguments, 3);
        assert_eq!(report["connections"]["failed"], 10, "{report}");
        report["failures"][0]["kind"].as_str().unwrap().to_owned()
    };
    let untrusted = failing(&server.address, &["--ca", &root]);
    assert_eq!(untrusted, "verification");
    let group = ["--ca", "lab", "--expect-group", "x25519"];
    assert_eq!(failing(&server.address, &group), "other-group");
    let narrow = Server::start(&["serve"], &["--auth", "ecdsa-p256", "--groups", "x25519"]);
    let other = ["--ca", "lab", "--groups", "secp384r1"];
    assert_eq!(failing(&narrow.address, &other), "alert");
    // Nobody verifies: it is as for the other load generators.
    let report = load(&server.address, &["--insecure", "--handshakes", "10"], 0);
    assert_eq!(report["connections"]["succeeded"], 10);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let silent = failing(&address, &["--insecure", "--timeout", "0.2"]);
    assert_eq!(silent, "handshake-timeout");
    drop(listener);
    assert_eq!(failing(&address, &["--insecure"]), "connect-refused");
}

#[test]
fn a_search_ends_between_a_rate_that_passes_and_one_that_does_not() {
    let server = Server::start(&["serve"], &["--auth", "ecdsa-p256"]);
    let search = |bound: &str, rate: &str, code| {
        let arguments = [
            "--ca",
            "lab",
            "--find-capacity",
            "--p99-ms",
            bound,
            "--rate",
            rate,
            "--step-seconds",
            "0.2",
        ];
        load(&server.address, &arguments, code)
    };
    // Nothing is done within a microsecond.
    let nothing = search("0.001", "2", 1);
    assert!(nothing["highest_passing_per_second"].is_null(), "{nothing}");
    assert_eq!(nothing["lowest_failing_per_second"], 1.0);
    assert_eq!(nothing["steps"].as_array().unwrap().len(), 4);

    let found = search("200", "400", 0);
    let passing = found["highest_passing_per_second"].as_f64().unwrap();
    let failing = found["lowest_failing_per_second"].as_f64().unwrap();
    assert!(passing < failing && failing <= passing * 1.05, "{found}");
    for step in found["steps"].as_array().unwrap() {
        if step["has_passed"] == true {
            assert!(step["per_second"].as_f64().unwrap() <= passing);
            assert!(step["p99_us"].as_f64().unwrap() <= 200_000.0);
        }
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_prints_what_was_measured() {
    let server = Server::start(&["serve"], &["--auth", "ecdsa-p256"]);
    let mut child = pqlab()
        .args(["load", &server.address, "--ca", "lab", "--json"])
        .args(["--rate", "50", "--duration", "3600"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The warning about a debug build, and then a line each second.
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("achieved") {
        line.clear();
        assert!(progress.read_line(&mut line).unwrap() > 0);
    }
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["is_interrupted"], true);
    assert!(report["connections"]["succeeded"].as_u64().unwrap() > 0);
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    let local = "127.0.0.1:1";
    for (arguments, said) in [
        // An address for documentation, RFC 5737.
        (&["192.0.2.1:443"][..], "--allow-remote"),
        (&[local, "--insecure", "--rate", "0"], "a rate must be"),
        (&[local, "--insecure", "--rate", "nan"], "a rate must be"),
        (
            &[local, "--rate", "5", "--concurrency", "5"],
            "cannot be used",
        ),
        (&[local, "--poisson"], "--rate"),
        (&[local, "--concurrency", "0"], "--concurrency"),
        (&[local, "--duration", "0"], "more than 0"),
        (&[local, "--timeout", "inf"], "more than 0"),
        (&[local, "--insecure", "--resume", "1.5"], "0 to 1"),
        (&[local, "--request", "/a b"], "without spaces"),
        (&[local, "--find-capacity"], "--p99-ms"),
        (&[local, "--p99-ms", "5"], "--find-capacity"),
        (&[local, "--expect-group", "x25518"], "x25518"),
        (&["127.0.0.1:0"], "port"),
    ] {
        let output = run(&[&["load"], arguments].concat());
        expect(&output, 2, &[said]);
    }
}
