//! An estate in which every variant of every observation occurs.

use audit::*;
use wire::{CipherSuite, NamedGroup, SignatureScheme};

pub(crate) const NOW: time::OffsetDateTime = time::macros::datetime!(2026-11-26 12:00 UTC);

fn yes<A>(how: A) -> Answer<A> {
    Answer::Supported(how)
}

fn no<A>(said: &str) -> Answer<A> {
    Answer::Refused(Refusal::by_choice(said))
}

fn tried<Q, A>(offer: Q, answer: Answer<A>) -> Tried<Q, A> {
    Tried { offer, answer }
}

fn algorithm(name: &str) -> Algorithm {
    name.parse().unwrap()
}

pub(crate) fn certificate(subject: &str, key: &str, fingerprint: char) -> CertificateFacts {
    CertificateFacts {
        subject: subject.to_owned(),
        issuer: "CN=Example CA".to_owned(),
        serial: "0a1b".to_owned(),
        names: vec!["www.example.test".to_owned(), "192.0.2.1".to_owned()],
        not_before: "2026-01-01T00:00:00Z".to_owned(),
        not_after: "2027-01-01T00:00:00Z".to_owned(),
        key: algorithm(key),
        signature: algorithm("RSA"),
        signature_hash: Some("SHA-256".to_owned()),
        is_authority: false,
        is_self_issued: false,
        fingerprint: fingerprint.to_string().repeat(64),
        bytes: 1200,
    }
}

pub(crate) fn tls_service() -> TlsService {
    let group = |by_retry_request| yes(GroupSupport { by_retry_request });
    let causes = [
        Cause::Lookup,
        Cause::Connect,
        Cause::Timeout,
        Cause::Reset,
        Cause::Closed,
        Cause::Garbage,
        Cause::Alert,
        Cause::NotImplemented,
        Cause::NotAsked,
    ];
    let unknown = causes.into_iter().enumerate().map(|(index, cause)| {
        let code_point = 0xfe20 + u16::try_from(index).unwrap();
        tried(NamedGroup(code_point), Answer::unknown(cause, "no word"))
    });
    let mut groups = vec![
        tried(NamedGroup::X25519MLKEM768, group(true)),
        tried(NamedGroup::X25519, group(false)),
        tried(
            NamedGroup::SECP256R1,
            Answer::Refused(Refusal {
                alert: Some(40),
                said: "handshake_failure".to_owned(),
            }),
        ),
        tried(
            NamedGroup::MLKEM1024,
            Answer::unknown(Cause::Timeout, "nothing in 5 s"),
        ),
    ];
    groups.extend(unknown);
    let suite = |group, dh_bits| yes(SuiteSupport { group, dh_bits });
    let chain = Chain {
        scheme: Some(SignatureScheme(0x0804)),
        certificates: vec![certificate("CN=www.example.test", "RSA-2048", 'a')],
        bytes: 1300,
    };
    let families = SignatureFamily::ALL.into_iter().skip(1);
    let mut chains = vec![tried(SignatureFamily::Rsa, yes(chain))];
    chains.extend(families.map(|family| tried(family, no("handshake_failure"))));
    let tolerated = |shape| {
        let tolerance = Tolerance {
            bytes: 1500,
            group: Some(NamedGroup::X25519),
        };
        tried(shape, yes(tolerance))
    };
    TlsService {
        versions: vec![
            tried(0x0301, no("protocol_version")),
            tried(0x0303, yes(())),
            tried(0x0304, yes(())),
        ],
        groups,
        preference: yes(GroupPreference {
            order: vec![NamedGroup::X25519MLKEM768, NamedGroup::X25519],
            server_decides: true,
        }),
        tls13_suites: vec![tried(CipherSuite(0x1301), suite(None, None))],
        tls12_suites: vec![
            tried(CipherSuite(0xc02f), suite(Some(NamedGroup::X25519), None)),
            tried(CipherSuite(0x009f), suite(None, Some(2048))),
            tried(CipherSuite(0x009d), suite(None, None)),
            tried(CipherSuite(0x002f), no("handshake_failure")),
            tried(CipherSuite(0xffee), Answer::unknown(Cause::Reset, "")),
        ],
        chains,
        clients: vec![tried(
            "a browser".to_owned(),
            yes(ClientOutcome {
                version: 0x0304,
                group: Some(NamedGroup::X25519MLKEM768),
                suite: CipherSuite(0x1301),
                scheme: Some(SignatureScheme(0x0804)),
                has_hello_retry: false,
                round_trips: 1,
                client_hello: 1700,
                server_flight: 3000,
            }),
        )],
        tolerance: HelloShape::ALL.map(tolerated).into(),
        resumption: yes(Resumption {
            accepted: true,
            with_key_exchange: true,
            lifetime: 7200,
            max_early_data: Some(16384),
        }),
        client_certificate: yes(ClientCertificateRequest {
            schemes: vec![SignatureScheme(0x0403)],
            authorities: 2,
            optional: Some(true),
        }),
        alpn: vec![tried("h2".to_owned(), yes(()))],
    }
}

pub(crate) fn endpoint(host: &str, protocol: Protocol, service: Service) -> Endpoint {
    Endpoint {
        target: Target {
            host: host.to_owned(),
            port: 443,
            protocol,
        },
        address: Some("192.0.2.1:443".parse().unwrap()),
        server_name: Some(host.to_owned()),
        scanned: "2026-11-26T11:00:00Z".to_owned(),
        probes: 40,
        milliseconds: 1200,
        service,
    }
}

pub(crate) fn ssh_service(software: &str) -> SshService {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    SshService {
        software: software.to_owned(),
        key_exchanges: names(&[
            "mlkem768x25519-sha256",
            "sntrup761x25519-sha512@openssh.com",
            "curve25519-sha256",
            "kex-strict-s-v00@openssh.com",
        ]),
        host_key_algorithms: names(&["ssh-ed25519", "rsa-sha2-512"]),
        ciphers: names(&["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com"]),
        host_keys: vec![tried(
            "ssh-ed25519".to_owned(),
            yes(HostKey {
                algorithm: algorithm("Ed25519"),
                fingerprint: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU".to_owned(),
            }),
        )],
    }
}

/// Endpoints of every protocol and service, and files of every kind.
pub(crate) fn estate() -> Estate {
    let mut endpoints: Vec<Endpoint> = Protocol::ALL
        .into_iter()
        .map(|protocol| {
            let service = match protocol {
                Protocol::Ssh => Service::Ssh(ssh_service("SSH-2.0-OpenSSH_10.0")),
                _ => Service::Tls(Box::new(tls_service())),
            };
            endpoint("www.example.test", protocol, service)
        })
        .collect();
    let unknown = Unknown {
        cause: Cause::Lookup,
        detail: "no address".to_owned(),
    };
    let mut nowhere = endpoint(
        "gone.example.test",
        Protocol::Tls,
        Service::Unreachable(unknown),
    );
    nowhere.address = None;
    endpoints.push(nowhere);
    let v6 = endpoint(
        "2001:db8::1",
        Protocol::Tls,
        Service::Tls(Box::new(tls_service())),
    );
    endpoints.push(Endpoint {
        server_name: None,
        ..v6
    });
    Estate {
        endpoints,
        inventory: Some(inventory()),
        ..Estate::default()
    }
}

pub(crate) fn key(form: KeyForm, name: Option<&str>, fingerprint: Option<char>) -> KeyFacts {
    KeyFacts {
        form,
        algorithm: name.map(algorithm),
        uses: vec![KeyUse::KeyEstablishment, KeyUse::Signature],
        is_private: form != KeyForm::Ssh,
        is_encrypted: name.is_none(),
        fingerprint: fingerprint.map(|character| character.to_string().repeat(64)),
        owner: Some("someone@example.test".to_owned()),
    }
}

pub(crate) fn settings(software: Software, scope: &str) -> Settings {
    Settings {
        software,
        scope: scope.to_owned(),
        serves: vec!["www.example.test:443".to_owned()],
        version: Some("1.27.0".to_owned()),
        library: Some("OpenSSL 3.5.0".to_owned()),
        directives: vec![Directive {
            line: 12,
            name: "ssl_ecdh_curve".to_owned(),
            value: "X25519MLKEM768:X25519".to_owned(),
        }],
        key_exchanges: vec![algorithm("X25519+ML-KEM-768"), algorithm("X25519")],
        key_exchanges_by_default: false,
        versions: vec!["TLSv1.3".to_owned()],
        suites: vec!["HIGH".to_owned()],
        static_rsa: Some(false),
        files: vec!["/etc/ssl/site.pem".to_owned()],
        remarks: vec!["a remark".to_owned()],
    }
}

fn inventory() -> Inventory {
    let at = |path: &str, line, entry: Option<&str>| Location {
        path: path.to_owned(),
        line,
        entry: entry.map(str::to_owned),
    };
    let asset = |location, kind| Asset { location, kind };
    let mut assets = vec![
        asset(
            at("/etc/ssl/site.pem", Some(1), None),
            // The one that the endpoints show.
            AssetKind::Certificate(Box::new(certificate(
                "CN=www.example.test",
                "RSA-2048",
                'a',
            ))),
        ),
        asset(
            at("/etc/ssl/new.pem", None, Some("2")),
            AssetKind::Certificate(Box::new(certificate("", "ML-DSA-65", 'b'))),
        ),
        asset(
            at("/etc/ssl/site.csr", None, None),
            AssetKind::Request(key(KeyForm::X509, Some("P-256"), Some('c'))),
        ),
        asset(
            at("/home/a/.ssh/id", None, None),
            AssetKind::Key(key(KeyForm::Ssh, Some("Ed25519"), Some('d'))),
        ),
        asset(
            at("/home/a/key.asc", None, None),
            AssetKind::Key(key(KeyForm::OpenPgp, Some("RSA-3072"), None)),
        ),
        asset(
            at("/srv/app.jceks", None, Some("wrap")),
            AssetKind::Key(key(KeyForm::Symmetric, None, None)),
        ),
    ];
    for format in [StoreFormat::Pkcs12, StoreFormat::Jks, StoreFormat::Jceks] {
        let store = StoreFacts {
            format,
            private_keys: Some(1),
            certificates: None,
            protection: vec!["PBES2".to_owned()],
        };
        assets.push(asset(
            at(&format!("/srv/{format:?}"), None, None),
            AssetKind::Store(store),
        ));
    }
    let programs = [
        Software::Nginx,
        Software::Apache,
        Software::Haproxy,
        Software::Envoy,
        Software::Caddy,
        Software::Openssl,
        Software::Openssh,
        Software::Postgresql,
        Software::Java,
    ];
    for software in programs {
        let location = at(&format!("/etc/{software:?}.conf"), Some(10), None);
        assets.push(asset(
            location,
            AssetKind::Settings(settings(software, "global")),
        ));
    }
    Inventory {
        paths: vec!["/etc".to_owned()],
        taken: "2026-11-26T10:00:00Z".to_owned(),
        files: 12,
        assets,
        problems: vec![Problem {
            location: at("/etc/ssl/broken.pem", Some(3), None),
            reason: "no base64".to_owned(),
        }],
    }
}
