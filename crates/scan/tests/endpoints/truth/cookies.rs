//! Servers that keep their state in a cookie (RFC 8446 section 4.2.2).

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use scan::Options;
use wire::ExtensionType;

use crate::scanning::{patient, scan_one, tls};
use crate::scripted::{Hello, RETRY_RANDOM, TLS13, X25519, alert, finish, records, serve};

const COOKIE: &[u8] = b"what the server will want to know again";

#[test]
fn a_cookie_comes_back_with_the_shares_as_they_were() {
    let pairs: Arc<Mutex<Vec<(Hello, Hello)>>> = Arc::default();
    let seen = Arc::clone(&pairs);
    let address = serve(move |mut socket, _| {
        let Some(first) = Hello::read(&mut socket) else {
            return;
        };
        if first.offer.key_shares.is_empty() {
            return finish(socket, &first.honest(&[X25519]));
        }
        let length = u8::try_from(COOKIE.len()).unwrap();
        let cookie = [&[0, 44, 0, length + 2, 0, length], COOKIE].concat();
        let extensions = [&TLS13[..], &cookie].concat();
        let suite = first.tls13_suite();
        let request = first.server_hello(&RETRY_RANDOM, 0x0303, suite, &extensions);
        let _ = socket.write_all(&records(&request));
        if let Some(second) = Hello::read(&mut socket) {
            seen.lock().unwrap().push((first, second));
            finish(socket, &alert(2, 40));
        }
    });
    let options = Options {
        timeout: Duration::from_secs(2),
        ..patient()
    };
    let service = tls(scan_one(address, &options));
    for tried in &service.clients {
        assert!(tried.answer.is_refused(), "{tried:?}");
    }
    let pairs = pairs.lock().unwrap();
    assert!(pairs.len() >= service.clients.len());
    for (first, second) in pairs.iter() {
        assert_eq!(first.offer.key_shares, second.offer.key_shares);
        assert!(second.offer.extensions.contains(&ExtensionType(44)));
        assert!(second.body.windows(COOKIE.len()).any(|part| part == COOKIE));
    }
}
