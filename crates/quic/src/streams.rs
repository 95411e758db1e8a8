//! What HTTP/3 sees of a connection: its streams, with bounds.
//!
//! h3 keeps a frame until all of it has come, however long its sender said it would be. Here a
//! stream ends once it has brought more than it may. A server's stream, on the other hand, is
//! finished only when the client has all of it: what closes the connection then cuts nothing
//! off.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use experiment::Side;
use h3::error::Code;
use h3::quic::{
    self, ConnectionErrorIncoming as ConnectionFault, StreamErrorIncoming as StreamFault, StreamId,
    WriteBuf,
};
use quinn::{ConnectionError, ReadError, StoppedError, VarInt, WriteError};

/// A connection as h3 takes it.
pub(crate) struct HttpConnection {
    connection: quinn::Connection,
    side: Side,
    /// Bytes that a stream of a request, or of its answer, may bring.
    limit: usize,
    accepting_request: Waiting<Halves>,
    accepting: Waiting<quinn::RecvStream>,
    opening_request: Waiting<Halves>,
    opening: Waiting<quinn::SendStream>,
}

type Halves = (quinn::SendStream, quinn::RecvStream);
type Waiting<T> = Option<Pin<Box<dyn Future<Output = Result<T, ConnectionError>> + Send + Sync>>>;
type Delivery = Pin<Box<dyn Future<Output = Result<Option<VarInt>, StoppedError>> + Send + Sync>>;

/// Bytes that a stream may bring that is not of a request: settings, and what an end says of
/// its connection or of priorities, in the whole life of a connection.
const CONTROL_LIMIT: usize = 64 * 1024;
/// Bytes that are taken at a time.
const PIECE: usize = 4096;

impl HttpConnection {
    /// `limit` is how many bytes a stream of a request, or of its answer, may bring.
    pub(crate) fn new(connection: quinn::Connection, side: Side, limit: usize) -> Self {
        Self {
            connection,
            side,
            limit,
            accepting_request: None,
            accepting: None,
            opening_request: None,
            opening: None,
        }
    }

    fn halves<B: Buf>(&self, (send, receive): Halves) -> Exchange<B> {
        Exchange {
            send: self.sending(send),
            receive: Receiving {
                stream: receive,
                room: self.limit,
            },
        }
    }

    fn sending<B: Buf>(&self, stream: quinn::SendStream) -> Sending<B> {
        Sending {
            stream,
            writing: None,
            side: self.side,
            delivery: None,
        }
    }
}

/// Polls the future that is there, or the one that `begin` makes.
fn poll<T, F>(
    waiting: &mut Waiting<T>,
    begin: impl FnOnce() -> F,
    cx: &mut Context<'_>,
) -> Poll<Result<T, ConnectionFault>>
where
    F: Future<Output = Result<T, ConnectionError>> + Send + Sync + 'static,
{
    let future = waiting.get_or_insert_with(|| Box::pin(begin()));
    let result = ready!(future.as_mut().poll(cx));
    *waiting = None;
    Poll::Ready(result.map_err(lost))
}

impl<B: Buf> quic::Connection<B> for HttpConnection {
    type RecvStream = Receiving;
    type OpenStreams = Self;

    fn poll_accept_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::RecvStream, ConnectionFault>> {
        let connection = self.connection.clone();
        let begin = || async move { connection.accept_uni().await };
        let stream = ready!(poll(&mut self.accepting, begin, cx))?;
        Poll::Ready(Ok(Receiving {
            stream,
            room: CONTROL_LIMIT,
        }))
    }

    fn poll_accept_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, ConnectionFault>> {
        let connection = self.connection.clone();
        let begin = || async move { connection.accept_bi().await };
        let halves = ready!(poll(&mut self.accepting_request, begin, cx))?;
        Poll::Ready(Ok(self.halves(halves)))
    }

    fn opener(&self) -> Self::OpenStreams {
        Self::new(self.connection.clone(), self.side, self.limit)
    }
}

impl<B: Buf> quic::OpenStreams<B> for HttpConnection {
    type BidiStream = Exchange<B>;
    type SendStream = Sending<B>;

    fn poll_open_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, StreamFault>> {
        let connection = self.connection.clone();
        let begin = || async move { connection.open_bi().await };
        let halves = ready!(poll(&mut self.opening_request, begin, cx)).map_err(with_it)?;
        Poll::Ready(Ok(self.halves(halves)))
    }

    fn poll_open_send(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::SendStream, StreamFault>> {
        let connection = self.connection.clone();
        let begin = || async move { connection.open_uni().await };
        let stream = ready!(poll(&mut self.opening, begin, cx)).map_err(with_it)?;
        Poll::Ready(Ok(self.sending(stream)))
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.connection.close(error_code(code.value()), reason);
    }
}

/// A stream that carries a request and its answer.
pub(crate) struct Exchange<B: Buf> {
    send: Sending<B>,
    receive: Receiving,
}

impl<B: Buf> quic::BidiStream<B> for Exchange<B> {
    type SendStream = Sending<B>;
    type RecvStream = Receiving;

    fn split(self) -> (Self::SendStream, Self::RecvStream) {
        (self.send, self.receive)
    }
}

impl<B: Buf> quic::RecvStream for Exchange<B> {
    type Buf = Bytes;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamFault>> {
        let polled = self.receive.poll_data(cx);
        if self.receive.room == 0 {
            // Not split yet: the head is not whole, and there is nothing to answer.
            quic::SendStream::reset(&mut self.send, Code::H3_EXCESSIVE_LOAD.value());
        }
        polled
    }

    fn stop_sending(&mut self, code: u64) {
        self.receive.stop_sending(code);
    }

    fn recv_id(&self) -> StreamId {
        self.receive.recv_id()
    }
}

impl<B: Buf> quic::SendStream<B> for Exchange<B> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamFault>> {
        self.send.poll_ready(cx)
    }

    fn send_data<T: Into<WriteBuf<B>>>(&mut self, data: T) -> Result<(), StreamFault> {
        self.send.send_data(data)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamFault>> {
        self.send.poll_finish(cx)
    }

    fn reset(&mut self, code: u64) {
        self.send.reset(code);
    }

    fn send_id(&self) -> StreamId {
        self.send.send_id()
    }
}

/// What the other end sends on a stream.
pub(crate) struct Receiving {
    stream: quinn::RecvStream,
    /// Bytes that it may still bring.
    room: usize,
}

impl quic::RecvStream for Receiving {
    type Buf = Bytes;

    /// Fails with H3_EXCESSIVE_LOAD, as if the other end had given up, when it was too much.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamFault>> {
        let code = Code::H3_EXCESSIVE_LOAD.value();
        let mut piece = [0; PIECE];
        let length = match ready!(self.stream.poll_read(cx, &mut piece)) {
            Ok(0) => return Poll::Ready(Ok(None)),
            Ok(length) => length,
            Err(error) => return Poll::Ready(Err(unread(error))),
        };
        self.room = self.room.saturating_sub(length);
        if self.room == 0 {
            self.stop_sending(code);
            return Poll::Ready(Err(StreamFault::StreamTerminated { error_code: code }));
        }
        Poll::Ready(Ok(Some(Bytes::copy_from_slice(&piece[..length]))))
    }

    fn stop_sending(&mut self, code: u64) {
        // One that has ended needs no stopping.
        let _ = self.stream.stop(error_code(code));
    }

    fn recv_id(&self) -> StreamId {
        stream_id(self.stream.id())
    }
}

/// What this end sends on a stream.
pub(crate) struct Sending<B: Buf> {
    stream: quinn::SendStream,
    writing: Option<WriteBuf<B>>,
    side: Side,
    /// Waits until the other end has all of it.
    delivery: Option<Delivery>,
}

impl<B: Buf> quic::SendStream<B> for Sending<B> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamFault>> {
        while let Some(data) = self.writing.as_mut().filter(|data| data.has_remaining()) {
            let written = Pin::new(&mut self.stream).poll_write(cx, data.chunk());
            data.advance(ready!(written).map_err(unwritten)?);
        }
        self.writing = None;
        Poll::Ready(Ok(()))
    }

    fn send_data<T: Into<WriteBuf<B>>>(&mut self, data: T) -> Result<(), StreamFault> {
        if self.writing.is_some() {
            let text = "more is to be sent before the last is".to_owned();
            return Err(with_it(ConnectionFault::InternalError(text)));
        }
        self.writing = Some(data.into());
        Ok(())
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamFault>> {
        let Self {
            stream, delivery, ..
        } = self;
        if delivery.is_none() {
            stream
                .finish()
                .map_err(|error| StreamFault::Unknown(error.into()))?;
        }
        if self.side == Side::Client {
            // The answer tells that the request has come.
            return Poll::Ready(Ok(()));
        }
        let delivery = delivery.get_or_insert_with(|| Box::pin(stream.stopped()));
        Poll::Ready(match ready!(delivery.as_mut().poll(cx)) {
            Ok(None) => Ok(()),
            Ok(Some(code)) => Err(StreamFault::StreamTerminated {
                error_code: code.into_inner(),
            }),
            Err(StoppedError::ConnectionLost(error)) => Err(with_it(lost(error))),
            Err(error @ StoppedError::ZeroRttRejected) => Err(StreamFault::Unknown(error.into())),
        })
    }

    fn reset(&mut self, code: u64) {
        // One that has ended needs no reset.
        let _ = self.stream.reset(error_code(code));
    }

    fn send_id(&self) -> StreamId {
        stream_id(self.stream.id())
    }
}

/// A code of HTTP/3 as QUIC takes it.
pub(crate) fn error_code(code: u64) -> VarInt {
    VarInt::from_u64(code).unwrap_or(VarInt::MAX)
}

fn stream_id(id: quinn::StreamId) -> StreamId {
    // QUIC has no larger ones than HTTP/3 (RFC 9000 section 2.1).
    StreamId::try_from(u64::from(id)).unwrap_or_else(|_| h3::proto::varint::VarInt::MAX.into())
}

fn lost(error: ConnectionError) -> ConnectionFault {
    match error {
        ConnectionError::ApplicationClosed(close) => ConnectionFault::ApplicationClose {
            error_code: close.error_code.into_inner(),
        },
        ConnectionError::TimedOut => ConnectionFault::Timeout,
        other => ConnectionFault::Undefined(Arc::new(other)),
    }
}

/// A stream that is lost with its connection.
const fn with_it(connection_error: ConnectionFault) -> StreamFault {
    StreamFault::ConnectionErrorIncoming { connection_error }
}

fn unread(error: ReadError) -> StreamFault {
    match error {
        ReadError::Reset(code) => StreamFault::StreamTerminated {
            error_code: code.into_inner(),
        },
        ReadError::ConnectionLost(error) => with_it(lost(error)),
        other => StreamFault::Unknown(other.into()),
    }
}

fn unwritten(error: WriteError) -> StreamFault {
    match error {
        WriteError::Stopped(code) => StreamFault::StreamTerminated {
            error_code: code.into_inner(),
        },
        WriteError::ConnectionLost(error) => with_it(lost(error)),
        other => StreamFault::Unknown(other.into()),
    }
}
