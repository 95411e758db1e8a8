//! One connection, for explanation: everything about it is kept, success or not.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustls_pki_types::CertificateDer;
use stack::phases::{self, PhaseTimes};
use stack::{Endpoint, Negotiated, Verdict};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use transport::{Buffers, CpuWatch, Recording, Tally, TlsStream, TransportError};

use crate::{ClientError, Stage};

/// What was seen of a server in one connection.
#[derive(Debug)]
pub struct Inspection {
    /// Where it is.
    pub address: SocketAddr,
    /// TCP: the call of connect() until the server's SYN-ACK has come.
    pub connect: Duration,
    /// What was recorded from the ClientHello on.
    pub recording: Recording,
    /// The server's answer, if the handshake was completed.
    pub established: Option<Established>,
    /// The first bytes of the response, if a request was sent and answered.
    pub response: Option<Response>,
    /// What stopped it, if something did.
    pub failure: Option<ClientError>,
    /// Where the client's time went, if its endpoint times phases.
    pub phases: PhaseTimes,
}

/// A handshake that is done.
#[derive(Debug)]
pub struct Established {
    /// From before the connection object is built until the client's last flight is with
    /// the kernel.
    pub handshake: Duration,
    /// Version, suite, group, schemes.
    pub negotiated: Negotiated,
    /// The application protocol.
    pub alpn: Option<Vec<u8>>,
    /// Whether the server asked for another key share.
    pub has_hello_retry: bool,
    /// The server's certificates, its end entity first; empty in a resumption of a stack
    /// that does not keep them.
    pub chain: Vec<CertificateDer<'static>>,
    /// How the chain was judged; `None` in a resumption.
    pub verdict: Option<Verdict>,
    /// Bytes and turns of the handshake.
    pub tally: Tally,
    /// The number of recorded pieces that belong to the handshake.
    pub pieces: usize,
}

/// What came back for a request.
#[derive(Debug)]
pub struct Response {
    /// From sending the request to the first byte.
    pub first_byte: Duration,
    /// What came first, as much as one read gave.
    pub begin: Vec<u8>,
}

/// Opens a connection, performs the handshake of `endpoint`, and sends `request` if there
/// is one and the server is trusted. `limit` is for all of it.
///
/// Phases are summed on the thread that polls this: block on it.
///
/// # Errors
/// When not even TCP connected. Everything after that is in the inspection.
pub async fn inspect(
    address: SocketAddr,
    endpoint: &dyn Endpoint,
    request: Option<&[u8]>,
    limit: Duration,
) -> Result<Inspection, ClientError> {
    warm_up(endpoint)?;
    let start = Instant::now();
    let socket = match timeout(limit, TcpStream::connect(address)).await {
        Err(_) => {
            let stage = Stage::Connect;
            return Err(ClientError::Timeout { stage, limit });
        }
        Ok(socket) => socket.map_err(ClientError::Connect)?,
    };
    let connect = start.elapsed();
    socket.set_nodelay(true).map_err(ClientError::Socket)?;

    phases::take();
    let (before, watch) = (Instant::now(), CpuWatch::start());
    let connection = endpoint
        .connection()
        .map_err(|error| ClientError::of_tls(Stage::Handshake, error))?;
    let made = watch.read().unwrap_or_default();
    let mut inspection = Inspection {
        address,
        connect,
        recording: Recording::default(),
        established: None,
        response: None,
        failure: None,
        phases: PhaseTimes::default(),
    };
    let mut stream = TlsStream::new(socket, connection, Buffers::default()).recorded(made);
    let mut stage = Stage::Handshake;
    let conversation = converse(&mut stream, before, request, &mut stage, &mut inspection);
    let rest = limit.saturating_sub(start.elapsed());
    inspection.failure = match timeout(rest, conversation).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(ClientError::of_transport(stage, error)),
        Err(_) => Some(ClientError::Timeout { stage, limit }),
    };
    inspection.phases = phases::take();
    inspection.recording = stream.recording().cloned().unwrap_or_default();
    Ok(inspection)
}

/// The first key pair of a process waits for the random number generator to be seeded, tens
/// of milliseconds in some libraries, which is no part of a handshake.
fn warm_up(endpoint: &dyn Endpoint) -> Result<(), ClientError> {
    if endpoint.tickets() > 0 {
        // Warm already; and a connection would take a ticket away.
        return Ok(());
    }
    endpoint
        .connection()
        .and_then(|mut connection| connection.advance(&[], &mut Vec::new()))
        .map_err(|error| ClientError::of_tls(Stage::Handshake, error))
}

/// How long a server may take to say something after the handshake, beside three round
/// trips.
const PATIENCE: Duration = Duration::from_millis(50);

async fn converse(
    stream: &mut TlsStream<TcpStream>,
    before: Instant,
    request: Option<&[u8]>,
    stage: &mut Stage,
    inspection: &mut Inspection,
) -> Result<(), TransportError> {
    stream.connect().await?;
    let handshake = before.elapsed();
    let verdict = stream.verdict();
    let is_trusted = !matches!(verdict, Some(Err(_)));
    inspection.established = Some(Established {
        handshake,
        negotiated: stream.negotiated(),
        alpn: stream.alpn(),
        has_hello_retry: stream.has_hello_retry(),
        chain: stream.peer_chain(),
        verdict,
        tally: stream.tally(),
        pieces: stream
            .recording()
            .map_or(0, |recording| recording.pieces.len()),
    });
    match request {
        // A stranger is told nothing.
        _ if !is_trusted => {}
        Some(request) => {
            *stage = Stage::Response;
            let sent = Instant::now();
            TlsStream::write_all(stream, request).await?;
            let begin = TlsStream::read(stream).await?.to_vec();
            let first_byte = sent.elapsed();
            inspection.response = Some(Response { first_byte, begin });
        }
        None => {
            // In TLS 1.3 a client is done before the server has judged its certificate, and
            // before tickets come (RFC 8446 section 4.4.2.4 and 4.6.1).
            *stage = Stage::AfterHandshake;
            let patience = PATIENCE + 3 * inspection.connect;
            let read = timeout(patience, TlsStream::read(stream)).await;
            if let Ok(Err(error @ TransportError::Tls(_))) = read {
                return Err(error);
            }
        }
    }
    // Without close_notify a server takes the end for a truncation (RFC 8446 section 6.1);
    // one that has gone needs none.
    let _ = stream.shutdown().await;
    Ok(())
}
