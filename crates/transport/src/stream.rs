//! The driver.

use std::io;

use stack::{Connection, Negotiated, StackError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::record::RecordCursor;

/// One side of a TLS connection over a socket.
///
/// Each call's output leaves in one write, so that a flight is cut into segments as that
/// of any other program. A call that is dropped before it is done may have sent a part of
/// its output: after a timeout the stream is good for nothing but [`TlsStream::part`].
pub struct TlsStream<S> {
    socket: S,
    connection: Box<dyn Connection>,
    buffers: Buffers,
    cursor: RecordCursor,
    is_hello_complete: bool,
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
    input: Vec<u8>,
    output: Vec<u8>,
    plaintext: Vec<u8>,
    /// The peer's first record.
    hello: Vec<u8>,
}

/// Bytes taken from the socket at once.
const INPUT: usize = 32 * 1024;
/// The longest record of TLS 1.2 (RFC 5246 section 6.2.3), with its header.
const MAX_RECORD: usize = 5 + (1 << 14) + 2048;
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
            hello: Vec::with_capacity(HELLO),
        }
    }
}

impl Buffers {
    fn clear(&mut self) {
        self.input.clear();
        self.output.clear();
        self.hello.clear();
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
            cursor: RecordCursor::default(),
            is_hello_complete: false,
        }
    }

    /// Performs the handshake of a client. On return its last flight is with the kernel.
    ///
    /// # Errors
    /// When the peer is gone, or the library gives up; its alert has been sent then.
    pub async fn connect(&mut self) -> Result<(), TransportError> {
        let taken = self.connection.advance(&[], &mut self.buffers.output);
        self.flush_after(taken).await?;
        self.finish().await
    }

    /// Performs the handshake of a server. On return its last flight, and the tickets
    /// after it, are with the kernel.
    ///
    /// # Errors
    /// When the peer is gone, or the library gives up; its alert has been sent then.
    pub async fn accept(&mut self) -> Result<(), TransportError> {
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
    /// taken on the way.
    ///
    /// # Errors
    /// [`TransportError::Closed`] at the end of the stream; otherwise when the library
    /// gives up, and its alert has been sent then.
    pub async fn read(&mut self) -> Result<&[u8], TransportError> {
        let mut count = 0;
        while count == 0 {
            if self.buffers.input.is_empty() {
                self.fill().await?;
            }
            let Buffers {
                input, plaintext, ..
            } = &mut self.buffers;
            let received = self.connection.receive(input, plaintext);
            input.clear();
            count = match received {
                Ok(count) => count,
                Err(error) => {
                    // `receive` has no output: the library keeps its alert until asked.
                    let _ = self.connection.advance(&[], &mut self.buffers.output);
                    return self.flush_after(Err(error)).await.map(|()| &[][..]);
                }
            };
        }
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

    /// The peer's first record as it came: a client's ClientHello, a server's ServerHello
    /// or HelloRetryRequest. In full after the handshake, if the peer put the message
    /// into one record.
    pub fn peer_hello(&self) -> &[u8] {
        &self.buffers.hello
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

    async fn fill(&mut self) -> Result<(), TransportError> {
        match self.socket.read_buf(&mut self.buffers.input).await? {
            0 => Err(TransportError::Closed),
            _ => Ok(()),
        }
    }

    /// Hands the input over record by record, since application data may follow the
    /// handshake's last record in one segment: that is for `receive`.
    fn advance(&mut self) -> Result<(), StackError> {
        let Buffers {
            input,
            output,
            hello,
            ..
        } = &mut self.buffers;
        let mut taken = 0;
        let mut result = Ok(());
        while result.is_ok() && taken < input.len() && self.connection.is_handshaking() {
            let rest = &input[taken..];
            // A part of a record goes over at once: garbage is to be refused, not awaited.
            let piece = &rest[..self.cursor.advance(rest)];
            taken += piece.len();
            if !self.is_hello_complete {
                hello.extend_from_slice(piece);
                self.is_hello_complete = self.cursor.is_at_boundary();
            }
            result = self.connection.advance(piece, output);
        }
        input.drain(..taken);
        result
    }

    /// Sends the output, which after a failure is an alert, and then reports the failure.
    async fn flush_after(&mut self, result: Result<(), StackError>) -> Result<(), TransportError> {
        let output = &mut self.buffers.output;
        let sent = match output.is_empty() {
            true => Ok(()),
            false => self.socket.write_all(output).await,
        };
        output.clear();
        result?;
        Ok(sent?)
    }
}
