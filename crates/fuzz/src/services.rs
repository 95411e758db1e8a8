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
