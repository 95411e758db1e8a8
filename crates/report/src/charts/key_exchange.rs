//! What each key exchange costs, everything else being equal.

use experiment::{KeyExchange, Scenario};
use wire::NamedGroup;

use super::{SIDES, cost_groups, harness_note, legend, most_common};
use crate::figure::{Bars, Body, Figure};
use crate::{Chart, Dataset, titles, view};

pub(super) const CHART: Chart = Chart {
    id: "key-exchange",
    question: "What does a handshake cost with each key exchange?",
    plot,
};

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let reference = view::reference(run)?;
    let all: Vec<&Scenario> = view::costed(run)
        .into_iter()
        .filter(|s| {
            view::is_one_stack(s)
                && view::is_full(s.handshake())
                && s.network() == reference.network()
        })
        .collect();
    let usual = reference.handshake().authentication();
    let chain = most_common(&all, Some(usual), |s| s.handshake().authentication())?;
    // Static RSA needs an RSA key: its own baseline is ECDHE with the same certificate.
    let rsa_chains: Vec<_> = all
        .iter()
        .filter(|s| s.handshake().key_exchange() == KeyExchange::StaticRsa)
        .map(|s| (s.client(), s.handshake().authentication()))
        .collect();
    // What longer keys cost is the question of another chart: here they would dwarf the rest.
    let is_shortest = |s: &Scenario| {
        let mut of_stack = rsa_chains.iter().filter(|(stack, _)| *stack == s.client());
        of_stack.all(|(_, chain)| s.handshake().authentication() <= *chain)
    };
    let shown: Vec<&Scenario> = all
        .iter()
        .copied()
        .filter(|s| {
            let handshake = s.handshake();
            handshake.authentication() == chain
                || (handshake.key_exchange() == KeyExchange::StaticRsa && is_shortest(s))
                || (rsa_chains.contains(&(s.client(), handshake.authentication()))
                    && is_shortest(s)
                    && handshake.group() == Some(NamedGroup::X25519))
        })
        .collect();
    if shown.len() < 2 {
        return None;
    }
    let label = |s: &Scenario| {
        let handshake = s.handshake();
        let name = view::key_exchange_title(handshake.key_exchange());
        let version = view::version_suffix(handshake);
        if handshake.authentication() == chain {
            format!("{name}{version}")
        } else {
            format!(
                "{name}, {}{version}",
                view::chain_title(handshake.authentication())
            )
        }
    };
    let tone = |s: &Scenario| view::key_exchange_tone(s.handshake().key_exchange());
    let (groups, unit) = cost_groups(run, &shown, view::stacks_title, label, tone)?;
    let name = view::cost_name(run, &reference);
    let title = titles::hybrid(run).unwrap_or_else(|| {
        format!(
            "What {} key exchanges cost in a full handshake",
            shown.len()
        )
    });
    Some(Figure {
        title,
        subtitle: format!(
            "{} of both sides per full handshake, {} certificates except where named; median \
             with 95 % interval",
            capitalised(name),
            view::chain_title(chain)
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

/// With a capital first letter.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
