//! One connection, for explanation: everything about it is kept, success or not.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustls_pki_types::CertificateDer;
use stack::phases::{self, PhaseTimes};
use stack::{Endpoint, Negotiated, Verdict};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use transport::{Buffers, CpuWatch, Recording, Tally, TlsStream, TransportError};
use wire::{ContentType, ProtocolVersion, Records};

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
    inspect_within(address, endpoint, request, limit, limit).await
}

/// As [`inspect`]. `connect_limit` is for TCP, which is a part of all: for a server that may
/// have other addresses to try.
///
/// # Errors
/// As [`inspect`].
pub async fn inspect_within(
    address: SocketAddr,
    endpoint: &dyn Endpoint,
    request: Option<&[u8]>,
    connect_limit: Duration,
    limit: Duration,
) -> Result<Inspection, ClientError> {
    warm_up(endpoint)?;
    let start = Instant::now();
    let socket = match timeout(connect_limit, TcpStream::connect(address)).await {
        Err(_) => {
            return Err(ClientError::Timeout {
                stage: Stage::Connect,
                limit: connect_limit,
            });
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
    let rest = || limit.saturating_sub(start.elapsed());
    let mut ended = match timeout(rest(), conversation).await {
        Ok(ended) => ended.map_err(|error| ClientError::of_transport(stage, error)),
        Err(_) => Err(ClientError::Timeout { stage, limit }),
    };
    if ended.is_ok() && stage == Stage::AfterHandshake {
        let patience = Patience::new(connect, is_asked_for_certificate(&stream)).within(rest());
        let refused = await_refusal(&mut stream, patience).await;
        ended = refused.map_err(|error| ClientError::of_transport(stage, error));
    }
    if ended.is_ok() {
        // Without close_notify a server takes the end for a truncation (RFC 8446 section
        // 6.1); one that has gone needs none.
        let _ = timeout(rest(), stream.shutdown()).await;
    }
    inspection.failure = ended.err();
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
        // In TLS 1.3 a client is done before the server has judged its certificate, and
        // before tickets come (RFC 8446 section 4.4.2.4 and 4.6.1).
        None => *stage = Stage::AfterHandshake,
    }
    Ok(())
}

/// How long a server is listened to after the handshake.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// Whatever it says.
    least: Duration,
    /// While it is silent.
    silent: Duration,
}

impl Patience {
    /// Beside three round trips.
    const LEAST: Duration = Duration::from_millis(50);
    /// To look a certificate up, or to see that there is none.
    const JUDGING: Duration = Duration::from_secs(1);

    /// `round_trip` is one of TCP.
    fn new(round_trip: Duration, is_asked: bool) -> Self {
        let least = Self::LEAST + 3 * round_trip;
        Self {
            least,
            silent: match is_asked {
                true => Self::JUDGING.max(least),
                false => least,
            },
        }
    }

    fn within(self, limit: Duration) -> Self {
        Self {
            least: self.least.min(limit),
            silent: self.silent.min(limit),
        }
    }
}

/// Listens for a refusal that comes after the handshake. Data may come before it: a server may
/// send some before it has judged the client. A ticket shows that it has (RFC 8446 section
/// 4.6.1), and what is not refused soon after something came is not refused for it.
async fn await_refusal<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut TlsStream<S>,
    patience: Patience,
) -> Result<(), TransportError> {
    let begin = Instant::now();
    let mut limit = patience.silent;
    loop {
        let rest = limit.saturating_sub(begin.elapsed());
        match timeout(rest, stream.read_any()).await {
            Ok(Ok(_)) => limit = patience.least,
            Ok(Err(error @ TransportError::Tls(_))) => return Err(error),
            // It has gone without a word, or the time is over.
            Ok(Err(_)) | Err(_) => return Ok(()),
        }
    }
}

/// Whether the server asked for a certificate. In TLS 1.3 no library tells; but the client's
/// last flight is Finished alone only if it did not (RFC 8446 section 4.4.2).
fn is_asked_for_certificate<S: AsyncRead + AsyncWrite + Unpin>(stream: &TlsStream<S>) -> bool {
    if stream.negotiated().version != Some(ProtocolVersion::Tls13) {
        return false;
    }
    let pieces = stream.recording().map_or(&[][..], |r| &r.pieces[..]);
    let last = pieces.iter().rev().find(|piece| piece.is_own);
    last.is_some_and(|piece| !is_finished_alone(&piece.bytes))
}

/// Of a client's last flight in TLS 1.3.
fn is_finished_alone(flight: &[u8]) -> bool {
    /// Header, a hash of SHA-256 or SHA-384, content type and tag.
    const FINISHED: [usize; 2] = [4 + 32 + 1 + 16, 4 + 48 + 1 + 16];
    let records: Result<Vec<_>, _> = Records::new(flight).collect();
    // For middleboxes (RFC 8446 appendix D.4).
    let counts = |record: &&wire::Record<'_>| record.content_type != ContentType::ChangeCipherSpec;
    let records = records.unwrap_or_default();
    let mut sizes = records.iter().filter(counts).map(|r| r.payload.len());
    matches!((sizes.next(), sizes.next()), (Some(size), None) if FINISHED.contains(&size))
}

#[cfg(test)]
mod tests {
    use stack::{Connection, StackError};
    use tokio::io::duplex;
    use wire::AlertDescription;

    use super::*;

    /// Past its handshake; each byte that comes is one of these.
    struct Scripted;

    const TICKET: u8 = b't';
    const DATA: u8 = b'd';
    const ALERT: u8 = b'a';

    impl Connection for Scripted {
        fn advance(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result<(), StackError> {
            Ok(())
        }
        fn is_handshaking(&self) -> bool {
            false
        }
        fn send(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result<(), StackError> {
            Ok(())
        }
        fn receive(&mut self, input: &[u8], _: &mut [u8]) -> Result<usize, StackError> {
            match input.contains(&ALERT) {
                true => Err(StackError::Alert(AlertDescription::CERTIFICATE_REQUIRED)),
                false => Ok(input.iter().filter(|byte| **byte == DATA).count()),
            }
        }
        fn negotiated(&self) -> Negotiated {
            Negotiated::default()
        }
        fn export_keying_material(&self, _: &str, _: &mut [u8]) -> Result<(), StackError> {
            Ok(())
        }
    }

    /// Whether a refusal is seen of a server that says these things one after the other, with
    /// pauses between.
    async fn is_refusal_seen(words: &[u8], pause: Duration, patience: Patience) -> bool {
        let (near, mut far) = duplex(64);
        let mut stream = TlsStream::new(near, Box::new(Scripted), Buffers::default());
        let speak = async {
            for word in words {
                tokio::time::sleep(pause).await;
                if far.write_all(&[*word]).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            seen = await_refusal(&mut stream, patience) => seen.is_err(),
            () = speak => unreachable!(),
        }
    }

    const MS: Duration = Duration::from_millis(1);
    const AGE: Duration = Duration::from_secs(3600);

    /// HTTP/2 servers greet before they have judged the client.
    #[tokio::test]
    async fn a_refusal_that_comes_after_data_is_seen() {
        let long = Patience {
            least: AGE,
            silent: AGE,
        };
        assert!(is_refusal_seen(&[DATA, ALERT], MS, long).await);
        assert!(is_refusal_seen(&[TICKET, DATA, ALERT], MS, long).await);
    }

    #[tokio::test]
    async fn a_silent_server_is_waited_for_and_one_that_speaks_no_longer() {
        let asked = Patience {
            least: MS,
            silent: AGE,
        };
        assert!(is_refusal_seen(&[ALERT], 20 * MS, asked).await);
        // These end at once, and not after an hour.
        assert!(!is_refusal_seen(&[TICKET], 20 * MS, asked).await);
        assert!(!is_refusal_seen(&[DATA], 20 * MS, asked).await);
        assert!(!is_refusal_seen(&[], MS, asked.within(MS)).await);
    }

    #[test]
    fn a_certificate_is_seen_beside_finished_however_empty() {
        let record = |content_type: u8, length: u8| {
            let header = [content_type, 3, 3, 0, length];
            [&header[..], &vec![0; length.into()]].concat()
        };
        let compatibility = record(20, 1);
        for size in [53, 69] {
            assert!(is_finished_alone(&record(23, size)));
            assert!(is_finished_alone(
                &[&compatibility[..], &record(23, size)].concat()
            ));
            // Certificate without entries, in the same record or in one of its own.
            assert!(!is_finished_alone(&record(23, size + 8)));
            assert!(!is_finished_alone(
                &[record(23, 25), record(23, size)].concat()
            ));
        }
    }
}
