//! Application data through the traits of tokio.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use stack::StackError;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::TlsStream;
use crate::stream::INPUT;

/// Plaintext encrypted at once: one record (RFC 8446 section 5.1).
const RECORD: usize = 1 << 14;
/// Ciphertext held back before a writer has to wait for the socket.
const BACKLOG: usize = 64 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    fn poll_output(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.flushed < self.buffers.output.len() {
            let rest = &self.buffers.output[self.flushed..];
            let count = ready!(Pin::new(&mut self.socket).poll_write(context, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.note_sent(self.flushed..self.flushed + count);
            self.flushed += count;
        }
        self.buffers.output.clear();
        self.flushed = 0;
        Poll::Ready(Ok(()))
    }

    /// Fills the input. At the end of the stream, nothing is appended.
    fn poll_input(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let input = &mut self.buffers.input;
        let before = input.len();
        input.resize(before + INPUT, 0);
        let mut buffer = ReadBuf::new(&mut input[before..]);
        let polled = Pin::new(&mut self.socket).poll_read(context, &mut buffer);
        let count = buffer.filled().len();
        input.truncate(before + count);
        ready!(polled)?;
        if count > 0 {
            self.note_received(before);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.ready.is_empty() {
            if this.connection.has_peer_closed() {
                return Poll::Ready(Ok(()));
            }
            if this.buffers.input.is_empty() {
                ready!(this.poll_input(context))?;
                if this.buffers.input.is_empty() {
                    // Somebody may have cut it off (RFC 8446 section 6.1).
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
            }
            let buffers = &mut this.buffers;
            let received = this
                .connection
                .receive(&buffers.input, &mut buffers.plaintext);
            buffers.input.clear();
            match received {
                Ok(count) => this.ready = 0..count,
                Err(error) => {
                    // The alert goes out with the next flush or shutdown, if there is one.
                    let _ = this.connection.advance(&[], &mut this.buffers.output);
                    let _ = this.poll_output(context);
                    return Poll::Ready(Err(broken(error)));
                }
            }
        }
        let count = this.ready.len().min(buffer.remaining());
        let end = this.ready.start + count;
        buffer.put_slice(&this.buffers.plaintext[this.ready.start..end]);
        this.ready.start = end;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.buffers.output.len() - this.flushed >= BACKLOG {
            ready!(this.poll_output(context))?;
        }
        // Under a steady backlog it would never be empty, and so never cleared.
        this.buffers.output.drain(..this.flushed);
        this.flushed = 0;
        let piece = &bytes[..bytes.len().min(RECORD)];
        this.connection
            .send(piece, &mut this.buffers.output)
            .map_err(broken)?;
        // What the socket does not take now is for the next write or flush.
        if let Poll::Ready(Err(error)) = this.poll_output(context) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_output(context))?;
        Pin::new(&mut this.socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.is_closing {
            this.is_closing = true;
            this.connection.close(&mut this.buffers.output);
        }
        ready!(this.poll_output(context))?;
        Pin::new(&mut this.socket).poll_shutdown(context)
    }
}

fn broken(error: StackError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
