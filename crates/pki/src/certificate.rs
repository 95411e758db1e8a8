//! What stands in a certificate, for people and for decisions.

use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use wire::SignatureAlgorithm;
use x509_parser::asn1_rs::ToDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AttributeTypeAndValue, SubjectPublicKeyInfo, X509Name};

use crate::key::public_key_algorithm;

/// The fields of a certificate (RFC 5280) that say what it is, for whom, by whom and until
/// when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The subject as RFC 4514 writes names: the last component first.
    pub subject: String,
    /// The issuer, likewise.
    pub issuer: String,
    /// The serial number, upper-case hexadecimal digits without separators.
    pub serial: String,
    /// Valid from.
    pub not_before: OffsetDateTime,
    /// Valid until.
    pub not_after: OffsetDateTime,
    /// DNS names, addresses, URIs and e-mail addresses of the subject alternative name.
    pub names: Vec<String>,
    /// The subject's key.
    pub key: Algorithm,
    /// What the issuer signed with.
    pub signature: Algorithm,
    /// Whether it may sign other certificates (basicConstraints).
    pub is_authority: bool,
    /// Length of the certificate in bytes.
    pub length: usize,
}

/// An algorithm of keys or signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Algorithm {
    /// Its usual name with the key's size where that varies, or its object identifier.
    pub name: String,
    /// Whether a quantum computer leaves it standing; false for what is unknown.
    pub is_post_quantum: bool,
}

impl Algorithm {
    /// The type of a key, as names of TLS signature schemes begin: `rsa`, `ecdsa`,
    /// `ed25519`, `mldsa65`. `None` for what has no scheme.
    pub fn kind(&self) -> Option<&'static str> {
        let kinds = [
            ("RSA", "rsa"),
            ("ECDSA", "ecdsa"),
            ("Ed25519", "ed25519"),
            ("Ed448", "ed448"),
            ("ML-DSA-44", "mldsa44"),
            ("ML-DSA-65", "mldsa65"),
            ("ML-DSA-87", "mldsa87"),
        ];
        let mut found = kinds.iter().filter(|(name, _)| self.name.starts_with(name));
        found.next().map(|(_, kind)| *kind)
    }
}

/// The bytes are no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a certificate (RFC 5280): {0}")]
pub struct NotACertificate(String);

impl Certificate {
    /// Reads a certificate in DER. Nothing is verified.
    ///
    /// # Errors
    /// When it does not parse, or something follows it.
    pub fn from_der(der: &[u8]) -> Result<Self, NotACertificate> {
        let certificate = match X509Certificate::from_der(der) {
            Ok(([], certificate)) => certificate,
            Ok(_) => return Err(NotACertificate("something follows it".to_owned())),
            Err(error) => return Err(NotACertificate(error.to_string())),
        };
        let validity = certificate.validity();
        let names = match certificate.subject_alternative_name() {
            Ok(Some(extension)) => extension.value.general_names.iter().map(name).collect(),
            _ => Vec::new(),
        };
        Ok(Self {
            subject: distinguished_name(certificate.subject()),
            issuer: distinguished_name(certificate.issuer()),
            serial: hex(certificate.raw_serial()),
            not_before: validity.not_before.to_datetime(),
            not_after: validity.not_after.to_datetime(),
            names,
            key: key_algorithm(certificate.public_key()),
            signature: signature_algorithm(&certificate.signature_algorithm.algorithm),
            is_authority: certificate.is_ca(),
            length: der.len(),
        })
    }
}

fn name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            (*name).to_owned()
        }
        GeneralName::IPAddress(bytes) => {
            ip_address(bytes).map_or_else(|| hex(bytes), |address| address.to_string())
        }
        GeneralName::DirectoryName(name) => distinguished_name(name),
        other => format!("{other:?}"),
    }
}

/// A distinguished name in DER, written as the subjects of certificates are; `None` where it
/// can't be read.
pub fn distinguished_name_from_der(der: &[u8]) -> Option<String> {
    let (_, name) = X509Name::from_der(der).ok()?;
    Some(distinguished_name(&name))
}

/// The address of a subject alternative name: 4 or 16 bytes (RFC 5280 section 4.2.1.6).
pub fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// The encoded public key of a certificate; `None` if it does not parse.
pub fn subject_public_key_info(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.public_key().raw.to_vec())
}

/// Whether the issuer's key made a certificate's signature. Names, times and purposes are
/// not looked at.
pub fn is_signed_by(der: &CertificateDer<'_>, issuer: &CertificateDer<'_>) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return false;
    };
    let Ok(issuer) = webpki::EndEntityCert::try_from(issuer) else {
        return false;
    };
    webpki::ALL_VERIFICATION_ALGS.iter().any(|algorithm| {
        let (message, signature) = (
            certificate.tbs_certificate.as_ref(),
            &certificate.signature_value.data,
        );
        issuer
            .verify_signature(*algorithm, message, signature)
            .is_ok()
    })
}

/// RFC 4514: relative names in reverse order, special characters behind a backslash.
pub fn distinguished_name(name: &X509Name<'_>) -> String {
    let mut parts = Vec::new();
    for relative in name.iter_rdn() {
        parts.push(relative.iter().map(attribute).collect::<Vec<_>>().join("+"));
    }
    parts.reverse();
    parts.join(",")
}

/// A value without a name for its type, or without a string for its syntax, is written as
/// its whole encoding, so that it can be read back (RFC 4514 section 2.4).
fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let text = attribute_name(&oid).zip(attribute.as_str().ok());
    if let Some((name, value)) = text {
        return format!("{name}={}", escape(value));
    }
    // The length was read from bytes in memory: it can be written again.
    let encoding = attribute.attr_value().to_der_vec().unwrap_or_default();
    let name = attribute_name(&oid).unwrap_or(&oid);
    format!("{name}=#{}", hex(&encoding))
}

/// A value as it stands in a distinguished name: special characters behind a backslash (RFC
/// 4514 section 2.4).
pub fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        let is_special = matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\');
        let is_at_edge = (at == 0 && matches!(c, ' ' | '#')) || (at == last && c == ' ');
        match c {
            c if c.is_control() => {
                let mut bytes = [0; 4];
                let bytes = c.encode_utf8(&mut bytes).bytes();
                escaped.extend(bytes.map(|byte| format!("\\{byte:02X}")));
                continue;
            }
            _ if is_special || is_at_edge => escaped.push('\\'),
            _ => {}
        }
        escaped.push(c);
    }
    escaped
}

/// The short names of RFC 4514 section 3, and the descriptors of RFC 4519 and PKCS #9
/// (RFC 2985) for what certificates often carry beside them.
fn attribute_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.6" => "C",
        "2.5.4.9" => "STREET",
        "0.9.2342.19200300.100.1.25" => "DC",
        "0.9.2342.19200300.100.1.1" => "UID",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.12" => "title",
        "2.5.4.15" => "businessCategory",
        "2.5.4.17" => "postalCode",
        "2.5.4.42" => "givenName",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}

fn key_algorithm(key: &SubjectPublicKeyInfo<'_>) -> Algorithm {
    use x509_parser::public_key::PublicKey;
    if let Some(algorithm) = public_key_algorithm(key) {
        return Algorithm {
            name: display_name(algorithm).to_owned(),
            is_post_quantum: algorithm.facts().post_quantum,
        };
    }
    let name = match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA {}", rsa.key_size()),
        _ => match key.algorithm.algorithm.to_id_string().as_str() {
            "1.2.840.10045.2.1" => "ECDSA on another curve".to_owned(),
            "1.3.101.113" => "Ed448".to_owned(),
            oid => return slh_dsa(oid).unwrap_or_else(|| classical(oid)),
        },
    };
    classical(&name)
}

/// The names that people use, beside the ids of scenarios.
const fn display_name(algorithm: SignatureAlgorithm) -> &'static str {
    use SignatureAlgorithm as A;
    match algorithm {
        A::Rsa2048 => "RSA 2048",
        A::Rsa3072 => "RSA 3072",
        A::Rsa4096 => "RSA 4096",
        A::EcdsaP256 => "ECDSA P-256",
        A::EcdsaP384 => "ECDSA P-384",
        A::Ed25519 => "Ed25519",
        A::MlDsa44 => "ML-DSA-44",
        A::MlDsa65 => "ML-DSA-65",
        A::MlDsa87 => "ML-DSA-87",
    }
}

fn signature_algorithm(oid: &Oid<'_>) -> Algorithm {
    let text = oid.to_id_string();
    let name = match text.as_str() {
        "1.2.840.113549.1.1.5" => "RSA with SHA-1",
        "1.2.840.113549.1.1.10" => "RSA-PSS",
        "1.2.840.113549.1.1.11" => "RSA with SHA-256",
        "1.2.840.113549.1.1.12" => "RSA with SHA-384",
        "1.2.840.113549.1.1.13" => "RSA with SHA-512",
        "1.2.840.10045.4.3.2" => "ECDSA with SHA-256",
        "1.2.840.10045.4.3.3" => "ECDSA with SHA-384",
        "1.2.840.10045.4.3.4" => "ECDSA with SHA-512",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        // RFC 9881 section 2.
        "2.16.840.1.101.3.4.3.17" => return post_quantum("ML-DSA-44"),
        "2.16.840.1.101.3.4.3.18" => return post_quantum("ML-DSA-65"),
        "2.16.840.1.101.3.4.3.19" => return post_quantum("ML-DSA-87"),
        other => return slh_dsa(other).unwrap_or_else(|| classical(other)),
    };
    classical(name)
}

/// RFC 9909 section 3: the twelve parameter sets stand next to each other.
fn slh_dsa(oid: &str) -> Option<Algorithm> {
    let last: u8 = oid.strip_prefix("2.16.840.1.101.3.4.3.")?.parse().ok()?;
    (20..=31).contains(&last).then(|| post_quantum("SLH-DSA"))
}

fn classical(name: &str) -> Algorithm {
    Algorithm {
        name: name.to_owned(),
        is_post_quantum: false,
    }
}

fn post_quantum(name: &str) -> Algorithm {
    Algorithm {
        name: name.to_owned(),
        is_post_quantum: true,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    #[test]
    fn special_characters_of_names_are_escaped_as_rfc_4514_says() {
        assert_eq!(escape("Plain"), "Plain");
        assert_eq!(escape("A, B+C"), "A\\, B\\+C");
        assert_eq!(escape("#x "), "\\#x\\ ");
        assert_eq!(escape(" "), "\\ ");
        assert_eq!(escape("a\r\nX-Header: b"), "a\\0D\\0AX-Header: b");
    }

    #[test]
    fn values_of_unnamed_types_are_written_as_their_encoding() {
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, "a");
        name.push(
            DnType::CustomDnType(vec![1, 2, 840, 113549, 1, 9, 1]),
            "a@b.example",
        );
        name.push(DnType::CustomDnType(vec![1, 3, 6, 1, 4, 1, 32473]), "x");
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap();
        let certificate = Certificate::from_der(der.der()).unwrap();
        // A UTF8String of one letter (RFC 4514 section 2.4).
        assert_eq!(
            certificate.subject,
            "1.3.6.1.4.1.32473=#0C0178,emailAddress=a@b.example,CN=a"
        );
    }

    #[test]
    fn garbage_is_refused() {
        for bytes in [&[][..], &[0x30, 0x03, 1, 2, 3], &[0xff; 64]] {
            assert!(Certificate::from_der(bytes).is_err());
        }
    }
}
