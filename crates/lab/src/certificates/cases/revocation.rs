//! Clients that servers look up in revocation lists. Clients of servers have no lists here:
//! neither library fetches any.

use time::Duration;

use crate::certificates::case::{Case, CaseError, Expected, Standard};
use crate::certificates::forge;
use crate::certificates::scene::Scene;
use crate::certificates::workshop::{USUAL, Workshop};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "not-revoked",
        fault: "nothing: a client that is on no list of its issuer",
        standard: Standard::Accept,
        reference: "RFC 5280 section 6.3",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: None,
        difference: None,
        make: |workshop| looked_up(workshop, List::Empty),
    },
    Case {
        name: "revoked",
        fault: "a client whose certificate is revoked",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1.3 (a)(3)",
        rustls: Expected::Refuses("Revoked"),
        openssl: Expected::Refuses("23"),
        scheme: None,
        difference: None,
        make: |workshop| looked_up(workshop, List::Revoking),
    },
    Case {
        name: "list-missing",
        fault: "the server has a list, though none of the client's issuer",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.3.3",
        rustls: Expected::Refuses("UnknownRevocationStatus"),
        openssl: Expected::Refuses("3"),
        scheme: None,
        difference: None,
        make: |workshop| looked_up(workshop, List::OfAnother),
    },
    Case {
        name: "list-stale",
        fault: "the next list should have come an hour ago",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.3.3 (a)",
        rustls: Expected::Refuses("ExpiredRevocationListContext"),
        openssl: Expected::Refuses("12"),
        scheme: None,
        difference: None,
        make: |workshop| looked_up(workshop, List::Stale),
    },
    Case {
        name: "list-forged",
        fault: "an empty list in the issuer's name, signed by somebody else",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.3.3 (g)",
        rustls: Expected::Refuses("InvalidCertRevocationList"),
        // The key identifiers tell OpenSSL that it is not the issuer's.
        openssl: Expected::Refuses("3"),
        scheme: None,
        difference: None,
        make: |workshop| looked_up(workshop, List::Forged),
    },
    Case {
        name: "list-tampered",
        fault: "the issuer's list, with the serial number of somebody else",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.3.3 (g)",
        rustls: Expected::Refuses("InvalidCertRevocationList"),
        openssl: Expected::Refuses("8"),
        scheme: None,
        difference: None,
        make: |workshop| looked_up(workshop, List::Tampered),
    },
];

/// What the server has to look a client up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Empty,
    Revoking,
    OfAnother,
    Stale,
    Forged,
    Tampered,
}

fn looked_up(workshop: &Workshop, list: List) -> Result<Scene, CaseError> {
    let (own, somebody_else) = (pki::serial_number()?, pki::serial_number()?);
    let mut params = workshop.client_params()?;
    params.serial_number = Some(own.clone());
    let issuer = &*workshop.intermediate;
    let soon = workshop.now + Duration::days(6);
    let list = match list {
        List::Empty => workshop.crl(issuer, None, soon),
        List::Revoking => workshop.crl(issuer, Some(own), soon),
        List::OfAnother => workshop.crl(&*workshop.root, None, soon),
        List::Stale => workshop.crl(issuer, None, workshop.now - Duration::hours(1)),
        List::Forged => {
            let lookalikes = workshop.other_issuers(USUAL)?;
            workshop.crl(&*lookalikes.intermediate, None, soon)
        }
        List::Tampered => {
            let list = workshop.crl(issuer, Some(own.clone()), soon)?;
            forge::with_serial(&list, &own, &somebody_else)
        }
    };
    workshop.client(&params, vec![list?])
}
