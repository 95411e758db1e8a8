//! `serve` and `proxy` as a user runs them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::common::{expect, pqlab, run, write};
use crate::connecting::connect;

/// A server of this program; killed when it is dropped.
pub(crate) struct Server {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
    pub(crate) address: String,
    metrics: Option<String>,
}

impl Server {
    pub(crate) fn start(verb: &[&str], arguments: &[&str]) -> Self {
        Self::spawn(verb, "127.0.0.1:0", arguments)
    }

    /// Where another one was.
    pub(crate) fn start_at(address: &str) -> Self {
        Self::spawn(&["serve"], address, &[])
    }

    fn spawn(verb: &[&str], address: &str, arguments: &[&str]) -> Self {
        let mut process = pqlab()
            .args(verb)
            .args(["--listen", address, "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["event"], "listening");
        Self {
            process,
            output,
            address: event["address"].as_str().unwrap().to_owned(),
            metrics: event["metrics"].as_str().map(str::to_owned),
        }
    }

    pub(crate) fn port(&self) -> &str {
        self.address.rsplit_once(':').unwrap().1
    }

    /// Asks it to stop, and gives what it says at last.
    pub(crate) fn stop(mut self) -> Value {
        let pid = self.process.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(killed.success());
        let stopped = loop {
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] != "failed" {
                break event;
            }
        };
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}");
        assert_eq!(stopped["event"], "stopped");
        stopped
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn files_serve_as_well_as_the_lab_and_clients_are_asked_for_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    expect(
        &run(&["certificates", "--auth", "ml-dsa-44", "--out", out]),
        0,
        &["server.pem"],
    );
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (root, chain, key) = (file("root.pem"), file("server.pem"), file("server-key.pem"));
    let server = Server::start(
        &["serve"],
        &["--cert", &chain, "--key", &key, "--client-ca", &root],
    );
    let (cert, key) = (file("client.pem"), file("client-key.pem"));
    let shown = ["--ca", &root, "--request", "/json"];
    let shown: Vec<&str> = shown
        .into_iter()
        .chain(["--cert", &cert, "--key", &key])
        .collect();
    let (code, seen) = connect(&server.address, &shown);
    assert_eq!(code, 0, "{seen}");
    assert_eq!(seen["response"]["status_line"], "HTTP/1.1 200 OK");
    let asked = &seen["client_certificate"];
    assert_eq!(asked["is_requested"], true, "{seen}");
    assert_eq!(asked["is_sent"], true, "{seen}");
    assert_eq!(asked["subject"], "CN=client.pqlab.test");
    assert_eq!(asked["authorities"].as_array().unwrap().len(), 1);
    let schemes = asked["signature_schemes"].as_array().unwrap();
    assert!(schemes.contains(&"mldsa44".into()), "{seen}");
    assert_eq!(seen["negotiated"]["client_scheme"], "mldsa44");
    // A session would outlive the certificate.
    let mut resuming = shown.clone();
    resuming.extend(["--resume", "--json"]);
    let resuming = pqlab()
        .args(["connect", &server.address])
        .args(resuming)
        .output();
    expect(&resuming.unwrap(), 3, &["no ticket"]);
    for request in [&["--request", "/"][..], &[]] {
        let mut arguments = vec!["connect", &server.address, "--ca", &root];
        arguments.extend(request);
        expect(
            &run(&arguments),
            3,
            &[
                "certificate_required (116)",
                "give one with --cert",
                "sent         no",
            ],
        );
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others may read the key");
    }
}

#[test]
fn a_server_says_why_clients_and_backends_fail() {
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let mut proxy = Server::start(
        &["proxy", &gone],
        &["--auth", "ml-dsa-65", "--metrics", "127.0.0.1:0"],
    );
    let (code, seen) = connect(&proxy.address, &["--ca", "lab", "--request", "/"]);
    assert_eq!(code, 0, "{seen}");
    assert!(
        seen["response"]["status_line"]
            .as_str()
            .unwrap()
            .contains("502")
    );
    // One that knows no ML-DSA is refused, and still counted by what it offers.
    let old = ["--ca", "lab", "--tls", "1.2", "--stack", "openssl"];
    let (code, seen) = connect(&proxy.address, &old);
    assert_eq!(code, 3);
    assert_eq!(seen["error"]["kind"], "alert");
    let told = seen["error"]["text"].as_str().unwrap();
    assert!(told.contains("handshake_failure (40)"), "{told}");
    let hint = seen["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("TLS 1.2 has no ML-DSA"), "{hint}");
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let mut line = String::new();
        proxy.output.read_line(&mut line).unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["event"], "failed", "{event}");
        assert!(!event["reason"].as_str().unwrap().is_empty(), "{event}");
        kinds.push(event["kind"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds, ["backend_fault", "peer_fault"]);
    let metrics = get(proxy.metrics.as_ref().unwrap(), "/metrics");
    for line in [
        r#"pqlab_tls_client_offers_total{transport="tcp",post_quantum_group="false",ml_dsa="false"} 1"#,
        r#"pqlab_connection_events_total{transport="tcp",event="backend_fault"} 1"#,
    ] {
        assert_line(&metrics, line);
    }
}

/// As much as a pipe holds (pipe(7)), several times.
#[test]
fn a_server_whose_log_nobody_reads_serves_on() {
    let server = Server::start(&["serve"], &[]);
    for _ in 0..1000 {
        let mut socket = TcpStream::connect(&server.address).unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        // The server ends it, with an alert or without.
        let _ = socket.read_to_end(&mut Vec::new());
    }
    let (code, seen) = connect(&server.address, &["--ca", "lab", "--request", "/json"]);
    assert_eq!(code, 0, "{seen}");
    let counts = &server.stop()["connections"];
    assert_eq!(counts["peer_fault"], 1000, "{counts}");
}

#[test]
fn the_page_is_served_over_quic_with_and_without_retry() {
    for has_retry in [false, true] {
        let mut arguments = vec!["--quic", "--auth", "rsa-4096"];
        arguments.extend(has_retry.then_some("--retry"));
        let server = Server::start(&["serve"], &arguments);
        for (group, initials) in [("X25519MLKEM768", 2), ("x25519", 1)] {
            let (code, seen) = connect(
                &server.address,
                &[
                    "--quic",
                    "--ca",
                    "lab",
                    "--groups",
                    group,
                    "--request",
                    "/json",
                ],
            );
            assert_eq!(code, 0, "{seen}");
            assert_eq!(seen["transport"], "quic");
            assert_eq!(seen["negotiated"]["group"], group);
            assert_eq!(seen["response"]["status_line"], "HTTP/3 200");
            assert_eq!(seen["certificates"][0]["key"], "RSA 4096");
            let quic = &seen["quic"];
            assert_eq!(quic["has_retry"], has_retry, "{seen}");
            assert_eq!(quic["first_flight_initials"], initials, "{seen}");
            let allowed = quic["bytes_allowed_before_validation"].as_u64().unwrap();
            assert!(quic["bytes_sent_before_validation"].as_u64().unwrap() <= allowed);
            assert_eq!(seen["negotiated"]["server_scheme"], "rsa_pss_rsae_sha512");
            assert_eq!(seen["client_certificate"]["is_requested"], false);
        }
        let stranger = ["--quic", "--ca", "lab", "--server-name", "other.test"];
        let (code, seen) = connect(&server.address, &stranger);
        assert_eq!(code, 1, "{seen}");
        assert_eq!(seen["verdict"]["is_trusted"], false);
        assert_eq!(seen["error"]["kind"], "untrusted");
        assert_eq!(seen["certificates"][0]["key"], "RSA 4096");
        assert_eq!(seen["negotiated"]["group"], "X25519MLKEM768");
        assert_eq!(seen["response"], Value::Null, "a stranger was asked");
        let none = run(&[
            "connect",
            &server.address,
            "--quic",
            "--ca",
            "lab",
            "--groups",
            "MLKEM1024",
        ]);
        expect(&none, 3, &["alert"]);
        let counts = &server.stop()["quic_connections"];
        assert_eq!(counts["retried"].is_u64(), has_retry, "{counts}");
    }
}

/// As over TCP: by kind, by what was offered, and with the reason.
#[test]
fn failures_over_quic_are_counted_and_told() {
    let mut server = Server::start(
        &["serve"],
        &[
            "--quic",
            "--groups",
            "X25519MLKEM768",
            "--metrics",
            "127.0.0.1:0",
        ],
    );
    let quic = ["--quic", "--ca", "lab", "--request", "/json", "--groups"];
    let ask = |group| connect(&server.address, &[&quic[..], &[group]].concat());
    let (code, seen) = ask("X25519MLKEM768");
    assert_eq!(code, 0, "{seen}");
    let classical = [&["connect", &server.address], &quic[..], &["x25519"]].concat();
    expect(&run(&classical), 3, &["alert"]);
    let mut line = String::new();
    server.output.read_line(&mut line).unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["event"], "failed", "{event}");
    assert_eq!(event["transport"], "quic", "{event}");
    assert_eq!(event["kind"], "peer_fault", "{event}");
    assert!(!event["reason"].as_str().unwrap().is_empty(), "{event}");
    let metrics = get(server.metrics.as_ref().unwrap(), "/metrics");
    for (event, count) in [("accepted", 2), ("established", 1), ("peer_fault", 1)] {
        let name = "pqlab_connection_events_total";
        let line = format!(r#"{name}{{transport="quic",event="{event}"}} {count}"#);
        assert_line(&metrics, &line);
    }
    for line in [
        r#"pqlab_tls_client_offers_total{transport="quic",post_quantum_group="false",ml_dsa="true"} 1"#,
        r#"pqlab_http_responses_total{transport="quic",status="200"} 1"#,
        r#"pqlab_tls_handshake_seconds_count{transport="quic"} 1"#,
    ] {
        assert_line(&metrics, line);
    }
    assert!(
        !metrics.contains(r#"_bytes_total{transport="tcp""#),
        "{metrics}"
    );
    let stopped = server.stop();
    let counts = &stopped["quic_connections"];
    assert_eq!(counts["answered"], 1, "{stopped}");
    assert_eq!(counts["closed"], 1, "{stopped}");
    assert_eq!(counts["peer_fault"], 1, "{stopped}");
    assert_eq!(stopped["connections"], serde_json::json!({}), "{stopped}");
}

#[test]
fn a_proxy_puts_hybrid_tls_before_plain_and_old_backends() {
    let old = Server::start(
        &["serve"],
        &["--stack", "openssl", "--tls", "1.2", "--alpn", "http/1.1"],
    );
    let url = format!("https://{}", old.address);
    let proxy = Server::start(
        &["proxy", &url],
        &[
            "--backend-ca",
            "lab",
            "--auth",
            "ml-dsa-65",
            "--metrics",
            "127.0.0.1:0",
        ],
    );
    let (code, seen) = connect(&proxy.address, &["--ca", "lab", "--request", "/json"]);
    assert_eq!(code, 0, "{seen}");
    assert_eq!(seen["negotiated"]["group"], "X25519MLKEM768");
    assert_eq!(seen["response"]["status_line"], "HTTP/1.1 200 OK");
    let metrics = get(proxy.metrics.as_ref().unwrap(), "/metrics");
    assert!(metrics.contains(r#"group="X25519MLKEM768""#), "{metrics}");
    assert_eq!(proxy.stop()["connections"]["answered"], 1);
    assert_eq!(old.stop()["connections"]["answered"], 1);
}

/// Asserts that a whole line is there: `… 1` is no `… 10`.
fn assert_line(page: &str, line: &str) {
    assert!(page.lines().any(|l| l == line), "{line} is not in {page}");
}

fn get(address: &str, path: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn a_server_listens_at_a_name_and_says_that_nobody_came() {
    let server = Server::spawn(&["serve"], "localhost:0", &["--metrics", "localhost:0"]);
    let target = format!("localhost:{}", server.port());
    assert_eq!(connect(&target, &["--ca", "lab"]).0, 0);
    drop(server);
    let mut idle = pqlab()
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(idle.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let pid = idle.id().to_string();
    let killed = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(killed.success() && idle.wait().unwrap().success());
    output.read_line(&mut line).unwrap();
    assert!(
        line.ends_with("stopped; connections over tcp: none\n"),
        "{line}"
    );
}

#[test]
fn what_a_user_gets_wrong_is_named_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let no_pem = write(folder.path(), "no.pem", "nothing in here");
    let no_pem = no_pem.to_str().unwrap();
    let missing = folder.path().join("missing");
    let missing = missing.to_str().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let connect = ["connect", "127.0.0.1:9"];
    for (verb, arguments, said) in [
        (
            &serve[..],
            &["--groups", "X25519MLKEM769"][..],
            "X25519MLKEM769",
        ),
        (&serve, &["--groups", "X25519HQC128"], "rustls has no"),
        (&serve, &["--stack", "boringssl"], "pqlab list stacks"),
        (&serve, &["--tls", "1.1"], "there are 1.2 and 1.3"),
        (
            &connect,
            &["--tls", "1.2", "--groups", "x25519,X25519MLKEM768"],
            "X25519MLKEM768 is a group of TLS 1.3 alone",
        ),
        (&connect, &["--quic", "--tls", "1.2"], "QUIC is of TLS 1.3"),
        (
            &["serve", "--listen", "no-such-host.invalid:0"],
            &[],
            "no-such-host.invalid",
        ),
        (&serve, &["--auth", "rsa-1024"], "rsa-1024"),
        (
            &serve,
            &["--tls", "1.2", "--auth", "ml-dsa-65"],
            "versions of TLS",
        ),
        (&serve, &["--cert", no_pem], "needs its key"),
        (&serve, &["--cert", no_pem, "--key", no_pem], "no.pem"),
        (&serve, &["--client-ca", missing], "missing"),
        (&serve, &["--client-crl", no_pem], "--client-ca"),
        (&serve, &["--root", missing], "missing"),
        (&serve, &["--handshake-timeout", "0"], "more than 0"),
        (&["serve", "--listen", "localhost"], &[], "localhost"),
        (&connect, &["--ca", missing], "missing"),
        (&connect, &["--ca", no_pem], "no certificate"),
        (&connect, &["--request", "/", "--alpn", "h2"], "HTTP/1.1"),
        (&connect, &["--request", "/\r\nX: y"], "must begin with /"),
        (&connect, &["--groups", ""], "named group"),
        (
            &connect,
            &["--quic", "--stack", "openssl", "--insecure"],
            "rustls only",
        ),
        (&serve, &["--quic", "--stack", "openssl"], "rustls only"),
        (&serve, &["--quic", "--tls", "1.2"], "TLS 1.3"),
        (&serve, &["--retry"], "--quic"),
        (&["connect", "127.0.0.1:0"], &[], "no port"),
        (&["proxy", "ftp://127.0.0.1:21"], &[], "http://HOST:PORT"),
        (&["proxy", "http://127.0.0.1:21/path"], &[], "has a path"),
    ] {
        let output = pqlab().args(verb).args(arguments).output().unwrap();
        expect(&output, 2, &[said]);
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    expect(&run(&["serve", "--listen", &address]), 2, &[&address]);
    assert!(!Path::new(missing).exists());
}
