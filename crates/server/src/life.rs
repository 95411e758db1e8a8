//! What goes on in one connection beside its requests.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

use crate::Event;

/// What a connection becomes that leaves HTTP; it says how it ended.
pub(crate) type Upgrade = Pin<Box<dyn Future<Output = Event> + Send>>;

/// Requests under way, and what is to follow them.
pub(crate) struct Life(Mutex<State>);

struct State {
    requests: usize,
    last: Instant,
    upgrade: Option<Upgrade>,
}

impl Default for Life {
    fn default() -> Self {
        Self(Mutex::new(State {
            requests: 0,
            last: Instant::now(),
            upgrade: None,
        }))
    }
}

impl Life {
    /// A request is under way until the guard is dropped.
    pub(crate) fn begin_request(&self) -> impl Drop + use<'_> {
        self.state().requests += 1;
        Busy(self)
    }

    /// Ends once there was no request for a time.
    pub(crate) async fn idle_for(&self, limit: Duration) {
        loop {
            let deadline = {
                let state = self.state();
                let since = if state.requests > 0 {
                    Instant::now()
                } else {
                    state.last
                };
                since + limit
            };
            if deadline <= Instant::now() {
                return;
            }
            sleep_until(deadline).await;
        }
    }

    /// Has `upgrade` follow once HTTP has ended.
    pub(crate) fn follow_with(&self, upgrade: Upgrade) {
        self.state().upgrade = Some(upgrade);
    }

    pub(crate) fn take_upgrade(&self) -> Option<Upgrade> {
        self.state().upgrade.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Busy<'l>(&'l Life);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        state.last = Instant::now();
    }
}

/// A stream of messages that tell their own length, as HTTP requests do (RFC 9112 section
/// 6.3): clients that leave without close_notify between two of them cut nothing off.
pub(crate) struct SelfDelimited<S>(pub(crate) S);

impl<S: AsyncRead + Unpin> AsyncRead for SelfDelimited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.0).poll_read(context, buffer) {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Poll::Ready(Ok(()))
            }
            polled => polled,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for SelfDelimited<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
