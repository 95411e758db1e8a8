//! `pqlab load` as a user runs it, against `pqlab serve`.

use std::io::{BufRead, BufReader, Read, Write};
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
        assert_eq!(report["schema"], 1);
        assert_eq!(report["tool_version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(report["target"], server.address.as_str());
        assert!(report["error"].is_null(), "{report}");
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
        assert!(negotiated[0]["server_scheme"].is_string(), "{report}");
        let latencies = report["times"].as_object().unwrap();
        for (name, latency) in latencies {
            assert_eq!(latency["count"], 60, "{name}");
            let p50 = latency["p50_us"].as_f64().unwrap();
            assert!(p50 <= latency["p99_us"].as_f64().unwrap(), "{name}");
        }
        let total = |name: &str| latencies[name]["max_us"].as_f64().unwrap();
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
            "client delay",
            "X25519MLKEM768",
            "connections per core and second",
            "fewer than ten connections took longer",
        ],
    );
    // Twenty connections tell no p90, and nothing about the client.
    let text = String::from_utf8(output.stdout).unwrap();
    let service = text.lines().find(|line| line.contains("service time"));
    assert_eq!(service.unwrap().matches(" - ").count(), 3, "{text}");
    assert!(!text.contains("no time left"), "{text}");
}

#[test]
fn without_a_terminal_each_moment_has_one_line_on_stderr() {
    let server = Server::start(&["serve"], &["--auth", "ecdsa-p256"]);
    let arguments = ["--ca", "lab", "--rate", "50", "--duration", "2.2"];
    let output = run(&[&["load", &server.address], &arguments[..]].concat());
    expect(&output, 0, &["50.0/s (constant)"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    let lines = stderr.lines().filter(|line| line.contains("achieved"));
    let times: Vec<&str> = lines.map(|line| line.split(' ').next().unwrap()).collect();
    assert!(times.len() >= 2, "{stderr}");
    // No moment is told twice, and each later than the one before.
    for pair in times.windows(2) {
        let [before, after] = [pair[0], pair[1]].map(|time| time.parse::<f64>().unwrap());
        assert!(after > before, "{stderr}");
    }
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(!stdout.contains("achieved"), "{stdout}");
    assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'));
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
    let none = [&arguments[..], &["1", "--timeout", "0.3"]].concat();
    let none = load(&without.address, &none, 3);
    assert_eq!(none["error"]["kind"], "no-ticket", "{none}");
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
    let ending = |address: &str, arguments: &[&str], code| {
        let arguments = [&["--handshakes", "10"], arguments].concat();
        let report = load(address, &arguments, code);
        assert_eq!(report["connections"]["failed"], 10, "{report}");
        assert_eq!(report["error"]["kind"], report["failures"][0]["kind"]);
        report["failures"][0]["kind"].as_str().unwrap().to_owned()
    };
    let failing = |address: &str, arguments: &[&str]| ending(address, arguments, 3);
    for stack in ["rustls", "openssl"] {
        let stranger = ["--ca", &root, "--stack", stack];
        assert_eq!(ending(&server.address, &stranger, 1), "untrusted");
    }
    let elsewhere = ["--ca", "lab", "--server-name", "elsewhere.example"];
    assert_eq!(ending(&server.address, &elsewhere, 1), "untrusted");
    // The tickets of a stranger are not even asked for.
    let mut resuming = pqlab();
    resuming.args(["load", &server.address, "--ca", &root, "--resume", "1"]);
    expect(&resuming.output().unwrap(), 1, &["no ticket came"]);
    let resuming = ["--ca", &root, "--resume", "1"];
    let stranger = load(&server.address, &resuming, 1);
    assert_eq!(stranger["error"]["kind"], "untrusted", "{stranger}");
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
fn a_status_that_is_not_expected_is_a_failure_and_so_is_a_server_s_error() {
    let server = Server::start(&["serve"], &["--auth", "ecdsa-p256"]);
    let request = |address: &str, path: &str, more: &[&str], code| {
        let arguments = ["--ca", "lab", "--handshakes", "10", "--request", path];
        load(address, &[&arguments[..], more].concat(), code)
    };
    let missing = request(&server.address, "/missing", &[], 0);
    assert_eq!(missing["statuses"]["4xx"], 10, "{missing}");
    let strict = request(&server.address, "/missing", &["--expect-status", "2xx"], 3);
    assert_eq!(strict["failures"][0]["kind"], "status", "{strict}");
    assert_eq!(strict["failures"][0]["status"], 404, "{strict}");
    assert_eq!(strict["statuses"]["4xx"], 10, "{strict}");

    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let proxy = Server::start(&["proxy", &gone], &["--auth", "ecdsa-p256"]);
    let failed = request(&proxy.address, "/", &[], 3);
    assert_eq!(failed["failures"][0]["status"], 502, "{failed}");
    let any = request(&proxy.address, "/", &["--expect-status", "any"], 0);
    assert_eq!(any["connections"]["succeeded"], 10, "{any}");
}

#[test]
fn a_search_in_which_nothing_succeeds_ends_at_once_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().to_str().unwrap();
    expect(
        &run(&["certificates", "--auth", "rsa-2048", "--out", other]),
        0,
        &[],
    );
    let root = format!("{other}/root.pem");
    let server = Server::start(&["serve"], &["--auth", "ecdsa-p256"]);
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let bound = [
        "--find-capacity",
        "--p99-ms",
        "100",
        "--step-seconds",
        "0.2",
    ];
    for (address, kind, code) in [
        (&closed, "connect-refused", 3),
        (&server.address, "untrusted", 1),
    ] {
        let arguments = [&bound[..], &["--ca", &root]].concat();
        let found = load(address, &arguments, code);
        assert_eq!(found["steps"].as_array().unwrap().len(), 1, "{found}");
        assert_eq!(found["error"]["kind"], kind, "{found}");
        assert_eq!(found["steps"][0]["failures"][0]["kind"], kind, "{found}");
        let output = run(&[&["load", address], &arguments[..]].concat());
        expect(&output, code, &["no connection succeeded: "]);
    }
}

#[test]
fn a_name_is_looked_up() {
    let server = Server::start(&["serve"], &["--auth", "ecdsa-p256"]);
    let (_, port) = server.address.rsplit_once(':').unwrap();
    let target = format!("localhost:{port}");
    let report = load(&target, &["--ca", "lab", "--handshakes", "2"], 0);
    assert_eq!(report["target"], target.as_str());
    assert_eq!(report["address"], server.address.as_str());
    // A name that never has an address, RFC 6761.
    let unknown = run(&["load", "nowhere.invalid:443", "--insecure"]);
    expect(&unknown, 3, &["looking up nowhere.invalid"]);
    let unknown = load("nowhere.invalid:443", &["--insecure"], 3);
    assert_eq!(unknown["error"]["kind"], "no-address", "{unknown}");
    assert_eq!(unknown["target"], "nowhere.invalid:443", "{unknown}");
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
    assert!(nothing["error"].is_null(), "{nothing}");
    assert_eq!(nothing["lowest_failing_per_second"], 1.0);
    assert_eq!(nothing["steps"].as_array().unwrap().len(), 4);

    let found = search("200", "400", 0);
    let passing = found["highest_passing_per_second"].as_f64().unwrap();
    let failing = found["lowest_failing_per_second"].as_f64().unwrap();
    assert!(passing < failing && failing <= passing * 1.05, "{found}");
    for step in found["steps"].as_array().unwrap() {
        if step["has_passed"] == true {
            assert!(step["rate_per_second"].as_f64().unwrap() <= passing);
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
        (
            &[local, "--insecure", "--request", "/", "--alpn", "h2"],
            "HTTP/1.1",
        ),
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
        (&[local, "--request", "/", "--expect-status", "6xx"], "6xx"),
        (&[local, "--expect-status", "2xx"], "--request"),
        (&["127.0.0.1:0"], "port"),
    ] {
        let output = run(&[&["load"], arguments].concat());
        expect(&output, 2, &[said]);
    }
}

/// A server that would rather speak HTTP/2 is told that HTTP/1.1 is to come.
#[test]
fn a_load_with_requests_offers_http1_and_counts_what_is_no_http() {
    let strict = Server::start(&["serve"], &["--auth", "ecdsa-p256", "--alpn", "http/1.1"]);
    let asking = ["--ca", "lab", "--handshakes", "2", "--request", "/"];
    let report = load(&strict.address, &asking, 0);
    assert_eq!(report["statuses"]["2xx"], 2, "{report}");

    // Behind the TLS is something that greets in another protocol.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let backend = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let _ = socket.write_all(b"220 mail.example.test ESMTP\r\n");
            std::thread::spawn(move || socket.read_to_end(&mut Vec::new()));
        }
    });
    let tunnel = Server::start(&["proxy", &backend], &["--auth", "ecdsa-p256"]);
    let report = load(&tunnel.address, &asking, 3);
    assert_eq!(report["statuses"]["no_http"], 2, "{report}");
}
