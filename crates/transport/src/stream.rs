//! The driver.

use std::io;
use std::ops::Range;
use std::time::Duration;

use experiment::Side;
use rustls_pki_types::CertificateDer;
use stack::{Connection, Negotiated, StackError, Verdict};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use wire::{HandshakeType, MAX_RECORD, ServerHello};

use crate::record::{RecordCursor, first_record};
use crate::{CpuWatch, Recording, Tally};

/// One side of a TLS connection over a socket.
///
/// The handshake is performed by [`TlsStream::connect`] or [`TlsStream::accept`]. After it,
/// [`AsyncRead`] and [`AsyncWrite`] carry application data for libraries that want a
/// stream; shutting down sends close_notify. Reading ends with the peer's close_notify; an
/// end of the socket before it is [`io::ErrorKind::UnexpectedEof`].
///
/// Each call's output leaves in one write, so that a flight is cut into segments as that
/// of any other program. A call that is dropped before it is done may have sent a part of
/// its output: after a timeout the stream is good for nothing but [`TlsStream::part`].
pub struct TlsStream<S> {
    pub(crate) socket: S,
    pub(crate) connection: Box<dyn Connection>,
    pub(crate) buffers: Buffers,
    /// How much of `buffers.output` has gone out already.
    pub(crate) flushed: usize,
    /// The part of `buffers.plaintext` that nobody has read yet.
    pub(crate) ready: Range<usize>,
    pub(crate) is_closing: bool,
    cursor: RecordCursor,
    is_hello_complete: bool,
    side: Side,
    tally: Tally,
    recording: Option<Recording>,
}

/// Why a connection over a socket ended.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The peer closed or reset the connection while something was expected of it.
    #[error("the peer closed the connection")]
    Closed,
    /// The TLS library refused what came, or failed itself. Its alert has been sent.
    #[error(transparent)]
    Tls(#[from] StackError),
    /// The socket failed otherwise.
    #[error("the socket failed: {0}")]
    Socket(io::Error),
}

impl From<io::Error> for TransportError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
            | io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Socket(error),
        }
    }
}

/// The memory of one stream, about 120 KiB of address space; made apart so that making it
/// need not be timed.
#[derive(Debug)]
pub struct Buffers {
    /// Bytes of the socket that the library has not taken; emptied before each read.
    pub(crate) input: Vec<u8>,
    pub(crate) output: Vec<u8>,
    pub(crate) plaintext: Vec<u8>,
    /// The peer's first record.
    peer_hello: Vec<u8>,
    /// This side's first record.
    own_hello: Vec<u8>,
}

/// Bytes taken from the socket at once.
pub(crate) const INPUT: usize = 32 * 1024;
/// What one input may complete and bring: a library may hold a record but for its last byte.
const PLAINTEXT: usize = INPUT + MAX_RECORD;
/// Enough for the hello with the longest key share of today.
const HELLO: usize = 4 * 1024;
/// Bytes that are read and thrown away while parting.
const PARTING: usize = 256 * 1024;

impl Default for Buffers {
    fn default() -> Self {
        Self {
            input: Vec::with_capacity(INPUT),
            output: Vec::with_capacity(INPUT),
            plaintext: vec![0; PLAINTEXT],
            peer_hello: Vec::with_capacity(HELLO),
            own_hello: Vec::with_capacity(HELLO),
        }
    }
}

impl Buffers {
    fn clear(&mut self) {
        self.input.clear();
        self.output.clear();
        self.peer_hello.clear();
        self.own_hello.clear();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Puts a connection over a socket; nothing is sent yet.
    pub fn new(socket: S, connection: Box<dyn Connection>, mut buffers: Buffers) -> Self {
        buffers.clear();
        Self {
            socket,
            connection,
            buffers,
            flushed: 0,
            ready: 0..0,
            is_closing: false,
            cursor: RecordCursor::default(),
            is_hello_complete: false,
            side: Side::Client,
            tally: Tally::default(),
            recording: None,
        }
    }

    /// Keeps all bytes of the handshake and after it, with times: for a connection that is
    /// to be explained, not for load. `work` is the CPU time that making the connection took: it
    /// counts as work on a client's first flight.
    #[must_use]
    pub fn recorded(mut self, work: Duration) -> Self {
        self.recording = Some(Recording {
            first_work: work,
            ..Recording::default()
        });
        self
    }

    /// Performs the handshake of a client. On return its last flight is with the kernel.
    ///
    /// # Errors
    /// When the peer is gone, or the library gives up; its alert has been sent then.
    pub async fn connect(&mut self) -> Result<(), TransportError> {
        self.side = Side::Client;
        let watch = self.recording.is_some().then(CpuWatch::start);
        let taken = self.connection.advance(&[], &mut self.buffers.output);
        if let Some(recording) = &mut self.recording {
            recording.first_work += watch.and_then(|watch| watch.read()).unwrap_or_default();
        }
        self.flush_after(taken).await?;
        self.finish().await
    }

    /// Performs the handshake of a server. On return its last flight, and the tickets
    /// after it, are with the kernel.
    ///
    /// # Errors
    /// When the peer is gone, or the library gives up; its alert has been sent then.
    pub async fn accept(&mut self) -> Result<(), TransportError> {
        self.side = Side::Server;
        self.finish().await
    }

    /// Encrypts and sends.
    ///
    /// # Errors
    /// When the peer is gone, or the library refuses.
    pub async fn write_all(&mut self, plaintext: &[u8]) -> Result<(), TransportError> {
        let sent = self.connection.send(plaintext, &mut self.buffers.output);
        self.flush_after(sent).await
    }

    /// Waits for application data and gives what came, at least a byte. Tickets are
    /// taken on the way. Not to be mixed with [`AsyncRead`], which may hold data back.
    ///
    /// # Errors
    /// [`TransportError::Closed`] at the end of the stream; otherwise when the library
    /// gives up, and its alert has been sent then.
    pub async fn read(&mut self) -> Result<&[u8], TransportError> {
        let mut count = 0;
        while count == 0 {
            count = self.receive().await?;
        }
        Ok(&self.buffers.plaintext[..count])
    }

    /// As [`TlsStream::read`], but does not wait on after what is no application data, and
    /// gives nothing then: a ticket, or a part of a record.
    ///
    /// # Errors
    /// As [`TlsStream::read`].
    pub async fn read_any(&mut self) -> Result<&[u8], TransportError> {
        let count = self.receive().await?;
        Ok(&self.buffers.plaintext[..count])
    }

    /// Sends the end of the stream and waits for that of the peer, throwing away what
    /// still comes, up to 256 KiB. Without this the kernel would answer bytes that were
    /// not read with a reset, which may overtake an alert.
    ///
    /// A peer that does not close keeps this waiting: bound it in time.
    pub async fn part(&mut self) {
        if self.socket.shutdown().await.is_err() {
            return;
        }
        let mut thrown_away = 0;
        while thrown_away < PARTING {
            self.buffers.input.clear();
            match self.socket.read_buf(&mut self.buffers.input).await {
                Ok(count @ 1..) => thrown_away += count,
                Ok(0) | Err(_) => return,
            }
        }
    }

    /// What the library says was negotiated; meaningful after the handshake.
    pub fn negotiated(&self) -> Negotiated {
        self.connection.negotiated()
    }

    /// The application protocol that was negotiated.
    pub fn alpn(&self) -> Option<Vec<u8>> {
        self.connection.alpn()
    }

    /// The certificates that the peer sent, its end entity first.
    pub fn peer_chain(&self) -> Vec<CertificateDer<'static>> {
        self.connection.peer_chain()
    }

    /// How the peer's chain was judged.
    pub fn verdict(&self) -> Option<Verdict> {
        self.connection.verdict()
    }

    /// The peer's first record as it came: a client's ClientHello, a server's ServerHello
    /// or HelloRetryRequest. In full after the handshake, if the peer put the message
    /// into one record.
    pub fn peer_hello(&self) -> &[u8] {
        &self.buffers.peer_hello
    }

    /// The first record of this side.
    pub fn own_hello(&self) -> &[u8] {
        &self.buffers.own_hello
    }

    /// Whether the server asked for another key share: a round trip more.
    pub fn has_hello_retry(&self) -> bool {
        let hello = match self.side {
            Side::Client => &self.buffers.peer_hello,
            Side::Server => &self.buffers.own_hello,
        };
        let messages = wire::plaintext_messages(hello).unwrap_or_default();
        messages.first().is_some_and(|message| {
            message.handshake_type == HandshakeType::SERVER_HELLO
                && ServerHello::parse(&message.body).is_ok_and(|hello| hello.is_retry_request)
        })
    }

    /// What has gone over the socket so far, without what was received and is not looked at
    /// yet: right after a handshake that is what follows it.
    pub fn tally(&self) -> Tally {
        let mut tally = self.tally;
        tally.received -= self.buffers.input.len() as u64;
        tally
    }

    /// What was recorded, if [`TlsStream::recorded`] asked for it.
    pub const fn recording(&self) -> Option<&Recording> {
        self.recording.as_ref()
    }

    /// The socket.
    pub const fn socket(&self) -> &S {
        &self.socket
    }

    /// Gives the memory back for another stream. The socket is closed.
    pub fn into_buffers(self) -> Buffers {
        self.buffers
    }

    /// Answers the peer until the handshake is done.
    async fn finish(&mut self) -> Result<(), TransportError> {
        while self.connection.is_handshaking() {
            self.fill().await?;
            let taken = self.advance();
            self.flush_after(taken).await?;
        }
        Ok(())
    }

    /// Takes what came, or waits for it. Gives the number of bytes of application data.
    async fn receive(&mut self) -> Result<usize, TransportError> {
        if self.buffers.input.is_empty() {
            self.fill().await?;
        }
        let Buffers {
            input, plaintext, ..
        } = &mut self.buffers;
        let received = self.connection.receive(input, plaintext);
        input.clear();
        match received {
            Ok(count) => Ok(count),
            Err(error) => {
                // `receive` has no output: the library keeps its alert until asked.
                let _ = self.connection.advance(&[], &mut self.buffers.output);
                self.flush_after(Err(error)).await.map(|()| 0)
            }
        }
    }

    async fn fill(&mut self) -> Result<(), TransportError> {
        let before = self.buffers.input.len();
        match self.socket.read_buf(&mut self.buffers.input).await? {
            0 => Err(TransportError::Closed),
            _ => {
                self.note_received(before);
                Ok(())
            }
        }
    }

    /// Counts what was appended to the input.
    pub(crate) fn note_received(&mut self, before: usize) {
        let bytes = &self.buffers.input[before..];
        self.tally.note_received(bytes.len());
        if let Some(recording) = &mut self.recording {
            recording.note(false, bytes);
        }
    }

    /// Counts what went out of the output.
    pub(crate) fn note_sent(&mut self, range: Range<usize>) {
        let bytes = &self.buffers.output[range];
        if self.tally.sent == 0 {
            self.buffers
                .own_hello
                .extend_from_slice(first_record(bytes));
        }
        self.tally.note_sent(bytes.len());
        if let Some(recording) = &mut self.recording {
            recording.note(true, bytes);
        }
    }

    /// Hands the input over record by record, since application data may follow the
    /// handshake's last record in one segment: that is for `receive`.
    fn advance(&mut self) -> Result<(), StackError> {
        let Buffers {
            input,
            output,
            peer_hello,
            ..
        } = &mut self.buffers;
        let watch = self.recording.is_some().then(CpuWatch::start);
        let mut taken = 0;
        let mut result = Ok(());
        while result.is_ok() && taken < input.len() && self.connection.is_handshaking() {
            let rest = &input[taken..];
            // A part of a record goes over at once: garbage is to be refused, not awaited.
            let piece = &rest[..self.cursor.advance(rest)];
            taken += piece.len();
            if !self.is_hello_complete {
                peer_hello.extend_from_slice(piece);
                self.is_hello_complete = self.cursor.is_at_boundary();
            }
            result = self.connection.advance(piece, output);
        }
        input.drain(..taken);
        if let Some(recording) = &mut self.recording {
            recording.note_work(watch.and_then(|watch| watch.read()).unwrap_or_default());
        }
        result
    }

    /// Sends the output, which after a failure is an alert, and then reports the failure.
    async fn flush_after(&mut self, result: Result<(), StackError>) -> Result<(), TransportError> {
        let length = self.buffers.output.len();
        let sent = match length {
            0 => Ok(()),
            _ => {
                self.note_sent(0..length);
                self.socket.write_all(&self.buffers.output).await
            }
        };
        self.buffers.output.clear();
        result?;
        Ok(sent?)
    }
}
