//! The proxy in front of backends that are plain, old, slow or gone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::common::{
    LIMIT, Web, ask, client_profile, connect, get, identity, server_profile, stack,
};
use http::StatusCode;
use pki::Role;
use server::{Backend, Event, Proxy, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use transport::{Buffers, TlsStream};
use wire::{NamedGroup, ProtocolVersion, SignatureAlgorithm};

fn plaintext(address: SocketAddr) -> Backend {
    Backend::plaintext(address.to_string().parse().unwrap(), LIMIT)
}

/// A backend that answers every request with the request's own head.
async fn mirror() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(reflect(socket));
        }
    });
    address
}

async fn reflect(mut socket: TcpStream) {
    let mut received = Vec::new();
    loop {
        let mut piece = vec![0; 4096];
        match socket.read(&mut piece).await {
            Ok(count @ 1..) => received.extend_from_slice(&piece[..count]),
            _ => return,
        }
        if received.ends_with(b"\r\n\r\n") {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                received.len()
            );
            socket.write_all(head.as_bytes()).await.unwrap();
            socket.write_all(&received).await.unwrap();
            received.clear();
        }
    }
}

/// The lines of a request that a backend saw, names in lower case.
fn lines(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    text.lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect()
}

fn values<'a>(lines: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    lines
        .iter()
        .filter(|(found, _)| found == name)
        .map(|(_, value)| value.as_str())
        .collect()
}

#[tokio::test]
async fn the_backend_is_told_who_the_client_is_and_nobody_can_forge_it() {
    let client = identity(SignatureAlgorithm::MlDsa65, Role::Client);
    let mut profile = server_profile();
    profile.client_authentication = Some(stack::ClientAuthentication {
        roots: vec![client.root().clone()],
        crls: Vec::new(),
        is_required: false,
    });
    let site = Site::Proxy(Proxy::new(plaintext(mirror().await), LIMIT));
    let web = Web::start("rustls", &profile, site).await;
    let forged = [
        ("x-amzn-mtls-clientcert-subject", "CN=forged"),
        ("x-amzn-mtls-clientcert", "forged"),
        ("x_amzn_mtls_clientcert_serial_number", "forged"),
        ("x-amzn-tls-version", "forged"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "http"),
        ("x-other", "kept"),
    ];
    for alpn in ["h2", "http/1.1"] {
        for shows in [true, false] {
            let mut wanted = client_profile(alpn);
            wanted.certificate = shows.then(|| client.certified_key().clone());
            let stream = connect(web.address, "rustls", &wanted).await.unwrap();
            let response = ask(stream, get("/a?b=c", &forged)).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{alpn}");
            assert!(response.body().starts_with(b"GET /a?b=c HTTP/1.1\r\n"));
            assert!(
                !String::from_utf8_lossy(response.body()).contains("forged"),
                "{alpn}"
            );
            let lines = lines(response.body());
            let only = |name: &str| match values(&lines, name).as_slice() {
                [value] => (*value).to_owned(),
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(only("host"), pki::SERVER_NAME);
            assert_eq!(only("x-other"), "kept");
            assert_eq!(only("x-forwarded-for"), "192.0.2.7, 127.0.0.1");
            assert_eq!(only("x-forwarded-proto"), "https");
            assert_eq!(only("x-forwarded-port"), web.address.port().to_string());
            assert_eq!(only("x-amzn-tls-version"), "TLSv1.3");
            assert_eq!(only("x-amzn-tls-cipher-suite"), "TLS_AES_256_GCM_SHA384");
            assert_eq!(only("x-pqlab-tls-group"), "X25519MLKEM768");
            if !shows {
                assert!(values(&lines, "x-amzn-mtls-clientcert-subject").is_empty());
                continue;
            }
            let leaf = pki::Certificate::from_der(&client.chain()[0]).unwrap();
            assert_eq!(only("x-amzn-mtls-clientcert-subject"), leaf.subject);
            assert_eq!(only("x-amzn-mtls-clientcert-issuer"), leaf.issuer);
            assert_eq!(only("x-amzn-mtls-clientcert-serial-number"), leaf.serial);
            let validity = only("x-amzn-mtls-clientcert-validity");
            assert!(validity.starts_with("NotBefore=20"), "{validity}");
            assert!(validity.contains("Z;NotAfter=20"), "{validity}");
            let pem = only("x-amzn-mtls-clientcert-leaf");
            let pem = percent_encoding::percent_decode_str(&pem).decode_utf8();
            assert_eq!(pem.unwrap(), pki::certificate_pem(&client.chain()[0]));
        }
    }
}

#[tokio::test]
async fn a_backend_that_is_gone_is_a_bad_gateway_and_the_next_request_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let site = Site::Proxy(Proxy::new(plaintext(address), LIMIT));
    let web = Web::start("rustls", &server_profile(), site).await;
    let status = async || {
        let stream = connect(web.address, "rustls", &client_profile("h2")).await;
        ask(stream.unwrap(), get("/", &[])).await.unwrap().status()
    };
    assert_eq!(status().await, StatusCode::BAD_GATEWAY);
    let revived = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        let (socket, _) = revived.accept().await.unwrap();
        reflect(socket).await;
    });
    assert_eq!(status().await, StatusCode::OK);
}

#[tokio::test]
async fn an_old_backend_is_upgraded_to_hybrid_tls_and_a_strange_one_refused() {
    let mut old = server_profile();
    old.offer.versions = vec![ProtocolVersion::Tls12];
    old.offer.groups = vec![NamedGroup::X25519, NamedGroup::SECP256R1];
    old.offer.alpn.clear();
    let old = Web::start("openssl", &old, Site::Echo).await;
    let authority: http::uri::Authority = old.address.to_string().parse().unwrap();
    for (is_known, status) in [(true, StatusCode::OK), (false, StatusCode::BAD_GATEWAY)] {
        let mut profile = client_profile("http/1.1");
        if !is_known {
            profile.trust = stack::Trust::Verify(Vec::new());
        }
        let endpoint = Arc::from(stack("rustls").client(&profile).unwrap());
        let site = Site::Proxy(Proxy::new(
            Backend::tls(authority.clone(), endpoint, LIMIT),
            LIMIT,
        ));
        let web = Web::start("rustls", &server_profile(), site).await;
        let stream = connect(web.address, "openssl", &client_profile("h2"))
            .await
            .unwrap();
        let negotiated = stream.negotiated();
        assert_eq!(negotiated.group, Some(NamedGroup::X25519MLKEM768));
        let response = ask(stream, get("/json", &[])).await.unwrap();
        assert_eq!(response.status(), status);
        if is_known {
            let behind: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(behind["version"], "TLS 1.2");
            assert_eq!(behind["post_quantum_key_exchange"], false);
        }
    }
}

#[tokio::test]
async fn other_protocols_go_through_a_tunnel_byte_by_byte() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site::Tunnel(plaintext(listener.local_addr().unwrap()));
    let mut profile = server_profile();
    profile.offer.alpn.clear();
    let web = Web::start("rustls", &profile, site).await;
    let mut wanted = client_profile("x");
    wanted.offer.alpn.clear();
    let endpoint = stack("openssl").client(&wanted).unwrap();
    let socket = TcpStream::connect(web.address).await.unwrap();
    let mut client = TlsStream::new(socket, endpoint.connection().unwrap(), Buffers::default());
    client.connect().await.unwrap();
    let (mut behind, _) = timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
    let long: Vec<u8> = (0..300_000u32).map(|at| (at % 251) as u8).collect();
    let sent = long.clone();
    let sending = tokio::spawn(async move {
        behind.write_all(b"220 ready\r\n").await.unwrap();
        let mut received = vec![0; sent.len()];
        behind.read_exact(&mut received).await.unwrap();
        assert!(received == sent);
        behind.shutdown().await.unwrap();
    });
    let mut greeting = [0; 11];
    client.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"220 ready\r\n");
    AsyncWriteExt::write_all(&mut client, &long).await.unwrap();
    client.flush().await.unwrap();
    timeout(LIMIT, sending).await.unwrap().unwrap();
    // The backend's end comes through.
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
    client.shutdown().await.unwrap();
    let closed = async {
        while web.counters.count(Event::Closed) == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LIMIT, closed).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_leaves_http_is_joined_to_the_backend() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site::Proxy(Proxy::new(plaintext(listener.local_addr().unwrap()), LIMIT));
    let web = Web::start("rustls", &server_profile(), site).await;
    let mut client = connect(web.address, "rustls", &client_profile("http/1.1"))
        .await
        .unwrap();
    client
        .write_all(
            b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        )
        .await
        .unwrap();
    let (mut behind, _) = timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
    let mut request = vec![0; 4096];
    let count = behind.read(&mut request).await.unwrap();
    let request = String::from_utf8_lossy(&request[..count]).to_lowercase();
    assert!(request.contains("upgrade: websocket"), "{request}");
    behind
        .write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        )
        .await
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).await.unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    client.write_all(b"ping").await.unwrap();
    let mut word = [0; 4];
    behind.read_exact(&mut word).await.unwrap();
    behind.write_all(b"pong").await.unwrap();
    client.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"pong");

    // It still counts as the one connection that it is, and ends with the server.
    assert_eq!(web.counters.count(Event::Closed), 0);
    drop(behind);
    assert_eq!(client.read_to_end(&mut Vec::new()).await.unwrap_or(0), 0);
    drop(client);
    let ended = async {
        while web.counters.count(Event::Closed) + web.counters.count(Event::ClosedEarly) == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LIMIT, ended).await.unwrap();
}

#[tokio::test]
async fn no_other_protocol_gets_past_the_rules_of_http() {
    let site = Site::Proxy(Proxy::new(plaintext(mirror().await), LIMIT));
    let web = Web::start("rustls", &server_profile(), site).await;
    for upgrade in ["h2c", "TLS/1.0", "websocket, h2c"] {
        let mut client = connect(web.address, "rustls", &client_profile("http/1.1"))
            .await
            .unwrap();
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\
             Upgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
        );
        AsyncWriteExt::write_all(&mut client, request.as_bytes())
            .await
            .unwrap();
        let mut response = Vec::new();
        client.read_to_end(&mut response).await.unwrap();
        let response = String::from_utf8_lossy(&response).to_lowercase();
        assert!(response.starts_with("http/1.1 200"), "{response}");
        assert!(!response.contains("upgrade: "), "{upgrade}: {response}");
        assert!(
            !response.contains("http2-settings"),
            "{upgrade}: {response}"
        );
    }
}

#[tokio::test]
async fn a_backend_that_says_nothing_is_a_gateway_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = plaintext(listener.local_addr().unwrap());
    let site = Site::Proxy(Proxy::new(backend, Duration::from_millis(200)));
    let web = Web::start("rustls", &server_profile(), site).await;
    for alpn in ["h2", "http/1.1"] {
        let stream = connect(web.address, "rustls", &client_profile(alpn)).await;
        let response = ask(stream.unwrap(), get("/", &[])).await.unwrap();
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT, "{alpn}");
    }
}

#[tokio::test]
async fn what_is_cut_off_in_a_tunnel_does_not_pass_for_the_whole() {
    for is_orderly in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = Site::Tunnel(plaintext(listener.local_addr().unwrap()));
        let mut profile = server_profile();
        profile.offer.alpn.clear();
        let web = Web::start("rustls", &profile, site).await;
        let mut wanted = client_profile("x");
        wanted.offer.alpn.clear();
        let mut client = connect(web.address, "rustls", &wanted).await.unwrap();
        let (mut behind, _) = timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
        AsyncWriteExt::write_all(&mut client, b"half of it")
            .await
            .unwrap();
        if is_orderly {
            // Closed one way only: the answer still comes.
            client.shutdown().await.unwrap();
        } else {
            // Without close_notify, as somebody on the path can do it.
            client.flush().await.unwrap();
            drop(client);
        }
        let mut received = Vec::new();
        let read = timeout(LIMIT, behind.read_to_end(&mut received))
            .await
            .unwrap();
        assert_eq!(read.is_ok(), is_orderly, "{received:?}");
    }
}
