//! The same handshake in different stacks, and across them.

use experiment::{KeyExchange, Scenario};
use wire::NamedGroup;

use super::key_exchange::capitalised;
use super::{SIDES, cost_groups, harness_note, legend};
use crate::figure::{Bars, Body, Figure};
use crate::number::NBSP;
use crate::{Chart, Dataset, number, view};

pub(super) const CHART: Chart = Chart {
    id: "stacks",
    question: "How much work is the same handshake in each TLS stack?",
    plot,
};

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let reference = view::reference(run)?;
    let all = view::costed(run);
    let handshakes = [
        reference
            .handshake()
            .with_key_exchange(KeyExchange::Group(NamedGroup::X25519)),
        reference
            .handshake()
            .with_key_exchange(KeyExchange::Group(NamedGroup::X25519MLKEM768)),
    ];
    let shown: Vec<&Scenario> = all
        .into_iter()
        .filter(|s| {
            s.network() == reference.network()
                && handshakes
                    .iter()
                    .flatten()
                    .any(|handshake| handshake == s.handshake())
        })
        .collect();
    let stacks = |s: &Scenario| (s.client().clone(), s.server().clone());
    let mut pairs: Vec<_> = shown.iter().map(|s| stacks(s)).collect();
    pairs.sort();
    pairs.dedup();
    if pairs.len() < 2 {
        return None;
    }
    let mut shown = shown;
    // By handshake first: stacks are compared within one.
    shown.sort_by_key(|s| s.handshake().group() != Some(NamedGroup::X25519));
    let group = |s: &Scenario| {
        format!(
            "{}, {} certificates",
            view::key_exchange_title(s.handshake().key_exchange()),
            view::chain_title(s.handshake().authentication())
        )
    };
    let tone = |s: &Scenario| view::key_exchange_tone(s.handshake().key_exchange());
    let (groups, unit) = cost_groups(run, &shown, group, view::stacks_title, tone)?;
    let name = view::cost_name(run, &reference);
    Some(Figure {
        title: title(run, &reference, &shown)?,
        subtitle: format!(
            "{} of both sides per full handshake; “a to b” is a client of a and a server of b; \
             median with 95 % interval",
            capitalised(name)
        ),
        body: Body::Bars(Bars {
            axis: format!("{name} per handshake, {} (client + server)", unit.unit),
            unit: unit.unit,
            legend: legend(shown.iter().map(|s| tone(s)), SIDES),
            groups,
            references: Vec::new(),
        }),
        notes: harness_note(run, &reference).into_iter().collect(),
    })
}

/// The usual stack beside the one that is furthest from it, in the latest handshake that
/// several have.
fn title(run: &Dataset<'_>, reference: &Scenario, shown: &[&Scenario]) -> Option<String> {
    let last = shown.last()?.handshake();
    let totals: Vec<(f64, &Scenario)> = shown
        .iter()
        .filter(|s| view::is_one_stack(s) && s.handshake() == last)
        .filter_map(|s| Some((super::side_costs(run, s)?.total(), *s)))
        .filter(|(total, _)| *total > 0.0)
        .collect();
    let name = view::key_exchange_title(last.key_exchange());
    let usual = totals
        .iter()
        .find(|(_, s)| s.client() == reference.client())
        .or(totals.first());
    let distance = |total: f64, from: f64| (total / from).ln().abs();
    let other = usual.and_then(|(from, usual)| {
        totals
            .iter()
            .filter(|(_, s)| s != usual)
            .max_by(|a, b| distance(a.0, *from).total_cmp(&distance(b.0, *from)))
    });
    match (usual, other) {
        (Some((from, usual)), Some((to, other))) => Some(format!(
            "A handshake with {name} takes both sides {}{NBSP}µs together in {}, and {} times as \
             much in {}",
            number::three_digits(from / 1e3),
            usual.client(),
            number::rounded(to / from, if to > from { -1 } else { -2 }),
            other.client()
        )),
        _ => Some(format!("A handshake with {name} in several stacks")),
    }
}
