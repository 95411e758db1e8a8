//! Validity.

use pki::Key;
use rcgen::CertifiedIssuer;
use time::Duration;

use crate::certificates::case::{Case, CaseError, Expected, Standard};
use crate::certificates::scene::{Clients, Scene, ServerScene};
use crate::certificates::workshop::{Leaf, USUAL, Workshop, authority};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "good",
        fault: "nothing: a control",
        standard: Standard::Accept,
        reference: "RFC 5280 section 6.1",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: None,
        difference: None,
        make: |workshop| workshop.server(&workshop.server_params()?),
    },
    Case {
        name: "expired",
        fault: "the end entity expired an hour ago",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1.3 (a)(2)",
        rustls: Expected::Refuses("ExpiredContext"),
        openssl: Expected::Refuses("10"),
        scheme: None,
        difference: None,
        make: expired,
    },
    Case {
        name: "not-yet-valid",
        fault: "the end entity is valid from tomorrow on",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1.3 (a)(2)",
        rustls: Expected::Refuses("NotValidYetContext"),
        openssl: Expected::Refuses("9"),
        scheme: None,
        difference: None,
        make: not_yet_valid,
    },
    Case {
        name: "expired-intermediate",
        fault: "the intermediate expired an hour ago",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1.3 (a)(2)",
        rustls: Expected::Refuses("ExpiredContext"),
        openssl: Expected::Refuses("10"),
        scheme: None,
        difference: None,
        make: expired_intermediate,
    },
    Case {
        name: "expired-root",
        fault: "the trust anchor expired an hour ago",
        standard: Standard::Accept,
        reference: "RFC 5280 section 6.1.1 (d)",
        rustls: Expected::Accepts,
        openssl: Expected::Refuses("10"),
        scheme: None,
        difference: Some(
            "Path validation takes the name and the key of a trust anchor, not its validity: \
             rustls does what RFC 5280 section 6.1.1 (d) says. OpenSSL judges the root like any \
             certificate, which section 6.2 lets it do. Renew roots before they expire.",
        ),
        make: expired_root,
    },
];

fn expired(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut params = workshop.server_params()?;
    params.not_after = workshop.now - Duration::hours(1);
    workshop.server(&params)
}

fn not_yet_valid(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut params = workshop.server_params()?;
    params.not_before = workshop.now + Duration::days(1);
    workshop.server(&params)
}

fn expired_intermediate(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut params = workshop.issuer_params("pqlab lab expired intermediate", 0)?;
    params.not_after = workshop.now - Duration::hours(1);
    let intermediate = authority(params, Key::generate(USUAL)?, &workshop.root)?;
    workshop.server_below(&workshop.server_params()?, &intermediate)
}

fn expired_root(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut params = workshop.issuer_params("pqlab lab expired root", 0)?;
    params.not_after = workshop.now - Duration::hours(1);
    let root = CertifiedIssuer::self_signed(params, Key::generate(USUAL)?)?;
    let leaf = Leaf::issue(&workshop.server_params()?, USUAL, &root)?;
    Ok(Scene::Server(ServerScene {
        shows: vec![leaf.below(&[])],
        name: pki::SERVER_NAME.to_owned(),
        roots: vec![root.der().clone()],
        clients: Clients::Modern,
    }))
}
