//! What lasts: uploads through the proxy, and connections that outlive HTTP.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use crate::common::{LIMIT, Web, ask, client_profile, connect, server_profile};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use server::{Backend, Proxy, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use transport::TlsStream;

fn plaintext(address: SocketAddr) -> Backend {
    Backend::plaintext(address.to_string().parse().unwrap(), LIMIT)
}

/// A backend that gives each body back, and says in a header how it was framed.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service_fn(give_back);
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    });
    address
}

async fn give_back(request: Request<Incoming>) -> Result<Response<Incoming>, Infallible> {
    let framing = ["transfer-encoding", "content-length"]
        .into_iter()
        .find(|name| request.headers().contains_key(*name))
        .unwrap_or("none");
    let response = Response::builder().header("x-framing", framing);
    Ok(response.body(request.into_body()).unwrap())
}

fn long_body() -> Vec<u8> {
    (0..1_000_000u32).map(|at| (at % 251) as u8).collect()
}

#[tokio::test]
async fn uploads_of_known_length_go_through_whole() {
    let site = Site::Proxy(Proxy::new(plaintext(echo().await), LIMIT));
    let web = Web::start("rustls", &server_profile(), site).await;
    for alpn in ["h2", "http/1.1"] {
        let stream = connect(web.address, "rustls", &client_profile(alpn)).await;
        let request = Request::post(format!("https://{}/", pki::SERVER_NAME))
            .header("host", pki::SERVER_NAME)
            .body(Full::new(Bytes::from(long_body())))
            .unwrap();
        let response = timeout(LIMIT, ask(stream.unwrap(), request)).await;
        let response = response.unwrap().unwrap();
        assert_eq!(response.headers()["x-framing"], "content-length", "{alpn}");
        assert!(response.body() == &long_body(), "{alpn}");
    }
}

#[tokio::test]
async fn uploads_in_chunks_go_through_while_they_are_sent() {
    let site = Site::Proxy(Proxy::new(plaintext(echo().await), LIMIT));
    let web = Web::start("openssl", &server_profile(), site).await;
    let mut stream = connect(web.address, "rustls", &client_profile("http/1.1"))
        .await
        .unwrap();
    let head =
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    send(&mut stream, head.as_bytes()).await;
    let body = long_body();
    let (first, rest) = body.split_at(1000);
    chunk(&mut stream, first).await;
    // The echo of the first chunk comes before the second one has been sent.
    let mut received = Vec::new();
    while !received.windows(first.len()).any(|part| part == first) {
        let mut piece = vec![0; 4096];
        let read = timeout(LIMIT, AsyncReadExt::read(&mut stream, &mut piece)).await;
        let count = read.unwrap().unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&received));
        received.extend_from_slice(&piece[..count]);
    }
    let text = String::from_utf8_lossy(&received).to_lowercase();
    assert!(text.contains("x-framing: transfer-encoding"), "{text}");
    let (mut reading, mut writing) = tokio::io::split(stream);
    let sending = async {
        for piece in rest.chunks(77_777) {
            chunk(&mut writing, piece).await;
        }
        chunk(&mut writing, &[]).await;
    };
    let (_, read) = timeout(LIMIT, async {
        tokio::join!(sending, reading.read_to_end(&mut received))
    })
    .await
    .unwrap();
    read.unwrap();
    let start = received.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    assert!(unchunked(&received[start..]) == body);
}

async fn send(stream: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

async fn chunk(stream: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) {
    let framed = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    send(stream, &framed).await;
}

/// RFC 9112 section 7.1, without extensions and trailers.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        let data = &rest[end + 2..];
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&data[..size]);
        rest = &data[size + 2..];
    }
}

#[tokio::test]
async fn an_open_tunnel_gets_its_time_at_the_end_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut profile = server_profile();
    profile.offer.alpn.clear();
    let site = Site::Tunnel(plaintext(listener.local_addr().unwrap()));
    let grace = Duration::from_millis(500);
    let web = Web::start_for("rustls", &profile, site, grace).await;
    let mut wanted = client_profile("x");
    wanted.offer.alpn.clear();
    let mut client = connect(web.address, "rustls", &wanted).await.unwrap();
    let (mut behind, _) = timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
    ends_in_time(web, &mut client, &mut behind).await;
}

#[tokio::test]
async fn an_open_websocket_gets_its_time_at_the_end_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site::Proxy(Proxy::new(plaintext(listener.local_addr().unwrap()), LIMIT));
    let grace = Duration::from_millis(500);
    let web = Web::start_for("rustls", &server_profile(), site, grace).await;
    let mut client = connect(web.address, "rustls", &client_profile("http/1.1"))
        .await
        .unwrap();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let request = format!("GET /chat HTTP/1.1\r\nHost: a\r\n{upgrade}");
    send(&mut client, request.as_bytes()).await;
    let (mut behind, _) = timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
    assert!(behind.read(&mut [0; 4096]).await.unwrap() > 0);
    let response = format!("HTTP/1.1 101 Switching Protocols\r\n{upgrade}");
    behind.write_all(response.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    ends_in_time(web, &mut client, &mut behind).await;
}

/// Bytes still go through after the server was told to stop; then both sides are cut off.
async fn ends_in_time(web: Web, client: &mut TlsStream<TcpStream>, behind: &mut TcpStream) {
    let ended = web.stop();
    for word in [b"ping", b"pong"] {
        send(client, word).await;
        let mut received = [0; 4];
        let read = timeout(LIMIT, behind.read_exact(&mut received)).await;
        read.unwrap().unwrap();
        assert_eq!(&received, word);
    }
    assert!(!ended.is_finished(), "a tunnel was cut off at once");
    timeout(LIMIT, ended).await.unwrap().unwrap();
    let (mut to_client, mut to_backend) = (Vec::new(), Vec::new());
    let ends = timeout(LIMIT, async {
        tokio::join!(
            client.read_to_end(&mut to_client),
            behind.read_to_end(&mut to_backend)
        )
    });
    let (of_client, _) = ends.await.unwrap();
    assert!(of_client.is_err(), "a cut passes for an orderly end");
}
