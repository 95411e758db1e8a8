//! What a verifier and a TLS library make of the certificates.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails the test by panicking"
)]

use std::collections::HashSet;
use std::io::{Read, Write};
use std::sync::{Arc, LazyLock};

use pki::{CLIENT_NAME, Cache, Identity, Role, SERVER_NAME};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Error, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme,
};
use rustls_pki_types::{ServerName, UnixTime};
use wire::{ChainAlgorithms, SignatureAlgorithm as A};
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

struct Pair {
    chain: ChainAlgorithms,
    server: Identity,
    client: Identity,
}

/// Every uniform chain and a few mixed ones; made once, as RSA keys take seconds.
static PAIRS: LazyLock<Vec<Pair>> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(directory.path().to_owned()).unwrap();
    let mixed = [
        ChainAlgorithms::mixed(A::EcdsaP256, A::Rsa2048, A::Rsa3072),
        ChainAlgorithms::mixed(A::MlDsa44, A::MlDsa65, A::MlDsa87),
        ChainAlgorithms::mixed(A::Rsa2048, A::MlDsa65, A::EcdsaP384),
        ChainAlgorithms::mixed(A::MlDsa65, A::Ed25519, A::EcdsaP256),
    ];
    A::ALL
        .map(ChainAlgorithms::uniform)
        .into_iter()
        .chain(mixed)
        .map(|chain| Pair {
            chain,
            server: cache.identity(chain, Role::Server).unwrap(),
            client: cache.identity(chain, Role::Client).unwrap(),
        })
        .collect()
});

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn roots(identity: &Identity) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(identity.root().clone()).unwrap();
    Arc::new(roots)
}

/// What a client that trusts `trusted` says to a server that shows `shown`.
fn verify_server(trusted: &Identity, shown: &Identity, name: &str) -> Result<(), Error> {
    WebPkiServerVerifier::builder_with_provider(roots(trusted), provider())
        .build()
        .unwrap()
        .verify_server_cert(
            &shown.chain()[0],
            &shown.chain()[1..],
            &ServerName::try_from(name).unwrap(),
            &[],
            UnixTime::now(),
        )
        .map(|_| ())
}

/// What a server that trusts `trusted` says to a client that shows `shown`.
fn verify_client(trusted: &Identity, shown: &Identity) -> Result<(), Error> {
    WebPkiClientVerifier::builder_with_provider(roots(trusted), provider())
        .build()
        .unwrap()
        .verify_client_cert(&shown.chain()[0], &shown.chain()[1..], UnixTime::now())
        .map(|_| ())
}

#[test]
fn every_chain_verifies_in_its_role_and_no_other() {
    for Pair {
        chain,
        server,
        client,
    } in PAIRS.iter()
    {
        for name in [SERVER_NAME, "localhost", "127.0.0.1"] {
            assert_eq!(
                verify_server(client, server, name),
                Ok(()),
                "{chain}, {name}"
            );
        }
        assert_eq!(verify_client(server, client), Ok(()), "{chain}");

        let wrong_purpose = |verdict| {
            matches!(
                verdict,
                Err(Error::InvalidCertificate(
                    CertificateError::InvalidPurposeContext { .. }
                ))
            )
        };
        assert!(wrong_purpose(verify_client(server, server)), "{chain}");
        assert!(
            wrong_purpose(verify_server(client, client, CLIENT_NAME)),
            "{chain}"
        );
    }
}

#[test]
fn another_name_is_refused() {
    for Pair { chain, server, .. } in PAIRS.iter() {
        for name in ["other.pqlab.test", CLIENT_NAME, "pqlab.test", "127.0.0.2"] {
            let verdict = verify_server(server, server, name);
            assert!(
                matches!(
                    verdict,
                    Err(Error::InvalidCertificate(
                        CertificateError::NotValidForNameContext { .. }
                    ))
                ),
                "{chain}, {name}: {verdict:?}"
            );
        }
    }
}

#[test]
fn another_root_is_refused() {
    for (
        index,
        Pair {
            chain,
            server,
            client,
        },
    ) in PAIRS.iter().enumerate()
    {
        let stranger = &PAIRS[(index + 1) % PAIRS.len()].server;
        let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        assert_eq!(
            verify_server(stranger, server, SERVER_NAME),
            Err(unknown.clone()),
            "{chain}"
        );
        assert_eq!(verify_client(stranger, client), Err(unknown), "{chain}");
    }
}

#[test]
fn rustls_signs_with_every_key() {
    for Pair {
        chain,
        server,
        client,
    } in PAIRS.iter()
    {
        for identity in [server, client] {
            let certified = CertifiedKey::from_der(
                identity.chain().to_vec(),
                identity.key().clone_key(),
                &aws_lc_rs::default_provider(),
            )
            .unwrap();
            certified.keys_match().unwrap();
            let scheme = SignatureScheme::from(chain.leaf().facts().scheme.0);
            let signer = certified.key.choose_scheme(&[scheme]).unwrap();
            let signature = signer.sign(b"message").unwrap();
            assert!(
                signature.len() <= usize::from(chain.leaf().facts().signature),
                "{chain}"
            );
        }
    }
}

/// RFC 9881 section 6: `[0] IMPLICIT OCTET STRING (SIZE (32))` and nothing after it.
#[test]
fn ml_dsa_keys_are_a_seed_alone() {
    for Pair { chain, server, .. } in PAIRS
        .iter()
        .filter(|pair| pair.chain.leaf().facts().post_quantum)
    {
        let key = server.key().secret_der();
        assert_eq!(key.len(), 54, "{chain}");
        assert_eq!(key[20..22], [0x80, 32], "{chain}");
    }
}

/// Version 0 in PKCS#8: OpenSSL 3.0 does not read version 1, which carries the public key too.
#[test]
fn keys_are_pkcs8_version_1() {
    for Pair { chain, server, .. } in PAIRS.iter() {
        let key = server.key_pem();
        let der = pem::parse(&key).unwrap().into_contents();
        assert_eq!(der, server.key().secret_der(), "{chain}");
        assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{chain}");
        let header = if der[1] < 0x80 {
            2
        } else {
            2 + usize::from(der[1] & 0x7f)
        };
        assert_eq!(der[header..header + 3], [2, 1, 0], "{chain}");
    }
}

/// Root, intermediate, server and client.
fn certificates(pair: &Pair) -> [X509Certificate<'_>; 4] {
    [
        pair.server.root(),
        &pair.server.chain()[1],
        &pair.server.chain()[0],
        &pair.client.chain()[0],
    ]
    .map(|der| X509Certificate::from_der(der).unwrap().1)
}

#[test]
fn issuers_sign_with_the_scheme_of_their_key() {
    for pair in PAIRS.iter() {
        let (root, intermediate) = (pair.chain.root(), pair.chain.intermediate());
        let issuers = [root, root, intermediate, intermediate];
        for (certificate, issuer) in certificates(pair).iter().zip(issuers) {
            let oid = match issuer.facts().certificate_scheme.to_string().as_str() {
                "rsa_pkcs1_sha256" => "1.2.840.113549.1.1.11",
                "ecdsa_secp256r1_sha256" => "1.2.840.10045.4.3.2",
                "ecdsa_secp384r1_sha384" => "1.2.840.10045.4.3.3",
                "ed25519" => "1.3.101.112",
                "mldsa44" => "2.16.840.1.101.3.4.3.17",
                "mldsa65" => "2.16.840.1.101.3.4.3.18",
                "mldsa87" => "2.16.840.1.101.3.4.3.19",
                other => panic!("no object identifier for {other}"),
            };
            assert_eq!(
                certificate.signature_algorithm.algorithm.to_id_string(),
                oid
            );
        }
    }
}

/// The bytes beside keys and signatures do not depend on the algorithms.
#[test]
fn certificates_of_one_level_have_the_same_shape() {
    let shapes: HashSet<_> = PAIRS
        .iter()
        .map(|pair| {
            certificates(pair).map(|certificate| {
                let extensions: Vec<_> = certificate
                    .extensions()
                    .iter()
                    .map(|e| (e.oid.to_id_string(), e.critical, e.value.len()))
                    .collect();
                (
                    extensions,
                    certificate.raw_serial().len(),
                    certificate.subject().as_raw().len(),
                    certificate.issuer().as_raw().len(),
                    certificate.validity().not_after.timestamp()
                        - certificate.validity().not_before.timestamp(),
                )
            })
        })
        .collect();
    assert_eq!(shapes.len(), 1, "{shapes:#?}");
}

#[test]
fn key_identifiers_link_the_chain() {
    for pair in PAIRS.iter() {
        let [root, intermediate, server, client] = certificates(pair);
        let subject = |certificate: &X509Certificate<'_>| {
            certificate
                .iter_extensions()
                .find_map(|e| match e.parsed_extension() {
                    ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
                    _ => None,
                })
        };
        let authority = |certificate: &X509Certificate<'_>| {
            certificate
                .iter_extensions()
                .find_map(|e| match e.parsed_extension() {
                    ParsedExtension::AuthorityKeyIdentifier(id) => {
                        id.key_identifier.as_ref().map(|id| id.0.to_vec())
                    }
                    _ => None,
                })
        };
        assert!(subject(&root).is_some());
        assert_eq!(authority(&intermediate), subject(&root));
        assert_eq!(authority(&server), subject(&intermediate));
        assert_eq!(authority(&client), subject(&intermediate));
        assert_ne!(subject(&server), subject(&client));
    }
}

#[test]
fn constraints_and_usages_fit_the_level() {
    for pair in PAIRS.iter() {
        let [root, intermediate, server, client] = certificates(pair);
        let path_length = |certificate: &X509Certificate<'_>| {
            let constraints = certificate.basic_constraints().unwrap().unwrap().value;
            (constraints.ca, constraints.path_len_constraint)
        };
        assert_eq!(path_length(&root), (true, Some(1)));
        assert_eq!(path_length(&intermediate), (true, Some(0)));
        assert_eq!(path_length(&server), (false, None));
        assert_eq!(path_length(&client), (false, None));

        let usage = |certificate: &X509Certificate<'_>| {
            certificate.key_usage().unwrap().unwrap().value.to_string()
        };
        assert_eq!(usage(&root), "Key Cert Sign, CRL Sign");
        assert_eq!(usage(&intermediate), "Key Cert Sign, CRL Sign");
        assert_eq!(usage(&client), "Digital Signature");
        // Static RSA key exchange encrypts to the server's key; nothing else may.
        let rsa = pair.chain.leaf().rsa_bits().is_some();
        let expected = if rsa {
            "Digital Signature, Key Encipherment"
        } else {
            "Digital Signature"
        };
        assert_eq!(usage(&server), expected);
    }
}

#[test]
fn mutual_tls_with_ml_dsa_65_exchanges_data() {
    let chain = ChainAlgorithms::uniform(A::MlDsa65);
    let Pair { server, client, .. } = PAIRS.iter().find(|pair| pair.chain == chain).unwrap();
    let client_verifier = WebPkiClientVerifier::builder_with_provider(roots(server), provider())
        .build()
        .unwrap();
    let server_config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(client_verifier)
        .with_single_cert(server.chain().to_vec(), server.key().clone_key())
        .unwrap();
    let client_config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(client))
        .with_client_auth_cert(client.chain().to_vec(), client.key().clone_key())
        .unwrap();
    let name = ServerName::try_from(SERVER_NAME).unwrap();
    let mut client_side = ClientConnection::new(Arc::new(client_config), name).unwrap();
    let mut server_side = ServerConnection::new(Arc::new(server_config)).unwrap();

    client_side.writer().write_all(b"ping").unwrap();
    while client_side.wants_write() || server_side.wants_write() {
        let mut bytes = Vec::new();
        while client_side.wants_write() {
            client_side.write_tls(&mut bytes).unwrap();
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            server_side.read_tls(&mut rest).unwrap();
            server_side.process_new_packets().unwrap();
        }
        bytes.clear();
        while server_side.wants_write() {
            server_side.write_tls(&mut bytes).unwrap();
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            client_side.read_tls(&mut rest).unwrap();
            client_side.process_new_packets().unwrap();
        }
    }

    let mut received = [0; 4];
    server_side.reader().read_exact(&mut received).unwrap();
    assert_eq!(&received, b"ping");
    assert_eq!(client_side.peer_certificates().unwrap(), server.chain());
    assert_eq!(server_side.peer_certificates().unwrap(), client.chain());
}
