//! What the bytes of a file are.

use std::borrow::Cow;
use std::path::Path;

use audit::{Algorithm, AssetKind};
use zeroize::Zeroizing;

use crate::findings::{Findings, Place};
use crate::object::{self, Kind};
use crate::pem::{Block, Blocks, Decoded, PEM, SSH2};
use crate::{Versions, config, der, jks, key, oid, openpgp, ssh};

/// How much of a file tells whether it is text, or begins as something known.
pub(crate) const HEAD: usize = 8 * 1024;

/// Endings of names that promise a certificate, key or store.
const CLAIMING: [&str; 13] = [
    "pem", "crt", "cer", "der", "key", "p12", "pfx", "jks", "keystore", "asc", "gpg", "pub", "p7b",
];

/// Labels of PEM blocks in which there is no key and no certificate.
const PASSED_OVER: [&str; 12] = [
    "EC PARAMETERS",
    "DSA PARAMETERS",
    "DH PARAMETERS",
    "X9.42 DH PARAMETERS",
    "PGP SIGNATURE",
    "PGP MESSAGE",
    "PGP SIGNED MESSAGE",
    "SSH SIGNATURE",
    "AGE ENCRYPTED FILE",
    "ATTRIBUTE CERTIFICATE",
    "CERTIFICATE PAIR",
    "OCSP RESPONSE",
];

/// What a file holds, told by its bytes. The name only decides whether nothing is a problem,
/// and which configuration a text may be.
pub fn read(path: &Path, bytes: &[u8], versions: &Versions) -> Findings {
    let shown = path.to_string_lossy();
    let mut reading = Reading {
        place: Place::file(&shown),
        claim: claim(path),
        is_known: false,
        findings: Findings::default(),
    };
    if !reading.binary(bytes) && is_text(bytes) {
        reading.text(path, bytes, versions);
    }
    if let Some(claim) = reading.claim
        && !reading.is_known
        && reading.findings.is_empty()
    {
        let reason = format!(
            "its name ends with .{claim}, but no certificate, key or store that is known is in it"
        );
        reading.findings.problem(&reading.place, reason);
    }
    reading.findings
}

/// Whether the rest of a file is worth reading, by its beginning.
pub(crate) fn may_hold(path: &Path, head: &[u8]) -> bool {
    let is_openpgp = matches!(head.first(), Some(0x94..=0x9b | 0xc5 | 0xc6));
    claim(path).is_some()
        || is_text(head)
        || head.first() == Some(&der::SEQUENCE)
        || jks::is_beginning(head)
        || openpgp::is_keybox(head)
        || is_openpgp
}

fn claim(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?.to_str()?;
    let mut known = CLAIMING.into_iter();
    known.find(|known| known.eq_ignore_ascii_case(ending))
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes[..bytes.len().min(HEAD)].contains(&0)
}

struct Reading<'a> {
    place: Place<'a>,
    claim: Option<&'static str>,
    /// Whether something was recognised, even where nothing is told of it.
    is_known: bool,
    findings: Findings,
}

impl Reading<'_> {
    /// Whether it is of a binary format. A file without a NUL can be one.
    fn binary(&mut self, bytes: &[u8]) -> bool {
        let (place, findings) = (&self.place, &mut self.findings);
        if jks::is_beginning(bytes) {
            jks::read(bytes, place, findings);
        } else if openpgp::is_keybox(bytes) {
            openpgp::keybox(bytes, place, findings);
        } else if openpgp::is_beginning(bytes) {
            openpgp::read(bytes, place, findings);
        } else if let Some(kind) = Kind::of_structure(bytes) {
            object::read(kind, bytes, None, place, findings);
        } else {
            // A message or signature of OpenPGP: only where the name makes it believable.
            let may_be_message = matches!(self.claim, Some("gpg" | "asc"));
            if !may_be_message || !openpgp::is_message(bytes) {
                return false;
            }
        }
        self.is_known = true;
        true
    }

    fn text(&mut self, path: &Path, bytes: &[u8], versions: &Versions) {
        let text = text(bytes);
        self.blocks(&text);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_claimed = self.claim == Some("pub")
            || name.starts_with("authorized_keys")
            || name.starts_with("known_hosts")
            || name.starts_with("ssh_known_hosts");
        ssh::lines(&text, is_claimed, &self.place, &mut self.findings);
        if let Some((settings, problems)) = config::settings(path, &text, versions) {
            self.is_known = true;
            for settings in settings {
                let place = match settings.directives.first() {
                    Some(directive) => self.place.at_line(directive.line),
                    None => self.place.clone(),
                };
                self.findings.asset(&place, AssetKind::Settings(settings));
            }
            self.findings.problems.extend(problems);
        }
    }

    fn blocks(&mut self, text: &str) {
        // The curve of EC PARAMETERS, for the key behind it that does not name its own.
        let mut curve = None;
        for block in Blocks::of(text, &PEM).chain(Blocks::of(text, &SSH2)) {
            let place = self.place.at_line(block.line);
            let mut found = Findings::default();
            if PASSED_OVER.contains(&block.label) {
                self.is_known = true;
                if block.label == "EC PARAMETERS" {
                    curve = block.decode().ok().map(|decoded| decoded.bytes);
                }
                continue;
            }
            match block.decode() {
                Ok(decoded) => {
                    let curve = curve.as_ref().map(|curve| curve.as_slice());
                    self.is_known |= content(&block, &decoded, curve, &place, &mut found);
                }
                Err(error) => found.problem(&place, format!("{}: {error}", block.label)),
            }
            // A string of a program, as a template or a test has them.
            if block.begins_line || !found.assets.is_empty() {
                self.findings.assets.append(&mut found.assets);
                self.findings.problems.append(&mut found.problems);
            }
        }
    }
}

/// Writes what a block holds into findings; whether it is of a known kind.
fn content(
    block: &Block<'_>,
    decoded: &Decoded,
    curve: Option<&[u8]>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> bool {
    let is_encrypted = decoded
        .header("Proc-Type")
        .is_some_and(|value| value.contains("ENCRYPTED"));
    let bytes = decoded.bytes.as_slice();
    match (block.label, Kind::of_label(block.label)) {
        (label, Some(_)) if is_encrypted => {
            let key = key::encrypted(legacy_algorithm(label, curve));
            findings.asset(place, AssetKind::Key(key));
        }
        (_, Some(Kind::RevocationList)) => return true,
        (_, Some(kind)) => object::read(kind, bytes, curve, place, findings),
        ("OPENSSH PRIVATE KEY", _) => ssh::private_key(bytes, place, findings),
        ("SSH2 PUBLIC KEY", _) => {
            ssh::public_key(bytes, decoded.header("Comment"), place, findings);
        }
        ("PGP PUBLIC KEY BLOCK" | "PGP PRIVATE KEY BLOCK", _) => {
            openpgp::read(bytes, place, findings);
        }
        (label, None) => {
            let reason = format!("a PEM block of a kind that is not known: {label:?}");
            findings.problem(place, reason);
            return false;
        }
    }
    true
}

/// What the label of a key tells that is encrypted as a whole (RFC 1421 section 4.6.1.1): no
/// size, and a curve only where its parameters stand before it.
fn legacy_algorithm(label: &str, curve: Option<&[u8]>) -> Option<Algorithm> {
    match label {
        "RSA PRIVATE KEY" => Some(Algorithm::Rsa(0)),
        "DSA PRIVATE KEY" => Some(Algorithm::Dsa(0)),
        "EC PRIVATE KEY" => Some(oid::key_algorithm(oid::EC, Some(der::whole(curve?)?))),
        _ => None,
    }
}

/// The bytes as text; what is no UTF-8 in it, as in comments of old files, is replaced.
fn text(bytes: &[u8]) -> Text<'_> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => Text::Whole(text),
        Cow::Owned(text) => Text::Mended(Zeroizing::new(text)),
    }
}

enum Text<'a> {
    Whole(&'a str),
    Mended(Zeroizing<String>),
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Whole(text) => text,
            Self::Mended(text) => text,
        }
    }
}
