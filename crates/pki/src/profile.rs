//! What stands in each kind of certificate (RFC 5280).
//!
//! Fields and extensions have the same length whatever the algorithm, so that sizes
//! compare: names differ in a fixed number of characters, serial numbers are 17 bytes.

use std::net::{IpAddr, Ipv4Addr};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod,
    KeyUsagePurpose, SanType, SerialNumber,
};
use time::{Duration, OffsetDateTime};
use wire::SignatureAlgorithm;

use crate::Role;

/// The DNS name of every server certificate; `localhost` and 127.0.0.1 stand beside it.
pub const SERVER_NAME: &str = "server.pqlab.test";

/// The DNS name of every client certificate.
pub const CLIENT_NAME: &str = "client.pqlab.test";

/// How long before its making a certificate is valid: peers' clocks differ.
const BACKDATED: Duration = Duration::days(1);
const ROOT_LIFETIME: Duration = Duration::days(3650);
const INTERMEDIATE_LIFETIME: Duration = Duration::days(1825);
const LEAF_LIFETIME: Duration = Duration::days(365);

/// A self-signed root, above at most one level of issuers.
pub(crate) fn root(now: OffsetDateTime) -> Result<CertificateParams, rcgen::Error> {
    let mut params = issuer("root", 1, ROOT_LIFETIME, now)?;
    // RFC 5280 section 4.2.1.1 lets a self-signed certificate leave it out.
    params.use_authority_key_identifier_extension = false;
    Ok(params)
}

/// An intermediate that issues end entities only.
pub(crate) fn intermediate(now: OffsetDateTime) -> Result<CertificateParams, rcgen::Error> {
    issuer("intermediate", 0, INTERMEDIATE_LIFETIME, now)
}

/// An end entity for one side of TLS.
pub(crate) fn end_entity(
    role: Role,
    algorithm: SignatureAlgorithm,
    now: OffsetDateTime,
) -> Result<CertificateParams, rcgen::Error> {
    let common_name = match role {
        Role::Server => SERVER_NAME,
        Role::Client => CLIENT_NAME,
    };
    let mut params = base(common_name, serial_number()?, LEAF_LIFETIME, now);
    params.subject_alt_names = vec![SanType::DnsName(common_name.try_into()?)];
    if role == Role::Server {
        params.subject_alt_names.extend([
            SanType::DnsName("localhost".try_into()?),
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ]);
    }
    permit(&mut params, role, algorithm);
    Ok(params)
}

/// Makes an end entity of it, with what its key may do on one side of TLS.
pub fn permit(params: &mut CertificateParams, role: Role, algorithm: SignatureAlgorithm) {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    match role {
        Role::Server => {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            // Static RSA key exchange needs it (RFC 5246 section 7.4.2); one more bit takes no
            // byte. ML-DSA keys must not have it (RFC 9881 section 5).
            if algorithm.rsa_bits().is_some() {
                params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
            }
        }
        Role::Client => params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
    }
    // Spelled out: rcgen writes a subject key identifier only beside basic constraints.
    params.is_ca = IsCa::ExplicitNoCa;
}

/// A certificate authority with at most `path_length` issuers below it.
fn issuer(
    level: &str,
    path_length: u8,
    lifetime: Duration,
    now: OffsetDateTime,
) -> Result<CertificateParams, rcgen::Error> {
    let serial_number = serial_number()?;
    // Verifiers look issuers up by name: each needs one of its own, else a bundle of many
    // roots is tried key by key.
    let tag: String = serial_number
        .as_ref()
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut params = base(
        &format!("pqlab {level} {tag}"),
        serial_number,
        lifetime,
        now,
    );
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_length));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn base(
    common_name: &str,
    serial_number: SerialNumber,
    lifetime: Duration,
    now: OffsetDateTime,
) -> CertificateParams {
    let mut params = blank_params(serial_number, now - BACKDATED, now + lifetime);
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params
}

/// A certificate that says nothing yet: no subject, no names, no purpose. Every field is
/// set, since rcgen's own defaults are not what they seem: its validity is 1975 to 4096.
pub fn blank_params(
    serial_number: SerialNumber,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = not_before;
    params.not_after = not_after;
    params.serial_number = Some(serial_number);
    params.subject_alt_names = Vec::new();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = Vec::new();
    params.extended_key_usages = Vec::new();
    params.name_constraints = None;
    params.crl_distribution_points = Vec::new();
    params.custom_extensions = Vec::new();
    params.use_authority_key_identifier_extension = true;
    params.key_identifier_method = KeyIdMethod::Sha256;
    params
}

/// 17 bytes with 134 random bits: positive, and of one length in DER.
///
/// # Errors
/// When the library has no random numbers.
pub fn serial_number() -> Result<SerialNumber, rcgen::Error> {
    let mut serial_number = [0; 17];
    aws_lc_rs::rand::fill(&mut serial_number).map_err(|_| rcgen::Error::RingUnspecified)?;
    serial_number[0] = serial_number[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&serial_number))
}
