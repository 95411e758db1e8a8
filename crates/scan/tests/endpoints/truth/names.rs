//! Targets that are names: all their addresses, and SNI.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::{Arc, Mutex};

use audit::{Endpoint, Service};
use rustls::crypto::aws_lc_rs::kx_group;
use scan::Options;

use crate::certificates::Identity;
use crate::programs::skip;
use crate::rustls_server::{RustlsServer, Terms};
use crate::scanning::{patient, scan_all, target};
use crate::scripted::{Hello, alert, finish, serve_on};

/// Scans `host`, whose every address has a server that refuses all; the names that they saw.
fn names_seen(host: &str, options: &Options) -> (Vec<Endpoint>, Vec<Option<String>>) {
    let names = Arc::new(Mutex::new(Vec::new()));
    let first = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = first.local_addr().unwrap().port();
    let second = TcpListener::bind(("::1", port)).ok();
    for listener in [Some(first), second].into_iter().flatten() {
        let names = Arc::clone(&names);
        serve_on(listener, move |mut socket, _| {
            let Some(hello) = Hello::read(&mut socket) else {
                return;
            };
            let name = hello
                .offer
                .server_name
                .map(|n| String::from_utf8(n).unwrap());
            names.lock().unwrap().push(name);
            finish(socket, &alert(2, 40));
        });
    }
    let mut seen = scan_all(vec![target(host, port)], options);
    let endpoints = seen.remove(0);
    let mut addresses: Vec<_> = endpoints.iter().map(|e| e.address.unwrap()).collect();
    let mut all: Vec<SocketAddr> = (host, port).to_socket_addrs().unwrap().collect();
    addresses.sort();
    all.sort();
    all.dedup();
    assert_eq!(addresses, all);
    let mut names = names.lock().unwrap().clone();
    assert!(names.len() > 40 * endpoints.len());
    names.sort();
    names.dedup();
    (endpoints, names)
}

#[test]
fn a_name_is_sent_at_each_of_its_addresses() {
    for host in ["localhost", "localhost."] {
        if (host, 1).to_socket_addrs().is_err() {
            skip(&format!("{host} has no address here"));
            continue;
        }
        let (endpoints, names) = names_seen(host, &patient());
        assert_eq!(names, [Some("localhost".to_owned())]);
        for endpoint in endpoints {
            assert_eq!(endpoint.server_name.as_deref(), Some("localhost"));
            assert!(matches!(endpoint.service, Service::Tls(_)));
        }
    }
}

#[test]
fn an_address_is_not_sent_unless_a_name_is_given_for_it() {
    let (endpoints, names) = names_seen("127.0.0.1", &patient());
    assert_eq!(
        (names, endpoints[0].server_name.as_deref()),
        (vec![None], None)
    );
    let named = Options {
        server_name: Some("server.example.test".to_owned()),
        ..patient()
    };
    let (_, names) = names_seen("127.0.0.1", &named);
    assert_eq!(names, [Some("server.example.test".to_owned())]);
}

#[test]
fn a_name_is_sent_in_handshakes_as_well() {
    let server = RustlsServer::start(Terms {
        groups: vec![kx_group::X25519MLKEM768],
        versions: &[&rustls::version::TLS13],
        identities: vec![Identity::ecdsa()],
        alpn: &[],
        has_tickets: true,
        client_certificate: None,
    });
    let seen = scan_all(vec![target("localhost", server.address.port())], &patient());
    assert!(seen[0].iter().any(|e| matches!(e.service, Service::Tls(_))));
    assert_eq!(server.names(), [Some("localhost".to_owned())]);
}
