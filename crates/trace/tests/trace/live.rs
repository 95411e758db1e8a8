//! Handshakes of rustls in memory, recorded with their key log.

use std::sync::{Arc, Mutex};

use experiment::Side;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::client::ClientSessionMemoryCache;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs as provider};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, Connection, KeyLog, RootCertStore, ServerConfig,
    ServerConnection, SupportedCipherSuite, SupportedProtocolVersion, version,
};
use trace::{Capture, Flight};

pub(crate) const SERVER_NAME: &str = "server.pqlab.test";

/// What to negotiate.
pub(crate) struct Setup {
    pub(crate) version: &'static SupportedProtocolVersion,
    pub(crate) suite: SupportedCipherSuite,
    /// The client offers a share of the first.
    pub(crate) client_groups: Vec<&'static dyn SupportedKxGroup>,
    pub(crate) server_groups: Vec<&'static dyn SupportedKxGroup>,
    pub(crate) certificate: &'static rcgen::SignatureAlgorithm,
    pub(crate) is_mutual: bool,
    /// Of records of the server.
    pub(crate) fragment: Option<usize>,
    pub(crate) early_data: Option<&'static [u8]>,
    /// The client takes new keys before it sends data, and asks for the same.
    pub(crate) updates_keys: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            version: &version::TLS13,
            suite: provider::cipher_suite::TLS13_AES_256_GCM_SHA384,
            client_groups: vec![provider::kx_group::X25519],
            server_groups: vec![provider::kx_group::X25519],
            certificate: &rcgen::PKCS_ECDSA_P256_SHA256,
            is_mutual: false,
            fragment: None,
            early_data: None,
            updates_keys: false,
        }
    }
}

/// Both ends, set up, and the lines that they log.
pub(crate) struct Live {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    log: Arc<Lines>,
    early_data: Option<&'static [u8]>,
    updates_keys: bool,
}

#[derive(Debug, Default)]
struct Lines(Mutex<String>);

impl KeyLog for Lines {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        self.0.lock().unwrap().push_str(&line);
    }
}

struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    root: CertificateDer<'static>,
}

fn chain(algorithm: &'static rcgen::SignatureAlgorithm) -> Chain {
    let authority = |name: &str| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = rcgen::DnValue::Utf8String(name.to_owned());
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params
    };
    let key = || KeyPair::generate_for(algorithm).unwrap();
    let (root_key, intermediate_key, key) = (key(), key(), key());
    let (root, intermediate) = (authority("root"), authority("intermediate"));
    let leaf = CertificateParams::new(vec![SERVER_NAME.to_owned()]).unwrap();

    let root_certificate = root.self_signed(&root_key).unwrap();
    let root = Issuer::new(root, root_key);
    let intermediate_certificate = intermediate.signed_by(&intermediate_key, &root).unwrap();
    let intermediate = Issuer::new(intermediate, intermediate_key);
    let certificate = leaf.signed_by(&key, &intermediate).unwrap();
    Chain {
        certificates: vec![certificate.into(), intermediate_certificate.into()],
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        root: root_certificate.into(),
    }
}

impl Live {
    pub(crate) fn new(setup: &Setup) -> Self {
        let with = |groups: &Vec<_>| {
            Arc::new(CryptoProvider {
                cipher_suites: vec![setup.suite],
                kx_groups: groups.clone(),
                ..provider::default_provider()
            })
        };
        let chain = chain(setup.certificate);
        let mut roots = RootCertStore::empty();
        roots.add(chain.root.clone()).unwrap();
        let roots = Arc::new(roots);
        let log = Arc::new(Lines::default());

        let server = ServerConfig::builder_with_provider(with(&setup.server_groups))
            .with_protocol_versions(&[setup.version])
            .unwrap();
        let server = match setup.is_mutual {
            true => server.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(
                    roots.clone(),
                    with(&setup.server_groups),
                )
                .build()
                .unwrap(),
            ),
            false => server.with_no_client_auth(),
        };
        let mut server = server
            .with_single_cert(chain.certificates.clone(), chain.key.clone_key())
            .unwrap();
        server.max_fragment_size = setup.fragment;
        server.alpn_protocols = vec![b"h2".to_vec()];
        server.max_early_data_size = 1024;
        // Tickets without a store can be used twice, so they allow no 0-RTT data.
        if setup.early_data.is_none() {
            server.ticketer = provider::Ticketer::new().unwrap();
        }

        let client = ClientConfig::builder_with_provider(with(&setup.client_groups))
            .with_protocol_versions(&[setup.version])
            .unwrap()
            .with_root_certificates(roots);
        let mut client = match setup.is_mutual {
            true => client
                .with_client_auth_cert(chain.certificates, chain.key)
                .unwrap(),
            false => client.with_no_client_auth(),
        };
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        client.key_log = log.clone();
        client.enable_early_data = setup.early_data.is_some();
        client.resumption =
            rustls::client::Resumption::store(Arc::new(ClientSessionMemoryCache::new(8)));
        Self {
            client: Arc::new(client),
            server: Arc::new(server),
            log,
            early_data: setup.early_data,
            updates_keys: setup.updates_keys,
        }
    }

    /// From now on the server takes no 0-RTT data, whatever its tickets promised.
    pub(crate) fn refuse_early_data(&mut self) {
        let mut server = (*self.server).clone();
        server.max_early_data_size = 0;
        self.server = Arc::new(server);
    }

    /// One connection: the handshake, a request and its answer, and the close.
    pub(crate) fn connect(&self, title: &str) -> Capture {
        let name = ServerName::try_from(SERVER_NAME).unwrap();
        let mut client = ClientConnection::new(self.client.clone(), name).unwrap();
        if let (Some(data), Some(mut early)) = (self.early_data, client.early_data()) {
            std::io::Write::write_all(&mut early, data).unwrap();
        }
        let server = ServerConnection::new(self.server.clone()).unwrap();
        let mut ends: [Connection; 2] = [client.into(), server.into()];
        let mut flights = Vec::new();
        run(&mut ends, &mut flights);
        assert!(ends.iter().all(|end| !end.is_handshaking()));
        if self.updates_keys {
            ends[0].refresh_traffic_keys().unwrap();
            run(&mut ends, &mut flights);
        }
        for end in &mut ends {
            std::io::Write::write_all(&mut end.writer(), b"hello").unwrap();
            end.send_close_notify();
        }
        run(&mut ends, &mut flights);
        let log = self.log.0.lock().unwrap().clone();
        Capture {
            title: title.to_owned(),
            flights,
            key_log: trace::KeyLog::parse(&log).unwrap(),
        }
    }
}

fn run(ends: &mut [Connection; 2], flights: &mut Vec<Flight>) {
    while ends.iter().any(|end| end.wants_write()) {
        for side in Side::BOTH {
            let mut bytes = Vec::new();
            let sender = &mut ends[side as usize];
            while sender.wants_write() {
                sender.write_tls(&mut bytes).unwrap();
            }
            let receiver = &mut ends[side.peer() as usize];
            let mut unread = bytes.as_slice();
            while !unread.is_empty() {
                receiver.read_tls(&mut unread).unwrap();
                receiver.process_new_packets().unwrap();
            }
            if !bytes.is_empty() {
                flights.push(Flight::new(side, bytes));
            }
        }
    }
}

/// One full handshake.
pub(crate) fn full(setup: &Setup) -> Capture {
    Live::new(setup).connect("full")
}
