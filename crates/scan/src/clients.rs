//! Ordinary clients, by the ClientHellos that they send: what they would get, and at what cost.
//!
//! Groups, key shares, suites and schemes were recorded from the clients themselves, with their
//! own defaults; names that mean nothing (GREASE) are left out. A test records those again
//! that are installed.

use audit::{ClientOutcome, Tried};
use wire::{CipherSuite, NamedGroup, Offer, SignatureScheme};

use crate::dial::Dialer;
use crate::handshake::{Outcome, show};
use crate::offers::{self, TLS12, TLS13};
use crate::probe::alert_answer;

/// What one client offers.
pub(crate) struct ClientProfile {
    /// Its name and version.
    name: &'static str,
    /// Versions, the preferred one first.
    versions: &'static [u16],
    /// Suites in its order.
    suites: &'static [u16],
    /// Groups in its order.
    groups: &'static [u16],
    /// Those of the groups of which it sends a key share.
    shares: &'static [u16],
    /// Signature schemes in its order.
    schemes: &'static [u16],
    /// Application protocols.
    alpn: &'static [&'static str],
}

const BOTH: &[u16] = &[TLS13, TLS12];
const HYBRID_AND_X25519: &[u16] = &[0x11ec, 0x001d];
#[rustfmt::skip]
const OPENSSL_SUITES: &[u16] = &[
    0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f, 0x009e,
    0xc024, 0xc028, 0x006b, 0xc023, 0xc027, 0x0067, 0xc00a, 0xc014, 0x0039, 0xc009, 0xc013, 0x0033,
    0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f,
];
#[rustfmt::skip]
const OPENSSL_35_SCHEMES: &[u16] = &[
    0x0905, 0x0906, 0x0904, 0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x081a, 0x081b, 0x081c, 0x0809,
    0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0302, 0x0402,
    0x0502, 0x0602,
];
const OPENSSL_35_GROUPS: &[u16] = &[
    0x11ec, 0x001d, 0x0017, 0x001e, 0x0018, 0x0019, 0x0100, 0x0101,
];

/// Recorded in November 2026.
#[rustfmt::skip]
pub(crate) static CLIENTS: [ClientProfile; 6] = [
    ClientProfile {
        name: "Chrome 156",
        versions: BOTH,
        suites: &[
            0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
            0x009c, 0x009d, 0x002f, 0x0035,
        ],
        groups: &[0x11ec, 0x001d, 0x0017, 0x0018],
        shares: HYBRID_AND_X25519,
        schemes: &[
            0x0904, 0x0905, 0x0906, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
        ],
        alpn: &["h2", "http/1.1"],
    },
    ClientProfile {
        name: "Go 1.27",
        versions: BOTH,
        suites: &[
            0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014, 0x1301,
            0x1302, 0x1303,
        ],
        groups: &[0x11ec, 0x11eb, 0x11ed, 0x001d, 0x0017, 0x0018, 0x0019],
        shares: HYBRID_AND_X25519,
        schemes: &[
            0x0904, 0x0905, 0x0906, 0x0804, 0x0403, 0x0807, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601,
            0x0503, 0x0603,
        ],
        alpn: &["h2", "http/1.1"],
    },
    ClientProfile {
        name: "Node 26",
        versions: BOTH,
        suites: &[
            0x1302, 0x1303, 0x1301, 0xc02f, 0xc02b, 0xc030, 0xc02c, 0x009e, 0xc027, 0x0067, 0xc028,
            0x006b, 0x00a3, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc0ad, 0xc09f, 0xc05d, 0xc061, 0xc057,
            0xc053, 0x00a2, 0xc0ac, 0xc09e, 0xc05c, 0xc060, 0xc056, 0xc052, 0xc024, 0x006a, 0xc023,
            0x0040, 0xc00a, 0xc014, 0x0039, 0x0038, 0xc009, 0xc013, 0x0033, 0x0032, 0x009d, 0xc09d,
            0xc051, 0x009c, 0xc09c, 0xc050, 0x003d, 0x003c, 0x0035, 0x002f,
        ],
        groups: OPENSSL_35_GROUPS,
        shares: HYBRID_AND_X25519,
        schemes: OPENSSL_35_SCHEMES,
        alpn: &[],
    },
    ClientProfile {
        name: "OpenSSL 3.0",
        versions: BOTH,
        suites: OPENSSL_SUITES,
        groups: &[
            0x001d, 0x0017, 0x001e, 0x0019, 0x0018, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104,
        ],
        shares: &[0x001d],
        schemes: &[
            0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806,
            0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0302, 0x0402, 0x0502, 0x0602,
        ],
        alpn: &[],
    },
    ClientProfile {
        name: "OpenSSL 3.5",
        versions: BOTH,
        suites: OPENSSL_SUITES,
        groups: OPENSSL_35_GROUPS,
        shares: HYBRID_AND_X25519,
        schemes: OPENSSL_35_SCHEMES,
        alpn: &[],
    },
    ClientProfile {
        name: "Java 17",
        versions: BOTH,
        suites: &[
            0x1302, 0x1301, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xcca8, 0xc02f, 0x009f, 0xccaa,
            0x00a3, 0x009e, 0x00a2, 0xc024, 0xc028, 0xc023, 0xc027, 0x006b, 0x006a, 0x0067, 0x0040,
            0xc00a, 0xc014, 0xc009, 0xc013, 0x0039, 0x0038, 0x0033, 0x0032, 0x009d, 0x009c, 0x003d,
            0x003c, 0x0035, 0x002f,
        ],
        groups: &[
            0x001d, 0x0017, 0x0018, 0x0019, 0x001e, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104,
        ],
        shares: &[0x001d, 0x0017],
        schemes: &[
            0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b,
            0x0401, 0x0501, 0x0601, 0x0402, 0x0303, 0x0301, 0x0302, 0x0203, 0x0201, 0x0202,
        ],
        alpn: &[],
    },
];

impl ClientProfile {
    fn offer(&self, server_name: Option<&str>) -> Offer {
        let groups = |list: &[u16]| list.iter().copied().map(NamedGroup).collect();
        Offer {
            versions: self.versions.to_vec(),
            cipher_suites: self.suites.iter().copied().map(CipherSuite).collect(),
            groups: groups(self.groups),
            signature_schemes: self.schemes.iter().copied().map(SignatureScheme).collect(),
            alpn: self
                .alpn
                .iter()
                .map(|name| name.as_bytes().to_vec())
                .collect(),
            ..offers::everything(server_name)
        }
    }
}

/// What each of them would get.
pub(crate) async fn outcomes(dialer: &Dialer) -> Vec<Tried<String, ClientOutcome>> {
    dialer
        .each(CLIENTS.iter(), async |client| {
            let offer = client.offer(dialer.server_name.as_deref());
            let shares: Vec<NamedGroup> = client.shares.iter().copied().map(NamedGroup).collect();
            let answer = match show(dialer, offer, &shares, None).await {
                Ok(Outcome::Alert(alert)) => alert_answer(alert),
                Err(stopped) => stopped.answer(),
                Ok(Outcome::Shown(shown)) => {
                    // TLS 1.3 lets the client speak after one, older versions after two.
                    let own = if shown.chosen.version == TLS13 { 1 } else { 2 };
                    audit::Answer::Supported(ClientOutcome {
                        version: shown.chosen.version,
                        group: shown.group,
                        suite: shown.chosen.hello.cipher_suite,
                        scheme: shown.scheme,
                        has_hello_retry: shown.has_hello_retry,
                        round_trips: own + u8::from(shown.has_hello_retry),
                        client_hello: shown.client_hello,
                        server_flight: shown.flight,
                    })
                }
            };
            Tried {
                offer: client.name.to_owned(),
                answer,
            }
        })
        .await
}
