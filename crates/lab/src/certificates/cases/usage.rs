//! What a key may be used for, and extensions that nobody knows.

use rcgen::{CustomExtension, ExtendedKeyUsagePurpose, KeyUsagePurpose};
use wire::AlertDescription;

use crate::certificates::case::{Case, CaseError, Expected, Standard};
use crate::certificates::scene::Scene;
use crate::certificates::workshop::{Leaf, USUAL, Workshop};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "client-purpose",
        fault: "a server's certificate whose extended key usage is clientAuth",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 4.2.1.12",
        rustls: Expected::Refuses("InvalidPurposeContext"),
        openssl: Expected::Refuses("26"),
        scheme: None,
        difference: None,
        make: client_purpose,
    },
    Case {
        name: "wrong-key-usage",
        fault: "the key may sign what is to be evidence later, and nothing else (nonRepudiation)",
        standard: Standard::Forbid,
        reference: "RFC 8446 section 4.4.2.2",
        rustls: Expected::Accepts,
        openssl: Expected::Refuses("26"),
        scheme: None,
        difference: Some(
            "digitalSignature must be set where there is a key usage (RFC 8446 section 4.4.2.2): \
             OpenSSL is right. rustls does not look at the key usage of an end entity.",
        ),
        make: wrong_key_usage,
    },
    Case {
        name: "unknown-critical-extension",
        fault: "a critical extension that nobody knows",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 4.2",
        rustls: Expected::Refuses("UnsupportedCriticalExtension"),
        openssl: Expected::Refuses("34"),
        scheme: None,
        difference: None,
        make: |workshop| unknown_extension(workshop, true),
    },
    Case {
        name: "unknown-extension",
        fault: "nothing: an extension that nobody knows and that is not critical",
        standard: Standard::Accept,
        reference: "RFC 5280 section 4.2",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: None,
        difference: None,
        make: |workshop| unknown_extension(workshop, false),
    },
    Case {
        name: "stolen",
        fault: "a server with somebody's good certificate and a key of its own",
        standard: Standard::Refuse,
        reference: "RFC 8446 section 4.4.3",
        rustls: Expected::Fails(AlertDescription::DECRYPT_ERROR),
        openssl: Expected::Fails(AlertDescription::DECRYPT_ERROR),
        scheme: None,
        difference: None,
        make: stolen,
    },
];

fn client_purpose(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut params = workshop.server_params()?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    workshop.server(&params)
}

fn wrong_key_usage(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut params = workshop.server_params()?;
    params.key_usages = vec![KeyUsagePurpose::ContentCommitment];
    workshop.server(&params)
}

fn unknown_extension(workshop: &Workshop, is_critical: bool) -> Result<Scene, CaseError> {
    let mut params = workshop.server_params()?;
    // Below the number that IANA keeps for examples (RFC 5612).
    let oid = [1, 3, 6, 1, 4, 1, 32473, 1];
    let null = vec![5, 0];
    let mut extension = CustomExtension::from_oid_content(&oid, null);
    extension.set_criticality(is_critical);
    params.custom_extensions = vec![extension];
    workshop.server(&params)
}

fn stolen(workshop: &Workshop) -> Result<Scene, CaseError> {
    let victim = Leaf::issue(&workshop.server_params()?, USUAL, &workshop.intermediate)?;
    let shows = victim.stolen_below(workshop.intermediate.der())?;
    Ok(workshop.server_of(shows))
}
