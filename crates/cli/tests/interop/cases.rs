//! Which cases there are: made from what each peer can do.

use wire::{ChainAlgorithms, NamedGroup, ProtocolVersion};

use crate::abilities::{Abilities, ECDSA, ML_DSA, ML_DSA_UNDER_ECDSA};
use crate::expected::{Agreement, Expected, Refusal, Side};
use crate::party::Peer;

/// A connection between pqlab and a peer.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Its place in the list of peers.
    pub(crate) peer: usize,
    /// The peer's side.
    pub(crate) role: Side,
    /// What is tried.
    pub(crate) what: &'static str,
    /// What pqlab connects with, where it is the client.
    pub(crate) verb: Verb,
    /// pqlab's TLS library, if not its default.
    pub(crate) stack: Option<&'static str>,
    pub(crate) version: ProtocolVersion,
    pub(crate) server_groups: Vec<NamedGroup>,
    pub(crate) client_groups: Vec<NamedGroup>,
    /// The server's, the most wanted first.
    pub(crate) chains: Vec<ChainAlgorithms>,
    pub(crate) anchor: Anchor,
    pub(crate) client_certificate: ClientCertificate,
    pub(crate) alpn: Vec<&'static str>,
    pub(crate) resumes: bool,
    pub(crate) expected: Expected,
}

/// pqlab's clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Goes on with a server that it does not trust until the handshake is over, to tell about
    /// it.
    Connect,
    /// Refuses such a server within the handshake.
    Load,
}

/// What the client trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Right,
    Strange,
}

/// Whether the server wants one, and what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientCertificate {
    NotWanted,
    Right,
    Strange,
    Missing,
}

impl Case {
    /// TLS 1.3 with this group and certificate, and nothing else.
    fn plain(peer: usize, role: Side, group: NamedGroup, chain: ChainAlgorithms) -> Self {
        Self {
            peer,
            role,
            what: "TLS 1.3",
            verb: Verb::Connect,
            stack: None,
            version: ProtocolVersion::Tls13,
            server_groups: vec![group],
            client_groups: vec![group],
            chains: vec![chain],
            anchor: Anchor::Right,
            client_certificate: ClientCertificate::NotWanted,
            alpn: Vec::new(),
            resumes: false,
            expected: Expected::Agreed(Agreement {
                version: ProtocolVersion::Tls13,
                group,
                authentication: chain.leaf(),
                has_client_certificate: false,
                alpn: None,
                is_resumed: false,
                has_hello_retry: false,
            }),
        }
    }

    fn named(mut self, what: &'static str) -> Self {
        self.what = what;
        self
    }

    /// Changes what is expected of a handshake that succeeds.
    fn expecting(mut self, change: impl FnOnce(&mut Agreement)) -> Self {
        if let Expected::Agreed(agreement) = &mut self.expected {
            change(agreement);
        }
        self
    }

    fn refused(mut self, refusal: Refusal) -> Self {
        self.expected = Expected::Refused(refusal);
        self
    }

    /// What the table says of groups.
    pub(crate) fn group(&self) -> String {
        let names = |groups: &[NamedGroup]| {
            let names: Vec<_> = groups.iter().map(NamedGroup::to_string).collect();
            names.join(", ")
        };
        if self.client_groups == self.server_groups {
            names(&self.client_groups)
        } else {
            let (client, server) = (names(&self.client_groups), names(&self.server_groups));
            format!("{client} to {server}")
        }
    }

    /// What the table says of certificates.
    pub(crate) fn certificate(&self) -> String {
        let names: Vec<_> = self.chains.iter().map(ChainAlgorithms::to_string).collect();
        names.join(" and ")
    }
}

/// Every case of every peer.
pub(crate) fn all(peers: &[Peer]) -> Vec<Case> {
    let mut all = Vec::new();
    for (index, peer) in peers.iter().enumerate() {
        if let Some((abilities, _)) = &peer.client {
            all.extend(of(index, Side::Client, abilities));
        }
        if let Some((abilities, _)) = &peer.server {
            all.extend(of(index, Side::Server, abilities));
        }
    }
    all
}

fn of(peer: usize, role: Side, abilities: &Abilities) -> Vec<Case> {
    let plain = |group, chain| Case::plain(peer, role, group, chain);
    let best = best_group(abilities);
    let basic = || plain(best, ECDSA);
    let ml_dsa = abilities.ml_dsa();
    let mut cases = Vec::new();
    for &group in &abilities.groups {
        for &chain in &abilities.chains {
            // A browser sends a share for its favourite and is asked for another.
            let retried = abilities.fixed_groups && group == NamedGroup::SECP256R1;
            cases.push(plain(group, chain).expecting(|a| a.has_hello_retry = retried));
        }
    }
    if ml_dsa == Some(ML_DSA) {
        cases.push(plain(best, ML_DSA_UNDER_ECDSA));
    }
    if abilities.tls12 {
        cases.extend(tls12(&basic(), abilities));
    }
    for chain in [ECDSA].into_iter().chain(ml_dsa) {
        let mut case = plain(best, chain).named("pqlab on OpenSSL");
        case.stack = Some("openssl");
        cases.push(case);
    }
    if abilities.mutual_tls {
        cases.extend(mutual_tls(&basic(), ml_dsa));
    }
    // A server without ML-DSA has no second certificate to show.
    let can_have_both = role == Side::Client || ml_dsa.is_some();
    if let Some(shown) = abilities.dual.filter(|_| can_have_both) {
        let mut case = basic()
            .named("dual certificates")
            .expecting(|agreement| agreement.authentication = shown);
        case.chains = vec![ml_dsa.unwrap_or(ML_DSA), ECDSA];
        cases.push(case);
    }
    if abilities.hello_retry {
        let mut case = basic().named("HelloRetryRequest").expecting(|agreement| {
            agreement.group = NamedGroup::SECP256R1;
            agreement.has_hello_retry = true;
        });
        case.client_groups = vec![best, NamedGroup::SECP256R1];
        case.server_groups = vec![NamedGroup::SECP256R1];
        cases.push(case);
    }
    if abilities.http2 && role == Side::Client {
        let mut case = basic()
            .named("HTTP/2")
            .expecting(|agreement| agreement.alpn = Some("h2"));
        case.alpn = vec!["h2", "http/1.1"];
        cases.push(case);
    }
    if abilities.resumption {
        let mut case = basic()
            .named("resumption")
            .expecting(|agreement| agreement.is_resumed = true);
        case.resumes = true;
        cases.push(case);
    }
    cases.push(no_common_group(&basic(), abilities));
    if role == Side::Client && ml_dsa.is_none() {
        let case = plain(best, ML_DSA).named("no signature scheme in common");
        cases.push(case.refused(Refusal::NoCommonScheme));
    }
    cases.extend(wrong_anchor(&basic()));
    cases
}

/// The hybrid that everybody has who has any.
fn best_group(abilities: &Abilities) -> NamedGroup {
    if abilities.groups.contains(&NamedGroup::X25519MLKEM768) {
        NamedGroup::X25519MLKEM768
    } else {
        NamedGroup::X25519
    }
}

fn tls12(basic: &Case, abilities: &Abilities) -> Vec<Case> {
    let chains = abilities.chains.iter().copied();
    // ML-DSA is defined for TLS 1.3 alone.
    let chains = chains.filter(|chain| !chain.leaf().facts().post_quantum);
    let mut cases = Vec::new();
    for chain in chains {
        for group in [NamedGroup::X25519, NamedGroup::SECP256R1] {
            let mut case = Case::plain(basic.peer, basic.role, group, chain)
                .named("TLS 1.2")
                .expecting(|agreement| agreement.version = ProtocolVersion::Tls12);
            case.version = ProtocolVersion::Tls12;
            // There, the list of groups also bounds the curves of certificates (RFC 8422
            // section 5.1).
            if chain == ECDSA && group != NamedGroup::SECP256R1 {
                case.client_groups.push(NamedGroup::SECP256R1);
                case.server_groups.push(NamedGroup::SECP256R1);
            }
            cases.push(case);
        }
    }
    cases
}

fn mutual_tls(basic: &Case, ml_dsa: Option<ChainAlgorithms>) -> Vec<Case> {
    let mut cases = Vec::new();
    for chain in [ECDSA].into_iter().chain(ml_dsa) {
        let mut case = Case::plain(basic.peer, basic.role, basic.client_groups[0], chain)
            .named("mutual TLS")
            .expecting(|agreement| agreement.has_client_certificate = true);
        case.client_certificate = ClientCertificate::Right;
        cases.push(case);
    }
    for (what, certificate, refusal) in [
        (
            "mutual TLS: no certificate",
            ClientCertificate::Missing,
            Refusal::NoClientCertificate,
        ),
        (
            "mutual TLS: strange certificate",
            ClientCertificate::Strange,
            Refusal::UnknownClient,
        ),
    ] {
        let mut case = basic.clone().named(what).refused(refusal);
        case.client_certificate = certificate;
        cases.push(case);
    }
    cases
}

/// A peer without post-quantum groups meets a pqlab that has nothing else; the others meet
/// one that lacks what they offer.
fn no_common_group(basic: &Case, abilities: &Abilities) -> Case {
    let ours = [
        NamedGroup::X25519MLKEM768,
        NamedGroup::SECP256R1MLKEM768,
        NamedGroup::SECP384R1MLKEM1024,
        NamedGroup::MLKEM1024,
    ];
    let lacking = |group: &NamedGroup| !abilities.groups.contains(group);
    let ours = ours.into_iter().find(lacking);
    let ours = ours.unwrap_or(NamedGroup::X25519MLKEM768);
    let theirs = NamedGroup::X25519;
    let mut case = basic
        .clone()
        .named("no group in common")
        .refused(Refusal::NoCommonGroup);
    (case.client_groups, case.server_groups) = match basic.role {
        Side::Client => (vec![theirs], vec![ours]),
        Side::Server => (vec![ours], vec![theirs]),
    };
    case
}

fn wrong_anchor(basic: &Case) -> Vec<Case> {
    let mut case = basic
        .clone()
        .named("wrong trust anchor")
        .refused(Refusal::UnknownServer);
    case.anchor = Anchor::Strange;
    let mut cases = vec![case.clone()];
    if basic.role == Side::Server {
        case.verb = Verb::Load;
        cases.push(case.named("wrong trust anchor, pqlab load"));
    }
    cases
}
