//! Names of servers.

use std::net::{IpAddr, Ipv4Addr};

use pki::SERVER_NAME;
use rcgen::{CustomExtension, DistinguishedName, DnType, SanType};

use crate::certificates::case::{Case, CaseError, Expected, Standard};
use crate::certificates::scene::Scene;
use crate::certificates::workshop::{Leaf, USUAL, Workshop, dns};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "wrong-host",
        fault: "the certificate is for other.pqlab.test",
        standard: Standard::Refuse,
        reference: "RFC 9525 section 6.3",
        rustls: Expected::Refuses("NotValidForNameContext"),
        openssl: Expected::Refuses("62"),
        scheme: None,
        difference: None,
        make: |workshop| named(workshop, SERVER_NAME, vec![dns("other.pqlab.test")?]),
    },
    Case {
        name: "common-name-only",
        fault: "the name stands in the common name; there is no subject alternative name",
        standard: Standard::Refuse,
        reference: "RFC 9525 section 2",
        rustls: Expected::Refuses("NotValidForNameContext"),
        openssl: Expected::Accepts,
        scheme: None,
        difference: Some(
            "The common name must not be used to identify a service (RFC 9525 section 2): rustls \
             is right. OpenSSL falls back to it where there is no DNS name, unless a program sets \
             X509_CHECK_FLAG_NEVER_CHECK_SUBJECT.",
        ),
        make: |workshop| named(workshop, SERVER_NAME, Vec::new()),
    },
    Case {
        name: "empty-alternative-name",
        fault: "the subject alternative name is an empty list; the common name is right",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 4.2.1.6",
        rustls: Expected::Refuses("NotValidForNameContext"),
        openssl: Expected::Accepts,
        scheme: None,
        difference: Some(
            "The list must have an entry (RFC 5280 section 4.2.1.6), and the common name does not \
             count (RFC 9525 section 2): rustls is right.",
        ),
        make: empty_alternative_name,
    },
    Case {
        name: "address-in-common-name",
        fault: "the client wants 127.0.0.1, which stands in the common name",
        standard: Standard::Refuse,
        reference: "RFC 9525 section 6.4",
        rustls: Expected::Refuses("NotValidForNameContext"),
        openssl: Expected::Refuses("64"),
        scheme: None,
        difference: None,
        make: address_in_common_name,
    },
    Case {
        name: "address-in-dns-name",
        fault: "the client wants 127.0.0.1, which stands in a dNSName",
        standard: Standard::Refuse,
        reference: "RFC 9525 section 6.4",
        rustls: Expected::Refuses("NotValidForNameContext"),
        openssl: Expected::Refuses("64"),
        scheme: None,
        difference: None,
        make: |workshop| named(workshop, "127.0.0.1", vec![dns("127.0.0.1")?]),
    },
    Case {
        name: "wrong-address",
        fault: "the client wants 127.0.0.1, the certificate is for 127.0.0.2",
        standard: Standard::Refuse,
        reference: "RFC 9525 section 6.4",
        rustls: Expected::Refuses("NotValidForNameContext"),
        openssl: Expected::Refuses("64"),
        scheme: None,
        difference: None,
        make: |workshop| named(workshop, "127.0.0.1", vec![address(2)]),
    },
    Case {
        name: "address",
        fault: "nothing: the client wants 127.0.0.1, which stands in an iPAddress",
        standard: Standard::Accept,
        reference: "RFC 9525 section 6.4",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: None,
        difference: None,
        make: |workshop| named(workshop, "127.0.0.1", vec![address(1)]),
    },
    Case {
        name: "wildcard",
        fault: "nothing: *.pqlab.test for server.pqlab.test",
        standard: Standard::Accept,
        reference: "RFC 9525 section 6.3",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: None,
        difference: None,
        make: |workshop| named(workshop, SERVER_NAME, vec![dns("*.pqlab.test")?]),
    },
    Case {
        name: "wildcard-two-labels",
        fault: "*.test for server.pqlab.test, which has two labels before it",
        standard: Standard::Refuse,
        reference: "RFC 9525 section 6.3",
        rustls: Expected::Refuses("NotValidForNameContext"),
        openssl: Expected::Refuses("62"),
        scheme: None,
        difference: None,
        make: |workshop| named(workshop, SERVER_NAME, vec![dns("*.test")?]),
    },
    Case {
        name: "wildcard-in-a-label",
        fault: "ser*.pqlab.test for server.pqlab.test",
        standard: Standard::Refuse,
        reference: "RFC 9525 section 6.3",
        rustls: Expected::Refuses("NotValidForNameContext"),
        openssl: Expected::Accepts,
        scheme: None,
        difference: Some(
            "A wildcard must be the whole of the left-most label (RFC 9525 section 6.3): rustls \
             is right. OpenSSL takes a part of it, as RFC 6125 did, unless a program sets \
             X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS.",
        ),
        make: |workshop| named(workshop, SERVER_NAME, vec![dns("ser*.pqlab.test")?]),
    },
];

/// A server with these names, and clients that want `wanted`.
fn named(workshop: &Workshop, wanted: &str, names: Vec<SanType>) -> Result<Scene, CaseError> {
    let mut params = workshop.server_params()?;
    params.subject_alt_names = names;
    let leaf = Leaf::issue(&params, USUAL, &workshop.intermediate)?;
    let shows = leaf.below(&[workshop.intermediate.der()]);
    Ok(workshop.server_named(wanted, shows))
}

const fn address(last: u8) -> SanType {
    SanType::IpAddress(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)))
}

fn empty_alternative_name(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut params = workshop.server_params()?;
    params.subject_alt_names = Vec::new();
    let empty_sequence = vec![0x30, 0];
    params.custom_extensions = vec![CustomExtension::from_oid_content(
        &[2, 5, 29, 17],
        empty_sequence,
    )];
    workshop.server(&params)
}

fn address_in_common_name(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut params = workshop.server_params()?;
    params.subject_alt_names = Vec::new();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "127.0.0.1");
    let leaf = Leaf::issue(&params, USUAL, &workshop.intermediate)?;
    let shows = leaf.below(&[workshop.intermediate.der()]);
    Ok(workshop.server_named("127.0.0.1", shows))
}
