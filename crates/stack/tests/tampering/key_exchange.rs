//! Key shares and ciphertexts.

use experiment::Side::{self, Client, Server};

use crate::link::{Kind, links};
use crate::surgery::*;

const HYBRID: &str = "1.3/X25519MLKEM768/ecdsa-p256/full";

/// Bytes of an ML-KEM-768 encapsulation key and ciphertext (FIPS 203 table 3), which stand
/// before the X25519 half.
const EK: usize = 1184;
const CT: usize = 1088;
const HYBRID_CLIENT: usize = EK + 32;
const HYBRID_SERVER: usize = CT + 32;

/// What no honest peer sends is refused before any key comes of it, and the alert about
/// it arrives in the clear.
#[test]
fn bad_shares_are_refused() {
    let attacks: &[(&str, &str, Side, Tamper)] = &[
        (HYBRID, "an X25519 share of small order", Client, |f| {
            fill_share(f, Client, EK..HYBRID_CLIENT, 0);
        }),
        // FIPS 203 section 7.2: the modulus check.
        (
            HYBRID,
            "an ML-KEM key with a coefficient of q or more",
            Client,
            |f| {
                fill_share(f, Client, 0..3, 0xff);
            },
        ),
        (HYBRID, "a client's share that is too short", Client, |f| {
            shorten_share(f, Client);
        }),
        (
            HYBRID,
            "a server's X25519 share of small order",
            Server,
            |f| {
                fill_share(f, Server, CT..HYBRID_SERVER, 0);
            },
        ),
        (HYBRID, "a server's share that is too short", Server, |f| {
            shorten_share(f, Server);
        }),
        (
            "1.3/MLKEM768/ecdsa-p256/full",
            "an ML-KEM key out of range",
            Client,
            |f| {
                fill_share(f, Client, 0..3, 0xff);
            },
        ),
        (
            "1.3/x25519/ecdsa-p256/full",
            "a client's zeros",
            Client,
            |f| {
                fill_share(f, Client, 0..32, 0);
            },
        ),
        (
            "1.3/x25519/ecdsa-p256/full",
            "a server's zeros",
            Server,
            |f| {
                fill_share(f, Server, 0..32, 0);
            },
        ),
        (
            "1.3/SecP256r1MLKEM768/ecdsa-p256/full",
            "a client's point off the curve",
            Client,
            |f| {
                flip_share(f, Client, 64);
            },
        ),
        (
            "1.3/SecP256r1MLKEM768/ecdsa-p256/full",
            "a server's point off the curve",
            Server,
            |f| {
                flip_share(f, Server, 64);
            },
        ),
        (
            "1.3/SecP384r1MLKEM1024/ecdsa-p384/full",
            "a P-384 point off the curve",
            Client,
            |f| {
                flip_share(f, Client, 96);
            },
        ),
    ];
    for (id, what, sender, tamper) in attacks {
        for link in links(id) {
            // Cut after the hello, nothing but the share is there to be refused.
            let failure = link.failure(*sender as usize, what, |flight| {
                tamper(flight);
                flight.truncate(records(flight)[0].end);
            });
            let name = &link.name;
            let side = peer(*sender);
            let is_refused = failure.is(side, Kind::Cryptography);
            // A server of s2n-tls skips a share that it can't read and asks for another
            // one, of the same group: it is then the client that gives up.
            let may_ask_again = side == Server && link.stack(Server) == "s2n-tls";
            let is_asked_again = may_ask_again
                && (failure.is(Client, Kind::Peer) || failure.is(Client, Kind::Cryptography));
            assert!(is_refused || is_asked_again, "{name}: {what}: {failure:?}");
            assert!(failure.is_told(), "{name}: {what}: {failure:?}");
        }
    }
}

/// How the libraries say that a record did not decrypt; the last is rustls-openssl's.
const DECRYPTION: &[&str] = &["decrypt", "OpenSSL error: OpenSSL error"];

/// A share that is another valid one gives another secret: the hello itself is taken, and
/// the client can't decrypt what comes next. That holds for a flipped ML-KEM ciphertext,
/// too, which FIPS 203 decapsulates to a pseudorandom secret (implicit rejection).
#[test]
fn other_shares_give_other_secrets() {
    let attacks: &[(&str, &str, Side, Tamper)] = &[
        (HYBRID, "the seed of the client's ML-KEM key", Client, |f| {
            flip_share(f, Client, EK - 1);
        }),
        (HYBRID, "the client's X25519 half", Client, |f| {
            flip_share(f, Client, EK);
        }),
        (HYBRID, "the ciphertext's first part", Server, |f| {
            flip_share(f, Server, 0);
        }),
        (HYBRID, "the ciphertext's last byte", Server, |f| {
            flip_share(f, Server, CT - 1);
        }),
        (HYBRID, "the server's X25519 half", Server, |f| {
            flip_share(f, Server, CT);
        }),
        (
            "1.3/MLKEM1024/ecdsa-p256/full",
            "a ciphertext",
            Server,
            |f| {
                flip_share(f, Server, 0);
            },
        ),
        (
            "1.3/MLKEM512/ecdsa-p256/full",
            "a ciphertext",
            Server,
            |f| {
                flip_share(f, Server, 0);
            },
        ),
    ];
    for (id, what, sender, tamper) in attacks {
        for link in links(id) {
            let flight = *sender as usize;
            let failure = link.failure(flight, what, tamper);
            let name = &link.name;
            assert!(
                failure.is(Client, Kind::Cryptography),
                "{name}: {what}: {failure:?}"
            );
            let message = failure.error.to_string();
            let is_decryption = DECRYPTION.iter().any(|words| message.contains(words));
            assert!(is_decryption, "{name}: {what}: {message}");
            // Neither side can read the other: the alert may come under the wrong keys.
            let is_unreadable = failure.echo() == Some(Kind::Cryptography);
            assert!(
                failure.is_told() || is_unreadable,
                "{name}: {what}: {failure:?}"
            );
            if *sender == Server {
                let alone = link.failure(flight, what, |bytes| {
                    tamper(bytes);
                    bytes.truncate(records(bytes)[0].end);
                });
                assert!(alone.is_stall(), "{name}: {what}, alone: {alone:?}");
            }
        }
    }
}

/// TLS 1.2: the attacker sees more, and can change more.
#[test]
fn key_exchange_of_tls12() {
    const SERVER_KEY_EXCHANGE: u8 = 12;
    const CLIENT_KEY_EXCHANGE: u8 = 16;
    const ECDHE: &str = "1.2/x25519/rsa-2048/full";
    const STATIC: &str = "1.2/static-rsa/rsa-2048/full";
    let attacks: &[(&str, usize, &str, Side, Tamper)] = &[
        (
            ECDHE,
            1,
            "the signature of ServerKeyExchange",
            Client,
            |f| {
                let body = message(f, SERVER_KEY_EXCHANGE);
                f[body.end - 1] ^= 1;
            },
        ),
        (ECDHE, 1, "the share in ServerKeyExchange", Client, |f| {
            // After curve type, named curve and length (RFC 8422 section 5.4).
            let body = message(f, SERVER_KEY_EXCHANGE);
            f[body.start + 4] ^= 1;
        }),
        (ECDHE, 2, "the share in ClientKeyExchange", Server, |f| {
            let body = message(f, CLIENT_KEY_EXCHANGE);
            f[body.start + 1] ^= 1;
        }),
        (ECDHE, 2, "zeros in ClientKeyExchange", Server, |f| {
            let body = message(f, CLIENT_KEY_EXCHANGE);
            f[body.start + 1..body.end].fill(0);
        }),
        // RFC 5246 section 7.4.7.1: the server goes on with a random premaster secret, and
        // nobody learns from its answer what was wrong with the padding.
        (STATIC, 2, "the encrypted premaster secret", Server, |f| {
            let body = message(f, CLIENT_KEY_EXCHANGE);
            f[body.start + 100] ^= 1;
        }),
    ];
    for (id, flight, what, side, tamper) in attacks {
        for link in links(id) {
            let failure = link.failure(*flight, what, tamper);
            let name = &link.name;
            assert!(
                failure.is(*side, Kind::Cryptography),
                "{name}: {what}: {failure:?}"
            );
            assert!(failure.is_told(), "{name}: {what}: {failure:?}");
            if *id == STATIC {
                let message = failure.error.to_string();
                assert!(message.contains("bad record mac"), "{name}: {message}");
            }
        }
    }
}

const fn peer(side: Side) -> Side {
    match side {
        Client => Server,
        Server => Client,
    }
}
