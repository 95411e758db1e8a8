//! One connection to an endpoint, until TLS, or what stands in its place, may begin.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use audit::{Answer, Cause, Protocol, Refusal, Target, Unknown};
use futures_util::{StreamExt, stream};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::pace::{HostPace, Leave};
use crate::starttls;

/// Opens connections to one address of one target, one by one or several at once.
pub(crate) struct Dialer {
    pub(crate) target: Target,
    pub(crate) address: SocketAddr,
    /// The name for SNI, where the target is a name.
    pub(crate) server_name: Option<String>,
    /// For all of one connection.
    pub(crate) limit: Duration,
    pub(crate) pace: HostPace,
    pub(crate) probes: AtomicU32,
    /// Questions that are asked at once.
    pub(crate) at_once: usize,
}

/// An open connection.
pub(crate) struct Dialed {
    pub(crate) socket: TcpStream,
    /// When all of it must be done.
    pub(crate) deadline: Instant,
    _leave: Leave,
}

/// Why there is no connection to ask on.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The peer said no before TLS began: it does not have STARTTLS, for one.
    Refused(Refusal),
    /// Nothing is known.
    Unknown(Unknown),
}

impl Stopped {
    pub(crate) fn unknown(cause: Cause, detail: impl Into<String>) -> Self {
        Self::Unknown(Unknown {
            cause,
            detail: detail.into(),
        })
    }

    /// For what can be nothing else than not known.
    pub(crate) fn into_unknown(self) -> Unknown {
        match self {
            Self::Unknown(unknown) => unknown,
            Self::Refused(refusal) => Unknown {
                cause: Cause::NotAsked,
                detail: format!("the peer does not begin: {}", refusal.said),
            },
        }
    }

    pub(crate) fn answer<T>(self) -> Answer<T> {
        match self {
            Self::Refused(refusal) => Answer::Refused(refusal),
            Self::Unknown(unknown) => Answer::Unknown(unknown),
        }
    }
}

impl Dialer {
    /// Asks several things, as many at once as the host is given, and keeps their order.
    pub(crate) async fn each<T, F: Future>(
        &self,
        things: impl IntoIterator<Item = T>,
        ask: impl FnMut(T) -> F,
    ) -> Vec<F::Output> {
        let questions: Vec<F> = things.into_iter().map(ask).collect();
        let questions = stream::iter(questions);
        questions.buffered(self.at_once).collect().await
    }

    /// A connection over which a ClientHello (or SSH's identification) can be sent.
    pub(crate) async fn dial(&self) -> Result<Dialed, Stopped> {
        let leave = self.pace.leave().await;
        self.probes.fetch_add(1, Ordering::Relaxed);
        // The time runs from here: who waits for its turn has not asked yet.
        let deadline = Instant::now() + self.limit;
        let socket = match timeout_at(deadline, TcpStream::connect(self.address)).await {
            Err(_) => {
                return Err(Stopped::unknown(
                    Cause::Timeout,
                    self.too_slow("connecting"),
                ));
            }
            Ok(Err(error)) => return Err(Stopped::unknown(Cause::Connect, error.to_string())),
            Ok(Ok(socket)) => socket,
        };
        let mut dialed = Dialed {
            socket,
            deadline,
            _leave: leave,
        };
        if !matches!(self.target.protocol, Protocol::Tls | Protocol::Ssh) {
            starttls::upgrade(self.target.protocol, &mut dialed).await?;
        }
        Ok(dialed)
    }

    fn too_slow(&self, what: &str) -> String {
        format!("{what} took more than {:?}", self.limit)
    }
}

/// What a read brought.
pub(crate) enum Came {
    Bytes(usize),
    /// The peer has closed its side.
    End,
}

impl Dialed {
    /// Reads once, at the end of `buffer`, `most` bytes at most.
    pub(crate) async fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        most: usize,
    ) -> Result<Came, Stopped> {
        let mut socket = (&mut self.socket).take(most as u64);
        match timeout_at(self.deadline, socket.read_buf(buffer)).await {
            Err(_) => {
                let detail = match buffer.len() {
                    0 => "no answer".to_owned(),
                    some => format!("the answer stops after {some} bytes"),
                };
                Err(Stopped::unknown(Cause::Timeout, detail))
            }
            Ok(Ok(0)) => Ok(Came::End),
            Ok(Ok(count)) => Ok(Came::Bytes(count)),
            Ok(Err(error)) => Err(broken(&error)),
        }
    }

    /// Each write from here on leaves as a segment of its own, not joined or held by the kernel.
    /// Where every write waits for the answer to the last one, that is so by itself.
    pub(crate) fn write_at_once(&self) -> Result<(), Stopped> {
        self.socket
            .set_nodelay(true)
            .map_err(|error| broken(&error))
    }

    /// Ends the connection by a reset: what more the peer may have to say is of no use, and
    /// neither side has to remember the connection.
    pub(crate) fn drop_at_once(self) {
        // Where it can't be, the connection ends as any other.
        let _ = socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
    }

    /// Writes all of it.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        use tokio::io::AsyncWriteExt;
        match timeout_at(self.deadline, self.socket.write_all(bytes)).await {
            Err(_) => Err(Stopped::unknown(Cause::Timeout, "the peer takes no bytes")),
            Ok(Err(error)) => Err(broken(&error)),
            Ok(Ok(())) => Ok(()),
        }
    }
}

fn broken(error: &std::io::Error) -> Stopped {
    let cause = match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Cause::Reset,
        _ => Cause::Connect,
    };
    Stopped::unknown(cause, error.to_string())
}
