//! The HTTPS server: pages, limits and its end.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{
    LIMIT, Web, ask, client_profile, connect, get, identity, server_profile, stack,
};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use pki::Role;
use serde_json::Value;
use server::{Counters, Event, Limits, MetricsServer, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use transport::{Buffers, TlsStream};
use wire::{NamedGroup, ProtocolVersion, SignatureAlgorithm};

const STACKS: [&str; 2] = ["rustls", "openssl"];

async fn until(counters: &Counters, event: Event, count: u64) {
    let reached = async {
        while counters.count(event) < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    if timeout(LIMIT, reached).await.is_err() {
        panic!("no {count} of {event:?}: {counters:?}");
    }
}

#[tokio::test]
async fn the_page_shows_visitors_what_was_negotiated_with_them() {
    for server in STACKS {
        let mut profile = server_profile();
        let ml_dsa = identity(SignatureAlgorithm::MlDsa65, Role::Server);
        profile
            .certificates
            .insert(0, ml_dsa.certified_key().clone());
        let web = Web::start(server, &profile, Site::Echo).await;
        for client in STACKS {
            for (alpn, group, version) in [
                ("h2", NamedGroup::X25519MLKEM768, ProtocolVersion::Tls13),
                ("http/1.1", NamedGroup::X25519, ProtocolVersion::Tls12),
            ] {
                let case = format!("{client} > {server}, {alpn}");
                let mut wanted = client_profile(alpn);
                if let stack::Trust::Verify(anchors) = &mut wanted.trust {
                    anchors.push(ml_dsa.root().clone());
                }
                wanted.offer.groups = vec![group, NamedGroup::SECP256R1];
                wanted.offer.versions = vec![version];
                let stream = connect(web.address, client, &wanted).await.expect(&case);
                let negotiated = stream.negotiated();
                let response = ask(stream, get("/json", &[])).await.expect(&case);
                assert_eq!(response.status(), StatusCode::OK, "{case}");
                let echo: Value = serde_json::from_slice(response.body()).unwrap();
                let is = |field: &str, value: Value| assert_eq!(echo[field], value, "{case}");
                let is_pq = version == ProtocolVersion::Tls13;
                is("version", format!("TLS {version}").into());
                is("group", group.to_string().into());
                is("post_quantum_key_exchange", is_pq.into());
                is(
                    "cipher_suite",
                    negotiated.cipher_suite.unwrap().to_string().into(),
                );
                is(
                    "server_scheme",
                    negotiated.peer_scheme.unwrap().to_string().into(),
                );
                is("post_quantum_signature", is_pq.into());
                is("alpn", alpn.into());
                is("is_resumed", false.into());
                is("has_hello_retry", false.into());
                is("client_certificate", Value::Null);
                let offered = &echo["offered"];
                assert_eq!(offered["groups"][0], group.to_string(), "{case}");
                assert_eq!(offered["server_name"], pki::SERVER_NAME, "{case}");
            }
        }
        let page = web.metrics.encode();
        for (what, count) in [
            (r#"group="X25519MLKEM768""#, 1),
            (r#"group="x25519""#, 1),
            (r#"http_responses_total{transport="tcp",status="200"} 4"#, 1),
            (
                r#"connection_events_total{transport="tcp",event="established"} 4"#,
                1,
            ),
        ] {
            assert_eq!(page.matches(what).count(), count, "{what} in {page}");
        }
    }
}

#[tokio::test]
async fn a_hello_retry_and_a_client_certificate_are_shown() {
    for server in STACKS {
        let mut profile = server_profile();
        profile.offer.groups = vec![NamedGroup::X25519MLKEM768];
        let client = identity(SignatureAlgorithm::MlDsa65, Role::Client);
        profile.client_authentication = Some(stack::ClientAuthentication {
            roots: vec![client.root().clone()],
            crls: Vec::new(),
            is_required: true,
        });
        let web = Web::start(server, &profile, Site::Echo).await;
        let mut wanted = client_profile("http/1.1");
        wanted.offer.groups = vec![NamedGroup::SECP256R1, NamedGroup::X25519MLKEM768];
        wanted.certificate = Some(client.certified_key().clone());
        let stream = connect(web.address, "openssl", &wanted).await.unwrap();
        assert!(stream.has_hello_retry());
        let response = ask(stream, get("/", &[("accept", "application/json")])).await;
        let echo: Value = serde_json::from_slice(response.unwrap().body()).unwrap();
        assert_eq!(echo["has_hello_retry"], true);
        let subject = format!("CN={}", pki::CLIENT_NAME);
        assert_eq!(echo["client_certificate"]["subject"], subject);
        assert_eq!(echo["client_scheme"], "mldsa65");

        let stream = connect(web.address, "openssl", &wanted).await.unwrap();
        let page = ask(stream, get("/", &[("accept", "text/html")]))
            .await
            .unwrap();
        let page = String::from_utf8(page.body().to_vec()).unwrap();
        for part in ["Post-quantum key exchange", "one more round trip", &subject] {
            assert!(page.contains(part), "{part} in {page}");
        }

        wanted.certificate = None;
        let refused = match connect(web.address, "openssl", &wanted).await {
            // In TLS 1.3 the client is done before the server has judged it.
            Ok(stream) => ask(stream, get("/", &[])).await.is_err(),
            Err(_) => true,
        };
        assert!(refused, "{server} took a client without certificate");
    }
}

/// RFC 8446 section 4.6.1: a session carries who the client was.
#[tokio::test]
async fn a_resumed_client_is_still_known_by_its_certificate() {
    for (server, version) in STACKS.into_iter().flat_map(|server| {
        let versions = [ProtocolVersion::Tls13, ProtocolVersion::Tls12];
        versions.map(|version| (server, version))
    }) {
        let mut profile = server_profile();
        let client = identity(SignatureAlgorithm::EcdsaP256, Role::Client);
        profile.client_authentication = Some(stack::ClientAuthentication {
            roots: vec![client.root().clone()],
            crls: Vec::new(),
            is_required: true,
        });
        let web = Web::start(server, &profile, Site::Echo).await;
        let mut wanted = client_profile("http/1.1");
        wanted.offer.versions = vec![version];
        wanted.offer.groups = vec![NamedGroup::X25519, NamedGroup::SECP256R1];
        wanted.certificate = Some(client.certified_key().clone());
        wanted.resumes = true;
        let endpoint = stack("rustls").client(&wanted).unwrap();
        for is_second in [false, true] {
            let socket = TcpStream::connect(web.address).await.unwrap();
            let connection = endpoint.connection().unwrap();
            let mut stream = TlsStream::new(socket, connection, Buffers::default());
            stream.connect().await.unwrap();
            let response = ask(stream, get("/json", &[])).await.unwrap();
            let echo: Value = serde_json::from_slice(response.body()).unwrap();
            let what = format!("{server}, {version}: {echo}");
            assert_eq!(echo["is_resumed"], is_second, "{what}");
            let subject = format!("CN={}", pki::CLIENT_NAME);
            assert_eq!(echo["client_certificate"]["subject"], subject, "{what}");
        }
    }
}

fn tight() -> Limits {
    Limits {
        connections: 4,
        handshake: Duration::from_millis(400),
        idle: Duration::from_millis(400),
        request: 8 * 1024,
    }
}

#[tokio::test]
async fn slow_silent_and_garbled_clients_are_cut_while_others_are_served() {
    for server in STACKS {
        let web = Web::start_with(server, &server_profile(), Site::Echo, tight()).await;
        let good = async || {
            let stream = connect(web.address, "rustls", &client_profile("h2")).await;
            ask(stream.unwrap(), get("/json", &[]))
                .await
                .unwrap()
                .status()
        };
        // Says nothing.
        let mut silent = TcpStream::connect(web.address).await.unwrap();
        assert_eq!(good().await, StatusCode::OK);
        assert_eq!(silent.read(&mut [0; 1]).await.unwrap_or(0), 0);
        until(&web.counters, Event::HandshakeTimeout, 1).await;

        // Sends a ClientHello byte by byte, never to its end.
        let mut slow = TcpStream::connect(web.address).await.unwrap();
        let drip = tokio::spawn(async move {
            for byte in [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3].into_iter().cycle() {
                if slow.write_all(&[byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert_eq!(good().await, StatusCode::OK);
        until(&web.counters, Event::HandshakeTimeout, 2).await;
        timeout(LIMIT, drip).await.unwrap().unwrap();

        // Speaks another protocol.
        let mut plain = TcpStream::connect(web.address).await.unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let _ = timeout(LIMIT, plain.read_to_end(&mut answer))
            .await
            .unwrap();
        // OpenSSL knows HTTP when it sees it, and sends no alert then.
        let expected = (server == "rustls").then_some(&21);
        assert_eq!(answer.first(), expected, "{server}: an alert");
        until(&web.counters, Event::PeerFault, 1).await;

        // Never ends its header.
        let mut stream = connect(web.address, "rustls", &client_profile("http/1.1"))
            .await
            .unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        assert_eq!(good().await, StatusCode::OK);
        until(&web.counters, Event::IdleTimeout, 1).await;

        // Has a header without end.
        let mut stream = connect(web.address, "rustls", &client_profile("http/1.1"))
            .await
            .unwrap();
        let endless = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'a'; 40_000]].concat();
        let _ = stream.write_all(&endless).await;
        until(&web.counters, Event::Overlong, 1).await;
        assert_eq!(good().await, StatusCode::OK);
        assert_eq!(web.counters.count(Event::Panicked), 0);
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_at_once() {
    let web = Web::start_with("rustls", &server_profile(), Site::Echo, tight()).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(TcpStream::connect(web.address).await.unwrap());
    }
    until(&web.counters, Event::Accepted, 4).await;
    let mut fifth = TcpStream::connect(web.address).await.unwrap();
    let read = timeout(LIMIT, fifth.read(&mut [0; 1])).await.unwrap();
    assert_eq!(read.unwrap_or(0), 0);
    assert_eq!(web.counters.count(Event::Refused), 1);
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    for alpn in ["h2", "http/1.1"] {
        // A backend that takes its time makes a request last.
        let backend = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = backend.local_addr().unwrap().to_string().parse().unwrap();
        let backend_behind = server::Backend::plaintext(authority, LIMIT);
        let site = Site::Proxy(server::Proxy::new(backend_behind, LIMIT));
        let web = Web::start("rustls", &server_profile(), site).await;
        let address = web.address;
        let stream = connect(address, "rustls", &client_profile(alpn)).await;
        let asked = tokio::spawn(ask(stream.unwrap(), get("/", &[])));
        let (mut socket, _) = timeout(LIMIT, backend.accept()).await.unwrap().unwrap();
        let mut request = vec![0; 4096];
        assert!(socket.read(&mut request).await.unwrap() > 0);
        let ended = web.stop();
        // Nobody new is let in.
        let refused = async {
            while TcpStream::connect(address).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(LIMIT, refused).await.unwrap();
        assert!(!ended.is_finished() && !asked.is_finished());
        socket
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
            .await
            .unwrap();
        let response = timeout(LIMIT, asked).await.unwrap().unwrap().unwrap();
        assert_eq!(response.body().as_ref(), b"late", "{alpn}");
        timeout(LIMIT, ended).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn prometheus_gets_its_page_and_nothing_else() {
    let web = Web::start("rustls", &server_profile(), Site::Echo).await;
    let any_port = "127.0.0.1:0".parse().unwrap();
    let metrics = MetricsServer::bind(any_port, Arc::clone(&web.metrics));
    let metrics = metrics.await.unwrap();
    let address = metrics.local_addr();
    tokio::spawn(metrics.serve(std::future::pending()));
    let fetch = async |path: &str| {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).await.unwrap();
        response
    };
    let page = fetch("/metrics").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.trim_end().ends_with("# EOF"), "{page}");
    assert!(fetch("/other").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn an_empty_request_line_of_http_2_preface_over_http_1_is_no_panic() {
    let web = Web::start("rustls", &server_profile(), Site::Echo).await;
    let mut stream = connect(web.address, "rustls", &client_profile("http/1.1"))
        .await
        .unwrap();
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    let _ = stream.read().await;
    drop(stream);
    let request: Request<Full<Bytes>> = get("/json", &[]);
    let stream = connect(web.address, "rustls", &client_profile("h2")).await;
    assert!(ask(stream.unwrap(), request).await.is_ok());
    assert_eq!(web.counters.count(Event::Panicked), 0);
}

#[tokio::test]
async fn a_client_that_answers_pings_and_asks_for_nothing_is_idle() {
    let web = Web::start_with("rustls", &server_profile(), Site::Echo, tight()).await;
    let stream = connect(web.address, "rustls", &client_profile("h2"))
        .await
        .unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(executor, io)
            .await
            .unwrap();
    let driven = tokio::spawn(connection);
    until(&web.counters, Event::IdleTimeout, 1).await;
    let _ = timeout(LIMIT, driven).await.unwrap();
    drop(sender);
}
