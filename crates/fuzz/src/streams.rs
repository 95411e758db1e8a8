//! Whole conversations over a socket that misbehaves: a stream, driven through its poll
//! functions, against a connection that is driven by hand.
//!
//! An input is a program. Its first byte chooses libraries, side and version, the next four
//! damage one byte of one flight of the handshake, and what follows are steps.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use stack::{Connection, Endpoint, Offer, StackError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use transport::{Buffers, TlsStream};
use wire::{NamedGroup, ProtocolVersion};

use crate::tls::{STACKS, client_profile, server_profile, stack};

/// Steps of one program; the rest is not looked at.
const MAX_STEPS: usize = 64;
/// Room for what one call of a peer can decrypt: a socket's worth and a record held back.
const PLAINTEXT: usize = 1 << 16;

static CLIENTS: LazyLock<Vec<Box<dyn Endpoint>>> = LazyLock::new(|| {
    endpoints(|name, version| {
        let mut profile = client_profile();
        narrow(&mut profile.offer, version);
        profile.resumes = false;
        stack(name).client(&profile)
    })
});

static SERVERS: LazyLock<Vec<Box<dyn Endpoint>>> = LazyLock::new(|| {
    endpoints(|name, version| {
        let mut profile = server_profile();
        narrow(&mut profile.offer, version);
        stack(name).server(&profile)
    })
});

/// One of each version and library.
fn endpoints(
    make: impl Fn(&str, ProtocolVersion) -> Result<Box<dyn Endpoint>, StackError>,
) -> Vec<Box<dyn Endpoint>> {
    let mut endpoints = Vec::new();
    for version in [ProtocolVersion::Tls13, ProtocolVersion::Tls12] {
        for name in STACKS {
            endpoints.push(make(name, version).expect("a profile of this crate"));
        }
    }
    endpoints
}

/// The cheapest key exchange, since what is looked for lies behind it. In TLS 1.2 the curve
/// of the certificate must be offered as well (RFC 8422 section 5.1).
fn narrow(offer: &mut Offer, version: ProtocolVersion) {
    offer.versions = vec![version];
    offer.groups = vec![NamedGroup::X25519, NamedGroup::SECP256R1];
}

/// What lies between the two: each side's bytes on their way, and how the socket behaves.
#[derive(Debug)]
struct Wire {
    to_stream: VecDeque<u8>,
    to_peer: Vec<u8>,
    /// Bytes that one read gives; with 0, it is not ready.
    read_size: usize,
    /// Bytes that one write takes; with 0, it is not ready.
    write_size: usize,
    has_ended: bool,
}

#[derive(Clone)]
struct Socket(Rc<RefCell<Wire>>);

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut wire = self.0.borrow_mut();
        let count = wire
            .to_stream
            .len()
            .min(wire.read_size)
            .min(buffer.remaining());
        if count == 0 && (!wire.has_ended || !wire.to_stream.is_empty()) {
            return Poll::Pending;
        }
        let bytes: Vec<u8> = wire.to_stream.drain(..count).collect();
        buffer.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut wire = self.0.borrow_mut();
        let count = wire.write_size.min(bytes.len());
        if count == 0 {
            return Poll::Pending;
        }
        wire.to_peer.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Damage to one byte of the handshake.
struct Damage {
    flight: usize,
    place: usize,
    change: u8,
}

impl Damage {
    fn apply(&self, flight: usize, bytes: &mut [u8]) {
        if flight == self.flight && !bytes.is_empty() {
            let place = self.place % bytes.len();
            bytes[place] ^= self.change;
        }
    }
}

pub(crate) fn run(program: &[u8]) {
    let [choice, flight, high, low, change, steps @ ..] = program else {
        return;
    };
    let bit = |bit: u32| usize::from(*choice >> bit & 1);
    let (is_tls12, is_server) = (bit(0) == 1, bit(1) == 1);
    let damage = Damage {
        flight: usize::from(flight % 8),
        place: usize::from(u16::from_be_bytes([*high, *low])),
        change: *change,
    };
    let connection = |all: &[Box<dyn Endpoint>], stack: usize| {
        let endpoint = &all[usize::from(is_tls12) * STACKS.len() + stack];
        endpoint.connection().ok()
    };
    let client = connection(&CLIENTS, bit(2));
    let Some((client, server)) = client.zip(connection(&SERVERS, bit(3))) else {
        return;
    };
    let (own, peer) = if is_server {
        (server, client)
    } else {
        (client, server)
    };
    let Some(mut talk) = handshake(own, peer, is_server, &damage) else {
        return;
    };
    let mut steps = steps.iter().copied();
    for _ in 0..MAX_STEPS {
        let Some((step, size)) = steps.next().zip(steps.next()) else {
            break;
        };
        talk.step(step, size, &mut steps);
    }
}

/// Performs a handshake in which one byte may be damaged. `None` when it failed: with
/// damage, that is as it should be.
fn handshake(
    own: Box<dyn Connection>,
    mut peer: Box<dyn Connection>,
    is_server: bool,
    damage: &Damage,
) -> Option<Talk> {
    let wire = Rc::new(RefCell::new(Wire {
        to_stream: VecDeque::new(),
        to_peer: Vec::new(),
        read_size: usize::MAX,
        write_size: usize::MAX,
        has_ended: false,
    }));
    let mut stream = TlsStream::new(Socket(wire.clone()), own, Buffers::default());
    let mut context = Context::from_waker(Waker::noop());
    let (mut failures, mut flight) = (Vec::new(), 0);
    {
        let mut shaking = pin!(async {
            match is_server {
                true => stream.accept().await,
                false => stream.connect().await,
            }
        });
        // Nobody has more to say than three flights; an alert may follow.
        for _ in 0..8 {
            let polled = shaking.as_mut().poll(&mut context);
            let mut arrived = std::mem::take(&mut wire.borrow_mut().to_peer);
            damage.apply(flight, &mut arrived);
            flight += usize::from(!arrived.is_empty());
            let mut answer = Vec::new();
            if let Err(error) = peer.advance(&arrived, &mut answer) {
                failures.push(error.to_string());
            }
            damage.apply(flight, &mut answer);
            flight += usize::from(!answer.is_empty());
            wire.borrow_mut().to_stream.extend(answer);
            if let Poll::Ready(result) = polled {
                failures.extend(result.err().map(|error| error.to_string()));
                break;
            }
        }
    }
    if peer.is_handshaking() {
        failures.push("the peer is not done".to_owned());
    }
    let is_damaged = damage.flight < flight && damage.change != 0;
    assert!(
        is_damaged || failures.is_empty(),
        "without damage: {failures:?}"
    );
    if !failures.is_empty() {
        return None;
    }
    let talk = Talk {
        stream,
        peer,
        wire,
        plaintext: vec![0; PLAINTEXT],
        to_stream: Pattern::default(),
        to_peer: Pattern::default(),
        is_damaged,
        has_peer_closed: false,
        is_closed: false,
        is_over: false,
    };
    Some(talk)
}

/// Bytes that tell where in the whole they belong.
#[derive(Debug, Default)]
struct Pattern {
    sent: usize,
    received: usize,
}

impl Pattern {
    fn byte(place: usize) -> u8 {
        (place % 251) as u8
    }

    fn send(&mut self, count: usize) -> Vec<u8> {
        let from = self.sent;
        self.sent += count;
        (from..self.sent).map(Self::byte).collect()
    }

    fn receive(&mut self, bytes: &[u8]) {
        for byte in bytes {
            assert_eq!(*byte, Self::byte(self.received), "data out of order");
            self.received += 1;
        }
        assert!(self.received <= self.sent, "data that nobody sent");
    }
}

/// An established conversation.
struct Talk {
    stream: TlsStream<Socket>,
    peer: Box<dyn Connection>,
    wire: Rc<RefCell<Wire>>,
    /// Room for what the peer decrypts.
    plaintext: Vec<u8>,
    to_stream: Pattern,
    to_peer: Pattern,
    /// Whether bytes on the way were changed: then calls may fail, but never give wrong data.
    is_damaged: bool,
    has_peer_closed: bool,
    is_closed: bool,
    /// Whether a side has given up: nothing is expected of it then.
    is_over: bool,
}

impl Talk {
    fn step(&mut self, step: u8, size: u8, more: &mut impl Iterator<Item = u8>) {
        let size = usize::from(size);
        // Up to a little more than a record.
        let length = size * 80;
        match step % 12 {
            0 => self.peer_sends(length),
            1 => self.stream_reads(length),
            2 => self.stream_writes(length),
            3 => self.stream_flushes(false),
            4 => self.stream_flushes(true),
            5 => self.peer_reads(),
            6 => self.wire.borrow_mut().read_size = size,
            7 => self.wire.borrow_mut().write_size = length,
            8 => self.peer_closes(),
            9 => self.wire.borrow_mut().has_ended = true,
            10 => {
                let bytes: Vec<u8> = more.take(size).collect();
                self.is_damaged |= !bytes.is_empty();
                self.wire.borrow_mut().to_stream.extend(bytes);
            }
            _ => {
                let change = more.next().unwrap_or(0);
                if let Some(byte) = self.wire.borrow_mut().to_stream.get_mut(length) {
                    *byte ^= change;
                    self.is_damaged |= change != 0;
                }
            }
        }
    }

    fn peer_sends(&mut self, length: usize) {
        if self.has_peer_closed || self.is_over {
            return;
        }
        let mut output = Vec::new();
        let plaintext = self.to_stream.send(length);
        let sent = self.peer.send(&plaintext, &mut output);
        assert!(sent.is_ok(), "a healthy connection does not send");
        self.wire.borrow_mut().to_stream.extend(output);
    }

    fn peer_closes(&mut self) {
        let mut output = Vec::new();
        self.peer.close(&mut output);
        self.has_peer_closed = true;
        self.wire.borrow_mut().to_stream.extend(output);
    }

    /// What left the stream arrives undamaged: only the other direction is tampered with.
    fn peer_reads(&mut self) {
        let arrived = std::mem::take(&mut self.wire.borrow_mut().to_peer);
        // A close of a peer's own may make its library deaf.
        let mut is_deaf = self.has_peer_closed || self.is_damaged || self.is_over;
        for piece in arrived.chunks(PLAINTEXT / 2) {
            match self.peer.receive(piece, &mut self.plaintext) {
                Ok(count) => self.to_peer.receive(&self.plaintext[..count]),
                Err(error) => {
                    assert!(is_deaf, "what the stream sent is refused: {error}");
                    self.is_over = true;
                    is_deaf = true;
                }
            }
        }
    }

    fn stream_reads(&mut self, length: usize) {
        // rustls 0.23 counts its own close_notify as a fatal alert, and in debug builds
        // panics at an alert after it.
        if self.is_closed && self.is_damaged {
            return;
        }
        let mut memory = vec![0; length];
        let mut buffer = ReadBuf::new(&mut memory);
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.stream).poll_read(&mut context, &mut buffer) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                assert!(
                    length == 0 || self.has_peer_closed,
                    "an end that nobody sent"
                );
                let is_whole = self.to_stream.received == self.to_stream.sent;
                assert!(length == 0 || is_whole, "an end before the end");
            }
            Poll::Ready(Ok(())) => self.to_stream.receive(buffer.filled()),
            Poll::Ready(Err(error)) => {
                let is_cut = error.kind() == io::ErrorKind::UnexpectedEof;
                let may_be_cut = self.wire.borrow().has_ended;
                assert!(
                    self.is_damaged || self.is_over || (is_cut && may_be_cut),
                    "what the peer sent is refused: {error}"
                );
                self.is_over = true;
            }
        }
    }

    fn stream_writes(&mut self, length: usize) {
        let plaintext = self.to_peer.send(length);
        let mut context = Context::from_waker(Waker::noop());
        let written = Pin::new(&mut self.stream).poll_write(&mut context, &plaintext);
        let count = match written {
            Poll::Ready(Ok(count)) => count,
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        };
        self.to_peer.sent -= length - count;
    }

    fn stream_flushes(&mut self, is_last: bool) {
        self.is_closed |= is_last;
        let mut context = Context::from_waker(Waker::noop());
        let stream = Pin::new(&mut self.stream);
        let _ = match is_last {
            true => stream.poll_shutdown(&mut context),
            false => stream.poll_flush(&mut context),
        };
    }
}
