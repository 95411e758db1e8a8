//! What a prober offers.

use std::sync::LazyLock;

use rand::RngExt;
use wire::{CipherSuite, GroupKind, GroupStatus, NamedGroup, Offer, SignatureScheme};

use audit::SignatureFamily;

pub(crate) const TLS10: u16 = 0x0301;
pub(crate) const TLS12: u16 = 0x0303;
pub(crate) const TLS13: u16 = 0x0304;

/// Every group that a server may have: all but those for experiments on private code points,
/// which can mean something else to every server. Hybrids come first, as in current clients.
pub(crate) fn groups() -> Vec<NamedGroup> {
    GROUPS.clone()
}

/// Made once: there are hundreds of thousands of offers.
static GROUPS: LazyLock<Vec<NamedGroup>> = LazyLock::new(|| {
    let known = NamedGroup::known().iter();
    let known = known.filter(|facts| facts.status != GroupStatus::Experimental);
    let mut known: Vec<_> = known.collect();
    known.sort_by_key(|facts| {
        let kind = match (facts.kind, facts.status) {
            (_, GroupStatus::Obsolete) => 3,
            (GroupKind::Hybrid, _) => 0,
            (GroupKind::PostQuantum, _) => 1,
            (GroupKind::Classical, _) => 2,
        };
        let favourites = [NamedGroup::X25519MLKEM768, NamedGroup::X25519];
        (kind, !favourites.contains(&facts.code_point))
    });
    known.iter().map(|facts| facts.code_point).collect()
});

/// Groups that a TLS 1.2 server may use, in the order of ordinary clients.
fn classical_groups() -> Vec<NamedGroup> {
    let classical = groups()
        .into_iter()
        .filter(|group| !group.is_post_quantum());
    let mut classical: Vec<NamedGroup> = classical.collect();
    classical.sort_by_key(|group| *group != NamedGroup::X25519);
    classical
}

/// All suites of TLS 1.3; the CCM ones (RFC 8446 appendix B.4) have no entry in the tables.
pub(crate) fn tls13_suites() -> Vec<CipherSuite> {
    let known = CipherSuite::known().iter().filter(|facts| facts.tls13);
    let known = known.map(|facts| facts.code_point);
    known
        .chain([CipherSuite(0x1304), CipherSuite(0x1305)])
        .collect()
}

/// All suites of TLS 1.2 and older.
pub(crate) fn legacy_suites() -> Vec<CipherSuite> {
    let known = CipherSuite::known().iter();
    // Signals have no name in OpenSSL: they are no suites.
    let known = known.filter(|facts| !facts.tls13 && !facts.openssl_name.is_empty());
    let known = known.map(|facts| facts.code_point);
    // What old devices still have, weakest last: 3DES.
    known
        .chain([CipherSuite(0xc012), CipherSuite(0x000a)])
        .collect()
}

/// Every signature scheme, the post-quantum ones first: a server whose certificate is ML-DSA
/// alone refuses whoever does not offer it.
pub(crate) fn schemes() -> Vec<SignatureScheme> {
    SCHEMES.clone()
}

static SCHEMES: LazyLock<Vec<SignatureScheme>> = LazyLock::new(|| {
    let mut known: Vec<_> = SignatureScheme::known().iter().collect();
    known.sort_by_key(|facts| !facts.post_quantum);
    known.iter().map(|facts| facts.code_point).collect()
});

/// The schemes of one family.
pub(crate) fn schemes_of(family: SignatureFamily) -> Vec<SignatureScheme> {
    let begins: &[&str] = match family {
        SignatureFamily::Rsa => &["rsa_"],
        SignatureFamily::Ecdsa => &["ecdsa_"],
        SignatureFamily::Eddsa => &["ed25519", "ed448"],
        SignatureFamily::MlDsa => &["mldsa"],
        SignatureFamily::SlhDsa => &["slhdsa_"],
    };
    let known = SignatureScheme::known().iter();
    let of_family = known.filter(|facts| begins.iter().any(|begin| facts.name.starts_with(begin)));
    of_family.map(|facts| facts.code_point).collect()
}

/// Everything of TLS 1.2 and 1.3, and no key share: the smallest hello that any server can say
/// yes to.
pub(crate) fn everything(server_name: Option<&str>) -> Offer {
    Offer {
        versions: vec![TLS13, TLS12],
        cipher_suites: tls13_suites().into_iter().chain(legacy_suites()).collect(),
        groups: groups(),
        ..base(server_name)
    }
}

/// TLS 1.3 alone, with all groups, and no key share.
pub(crate) fn tls13(server_name: Option<&str>) -> Offer {
    Offer {
        versions: vec![TLS13],
        cipher_suites: tls13_suites(),
        groups: groups(),
        ..base(server_name)
    }
}

/// One of the older versions alone.
pub(crate) fn legacy(server_name: Option<&str>, version: u16) -> Offer {
    Offer {
        versions: vec![version],
        cipher_suites: legacy_suites(),
        groups: classical_groups(),
        // TLS 1.2 knows none of the others, and has signatures of its own before it.
        signature_schemes: match version {
            TLS12 => schemes(),
            _ => Vec::new(),
        },
        ..base(server_name)
    }
}

fn base(server_name: Option<&str>) -> Offer {
    let mut random = rand::rng();
    Offer {
        random: random.random(),
        // For middleboxes (RFC 8446 appendix D.4).
        session_id: random.random::<[u8; 32]>().to_vec(),
        server_name: server_name.map(str::to_owned),
        signature_schemes: schemes(),
        ..Offer::default()
    }
}
