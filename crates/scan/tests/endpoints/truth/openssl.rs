//! OpenSSL 3.0's `s_server`, and nginx on top of it.

use std::process::Command;

use audit::SignatureFamily;

use super::*;
use crate::certificates::Identity;
use crate::programs::{Program, find, free_port, output, skip, wait_until_listening};
use crate::scanning::{patient, scan_one, tls};

const GROUPS: &[u16] = &[
    X25519, P256, X448, P521, P384, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104,
];

const TRUTH: Truth = Truth {
    groups: GROUPS,
    // Where it has to ask for a share it takes its own favourite.
    server_decides: true,
    versions: &[TLS12, TLS13],
    // They are on, and its security level has no signatures for them: internal_error.
    vague_versions: &[0x0301, 0x0302],
    static_rsa: true,
    chains: &[(SignatureFamily::Rsa, "rsa_pss_rsae_sha256")],
    clients: ALL_X25519,
    alpn: &[],
    client_certificate: None,
    resumes: true,
};

/// Scans `openssl s_server` with an RSA certificate and these arguments.
fn check(arguments: &[&str], truth: &Truth) {
    let Some(openssl) = find("", "openssl") else {
        return skip("openssl is not installed");
    };
    let version = output(&openssl, &["version"]).unwrap_or_default();
    if !version.starts_with("OpenSSL 3.0") {
        return skip(&format!(
            "not OpenSSL 3.0, of which the truth is known: {version}"
        ));
    }
    let folder = tempfile::tempdir().unwrap();
    let files = Identity::rsa().write(folder.path(), "server");
    let mut command = Command::new(openssl);
    command
        .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"])
        .arg(&files.certificate)
        .arg("-key")
        .arg(&files.key)
        .args(arguments);
    let server = Program::start(&mut command);
    let address = server.address("ACCEPT");
    truth.check(&tls(scan_one(address, &patient())));
}

#[test]
fn as_it_comes() {
    check(&[], &TRUTH);
}

#[test]
fn tls12_alone() {
    check(
        &["-tls1_2"],
        &Truth {
            groups: &[],
            versions: &[TLS12],
            vague_versions: &[],
            chains: &[(SignatureFamily::Rsa, "rsa_pkcs1_sha256")],
            ..TRUTH
        },
    );
}

#[test]
fn versions_that_are_no_longer_used() {
    check(
        &["-no_tls1_3", "-no_tls1_2", "-cipher", "ALL:@SECLEVEL=0"],
        &Truth {
            groups: &[],
            versions: &[0x0301, 0x0302],
            vague_versions: &[],
            static_rsa: false,
            // Signatures have no scheme there.
            chains: &[(SignatureFamily::Rsa, "")],
            clients: clients([None; 6]),
            ..TRUTH
        },
    );
}

#[test]
fn tls13_alone_with_few_groups_and_no_tickets() {
    check(
        &[
            "-www",
            "-tls1_3",
            "-groups",
            "P-384:X25519",
            "-num_tickets",
            "0",
        ],
        &Truth {
            groups: &[P384, X25519],
            versions: &[TLS13],
            vague_versions: &[],
            static_rsa: false,
            resumes: false,
            ..TRUTH
        },
    );
}

#[test]
fn client_certificates_that_may_and_that_must_come() {
    for (flag, is_optional) in [("-verify", true), ("-Verify", false)] {
        check(
            &[flag, "1"],
            &Truth {
                client_certificate: Some(is_optional),
                ..TRUTH
            },
        );
    }
}

#[test]
fn nginx() {
    let Some(nginx) = find("", "nginx") else {
        return skip("nginx is not installed");
    };
    let about = output(&nginx, &["-V"]).unwrap_or_default();
    if !about.contains("OpenSSL 3.0") {
        return skip(&format!("not nginx on OpenSSL 3.0: {about}"));
    }
    let folder = tempfile::tempdir().unwrap();
    let rsa = Identity::rsa().write(folder.path(), "rsa");
    let ecdsa = Identity::ecdsa().write(folder.path(), "ecdsa");
    let (port, place) = (free_port(), folder.path().display());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {place}/{kind};\n"))
        .concat();
    let certificates: String = [rsa, ecdsa]
        .map(|files| {
            let (certificate, key) = (files.certificate.display(), files.key.display());
            format!("ssl_certificate {certificate}; ssl_certificate_key {key};\n")
        })
        .concat();
    let configuration = format!(
        "daemon off; master_process off; pid {place}/pid; error_log stderr; events {{}}
        http {{ {temporary} access_log off; server {{
        listen 127.0.0.1:{port} ssl http2; {certificates}
        ssl_protocols TLSv1.2 TLSv1.3; return 200; }} }}"
    );
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, configuration).unwrap();
    let mut command = Command::new(nginx);
    command.arg("-c").arg(path).arg("-p").arg(folder.path());
    let _server = Program::start(&mut command);
    Truth {
        chains: &[
            (SignatureFamily::Rsa, "rsa_pss_rsae_sha256"),
            (SignatureFamily::Ecdsa, "ecdsa_secp256r1_sha256"),
        ],
        vague_versions: &[],
        alpn: &["h2", "http/1.1"],
        ..TRUTH
    }
    .check(&tls(scan_one(wait_until_listening(port), &patient())));
}
