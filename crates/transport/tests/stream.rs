//! Streams over a pipe in memory.
#![allow(clippy::unwrap_used)]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use experiment::{Handshake, Side};
use stack::{Credentials, Endpoint, PhaseTiming, StackError};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::time::timeout;
use transport::{Buffers, TlsStream, TransportError};

const LIMIT: Duration = Duration::from_secs(20);
const HANDSHAKE: &str = "1.3/X25519MLKEM768/ecdsa-p256/full+tickets=2";

fn endpoint(stack: &str, side: Side) -> Box<dyn Endpoint> {
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    let handshake: Handshake = HANDSHAKE.parse().unwrap();
    let credentials = Credentials::for_handshake(&handshake, &cache).unwrap();
    stack::by_name(&stack.parse().unwrap())
        .unwrap()
        .endpoint(side, &handshake, &credentials, PhaseTiming::Off)
        .unwrap()
}

fn stream<S: AsyncRead + AsyncWrite + Unpin>(stack: &str, side: Side, socket: S) -> TlsStream<S> {
    let connection = endpoint(stack, side).connection().unwrap();
    TlsStream::new(socket, connection, Buffers::default())
}

/// A socket that gives only so many bytes at once.
struct InPieces {
    socket: DuplexStream,
    piece: usize,
}

impl AsyncRead for InPieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut piece = vec![0; self.piece.min(buffer.remaining())];
        let mut limited = ReadBuf::new(&mut piece);
        let result = Pin::new(&mut self.socket).poll_read(context, &mut limited);
        buffer.put_slice(limited.filled());
        result
    }
}

impl AsyncWrite for InPieces {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// Whatever pieces the bytes come in, the handshake completes and all data arrives.
#[tokio::test]
async fn data_survives_any_segmentation() {
    let sent: Vec<u8> = (0..40_000_u32).map(|i| i as u8).collect();
    for (client, server) in [("rustls", "openssl"), ("openssl", "rustls")] {
        for piece in [1, 7, 1000, 1 << 20] {
            let (a, b) = duplex(1 << 20);
            let pieces = |socket| InPieces { socket, piece };
            let mut client = stream(client, Side::Client, pieces(a));
            let mut server = stream(server, Side::Server, pieces(b));
            let talk = async {
                let (connected, accepted) = tokio::join!(client.connect(), server.accept());
                connected.unwrap();
                accepted.unwrap();
                let read = async {
                    let mut received = Vec::new();
                    while received.len() < sent.len() {
                        received.extend_from_slice(server.read().await.unwrap());
                    }
                    received
                };
                let (written, received) = tokio::join!(client.write_all(&sent), read);
                written.unwrap();
                assert!(received == sent, "in pieces of {piece}");
            };
            timeout(LIMIT, talk).await.unwrap();
            let (a, b) = (client.negotiated(), server.negotiated());
            assert_eq!((a.group, a.cipher_suite), (b.group, b.cipher_suite));
        }
    }
}

/// A request in the same segment as the client's Finished is not lost in the handshake.
#[tokio::test]
async fn data_right_behind_the_handshake_arrives() {
    for server in ["rustls", "openssl"] {
        let (a, mut client_side) = duplex(1 << 20);
        let (mut server_side, b) = duplex(1 << 20);
        let mut client = stream("rustls", Side::Client, a);
        let mut server = stream(server, Side::Server, b);
        let speak = async {
            client.connect().await.unwrap();
            client.write_all(b"ping").await.unwrap();
        };
        let listen = async {
            server.accept().await.unwrap();
            assert_eq!(server.read().await.unwrap(), b"ping");
        };
        let held_back = async {
            let hellos = async {
                forward(&mut client_side, &mut server_side).await;
                forward(&mut server_side, &mut client_side).await;
            };
            tokio::join!(speak, hellos);
            forward(&mut client_side, &mut server_side).await;
        };
        let both = async { tokio::join!(held_back, listen) };
        timeout(LIMIT, both).await.unwrap();
    }
}

/// Hands over all that is there, at once.
async fn forward(from: &mut DuplexStream, to: &mut DuplexStream) {
    let mut bytes = vec![0; 1 << 16];
    let count = from.read(&mut bytes).await.unwrap();
    to.write_all(&bytes[..count]).await.unwrap();
}

/// The peer learns by an alert why it was given up.
#[tokio::test]
async fn garbage_is_answered_with_an_alert() {
    for stack in ["rustls", "openssl"] {
        let (socket, mut peer) = duplex(1 << 20);
        let mut server = stream(stack, Side::Server, socket);
        // A handshake record of type 2: a ServerHello, which no client may send.
        peer.write_all(&[22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3])
            .await
            .unwrap();
        let error = timeout(LIMIT, server.accept()).await.unwrap().unwrap_err();
        assert!(
            matches!(error, TransportError::Tls(StackError::Peer(_))),
            "{stack}: {error:?}"
        );
        let mut alert = [0; 7];
        timeout(LIMIT, peer.read_exact(&mut alert))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((alert[0], alert[5]), (21, 2), "{stack}: a fatal alert");
    }
}

#[tokio::test]
async fn a_peer_that_leaves_is_told_from_one_that_is_wrong() {
    let (socket, peer) = duplex(1 << 20);
    let mut client = stream("rustls", Side::Client, socket);
    drop(peer);
    let error = timeout(LIMIT, client.connect()).await.unwrap().unwrap_err();
    assert!(matches!(error, TransportError::Closed), "{error:?}");
}
