//! The program behind the proxy.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Authority;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use stack::Endpoint;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;
use transport::{Buffers, TlsStream};

use crate::Event;
use crate::https::Stream;

/// Where requests or bytes go: over plain TCP, or over TLS of its own.
#[derive(Clone)]
pub struct Backend {
    authority: Authority,
    endpoint: Option<Arc<dyn Endpoint>>,
    limit: Duration,
}

impl Backend {
    /// A backend that speaks plaintext. `limit` is for connecting to it.
    pub const fn plaintext(authority: Authority, limit: Duration) -> Self {
        Self {
            authority,
            endpoint: None,
            limit,
        }
    }

    /// A backend that speaks TLS, as the endpoint of a client is set up for. `limit` is for
    /// connecting to it, handshake included.
    pub const fn tls(authority: Authority, endpoint: Arc<dyn Endpoint>, limit: Duration) -> Self {
        Self {
            authority,
            endpoint: Some(endpoint),
            limit,
        }
    }

    pub(super) fn authority(&self) -> Authority {
        self.authority.clone()
    }

    /// Carries bytes both ways until both sides have closed. Where a side is cut off, the
    /// backend is told by a reset: an orderly end would pass for the whole.
    ///
    /// # Errors
    /// When the backend can't be reached.
    pub(crate) async fn tunnel(&self, mut client: Stream) -> io::Result<Event> {
        let mut backend = self.connect().await?;
        let copied = match &mut backend {
            Conversation::Plaintext(socket) => copy_bidirectional(&mut client, socket).await,
            Conversation::Tls(stream) => copy_bidirectional(&mut client, &mut **stream).await,
        };
        if copied.is_err() {
            let socket = match &backend {
                Conversation::Plaintext(socket) => socket,
                Conversation::Tls(stream) => stream.socket(),
            };
            // Where that fails, it is gone already.
            let _ = socket.set_zero_linger();
        }
        Ok(event_of(copied))
    }

    async fn connect(&self) -> io::Result<Conversation> {
        timeout(self.limit, self.converse())
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn converse(&self) -> io::Result<Conversation> {
        let default = if self.endpoint.is_some() { 443 } else { 80 };
        let port = self.authority.port_u16().unwrap_or(default);
        let host = self.authority.host().trim_matches(['[', ']']);
        let socket = TcpStream::connect((host, port)).await?;
        socket.set_nodelay(true)?;
        let Some(endpoint) = &self.endpoint else {
            return Ok(Conversation::Plaintext(socket));
        };
        let connection = endpoint.connection().map_err(io::Error::other)?;
        let mut stream = TlsStream::new(socket, connection, Buffers::default());
        stream.connect().await.map_err(io::Error::other)?;
        Ok(Conversation::Tls(Box::new(stream)))
    }
}

/// What the end of copying both ways counts as.
pub(super) fn event_of(copied: io::Result<(u64, u64)>) -> Event {
    match copied.map_err(|error| error.kind()) {
        Ok(_) => Event::Closed,
        Err(io::ErrorKind::TimedOut) => Event::IdleTimeout,
        Err(io::ErrorKind::InvalidData) => Event::PeerFault,
        Err(_) => Event::ClosedEarly,
    }
}

/// For the pool of connections that HTTP keeps.
impl Service<Uri> for Backend {
    type Response = PooledConversation;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<PooledConversation>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The address is always the same one; the URI only names it.
    fn call(&mut self, _: Uri) -> Self::Future {
        let backend = self.clone();
        Box::pin(async move {
            Ok(PooledConversation(match backend.connect().await? {
                Conversation::Plaintext(socket) => Either::Plaintext(TokioIo::new(socket)),
                Conversation::Tls(stream) => Either::Tls(TokioIo::new(stream)),
            }))
        })
    }
}

enum Conversation {
    Plaintext(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection to the backend as HTTP wants it.
pub struct PooledConversation(Either);

enum Either {
    Plaintext(TokioIo<TcpStream>),
    Tls(TokioIo<Box<TlsStream<TcpStream>>>),
}

impl Connection for PooledConversation {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for PooledConversation {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Either::Plaintext(io) => Pin::new(io).poll_read(context, buffer),
            Either::Tls(io) => Pin::new(io).poll_read(context, buffer),
        }
    }
}

impl Write for PooledConversation {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            Either::Plaintext(io) => Pin::new(io).poll_write(context, bytes),
            Either::Tls(io) => Pin::new(io).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Either::Plaintext(io) => Pin::new(io).poll_flush(context),
            Either::Tls(io) => Pin::new(io).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Either::Plaintext(io) => Pin::new(io).poll_shutdown(context),
            Either::Tls(io) => Pin::new(io).poll_shutdown(context),
        }
    }
}
