//! How stores are encrypted and authenticated, in words.

use crate::der::{self, Element, Elements};
use crate::oid;

/// An encryption of PKCS #5 (RFC 8018), PKCS #12 (RFC 7292 appendix C) or Java's stores:
/// `PBES2 with PBKDF2-HMAC-SHA-256 (2048 iterations) and AES-256-CBC`.
pub(crate) fn encryption(oid: &str, parameters: Option<Element<'_>>) -> String {
    let pbe = match oid {
        "1.2.840.113549.1.5.13" => {
            return pbes2(parameters).unwrap_or_else(|| "PBES2".to_owned());
        }
        "1.2.840.113549.1.5.1" => "pbeWithMD2AndDES-CBC",
        "1.2.840.113549.1.5.3" => "pbeWithMD5AndDES-CBC",
        "1.2.840.113549.1.5.6" => "pbeWithMD5AndRC2-CBC",
        "1.2.840.113549.1.5.10" => "pbeWithSHA1AndDES-CBC",
        "1.2.840.113549.1.5.11" => "pbeWithSHA1AndRC2-CBC",
        "1.2.840.113549.1.12.1.1" => "pbeWithSHAAnd128BitRC4",
        "1.2.840.113549.1.12.1.2" => "pbeWithSHAAnd40BitRC4",
        "1.2.840.113549.1.12.1.3" => "pbeWithSHAAnd3-KeyTripleDES-CBC",
        "1.2.840.113549.1.12.1.4" => "pbeWithSHAAnd2-KeyTripleDES-CBC",
        "1.2.840.113549.1.12.1.5" => "pbeWithSHAAnd128BitRC2-CBC",
        "1.2.840.113549.1.12.1.6" => "pbewithSHAAnd40BitRC2-CBC",
        "1.3.6.1.4.1.42.2.17.1.1" => "JKS key protector (SHA-1 keystream)",
        "1.3.6.1.4.1.42.2.19.1" => "PBEWithMD5AndTripleDES",
        other => other,
    };
    let iterations = || {
        let mut parameters = parameters?.inside();
        parameters.expect(der::OCTET_STRING)?;
        number(parameters.expect(der::INTEGER)?)
    };
    match iterations() {
        Some(iterations) => format!("{pbe} ({iterations} iterations)"),
        None => pbe.to_owned(),
    }
}

/// MacData of RFC 7292 section 4: `HMAC-SHA-256 (2048 iterations)`.
pub(crate) fn mac(mac: &mut Elements<'_>) -> Option<String> {
    let mut digest = mac.enter(der::SEQUENCE)?;
    let (algorithm, parameters) = der::algorithm_identifier(digest.enter(der::SEQUENCE)?)?;
    mac.expect(der::OCTET_STRING)?;
    let iterations = mac.expect(der::INTEGER).and_then(number).unwrap_or(1);
    // PBMAC1 (RFC 9579) has its own iterations.
    if algorithm == "1.2.840.113549.1.5.14" {
        let derivation = parameters.and_then(|parameters| {
            let (oid, parameters) =
                der::algorithm_identifier(parameters.inside().enter(der::SEQUENCE)?)?;
            key_derivation(&oid, parameters)
        });
        return Some(match derivation {
            Some(derivation) => format!("MAC PBMAC1 with {derivation}"),
            None => "MAC PBMAC1".to_owned(),
        });
    }
    let hash = oid::hash(&algorithm).unwrap_or(&algorithm);
    Some(format!("MAC HMAC-{hash} ({iterations} iterations)"))
}

fn pbes2(parameters: Option<Element<'_>>) -> Option<String> {
    let mut parameters = parameters?.inside();
    let (derivation, derivation_parameters) =
        der::algorithm_identifier(parameters.enter(der::SEQUENCE)?)?;
    let (cipher, _) = der::algorithm_identifier(parameters.enter(der::SEQUENCE)?)?;
    let derivation = key_derivation(&derivation, derivation_parameters)?;
    let cipher = match cipher.as_str() {
        "2.16.840.1.101.3.4.1.2" => "AES-128-CBC",
        "2.16.840.1.101.3.4.1.6" => "AES-128-GCM",
        "2.16.840.1.101.3.4.1.22" => "AES-192-CBC",
        "2.16.840.1.101.3.4.1.26" => "AES-192-GCM",
        "2.16.840.1.101.3.4.1.42" => "AES-256-CBC",
        "2.16.840.1.101.3.4.1.46" => "AES-256-GCM",
        "1.2.840.113549.3.7" => "DES-EDE3-CBC",
        "1.2.840.113549.3.2" => "RC2-CBC",
        "1.3.14.3.2.7" => "DES-CBC",
        other => other,
    };
    Some(format!("PBES2 with {derivation} and {cipher}"))
}

/// PBKDF2 (RFC 8018 appendix A.2) or scrypt (RFC 7914 section 7).
fn key_derivation(oid: &str, parameters: Option<Element<'_>>) -> Option<String> {
    let mut parameters = parameters?.inside();
    parameters.next()?;
    let cost = number(parameters.expect(der::INTEGER)?)?;
    match oid {
        "1.2.840.113549.1.5.12" => {
            // keyLength is optional, and the default of the function is HMAC-SHA-1.
            let function = parameters.find(|part| part.identifier == der::SEQUENCE);
            let hash = match function {
                None => "SHA-1".to_owned(),
                Some(function) => {
                    let (oid, _) = der::algorithm_identifier(function.inside())?;
                    hmac(&oid).map_or(oid, str::to_owned)
                }
            };
            Some(format!("PBKDF2-HMAC-{hash} ({cost} iterations)"))
        }
        "1.3.6.1.4.1.11591.4.11" => Some(format!("scrypt (N = {cost})")),
        other => Some(other.to_owned()),
    }
}

fn hmac(oid: &str) -> Option<&'static str> {
    Some(match oid.strip_prefix("1.2.840.113549.2.")? {
        "7" => "SHA-1",
        "8" => "SHA-224",
        "9" => "SHA-256",
        "10" => "SHA-384",
        "11" => "SHA-512",
        "12" => "SHA-512/224",
        "13" => "SHA-512/256",
        _ => return None,
    })
}

/// A positive INTEGER of at most eight octets.
fn number(integer: Element<'_>) -> Option<u64> {
    let significant = integer.content.iter().skip_while(|byte| **byte == 0);
    let mut value = 0_u64;
    for byte in significant {
        value = value.checked_mul(256)? | u64::from(*byte);
    }
    Some(value)
}
