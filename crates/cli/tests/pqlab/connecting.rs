//! `connect` as a user runs it, against servers of this program and bad company.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use serde_json::Value;

use crate::common::{expect, pqlab, run, text, write};
use crate::serving::Server;

/// Connects, and gives the exit code and what was found out.
pub(crate) fn connect(target: &str, arguments: &[&str]) -> (i32, Value) {
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
        assert_eq!(negotiated["server_scheme"], "mldsa65");
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
        let flights = seen["wire"]["flights"].as_array().unwrap();
        let sum: u64 = flights.iter().map(|f| f["bytes"].as_u64().unwrap()).sum();
        let total = |field: &str| seen["wire"][field].as_u64().unwrap();
        assert_eq!(sum, total("bytes_sent") + total("bytes_received"));
        assert!(seen["times"]["handshake_us"].as_u64().unwrap() > 0);
        assert_eq!(seen["schema"], 1);
        assert_eq!(seen["tool_version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(seen["error"], Value::Null);
        assert_eq!(seen["client_certificate"]["is_requested"], false);

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
        &["key shares", "HelloRetryRequest  no", "round trips"],
    );
    let text_of_it = text(&output);
    let mut from = 0;
    for part in [
        "Connected by TLS 1.3 over TCP.",
        "The server is trusted.",
        "Key exchange: post-quantum, X25519MLKEM768 (hybrid, NIST category 3)",
        "Authentication: classical, ecdsa_secp256r1_sha256",
        "\nOffered\n",
        "\nChosen\n",
        "\nClient certificate\n  asked for  no",
        "\nCertificates\n",
        "\nOn the wire\n",
        "\nTime\n",
    ] {
        let at = text_of_it[from..].find(part);
        from += at.unwrap_or_else(|| panic!("{part:?} is not in its place: {text_of_it}"));
    }
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
        assert_eq!(seen["error"]["kind"], "untrusted");
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
        assert_eq!(seen["negotiated"]["server_scheme"], Value::Null, "{stack}");
        assert_eq!(seen["verdict"]["is_trusted"], true, "{stack}: {seen}");
    }
    let log = std::fs::read_to_string(log).unwrap();
    let secrets = log.matches("SERVER_TRAFFIC_SECRET_0 ").count();
    assert_eq!(secrets, 4, "two connections of each stack:\n{log}");

    // A resumption in TLS 1.2 has no key exchange: that of the session counts.
    let old = Server::start(&["serve"], &["--tls", "1.2"]);
    for stack in ["rustls", "openssl"] {
        let resume = ["--ca", "lab", "--resume", "--stack", stack];
        let (code, seen) = connect(&old.address, &resume);
        assert_eq!(code, 0, "{seen}");
        assert_eq!(seen["negotiated"]["is_resumed"], true, "{stack}");
        assert_eq!(seen["negotiated"]["group"], Value::Null, "{stack}");
        assert_eq!(seen["negotiated"]["session_key_exchange"], "x25519");
        let mut arguments = vec!["connect", &old.address];
        arguments.extend(resume);
        let said = ["uses the master secret", "here by x25519, classical"];
        expect(&run(&arguments), 0, &said);
    }

    let forgetful = Server::start(&["serve"], &["--tickets", "0"]);
    let none = run(&["connect", &forgetful.address, "--ca", "lab", "--resume"]);
    expect(&none, 3, &["no ticket", "and then failed"]);
    // What the first connection told is kept.
    let (code, seen) = connect(&forgetful.address, &["--ca", "lab", "--resume"]);
    assert_eq!(code, 3, "{seen}");
    assert_eq!(seen["error"]["kind"], "no-ticket", "{seen}");
    assert_eq!(seen["negotiated"]["group"], "X25519MLKEM768", "{seen}");
    assert_eq!(seen["negotiated"]["is_resumed"], false, "{seen}");
    assert_eq!(seen["verdict"]["is_trusted"], true, "{seen}");
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
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
            r#"plain HTTP: "HTTP/1.1 400 Bad Request\r\n\r\n""#,
        ),
        (
            b"SSH-2.0-OpenSSH_9.2\r\n",
            r#"speaks SSH: "SSH-2.0-OpenSSH_9.2\r\n""#,
        ),
        (
            b"\x1b[2J",
            r#"not speak TLS: it answers in another protocol: "\x1b[2J""#,
        ),
        (&[21, 3, 3, 0, 2, 2, 40], "handshake_failure (40)"),
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

/// A program reads one object, whatever happens.
#[test]
fn failures_are_json_as_well() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    for (target, arguments, code, kind) in [
        (closed.as_str(), &["--ca", "lab"][..], 3, "connect-refused"),
        ("no-such-host.invalid", &["--ca", "lab"], 3, "no-address"),
        (&closed, &["--ca", "/nowhere"], 2, "bad-input"),
        (&closed, &["--quic", "--stack", "openssl"], 2, "bad-input"),
        (
            &closed,
            &["--ca", "lab", "--server-name", "a b"],
            2,
            "bad-input",
        ),
        (
            &closed,
            &["--quic", "--ca", "lab", "--server-name", "a b"],
            2,
            "bad-input",
        ),
        // No character of a URI (RFC 3986 appendix A).
        (
            &closed,
            &["--quic", "--ca", "lab", "--request", "/<"],
            2,
            "bad-input",
        ),
        (
            &closed,
            &["--quic", "--ca", "lab", "--timeout", "0.5"],
            3,
            "handshake-timeout",
        ),
    ] {
        let (ended, seen) = connect(target, arguments);
        assert_eq!(ended, code, "{seen}");
        assert_eq!(seen["error"]["kind"], kind, "{seen}");
        assert!(!seen["error"]["text"].as_str().unwrap().is_empty());
        assert_eq!(seen["schema"], 1);
        assert_eq!(seen["negotiated"], Value::Null);
        assert_eq!(seen["certificates"], Value::Array(Vec::new()));
    }
    let (_, refused) = connect(&closed, &["--ca", "lab"]);
    assert_eq!(refused["address"], closed.as_str(), "{refused}");
}

/// Certificates come from anyone: a name in one does not reach the terminal as it is.
#[test]
fn what_a_peer_calls_itself_is_shown_and_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = hostile_certificate(folder.path());
    let server = Server::start(&["serve"], &["--cert", &cert, "--key", &key]);
    for (verb, code) in [
        (&["connect", &server.address, "--ca", "lab"][..], 1),
        (&["connect", &server.address, "--insecure"], 0),
        (&["trace", "--live", &server.address, "--ca", "lab"], 1),
        (
            &["load", &server.address, "--ca", "lab", "--handshakes", "1"],
            1,
        ),
    ] {
        let output = run(verb);
        expect(&output, code, &[]);
        let said = text(&output);
        let control = said.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "{verb:?}: {said:?}");
    }
    let shown = run(&["connect", &server.address, "--insecure"]);
    expect(&shown, 0, &["\\u{1b}]0;owned"]);
}

/// One whose names begin with an escape sequence, and its key.
fn hostile_certificate(folder: &Path) -> (String, String) {
    let names = vec!["\u{1b}]0;owned\u{7}".to_owned()];
    let own = rcgen::generate_simple_self_signed(names).unwrap();
    let cert = write(folder, "cert.pem", &own.cert.pem());
    let key = write(folder, "key.pem", &own.signing_key.serialize_pem());
    [cert, key]
        .map(|path| path.to_str().unwrap().to_owned())
        .into()
}

/// UDP does not say that nobody is there, and `localhost` may be ::1 first.
#[test]
fn over_quic_each_address_of_a_name_is_tried() {
    let server = Server::start(&["serve"], &["--quic"]);
    let target = format!("localhost:{}", server.port());
    let (code, seen) = connect(&target, &["--quic", "--ca", "lab", "--request", "/json"]);
    assert_eq!(code, 0, "{seen}");
    assert_eq!(seen["address"], server.address.as_str());
    let first_byte = seen["times"]["first_byte_us"].as_u64().unwrap();
    assert!(first_byte > 0, "{seen}");
}

/// The server judges the client after the client's handshake (RFC 8446 section 4.4.2.4).
#[test]
fn a_refusal_after_the_handshake_over_quic_is_told_as_such() {
    let server = Server::start(&["serve"], &["--quic", "--client-ca", "lab"]);
    let arguments = ["connect", &server.address, "--quic", "--ca", "lab"];
    let said = ["and then failed", "certificate_required (116)", "--cert"];
    expect(&run(&arguments), 3, &said);
    let (code, seen) = connect(&server.address, &["--quic", "--ca", "lab"]);
    assert_eq!(code, 3, "{seen}");
    assert_eq!(seen["negotiated"]["version"], "TLS 1.3", "{seen}");
    assert_eq!(seen["negotiated"]["has_hello_retry"], Value::Null);
    assert_eq!(seen["verdict"]["is_trusted"], true, "{seen}");
    assert_eq!(seen["client_certificate"]["is_requested"], true, "{seen}");
}
