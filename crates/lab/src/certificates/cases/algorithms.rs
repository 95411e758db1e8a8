//! Keys and digests of another time.

use crate::certificates::case::{Case, CaseError, Expected, Standard};
use crate::certificates::forge::{self, RsaKey};
use crate::certificates::scene::Scene;
use crate::certificates::workshop::{Leaf, USUAL, Workshop, authority};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "weak-key",
        fault: "the intermediate has an RSA key of 1024 bits",
        standard: Standard::Forbid,
        reference: "RFC 9325 section 4.5",
        rustls: Expected::Refuses("BadSignature"),
        openssl: Expected::Refuses("67"),
        scheme: None,
        difference: None,
        make: weak_key,
    },
    Case {
        name: "sha1",
        fault: "the end entity is signed by RSA with SHA-1",
        standard: Standard::RecommendRefusal,
        reference: "RFC 8446 section 4.4.2.4",
        rustls: Expected::Refuses("UnsupportedSignatureAlgorithmContext"),
        openssl: Expected::Refuses("68"),
        scheme: None,
        difference: None,
        make: sha1,
    },
];

fn weak_key(workshop: &Workshop) -> Result<Scene, CaseError> {
    let params = workshop.issuer_params("pqlab lab weak intermediate", 0)?;
    let intermediate = authority(params, RsaKey::generate(1024)?, &workshop.root)?;
    workshop.server_below(&workshop.server_params()?, &intermediate)
}

fn sha1(workshop: &Workshop) -> Result<Scene, CaseError> {
    let params = workshop.issuer_params("pqlab lab RSA intermediate", 0)?;
    let intermediate = authority(params, RsaKey::generate(2048)?, &workshop.root)?;
    let mut leaf = Leaf::issue(&workshop.server_params()?, USUAL, &intermediate)?;
    leaf.certificate = forge::signed_with_sha1(&leaf.certificate, intermediate.key())?;
    Ok(workshop.server_of(leaf.below(&[intermediate.der()])))
}
