//! A UDP socket that notes what passes through it.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use experiment::Side;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Runtime, TokioRuntime, UdpPoller};

use crate::observation::{Observation, Observer};
use crate::packet::{PacketKind, Packets};

/// The socket of an endpoint. It follows the handshake with each peer until it is asked for
/// what it saw.
pub(crate) struct Tap {
    inner: Arc<dyn AsyncUdpSocket>,
    side: Side,
    limits: TapLimits,
    peers: Mutex<HashMap<SocketAddr, Peer>>,
}

/// How much a tap remembers: everyone can send to a socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TapLimits {
    /// Peers at a time; those that come beyond are not observed.
    pub(crate) peers: usize,
    /// When a handshake that came to nothing is forgotten.
    pub(crate) age: Duration,
}

struct Peer {
    since: Instant,
    observer: Observer,
}

impl Tap {
    /// Wraps a socket of the current tokio runtime. `side` is the one that has it.
    pub(crate) fn new(socket: UdpSocket, side: Side, limits: TapLimits) -> io::Result<Self> {
        Ok(Self {
            inner: TokioRuntime.wrap_udp_socket(socket)?,
            side,
            limits,
            peers: Mutex::default(),
        })
    }

    /// What was seen so far of the connection with a peer.
    pub(crate) fn observation(&self, peer: SocketAddr) -> Option<Observation> {
        Some(self.peers().get(&peer)?.observer.observation())
    }

    /// The same, and the end of following it. `None` as well where it is of another
    /// connection than the one that the client began with this connection ID.
    pub(crate) fn take(&self, peer: SocketAddr, connection_id: &[u8]) -> Option<Observation> {
        let observer = self.peers().remove(&peer)?.observer;
        let is_meant = observer.original_destination() == connection_id;
        is_meant.then(|| observer.observation())
    }

    fn peers(&self) -> MutexGuard<'_, HashMap<SocketAddr, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(
        &self,
        peers: &mut HashMap<SocketAddr, Peer>,
        sender: Side,
        peer: SocketAddr,
        datagrams: &[u8],
        size: usize,
    ) {
        for datagram in datagrams.chunks(size.max(1)) {
            if let Some(peer) = peers.get_mut(&peer) {
                peer.observer.note(sender, datagram);
            } else if sender == Side::Client && begins(datagram) {
                if peers.len() >= self.limits.peers {
                    peers.retain(|_, peer| peer.since.elapsed() < self.limits.age);
                }
                if peers.len() < self.limits.peers {
                    let mut observer = Observer::default();
                    observer.note(sender, datagram);
                    let since = Instant::now();
                    peers.insert(peer, Peer { since, observer });
                }
            }
        }
    }
}

/// Whether a connection may begin with this datagram.
fn begins(datagram: &[u8]) -> bool {
    let first = Packets::new(datagram).next();
    first.is_some_and(|first| first.is_ok_and(|packet| packet.kind == PacketKind::Initial))
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap")
            .field("inner", &self.inner)
            .field("side", &self.side)
            .finish_non_exhaustive()
    }
}

impl AsyncUdpSocket for Tap {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        self.inner.clone().create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let size = transmit.segment_size.unwrap_or(transmit.contents.len());
        // Held while sending: the answer may be received on another thread before this one
        // goes on, and must be noted after the question.
        let mut peers = self.peers();
        self.inner.try_send(transmit)?;
        let (peer, sent) = (transmit.destination, transmit.contents);
        self.note(&mut peers, self.side, peer, sent, size);
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(self.inner.poll_recv(cx, buffers, meta))?;
        let mut peers = self.peers();
        for (buffer, meta) in buffers.iter().zip(&meta[..count]) {
            let received = &buffer[..meta.len.min(buffer.len())];
            let sender = self.side.peer();
            self.note(&mut peers, sender, meta.addr, received, meta.stride);
        }
        Poll::Ready(Ok(count))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.inner.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.inner.may_fragment()
    }
}
