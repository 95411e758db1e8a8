//! Servers and clients set up by profiles: every stack that takes them against every other.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use experiment::Side;
use pki::{Cache, Identity, Role};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SerialNumber,
};
use stack::{
    ClientAuthentication, ClientProfile, Connection, Endpoint, KeyLog, Offer, ServerProfile,
    StackError, TlsStack, Trust,
};
use wire::{ChainAlgorithms, NamedGroup, ProtocolVersion, SignatureAlgorithm, SignatureScheme};

const ECDSA: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256;
const ML_DSA: SignatureAlgorithm = SignatureAlgorithm::MlDsa65;

struct Lab {
    _folder: tempfile::TempDir,
    cache: Cache,
}

impl Lab {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("pki")).unwrap();
        Self {
            _folder: folder,
            cache,
        }
    }

    fn identity(&self, algorithm: SignatureAlgorithm, role: Role) -> Identity {
        let chain = ChainAlgorithms::uniform(algorithm);
        self.cache.identity(chain, role).unwrap()
    }

    fn server(&self, algorithms: &[SignatureAlgorithm]) -> ServerProfile {
        let identities = algorithms.iter().map(|a| self.identity(*a, Role::Server));
        ServerProfile {
            offer: Offer::default(),
            certificates: identities.map(|i| i.certified_key().clone()).collect(),
            client_authentication: None,
            tickets: 0,
        }
    }

    fn client(&self, algorithms: &[SignatureAlgorithm]) -> ClientProfile {
        let identities = algorithms.iter().map(|a| self.identity(*a, Role::Server));
        ClientProfile {
            offer: Offer::default(),
            server_name: pki::SERVER_NAME.to_owned(),
            trust: Trust::Verify(identities.map(|i| i.root().clone()).collect()),
            certificate: None,
            resumes: false,
        }
    }
}

fn stacks() -> Vec<&'static dyn TlsStack> {
    ["rustls", "rustls-openssl", "openssl"]
        .map(|name| stack::by_name(&name.parse().unwrap()).unwrap())
        .to_vec()
}

/// Calls `check` for each pair of stacks, with a name for messages.
fn for_all_pairs(check: impl Fn(&str, &dyn TlsStack, &dyn TlsStack)) {
    for client in stacks() {
        for server in stacks() {
            let name = format!("{} > {}", client.name(), server.name());
            check(&name, client, server);
        }
    }
}

type Established = (Box<dyn Connection>, Box<dyn Connection>);

/// Moves bytes in memory until both sides are done, and once more for the tickets.
fn shake(client: &dyn Endpoint, server: &dyn Endpoint) -> Result<Established, (Side, StackError)> {
    let mut client = client.connection().map_err(|e| (Side::Client, e))?;
    let mut server = server.connection().map_err(|e| (Side::Server, e))?;
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..8 {
        client
            .advance(&down, &mut up)
            .map_err(|e| (Side::Client, e))?;
        down.clear();
        server
            .advance(&up, &mut down)
            .map_err(|e| (Side::Server, e))?;
        up.clear();
        if down.is_empty() && !client.is_handshaking() && !server.is_handshaking() {
            return Ok((client, server));
        }
    }
    Err((Side::Client, StackError::Stalled))
}

#[test]
fn the_defaults_negotiate_the_hybrid_with_certificates_and_protocol() {
    let lab = Lab::open();
    for_all_pairs(|name, client, server| {
        let mut served = lab.server(&[ECDSA]);
        served.offer.alpn = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut wanted = lab.client(&[ECDSA]);
        wanted.offer.alpn = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
        let server = server.server(&served).unwrap();
        let (c, s) = shake(&*client.client(&wanted).unwrap(), &*server).expect(name);
        for side in [&c, &s] {
            let negotiated = side.negotiated();
            assert_eq!(negotiated.version, Some(ProtocolVersion::Tls13), "{name}");
            assert_eq!(negotiated.group, Some(NamedGroup::X25519MLKEM768), "{name}");
            assert_eq!(side.alpn().as_deref(), Some(b"h2".as_slice()), "{name}");
        }
        let scheme = Some(SignatureScheme::ECDSA_SECP256R1_SHA256);
        assert_eq!(c.negotiated().peer_scheme, scheme, "{name}");
        assert_eq!(s.negotiated().own_scheme, scheme, "{name}");
        assert_eq!(c.verdict(), Some(Ok(())), "{name}");
        let shown = lab.identity(ECDSA, Role::Server);
        assert_eq!(c.peer_chain(), shown.chain(), "{name}");
        assert!(s.peer_chain().is_empty(), "{name}");
    });
}

#[test]
fn no_protocol_in_common_is_refused() {
    let lab = Lab::open();
    for_all_pairs(|name, client, server| {
        let mut served = lab.server(&[ECDSA]);
        served.offer.alpn = vec![b"h2".to_vec()];
        let mut wanted = lab.client(&[ECDSA]);
        wanted.offer.alpn = vec![b"imap".to_vec()];
        let server = server.server(&served).unwrap();
        let refused = shake(&*client.client(&wanted).unwrap(), &*server);
        assert!(matches!(refused, Err((Side::Server, _))), "{name}");
    });
}

#[test]
fn of_two_certificates_each_client_gets_the_one_it_can_verify() {
    let lab = Lab::open();
    for_all_pairs(|name, client, server| {
        let knows_ml_dsa = |stack: &dyn TlsStack| stack.name().as_str() != "rustls-openssl";
        let served = server.server(&lab.server(&[ML_DSA, ECDSA]));
        if !knows_ml_dsa(server) {
            let error = served.err().unwrap().to_string();
            assert!(error.contains("private key"), "{name}: {error}");
            return;
        }
        let server = served.unwrap();
        let both = client.client(&lab.client(&[ML_DSA, ECDSA])).unwrap();
        let (c, s) = shake(&*both, &*server).expect(name);
        let scheme = match knows_ml_dsa(client) {
            true => SignatureScheme::MLDSA65,
            false => SignatureScheme::ECDSA_SECP256R1_SHA256,
        };
        assert_eq!(c.negotiated().peer_scheme, Some(scheme), "{name}");
        assert_eq!(s.negotiated().own_scheme, Some(scheme), "{name}");

        let mut old = lab.client(&[ECDSA]);
        old.offer.versions = vec![ProtocolVersion::Tls12];
        old.offer.groups = vec![NamedGroup::X25519, NamedGroup::SECP256R1];
        let old = client.client(&old).unwrap();
        let (c, s) = shake(&*old, &*server).expect(name);
        assert_eq!(c.negotiated().version, Some(ProtocolVersion::Tls12));
        let shown = lab.identity(ECDSA, Role::Server);
        assert_eq!(c.peer_chain(), shown.chain(), "{name}");
        assert_eq!(
            s.negotiated().own_scheme,
            Some(SignatureScheme::ECDSA_SECP256R1_SHA256),
            "{name}"
        );
    });
}

#[test]
fn an_observer_goes_on_and_keeps_the_verdict() {
    let lab = Lab::open();
    for_all_pairs(|name, client, server| {
        let server = server.server(&lab.server(&[ECDSA])).unwrap();
        let other = lab.identity(SignatureAlgorithm::Ed25519, Role::Server);
        let wrong = vec![other.root().clone()];
        for (trust, is_observer) in [
            (Trust::Verify(wrong.clone()), false),
            (Trust::Verify(Vec::new()), false),
            (Trust::Observe(wrong), true),
            (Trust::Observe(Vec::new()), true),
            (Trust::Unverified, true),
        ] {
            let mut profile = lab.client(&[]);
            profile.trust = trust.clone();
            match shake(&*client.client(&profile).unwrap(), &*server) {
                Ok((c, _)) if matches!(trust, Trust::Unverified) => {
                    assert_eq!(c.verdict(), None, "{name}: nobody asked");
                }
                Ok((c, _)) if is_observer => {
                    let reason = c.verdict().unwrap().unwrap_err();
                    assert!(!reason.is_empty(), "{name}");
                }
                Err((Side::Client, StackError::Certificate(_))) if !is_observer => {}
                Ok(_) => panic!("{name}: {trust:?} took a stranger"),
                Err(error) => panic!("{name}: {trust:?}: {error:?}"),
            }
        }
        let mut profile = lab.client(&[ECDSA]);
        profile.server_name = "elsewhere.pqlab.test".to_owned();
        let refused = shake(&*client.client(&profile).unwrap(), &*server);
        assert!(
            matches!(&refused, Err((Side::Client, StackError::Certificate(_)))),
            "{name}: another name"
        );
        profile.server_name = "127.0.0.1".to_owned();
        shake(&*client.client(&profile).unwrap(), &*server).expect(name);
    });
}

#[test]
fn tickets_are_issued_and_used_where_both_want_them() {
    let lab = Lab::open();
    for_all_pairs(|name, client, server| {
        let mut wanted = lab.client(&[ECDSA]);
        wanted.resumes = true;
        for tickets in [0, 2] {
            let mut served = lab.server(&[ECDSA]);
            served.tickets = tickets;
            let server = server.server(&served).unwrap();
            let client = client.client(&wanted).unwrap();
            let (first, _) = shake(&*client, &*server).expect(name);
            assert!(!first.negotiated().is_resumed, "{name}");
            assert_eq!(client.tickets(), usize::from(tickets), "{name}");
            let (c, s) = shake(&*client, &*server).expect(name);
            assert_eq!(c.negotiated().is_resumed, tickets > 0, "{name}");
            assert_eq!(s.negotiated().is_resumed, tickets > 0, "{name}");
        }
    });
}

#[test]
fn nothing_in_common_and_what_a_stack_lacks_are_errors() {
    let lab = Lab::open();
    for_all_pairs(|name, client, server| {
        let mut served = lab.server(&[ECDSA]);
        served.offer.groups = vec![NamedGroup::X25519MLKEM768];
        let mut wanted = lab.client(&[ECDSA]);
        wanted.offer.groups = vec![NamedGroup::X25519];
        let endpoint = server.server(&served).unwrap();
        let refused = shake(&*client.client(&wanted).unwrap(), &*endpoint);
        assert!(
            matches!(refused, Err((Side::Server, StackError::Peer(_)))),
            "{name}"
        );

        let knows_ml_dsa = |stack: &dyn TlsStack| stack.name().as_str() != "rustls-openssl";
        if knows_ml_dsa(server) {
            let modern = server.server(&lab.server(&[ML_DSA])).unwrap();
            let mut old = lab.client(&[ECDSA]);
            old.offer.versions = vec![ProtocolVersion::Tls12];
            old.offer.groups = vec![NamedGroup::X25519];
            let refused = shake(&*client.client(&old).unwrap(), &*modern);
            assert!(
                matches!(refused, Err((Side::Server, StackError::Peer(_)))),
                "{name}: ML-DSA for an old client"
            );
        }

        served.offer.groups = vec![NamedGroup(0x9999)];
        let error = server.server(&served).err().unwrap().to_string();
        assert!(error.contains("0x9999"), "{name}: {error}");
        served.offer.groups = vec![NamedGroup::X25519];
        served.certificates.clear();
        assert!(server.server(&served).is_err(), "{name}");
        let (ecdsa, other) = (
            lab.identity(ECDSA, Role::Server),
            lab.identity(ECDSA, Role::Client),
        );
        let mixed =
            pki::CertifiedKey::from_pem(ecdsa.chain_pem().as_bytes(), other.key_pem().as_bytes());
        served.certificates = vec![mixed.unwrap()];
        assert!(server.server(&served).is_err(), "{name}: a stranger's key");
    });
}

#[test]
fn secrets_are_logged_under_the_same_client_random_by_both_sides() {
    let lab = Lab::open();
    for_all_pairs(|name, client, server| {
        let log = || {
            let lines = Arc::new(Mutex::new(Vec::new()));
            let sink = lines.clone();
            let log = KeyLog::new(move |line| sink.lock().unwrap().push(line.to_owned()));
            (log, lines)
        };
        let (client_log, client_lines) = log();
        let (server_log, server_lines) = log();
        let mut served = lab.server(&[ECDSA]);
        served.offer.key_log = Some(server_log);
        let mut wanted = lab.client(&[ECDSA]);
        wanted.offer.key_log = Some(client_log);
        let server = server.server(&served).unwrap();
        shake(&*client.client(&wanted).unwrap(), &*server).expect(name);
        let sorted = |lines: &Mutex<Vec<String>>| {
            let mut lines = lines.lock().unwrap().clone();
            lines.retain(|line| line.contains("TRAFFIC_SECRET"));
            lines.sort();
            lines
        };
        let lines = sorted(&client_lines);
        assert_eq!(lines.len(), 4, "{name}: {lines:?}");
        assert_eq!(lines, sorted(&server_lines), "{name}");
    });
}

/// An authority, two of its clients, and a list on which the second stands.
struct Revocation {
    root: rcgen::Certificate,
    clients: [pki::CertifiedKey; 2],
    lists: [Vec<u8>; 2],
}

impl Revocation {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        // rcgen gives every certificate one name, which would make clients self-issued.
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let client = |serial: u64| {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec!["client.pqlab.test".into()]).unwrap();
            params.serial_number = Some(serial.into());
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            params.use_authority_key_identifier_extension = true;
            let certificate = params.signed_by(&key, &issuer).unwrap();
            pki::CertifiedKey::from_pem(
                certificate.pem().as_bytes(),
                key.serialize_pem().as_bytes(),
            )
            .unwrap()
        };
        let list = |days: i64| {
            let now = time::OffsetDateTime::now_utc();
            let revoked = RevokedCertParams {
                serial_number: SerialNumber::from(2),
                revocation_time: now - time::Duration::days(3),
                reason_code: None,
                invalidity_date: None,
            };
            let params = CertificateRevocationListParams {
                this_update: now - time::Duration::days(2),
                next_update: now + time::Duration::days(days),
                crl_number: SerialNumber::from(1),
                issuing_distribution_point: None,
                revoked_certs: vec![revoked],
                key_identifier_method: KeyIdMethod::Sha256,
            };
            params.signed_by(&issuer).unwrap().der().to_vec()
        };
        Self {
            clients: [client(1), client(2)],
            lists: [list(1), list(-1)],
            root: issuer.as_ref().clone(),
        }
    }
}

#[test]
fn revoked_clients_and_clients_without_a_fresh_list_are_refused() {
    let lab = Lab::open();
    let revocation = Revocation::new();
    let [good, revoked] = &revocation.clients;
    let [fresh, stale] = &revocation.lists;
    for_all_pairs(|name, client, server| {
        for (shown, list, is_required, is_taken) in [
            (Some(good), Some(fresh), true, true),
            (Some(revoked), Some(fresh), true, false),
            (Some(revoked), Some(fresh), false, false),
            (Some(good), Some(stale), true, false),
            (Some(revoked), None, true, true),
            (None, Some(fresh), true, false),
            (None, Some(fresh), false, true),
        ] {
            let case = format!(
                "{name}: certificate {}, list {}, required {is_required}",
                shown.is_some(),
                list.is_some()
            );
            let mut served = lab.server(&[ECDSA]);
            served.client_authentication = Some(ClientAuthentication {
                roots: vec![revocation.root.der().clone()],
                crls: list.map(|list| list.clone().into()).into_iter().collect(),
                is_required,
            });
            let mut wanted = lab.client(&[ECDSA]);
            wanted.certificate = shown.cloned();
            let server = server.server(&served).unwrap();
            match shake(&*client.client(&wanted).unwrap(), &*server) {
                Ok((_, s)) => {
                    assert!(is_taken, "{case}");
                    assert_eq!(
                        s.negotiated().has_peer_certificate,
                        shown.is_some(),
                        "{case}"
                    );
                    let chain = s.peer_chain();
                    assert_eq!(chain.first(), shown.map(|key| &key.chain()[0]), "{case}");
                }
                Err((Side::Server, StackError::Certificate(why))) => {
                    assert!(!is_taken, "{case}: {why}")
                }
                Err(error) => panic!("{case}: {error:?}"),
            }
        }
    });
}

#[test]
fn what_follows_close_notify_is_ignored_and_spins_nowhere() {
    let lab = Lab::open();
    for_all_pairs(|name, client, server| {
        let server = server.server(&lab.server(&[ECDSA])).unwrap();
        let client = client.client(&lab.client(&[ECDSA])).unwrap();
        let mut plaintext = vec![0; 1 << 15];
        for takes_by_receiving in [true, false] {
            let (mut c, mut s) = shake(&*client, &*server).expect(name);
            let mut flight = Vec::new();
            c.send(b"last words", &mut flight).unwrap();
            c.close(&mut flight);
            let length = flight.len();
            let repeated = flight.clone();
            flight.extend(repeated);
            if takes_by_receiving {
                assert!(!s.has_peer_closed(), "{name}");
                let count = s.receive(&flight, &mut plaintext).expect(name);
                assert_eq!(&plaintext[..count], b"last words", "{name}");
                assert!(s.has_peer_closed(), "{name}");
                assert_eq!(
                    s.receive(&flight[length..], &mut plaintext),
                    Ok(0),
                    "{name}"
                );
            } else {
                // Whatever it makes of this, it comes back.
                let _ = s.advance(&flight, &mut Vec::new());
            }
        }
    });
}

#[test]
fn a_peer_that_goes_on_after_its_end_fills_no_memory() {
    let lab = Lab::open();
    let piece = vec![23; 1 << 20];
    let mut plaintext = vec![0; 2 << 20];
    for server in stacks() {
        let name = server.name();
        let server = server.server(&lab.server(&[ECDSA])).unwrap();
        let client = stacks()[0].client(&lab.client(&[ECDSA])).unwrap();
        let (mut c, mut s) = shake(&*client, &*server).unwrap();
        let mut end = Vec::new();
        c.close(&mut end);
        assert_eq!(s.receive(&end, &mut plaintext), Ok(0), "{name}");
        let before = resident();
        for _ in 0..256 {
            assert_eq!(s.receive(&piece, &mut plaintext), Ok(0), "{name}");
        }
        let grown = resident().saturating_sub(before);
        assert!(
            grown < 64 << 20,
            "{name}: {grown} bytes of 256 MiB were kept"
        );
    }
}

/// Bytes of this process in memory; 0 where the system does not say.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.map_or(0, |pages: usize| pages * 4096)
}

#[test]
fn of_two_certificates_that_a_client_can_verify_the_first_is_shown() {
    let lab = Lab::open();
    let rsa = SignatureAlgorithm::Rsa2048;
    for_all_pairs(|name, client, server| {
        for (order, versions) in [
            ([rsa, ECDSA], vec![ProtocolVersion::Tls13]),
            ([ECDSA, rsa], vec![ProtocolVersion::Tls13]),
        ] {
            let server = server.server(&lab.server(&order)).unwrap();
            let mut wanted = lab.client(&order);
            wanted.offer.versions = versions;
            let (c, _) = shake(&*client.client(&wanted).unwrap(), &*server).expect(name);
            let first = lab.identity(order[0], Role::Server);
            assert_eq!(c.peer_chain(), first.chain(), "{name}: {order:?}");
        }
    });
    let twice = lab.server(&[ECDSA, SignatureAlgorithm::EcdsaP384]);
    let openssl = stack::by_name(&"openssl".parse().unwrap()).unwrap();
    let error = openssl.server(&twice).err().unwrap().to_string();
    assert!(error.contains("ecdsa"), "{error}");
}

#[test]
fn a_version_without_a_suite_is_not_negotiated() {
    let lab = Lab::open();
    for_all_pairs(|name, client, server| {
        for (suite, negotiated) in [
            (
                wire::CipherSuite::AES_256_GCM_SHA384,
                ProtocolVersion::Tls13,
            ),
            (
                wire::CipherSuite::ECDHE_ECDSA_AES_256_GCM_SHA384,
                ProtocolVersion::Tls12,
            ),
        ] {
            let mut served = lab.server(&[ECDSA]);
            served.offer.cipher_suites = vec![suite];
            let server = server.server(&served).unwrap();
            for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
                let mut wanted = lab.client(&[ECDSA]);
                wanted.offer.versions = vec![version];
                if version == ProtocolVersion::Tls12 {
                    wanted.offer.groups = vec![NamedGroup::SECP256R1];
                }
                let shaken = shake(&*client.client(&wanted).unwrap(), &*server);
                assert_eq!(
                    shaken.is_ok(),
                    version == negotiated,
                    "{name}: {suite} {version}"
                );
            }
        }
    });
}

#[test]
fn an_intermediate_may_be_the_trust_anchor() {
    let lab = Lab::open();
    for_all_pairs(|name, client, server| {
        let shown = lab.identity(ECDSA, Role::Server);
        let mut wanted = lab.client(&[]);
        wanted.trust = Trust::Verify(vec![shown.chain()[1].clone()]);
        let server = server.server(&lab.server(&[ECDSA])).unwrap();
        shake(&*client.client(&wanted).unwrap(), &*server).expect(name);
    });
}
