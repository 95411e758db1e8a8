//! Objects in DER, by their label or by their structure.

use audit::AssetKind;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::certificate::malformed;
use crate::der::{self, Element, Elements};
use crate::findings::{Findings, Place};
use crate::{key, name, pkcs12};

/// The kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Certificate,
    /// With OpenSSL's trust settings behind it.
    TrustedCertificate,
    Request,
    /// Passed over.
    RevocationList,
    PrivateKey,
    EncryptedPrivateKey,
    RsaPrivateKey,
    DsaPrivateKey,
    EcPrivateKey,
    PublicKey,
    RsaPublicKey,
    /// PKCS #7 and CMS: only its certificates are told.
    SignedData,
    Pkcs12,
}

impl Kind {
    /// By the label of its PEM block (RFC 7468, and what OpenSSL writes).
    pub(crate) fn of_label(label: &str) -> Option<Self> {
        Some(match label {
            "CERTIFICATE" | "X509 CERTIFICATE" => Self::Certificate,
            "TRUSTED CERTIFICATE" => Self::TrustedCertificate,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::Request,
            "X509 CRL" | "CRL" => Self::RevocationList,
            "PRIVATE KEY" => Self::PrivateKey,
            "ENCRYPTED PRIVATE KEY" => Self::EncryptedPrivateKey,
            "RSA PRIVATE KEY" => Self::RsaPrivateKey,
            "DSA PRIVATE KEY" => Self::DsaPrivateKey,
            "EC PRIVATE KEY" => Self::EcPrivateKey,
            "PUBLIC KEY" => Self::PublicKey,
            "RSA PUBLIC KEY" => Self::RsaPublicKey,
            "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => Self::SignedData,
            "PKCS12" => Self::Pkcs12,
            _ => return None,
        })
    }

    /// By the first elements of a SEQUENCE; `None` is no promise that it is nothing.
    pub(crate) fn of_structure(bytes: &[u8]) -> Option<Self> {
        let content = der::whole(bytes)?;
        if content.identifier != der::SEQUENCE {
            return None;
        }
        let identifiers: Vec<u8> = content
            .inside()
            .take(10)
            .map(|part| part.identifier)
            .collect();
        use der::{BIT_STRING as BITS, INTEGER as INT, OCTET_STRING as OCTETS, SEQUENCE as SEQ};
        let mut inside = content.inside();
        match identifiers.as_slice() {
            [SEQ, SEQ, BITS] => signed(bytes, &mut inside),
            [SEQ, BITS] => key::public(bytes).map(|_| Self::PublicKey),
            [SEQ, OCTETS] => key::is_encrypted_pkcs8(bytes).then_some(Self::EncryptedPrivateKey),
            [INT, SEQ] | [INT, SEQ, SEQ] => pkcs12::is_beginning(inside).then_some(Self::Pkcs12),
            [INT, SEQ, OCTETS, ..] => key::pkcs8(bytes).map(|_| Self::PrivateKey),
            [INT, OCTETS, der::CONTEXT_0, ..] => {
                key::ec_private(bytes, None).map(|_| Self::EcPrivateKey)
            }
            [INT, INT, INT, INT, INT, INT] => key::dsa_private(bytes).map(|_| Self::DsaPrivateKey),
            [INT, INT, INT, INT, INT, INT, INT, INT, INT, ..] => {
                key::rsa_private(bytes).map(|_| Self::RsaPrivateKey)
            }
            [der::OBJECT_IDENTIFIER, der::CONTEXT_0] => {
                certificates(bytes).map(|_| Self::SignedData)
            }
            _ => None,
        }
    }
}

/// What three elements with a signature are: the parsers tell, and where none can, a version
/// `[0]` or a serial number of more than one octet is a certificate's.
fn signed(bytes: &[u8], content: &mut Elements<'_>) -> Option<Kind> {
    if crate::certificate(bytes).is_ok() {
        return Some(Kind::Certificate);
    }
    if X509CertificationRequest::from_der(bytes).is_ok() {
        return Some(Kind::Request);
    }
    if CertificateRevocationList::from_der(bytes).is_ok() {
        return Some(Kind::RevocationList);
    }
    let first = content.enter(der::SEQUENCE)?.next()?;
    (first.identifier == der::CONTEXT_0).then_some(Kind::Certificate)
}

/// Writes what an object holds into findings. `curve` is the element of a block of parameters
/// that stood before it.
pub(crate) fn read(
    kind: Kind,
    bytes: &[u8],
    curve: Option<&[u8]>,
    place: &Place<'_>,
    findings: &mut Findings,
) {
    let key = match kind {
        Kind::Certificate => return findings.certificate(place, bytes),
        Kind::TrustedCertificate => {
            let first = Elements::of(bytes).next();
            let certificate = first.map_or(bytes, |first| first.encoded);
            return findings.certificate(place, certificate);
        }
        Kind::Request => return request(bytes, place, findings),
        Kind::RevocationList => return,
        Kind::SignedData => return signed_data(bytes, place, findings),
        Kind::Pkcs12 => return pkcs12::read(bytes, place, findings),
        Kind::PrivateKey => key::pkcs8(bytes),
        Kind::EncryptedPrivateKey => key::is_encrypted_pkcs8(bytes).then(|| key::encrypted(None)),
        Kind::RsaPrivateKey => key::rsa_private(bytes),
        Kind::DsaPrivateKey => key::dsa_private(bytes),
        Kind::EcPrivateKey => key::ec_private(bytes, curve),
        Kind::PublicKey => key::public(bytes),
        Kind::RsaPublicKey => key::rsa_public(bytes),
    };
    match key {
        Some(facts) => findings.asset(place, AssetKind::Key(facts)),
        None => findings.problem(place, format!("the {} is malformed", kind.title())),
    }
}

impl Kind {
    fn title(self) -> &'static str {
        match self {
            Self::Certificate | Self::TrustedCertificate => "certificate",
            Self::Request => "certificate request",
            Self::RevocationList => "revocation list",
            Self::PrivateKey => "PKCS #8 private key",
            Self::EncryptedPrivateKey => "encrypted PKCS #8 private key",
            Self::RsaPrivateKey => "PKCS #1 private key",
            Self::DsaPrivateKey => "DSA private key",
            Self::EcPrivateKey => "SEC 1 private key",
            Self::PublicKey => "SubjectPublicKeyInfo",
            Self::RsaPublicKey => "PKCS #1 public key",
            Self::SignedData => "PKCS #7 object",
            Self::Pkcs12 => "PKCS #12 store",
        }
    }
}

fn request(bytes: &[u8], place: &Place<'_>, findings: &mut Findings) {
    let parsed = match X509CertificationRequest::from_der(bytes) {
        Ok(([], parsed)) => parsed,
        Ok((rest, _)) => {
            let reason = format!("{} bytes follow the certificate request", rest.len());
            return findings.problem(place, reason);
        }
        Err(error) => {
            let reason = format!("no certificate request in DER: {}", malformed(&error));
            return findings.problem(place, reason);
        }
    };
    let info = &parsed.certification_request_info;
    let Some(mut facts) = key::public(info.subject_pki.raw) else {
        return findings.problem(
            place,
            "the public key of the certificate request is malformed",
        );
    };
    facts.owner = Some(name::text(&info.subject)).filter(|subject| !subject.is_empty());
    for extension in parsed.requested_extensions().into_iter().flatten() {
        if let ParsedExtension::KeyUsage(usage) = extension {
            let establishes =
                usage.key_encipherment() || usage.key_agreement() || usage.data_encipherment();
            let signs = usage.digital_signature()
                || usage.non_repudiation()
                || usage.key_cert_sign()
                || usage.crl_sign();
            let asked = [
                (establishes, audit::KeyUse::KeyEstablishment),
                (signs, audit::KeyUse::Signature),
            ];
            let asked = asked.iter().filter(|(is_asked, _)| *is_asked);
            facts.uses = asked.map(|(_, asked)| *asked).collect();
        }
    }
    findings.asset(place, AssetKind::Request(facts));
}

fn signed_data(bytes: &[u8], place: &Place<'_>, findings: &mut Findings) {
    let Some(certificates) = certificates(bytes) else {
        return findings.problem(
            place,
            "the PKCS #7 object is malformed, or is no SignedData",
        );
    };
    for (index, certificate) in certificates.enumerate() {
        // Other choices of CertificateChoices (RFC 5652 section 10.2.2) have other tags.
        if certificate.identifier == der::SEQUENCE {
            let place = place.in_entry((index + 1).to_string());
            findings.certificate(&place, certificate.encoded);
        }
    }
}

/// The certificates of a ContentInfo with SignedData (RFC 5652 section 5.1).
fn certificates(bytes: &[u8]) -> Option<impl Iterator<Item = Element<'_>>> {
    let mut content = der::whole(bytes)?.inside();
    let oid = content.expect(der::OBJECT_IDENTIFIER)?;
    if der::dotted(oid.content) != "1.2.840.113549.1.7.2" {
        return None;
    }
    let mut signed = content.enter(der::CONTEXT_0)?.enter(der::SEQUENCE)?;
    signed.expect(der::INTEGER)?;
    signed.expect(der::SET)?;
    signed.expect(der::SEQUENCE)?;
    Some(signed.enter(der::CONTEXT_0).into_iter().flatten())
}
