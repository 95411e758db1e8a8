//! Records of the handshake: encrypted ones, cut ones, and none at all.

use experiment::{Handshake, NetworkName, Scenario, Side};
use stack::{
    Connection, Credentials, Endpoint, Negotiated, NoGauge, Pair, PairError, PhaseTiming,
    StackError, TlsStack, Unsupported, by_name,
};

use crate::link::{Kind, cache, links};
use crate::surgery::*;

const TLS13: &str = "1.3/X25519MLKEM768/ecdsa-p256/full";
const MUTUAL: &str = "1.3/X25519MLKEM768/ecdsa-p256/full+mutual";
const TLS12: &str = "1.2/x25519/ecdsa-p256/full";
const STATIC: &str = "1.2/static-rsa/rsa-2048/full";

/// Flipped, any bit of an encrypted record makes its check fail: certificate, signature
/// and Finished alike.
#[test]
fn encrypted_records_are_authentic() {
    for (id, flight, side) in [
        (TLS13, 1, Side::Client),
        (TLS13, 2, Side::Server),
        (MUTUAL, 1, Side::Client),
        (MUTUAL, 2, Side::Server),
        (TLS12, 2, Side::Server),
        (TLS12, 3, Side::Client),
        (STATIC, 2, Side::Server),
        (STATIC, 3, Side::Client),
    ] {
        for link in links(id) {
            let mut length = 0;
            let honest = link.attack(|turn, bytes| {
                if turn == flight {
                    length = encrypted(bytes).iter().map(ExactSizeIterator::len).sum();
                }
            });
            assert!(honest.is_ok() && length > 0, "{}", link.name);
            let sample = (0..length - 1).step_by(1 + length / 24).chain([length - 1]);
            for (n, byte) in sample.enumerate() {
                let what = format!("bit {} of encrypted byte {byte} of {length}", n % 8);
                let failure = link.failure(flight, &what, |bytes| {
                    let place = encrypted(bytes).into_iter().flatten().nth(byte);
                    // A signature's length may differ by a byte or two between handshakes.
                    let place = place.unwrap_or(bytes.len() - 1);
                    bytes[place] ^= 1 << (n % 8);
                });
                let name = &link.name;
                assert!(
                    failure.is(side, Kind::Cryptography),
                    "{name}: {what}: {failure:?}"
                );
                assert!(failure.is_told(), "{name}: {what}: {failure:?}");
            }
        }
    }
}

/// The randoms of both hellos, which nothing looks at, are in what the keys come from, and
/// in TLS 1.2 in what the server signs (RFC 8446 section 7.1, RFC 5246 section 7.4.3).
#[test]
fn hellos_are_authentic() {
    for (id, side) in [
        (TLS13, Side::Client),
        (TLS12, Side::Client),
        (STATIC, Side::Server),
    ] {
        for link in links(id) {
            for (flight, what) in [(0, "the client's random"), (1, "the server's random")] {
                let failure = link.failure(flight, what, |bytes| flip_random(bytes));
                let name = &link.name;
                assert!(
                    failure.is(side, Kind::Cryptography),
                    "{name}: {what}: {failure:?}"
                );
            }
        }
    }
}

/// A length in a header is covered as well, if only by what then fails. (Type and version
/// of an encrypted TLS 1.3 record say nothing, and rustls looks at neither.)
#[test]
fn a_shorter_record_fails() {
    for link in links(TLS13) {
        let failure = link.failure(1, "a record one byte shorter", |bytes| {
            let mut records = encrypted(bytes);
            let last = records.pop().unwrap();
            let [high, low] = u16::try_from(last.len() - 1).unwrap().to_be_bytes();
            bytes[last.start - 2..last.start].copy_from_slice(&[high, low]);
        });
        assert!(
            failure.is(Side::Client, Kind::Cryptography),
            "{}: {failure:?}",
            link.name
        );
    }
}

/// What is no TLS at all is called that by whom it reaches.
#[test]
fn garbage_is_the_peers_fault() {
    let garbage: &[(&str, Tamper)] = &[
        ("zeros", |bytes| bytes.fill(0)),
        ("plain HTTP", |bytes| {
            *bytes = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec();
        }),
        ("a record that claims 65,535 bytes", |bytes| {
            bytes[3..5].fill(0xff);
        }),
        ("a handshake message of no known type", |bytes| {
            let first = records(bytes)[0].start;
            bytes[first] = 0xf7;
        }),
    ];
    for id in [TLS13, TLS12] {
        for link in links(id) {
            for (what, tamper) in garbage {
                for (flight, side) in [(0, Side::Server), (1, Side::Client)] {
                    let failure = link.failure(flight, what, tamper);
                    // Whatever the header claims, s2n-tls waits for that many bytes.
                    let waits = link.stack(side) == "s2n-tls" && failure.is_stall();
                    assert!(
                        failure.is(side, Kind::Peer) || waits,
                        "{}: {what}: {failure:?}",
                        link.name
                    );
                }
            }
        }
    }
}

/// Flights that are cut, or empty, leave both sides waiting: nobody errs, and nothing
/// completes.
#[test]
fn cut_flights_stall() {
    for (id, flights) in [(TLS13, 3), (TLS12, 4), (STATIC, 4)] {
        for link in links(id) {
            for flight in 0..flights {
                for kept in [0, 1, 5, 40] {
                    let what = format!("flight {flight} cut to {kept} bytes");
                    let failure = link.failure(flight, &what, |bytes| bytes.truncate(kept));
                    assert!(failure.is_stall(), "{}: {what}: {failure:?}", link.name);
                }
                let what = format!("flight {flight} without its last byte");
                let failure = link.failure(flight, &what, |bytes| {
                    bytes.pop();
                });
                assert!(failure.is_stall(), "{}: {what}: {failure:?}", link.name);
            }
        }
    }
}

/// The harness' own loop tells a stall from a handshake.
#[test]
fn a_pair_notices_a_stall() {
    let handshake: Handshake = TLS13.parse().unwrap();
    let credentials = Credentials::for_handshake(&handshake, &cache()).unwrap();
    for name in ["rustls", "openssl"] {
        for side in Side::BOTH {
            let (cut, honest) = ("cut".parse().unwrap(), name.parse().unwrap());
            let stacks = match side {
                Side::Client => (cut, honest),
                Side::Server => (honest, cut),
            };
            let cutting = Cutting(by_name(&name.parse().unwrap()).unwrap());
            let scenario = Scenario::new(stacks.0, stacks.1, handshake, NetworkName::memory());
            let find = |wanted: &experiment::StackName| match wanted.as_str() {
                "cut" => Ok(&cutting as &dyn TlsStack),
                _ => by_name(wanted),
            };
            let mut pair = Pair::new(&scenario, &credentials, PhaseTiming::Off, find).unwrap();
            let error = pair.handshake(&mut NoGauge).err();
            assert!(
                matches!(
                    error,
                    Some(PairError::Side {
                        error: StackError::Stalled,
                        ..
                    })
                ),
                "{name} as {side}: {error:?}"
            );
        }
    }
}

/// A stack whose flights all lose their last byte.
struct Cutting(&'static dyn TlsStack);

impl TlsStack for Cutting {
    fn name(&self) -> experiment::StackName {
        self.0.name()
    }

    fn library(&self) -> experiment::Library {
        self.0.library()
    }

    fn supports(&self, side: Side, handshake: &Handshake) -> Result<(), Unsupported> {
        self.0.supports(side, handshake)
    }

    fn endpoint(
        &self,
        side: Side,
        handshake: &Handshake,
        credentials: &Credentials,
        timing: PhaseTiming,
    ) -> Result<Box<dyn Endpoint>, StackError> {
        let inner = self.0.endpoint(side, handshake, credentials, timing)?;
        Ok(Box::new(CuttingEndpoint(inner)))
    }
}

struct CuttingEndpoint(Box<dyn Endpoint>);

impl Endpoint for CuttingEndpoint {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        Ok(Box::new(CuttingConnection(self.0.connection()?)))
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        self.0.issuing_connection()
    }

    fn tickets(&self) -> usize {
        self.0.tickets()
    }
}

struct CuttingConnection(Box<dyn Connection>);

impl Connection for CuttingConnection {
    fn advance(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        self.0.advance(input, output)?;
        output.pop();
        Ok(())
    }

    fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }

    fn send(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        self.0.send(plaintext, output)
    }

    fn receive(&mut self, input: &[u8], plaintext: &mut [u8]) -> Result<usize, StackError> {
        self.0.receive(input, plaintext)
    }

    fn negotiated(&self) -> Negotiated {
        self.0.negotiated()
    }

    fn export_keying_material(&self, label: &str, output: &mut [u8]) -> Result<(), StackError> {
        self.0.export_keying_material(label, output)
    }
}
