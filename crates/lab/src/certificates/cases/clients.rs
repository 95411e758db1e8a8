//! Clients of servers that ask for a certificate.

use rcgen::ExtendedKeyUsagePurpose;
use wire::AlertDescription;

use crate::certificates::case::{Case, CaseError, Expected, Standard};
use crate::certificates::scene::Scene;
use crate::certificates::workshop::{Leaf, USUAL, Workshop};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "client-good",
        fault: "nothing: a client with a good certificate",
        standard: Standard::Accept,
        reference: "RFC 8446 section 4.4.2",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: None,
        difference: None,
        make: |workshop| workshop.client(&workshop.client_params()?, Vec::new()),
    },
    Case {
        name: "client-none",
        fault: "a client without a certificate, where one is required",
        standard: Standard::Refuse,
        reference: "RFC 8446 section 4.4.2.4",
        rustls: Expected::Fails(AlertDescription::CERTIFICATE_REQUIRED),
        openssl: Expected::Fails(AlertDescription::CERTIFICATE_REQUIRED),
        scheme: None,
        difference: None,
        make: |workshop| workshop.client_of(None, Vec::new()),
    },
    Case {
        name: "client-server-purpose",
        fault: "a client's certificate whose extended key usage is serverAuth",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 4.2.1.12",
        rustls: Expected::Refuses("InvalidPurposeContext"),
        openssl: Expected::Refuses("26"),
        scheme: None,
        difference: None,
        make: server_purpose,
    },
    Case {
        name: "client-stolen",
        fault: "a client with somebody's good certificate and a key of its own",
        standard: Standard::Refuse,
        reference: "RFC 8446 section 4.4.3",
        rustls: Expected::Fails(AlertDescription::DECRYPT_ERROR),
        openssl: Expected::Fails(AlertDescription::DECRYPT_ERROR),
        scheme: None,
        difference: None,
        make: stolen,
    },
];

fn server_purpose(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut params = workshop.client_params()?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    workshop.client(&params, Vec::new())
}

fn stolen(workshop: &Workshop) -> Result<Scene, CaseError> {
    let victim = Leaf::issue(&workshop.client_params()?, USUAL, &workshop.intermediate)?;
    let shows = victim.stolen_below(workshop.intermediate.der())?;
    workshop.client_of(Some(shows), Vec::new())
}
