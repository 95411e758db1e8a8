//! `serve`, `proxy` and `connect` as a user runs them, against each other and against bad
//! company.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::common::{expect, pqlab, run, text, write};

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

    fn port(&self) -> &str {
        self.address.rsplit_once(':').unwrap().1
    }

    /// Asks it to stop, and gives what it says at last.
    pub(crate) fn stop(mut self) -> Value {
        let pid = self.process.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(killed.success());
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}");
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn connect(target: &str, arguments: &[&str]) -> (i32, Value) {
    let output = pqlab()
        .args(["connect", target, "--json"])
        .args(arguments)
        .output()
        .unwrap();
    let json = serde_json::from_slice(&output.stdout);
    let json = json.unwrap_or_else(|error| panic!("{error}: {}", text(&output)));
    (output.status.code().unwrap(), json)
}

#[test]
fn a_connection_is_explained_from_offer_to_verdict() {
    for stack in ["rustls", "openssl"] {
        let server = Server::start(
            &["serve"],
            &[
                "--stack",
                stack,
                "--auth",
                "ml-dsa-65",
                "--auth",
                "ecdsa-p256",
            ],
        );
        let target = format!("localhost:{}", server.port());
        let (code, seen) = connect(&target, &["--ca", "lab", "--request", "/json"]);
        assert_eq!(code, 0, "{seen}");
        let negotiated = &seen["negotiated"];
        assert_eq!(negotiated["version"], "TLS 1.3");
        assert_eq!(negotiated["group"], "X25519MLKEM768");
        assert_eq!(negotiated["group_kind"], "hybrid");
        assert_eq!(negotiated["nist_category"], 3);
        assert_eq!(negotiated["scheme"], "mldsa65");
        assert_eq!(negotiated["has_hello_retry"], false);
        assert_eq!(seen["post_quantum"]["key_exchange"], true);
        assert_eq!(seen["post_quantum"]["chain"], true);
        assert_eq!(seen["verdict"]["is_trusted"], true);
        assert_eq!(seen["certificates"].as_array().unwrap().len(), 2);
        assert_eq!(seen["certificates"][0]["key"], "ML-DSA-65");
        assert_eq!(seen["offered"]["key_shares"][0]["bytes"], 1216);
        assert_eq!(seen["round_trips"]["tls"], 1);
        assert_eq!(seen["round_trips"]["fits_initial_window"], false);
        assert_eq!(seen["response"]["status_line"], "HTTP/1.1 200 OK");
        let flights = seen["bytes"]["flights"].as_array().unwrap();
        let sum: u64 = flights.iter().map(|f| f["bytes"].as_u64().unwrap()).sum();
        let total = |field: &str| seen["bytes"][field].as_u64().unwrap();
        assert_eq!(sum, total("sent") + total("received"));

        // Another first share costs a round trip.
        let groups = "secp384r1,X25519MLKEM768";
        let other = "X25519MLKEM768";
        let strict = Server::start(&["serve"], &["--stack", stack, "--groups", other]);
        let (code, seen) = connect(&strict.address, &["--ca", "lab", "--groups", groups]);
        assert_eq!(code, 0, "{seen}");
        assert_eq!(seen["negotiated"]["has_hello_retry"], true);
        assert_eq!(seen["round_trips"]["tls"], 2);

        // A classical client gets the classical certificate.
        let old = ["--ca", "lab", "--tls", "1.2", "--stack", "openssl"];
        let (code, seen) = connect(&server.address, &old);
        assert_eq!(code, 0, "{seen}");
        assert_eq!(seen["post_quantum"]["key_exchange"], false);
        assert_eq!(seen["certificates"][0]["key"], "ECDSA P-256");

        let stopped = server.stop();
        assert_eq!(stopped["event"], "stopped");
        assert_eq!(stopped["connections"]["established"], 2);
        assert_eq!(stopped["connections"]["answered"], 1);
    }
}

#[test]
fn the_explanation_for_people_begins_with_the_answer() {
    let server = Server::start(&["serve"], &[]);
    let output = run(&["connect", &server.address, "--ca", "lab"]);
    expect(
        &output,
        0,
        &[
            "Key exchange: post-quantum, X25519MLKEM768 (hybrid, NIST category 3)",
            "Authentication: classical, ecdsa_secp256r1_sha256",
            "The server is trusted.",
            "key shares",
            "HelloRetryRequest  no",
            "round trips",
        ],
    );
    let longest = text(&output).lines().map(|line| line.chars().count()).max();
    assert!(longest.unwrap() <= 100, "{longest:?}");
    let classical = run(&[
        "connect",
        &server.address,
        "--ca",
        "lab",
        "--groups",
        "x25519",
    ]);
    expect(&classical, 0, &["can read it once"]);
}

#[test]
fn strangers_are_shown_and_told_nothing() {
    let server = Server::start(&["serve"], &[]);
    // The root of another chain.
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    expect(
        &run(&["certificates", "--auth", "ed25519", "--out", out]),
        0,
        &["root.pem", "client-key.pem"],
    );
    let root = folder.path().join("root.pem");
    let root = root.to_str().unwrap();
    for stack in ["rustls", "openssl"] {
        let arguments = ["--ca", root, "--stack", stack, "--request", "/"];
        let (code, seen) = connect(&server.address, &arguments);
        assert_eq!(code, 1, "{seen}");
        assert_eq!(seen["verdict"]["is_trusted"], false);
        assert_ne!(seen["verdict"]["reason"], Value::Null);
        assert_eq!(seen["response"], Value::Null);
        assert_eq!(seen["certificates"][0]["key"], "ECDSA P-256");
        let wrong = [
            "--ca",
            "lab",
            "--server-name",
            "example.test",
            "--stack",
            stack,
        ];
        assert_eq!(connect(&server.address, &wrong).0, 1);
        let blind = ["--insecure", "--stack", stack, "--request", "/json"];
        let (code, seen) = connect(&server.address, &blind);
        assert_eq!(code, 0, "{seen}");
        assert_eq!(seen["verdict"], Value::Null, "nobody judged: {seen}");
        assert_eq!(seen["response"]["status_line"], "HTTP/1.1 200 OK");
        let resuming = ["--resume", "--tls", "1.2", "--request", "/", "--ca", root];
        let (code, seen) = connect(&server.address, &resuming);
        assert_eq!(code, 1, "{seen}");
        assert_eq!(
            seen["response"],
            Value::Null,
            "a stranger was asked: {seen}"
        );
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
        expect(&run(&arguments), 3, &["alert", "CertificateRequired"]);
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
    let (code, _) = connect(&proxy.address, &old);
    assert_eq!(code, 3);
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
    let offer = r#"pqlab_tls_client_offers_total{post_quantum_group="false",ml_dsa="false"} 1"#;
    assert!(metrics.contains(offer), "{metrics}");
    let faults = r#"event="backend_fault"} 1"#;
    assert!(metrics.contains(faults), "{metrics}");
}

#[test]
fn a_second_connection_resumes_and_secrets_are_logged() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("keys");
    let server = Server::start(&["serve"], &[]);
    for stack in ["rustls", "openssl"] {
        let (code, seen) = connect(
            &server.address,
            &[
                "--ca",
                "lab",
                "--resume",
                "--stack",
                stack,
                "--keylog",
                log.to_str().unwrap(),
            ],
        );
        assert_eq!(code, 0, "{seen}");
        assert_eq!(seen["negotiated"]["is_resumed"], true, "{stack}");
        assert_eq!(seen["negotiated"]["scheme"], Value::Null, "{stack}");
        assert_eq!(seen["verdict"]["is_trusted"], true, "{stack}: {seen}");
    }
    let log = std::fs::read_to_string(log).unwrap();
    let secrets = log.matches("SERVER_TRAFFIC_SECRET_0 ").count();
    assert_eq!(secrets, 4, "two connections of each stack:\n{log}");

    let forgetful = Server::start(&["serve"], &["--tickets", "0"]);
    let none = run(&["connect", &forgetful.address, "--ca", "lab", "--resume"]);
    expect(&none, 3, &["no ticket"]);
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
            let allowed = quic["allowed_before_validation"].as_u64().unwrap();
            assert!(quic["sent_before_validation"].as_u64().unwrap() <= allowed);
        }
        let stranger = run(&[
            "connect",
            &server.address,
            "--quic",
            "--server-name",
            "other.test",
        ]);
        expect(&stranger, 1, &["not verified"]);
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
    }
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
fn servers_that_lie_stall_or_are_not_there_end_in_exit_code_3() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let gone = run(&["connect", &closed, "--ca", "lab"]);
    expect(&gone, 3, &["can't be reached", &closed]);

    for (answer, said) in [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), "TLS failed"),
        (&[21, 3, 3, 0, 2, 2, 40], "alert"),
        (&[22, 3, 3, 0, 4, 2, 0, 0xff, 0xff], "no end within"),
        (&[22, 3, 3, 0xff, 0xff], "TLS failed"),
        (b"", "no end within"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answering = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let _ = socket.read(&mut [0; 4096]);
            let _ = socket.write_all(answer);
            // Held until the client has had enough.
            let _ = socket.read(&mut [0; 4096]);
        });
        let output = run(&["connect", &address, "--insecure", "--timeout", "1"]);
        expect(&output, 3, &[said]);
        // What was offered is told all the same.
        expect(&output, 3, &["Offered", "X25519MLKEM768"]);
        answering.join().unwrap();
    }
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
        (&serve, &["--tls", "1.1"], "1.2 or 1.3"),
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
