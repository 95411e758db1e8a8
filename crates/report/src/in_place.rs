//! Cryptography timed within handshakes, against the same operations alone: the two are
//! measured by different meters, and should agree.

use experiment::{Metric, Phase, Primitive, PrimitiveOperation, Scenario, Side, Subject};
use wire::ChainAlgorithms;

use crate::Dataset;
use crate::figure::Table;
use crate::number;
use crate::view;

/// A row for each phase whose operations were measured alone, too.
pub(crate) fn table(run: &Dataset<'_>) -> Option<Table> {
    let mut scenarios: Vec<&Scenario> = Vec::new();
    for (side, phase) in phases() {
        for scenario in view::handshakes(run, Metric::Phase(side, phase)) {
            if !scenarios.contains(&scenario) && view::is_full(scenario.handshake()) {
                scenarios.push(scenario);
            }
        }
    }
    view::sort(&mut scenarios);
    let rows: Vec<Vec<String>> = scenarios
        .into_iter()
        .flat_map(|scenario| {
            phases().filter_map(move |(side, phase)| row(run, scenario, side, phase))
        })
        .collect();
    let columns = [
        "handshake",
        "part",
        "in place, µs",
        "alone, µs",
        "in place : alone",
    ];
    (!rows.is_empty()).then(|| Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    })
}

fn phases() -> impl Iterator<Item = (Side, Phase)> {
    let both = Side::BOTH.into_iter();
    both.flat_map(|side| Phase::ALL.into_iter().map(move |phase| (side, phase)))
}

fn row(run: &Dataset<'_>, scenario: &Scenario, side: Side, phase: Phase) -> Option<Vec<String>> {
    let in_place = view::summary(run, scenario, Metric::Phase(side, phase))?;
    let in_place = in_place.median.value;
    let mut alone = 0.0;
    for operation in operations(scenario, side, phase)? {
        let primitive = Subject::Primitive(Primitive {
            provider: provider(scenario, phase)?.parse().ok()?,
            operation,
        });
        alone += run.summary(&primitive, Metric::Operation)?.median.value;
    }
    let part = match phase {
        Phase::GenerateShare => "key share",
        Phase::Agree => "shared secret",
        Phase::Sign => "signature",
        Phase::Verify => "verification of chain and signature",
    };
    Some(vec![
        scenario.to_string(),
        format!("{side}: {part}"),
        number::plain(in_place / 1e3),
        number::plain(alone / 1e3),
        format!("{:.2}", in_place / alone),
    ])
}

/// What a side does in a phase of a handshake that only the server authenticates itself in.
fn operations(scenario: &Scenario, side: Side, phase: Phase) -> Option<Vec<PrimitiveOperation>> {
    let handshake = scenario.handshake();
    let chain: ChainAlgorithms = handshake.authentication();
    if handshake.client_authentication().is_some() {
        return None;
    }
    match (side, phase) {
        (Side::Client, Phase::GenerateShare) => {
            Some(vec![PrimitiveOperation::GenerateShare(handshake.group()?)])
        }
        (Side::Client, Phase::Agree) => {
            Some(vec![PrimitiveOperation::Decapsulate(handshake.group()?)])
        }
        (Side::Server, Phase::Agree) => {
            Some(vec![PrimitiveOperation::Encapsulate(handshake.group()?)])
        }
        (Side::Server, Phase::Sign) => Some(vec![PrimitiveOperation::Sign(chain.leaf())]),
        (Side::Client, Phase::Verify) => {
            let signers = [chain.leaf(), chain.intermediate(), chain.root()];
            Some(signers.map(PrimitiveOperation::Verify).to_vec())
        }
        _ => None,
    }
}

/// Whose operations a stack of rustls uses.
fn provider(scenario: &Scenario, phase: Phase) -> Option<&'static str> {
    let is_key_exchange = matches!(phase, Phase::GenerateShare | Phase::Agree);
    match scenario.client().as_str() {
        "rustls" => Some("aws-lc-rs"),
        "rustls-pqcrypto" if is_key_exchange => Some("pqcrypto"),
        "rustls-pqcrypto" => Some("aws-lc-rs"),
        "rustls-openssl" => Some("openssl"),
        "rustls-graviola" => Some("graviola"),
        _ => None,
    }
}
