//! The groups in whole TLS 1.3 handshakes in memory.

#![expect(clippy::unwrap_used, reason = "these tests fail by panicking")]

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, NamedGroup, RootCertStore, ServerConfig,
    ServerConnection,
};
use rustls_pqcrypto::aws_lc::{AWS_LC_MLKEM512, AWS_LC_SECP384R1MLKEM1024};
use rustls_pqcrypto::{
    ALL, MLKEM512, MLKEM768, MLKEM1024, SECP256R1MLKEM768, SECP384R1MLKEM1024, X25519MLKEM768,
};

type Group = &'static dyn SupportedKxGroup;

#[test]
fn every_group_completes_a_handshake() {
    let identity = Identity::new();
    for group in ALL
        .iter()
        .copied()
        .chain([AWS_LC_MLKEM512, AWS_LC_SECP384R1MLKEM1024])
    {
        assert_eq!(
            identity.handshake(&[group], &[group]),
            (group.name(), HandshakeKind::Full)
        );
    }
}

#[test]
fn pqcrypto_and_aws_lc_complete_handshakes_in_both_directions() {
    let identity = Identity::new();
    let twins: [(Group, Group); 6] = [
        (X25519MLKEM768, kx_group::X25519MLKEM768),
        (SECP256R1MLKEM768, kx_group::SECP256R1MLKEM768),
        (SECP384R1MLKEM1024, AWS_LC_SECP384R1MLKEM1024),
        (MLKEM512, AWS_LC_MLKEM512),
        (MLKEM768, kx_group::MLKEM768),
        (MLKEM1024, kx_group::MLKEM1024),
    ];
    for (ours, theirs) in twins {
        assert_eq!(
            identity.handshake(&[ours], &[theirs]),
            (ours.name(), HandshakeKind::Full)
        );
        assert_eq!(
            identity.handshake(&[theirs], &[ours]),
            (ours.name(), HandshakeKind::Full)
        );
    }
}

/// The client offers the classical half of its hybrid beside it: a classical server needs no
/// HelloRetryRequest.
#[test]
fn a_classical_server_takes_the_half_of_a_hybrid() {
    let identity = Identity::new();
    let outcome = identity.handshake(&[X25519MLKEM768, kx_group::X25519], &[kx_group::X25519]);
    assert_eq!(outcome, (NamedGroup::X25519, HandshakeKind::Full));
}

#[test]
fn a_server_may_ask_for_a_hybrid_by_hello_retry_request() {
    let identity = Identity::new();
    let outcome = identity.handshake(&[kx_group::X25519, X25519MLKEM768], &[X25519MLKEM768]);
    assert_eq!(
        outcome,
        (
            NamedGroup::X25519MLKEM768,
            HandshakeKind::FullWithHelloRetryRequest
        )
    );
}

/// A server with a self-signed certificate, and its client.
struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    fn new() -> Self {
        let identity = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
        Self {
            certificate: identity.cert.der().clone(),
            key: PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into()),
        }
    }

    /// The group that was negotiated, and how, when each side offers the given groups.
    fn handshake(&self, client: &[Group], server: &[Group]) -> (NamedGroup, HandshakeKind) {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider(client))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let server = ServerConfig::builder_with_provider(provider(server))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();

        while client.is_handshaking() || server.is_handshaking() {
            let mut flight = Vec::new();
            client.write_tls(&mut flight).unwrap();
            let mut rest = &*flight;
            while !rest.is_empty() {
                server.read_tls(&mut rest).unwrap();
                server.process_new_packets().unwrap();
            }
            let mut answer = Vec::new();
            server.write_tls(&mut answer).unwrap();
            let mut rest = &*answer;
            while !rest.is_empty() {
                client.read_tls(&mut rest).unwrap();
                client.process_new_packets().unwrap();
            }
            assert!(
                !flight.is_empty() || !answer.is_empty(),
                "the handshake stands still"
            );
        }
        let group = client.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(
            server.negotiated_key_exchange_group().unwrap().name(),
            group
        );
        (group, client.handshake_kind().unwrap())
    }
}

fn provider(groups: &[Group]) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        kx_groups: groups.to_vec(),
        ..default_provider()
    })
}
