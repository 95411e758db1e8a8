//! Packets of keys (RFC 9580 section 5.5, RFC 9980 section 4).

use audit::{Algorithm, Curve, KeyFacts, KeyForm, KeyUse};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use crate::cursor::Cursor;
use crate::{der, fingerprint};

/// A key of a ring.
pub(super) struct Key {
    algorithm: Algorithm,
    possible: Vec<KeyUse>,
    /// What its self-signature says that it is for.
    pub(super) stated: Option<Vec<KeyUse>>,
    is_private: bool,
    is_encrypted: bool,
    fingerprint: Option<String>,
    pub(super) owner: Option<String>,
}

impl Key {
    pub(super) fn facts(self) -> KeyFacts {
        KeyFacts {
            form: KeyForm::OpenPgp,
            algorithm: Some(self.algorithm),
            uses: self.stated.unwrap_or(self.possible),
            is_private: self.is_private,
            is_encrypted: self.is_encrypted,
            fingerprint: self.fingerprint,
            owner: self.owner,
        }
    }
}

/// Reads the body of a public or secret key packet of versions 2 to 6.
pub(super) fn read(body: &[u8], is_secret: bool) -> Option<Key> {
    let mut cursor = Cursor(body);
    let version = cursor.u8()?;
    // When it was made.
    cursor.u32()?;
    if version <= 3 {
        // For how long it is valid.
        cursor.u16()?;
    }
    let number = cursor.u8()?;
    let stated_length = match version {
        2..=4 => None,
        5 | 6 => Some(usize::try_from(cursor.u32()?).ok()?),
        _ => return None,
    };
    let mut material = match stated_length {
        Some(length) => Cursor(cursor.0.get(..length)?),
        None => cursor,
    };
    let before = material.0.len();
    let known = algorithm(number, &mut material)?;
    let length = match (stated_length, &known) {
        (Some(length), _) => Some(length),
        (None, Algorithm::Other(_)) if is_secret => None,
        (None, Algorithm::Other(_)) => Some(before),
        (None, _) => Some(before - material.0.len()),
    };
    let public = length.and_then(|length| {
        let header = body.len() - cursor.0.len();
        body.get(..header + length)
    });
    let (is_private, is_encrypted) = match public {
        Some(public) if is_secret => secret(&body[public.len()..], version)?,
        Some(public) if public.len() != body.len() => return None,
        _ => (is_secret, false),
    };
    Some(Key {
        possible: possible_uses(number, &known),
        algorithm: known,
        stated: None,
        is_private,
        is_encrypted,
        fingerprint: public.and_then(|public| fingerprint_of(version, public)),
        owner: None,
    })
}

/// The algorithm by its number, having read its public material.
fn algorithm(number: u8, material: &mut Cursor<'_>) -> Option<Algorithm> {
    let hybrid = |curve, other| Algorithm::Hybrid(Box::new(Algorithm::Ec(curve)), Box::new(other));
    let mut fixed = |length: usize, algorithm| material.take(length).map(|_| algorithm);
    match number {
        25 => return fixed(32, Algorithm::Ec(Curve::X25519)),
        26 => return fixed(56, Algorithm::Ec(Curve::X448)),
        27 => return fixed(32, Algorithm::Ec(Curve::Ed25519)),
        28 => return fixed(57, Algorithm::Ec(Curve::Ed448)),
        // RFC 9980: the classical half stands first.
        30 => return fixed(32 + 1952, hybrid(Curve::Ed25519, Algorithm::MlDsa(65))),
        31 => return fixed(57 + 2592, hybrid(Curve::Ed448, Algorithm::MlDsa(87))),
        32 => return fixed(32, Algorithm::SlhDsa("SHAKE-128s".to_owned())),
        33 => return fixed(32, Algorithm::SlhDsa("SHAKE-128f".to_owned())),
        34 => return fixed(64, Algorithm::SlhDsa("SHAKE-256s".to_owned())),
        35 => return fixed(32 + 1184, hybrid(Curve::X25519, Algorithm::MlKem(768))),
        36 => return fixed(56 + 1568, hybrid(Curve::X448, Algorithm::MlKem(1024))),
        _ => {}
    }
    Some(match number {
        1..=3 => {
            let modulus = integer(material)?;
            integer(material)?;
            Algorithm::Rsa(der::bits(modulus))
        }
        // Elgamal is Diffie-Hellman in the field of its prime.
        16 | 20 => {
            let prime = integer(material)?;
            integer(material)?;
            integer(material)?;
            Algorithm::Dh(der::bits(prime))
        }
        17 => {
            let prime = integer(material)?;
            for _ in 0..3 {
                integer(material)?;
            }
            Algorithm::Dsa(der::bits(prime))
        }
        18 => {
            let curve = curve(material)?;
            // The hash and cipher of its key derivation.
            let length = material.u8()?;
            material.take(usize::from(length))?;
            curve
        }
        19 | 22 => curve(material)?,
        // Kyber as GnuPG 2.5 writes it: a curve, and ML-KEM behind a length.
        8 => {
            let classical = curve(material)?;
            let set = match material.string()?.len() {
                1184 => 768,
                1568 => 1024,
                _ => return None,
            };
            Algorithm::Hybrid(Box::new(classical), Box::new(Algorithm::MlKem(set)))
        }
        other => Algorithm::Other(format!("OpenPGP algorithm {other}")),
    })
}

/// A curve's object identifier without its header, then a point.
fn curve(material: &mut Cursor<'_>) -> Option<Algorithm> {
    let length = material.u8()?;
    let oid = der::dotted(material.take(usize::from(length))?);
    integer(material)?;
    Some(match oid.as_str() {
        "1.3.6.1.4.1.11591.15.1" => Algorithm::Ec(Curve::Ed25519),
        "1.3.6.1.4.1.3029.1.5.1" => Algorithm::Ec(Curve::X25519),
        named if named.starts_with("1.3.101.") => crate::oid::key_algorithm(named, None),
        named => crate::oid::curve(named),
    })
}

/// A number behind its length in bits (RFC 9580 section 3.2).
fn integer<'a>(material: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let bits = material.u16()?;
    material.take(usize::from(bits).div_ceil(8))
}

/// Whether a secret is there, and whether it is encrypted (section 3.7.2).
fn secret(rest: &[u8], version: u8) -> Option<(bool, bool)> {
    let (usage, rest) = rest.split_first()?;
    // Versions 5 and 6 count the octets that follow here.
    let rest = if version >= 5 && *usage != 0 {
        rest.get(1..)?
    } else {
        rest
    };
    // GnuPG writes a key whose secret is elsewhere with S2K 101 and its name.
    let is_stub = matches!(rest, [_, 101, _, b'G', b'N', b'U', ..]) && *usage >= 254;
    Some((!is_stub, *usage != 0 && !is_stub))
}

fn possible_uses(number: u8, algorithm: &Algorithm) -> Vec<KeyUse> {
    match number {
        2 | 8 | 16 | 18 => vec![KeyUse::KeyEstablishment],
        3 | 19 | 22 => vec![KeyUse::Signature],
        _ => crate::key::uses(algorithm),
    }
}

/// RFC 9580 section 5.5.4, and GnuPG's version 5.
fn fingerprint_of(version: u8, public: &[u8]) -> Option<String> {
    let wide = |mark: u8| {
        let length = u32::try_from(public.len()).ok()?;
        let mut hash = Sha256::new();
        hash.update([mark]);
        hash.update(length.to_be_bytes());
        hash.update(public);
        Some(fingerprint::hex(&hash.finalize()))
    };
    match version {
        4 => {
            let length = u16::try_from(public.len()).ok()?;
            let mut hash = Sha1::new();
            hash.update([0x99]);
            hash.update(length.to_be_bytes());
            hash.update(public);
            Some(fingerprint::hex(&hash.finalize()))
        }
        5 => wide(0x9a),
        6 => wide(0x9b),
        _ => None,
    }
}
