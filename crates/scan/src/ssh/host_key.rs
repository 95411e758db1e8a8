//! Host keys as servers show them.

use std::path::Path;

use audit::{Algorithm, AssetKind, HostKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use inventory::Versions;

use super::packet::{Fields, printable, put_string};
use crate::dial::Stopped;
use crate::incoming::garbage;

const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// Algorithms out of a server's list of which each shows another key: three are for the same
/// RSA key (RFC 8332 section 3).
pub(super) fn one_of_each_kind(algorithms: &[String]) -> Vec<&str> {
    let mut kinds = Vec::new();
    let mut one_of_each = Vec::new();
    for algorithm in algorithms {
        let kind = kind(algorithm);
        if !kinds.contains(&kind) {
            kinds.push(kind);
            one_of_each.push(algorithm.as_str());
        }
    }
    one_of_each
}

/// The type of the key that is shown for an algorithm.
fn kind(algorithm: &str) -> String {
    let (base, end) = match algorithm.strip_suffix(CERTIFICATE) {
        Some(base) => (base, CERTIFICATE),
        None => (algorithm, ""),
    };
    match base {
        "rsa-sha2-256" | "rsa-sha2-512" => format!("ssh-rsa{end}"),
        _ => algorithm.to_owned(),
    }
}

/// Reads the key that a server showed when it was asked for this algorithm.
pub(super) fn read(algorithm: &str, blob: &[u8]) -> Result<HostKey, Stopped> {
    let name = Fields(blob).string().map(printable).unwrap_or_default();
    if name != kind(algorithm) {
        let detail = format!("it shows a key of type {name:?} for {algorithm}");
        return Err(garbage(detail));
    }
    let broken = || garbage(format!("the key of type {name} is malformed"));
    let plain = plain(&name, blob).ok_or_else(broken)?;
    Ok(HostKey {
        algorithm: key_algorithm(&name, blob).ok_or_else(broken)?,
        fingerprint: STANDARD_NO_PAD.encode(digest(&SHA256, &plain)),
    })
}

/// What `inventory` says of the same key on a line of a `.pub` file.
fn key_algorithm(name: &str, blob: &[u8]) -> Option<Algorithm> {
    // By these it tells a line with a key from others.
    let is_usual = ["ssh-", "ecdsa-", "sk-"]
        .iter()
        .any(|start| name.starts_with(start));
    if !is_usual {
        return Some(Algorithm::Other(name.to_owned()));
    }
    let line = format!("{name} {}\n", STANDARD.encode(blob));
    let found = inventory::read(Path::new("host.pub"), line.as_bytes(), &Versions::default());
    match found.assets.into_iter().next()?.kind {
        AssetKind::Key(key) => key.algorithm,
        _ => None,
    }
}

/// The key in a certificate as it is without: `ssh-keygen -l` shows the fingerprint of that
/// (PROTOCOL.certkeys of OpenSSH).
fn plain(name: &str, blob: &[u8]) -> Option<Vec<u8>> {
    let Some(plain_name) = name.strip_suffix(CERTIFICATE) else {
        return Some(blob.to_vec());
    };
    // The key's fields stand behind the name and a nonce.
    let fields = match plain_name {
        "ssh-rsa" | "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => 2,
        "ssh-dss" => 4,
        // All newer ones have one.
        _ => 1,
    };
    let mut rest = Fields(blob);
    rest.string()?;
    rest.string()?;
    let mut plain = Vec::new();
    put_string(&mut plain, plain_name.as_bytes());
    for _ in 0..fields {
        put_string(&mut plain, rest.string()?);
    }
    Some(plain)
}
