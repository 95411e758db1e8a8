//! Resumption, HelloRetryRequest, 0-RTT and mutual authentication beside the full handshake.

use experiment::{Handshake, HandshakeKind, Scenario};
use wire::NamedGroup;

use super::key_exchange::capitalised;
use super::{SIDES, cost_groups, harness_note, legend};
use crate::figure::{Bars, Body, Figure};
use crate::{Chart, Dataset, titles, view};

pub(super) const CHART: Chart = Chart {
    id: "kinds",
    question: "What do resumption, a retry, 0-RTT and client certificates change?",
    plot,
};

fn is_variant_of(handshake: &Handshake, full: &Handshake) -> bool {
    view::has_usual_suite(handshake)
        && handshake.tickets() == 0
        && handshake.version() == full.version()
        && handshake.authentication() == full.authentication()
}

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let reference = view::reference(run)?;
    let mut shown: Vec<&Scenario> = view::costed(run)
        .into_iter()
        .filter(|s| {
            s.client() == reference.client()
                && s.server() == reference.server()
                && s.network() == reference.network()
                && is_variant_of(s.handshake(), reference.handshake())
        })
        .collect();
    // A key exchange with one kind only compares nothing.
    let all = shown.clone();
    shown.retain(|s| {
        let same = all
            .iter()
            .filter(|other| other.handshake().key_exchange() == s.handshake().key_exchange());
        same.count() > 1
    });
    let group = |s: &Scenario| view::key_exchange_title(s.handshake().key_exchange());
    let label = |s: &Scenario| view::kind_title(s.handshake());
    let tone = |s: &Scenario| view::key_exchange_tone(s.handshake().key_exchange());
    let (groups, unit) = cost_groups(run, &shown, group, label, tone)?;
    let name = view::cost_name(run, &reference);
    Some(Figure {
        title: title(run, &reference, &shown),
        subtitle: format!(
            "{} of both sides per handshake, {} with {} certificates; median with 95 % interval",
            capitalised(name),
            view::stacks_title(&reference),
            view::chain_title(reference.handshake().authentication())
        ),
        body: Body::Bars(Bars {
            axis: format!("{name} per handshake, {} (client + server)", unit.unit),
            unit: unit.unit,
            legend: legend(shown.iter().map(|s| tone(s)), SIDES),
            groups,
            references: Vec::new(),
        }),
        notes: [
            Some(
                "TLS 1.3 resumption makes a fresh key exchange as well: it saves the certificates \
                 and their signatures. A retry takes one more round trip, which is not in these \
                 times."
                    .to_owned(),
            ),
            harness_note(run, &reference),
        ]
        .into_iter()
        .flatten()
        .collect(),
    })
}

fn title(run: &Dataset<'_>, reference: &Scenario, shown: &[&Scenario]) -> String {
    let full = view::with_group(reference, NamedGroup::X25519MLKEM768)
        .filter(|hybrid| shown.contains(&hybrid))
        .unwrap_or_else(|| reference.clone());
    let resumed = full
        .handshake()
        .with_kind(HandshakeKind::Resumed)
        .map(|handshake| full.with_handshake(handshake));
    let name = view::key_exchange_title(full.handshake().key_exchange());
    let said = resumed.and_then(|resumed| titles::both_sides(run, &full, &resumed));
    let said = said.map(|said| format!("With {name}, resumption {said}"));
    said.unwrap_or_else(|| "What the kind of handshake changes".to_owned())
}
