//! A TCP server that does to each connection what a test says, and the messages that it needs
//! for that.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use wire::{ClientHello, NamedGroup, handshake_records, plaintext_messages};

pub(crate) const X25519: NamedGroup = NamedGroup::X25519;
pub(crate) const HYBRID: NamedGroup = NamedGroup::X25519MLKEM768;

/// Starts a server on `127.0.0.1`; `script` gets each connection and its number from 0.
pub(crate) fn serve(script: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> SocketAddr {
    serve_on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
}

pub(crate) fn serve_on(
    listener: TcpListener,
    script: impl Fn(TcpStream, usize) + Send + Sync + 'static,
) -> SocketAddr {
    let address = listener.local_addr().unwrap();
    let (script, count) = (Arc::new(script), AtomicUsize::new(0));
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (socket, script) = (socket.unwrap(), Arc::clone(&script));
            let number = count.fetch_add(1, Ordering::SeqCst);
            socket.set_nodelay(true).unwrap();
            let limit = Some(Duration::from_secs(20));
            socket.set_read_timeout(limit).unwrap();
            std::thread::spawn(move || script(socket, number));
        }
    });
    address
}

/// A ClientHello that has come.
#[derive(Debug, Clone)]
pub(crate) struct Hello {
    pub(crate) offer: ClientHello,
    /// The legacy session id, which an answer echoes.
    session_id: Vec<u8>,
    /// All its bytes, record headers included.
    pub(crate) length: usize,
    pub(crate) body: Vec<u8>,
}

impl Hello {
    /// Reads one whole; `None` where the client leaves first.
    pub(crate) fn read(socket: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let count = socket.read(&mut buffer).ok().filter(|count| *count > 0)?;
            bytes.extend(&buffer[..count]);
            if let Some(hello) = Self::parse(&bytes) {
                return Some(hello);
            }
        }
    }

    /// The same, and leaves it unread.
    pub(crate) fn peek(socket: &TcpStream) -> Option<Self> {
        let mut buffer = [0; 16 << 10];
        loop {
            let count = socket.peek(&mut buffer).ok().filter(|count| *count > 0)?;
            if let Some(hello) = Self::parse(&buffer[..count]) {
                return Some(hello);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let messages = plaintext_messages(bytes).ok()?;
        let body = &messages.first()?.body;
        // After the version and the random.
        let length = usize::from(*body.get(34)?);
        Some(Self {
            offer: ClientHello::parse(body).ok()?,
            session_id: body.get(35..35 + length)?.to_vec(),
            length: bytes.len(),
            body: body.clone(),
        })
    }

    /// Whether it is the first hello of a scan: the only one with all groups and no share that
    /// names both versions.
    pub(crate) fn is_control(&self) -> bool {
        self.offer.versions == [0x0304, 0x0303]
            && self.offer.key_shares.is_empty()
            && self.offer.groups.len() > 15
    }

    /// A HelloRetryRequest for a group, whole message.
    pub(crate) fn retry_request(&self, group: NamedGroup) -> Vec<u8> {
        let [high, low] = group.0.to_be_bytes();
        let suite = self.tls13_suite();
        let extensions = [&TLS13[..], &[0, 51, 0, 2, high, low]].concat();
        self.server_hello(&RETRY_RANDOM, 0x0303, suite, &extensions)
    }

    /// A ServerHello with all that a test wants, whole message.
    pub(crate) fn server_hello(
        &self,
        random: &[u8; 32],
        version: u16,
        suite: u16,
        extensions: &[u8],
    ) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend(random);
        body.push(self.session_id.len().try_into().unwrap());
        body.extend(&self.session_id);
        body.extend(suite.to_be_bytes());
        body.push(0);
        body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
        body.extend(extensions);
        message(2, &body)
    }

    /// The first suite of TLS 1.3 on offer, or one that is not.
    pub(crate) fn tls13_suite(&self) -> u16 {
        let mut suites = self.offer.cipher_suites.iter().map(|suite| suite.0);
        suites.find(|suite| suite >> 8 == 0x13).unwrap_or(0x1301)
    }

    /// What an honest server with these groups answers, whole records: it asks for its favourite
    /// if that can be, even where it has the share already.
    pub(crate) fn honest(&self, groups: &[NamedGroup]) -> Vec<u8> {
        let has = |group: &&NamedGroup| self.offer.groups.contains(group);
        let has_share = |group: NamedGroup| {
            let mut shares = self.offer.key_shares.iter();
            shares.any(|share| share.group == group)
        };
        match groups.iter().find(has) {
            Some(group) if self.offer.versions.contains(&0x0304) => {
                let message = match has_share(*group) {
                    true => self.with_share(*group),
                    false => self.retry_request(*group),
                };
                records(&message)
            }
            _ => alert(2, 40).to_vec(),
        }
    }

    /// A ServerHello with a share of this group: of its length, and of no worth.
    pub(crate) fn with_share(&self, group: NamedGroup) -> Vec<u8> {
        let length = group.facts().map_or(32, |facts| facts.server_share);
        let mut extensions = TLS13.to_vec();
        extensions.extend([0, 51]);
        extensions.extend((length + 4).to_be_bytes());
        extensions.extend(group.0.to_be_bytes());
        extensions.extend(length.to_be_bytes());
        extensions.extend(vec![9; usize::from(length)]);
        self.server_hello(&[7; 32], 0x0303, self.tls13_suite(), &extensions)
    }
}

/// `supported_versions` of a ServerHello of TLS 1.3.
pub(crate) const TLS13: [u8; 6] = [0, 43, 0, 2, 3, 4];

/// SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3).
pub(crate) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A handshake message.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    message[0] = kind;
    message.extend(body);
    message
}

pub(crate) fn records(message: &[u8]) -> Vec<u8> {
    handshake_records(message, 0x0303, 1 << 14)
}

pub(crate) const fn alert(level: u8, description: u8) -> [u8; 7] {
    [21, 3, 3, 0, 2, level, description]
}

/// Writes, and waits until the client is gone: to close first might take back what was sent.
pub(crate) fn finish(mut socket: TcpStream, bytes: &[u8]) {
    if socket.write_all(bytes).is_ok() {
        wait_for_end(socket);
    }
}

pub(crate) fn wait_for_end(mut socket: TcpStream) {
    let mut buffer = [0; 4096];
    while socket.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

/// Ends a connection whose hello was only peeked at: with a reset, since what has come, and is
/// not read, is thrown at its sender.
pub(crate) fn reset(socket: TcpStream) {
    drop(socket);
}

/// Ends a connection whose hello was only peeked at, in good order.
pub(crate) fn close(mut socket: TcpStream, hello: &Hello) {
    let _ = socket.read_exact(&mut vec![0; hello.length]);
}

/// Sends the same again and again until nobody takes it; tells how many bytes were taken.
pub(crate) fn send_endlessly(mut socket: TcpStream, begin: &[u8], piece: &[u8]) -> usize {
    socket
        .set_write_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let piece = piece.repeat(8192 / piece.len().max(1) + 1);
    let mut sent = 0;
    if socket.write_all(begin).is_err() {
        return sent;
    }
    while let Ok(count) = socket.write(&piece) {
        sent += count;
        // Far above what the kernel's buffers hold.
        if sent > 1 << 28 {
            break;
        }
    }
    sent
}
