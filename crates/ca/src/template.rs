//! What stands in each kind of certificate (RFC 5280). Nothing is left to a library's
//! defaults, and nothing is taken from a request but its key and its names.

use pki::{Role, blank_params};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CrlDistributionPoint, GeneralSubtree, IsCa,
    KeyUsagePurpose, NameConstraints, SerialNumber,
};
use time::{Duration, OffsetDateTime};
use wire::SignatureAlgorithm;

use crate::{Authority, Name, Subject};

/// How long before its making a certificate is valid: peers' clocks differ.
pub(crate) const BACKDATED: Duration = Duration::hours(1);

/// How long a root is valid unless something else is asked for.
pub(crate) const ROOT_LIFETIME: Duration = Duration::days(3650);
/// An intermediate.
pub(crate) const INTERMEDIATE_LIFETIME: Duration = Duration::days(1825);
/// An end entity: short, since revocation reaches few clients.
pub(crate) const LEAF_LIFETIME: Duration = Duration::days(90);

/// From when until when: begins an hour ago and never outlives the issuer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) from: OffsetDateTime,
    pub(crate) until: OffsetDateTime,
}

impl Validity {
    pub(crate) fn new(
        now: OffsetDateTime,
        lifetime: Duration,
        issuer: Option<Validity>,
    ) -> Option<Self> {
        // Certificates count in whole seconds.
        let now = now.replace_nanosecond(0).ok()?;
        let (mut from, mut until) = (now - BACKDATED, now.checked_add(lifetime)?);
        if let Some(issuer) = issuer {
            from = from.max(issuer.from);
            until = until.min(issuer.until);
        }
        Some(Self { from, until })
    }
}

/// An authority: it may sign certificates and revocation lists, and nothing else.
pub(crate) fn authority(
    authority: &Authority,
    is_root: bool,
    path_length: Option<u8>,
    crl_url: Option<&str>,
    serial: SerialNumber,
    validity: Validity,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = blank_params(serial, validity.from, validity.until);
    params.distinguished_name = authority.subject.to_distinguished_name();
    params.is_ca = IsCa::Ca(match path_length {
        Some(length) => BasicConstraints::Constrained(length),
        None => BasicConstraints::Unconstrained,
    });
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    if !authority.permitted_dns.is_empty() {
        let subtrees = authority.permitted_dns.iter();
        // Forms of names that are not listed would be free (RFC 5280 section 4.2.1.10):
        // addresses are shut out. Mailboxes and URIs can't be in a way that all verifiers
        // know; those are looked at before they are signed.
        let addresses = [
            CidrSubnet::from_v4_prefix([0; 4], 0),
            CidrSubnet::from_v6_prefix([0; 16], 0),
        ];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: subtrees.cloned().map(GeneralSubtree::DnsName).collect(),
            excluded_subtrees: addresses.map(GeneralSubtree::IpAddress).to_vec(),
        });
    }
    // RFC 5280 section 4.2.1.1 lets a self-signed certificate leave it out.
    params.use_authority_key_identifier_extension = !is_root;
    distribute(&mut params, crl_url);
    Ok(params)
}

/// An end entity for one side of TLS.
pub(crate) fn end_entity(
    role: Role,
    algorithm: SignatureAlgorithm,
    subject: &Subject,
    names: &[Name],
    crl_url: Option<&str>,
    serial: SerialNumber,
    validity: Validity,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = blank_params(serial, validity.from, validity.until);
    params.distinguished_name = subject.to_distinguished_name();
    params.subject_alt_names = names.iter().map(Name::to_san).collect::<Result<_, _>>()?;
    pki::permit(&mut params, role, algorithm);
    distribute(&mut params, crl_url);
    Ok(params)
}

fn distribute(params: &mut CertificateParams, crl_url: Option<&str>) {
    let points = crl_url.map(|url| CrlDistributionPoint {
        uris: vec![url.to_owned()],
    });
    params.crl_distribution_points = points.into_iter().collect();
}
