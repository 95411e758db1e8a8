//! `scan`, `inventory` and `assess` as a user runs them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{expect, pqlab, run, text, write};
use crate::serving::Server;

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    let value = |line| serde_json::from_str(line).unwrap();
    text.lines().map(value).collect()
}

/// The states of groups by name.
fn state<'a>(endpoint: &'a Value, group: &str) -> &'a str {
    let groups = endpoint["service"]["groups"].as_array().unwrap();
    let tried = groups.iter().find(|tried| tried["offer"] == group);
    tried.unwrap()["answer"]["state"].as_str().unwrap()
}

#[test]
fn servers_of_every_kind_are_told_right() {
    let hybrid_only = [
        "--auth",
        "ml-dsa-65",
        "--groups",
        "X25519MLKEM768",
        "--tls",
        "1.3",
    ];
    let hybrid_only = Server::start(&["serve"], &hybrid_only);
    let curves = ["--groups", "SecP256r1MLKEM768,MLKEM1024", "--tls", "1.3"];
    let curves = Server::start(&["serve"], &curves);
    let legacy = [
        "--stack", "openssl", "--auth", "rsa-2048", "--tls", "1.2", "--groups", "x25519",
    ];
    let legacy = Server::start(&["serve"], &legacy);
    let target = |server: &Server| format!("localhost:{}", server.port());
    let targets = [target(&hybrid_only), target(&curves), target(&legacy)];
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();

    let output = run(&[&["scan", "--json"], &targets[..]].concat());
    // localhost may have an address on which nothing listens.
    let all = lines(&output.stdout);
    let seen = |target: &str| {
        let port: u16 = target.rsplit(':').next().unwrap().parse().unwrap();
        let of_port = |one: &&Value| one["target"]["port"] == port;
        let answered = all
            .iter()
            .filter(of_port)
            .find(|one| one["service"]["kind"] == "tls");
        answered.unwrap_or_else(|| panic!("{target}: {}", text(&output)))
    };
    let one = seen(targets[0]);
    assert_eq!(state(one, "X25519MLKEM768"), "supported");
    for group in one["service"]["groups"].as_array().unwrap() {
        let expected = if group["offer"] == "X25519MLKEM768" {
            "supported"
        } else {
            "refused"
        };
        assert_eq!(group["answer"]["state"], expected, "{group}");
    }
    let chains = one["service"]["chains"].as_array().unwrap();
    let ml_dsa = chains
        .iter()
        .find(|tried| tried["offer"] == "ml-dsa")
        .unwrap();
    let leaf = &ml_dsa["answer"]["detail"]["certificates"][0];
    assert_eq!(leaf["key"], "ML-DSA-65");

    let two = seen(targets[1]);
    for (group, expected) in [
        ("SecP256r1MLKEM768", "supported"),
        ("MLKEM1024", "supported"),
        ("X25519MLKEM768", "refused"),
        ("x25519", "refused"),
    ] {
        assert_eq!(state(two, group), expected, "{group}");
    }
    let clients = two["service"]["clients"].as_array().unwrap();
    let go = clients
        .iter()
        .find(|one| one["offer"] == "Go 1.27")
        .unwrap();
    assert_eq!(go["answer"]["detail"]["has_hello_retry"], true);
    let chrome = clients
        .iter()
        .find(|one| one["offer"] == "Chrome 156")
        .unwrap();
    assert_eq!(chrome["answer"]["state"], "refused");

    let three = seen(targets[2]);
    assert_eq!(state(three, "X25519MLKEM768"), "refused");
    assert_eq!(
        three["service"]["clients"][0]["answer"]["detail"]["version"],
        0x0303
    );
}

#[test]
fn what_is_silent_is_not_known_and_the_rest_is_kept() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let server = Server::start(&["serve"], &[]);
    let targets = [silent.as_str(), &closed, &server.address];
    let arguments = ["scan", "--json", "--groups-only", "--timeout", "0.5"];
    let output = run(&[&arguments[..], &targets[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let all = lines(&output.stdout);
    let service = |address: &str| {
        let of = |one: &&Value| one["address"] == address;
        all.iter().find(of).unwrap()["service"].clone()
    };
    assert_eq!(service(&silent)["kind"], "unreachable");
    assert_eq!(service(&silent)["cause"], "timeout");
    assert_eq!(service(&closed)["cause"], "connect");
    assert_eq!(service(&server.address)["kind"], "tls");
}

#[test]
fn a_scan_that_was_killed_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["serve"], &[]);
    // Silent ones stand last: the first is done while these are waited for.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let targets = write(
        folder.path(),
        "targets",
        &format!("{} # ours\n\n{silent}\n", server.address),
    );
    let out = folder.path().join("scan.jsonl");
    let scan = |timeout: &str| {
        let mut command = pqlab();
        command.args(["scan", "--groups-only", "--json", "--timeout", timeout]);
        command
            .arg("--targets")
            .arg(&targets)
            .arg("--out")
            .arg(&out);
        command
    };
    let mut killed = scan("60").stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(killed.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    let begin = Instant::now();
    while lines(&std::fs::read(&out).unwrap()).is_empty() {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "nothing was written"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    // What a kill in the middle of a line leaves.
    let mut file = std::fs::OpenOptions::new().append(true).open(&out).unwrap();
    file.write_all(b"{\"target\":{\"ho").unwrap();

    let output = scan("0.5").output().unwrap();
    expect(&output, 1, &["1 targets are done"]);
    assert_eq!(lines(&output.stdout).len(), 1, "{}", text(&output));
    let all = lines(&std::fs::read(&out).unwrap());
    let addresses: Vec<&str> = all
        .iter()
        .map(|one| one["address"].as_str().unwrap())
        .collect();
    assert_eq!(addresses, [server.address.as_str(), &silent.to_string()]);
}

#[test]
fn a_pipe_that_stays_open_stalls_nothing() {
    let server = Server::start(&["serve"], &[]);
    let mut scan = pqlab()
        .args(["scan", "--groups-only", "--json", "--targets", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut targets = scan.stdin.take().unwrap();
    writeln!(targets, "{}", server.address).unwrap();
    // The result comes although there may be more targets.
    let mut line = String::new();
    BufReader::new(scan.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(lines(line.as_bytes())[0]["service"]["kind"], "tls");
    drop(targets);
    assert_eq!(scan.wait().unwrap().code(), Some(0));
}

#[test]
fn bad_targets_and_files_are_refused_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let bad = write(folder.path(), "targets", "127.0.0.1:1\nhttp://a\n");
    let bad = bad.to_str().unwrap();
    let other = write(folder.path(), "notes", "not a scan\n");
    let other = other.to_str().unwrap();
    for (arguments, said) in [
        (&["scan"][..], "required"),
        (&["scan", "a:b"], "no port"),
        (&["scan", "gopher://a"], "no protocol"),
        (&["scan", "--targets", bad], "line 2"),
        (&["scan", "--targets", "/nowhere"], "opening"),
        (
            &["scan", "127.0.0.1:1", "--out", other],
            "no file of a scan",
        ),
        (
            &["scan", "127.0.0.1:1", "--connections", "0"],
            "no connection",
        ),
        (&["scan", "127.0.0.1:1", "--rate", "0"], "above 0"),
        (&["inventory", "/nowhere"], "can't be looked at"),
        (&["inventory", ".", "--installed", "nginx"], "no version"),
        (&["assess"], "nothing to assess"),
        (&["assess", "--scan", other], "no result of a scan"),
        (
            &["assess", "--path", other, "--policy", "none-such"],
            "neither a file nor a policy",
        ),
        (&["assess", "--path", other, "--policy", other], "notes"),
        (&["assess", "--path", other, "--profile", other], "line 1"),
        (
            &["assess", "--path", other, "--at", "tomorrow"],
            "2030-12-31",
        ),
        (
            &["assess", "--path", other, "--run", "/nowhere"],
            "holds no run",
        ),
        (&["assess", "--path", other, "--baseline", other], "reading"),
    ] {
        let output = run(arguments);
        expect(&output, 2, &[said]);
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(
        std::fs::read_to_string(folder.path().join("notes")).unwrap(),
        "not a scan\n"
    );
}

const NGINX: &str = "events {}
http {
    server {
        listen 8443 ssl;
        server_name server.example.test;
        ssl_certificate server.pem;
        ssl_certificate_key server-key.pem;
        ssl_ecdh_curve X25519;
    }
}
";

#[test]
fn a_configuration_gets_the_change_that_its_library_can_take() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "nginx.conf", NGINX);
    let path = folder.path().to_str().unwrap();
    let certificates = ["certificates", "--auth", "rsa-2048", "--out", path];
    expect(&run(&certificates), 0, &[]);

    let inventory = folder.path().join("inventory.json");
    let inventory = inventory.to_str().unwrap();
    let output = run(&["inventory", path, "--out", inventory]);
    expect(
        &output,
        0,
        &[
            "nginx server server.example.test: X25519",
            "RSA-2048",
            "private key",
        ],
    );
    let key = std::fs::read_to_string(folder.path().join("server-key.pem")).unwrap();
    let secret = key.lines().nth(3).unwrap();
    assert!(!text(&output).contains(secret));
    assert!(!std::fs::read_to_string(inventory).unwrap().contains(secret));

    let assess = |installed: &str, more: &[&str]| {
        let arguments = ["assess", "--path", path, "--installed", installed];
        let policy = ["--policy", "nist-ir-8547", "--fail-on", "never"];
        run(&[&arguments[..], &policy[..], more].concat())
    };
    let output = assess("nginx=1.27.4/openssl=3.5.1", &[]);
    let new = "+        ssl_ecdh_curve X25519MLKEM768:";
    expect(
        &output,
        0,
        &[
            new,
            "-        ssl_ecdh_curve X25519;",
            "draft",
            "not measured",
        ],
    );
    // OpenSSL 3.0 would not start with the name.
    let output = assess("nginx=1.22.1/openssl=3.0.11", &[]);
    expect(&output, 0, &["Update first", "pqlab proxy"]);
    assert!(
        !text(&output).contains("+        ssl_ecdh_curve"),
        "{}",
        text(&output)
    );

    let baseline = folder.path().join("baseline.json");
    let baseline = baseline.to_str().unwrap();
    let written = assess(
        "nginx=1.27.4/openssl=3.5.1",
        &["--format", "json", "--out", baseline],
    );
    expect(&written, 0, &[]);
    let changed = NGINX.replace("curve X25519;", "curve X25519MLKEM768:X25519;");
    write(folder.path(), "nginx.conf", &changed);
    let output = assess("nginx=1.27.4/openssl=3.5.1", &["--baseline", baseline]);
    expect(&output, 0, &["Gone", "0 new"]);
}

#[test]
fn an_assessment_is_written_in_every_format_and_fails_a_pipeline() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["serve"], &["--groups", "x25519"]);
    let scan = folder.path().join("scan.jsonl");
    let scan = scan.to_str().unwrap();
    expect(
        &run(&["scan", &server.address, "--out", scan]),
        0,
        &["post-quantum", "x25519"],
    );
    let arguments = ["assess", "--scan", scan, "--policy", "cnsa-2.0"];
    let output = run(&arguments);
    expect(&output, 1, &["cnsa-2.0 (violates", "X25519", "high"]);
    expect(
        &run(&[&arguments[..], &["--fail-on", "never"]].concat()),
        0,
        &[],
    );
    for (format, begin) in [
        ("json", "{"),
        ("csv", "severity,"),
        ("html", "<!"),
        ("sarif", "{"),
        ("junit", "<?xml"),
        ("cbom-1.6", "{"),
        ("cbom-1.7", "{"),
    ] {
        let output = run(&[&arguments[..], &["--format", format]].concat());
        let written = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{format}");
        assert!(
            written.to_lowercase().starts_with(begin),
            "{format}: {written:.80}"
        );
    }
    // The server is changed, and asked again at its address.
    let address = server.address.clone();
    server.stop();
    let _changed = Server::start_at(&address);
    let output = run(&[&arguments[..], &["--verify", "--fail-on", "never"]].concat());
    expect(&output, 0, &["Gone", "X25519MLKEM768"]);
}

#[test]
fn schemas_and_policies_are_told() {
    for kind in ["endpoint", "inventory", "assessment"] {
        let output = run(&["schema", kind]);
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(schema["$schema"].as_str().unwrap().contains("2020-12"));
    }
    expect(
        &run(&["list", "policies"]),
        0,
        &["nist-ir-8547", "draft", "cnsa-2.0"],
    );
}

#[test]
fn ctrl_c_ends_a_scan_at_once() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let mut scan = pqlab()
        .args(["scan", &address, "--timeout", "60"])
        .spawn()
        .unwrap();
    let (_held, _) = silent.accept().unwrap();
    let pid = scan.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(scan.wait().unwrap().code(), Some(130));
}
