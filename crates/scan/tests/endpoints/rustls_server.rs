//! A rustls server in threads of its own, for as long as the test runs.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConfig, ServerConnection,
    SignatureScheme, Stream, SupportedProtocolVersion,
};

use crate::certificates::Identity;

/// How a server is to be.
pub(crate) struct Terms<'a> {
    pub(crate) groups: Vec<&'static dyn SupportedKxGroup>,
    pub(crate) versions: &'a [&'static SupportedProtocolVersion],
    pub(crate) identities: Vec<Identity>,
    pub(crate) alpn: &'a [&'a str],
    pub(crate) has_tickets: bool,
    /// Whether a client certificate is asked for, and whether it must come.
    pub(crate) client_certificate: Option<bool>,
}

pub(crate) struct RustlsServer {
    pub(crate) address: SocketAddr,
    names: Arc<Mutex<Vec<Option<String>>>>,
}

impl RustlsServer {
    pub(crate) fn start(terms: Terms<'_>) -> Self {
        let provider = CryptoProvider {
            kx_groups: terms.groups,
            ..aws_lc_rs::default_provider()
        };
        let names = Arc::default();
        let certificates = Certificates {
            keys: terms.identities.iter().map(certified).collect(),
            names: Arc::clone(&names),
        };
        let builder = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(terms.versions)
            .unwrap();
        let builder = match terms.client_certificate {
            None => builder.with_no_client_auth(),
            Some(is_mandatory) => {
                builder.with_client_cert_verifier(Arc::new(Anybody { is_mandatory }))
            }
        };
        let mut config = builder.with_cert_resolver(Arc::new(certificates));
        config.alpn_protocols = terms.alpn.iter().map(|p| p.as_bytes().to_vec()).collect();
        if !terms.has_tickets {
            config.send_tls13_tickets = 0;
            config.session_storage = Arc::new(NoServerSessionStorage {});
        }
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let config = Arc::clone(&config);
                std::thread::spawn(move || answer(socket.unwrap(), config));
            }
        });
        Self { address, names }
    }

    /// The names that clients asked for, each once.
    pub(crate) fn names(&self) -> Vec<Option<String>> {
        let mut names = self.names.lock().unwrap().clone();
        names.sort();
        names.dedup();
        names
    }
}

fn certified(identity: &Identity) -> Arc<CertifiedKey> {
    let key = PrivateKeyDer::Pkcs8(identity.key.clone().into());
    let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let chain = vec![CertificateDer::from(identity.certificate.clone())];
    Arc::new(CertifiedKey::new(chain, key))
}

fn answer(mut socket: TcpStream, config: Arc<ServerConfig>) {
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut connection = ServerConnection::new(config).unwrap();
    // Until the client closes, or is refused: the alert is written before the error comes.
    let _ = Stream::new(&mut connection, &mut socket).read_to_end(&mut Vec::new());
    connection.send_close_notify();
    let _ = connection.write_tls(&mut socket);
}

/// Shows the first certificate that the client can verify.
#[derive(Debug)]
struct Certificates {
    keys: Vec<Arc<CertifiedKey>>,
    names: Arc<Mutex<Vec<Option<String>>>>,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_owned);
        self.names.lock().unwrap().push(name);
        let offered = hello.signature_schemes();
        let fits = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(offered).is_some();
        // Without any, an alert of access_denied would say that it is the client's fault.
        self.keys.iter().find(fits).or(self.keys.first()).cloned()
    }
}

/// Asks for a certificate.
#[derive(Debug)]
struct Anybody {
    is_mandatory: bool,
}

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Err(Error::General("nobody has one here".into()))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("nobody has one here".into()))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("nobody has one here".into()))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
