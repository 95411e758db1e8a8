//! Why RSA ends: what each step of strength costs.

use std::rc::Rc;

use experiment::{
    KeyExchange, Metric, Primitive, PrimitiveOperation, Scenario, Side, Subject, Summary,
};
use wire::{NamedGroup, NistCategory, ProtocolVersion, SignatureAlgorithm};

use super::{chart_unit, grouped, harness_note, legend, segment};
use crate::figure::{Bar, Bars, Body, Figure, Fill, Row};
use crate::palette::Tone;
use crate::{Chart, Dataset, number, view};

pub(super) const CHART: Chart = Chart {
    id: "rsa",
    question: "What does a server pay for more strength with RSA, and with its successors?",
    plot: plot_handshakes,
};

/// Bits of security against a classical attacker (NIST SP 800-57 part 1 rev. 5, table 2;
/// RSA-4096 by the same formula), and the NIST category for post-quantum algorithms.
fn strength(algorithm: SignatureAlgorithm) -> &'static str {
    use SignatureAlgorithm as A;
    match algorithm {
        A::Rsa2048 => "112 bits",
        A::Rsa3072 | A::EcdsaP256 | A::Ed25519 => "128 bits",
        A::Rsa4096 => "about 150 bits",
        A::EcdsaP384 => "192 bits",
        A::MlDsa44 => "category 2",
        A::MlDsa65 => "category 3, as AES-192",
        A::MlDsa87 => "category 5, as AES-256",
    }
}

fn plot_handshakes(run: &Dataset<'_>) -> Option<Figure> {
    let mut scenarios: Vec<&Scenario> = view::costed(run)
        .into_iter()
        .filter(|s| {
            let handshake = s.handshake();
            view::is_one_stack(s)
                && view::is_full(handshake)
                && (handshake.key_exchange() == KeyExchange::StaticRsa
                    || handshake.version() == ProtocolVersion::Tls13)
        })
        .collect();
    let signed: Vec<_> = scenarios
        .iter()
        .filter(|s| s.handshake().key_exchange() != KeyExchange::StaticRsa)
        .copied()
        .collect();
    let usual = Some(KeyExchange::Group(NamedGroup::X25519MLKEM768));
    let key_exchange = super::most_common(&signed, usual, |s| s.handshake().key_exchange())?;
    let stack = super::most_common(
        &signed,
        view::reference(run).map(|s| s.client().clone()),
        |s| s.client().clone(),
    )?;
    scenarios.retain(|s| {
        let handshake = s.handshake();
        handshake.key_exchange() == KeyExchange::StaticRsa
            || (handshake.key_exchange() == key_exchange && *s.client() == stack)
    });
    scenarios.sort_by_key(|s| {
        let handshake = s.handshake();
        (
            handshake.key_exchange() != KeyExchange::StaticRsa,
            handshake.authentication(),
        )
    });
    let has_rsa = scenarios
        .iter()
        .any(|s| s.handshake().authentication().leaf().rsa_bits().is_some());
    let costs: Vec<_> = scenarios
        .into_iter()
        .filter_map(|s| Some((s, view::cost(run, s, Side::Server)?)))
        .collect();
    if !has_rsa || costs.len() < 2 {
        return None;
    }
    let longest = costs.iter().map(|(_, cost)| cost.value).fold(0.0, f64::max);
    let unit = chart_unit(longest);
    let tone = |s: &Scenario| view::certificate_tone(s.handshake().authentication().leaf());
    let rows = costs.iter().map(|(s, cost)| {
        let handshake = s.handshake();
        let leaf = handshake.authentication().leaf();
        let group = match handshake.key_exchange() {
            KeyExchange::StaticRsa => {
                format!(
                    "RSA key transport in TLS 1.2, {} (no forward secrecy)",
                    s.client()
                )
            }
            key_exchange => format!(
                "Certificates, with {} in TLS 1.3, {}",
                view::key_exchange_title(key_exchange),
                s.client()
            ),
        };
        let cost = unit.of(*cost);
        let row = Row {
            label: format!(
                "{}: {}",
                view::chain_title(handshake.authentication()),
                strength(leaf)
            ),
            bars: vec![Bar {
                segments: vec![segment("server", Fill::solid(tone(s)), cost)],
                text: format!("{}\u{a0}{}", number::value(cost), unit.unit),
            }],
        };
        (group, row)
    });
    let groups = grouped(rows);
    let name = costs
        .first()
        .map_or("CPU time", |(s, _)| view::cost_name(run, s));
    Some(Figure {
        title: handshakes_title(&costs)
            .unwrap_or_else(|| "What a server pays for RSA beside its successors".to_owned()),
        subtitle: format!(
            "{name} of the server per full handshake; strength as NIST SP 800-57 rates it \
             against today’s computers, and as NIST’s category against a quantum computer. RSA \
             and elliptic curves have none"
        ),
        body: Body::Bars(Bars {
            axis: format!("server {name} per handshake, {}", unit.unit),
            unit: unit.unit,
            legend: legend(costs.iter().map(|(s, _)| tone(s)), &[]),
            groups,
            references: Vec::new(),
        }),
        notes: harness_note(run, costs[0].0).into_iter().collect(),
    })
}

fn handshakes_title(costs: &[(&Scenario, experiment::Interval)]) -> Option<String> {
    let of = |algorithm: SignatureAlgorithm| {
        let mut found = costs.iter().filter(|(s, _)| {
            let handshake = s.handshake();
            handshake.authentication() == algorithm.into()
        });
        found
            .clone()
            .find(|(s, _)| s.handshake().key_exchange() != KeyExchange::StaticRsa)
            .or_else(|| found.next())
            .map(|(_, cost)| cost.value)
            .filter(|value| *value > 0.0)
    };
    let times = |a: f64, b: f64| number::rounded(a / b, if a / b < 10.0 { -1 } else { 0 });
    let (small, large) = (
        of(SignatureAlgorithm::Rsa2048)?,
        of(SignatureAlgorithm::Rsa4096)?,
    );
    let growth = format!(
        "An RSA key of twice the length costs the server {} times as much",
        times(large, small)
    );
    match of(SignatureAlgorithm::MlDsa65) {
        Some(mldsa) if mldsa < large => Some(format!(
            "{growth}; ML-DSA-65 is stronger and takes {} of RSA-4096’s time",
            number::percent(mldsa / large)
        )),
        _ => Some(growth),
    }
}
