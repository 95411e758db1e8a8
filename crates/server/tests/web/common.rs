//! HTTPS servers of this crate and clients of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pki::{Cache, Identity, Role};
use server::{Counters, HttpsServer, Limits, Metrics, Site};
use stack::{ClientProfile, Endpoint, Offer, ServerProfile, TlsStack, Trust};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use transport::{Buffers, TlsStream};
use wire::{ChainAlgorithms, SignatureAlgorithm};

/// For what should be over at once.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn identity(algorithm: SignatureAlgorithm, role: Role) -> Identity {
    let cache = Cache::open(Cache::default_dir().unwrap()).unwrap();
    cache
        .identity(ChainAlgorithms::uniform(algorithm), role)
        .unwrap()
}

pub(crate) fn stack(name: &str) -> &'static dyn TlsStack {
    stack::by_name(&name.parse().unwrap()).unwrap()
}

/// A server with an ECDSA certificate that speaks both versions of HTTP.
pub(crate) fn server_profile() -> ServerProfile {
    let identity = identity(SignatureAlgorithm::EcdsaP256, Role::Server);
    ServerProfile {
        offer: Offer {
            alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            ..Offer::default()
        },
        certificates: vec![identity.certified_key().clone()],
        client_authentication: None,
        tickets: 2,
    }
}

/// A client that trusts it.
pub(crate) fn client_profile(alpn: &str) -> ClientProfile {
    let identity = identity(SignatureAlgorithm::EcdsaP256, Role::Server);
    ClientProfile {
        offer: Offer {
            alpn: vec![alpn.as_bytes().to_vec()],
            ..Offer::default()
        },
        server_name: pki::SERVER_NAME.to_owned(),
        trust: Trust::Verify(vec![identity.root().clone()]),
        certificate: None,
        resumes: false,
    }
}

pub(crate) struct Web {
    pub(crate) address: SocketAddr,
    pub(crate) counters: Arc<Counters>,
    pub(crate) metrics: Arc<Metrics>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Web {
    pub(crate) async fn start(stack: &str, profile: &ServerProfile, site: Site) -> Self {
        Self::start_with(stack, profile, site, Limits::default()).await
    }

    pub(crate) async fn start_with(
        name: &str,
        profile: &ServerProfile,
        site: Site,
        limits: Limits,
    ) -> Self {
        Self::start_all(name, profile, site, limits, Duration::from_secs(20)).await
    }

    /// One that waits so long for its connections when it is stopped.
    pub(crate) async fn start_for(
        name: &str,
        profile: &ServerProfile,
        site: Site,
        grace: Duration,
    ) -> Self {
        Self::start_all(name, profile, site, Limits::default(), grace).await
    }

    async fn start_all(
        name: &str,
        profile: &ServerProfile,
        site: Site,
        limits: Limits,
        grace: Duration,
    ) -> Self {
        let endpoint: Arc<dyn Endpoint> = stack(name).server(profile).unwrap().into();
        let any_port = "127.0.0.1:0".parse().unwrap();
        let server = HttpsServer::bind(any_port, endpoint, site, limits);
        let server = server.await.unwrap();
        let (stop, stopped) = oneshot::channel();
        Self {
            address: server.local_addr(),
            counters: server.counters(),
            metrics: server.metrics(),
            stop,
            task: tokio::spawn(server.serve(
                async {
                    let _ = stopped.await;
                },
                grace,
            )),
        }
    }

    /// Tells it to stop; the task ends once its connections have.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        self.stop.send(()).unwrap();
        self.task
    }
}

pub(crate) async fn connect(
    address: SocketAddr,
    name: &str,
    profile: &ClientProfile,
) -> Result<TlsStream<TcpStream>, transport::TransportError> {
    let endpoint = stack(name).client(profile).unwrap();
    let socket = TcpStream::connect(address).await.unwrap();
    let mut stream = TlsStream::new(socket, endpoint.connection().unwrap(), Buffers::default());
    stream.connect().await?;
    Ok(stream)
}

/// One request over a connection of its own.
pub(crate) async fn ask(
    stream: TlsStream<TcpStream>,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, hyper::Error> {
    let is_http2 = stream.alpn().as_deref() == Some(b"h2");
    let io = TokioIo::new(stream);
    let response = if is_http2 {
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
        tokio::spawn(connection);
        sender.send_request(request).await?
    } else {
        let (mut sender, connection) = http1::handshake(io).await?;
        tokio::spawn(connection);
        sender.send_request(request).await?
    };
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}

/// A GET with headers; the URI is absolute, as HTTP/2 needs it.
pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::get(format!("https://{}{path}", pki::SERVER_NAME));
    // HTTP/1.1 must have it, and the client below adds nothing.
    request = request.header("host", pki::SERVER_NAME);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::default()).unwrap()
}
