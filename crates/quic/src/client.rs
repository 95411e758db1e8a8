//! One exchange with a server over UDP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use experiment::Side;
use h3::error::{Code, StreamError};
use http::{Request, Uri};
use quinn::{Connection, ConnectionError, Endpoint, EndpointConfig, TokioRuntime, VarInt};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use stack::{StackError, printable};
use tokio::time::timeout;

use crate::error::{ClientError, Stage};
use crate::observation::{Observation, Traffic};
use crate::session::Session;
use crate::streams::{HttpConnection, error_code};
use crate::tap::{Tap, TapLimits};
use crate::transport;

/// HTTP/3 (RFC 9114).
pub const HTTP3: &[u8] = b"h3";

/// What a client does beside the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// Time for all of it.
    pub limit: Duration,
    /// What is asked for, if HTTP/3 is negotiated.
    pub path: String,
    /// Bytes of a response that are kept; the rest is not waited for.
    pub max_body: usize,
}

impl Default for ClientOptions {
    /// 10 s, the root of the server, 1 MiB.
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(10),
            path: "/".to_owned(),
            max_body: 1 << 20,
        }
    }
}

/// An exchange that succeeded.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The handshake and what was negotiated.
    pub session: Session,
    /// The answer; `None` where HTTP/3 was not negotiated, or nothing was asked.
    pub response: Option<Response>,
    /// All that the client sent, until the response had come.
    pub sent: Traffic,
    /// All that it received until then.
    pub received: Traffic,
}

/// An answer over HTTP/3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// From before the client's connection is built until the header of the answer had come.
    pub first_byte: Duration,
    /// The status code.
    pub status: u16,
    /// The beginning of the content, as long as was asked for.
    pub body: Vec<u8>,
}

/// Bytes of an answer beside its content, of which twice as much is taken: its frames have
/// headers, too.
const MAX_HEAD: usize = 64 * 1024;
/// How long the end of a connection is waited for: it tells the server, no more.
const CLOSING: Duration = Duration::from_millis(200);

/// Performs a handshake with `server`, asks for a path if HTTP/3 is negotiated, and closes
/// the connection. Offers HTTP/3 where `tls` names no application protocol.
///
/// Runs on the current tokio runtime, which must have I/O and time enabled.
///
/// # Errors
/// How far it came, and who is at fault.
pub async fn connect(
    server: SocketAddr,
    server_name: &str,
    tls: ClientConfig,
    options: &ClientOptions,
) -> Result<Exchange, ClientError> {
    connect_and_ask_if(server, server_name, tls, options, || true).await
}

/// As [`connect`], but asks only if `is_willing` says so once the handshake is done: `tls`
/// may go on with a server that it does not trust, which then is told nothing.
///
/// # Errors
/// As [`connect`].
pub async fn connect_and_ask_if(
    server: SocketAddr,
    server_name: &str,
    mut tls: ClientConfig,
    options: &ClientOptions,
    is_willing: impl Fn() -> bool + Send,
) -> Result<Exchange, ClientError> {
    if tls.alpn_protocols.is_empty() {
        tls.alpn_protocols = vec![HTTP3.to_vec()];
    }
    let name =
        ServerName::try_from(server_name).map_err(|error| setup("the server's name", error))?;
    let config = transport::client(tls, name.to_owned(), transport::transport());
    let config = config.map_err(ClientError::Setup)?;
    let request = request(server, server_name, &options.path)?;
    let (endpoint, tap) = endpoint(server, options.limit).map_err(ClientError::Socket)?;
    let mut attempt = Attempt {
        tap,
        stage: Stage::Handshake,
        options,
    };
    let exchange = async {
        let begin = Instant::now();
        let connecting = endpoint
            .connect_with(config, server, server_name)
            .map_err(|error| setup("the connection", error))?;
        let connection = connecting.await;
        let connection = connection.map_err(|error| attempt.lost(&error))?;
        let request = is_willing().then_some(request);
        attempt.exchange(&connection, request, begin).await
    };
    let result = {
        let mut exchange = pin!(exchange);
        let result = timeout(options.limit, exchange.as_mut()).await;
        // While an exchange that was too slow has its streams: see `CloseOnDrop`.
        endpoint.close(no_error(), b"");
        result
    };
    // The server learns of the end, or finds out by itself.
    let _ = timeout(CLOSING, endpoint.wait_idle()).await;
    result.unwrap_or(Err(ClientError::Timeout {
        stage: attempt.stage,
        limit: options.limit,
    }))
}

fn endpoint(server: SocketAddr, limit: Duration) -> std::io::Result<(Endpoint, Arc<Tap>)> {
    let any = match server.ip() {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let limits = TapLimits {
        peers: 1,
        age: limit,
    };
    let socket = UdpSocket::bind((any, 0))?;
    let tap = Arc::new(Tap::new(socket, Side::Client, limits)?);
    let runtime = Arc::new(TokioRuntime);
    let config = EndpointConfig::default();
    let endpoint = Endpoint::new_with_abstract_socket(config, None, tap.clone(), runtime)?;
    Ok((endpoint, tap))
}

fn request(server: SocketAddr, name: &str, path: &str) -> Result<Request<()>, ClientError> {
    let host = match name.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => name.to_owned(),
    };
    let uri = Uri::builder()
        .scheme("https")
        .authority(format!("{host}:{}", server.port()))
        .path_and_query(path)
        .build()
        .map_err(|error| setup("the path", error))?;
    Request::get(uri)
        .body(())
        .map_err(|error| setup("the request", error))
}

fn setup(what: &'static str, error: impl ToString) -> ClientError {
    ClientError::Setup(StackError::Setup {
        what,
        message: error.to_string(),
    })
}

/// An exchange under way.
struct Attempt<'o> {
    tap: Arc<Tap>,
    stage: Stage,
    options: &'o ClientOptions,
}

impl Attempt<'_> {
    async fn exchange(
        &mut self,
        connection: &Connection,
        request: Option<Request<()>>,
        begin: Instant,
    ) -> Result<Exchange, ClientError> {
        let handshake = begin.elapsed();
        let server = connection.remote_address();
        let observation = self.tap.observation(server);
        let session = Session::new(connection, handshake, observation);
        self.stage = Stage::Response;
        let speaks_http = session.alpn.as_deref() == Some(HTTP3);
        let (response, whole) = match request.filter(|_| speaks_http) {
            Some(request) => {
                let (response, whole) = self.ask(connection, request, begin).await?;
                (Some(response), whole)
            }
            None => (None, self.tap.observation(server)),
        };
        let (sent, received) = whole.map_or_else(Default::default, |o| (o.client, o.server));
        Ok(Exchange {
            session,
            response,
            sent,
            received,
        })
    }

    /// Gives the answer, and what the datagrams told until it had come. Closes the connection.
    async fn ask(
        &self,
        connection: &Connection,
        request: Request<()>,
        begin: Instant,
    ) -> Result<(Response, Option<Observation>), ClientError> {
        // What is wrong with the connection says more than what HTTP makes of it, but for what
        // h3 itself finds wrong: it then closes the connection, and only its text says why.
        let fault = |error: &dyn std::fmt::Display| match connection.close_reason() {
            Some(ConnectionError::LocallyClosed) | None => {
                ClientError::Http(printable(&error.to_string()))
            }
            Some(reason) => self.lost(&reason),
        };
        let limit = self
            .options
            .max_body
            .saturating_mul(2)
            .saturating_add(MAX_HEAD);
        let http = HttpConnection::new(connection.clone(), Side::Client, limit);
        // h3 loses the frame that came while it waits for its stream of grease.
        let mut builder = h3::client::builder();
        let built = builder.send_grease(false).build::<_, _, Bytes>(http).await;
        let (mut driver, mut requests) = built.map_err(|error| fault(&error))?;
        let _closing = CloseOnDrop(connection);
        let answer = async {
            let mut stream = requests.send_request(request).await?;
            stream.finish().await?;
            let head = stream.recv_response().await?;
            let mut response = Response {
                first_byte: begin.elapsed(),
                status: head.status().as_u16(),
                body: Vec::new(),
            };
            while let Some(mut data) = stream.recv_data().await? {
                let room = self.options.max_body - response.body.len();
                let length = data.remaining().min(room);
                response.body.extend_from_slice(&data.copy_to_bytes(length));
                if response.body.len() == self.options.max_body {
                    break;
                }
            }
            Ok::<_, StreamError>(response)
        };
        let answer = tokio::select! {
            // A server may close the connection as soon as it has answered.
            biased;
            answer = answer => answer,
            error = driver.wait_idle() => return Err(fault(&error)),
        };
        match answer {
            Ok(response) => Ok((response, self.tap.observation(connection.remote_address()))),
            Err(error) => {
                if matches!(error, StreamError::ConnectionError(_)) {
                    // Has h3 tell the server what it did wrong.
                    driver.wait_idle().await;
                }
                Err(fault(&error))
            }
        }
    }

    fn lost(&self, error: &ConnectionError) -> ClientError {
        ClientError::of_connection(self.stage, error, self.options.limit)
    }
}

/// Closes a connection before what was declared earlier is dropped: a control stream of h3,
/// dropped, ends, and a server that sees that before it sees the connection end must take it
/// for an error (RFC 9114 section 6.2.1).
struct CloseOnDrop<'c>(&'c Connection);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close(no_error(), b"");
    }
}

fn no_error() -> VarInt {
    error_code(Code::H3_NO_ERROR.value())
}
