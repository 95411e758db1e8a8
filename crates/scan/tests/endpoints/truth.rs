//! Servers whose truth is known: the scan finds all of it and nothing else, and knows that it
//! does.

mod cookies;
mod names;
mod openssl;
mod others;
mod with_rustls;

use audit::{Answer, Cause, HelloShape, SignatureFamily, TlsService, Tried};
use wire::NamedGroup;

/// What is true of a server.
pub(crate) struct Truth {
    /// In the order in which it prefers them.
    groups: &'static [u16],
    server_decides: bool,
    versions: &'static [u16],
    /// Versions that it answers with an alert that is no clear no.
    vague_versions: &'static [u16],
    /// Whether it takes static RSA.
    static_rsa: bool,
    /// The scheme, or nothing where there is none.
    chains: &'static [(SignatureFamily, &'static str)],
    clients: Clients,
    alpn: &'static [&'static str],
    /// Whether it asks for a client certificate, and goes on without one.
    client_certificate: Option<bool>,
    /// Whether it resumes.
    resumes: bool,
}

/// The group that each client gets, and whether it is asked for it first; `None` where the
/// client is refused.
type Clients = [(&'static str, Option<(u16, bool)>); 6];

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;
const P256: u16 = 0x0017;
const P384: u16 = 0x0018;
const P521: u16 = 0x0019;
const X25519: u16 = 0x001d;
const X448: u16 = 0x001e;
const MLKEM1024: u16 = 0x0202;
const P256_MLKEM768: u16 = 0x11eb;
const X25519_MLKEM768: u16 = 0x11ec;
const P384_MLKEM1024: u16 = 0x11ed;

/// X25519 for everybody, without being asked for it.
const ALL_X25519: Clients = clients([Some((X25519, false)); 6]);
/// The hybrid for all that have it.
const HYBRID_IF_OFFERED: Clients = clients([
    Some((X25519_MLKEM768, false)),
    Some((X25519_MLKEM768, false)),
    Some((X25519_MLKEM768, false)),
    Some((X25519, false)),
    Some((X25519_MLKEM768, false)),
    Some((X25519, false)),
]);

/// In the order of the profiles.
const fn clients(outcomes: [Option<(u16, bool)>; 6]) -> Clients {
    let [chrome, go, node, openssl_30, openssl_35, java] = outcomes;
    [
        ("Chrome 156", chrome),
        ("Go 1.27", go),
        ("Node 26", node),
        ("OpenSSL 3.0", openssl_30),
        ("OpenSSL 3.5", openssl_35),
        ("Java 17", java),
    ]
}

impl Truth {
    /// Holds all that was seen against the truth. What is not supported must have been refused.
    pub(crate) fn check(&self, seen: &TlsService) {
        let has_tls13 = self.versions.contains(&TLS13);
        let in_order: Vec<_> = self.groups.iter().copied().map(NamedGroup).collect();
        let mut groups = in_order.clone();
        groups.sort_by_key(|group| group.0);
        let mut taken = supported("groups", &seen.groups);
        taken.sort_by_key(|group| group.0);
        assert_eq!(taken, groups);
        match seen.preference.supported() {
            Some(preference) => {
                assert_eq!(preference.order, in_order);
                assert_eq!(preference.server_decides, self.server_decides);
            }
            None => assert!(in_order.is_empty(), "{:?}", seen.preference),
        }
        let is_vague = |tried: &&Tried<u16, ()>| self.vague_versions.contains(&tried.offer);
        let (vague, clear): (Vec<_>, Vec<_>) = seen
            .versions
            .iter()
            .cloned()
            .partition(|tried| is_vague(&tried));
        assert_eq!(supported("versions", &clear), self.versions);
        for tried in vague {
            let is_alert = matches!(&tried.answer, Answer::Unknown(u) if u.cause == Cause::Alert);
            assert!(is_alert, "{tried:?}");
        }
        let has_suites = !supported("TLS 1.3 suites", &seen.tls13_suites).is_empty();
        assert_eq!(has_suites, has_tls13);
        self.check_tls12_suites(seen);
        self.check_chains(seen);
        self.check_clients(seen);
        self.check_shapes(seen);
        self.check_sessions(seen, has_tls13);
    }

    fn check_tls12_suites(&self, seen: &TlsService) {
        let suites = supported("TLS 1.2 suites", &seen.tls12_suites);
        assert_eq!(!suites.is_empty(), self.versions.contains(&TLS12));
        let names: Vec<_> = suites.iter().map(ToString::to_string).collect();
        let has_static_rsa = names.iter().any(|name| name.starts_with("TLS_RSA_"));
        assert_eq!(has_static_rsa, self.static_rsa, "{names:?}");
        for tried in &seen.tls12_suites {
            let Some(support) = tried.answer.supported() else {
                continue;
            };
            let name = tried.offer.to_string();
            assert_eq!(support.group.is_some(), name.contains("ECDHE_"), "{name}");
            assert_eq!(support.dh_bits.is_some(), name.contains("_DHE_"), "{name}");
        }
    }

    fn check_chains(&self, seen: &TlsService) {
        let families: Vec<_> = self.chains.iter().map(|(family, _)| *family).collect();
        assert_eq!(supported("chains", &seen.chains), families);
        for (family, scheme) in self.chains {
            let mut all = seen.chains.iter();
            let tried = all.find(|tried| tried.offer == *family).unwrap();
            let chain = tried.answer.supported().unwrap();
            let seen = chain.scheme.map(|scheme| scheme.to_string());
            assert_eq!(seen.unwrap_or_default(), *scheme);
            assert_eq!(chain.certificates.len(), 1);
            assert_eq!(chain.certificates[0].names, ["localhost"]);
            assert!(chain.bytes > chain.certificates[0].bytes);
        }
    }

    fn check_clients(&self, seen: &TlsService) {
        let has_tls13 = self.versions.contains(&TLS13);
        let seen: Vec<_> = seen
            .clients
            .iter()
            .map(|tried| {
                known("clients", tried);
                let outcome = tried.answer.supported().map(|outcome| {
                    assert_eq!(outcome.version, if has_tls13 { TLS13 } else { TLS12 });
                    assert!(outcome.scheme.is_some() && outcome.server_flight > 500);
                    let trips = if has_tls13 { 1 } else { 2 };
                    assert_eq!(
                        outcome.round_trips,
                        trips + u8::from(outcome.has_hello_retry)
                    );
                    (outcome.group.unwrap().0, outcome.has_hello_retry)
                });
                (tried.offer.as_str(), outcome)
            })
            .collect();
        assert_eq!(seen, self.clients);
    }

    /// Where a shape is refused, it has to be for its groups.
    fn check_shapes(&self, seen: &TlsService) {
        let has_tls12 = self.versions.contains(&TLS12);
        let has_tls13 = self.versions.contains(&TLS13);
        let has_classical = self
            .groups
            .iter()
            .any(|g| !NamedGroup(*g).is_post_quantum());
        let shapes: Vec<_> = HelloShape::ALL
            .into_iter()
            .filter(|shape| {
                let is_classical =
                    [HelloShape::Classical, HelloShape::ClassicalAbove1500].contains(shape);
                has_tls12 || (has_tls13 && (has_classical || !is_classical))
            })
            .collect();
        let mut seen = supported("shapes", &seen.tolerance);
        seen.sort();
        assert_eq!(seen, shapes);
    }

    fn check_sessions(&self, seen: &TlsService, has_tls13: bool) {
        if !has_tls13 {
            assert!(
                seen.resumption.is_unknown() && seen.alpn.iter().all(|a| a.answer.is_unknown())
            );
            return;
        }
        assert_eq!(supported("ALPN", &seen.alpn), self.alpn);
        match (self.client_certificate, &seen.client_certificate) {
            (None, answer) => assert!(answer.is_refused(), "{answer:?}"),
            (optional, answer) => {
                let request = answer.supported().unwrap();
                assert_eq!(request.optional, optional);
                assert!(!request.schemes.is_empty());
            }
        }
        match (self.client_certificate, self.resumes, &seen.resumption) {
            // It can't be tried without a certificate.
            (Some(false), _, answer) => assert!(answer.is_unknown(), "{answer:?}"),
            (_, false, answer) => assert!(answer.is_refused(), "{answer:?}"),
            (_, true, answer) => {
                let resumption = answer.supported().unwrap();
                assert!(resumption.accepted && resumption.with_key_exchange);
                assert!(resumption.lifetime > 0);
            }
        }
    }
}

/// What is supported, where nothing is unknown.
fn supported<Q: Clone + std::fmt::Debug, A: std::fmt::Debug>(
    what: &str,
    tried: &[Tried<Q, A>],
) -> Vec<Q> {
    assert!(!tried.is_empty(), "{what}: nothing was asked");
    tried.iter().for_each(|tried| known(what, tried));
    let supported = tried.iter().filter(|tried| tried.answer.is_supported());
    supported.map(|tried| tried.offer.clone()).collect()
}

fn known<Q: std::fmt::Debug, A: std::fmt::Debug>(what: &str, tried: &Tried<Q, A>) {
    assert!(!tried.answer.is_unknown(), "{what}: {tried:?}");
}
