//! Who issued what.

use pki::Key;
use rcgen::{
    BasicConstraints, CertifiedIssuer, GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints,
};

use crate::certificates::case::{Case, CaseError, Expected, Standard};
use crate::certificates::scene::Scene;
use crate::certificates::workshop::{Leaf, USUAL, Workshop, authority, dns};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "self-signed",
        fault: "the end entity has signed itself",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1",
        rustls: Expected::Refuses("UnknownIssuer"),
        openssl: Expected::Refuses("18"),
        scheme: None,
        difference: None,
        make: self_signed,
    },
    Case {
        name: "other-authority",
        fault: "the chain ends at a root that the client does not trust",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1",
        rustls: Expected::Refuses("UnknownIssuer"),
        openssl: Expected::Refuses("20"),
        scheme: None,
        difference: None,
        make: other_authority,
    },
    Case {
        name: "missing-intermediate",
        fault: "the server does not send its intermediate",
        standard: Standard::Refuse,
        reference: "RFC 8446 section 4.4.2",
        rustls: Expected::Refuses("UnknownIssuer"),
        openssl: Expected::Refuses("20"),
        scheme: None,
        difference: None,
        make: missing_intermediate,
    },
    Case {
        name: "lookalike-authority",
        fault: "issuers with the right names and keys of their own",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1.3 (a)(1)",
        rustls: Expected::Refuses("BadSignature"),
        openssl: Expected::Refuses("20"),
        scheme: None,
        difference: None,
        make: lookalike_authority,
    },
    Case {
        name: "tampered",
        fault: "issued for mallet.pqlab.test, changed to server.pqlab.test",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1.3 (a)(1)",
        rustls: Expected::Refuses("BadSignature"),
        openssl: Expected::Refuses("7"),
        scheme: None,
        difference: None,
        make: tampered,
    },
    Case {
        name: "end-entity-as-authority",
        fault: "an end entity has issued a certificate",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1.4 (k)",
        rustls: Expected::Refuses("EndEntityUsedAsCa"),
        openssl: Expected::Refuses("79"),
        scheme: None,
        difference: None,
        make: end_entity_as_authority,
    },
    Case {
        name: "path-length",
        fault: "an issuer below an intermediate that may have none below it",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1.4 (l)",
        rustls: Expected::Refuses("PathLenConstraintViolated"),
        openssl: Expected::Refuses("25"),
        scheme: None,
        difference: None,
        make: path_length,
    },
    Case {
        name: "name-constraint",
        fault: "the intermediate may issue for other.test alone",
        standard: Standard::Refuse,
        reference: "RFC 5280 section 6.1.3 (b)",
        rustls: Expected::Refuses("NameConstraintViolation"),
        openssl: Expected::Refuses("47"),
        scheme: None,
        difference: None,
        make: name_constraint,
    },
    Case {
        name: "authority-as-server",
        fault: "the server shows the certificate of an issuer as its own",
        standard: Standard::Accept,
        reference: "RFC 5280 section 4.2.1.9",
        rustls: Expected::Refuses("CaUsedAsEndEntity"),
        openssl: Expected::Accepts,
        scheme: None,
        difference: Some(
            "RFC 5280 says who may issue (section 4.2.1.9), and nowhere that an issuer may not be \
             a server: OpenSSL follows its algorithm. rustls is stricter, as the rules of public \
             authorities are; do not put the key of an issuer on a server.",
        ),
        make: authority_as_server,
    },
];

fn self_signed(workshop: &Workshop) -> Result<Scene, CaseError> {
    let key = Key::generate(USUAL)?;
    let certificate = workshop.server_params()?.self_signed(&key)?.into();
    Ok(workshop.server_of(Leaf { certificate, key }.below(&[])))
}

fn other_authority(workshop: &Workshop) -> Result<Scene, CaseError> {
    let root = workshop.issuer_params("pqlab lab stranger", 1)?;
    let root = CertifiedIssuer::self_signed(root, Key::generate(USUAL)?)?;
    let intermediate = workshop.issuer_params("pqlab lab stranger's intermediate", 0)?;
    let intermediate = authority(intermediate, Key::generate(USUAL)?, &root)?;
    workshop.server_below(&workshop.server_params()?, &intermediate)
}

fn missing_intermediate(workshop: &Workshop) -> Result<Scene, CaseError> {
    let params = workshop.server_params()?;
    let leaf = Leaf::issue(&params, USUAL, &workshop.intermediate)?;
    Ok(workshop.server_of(leaf.below(&[])))
}

fn lookalike_authority(workshop: &Workshop) -> Result<Scene, CaseError> {
    let lookalikes = workshop.other_issuers(USUAL)?;
    workshop.server_below(&workshop.server_params()?, &lookalikes.intermediate)
}

fn tampered(workshop: &Workshop) -> Result<Scene, CaseError> {
    let leaf = workshop.renamed_leaf(USUAL, &workshop.intermediate)?;
    Ok(workshop.server_of(leaf.below(&[workshop.intermediate.der()])))
}

fn end_entity_as_authority(workshop: &Workshop) -> Result<Scene, CaseError> {
    // A certificate for every purpose but issuing: only its basic constraints forbid it.
    let mut params = workshop.server_params()?;
    params.subject_alt_names = vec![dns("mallet.pqlab.test")?];
    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    let mallet = authority(params, Key::generate(USUAL)?, &workshop.intermediate)?;
    let leaf = Leaf::issue(&workshop.server_params()?, USUAL, &mallet)?;
    Ok(workshop.server_of(leaf.below(&[mallet.der(), workshop.intermediate.der()])))
}

fn path_length(workshop: &Workshop) -> Result<Scene, CaseError> {
    let params = workshop.issuer_params("pqlab lab issuer too many", 0)?;
    let issuer = authority(params, Key::generate(USUAL)?, &workshop.intermediate)?;
    let leaf = Leaf::issue(&workshop.server_params()?, USUAL, &issuer)?;
    Ok(workshop.server_of(leaf.below(&[issuer.der(), workshop.intermediate.der()])))
}

fn name_constraint(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut params = workshop.issuer_params("pqlab lab constrained intermediate", 0)?;
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("other.test".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    let intermediate = authority(params, Key::generate(USUAL)?, &workshop.root)?;
    workshop.server_below(&workshop.server_params()?, &intermediate)
}

fn authority_as_server(workshop: &Workshop) -> Result<Scene, CaseError> {
    let mut params = workshop.server_params()?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    let leaf = Leaf::issue(&params, USUAL, &workshop.root)?;
    Ok(workshop.server_of(leaf.below(&[])))
}
