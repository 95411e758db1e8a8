//! Handshakes per second, on one core and on all.

use experiment::{Interval, Metric, Scenario};

use super::{legend, segment};
use crate::figure::{Bar, Bars, Body, Figure, Fill, Group, Row};
use crate::palette::Pattern;
use crate::{Chart, Dataset, number, view};

pub(super) const CHART: Chart = Chart {
    id: "throughput",
    question: "How many handshakes per second does this machine do?",
    plot,
};

const KINDS: [(Metric, &str, Pattern); 2] = [
    (Metric::IntervalOneCore, "one core", Pattern::Solid),
    (Metric::IntervalAllCores, "all cores", Pattern::Rising),
];

/// From nanoseconds per handshake to handshakes per second: the ends change places.
fn rate(interval: Interval) -> Option<Interval> {
    let per_second = |ns: f64| 1e9 / ns;
    (interval.low > 0.0).then(|| Interval {
        value: per_second(interval.value),
        low: per_second(interval.high),
        high: per_second(interval.low),
    })
}

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let mut scenarios: Vec<&Scenario> = Vec::new();
    for (metric, ..) in KINDS {
        for scenario in view::handshakes(run, metric) {
            if !scenarios.contains(&scenario) {
                scenarios.push(scenario);
            }
        }
    }
    view::sort(&mut scenarios);
    let several = scenarios
        .iter()
        .any(|s| view::stacks_title(s) != view::stacks_title(scenarios[0]));
    let rate_of = |scenario: &Scenario, metric| rate(view::summary(run, scenario, metric)?.median);
    let rows: Vec<(String, Row)> = scenarios
        .iter()
        .filter_map(|scenario| {
            let handshake = scenario.handshake();
            let tone = view::key_exchange_tone(handshake.key_exchange());
            let bars: Vec<Bar> = KINDS
                .into_iter()
                .filter_map(|(metric, name, pattern)| {
                    let rate = rate_of(scenario, metric)?;
                    Some(Bar {
                        segments: vec![segment(name, Fill::patterned(tone, pattern), rate)],
                        text: format!("{} /s, {name}", number::value(rate)),
                    })
                })
                .collect();
            let mut label = format!(
                "{}, {}{}",
                view::key_exchange_title(handshake.key_exchange()),
                view::chain_title(handshake.authentication()),
                view::version_suffix(handshake)
            );
            label.push_str(&view::variant_suffix(handshake));
            let title = if several {
                view::stacks_title(scenario)
            } else {
                String::new()
            };
            (!bars.is_empty()).then_some((title, Row { label, bars }))
        })
        .collect();
    let groups: Vec<Group> = super::grouped(rows);
    if groups.is_empty() {
        return None;
    }
    let best = scenarios
        .iter()
        .filter_map(|s| Some((s, rate_of(s, Metric::IntervalOneCore)?)))
        .collect::<Vec<_>>();
    let title = title(run, &best).unwrap_or_else(|| "Handshakes per second".to_owned());
    let tones = scenarios
        .iter()
        .map(|s| view::key_exchange_tone(s.handshake().key_exchange()));
    Some(Figure {
        title,
        subtitle: format!(
            "Complete handshakes back to back, client and server on the same core; {} cores in all",
            run.manifest.machine.cores
        ),
        body: Body::Bars(Bars {
            axis: "handshakes per second (client and server together)".to_owned(),
            unit: "per second",
            legend: legend(
                tones,
                &[
                    ("one core: plain", Pattern::Solid),
                    ("all cores: striped", Pattern::Rising),
                ],
            ),
            groups,
            references: Vec::new(),
        }),
        notes: [
            Some(
                "Both sides run on the same machine, so a server that talks to other machines \
                 does more than this. The harness’ own cost is included."
                    .to_owned(),
            ),
            scaling(run, &scenarios),
            disturbance(run, &scenarios),
        ]
        .into_iter()
        .flatten()
        .collect(),
    })
}

/// That further cores brought little, where they did.
fn scaling(run: &Dataset<'_>, scenarios: &[&Scenario]) -> Option<String> {
    let cores = run.manifest.machine.cores;
    let gains = scenarios.iter().filter_map(|scenario| {
        let of = |metric| Some(view::summary(run, scenario, metric)?.median.value);
        Some(of(Metric::IntervalOneCore)? / of(Metric::IntervalAllCores)?)
    });
    let best = gains.filter(|gain| gain.is_finite()).reduce(f64::max)?;
    (cores > 1 && best < 1.0 + 0.5 * (cores - 1) as f64).then(|| {
        format!(
            "The {cores} cores together do at most {} times what one does: these logical CPUs \
             share cores of the processor, or something else was running.",
            number::rounded(best, -1)
        )
    })
}

/// That most of the samples were disturbed, where they were.
fn disturbance(run: &Dataset<'_>, scenarios: &[&Scenario]) -> Option<String> {
    let summaries = scenarios.iter().flat_map(|scenario| {
        KINDS
            .iter()
            .filter_map(|(metric, ..)| view::summary(run, scenario, *metric))
    });
    let (disturbed, taken) = summaries.fold((0, 0), |(disturbed, taken), summary| {
        (disturbed + summary.disturbed, taken + summary.taken)
    });
    (2 * disturbed > taken).then(|| {
        format!(
            "The scheduler took a core away during {} of these samples: the rates are a lower \
             bound, and an idle machine would do more.",
            number::percent(disturbed as f64 / taken as f64)
        )
    })
}

fn title(run: &Dataset<'_>, rates: &[(&&Scenario, Interval)]) -> Option<String> {
    let reference = view::reference(run)?;
    let hybrid = view::with_group(&reference, wire::NamedGroup::X25519MLKEM768)?;
    let of = |scenario: &Scenario| rates.iter().find(|(s, _)| **s == scenario).map(|(_, r)| *r);
    match (of(&reference), of(&hybrid)) {
        (Some(classical), Some(post_quantum)) => Some(format!(
            "One core completes {} handshakes per second with X25519MLKEM768 and {} with {}",
            number::value(post_quantum),
            number::value(classical),
            view::key_exchange_title(reference.handshake().key_exchange()),
        )),
        _ => {
            let (scenario, rate) = rates
                .iter()
                .max_by(|a, b| a.1.value.total_cmp(&b.1.value))?;
            Some(format!(
                "One core completes up to {} handshakes per second ({})",
                number::value(*rate),
                view::key_exchange_title(scenario.handshake().key_exchange())
            ))
        }
    }
}
