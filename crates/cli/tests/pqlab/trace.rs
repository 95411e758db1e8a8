//! `trace`: of pqlab's own handshakes and of a live server.

use serde_json::Value;

use crate::common::{expect, pqlab, run, text};
use crate::serving::Server;

fn traces(arguments: &[&str]) -> Vec<Value> {
    let output = pqlab().args(["trace", "--json"]).args(arguments).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let mut document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["tool_version"], env!("CARGO_PKG_VERSION"));
    match document["traces"].take() {
        Value::Array(traces) => traces,
        other => panic!("{other}"),
    }
}

fn messages(trace: &Value) -> Vec<&str> {
    let steps = trace["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|step| step["message"].as_str().unwrap())
        .collect()
}

#[test]
fn the_three_contrasts_are_read_to_their_last_message_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let svg = folder.path().join("picture.svg");
    let traces = traces(&["--svg", svg.to_str().unwrap()]);
    let groups = traces.iter().map(|t| t["negotiated"]["group"].clone());
    assert_eq!(
        groups.collect::<Vec<_>>(),
        ["x25519", "X25519MLKEM768", "X25519MLKEM768"]
    );
    for trace in &traces {
        assert_eq!(trace["error"], Value::Null);
        let messages = messages(trace);
        for message in [
            "ClientHello",
            "Certificate",
            "CertificateVerify",
            "Finished",
        ] {
            assert!(messages.contains(&message), "{message}: {messages:?}");
        }
        // Every piece of work of rustls is timed.
        for step in trace["steps"].as_array().unwrap() {
            for work in step["work"].as_array().unwrap() {
                assert!(work["time_ns"].as_u64().unwrap() > 0, "{work}");
            }
        }
    }
    let verdicts = |trace: &Value| -> Vec<String> {
        let findings = trace["findings"].as_array().unwrap();
        findings.iter().map(|f| f["verdict"].to_string()).collect()
    };
    assert_eq!(verdicts(&traces[0]), ["\"falls\"", "\"falls\""]);
    assert_eq!(verdicts(&traces[2]), ["\"holds\"", "\"holds\""]);
    // One classical signature in the chain is enough to forge it.
    let mixed = self::traces(&["1.3/X25519MLKEM768/ml-dsa-44+ecdsa-p256/full"]);
    assert_eq!(verdicts(&mixed[0]), ["\"holds\"", "\"falls\""]);
    let picture = std::fs::read_to_string(svg).unwrap();
    assert!(picture.starts_with("<svg"), "{picture:.80}");
}

#[test]
fn stacks_kinds_and_versions_are_traced_as_named() {
    for (handshake, stack, expected) in [
        (
            "1.2/static-rsa/rsa-2048/full",
            "openssl",
            "ClientKeyExchange",
        ),
        (
            "1.3/X25519MLKEM768/ecdsa-p256/hrr",
            "rustls",
            "HelloRetryRequest",
        ),
        (
            "1.3/X25519MLKEM768/ecdsa-p256/resumed+tickets=1",
            "openssl",
            "NewSessionTicket",
        ),
        (
            "1.3/X25519MLKEM768/ml-dsa-44/full+mutual",
            "rustls",
            "CertificateRequest",
        ),
    ] {
        let traces = traces(&[handshake, "--stack", stack]);
        assert_eq!(traces[0]["error"], Value::Null, "{handshake}");
        let messages = messages(&traces[0]);
        assert!(messages.contains(&expected), "{handshake}: {messages:?}");
    }
}

#[test]
fn a_live_server_is_traced_with_the_secrets_of_this_side() {
    let server = Server::start(&["serve"], &["--stack", "openssl", "--auth", "ml-dsa-65"]);
    let traces = traces(&["--live", &server.address, "--ca", "lab"]);
    let trace = &traces[0];
    assert_eq!(trace["negotiated"]["server_scheme"], "mldsa65");
    assert!(messages(trace).contains(&"CertificateVerify"));
    assert_eq!(trace["error"], Value::Null);
    let stranger = run(&["trace", "--live", &server.address]);
    expect(&stranger, 1, &["not trusted", "Against a quantum computer"]);
    let text = run(&["trace", "--live", &server.address, "--ca", "lab"]);
    expect(
        &text,
        0,
        &[
            "what the client supports",
            "Against a quantum computer",
            "holds",
        ],
    );
}

/// A program reads one object, whatever becomes of the connection.
#[test]
fn a_live_trace_tells_programs_why_the_exit_code_is_not_0() {
    let server = Server::start(&["serve"], &[]);
    let target = server.address.as_str();
    let asks = Server::start(&["serve"], &["--client-ca", "lab"]);
    for (arguments, code, kind, traces) in [
        (&[target, "--ca", "lab"][..], 0, Value::Null, 1),
        (&[target], 1, "untrusted".into(), 1),
        (
            &["127.0.0.1:9", "--ca", "lab"],
            3,
            "connect-refused".into(),
            0,
        ),
        (&["no-such-host.invalid"], 3, "no-address".into(), 0),
        (
            &[asks.address.as_str(), "--ca", "lab"],
            3,
            "alert".into(),
            1,
        ),
        (&[target, "--ca", "/nowhere"], 2, "bad-input".into(), 0),
    ] {
        let mut command = pqlab();
        command.args(["trace", "--json", "--live"]).args(arguments);
        let output = command.output().unwrap();
        expect(&output, code, &[]);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["error"]["kind"], kind, "{arguments:?}: {document}");
        assert_eq!(document["traces"].as_array().unwrap().len(), traces);
    }
}

#[test]
fn what_cannot_be_traced_is_said() {
    for (arguments, code, said) in [
        (
            &["trace", "1.3/x25519/ecdsa-p256"][..],
            2,
            "VERSION/KEY-EXCHANGE",
        ),
        (
            &["trace", "1.3/x25519/ecdsa-p256/full@loopback"],
            2,
            "in memory only",
        ),
        (
            &[
                "trace",
                "rustls>openssl/1.3/x25519/ecdsa-p256/full@loopback",
            ],
            2,
            "in memory only",
        ),
        (&["trace", "--groups", "x25519"], 2, "--live"),
        (&["trace", "--insecure"], 2, "--live"),
        (&["trace", "--timeout", "3"], 2, "--live"),
        (
            &["trace", "1.3/X25519HQC128/ecdsa-p256/full"],
            2,
            "no key exchange",
        ),
        (
            &["trace", "--live", "127.0.0.1:9", "--ca", "lab"],
            3,
            "can't be reached",
        ),
        (
            &[
                "trace",
                "--live",
                "127.0.0.1:9",
                "1.3/x25519/ecdsa-p256/full",
            ],
            2,
            "--live",
        ),
    ] {
        expect(&run(arguments), code, &[said]);
    }
    let four = ["1.3/x25519/ecdsa-p256/full"; 4];
    let output = pqlab()
        .args(["trace", "--svg", "never-written.svg"])
        .args(four)
        .output();
    expect(&output.unwrap(), 2, &["one picture"]);
}
