//! A client and a server of HTTP/3 that send what they are told, right or wrong.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{Connection, Endpoint, RecvStream, SendStream, VarInt};
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::common::LIMIT;

const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;
pub(crate) const DATA: u8 = 0;
/// The type of a control stream, and no settings.
const SETTINGS: &[u8] = &[0, 4, 0];

pub(crate) struct Raw {
    pub(crate) connection: Connection,
    /// What the server says of the connection.
    control: RecvStream,
    _endpoint: Endpoint,
    _settings: SendStream,
}

impl Raw {
    pub(crate) async fn connect(server: SocketAddr, mut tls: rustls::ClientConfig) -> Self {
        tls.alpn_protocols = vec![quic::HTTP3.to_vec()];
        let suite = TLS13_AES_128_GCM_SHA256.tls13().unwrap().quic_suite();
        let crypto = QuicClientConfig::with_initial(tls.into(), suite.unwrap()).unwrap();
        let endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let config = quinn::ClientConfig::new(Arc::new(crypto));
        let connecting = endpoint.connect_with(config, server, pki::SERVER_NAME);
        let connection = timeout(LIMIT, connecting.unwrap()).await.unwrap().unwrap();
        let mut settings = connection.open_uni().await.unwrap();
        settings.write_all(SETTINGS).await.unwrap();
        // Control, and two of QPACK.
        let control = loop {
            let mut stream = connection.accept_uni().await.unwrap();
            let mut kind = [9];
            stream.read_exact(&mut kind).await.unwrap();
            if kind == [0] {
                break stream;
            }
        };
        Self {
            connection,
            control,
            _endpoint: endpoint,
            _settings: settings,
        }
    }

    /// Sends bytes on a stream of its own, and goes on if there is more to come.
    pub(crate) async fn send(&self, bytes: &[u8]) -> (SendStream, RecvStream) {
        let (mut send, receive) = self.connection.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        (send, receive)
    }

    /// A request without content, and all of the answer.
    pub(crate) async fn ask(&self, path: &str) -> Vec<u8> {
        let (mut send, mut receive) = self.send(&get(path)).await;
        send.finish().unwrap();
        let answer = timeout(LIMIT, receive.read_to_end(1 << 20)).await;
        answer.unwrap().unwrap()
    }

    /// Waits for GOAWAY, and gives the first stream that is not served any more.
    pub(crate) async fn goaway(&mut self) -> u8 {
        let frames = async {
            loop {
                let mut head = [0; 2];
                self.control.read_exact(&mut head).await.unwrap();
                let mut payload = vec![0; usize::from(head[1])];
                self.control.read_exact(&mut payload).await.unwrap();
                if head[0] == GOAWAY {
                    return payload[0];
                }
            }
        };
        timeout(LIMIT, frames).await.unwrap()
    }

    /// With which code the server closes the connection.
    pub(crate) async fn closed(&self) -> u64 {
        code(timeout(LIMIT, self.connection.closed()).await.unwrap())
    }
}

fn code(end: quinn::ConnectionError) -> u64 {
    match end {
        quinn::ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
        other => panic!("{other}"),
    }
}

/// A server that answers one request with these bytes, and gives with which code the client
/// closes the connection.
pub(crate) fn answer_with(
    mut tls: rustls::ServerConfig,
    answer: Vec<u8>,
) -> (SocketAddr, JoinHandle<u64>) {
    tls.alpn_protocols = vec![quic::HTTP3.to_vec()];
    let suite = TLS13_AES_128_GCM_SHA256.tls13().unwrap().quic_suite();
    let crypto = QuicServerConfig::with_initial(tls.into(), suite.unwrap()).unwrap();
    let config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    let endpoint = Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = endpoint.local_addr().unwrap();
    let served = async move {
        let connection = endpoint.accept().await.unwrap().await.unwrap();
        let mut settings = connection.open_uni().await.unwrap();
        settings.write_all(SETTINGS).await.unwrap();
        let (mut send, _receive) = connection.accept_bi().await.unwrap();
        send.write_all(&answer).await.unwrap();
        code(connection.closed().await)
    };
    (address, tokio::spawn(served))
}

/// Sends a piece again and again until the server stops the stream, and gives its code.
pub(crate) async fn pump(send: &mut SendStream, piece: &[u8], sent: &mut usize) -> VarInt {
    let stopped = send.stopped();
    let write = async {
        loop {
            // Only `stopped` tells for sure: quinn does not wake who waits for the window of
            // the connection on a stream that is stopped.
            if send.write_all(piece).await.is_err() {
                std::future::pending::<()>().await;
            }
            *sent += piece.len();
        }
    };
    let code = async {
        tokio::select! {
            code = stopped => code.unwrap().unwrap(),
            () = write => unreachable!(),
        }
    };
    timeout(LIMIT, code).await.unwrap()
}

/// A frame of this type; lengths as QUIC writes them (RFC 9000 section 16).
pub(crate) fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap() | 0x8000_0000;
    [&[kind], length.to_be_bytes().as_slice(), payload].concat()
}

/// The head of a request, with references to QPACK's static table (RFC 9204 appendix A).
pub(crate) fn get(path: &str) -> Vec<u8> {
    let mut head = vec![0, 0, 0xd1, 0xd7, 0x50, 4];
    head.extend(b"host");
    // The path as a literal; its length in a prefix of seven bits (RFC 7541 section 5.1).
    head.push(0x51);
    let mut length = path.len();
    if length < 127 {
        head.push(u8::try_from(length).unwrap());
    } else {
        head.push(127);
        length -= 127;
        while length >= 128 {
            head.push(u8::try_from(length % 128).unwrap() | 0x80);
            length /= 128;
        }
        head.push(u8::try_from(length).unwrap());
    }
    head.extend(path.as_bytes());
    frame(HEADERS, &head)
}
