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
    question: "Which TLS stack does the same handshake with how much work?",
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
        title: title(run, &shown)?,
        subtitle: format!(
            "{} of both sides per full handshake; “a to b” is a client of a with a server of b; \
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

/// The stacks with the least and the most work for the latest handshake that several have.
fn title(run: &Dataset<'_>, shown: &[&Scenario]) -> Option<String> {
    let last = shown.last()?.handshake();
    let mut totals: Vec<(f64, &Scenario)> = shown
        .iter()
        .filter(|s| view::is_one_stack(s) && s.handshake() == last)
        .filter_map(|s| Some((super::side_costs(run, s)?.total(), *s)))
        .collect();
    totals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let name = view::key_exchange_title(last.key_exchange());
    let (least, most) = (totals.first(), totals.last());
    match (least, most) {
        (Some((low, least)), Some((high, most))) if totals.len() > 1 && *low > 0.0 => {
            Some(format!(
                "A handshake with {name} takes both sides {}{NBSP}µs in {}, and {} times as much in {}",
                number::rounded(low / 1e3, 0),
                least.client(),
                number::rounded(high / low, -1),
                most.client()
            ))
        }
        _ => Some(format!("A handshake with {name} in several stacks")),
    }
}
