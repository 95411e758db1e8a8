//! How long a client waits over TCP on this machine, with the tail.

use std::rc::Rc;

use experiment::{Metric, NetworkName, Scenario, Summary};

use crate::figure::{Body, Curve, Curves, Figure, Scale};
use crate::number::{self, MICROSECONDS, MILLISECONDS, Scaled};
use crate::{Chart, Dataset, titles, view};

pub(super) const CHART: Chart = Chart {
    id: "latency",
    question: "How long does a client wait for a handshake, and how long in the worst cases?",
    plot,
};

/// Percentiles with names.
const MARKS: [(f64, &str); 4] = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9")];

/// More lines than this can't be told apart.
const LINES: usize = 6;

/// Equal distances for each further nine: 50 % at 0.3, 90 % at 1, 99 % at 2.
fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let loopback = NetworkName::loopback();
    let mut scenarios: Vec<&Scenario> = view::handshakes(run, Metric::HandshakeLatency)
        .into_iter()
        .filter(|s| *s.network() == loopback)
        .collect();
    // Full handshakes of one stack first: the others have charts of their own.
    scenarios.sort_by_key(|s| (!view::is_one_stack(s), !view::is_full(s.handshake())));
    scenarios.truncate(LINES);
    let summaries: Vec<_> = scenarios
        .iter()
        .filter_map(|s| Some((*s, view::summary(run, s, Metric::HandshakeLatency)?)))
        .collect();
    let fewest = summaries.iter().map(|(_, summary)| summary.count).min()?;
    let longest = summaries
        .iter()
        .map(|(_, s)| s.quantile(0.5))
        .fold(0.0, f64::max);
    let unit = if longest < 1e6 {
        MICROSECONDS
    } else {
        MILLISECONDS
    };
    let marks: Vec<_> = MARKS
        .into_iter()
        .filter(|(q, _)| view::is_enough_for(*q, fewest))
        .collect();
    let last = marks.last().map_or(0.5, |(q, _)| *q);
    let several = summaries
        .iter()
        .any(|(s, _)| s.client() != summaries[0].0.client());
    let lines = summaries.iter().map(|(scenario, summary)| {
        let handshake = scenario.handshake();
        let steps = 60;
        let points = (0..=steps).map(|step| {
            let position = nines(last) * f64::from(step) / f64::from(steps);
            [
                position,
                summary.quantile(1.0 - 10f64.powf(-position)) / unit.size,
            ]
        });
        let mut name = format!(
            "{}, {}",
            view::key_exchange_title(handshake.key_exchange()),
            view::chain_title(handshake.authentication())
        );
        name.push_str(&view::variant_suffix(handshake));
        if several {
            name = format!("{}: {name}", view::stacks_title(scenario));
        }
        Curve {
            name,
            tone: view::key_exchange_tone(handshake.key_exchange()),
            dash: dash(handshake.authentication().leaf()),
            points: points.collect(),
            marks: marks
                .iter()
                .map(|(q, name)| {
                    (
                        nines(*q),
                        summary.quantile(*q) / unit.size,
                        (*name).to_owned(),
                    )
                })
                .collect(),
        }
    });
    let ticks = [(0.0, "min".to_owned())].into_iter().chain(
        marks
            .iter()
            .map(|(q, name)| (nines(*q), (*name).to_owned())),
    );
    Some(Figure {
        title: title(run, &summaries, unit),
        subtitle: format!(
            "Time from building the client’s connection until it may send, over TCP on \
             the loopback interface, by percentile; at least {} handshakes a line",
            number::count(fewest as f64)
        ),
        body: Body::Curves(Curves {
            x: Scale {
                label: "percentile of handshakes (each step to the right is rarer)".to_owned(),
                ticks: ticks.collect(),
                logarithmic: false,
            },
            y: Scale {
                label: format!("handshake latency, {}", unit.unit),
                ticks: Vec::new(),
                logarithmic: true,
            },
            lines: lines.collect(),
        }),
        notes: vec![
            "Loopback has no distance and no loss: add your round-trip time, and one more where \
             the server’s flight exceeds the initial congestion window."
                .to_owned(),
        ],
    })
}

/// Dashes tell the certificate, colours the key exchange.
fn dash(algorithm: wire::SignatureAlgorithm) -> Vec<f64> {
    if algorithm.facts().post_quantum {
        vec![2.0, 3.0]
    } else if algorithm.rsa_bits().is_some() {
        vec![8.0, 4.0]
    } else {
        Vec::new()
    }
}

fn title(run: &Dataset<'_>, summaries: &[(&Scenario, Rc<Summary>)], unit: Scaled) -> String {
    if let Some(title) = titles::latency(run) {
        return title;
    }
    let median = |summary: &Summary| summary.quantile(0.5) / unit.size;
    let medians: Vec<f64> = summaries
        .iter()
        .map(|(_, summary)| median(summary))
        .collect();
    let low = medians.iter().copied().fold(f64::INFINITY, f64::min);
    let high = medians.iter().copied().fold(0.0, f64::max);
    format!(
        "Half of the handshakes over loopback take {} to {} {} or less",
        number::plain(low.round()),
        number::plain(high.round()),
        unit.unit
    )
}
