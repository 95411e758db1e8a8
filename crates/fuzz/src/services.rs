//! What servers read beside TLS itself.

use pki::{Certificate, CertifiedKey};

pub(crate) fn certificates(bytes: &[u8]) {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        assert_eq!(certificate.length, bytes.len());
        // Whatever a name holds, no header of it ends a line.
        for text in [&certificate.subject, &certificate.issuer] {
            assert!(!text.contains(['\r', '\n']), "{text:?}");
        }
    }
    server::fuzzing::describe(bytes);
    let _ = pki::certificates_from_pem(bytes);
    let _ = pki::crls_from_pem(bytes);
    let _ = CertifiedKey::from_pem(bytes, bytes);
}

pub(crate) fn signing_requests(bytes: &[u8]) {
    let read = [ca::Request::from_der(bytes), ca::Request::from_pem(bytes)];
    for request in read.into_iter().flatten() {
        for name in &request.names {
            assert_eq!(name.to_string().parse().as_ref(), Ok(name));
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // What is read is written so that it is read again as the same.
    if let Ok(name) = text.parse::<ca::Name>() {
        assert_eq!(name.to_string().parse(), Ok(name));
    }
    if let Ok(subject) = text.parse::<ca::Subject>() {
        assert_eq!(subject.to_string().parse(), Ok(subject));
    }
}

pub(crate) fn requests(bytes: &[u8]) {
    // The first byte says in what pieces the rest comes; the result must not depend on it.
    let Some((piece, rest)) = bytes.split_first() else {
        return;
    };
    let whole = server::fuzzing::count_requests(rest, rest.len().max(1));
    let pieces = server::fuzzing::count_requests(rest, usize::from(*piece).max(1));
    if let (Some(whole), Some(pieces)) = (whole, pieces) {
        assert_eq!(whole, pieces, "the count depends on the pieces");
    }
    server::fuzzing::strip(rest);
}

/// A file by its bytes, and under the names of configurations.
pub(crate) fn files(bytes: &[u8]) {
    let versions = inventory::Versions::default();
    for name in [
        "file",
        "nginx.conf",
        "envoy.yaml",
        "sshd_config",
        "java.security",
    ] {
        let findings = inventory::read(std::path::Path::new(name), bytes, &versions);
        // An empty file of a configuration's name has that program's defaults.
        let (assets, most) = (findings.assets.len(), bytes.len() + 1);
        assert!(assets <= most, "{name}: {assets} assets of {most} bytes");
    }
}
