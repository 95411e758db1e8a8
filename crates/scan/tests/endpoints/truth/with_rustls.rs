//! rustls, with groups and certificates that few servers have.

use audit::{Algorithm, SignatureFamily};
use rustls::SupportedProtocolVersion;
use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::version::{TLS12 as V12, TLS13 as V13};

use super::*;
use crate::certificates::Identity;
use crate::rustls_server::{RustlsServer, Terms};
use crate::scanning::{patient, scan_one, tls};

static TLS13_ALONE: &[&SupportedProtocolVersion] = &[&V13];

fn terms(groups: &[&'static dyn SupportedKxGroup]) -> Terms<'static> {
    Terms {
        groups: groups.to_vec(),
        versions: TLS13_ALONE,
        identities: vec![Identity::ecdsa()],
        alpn: &[],
        has_tickets: true,
        client_certificate: None,
    }
}

const TRUTH: Truth = Truth {
    groups: &[X25519],
    // With one group there is nothing else to decide.
    server_decides: true,
    versions: &[TLS13],
    vague_versions: &[],
    static_rsa: false,
    chains: &[(SignatureFamily::Ecdsa, "ecdsa_secp256r1_sha256")],
    clients: ALL_X25519,
    alpn: &[],
    client_certificate: None,
    resumes: true,
};

fn check(terms: Terms<'_>, truth: &Truth) -> TlsService {
    let server = RustlsServer::start(terms);
    let service = tls(scan_one(server.address, &patient()));
    truth.check(&service);
    // The target is an address.
    assert_eq!(server.names(), [None]);
    service
}

#[test]
fn the_hybrid_alone_with_a_certificate_of_ml_dsa() {
    let service = check(
        Terms {
            identities: vec![Identity::new(&rcgen::PKCS_ML_DSA_65)],
            ..terms(&[kx_group::X25519MLKEM768])
        },
        &Truth {
            groups: &[X25519_MLKEM768],
            chains: &[(SignatureFamily::MlDsa, "mldsa65")],
            clients: clients([
                Some((X25519_MLKEM768, false)),
                Some((X25519_MLKEM768, false)),
                Some((X25519_MLKEM768, false)),
                None,
                Some((X25519_MLKEM768, false)),
                None,
            ]),
            ..TRUTH
        },
    );
    let shown = service
        .chains
        .iter()
        .find_map(|tried| tried.answer.supported());
    assert_eq!(shown.unwrap().certificates[0].key, Algorithm::MlDsa(65));
}

#[test]
fn groups_that_few_clients_have_a_share_of() {
    check(
        terms(&[kx_group::SECP256R1MLKEM768, kx_group::SECP256R1]),
        &Truth {
            groups: &[P256_MLKEM768, P256],
            // It goes by the client's order.
            server_decides: false,
            clients: clients([
                Some((P256, true)),
                Some((P256_MLKEM768, true)),
                Some((P256, true)),
                Some((P256, true)),
                Some((P256, true)),
                Some((P256, false)),
            ]),
            ..TRUTH
        },
    );
}

#[test]
fn a_group_that_no_client_has() {
    check(
        terms(&[kx_group::MLKEM1024]),
        &Truth {
            groups: &[MLKEM1024],
            clients: clients([None; 6]),
            ..TRUTH
        },
    );
}

#[test]
fn a_chain_for_each_family() {
    check(
        Terms {
            versions: &[&V13, &V12],
            identities: vec![
                Identity::new(&rcgen::PKCS_ML_DSA_65),
                Identity::ecdsa(),
                Identity::rsa(),
                Identity::new(&rcgen::PKCS_ED25519),
            ],
            ..terms(&[
                kx_group::X25519MLKEM768,
                kx_group::X25519,
                kx_group::SECP384R1,
            ])
        },
        &Truth {
            groups: &[X25519_MLKEM768, X25519, P384],
            server_decides: false,
            versions: &[TLS12, TLS13],
            chains: &[
                (SignatureFamily::Rsa, "rsa_pss_rsae_sha512"),
                (SignatureFamily::Ecdsa, "ecdsa_secp256r1_sha256"),
                (SignatureFamily::Eddsa, "ed25519"),
                (SignatureFamily::MlDsa, "mldsa65"),
            ],
            clients: HYBRID_IF_OFFERED,
            ..TRUTH
        },
    );
}

#[test]
fn one_protocol_and_no_tickets() {
    check(
        Terms {
            alpn: &["h2"],
            has_tickets: false,
            ..terms(&[kx_group::X25519])
        },
        &Truth {
            alpn: &["h2"],
            resumes: false,
            ..TRUTH
        },
    );
}

#[test]
fn client_certificates_that_may_and_that_must_come() {
    for is_mandatory in [false, true] {
        check(
            Terms {
                client_certificate: Some(is_mandatory),
                ..terms(&[kx_group::X25519])
            },
            &Truth {
                client_certificate: Some(!is_mandatory),
                ..TRUTH
            },
        );
    }
}

#[test]
fn a_certificate_that_is_none_is_unknown() {
    let server = RustlsServer::start(Terms {
        identities: vec![Identity {
            certificate: vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 1],
            ..Identity::ecdsa()
        }],
        ..terms(&[kx_group::X25519])
    });
    let service = tls(scan_one(server.address, &patient()));
    for tried in &service.chains {
        match &tried.answer {
            Answer::Unknown(unknown) => {
                assert_eq!(
                    (tried.offer, unknown.cause),
                    (SignatureFamily::Ecdsa, Cause::Garbage)
                );
            }
            answer => assert!(answer.is_refused() && tried.offer != SignatureFamily::Ecdsa),
        }
    }
    // What goes before it, and after it, is known all the same.
    assert_eq!(supported("groups", &service.groups), [NamedGroup::X25519]);
    assert!(service.resumption.is_supported());
}
