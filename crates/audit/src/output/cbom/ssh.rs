//! SSH's names of host key algorithms, and what they stand for.

use crate::{Algorithm, Curve};

/// The algorithm and its hash (RFC 4253 section 6.6 and its registry); the size of an RSA key
/// does not follow from it.
pub(super) fn host_key(name: &str) -> (Algorithm, Option<&'static str>) {
    let method = name
        .split('@')
        .next()
        .unwrap_or(name)
        .trim_end_matches("-cert-v01");
    match method.strip_prefix("sk-").unwrap_or(method) {
        "ssh-rsa" => (Algorithm::Rsa(0), Some("SHA-1")),
        "rsa-sha2-256" => (Algorithm::Rsa(0), Some("SHA-256")),
        "rsa-sha2-512" => (Algorithm::Rsa(0), Some("SHA-512")),
        "ssh-dss" => (Algorithm::Dsa(0), Some("SHA-1")),
        "ssh-ed25519" => (Algorithm::Ec(Curve::Ed25519), None),
        "ssh-ed448" => (Algorithm::Ec(Curve::Ed448), None),
        "ecdsa-sha2-nistp256" => (Algorithm::Ec(Curve::P256), Some("SHA-256")),
        "ecdsa-sha2-nistp384" => (Algorithm::Ec(Curve::P384), Some("SHA-384")),
        "ecdsa-sha2-nistp521" => (Algorithm::Ec(Curve::P521), Some("SHA-512")),
        _ => (Algorithm::Other(name.to_owned()), None),
    }
}
