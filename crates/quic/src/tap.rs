//! A UDP socket that notes what passes through it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
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

use crate::observation::{Observation, Observer, SMALLEST_INITIAL};
use crate::packet::{PacketKind, Packets};

/// The socket of an endpoint. It follows the handshake with each peer until it is asked for
/// what it saw.
pub(crate) struct Tap {
    inner: Arc<dyn AsyncUdpSocket>,
    side: Side,
    peers: Mutex<Peers>,
}

/// How much a tap remembers: everyone can send to a socket, from addresses that are not theirs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TapLimits {
    /// Peers at a time, one at least; the oldest makes way for one that comes beyond.
    pub(crate) peers: usize,
    /// When a handshake that came to nothing may be forgotten.
    pub(crate) age: Duration,
}

/// The handshakes that are followed. A step costs the same however many there are, so that a
/// flood of first datagrams is no lever.
struct Peers {
    limits: TapLimits,
    known: HashMap<SocketAddr, Peer>,
    /// Who came when, the oldest first. Peers that were taken since stand here still.
    arrivals: VecDeque<Arrival>,
    /// How many have come.
    count: u64,
}

struct Peer {
    number: u64,
    observer: Observer,
}

struct Arrival {
    at: Instant,
    number: u64,
    peer: SocketAddr,
}

/// Arrivals that are kept for each peer that may be known: more than one, so that a slow
/// handshake is not forgotten because many fast ones were done meanwhile.
const ARRIVALS_PER_PEER: usize = 8;

impl Peers {
    fn new(limits: TapLimits) -> Self {
        Self {
            limits,
            known: HashMap::new(),
            arrivals: VecDeque::new(),
            count: 0,
        }
    }

    fn note(&mut self, sender: Side, address: SocketAddr, datagram: &[u8]) {
        if let Some(peer) = self.known.get_mut(&address) {
            peer.observer.note(sender, datagram);
        } else if sender == Side::Client && begins(datagram) {
            self.add(address).note(sender, datagram);
        }
    }

    fn add(&mut self, address: SocketAddr) -> &mut Observer {
        self.make_room();
        self.count += 1;
        let number = self.count;
        self.arrivals.push_back(Arrival {
            at: Instant::now(),
            number,
            peer: address,
        });
        let peer = Peer {
            number,
            observer: Observer::default(),
        };
        &mut self
            .known
            .entry(address)
            .insert_entry(peer)
            .into_mut()
            .observer
    }

    /// Forgets the oldest. Each that comes goes once, so that this takes constant time on
    /// average.
    fn make_room(&mut self) {
        let TapLimits { peers, age } = self.limits;
        while let Some(oldest) = self.arrivals.front()
            && (self.known.len() >= peers.max(1)
                || self.arrivals.len() >= ARRIVALS_PER_PEER * peers.max(1)
                || oldest.at.elapsed() >= age)
        {
            let (number, address) = (oldest.number, oldest.peer);
            self.arrivals.pop_front();
            if self
                .known
                .get(&address)
                .is_some_and(|peer| peer.number == number)
            {
                self.known.remove(&address);
            }
        }
    }

    fn take(&mut self, address: SocketAddr) -> Option<Observer> {
        Some(self.known.remove(&address)?.observer)
    }

    /// Forgets a connection, but not another one of its address.
    fn forget(&mut self, address: SocketAddr, connection_id: &[u8]) {
        if let Entry::Occupied(peer) = self.known.entry(address)
            && peer.get().observer.original_destination() == connection_id
        {
            peer.remove();
        }
    }
}

impl Tap {
    /// Wraps a socket of the current tokio runtime. `side` is the one that has it.
    pub(crate) fn new(socket: UdpSocket, side: Side, limits: TapLimits) -> io::Result<Self> {
        Ok(Self {
            inner: TokioRuntime.wrap_udp_socket(socket)?,
            side,
            peers: Mutex::new(Peers::new(limits)),
        })
    }

    /// What was seen so far of the connection with a peer.
    pub(crate) fn observation(&self, peer: SocketAddr) -> Option<Observation> {
        Some(self.peers().known.get(&peer)?.observer.observation())
    }

    /// The same, and the end of following it. `None` as well where it is of another
    /// connection than the one that the client began with this connection ID.
    pub(crate) fn take(&self, peer: SocketAddr, connection_id: &[u8]) -> Option<Observation> {
        let observer = self.peers().take(peer)?;
        let is_meant = observer.original_destination() == connection_id;
        is_meant.then(|| observer.observation())
    }

    /// Ends following a connection that is not wanted: the one that the peer began with this
    /// connection ID.
    pub(crate) fn forget(&self, peer: SocketAddr, connection_id: &[u8]) {
        self.peers().forget(peer, connection_id);
    }

    fn peers(&self) -> MutexGuard<'_, Peers> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a connection may begin with this datagram.
fn begins(datagram: &[u8]) -> bool {
    if (datagram.len() as u64) < SMALLEST_INITIAL {
        return false;
    }
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
        for datagram in sent.chunks(size.max(1)) {
            peers.note(self.side, peer, datagram);
        }
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
            for datagram in received.chunks(meta.stride.max(1)) {
                peers.note(self.side.peer(), meta.addr, datagram);
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initial::tests::bytes;

    const LIMITS: TapLimits = TapLimits {
        peers: 4,
        age: Duration::from_secs(3600),
    };

    fn initial() -> Vec<u8> {
        bytes(include_str!("../tests/vectors/rfc9001-client-initial.hex"))
    }

    fn client(number: u16) -> SocketAddr {
        ([192, 0, 2, 1], number).into()
    }

    /// Every step keeps to the bounds, whether peers stay, are taken, or come again.
    #[test]
    fn a_flood_is_held_within_the_bounds() {
        let datagram = initial();
        let mut peers = Peers::new(LIMITS);
        for number in 0..1000 {
            peers.note(Side::Client, client(number), &datagram);
            assert!(peers.known.len() <= LIMITS.peers);
            assert!(peers.arrivals.len() <= ARRIVALS_PER_PEER * LIMITS.peers);
            assert!(
                peers.known.contains_key(&client(number)),
                "the newest is followed"
            );
            if number % 3 == 0 {
                peers.take(client(number));
                peers.note(Side::Client, client(number % 5), &datagram);
            }
        }
    }

    #[test]
    fn a_slow_handshake_outlasts_fast_ones() {
        let datagram = initial();
        let mut peers = Peers::new(LIMITS);
        peers.note(Side::Client, client(1), &datagram);
        for number in 2..20 {
            peers.note(Side::Client, client(number), &datagram);
            assert!(peers.take(client(number)).is_some());
        }
        assert!(peers.take(client(1)).is_some());
    }

    /// An arrival that is forgotten must not take a later connection of its address along.
    #[test]
    fn a_peer_that_comes_again_is_another_one() {
        let datagram = initial();
        let mut peers = Peers::new(LIMITS);
        peers.note(Side::Client, client(1), &datagram);
        peers.take(client(1));
        for number in [2, 3, 1] {
            peers.note(Side::Client, client(number), &datagram);
        }
        peers.limits.peers = 3;
        peers.note(Side::Client, client(4), &datagram);
        assert!(peers.known.contains_key(&client(1)));
        assert!(!peers.known.contains_key(&client(2)));
    }

    #[test]
    fn a_refused_connection_takes_no_other_of_its_address_along() {
        // What the client of RFC 9001 appendix A sends to.
        let connection_id = bytes("8394c8f03e515708");
        let mut peers = Peers::new(LIMITS);
        peers.note(Side::Client, client(1), &initial());
        peers.forget(client(1), &[7; 8]);
        assert!(peers.known.contains_key(&client(1)));
        peers.forget(client(1), &connection_id);
        assert!(peers.known.is_empty());
    }

    #[test]
    fn what_came_to_nothing_is_forgotten_in_time() {
        let datagram = initial();
        let mut peers = Peers::new(LIMITS);
        for number in 1..4 {
            peers.note(Side::Client, client(number), &datagram);
        }
        peers.limits.age = Duration::ZERO;
        peers.note(Side::Client, client(4), &datagram);
        assert_eq!(peers.known.len(), 1);
        assert_eq!(peers.arrivals.len(), 1);
    }

    #[test]
    fn nothing_begins_with_less_than_a_padded_initial() {
        let mut peers = Peers::new(LIMITS);
        let datagram = initial();
        for begin in [&datagram[..1199], &[0x40; 1200], &[0xe0; 1200], &[]] {
            peers.note(Side::Client, client(1), begin);
        }
        // The server's answer to nobody.
        peers.note(Side::Server, client(1), &datagram);
        assert!(peers.known.is_empty() && peers.arrivals.is_empty());
    }
}
