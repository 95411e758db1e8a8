//! Whether endpoints do post-quantum key exchange: yes, no, or not known.

use std::collections::BTreeMap;

use audit::{Algorithm, Endpoint, Resistance, Service, SshService, Target, TlsService};

/// One of three values; "no" is only what the peer said itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyExchange {
    /// At least one post-quantum group or hybrid was taken.
    PostQuantum,
    /// Every one that was asked for was refused, or the protocol has none.
    Classical,
    /// Neither can be told.
    NotKnown,
}

/// Each target with what all its addresses come to: yes only where all do it, no where one
/// does not.
pub(super) fn targets(endpoints: &[Endpoint]) -> BTreeMap<&Target, KeyExchange> {
    let mut targets = BTreeMap::new();
    for endpoint in endpoints {
        let of_address = of_endpoint(endpoint);
        let all = targets.entry(&endpoint.target).or_insert(of_address);
        *all = match (*all, of_address) {
            (KeyExchange::Classical, _) | (_, KeyExchange::Classical) => KeyExchange::Classical,
            (KeyExchange::NotKnown, _) | (_, KeyExchange::NotKnown) => KeyExchange::NotKnown,
            _ => KeyExchange::PostQuantum,
        };
    }
    targets
}

fn of_endpoint(endpoint: &Endpoint) -> KeyExchange {
    match &endpoint.service {
        Service::Tls(service) => of_tls(service),
        Service::Ssh(service) => of_ssh(service),
        Service::Unreachable(_) => KeyExchange::NotKnown,
    }
}

fn of_tls(service: &TlsService) -> KeyExchange {
    let asked = service
        .groups
        .iter()
        .filter(|tried| stands(&Algorithm::of_group(tried.offer)));
    let asked: Vec<_> = asked.map(|tried| &tried.answer).collect();
    // TLS 1.2 has no post-quantum groups.
    let has_no_tls13 = service
        .versions
        .iter()
        .any(|tried| tried.offer == 0x0304 && tried.answer.is_refused());
    if asked.iter().any(|answer| answer.is_supported()) {
        KeyExchange::PostQuantum
    } else if has_no_tls13 || !asked.is_empty() && asked.iter().all(|answer| answer.is_refused()) {
        KeyExchange::Classical
    } else {
        KeyExchange::NotKnown
    }
}

/// SSH servers name all that they take (RFC 4253 section 7.1).
fn of_ssh(service: &SshService) -> KeyExchange {
    let methods = service.key_exchanges.iter();
    let known: Vec<Resistance> = methods
        .filter_map(|method| Algorithm::of_ssh_key_exchange(method))
        .map(|algorithm| algorithm.resistance())
        .collect();
    let is_safe = |one: &Resistance| matches!(one, Resistance::Hybrid | Resistance::PostQuantum);
    if known.iter().any(is_safe) {
        KeyExchange::PostQuantum
    } else if known.is_empty() || known.contains(&Resistance::Unknown) {
        KeyExchange::NotKnown
    } else {
        KeyExchange::Classical
    }
}

/// Whether a quantum computer does not break it. Kyber before the standard is left out: current
/// clients no longer offer it in TLS.
fn stands(algorithm: &Algorithm) -> bool {
    let is_draft = |part: &&Algorithm| matches!(part, Algorithm::OtherPostQuantum(_));
    matches!(
        algorithm.resistance(),
        Resistance::Hybrid | Resistance::PostQuantum
    ) && !algorithm.parts().iter().any(is_draft)
}
