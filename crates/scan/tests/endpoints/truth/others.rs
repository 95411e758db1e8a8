//! Node and Go.

use std::process::Command;

use audit::SignatureFamily;

use super::*;
use crate::certificates::Identity;
use crate::programs::{Program, find, output, peers, skip, target};
use crate::scanning::{patient, scan_one, tls};

const TRUTH: Truth = Truth {
    groups: &[X25519_MLKEM768, X25519],
    server_decides: true,
    versions: &[TLS12, TLS13],
    vague_versions: &[],
    static_rsa: false,
    chains: &[(SignatureFamily::Ecdsa, "ecdsa_secp256r1_sha256")],
    clients: HYBRID_IF_OFFERED,
    alpn: &[],
    client_certificate: None,
    resumes: true,
};

/// The rest of its options is `more`.
fn check_node(more: &str, truth: &Truth) {
    let Some(node) = find("node_modules/node/bin/node", "node") else {
        return skip("node is not installed: scripts/install-peers node");
    };
    let version = output(&node, &["--version"]).unwrap_or_default();
    if !version.starts_with("v26.") {
        return skip(&format!(
            "not Node 26, of which the truth is known: {version}"
        ));
    }
    let folder = tempfile::tempdir().unwrap();
    let files = Identity::ecdsa().write(folder.path(), "server");
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let code = format!(
        "const fs = require('fs');
        const server = require('tls').createServer({{
            cert: fs.readFileSync('{certificate}'), key: fs.readFileSync('{key}'),
            ecdhCurve: 'X25519MLKEM768:X25519', {more}
        }}, (socket) => socket.on('error', () => {{}}));
        server.on('tlsClientError', () => {{}});
        server.listen(0, '127.0.0.1', () => console.log('listening:' + server.address().port));"
    );
    let server = Program::start(Command::new(node).args(["-e", &code]));
    truth.check(&tls(scan_one(server.address("listening"), &patient())));
}

#[test]
fn node_prefers_the_hybrid() {
    check_node(
        "ALPNProtocols: ['http/1.1']",
        &Truth {
            alpn: &["http/1.1"],
            ..TRUTH
        },
    );
}

#[test]
fn node_asks_for_client_certificates_that_may_or_must_come() {
    for is_mandatory in [false, true] {
        check_node(
            &format!("requestCert: true, rejectUnauthorized: {is_mandatory}"),
            &Truth {
                client_certificate: Some(!is_mandatory),
                ..TRUTH
            },
        );
    }
}

/// Compiles the interoperability suite's peer, unless that has been done.
fn go_server(terms: &str) -> Option<Program> {
    let Some(go) = find("venv/bin/go", "go") else {
        skip("Go is not installed: scripts/install-peers go");
        return None;
    };
    let version = output(&go, &["version"]).unwrap_or_default();
    if !version.contains("go1.27") {
        skip(&format!(
            "not Go 1.27, of which the truth is known: {version}"
        ));
        return None;
    }
    let program = target().join("tmp/scan-go-peer");
    let status = Command::new(go)
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../cli/tests/interop/peers/go"
        ))
        .env("GOCACHE", peers().join("go-cache"))
        .env("GOFLAGS", "")
        // The standard library is all that it needs.
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0")
        .status();
    assert!(status.unwrap().success(), "go build");
    Some(Program::start(
        Command::new(program).args(["server", terms]),
    ))
}

#[test]
fn go_has_three_hybrids() {
    let folder = tempfile::tempdir().unwrap();
    let files = Identity::ecdsa().write(folder.path(), "server");
    let terms = format!(
        r#"{{"Version":"1.3","ALPN":["h2"],"Certificates":[{{"Chain":"{}","Key":"{}"}}],
            "Groups":["x25519","X25519MLKEM768","SecP256r1MLKEM768","SecP384r1MLKEM1024"]}}"#,
        files.certificate.display(),
        files.key.display()
    );
    let Some(server) = go_server(&terms) else {
        return;
    };
    Truth {
        groups: &[X25519_MLKEM768, P256_MLKEM768, P384_MLKEM1024, X25519],
        versions: &[TLS13],
        alpn: &["h2"],
        ..TRUTH
    }
    .check(&tls(scan_one(server.address("listening"), &patient())));
}
