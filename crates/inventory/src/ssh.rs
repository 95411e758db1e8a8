//! SSH's keys: OpenSSH's private keys, and the lines of `.pub` files, `authorized_keys` and
//! `known_hosts`.
//!
//! Only public blobs are read: they stand in the clear before an encrypted private key too,
//! and a blob with a name that is not known is still a key. Both are why no library serves.

use audit::{Algorithm, AssetKind, Curve, KeyFacts, KeyForm, KeyUse};

use crate::cursor::Cursor;
use crate::findings::{Findings, Place, printable};
use crate::{der, fingerprint, pem};

const MAGIC: &[u8] = b"openssh-key-v1\0";
const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// The content of an `OPENSSH PRIVATE KEY` block (PROTOCOL.key of OpenSSH).
pub(crate) fn private_key(bytes: &[u8], place: &Place<'_>, findings: &mut Findings) {
    let keys = || {
        let mut cursor = Cursor(bytes.strip_prefix(MAGIC)?);
        let cipher = cursor.string()?;
        cursor.string()?;
        cursor.string()?;
        let count = cursor.u32()?;
        let is_encrypted = cipher != b"none";
        let mut keys = Vec::new();
        for _ in 0..count {
            let mut facts = blob(cursor.string()?)?.facts;
            facts.is_private = true;
            facts.is_encrypted = is_encrypted;
            keys.push(facts);
        }
        cursor.string()?;
        Some(keys)
    };
    match keys() {
        Some(keys) => {
            for facts in keys {
                findings.asset(place, AssetKind::Key(facts));
            }
        }
        None => findings.problem(place, "the OpenSSH private key is malformed"),
    }
}

/// The content of an `SSH2 PUBLIC KEY` block (RFC 4716).
pub(crate) fn public_key(
    bytes: &[u8],
    comment: Option<&str>,
    place: &Place<'_>,
    findings: &mut Findings,
) {
    match blob(bytes) {
        Some(mut blob) => {
            let comment = comment.map(|comment| printable(comment.trim_matches('"')));
            blob.facts.owner = blob.facts.owner.or(comment);
            blob.write(place, findings);
        }
        None => findings.problem(place, "the SSH public key is malformed"),
    }
}

/// The keys in lines of text. Broken ones are told where the file `is_claimed` to hold keys.
pub(crate) fn lines(text: &str, is_claimed: bool, place: &Place<'_>, findings: &mut Findings) {
    // Four bytes of a length below 256 are `AAAA` in base64, and a type's name is shorter.
    if !text.contains("AAAA") {
        return;
    }
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let place = place.at_line(number);
        match key_line(line) {
            Some(Ok(blob)) => blob.write(&place, findings),
            Some(Err(())) if is_claimed => {
                findings.problem(&place, "the SSH public key on this line is malformed");
            }
            _ => {}
        }
    }
}

/// `[options or hosts] type base64 [comment]` (sshd(8)); the type and base64 are found
/// together, as options may have spaces.
fn key_line(line: &str) -> Option<Result<Blob, ()>> {
    let mut is_broken = false;
    for (at, _) in line.match_indices("AAAA") {
        let before = line[..at].trim_end();
        if before.len() == at {
            continue;
        }
        let (prefix, name) = before.rsplit_once([' ', '\t']).unwrap_or(("", before));
        let is_type = ["ssh-", "ecdsa-", "sk-"]
            .iter()
            .any(|start| name.starts_with(start));
        if !is_type {
            continue;
        }
        let (base64, comment) = line[at..]
            .split_once([' ', '\t'])
            .unwrap_or((&line[at..], ""));
        let found = pem::decode(base64).and_then(|bytes| blob(&bytes));
        match found {
            Some(mut found) if found.name == name => {
                found.facts.owner = found.facts.owner.or_else(|| owner(prefix, comment));
                return Some(Ok(found));
            }
            _ => is_broken = true,
        }
    }
    is_broken.then_some(Err(()))
}

/// The comment, or the hosts of a line of `known_hosts`.
fn owner(prefix: &str, comment: &str) -> Option<String> {
    let comment = comment.trim();
    if !comment.is_empty() {
        return Some(printable(comment));
    }
    // A marker (`@cert-authority`) stands before the hosts.
    let hosts = prefix
        .split_whitespace()
        .find(|word| !word.starts_with('@'))?;
    // Options have names that no host has, or values; hashed hosts tell nothing.
    let is_option = hosts.contains('=')
        || [
            "restrict",
            "cert-authority",
            "pty",
            "user-rc",
            "verify-required",
        ]
        .contains(&hosts)
        || hosts.starts_with("no-")
        || hosts.ends_with("-forwarding");
    (!is_option && !hosts.starts_with("|1|")).then(|| printable(hosts))
}

/// A public key or certificate as it goes over the wire.
struct Blob {
    name: String,
    facts: KeyFacts,
    /// The key of the authority that signed, in certificates.
    authority: Option<KeyFacts>,
}

impl Blob {
    fn write(self, place: &Place<'_>, findings: &mut Findings) {
        findings.asset(place, AssetKind::Key(self.facts));
        if let Some(authority) = self.authority {
            let place = place.in_entry("authority of the certificate");
            findings.asset(&place, AssetKind::Key(authority));
        }
    }
}

/// RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4, PROTOCOL.certkeys and
/// PROTOCOL.u2f of OpenSSH.
fn blob(bytes: &[u8]) -> Option<Blob> {
    let mut cursor = Cursor(bytes);
    let name = cursor.text()?.to_owned();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_name {
        return None;
    }
    let certified = name.strip_suffix(CERTIFICATE);
    if certified.is_some() {
        // The nonce.
        cursor.string()?;
    }
    let plain = certified.unwrap_or(&name).trim_end_matches("@openssh.com");
    let algorithm = algorithm(plain, &mut cursor)?;
    let facts = |algorithm, bytes: &[u8]| KeyFacts {
        form: KeyForm::Ssh,
        algorithm: Some(algorithm),
        uses: vec![KeyUse::Signature],
        is_private: false,
        is_encrypted: false,
        fingerprint: Some(fingerprint::sha256(bytes)),
        owner: None,
    };
    let mut own = facts(algorithm, bytes);
    let mut authority = None;
    if certified.is_some()
        && let Some((key_id, signer)) = certification(plain, &mut cursor)
    {
        own.owner = Some(printable(key_id)).filter(|id| !id.is_empty());
        // A certificate is not signed by a certificate: no recursion.
        let mut signer_key = Cursor(signer);
        let signer_name = signer_key.text()?.trim_end_matches("@openssh.com");
        let algorithm = self::algorithm(signer_name, &mut signer_key)?;
        authority = Some(facts(algorithm, signer));
    }
    Some(Blob {
        name,
        facts: own,
        authority,
    })
}

/// Reads the fields of a key that tell its algorithm, and all of the algorithms that can be
/// certified.
fn algorithm(name: &str, cursor: &mut Cursor<'_>) -> Option<Algorithm> {
    let hybrid = |curve, set| {
        let classical = Box::new(Algorithm::Ec(curve));
        Algorithm::Hybrid(classical, Box::new(Algorithm::MlDsa(set)))
    };
    Some(match name {
        "ssh-rsa" | "rsa-sha2-256" | "rsa-sha2-512" => {
            cursor.string()?;
            Algorithm::Rsa(der::bits(cursor.string()?))
        }
        "ssh-dss" => {
            let prime = cursor.string()?;
            for _ in 0..3 {
                cursor.string()?;
            }
            Algorithm::Dsa(der::bits(prime))
        }
        "ssh-ed25519" | "sk-ssh-ed25519" => {
            cursor.string().filter(|key| key.len() == 32)?;
            Algorithm::Ec(Curve::Ed25519)
        }
        "ssh-ed448" => Algorithm::Ec(Curve::Ed448),
        _ if name.starts_with("ecdsa-sha2-") || name.starts_with("sk-ecdsa-sha2-") => {
            let curve = cursor.text()?;
            cursor.string()?;
            match curve {
                "nistp256" => Algorithm::Ec(Curve::P256),
                "nistp384" => Algorithm::Ec(Curve::P384),
                "nistp521" => Algorithm::Ec(Curve::P521),
                // RFC 5656 section 6.1 names other curves by their object identifiers.
                oid => crate::oid::curve(oid),
            }
        }
        "ssh-xmss" => Algorithm::HashBased("XMSS".to_owned()),
        "ssh-mldsa-44" | "ssh-mldsa44" => Algorithm::MlDsa(44),
        "ssh-mldsa-65" | "ssh-mldsa65" => Algorithm::MlDsa(65),
        "ssh-mldsa-87" | "ssh-mldsa87" => Algorithm::MlDsa(87),
        "ssh-mldsa44-ed25519" => hybrid(Curve::Ed25519, 44),
        "ssh-mldsa65-ed25519" => hybrid(Curve::Ed25519, 65),
        "ssh-mldsa87-ed448" => hybrid(Curve::Ed448, 87),
        "ssh-mldsa44-es256" => hybrid(Curve::P256, 44),
        "ssh-mldsa65-es256" => hybrid(Curve::P256, 65),
        "ssh-mldsa87-es384" => hybrid(Curve::P384, 87),
        other => Algorithm::Other(other.to_owned()),
    })
}

/// The key id and the authority's key, behind the fields of the certified key.
fn certification<'a>(name: &str, cursor: &mut Cursor<'a>) -> Option<(&'a str, &'a [u8])> {
    if name.starts_with("sk-") {
        // The application.
        cursor.string()?;
    }
    cursor.u64()?;
    cursor.u32()?;
    let key_id = cursor.text()?;
    cursor.string()?;
    cursor.u64()?;
    cursor.u64()?;
    for _ in 0..3 {
        cursor.string()?;
    }
    Some((key_id, cursor.string()?))
}
