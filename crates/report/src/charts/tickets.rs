//! What issuing tickets costs.

use experiment::{Metric, Scenario, Side};

use super::{SIDES, chart_unit, grouped, legend, segment, side_fill};
use crate::figure::{Bar, Bars, Body, Figure, Row};
use crate::{Chart, Dataset, number, view};

pub(super) const CHART: Chart = Chart {
    id: "tickets",
    question: "What does it cost to issue tickets?",
    plot,
};

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let mut scenarios: Vec<&Scenario> = view::handshakes(run, Metric::Tickets(Side::Server))
        .into_iter()
        .filter(|s| s.handshake().tickets() > 0)
        .collect();
    view::sort(&mut scenarios);
    let median = |scenario: &Scenario, side| {
        Some(view::summary(run, scenario, Metric::Tickets(side))?.median)
    };
    let longest = scenarios
        .iter()
        .flat_map(|s| Side::BOTH.into_iter().filter_map(|side| median(s, side)))
        .map(|interval| interval.value)
        .fold(0.0, f64::max);
    let unit = chart_unit(longest);
    let rows = scenarios.iter().map(|scenario| {
        let handshake = scenario.handshake();
        let tone = view::key_exchange_tone(handshake.key_exchange());
        let bars = Side::BOTH.into_iter().filter_map(|side| {
            let time = unit.of(median(scenario, side)?);
            Some(Bar {
                segments: vec![segment(side.to_string(), side_fill(tone, side), time)],
                text: format!("{} {}, {side}", number::value(time), unit.unit),
            })
        });
        let tickets = match handshake.tickets() {
            1 => "1 ticket".to_owned(),
            n => format!("{n} tickets"),
        };
        let row = Row {
            label: format!(
                "{tickets}, {}, {}{}",
                view::key_exchange_title(handshake.key_exchange()),
                handshake.kind(),
                view::version_suffix(handshake)
            ),
            bars: bars.collect(),
        };
        (view::stacks_title(scenario), row)
    });
    let groups = grouped(rows);
    let first = scenarios.first()?;
    let time = median(first, Side::Server)?;
    let scaled = number::time_unit(time.value);
    let tones = scenarios
        .iter()
        .map(|s| view::key_exchange_tone(s.handshake().key_exchange()));
    Some(Figure {
        title: format!(
            "Issuing {} {} takes a {} server {}\u{a0}{} after the handshake",
            first.handshake().tickets(),
            if first.handshake().tickets() == 1 {
                "ticket"
            } else {
                "tickets"
            },
            first.server(),
            number::value(scaled.of(time)),
            scaled.unit
        ),
        subtitle: "Wall time that each side spends on tickets once both may send data: not part \
                   of any other time here"
            .to_owned(),
        body: Body::Bars(Bars {
            axis: format!("time on tickets, {}", unit.unit),
            unit: unit.unit,
            legend: legend(tones, SIDES),
            groups,
            references: Vec::new(),
        }),
        notes: Vec::new(),
    })
}
