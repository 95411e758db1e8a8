//! Certificates of others, and changed ones.

use std::fs;

use experiment::{Handshake, Side};
use stack::Credentials;

use crate::link::{Kind, cache, links, links_of};
use crate::surgery::*;

const CERTIFICATE: u8 = 11;

fn handshake(id: &str) -> Handshake {
    id.parse().unwrap()
}

/// Certificates of a hierarchy that is in no cache.
fn stranger(id: &str) -> Credentials {
    let folder = tempfile::tempdir().unwrap();
    let cache = pki::Cache::open(folder.path().to_owned()).unwrap();
    Credentials::for_handshake(&handshake(id), &cache).unwrap()
}

/// A server whose root the client does not trust.
#[test]
fn a_stranger_is_not_trusted() {
    for id in [
        "1.3/X25519MLKEM768/ecdsa-p256/full",
        "1.3/X25519MLKEM768/ml-dsa-65/full",
        "1.2/x25519/ed25519/full",
        "1.2/static-rsa/rsa-2048/full",
    ] {
        let handshake = handshake(id);
        let known = Credentials::for_handshake(&handshake, &cache()).unwrap();
        let stranger = stranger(id);
        for link in links_of((&handshake, &known), (&handshake, &stranger)) {
            let failure = link.attack(|_, _| {}).err();
            let failure = failure.unwrap_or_else(|| panic!("{}: completed", link.name));
            let name = &link.name;
            assert!(
                failure.is(Side::Client, Kind::Certificate),
                "{name}: {failure:?}"
            );
            assert!(failure.is_told(), "{name}: {failure:?}");
        }
    }
}

/// A client whose root the server does not trust, and a client without a certificate.
#[test]
fn clients_are_authenticated() {
    const MUTUAL: &str = "1.3/X25519MLKEM768/ecdsa-p256/full+mutual=ed25519";
    let mutual = handshake(MUTUAL);
    let plain = handshake("1.3/X25519MLKEM768/ecdsa-p256/full");
    let known = Credentials::for_handshake(&mutual, &cache()).unwrap();
    let nobody = Credentials::for_handshake(&plain, &cache()).unwrap();
    // The server's own chain stays; only the hierarchy of the clients is another one.
    let folder = tempfile::tempdir().unwrap();
    let own = pki::Cache::default_dir().unwrap().join("ecdsa-p256.pem");
    fs::copy(own, folder.path().join("ecdsa-p256.pem")).unwrap();
    let other = pki::Cache::open(folder.path().to_owned()).unwrap();
    let other = Credentials::for_handshake(&mutual, &other).unwrap();
    assert_eq!(other.server().root(), known.server().root());

    let strangers = links_of((&mutual, &known), (&mutual, &other));
    let nobodies = links_of((&plain, &nobody), (&mutual, &known));
    for (what, links) in [("a stranger", strangers), ("nobody", nobodies)] {
        for link in links {
            let failure = link.attack(|_, _| {}).err();
            let failure = failure.unwrap_or_else(|| panic!("{}: {what} completed", link.name));
            let name = &link.name;
            assert!(
                failure.is(Side::Server, Kind::Certificate),
                "{name}: {what}: {failure:?}"
            );
            assert!(failure.is_told(), "{name}: {failure:?}");
        }
    }
}

/// TLS 1.2 shows the certificate in the clear: a changed one is not accepted, whether the
/// change breaks its grammar or its signature.
#[test]
fn a_changed_certificate_is_not_accepted() {
    let changes: &[(&str, Kind, Tamper)] = &[
        ("a tag", Kind::Certificate, |f| {
            // After the lengths of the list and of its first certificate.
            let body = message(f, CERTIFICATE);
            f[body.start + 6] ^= 1;
        }),
        ("the signature of the last one", Kind::Cryptography, |f| {
            let body = message(f, CERTIFICATE);
            f[body.end - 1] ^= 1;
        }),
        ("the first one's key", Kind::Cryptography, |f| {
            let body = message(f, CERTIFICATE);
            f[body.start + 300] ^= 1;
        }),
        ("the length of the list", Kind::Peer, |f| {
            let body = message(f, CERTIFICATE);
            f[body.start + 2] ^= 1;
        }),
    ];
    for (id, flight, side) in [
        ("1.2/x25519/rsa-2048/full", 1, Side::Client),
        ("1.2/static-rsa/rsa-2048/full", 1, Side::Client),
        ("1.2/x25519/rsa-2048/full+mutual", 2, Side::Server),
    ] {
        for link in links(id) {
            for (what, kind, tamper) in changes {
                let failure = link.failure(flight, what, tamper);
                let name = &link.name;
                assert!(failure.is(side, *kind), "{name}: {what}: {failure:?}");
                assert!(failure.is_told(), "{name}: {failure:?}");
            }
        }
    }
}

/// A certificate that the client trusts, shown by a server that does not have its key.
#[test]
fn a_certificate_without_its_key_is_worth_nothing() {
    for (id, side) in [
        ("1.2/x25519/rsa-2048/full", Side::Client),
        ("1.2/x25519/ecdsa-p256/full", Side::Client),
        // Who can't decrypt the premaster secret fails at the client's Finished.
        ("1.2/static-rsa/rsa-2048/full", Side::Server),
    ] {
        let handshake = handshake(id);
        let known = Credentials::for_handshake(&handshake, &cache()).unwrap();
        let mut shown = Vec::new();
        links(id)[0]
            .attack(|turn, flight| {
                if turn == 1 {
                    shown = flight[message(flight, CERTIFICATE)].to_vec();
                }
            })
            .unwrap_or_else(|failure| panic!("{failure:?}"));
        let stranger = stranger(id);
        for link in links_of((&handshake, &known), (&handshake, &stranger)) {
            let failure = link.failure(1, "another's certificate", |flight| {
                replace_message(flight, CERTIFICATE, &shown);
            });
            assert!(
                failure.is(side, Kind::Cryptography),
                "{}: {failure:?}",
                link.name
            );
        }
    }
}

/// A client and a server with nothing in common.
#[test]
fn nothing_in_common() {
    for (client, server) in [
        (
            "1.3/x25519/ecdsa-p256/full",
            "1.3/MLKEM1024/ecdsa-p256/full",
        ),
        (
            // With this group, every stack has one suite at a time.
            "1.3/MLKEM1024/ml-dsa-87/full+TLS_AES_128_GCM_SHA256",
            "1.3/MLKEM1024/ml-dsa-87/full",
        ),
        ("1.3/x25519/ml-dsa-44/full", "1.3/x25519/ecdsa-p256/full"),
        ("1.2/x25519/ecdsa-p256/full", "1.3/x25519/ecdsa-p256/full"),
    ] {
        let (client, server) = (handshake(client), handshake(server));
        let of_client = Credentials::for_handshake(&client, &cache()).unwrap();
        let of_server = Credentials::for_handshake(&server, &cache()).unwrap();
        for link in links_of((&client, &of_client), (&server, &of_server)) {
            // Of two security policies, each has more than the handshake asks for.
            if Side::BOTH.iter().all(|side| link.stack(*side) == "s2n-tls") {
                continue;
            }
            let failure = link.attack(|_, _| {}).err();
            let failure = failure.unwrap_or_else(|| panic!("{}: completed", link.name));
            let name = format!("{client} with {}", link.name);
            let is_refused = failure.is(Side::Server, Kind::Peer);
            // Without a scheme in common, a server of s2n-tls shows what it has all the same
            // (RFC 8446 section 4.4.3), and the client refuses it.
            let is_shown = client.authentication() != server.authentication()
                && link.stack(Side::Server) == "s2n-tls"
                && failure.is(Side::Client, Kind::Certificate);
            assert!(is_refused || is_shown, "{name}: {failure:?}");
            assert!(failure.is_told(), "{name}: {failure:?}");
        }
    }
}
