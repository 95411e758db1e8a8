//! What stands in an X.509 certificate.

use std::net::{Ipv4Addr, Ipv6Addr};

use audit::CertificateFacts;
use time::format_description::well_known::Rfc3339;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::{der, fingerprint, name, oid};

/// Why bytes are no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// They are no X.509 certificate in DER.
    #[error("no X.509 certificate in DER: {0}")]
    Malformed(String),
    /// More bytes follow the certificate.
    #[error("{0} bytes follow the certificate")]
    Trailing(usize),
    /// Its key is not as its algorithm asks.
    #[error("the certificate's public key is malformed")]
    Key,
    /// A date of its validity can't be written in RFC 3339.
    #[error("a date of the certificate's validity is out of range")]
    Date,
}

/// Reads a certificate in DER. Its signature is not verified.
///
/// # Errors
/// When the bytes are not one certificate.
pub fn certificate(der: &[u8]) -> Result<CertificateFacts, CertificateError> {
    let (rest, parsed) = X509Certificate::from_der(der)
        .map_err(|error| CertificateError::Malformed(malformed(&error)))?;
    if !rest.is_empty() {
        return Err(CertificateError::Trailing(rest.len()));
    }
    let key = oid::public_key_algorithm(parsed.subject_pki.raw).ok_or(CertificateError::Key)?;
    let is_self_issued = parsed.subject.as_raw() == parsed.issuer.as_raw();
    let (algorithm, parameters) = signature_identifier(der).ok_or_else(|| {
        CertificateError::Malformed("its signature algorithm is malformed".to_owned())
    })?;
    let signature = oid::signature(
        &algorithm,
        parameters,
        &parsed.signature_value.data,
        is_self_issued.then_some(&key),
    );
    let is_authority = match parsed.basic_constraints() {
        Ok(Some(constraints)) => constraints.value.ca,
        _ => false,
    };
    Ok(CertificateFacts {
        subject: name::text(&parsed.subject),
        issuer: name::text(&parsed.issuer),
        serial: serial(parsed.raw_serial()),
        names: names(&parsed),
        not_before: date(parsed.validity.not_before)?,
        not_after: date(parsed.validity.not_after)?,
        key,
        signature: signature.algorithm,
        signature_hash: signature.hash,
        is_authority,
        is_self_issued,
        fingerprint: fingerprint::sha256(der),
        bytes: der.len(),
    })
}

/// What the parser says, without the bytes that its error holds.
pub(crate) fn malformed<E: std::fmt::Display>(error: &x509_parser::nom::Err<E>) -> String {
    match error {
        x509_parser::nom::Err::Incomplete(_) => "it ends too early".to_owned(),
        x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => {
            error.to_string()
        }
    }
}

/// signatureAlgorithm of RFC 5280 section 4.1.1.2.
fn signature_identifier(der: &[u8]) -> Option<(String, Option<der::Element<'_>>)> {
    let mut content = der::whole(der)?.inside();
    content.next()?;
    der::algorithm_identifier(content.enter(der::SEQUENCE)?)
}

/// Without the octet that only says that the number is positive.
fn serial(raw: &[u8]) -> String {
    match raw {
        [0, rest @ ..] if !rest.is_empty() => fingerprint::hex(rest),
        all => fingerprint::hex(all),
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for extension in certificate.extensions() {
        let ParsedExtension::SubjectAlternativeName(alternative) = extension.parsed_extension()
        else {
            continue;
        };
        for general in &alternative.general_names {
            match general {
                GeneralName::DNSName(name) => names.push((*name).to_owned()),
                GeneralName::IPAddress(bytes) => names.extend(address(bytes)),
                _ => {}
            }
        }
    }
    names
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).to_string());
    }
    let v6 = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(v6).to_string())
}

fn date(time: ASN1Time) -> Result<String, CertificateError> {
    time.to_datetime()
        .format(&Rfc3339)
        .map_err(|_| CertificateError::Date)
}
