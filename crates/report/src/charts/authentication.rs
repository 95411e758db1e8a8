//! What each certificate algorithm costs, in the same group.

use experiment::{KeyExchange, Scenario};
use wire::NamedGroup;

use super::key_exchange::capitalised;
use super::{SIDES, cost_groups, harness_note, legend, most_common};
use crate::figure::{Bars, Body, Figure};
use crate::{Chart, Dataset, titles, view};

pub(super) const CHART: Chart = Chart {
    id: "authentication",
    question: "What does a handshake cost with each kind of certificate?",
    plot,
};

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let reference = view::reference(run)?;
    let all: Vec<&Scenario> = view::costed(run)
        .into_iter()
        .filter(|s| {
            let handshake = s.handshake();
            view::is_one_stack(s)
                && view::is_full(handshake)
                && s.network() == reference.network()
                && handshake.version() == reference.handshake().version()
        })
        .collect();
    let hybrid = KeyExchange::Group(NamedGroup::X25519MLKEM768);
    let key_exchange = most_common(&all, Some(hybrid), |s| s.handshake().key_exchange())?;
    let same: Vec<&Scenario> = all
        .into_iter()
        .filter(|s| s.handshake().key_exchange() == key_exchange)
        .collect();
    // A stack with one certificate only compares nothing.
    let count = |s: &Scenario| {
        same.iter()
            .filter(|other| other.client() == s.client())
            .count()
    };
    let shown: Vec<&Scenario> = same.iter().copied().filter(|s| count(s) > 1).collect();
    let label = |s: &Scenario| view::chain_title(s.handshake().authentication());
    let tone = |s: &Scenario| view::certificate_tone(s.handshake().authentication().leaf());
    let (groups, unit) = cost_groups(run, &shown, view::stacks_title, label, tone)?;
    let name = view::cost_name(run, &reference);
    let key_exchange = view::key_exchange_title(key_exchange);
    Some(Figure {
        title: titles::certificate(run)
            .unwrap_or_else(|| format!("What certificates cost with {key_exchange}")),
        subtitle: format!(
            "{} of both sides per full handshake with {key_exchange}; the chain is of one \
             algorithm except where several are named; median with 95 % interval",
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
