//! ML-DSA beside ECDSA.

use pki::SERVER_NAME;
use rcgen::KeyUsagePurpose;
use wire::{AlertDescription, SignatureAlgorithm};

use crate::certificates::case::{Case, CaseError, Expected, Standard};
use crate::certificates::scene::{Clients, Scene, ServerScene};
use crate::certificates::workshop::{Issuers, Leaf, USUAL, Workshop};

const ML_DSA: SignatureAlgorithm = SignatureAlgorithm::MlDsa65;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "ml-dsa",
        fault: "nothing: ML-DSA-65 from root to end entity",
        standard: Standard::Accept,
        reference: "RFC 9881",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: Some("mldsa65"),
        difference: None,
        make: |workshop| below(workshop, ML_DSA, ML_DSA),
    },
    Case {
        name: "ml-dsa-below-ecdsa",
        fault: "nothing: an ML-DSA-65 end entity below ECDSA issuers",
        standard: Standard::Accept,
        reference: "RFC 9881 section 4",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: Some("mldsa65"),
        difference: None,
        make: |workshop| below(workshop, USUAL, ML_DSA),
    },
    Case {
        name: "ecdsa-below-ml-dsa",
        fault: "nothing: an ECDSA end entity below ML-DSA-65 issuers",
        standard: Standard::Accept,
        reference: "RFC 9881 section 3",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: Some("ecdsa_secp256r1_sha256"),
        difference: None,
        make: |workshop| below(workshop, ML_DSA, USUAL),
    },
    Case {
        name: "ml-dsa-tampered",
        fault: "ML-DSA-65, issued for mallet.pqlab.test, changed to server.pqlab.test",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1.3 (a)(1)",
        rustls: Expected::Refuses("BadSignature"),
        openssl: Expected::Refuses("7"),
        scheme: None,
        difference: None,
        make: tampered,
    },
    Case {
        name: "ml-dsa-key-encipherment",
        fault: "an ML-DSA-65 key that may encipher keys, which it can't",
        standard: Standard::Forbid,
        reference: "RFC 9881 section 5",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: None,
        difference: Some(
            "keyEncipherment must not be set for an ML-DSA key (RFC 9881 section 5): neither \
             library looks. The rule binds whoever issues; templates made for RSA break it.",
        ),
        make: key_encipherment,
    },
    Case {
        name: "ml-dsa-for-an-old-client",
        fault: "the server has an ML-DSA-65 certificate alone, the client no ML-DSA",
        standard: Standard::Refuse,
        reference: "RFC 5246 section 7.4.2",
        rustls: Expected::Fails(AlertDescription::HANDSHAKE_FAILURE),
        openssl: Expected::Fails(AlertDescription::HANDSHAKE_FAILURE),
        scheme: None,
        difference: None,
        make: for_an_old_client,
    },
    Case {
        name: "dual",
        fault: "nothing: ML-DSA-65 and ECDSA on one server, the client knows both",
        standard: Standard::Accept,
        reference: "RFC 8446 section 4.4.2.2",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: Some("mldsa65"),
        difference: None,
        make: |workshop| dual(workshop, Clients::Modern),
    },
    Case {
        name: "dual-for-an-old-client",
        fault: "nothing: ML-DSA-65 and ECDSA on one server, the client has no ML-DSA",
        standard: Standard::Accept,
        reference: "RFC 5246 section 7.4.2",
        rustls: Expected::Accepts,
        openssl: Expected::Accepts,
        scheme: Some("ecdsa_secp256r1_sha256"),
        difference: None,
        make: |workshop| dual(workshop, Clients::Old),
    },
];

/// A server below issuers of another algorithm, which the clients trust.
fn below(
    workshop: &Workshop,
    issuers: SignatureAlgorithm,
    end_entity: SignatureAlgorithm,
) -> Result<Scene, CaseError> {
    let issuers = workshop.other_issuers(issuers)?;
    let leaf = Leaf::issue(
        &workshop.server_params()?,
        end_entity,
        &issuers.intermediate,
    )?;
    Ok(scene(&issuers, leaf))
}

fn tampered(workshop: &Workshop) -> Result<Scene, CaseError> {
    let issuers = workshop.other_issuers(ML_DSA)?;
    let leaf = workshop.renamed_leaf(ML_DSA, &issuers.intermediate)?;
    Ok(scene(&issuers, leaf))
}

fn key_encipherment(workshop: &Workshop) -> Result<Scene, CaseError> {
    let issuers = workshop.other_issuers(ML_DSA)?;
    let mut params = workshop.server_params()?;
    params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    let leaf = Leaf::issue(&params, ML_DSA, &issuers.intermediate)?;
    Ok(scene(&issuers, leaf))
}

fn for_an_old_client(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut scene = below(workshop, ML_DSA, ML_DSA)?;
    if let Scene::Server(scene) = &mut scene {
        scene.clients = Clients::Old;
    }
    Ok(scene)
}

fn dual(workshop: &Workshop, clients: Clients) -> Result<Scene, CaseError> {
    let new = workshop.other_issuers(ML_DSA)?;
    let params = workshop.server_params()?;
    let wanted = Leaf::issue(&params, ML_DSA, &new.intermediate)?;
    let old = Leaf::issue(&params, USUAL, &workshop.intermediate)?;
    Ok(Scene::Server(ServerScene {
        shows: vec![
            wanted.below(&[new.intermediate.der()]),
            old.below(&[workshop.intermediate.der()]),
        ],
        name: SERVER_NAME.to_owned(),
        roots: vec![new.root.der().clone(), workshop.root.der().clone()],
        clients,
    }))
}

fn scene(issuers: &Issuers, leaf: Leaf) -> Scene {
    Scene::Server(ServerScene {
        shows: vec![leaf.below(&[issuers.intermediate.der()])],
        name: SERVER_NAME.to_owned(),
        roots: vec![issuers.root.der().clone()],
        clients: Clients::Modern,
    })
}
