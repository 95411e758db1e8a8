//! Heap and allocations.

use experiment::{Metric, Scenario, Side};

use super::{SIDES, grouped, legend, segment, side_fill};
use crate::figure::{Bar, Bars, Body, Figure, Row};
use crate::number::{self, KIBIBYTES, Scaled};
use crate::{Chart, Dataset, view};

pub(super) const HEAP: Chart = Chart {
    id: "heap",
    question: "How much memory does an open connection hold?",
    plot: plot_heap,
};

pub(super) const ALLOCATIONS: Chart = Chart {
    id: "allocations",
    question: "How many allocations does a handshake make?",
    plot: plot_allocations,
};

fn plot_heap(run: &Dataset<'_>) -> Option<Figure> {
    let scenarios = scenarios(run, Metric::Heap);
    let rows = rows(run, &scenarios, Metric::Heap, KIBIBYTES)?;
    let held = by_stack(
        run,
        &scenarios,
        Metric::Heap(Side::Server),
        KIBIBYTES,
        [" KiB of heap", " KiB"],
    );
    let title = match held {
        Some(held) => format!("On the server, an open connection holds {held}"),
        None => "Heap that an open connection holds".to_owned(),
    };
    Some(Figure {
        title,
        subtitle: "Heap bytes that each side of an established, idle connection holds, counted by \
                   the allocator"
            .to_owned(),
        body: Body::Bars(bars(
            "heap per connection, KiB (client, server)",
            "KiB",
            &scenarios,
            rows,
        )),
        notes: vec![
            "Memory that a C library takes from its own allocator is counted where it goes \
             through malloc only; kernel buffers are not."
                .to_owned(),
        ],
    })
}

fn plot_allocations(run: &Dataset<'_>) -> Option<Figure> {
    const COUNT: Scaled = Scaled {
        unit: "",
        size: 1.0,
    };
    let scenarios = scenarios(run, Metric::Allocations);
    let rows = rows(run, &scenarios, Metric::Allocations, COUNT)?;
    let made = by_stack(
        run,
        &scenarios,
        Metric::Allocations(Side::Server),
        COUNT,
        [" allocations", ""],
    );
    let title = match made {
        Some(made) => format!("On the server, a handshake makes {made}"),
        None => "Allocations of a handshake".to_owned(),
    };
    Some(Figure {
        title,
        subtitle: "Calls of the allocator by each side during one handshake".to_owned(),
        body: Body::Bars(bars(
            "allocations per handshake (client, server)",
            "",
            &scenarios,
            rows,
        )),
        notes: Vec::new(),
    })
}

fn scenarios<'a>(run: &'a Dataset<'_>, metric: fn(Side) -> Metric) -> Vec<&'a Scenario> {
    let mut scenarios = view::handshakes(run, metric(Side::Server));
    for scenario in view::handshakes(run, metric(Side::Client)) {
        if !scenarios.contains(&scenario) {
            scenarios.push(scenario);
        }
    }
    view::sort(&mut scenarios);
    scenarios
}

fn rows(
    run: &Dataset<'_>,
    scenarios: &[&Scenario],
    metric: fn(Side) -> Metric,
    unit: Scaled,
) -> Option<Vec<(String, Row)>> {
    let rows: Vec<(String, Row)> = scenarios
        .iter()
        .map(|scenario| {
            let handshake = scenario.handshake();
            let tone = view::key_exchange_tone(handshake.key_exchange());
            let bars = Side::BOTH.into_iter().filter_map(|side| {
                let median = unit.of(view::summary(run, scenario, metric(side))?.median);
                Some(Bar {
                    segments: vec![segment(side.to_string(), side_fill(tone, side), median)],
                    text: format!("{} {}", shown(median.value), unit.unit)
                        .trim()
                        .to_owned(),
                })
            });
            let mut label = format!(
                "{}, {}{}",
                view::key_exchange_title(handshake.key_exchange()),
                view::chain_title(handshake.authentication()),
                view::version_suffix(handshake)
            );
            label.push_str(&view::variant_suffix(handshake));
            (
                view::stacks_title(scenario),
                Row {
                    label,
                    bars: bars.collect(),
                },
            )
        })
        .collect();
    (!rows.is_empty()).then_some(rows)
}

/// A number of this size at the digits that the eye compares.
fn shown(value: f64) -> String {
    number::rounded(
        value,
        if value < 100.0 && value.fract() != 0.0 {
            -1
        } else {
            0
        },
    )
}

fn bars(axis: &str, unit: &'static str, scenarios: &[&Scenario], rows: Vec<(String, Row)>) -> Bars {
    let tones = scenarios
        .iter()
        .map(|s| view::key_exchange_tone(s.handshake().key_exchange()));
    Bars {
        axis: axis.to_owned(),
        unit,
        legend: legend(tones, SIDES),
        groups: grouped(rows),
        references: Vec::new(),
    }
}

/// The range of one metric in each stack, with what is counted behind the first and behind
/// the others: `7.4 KiB of heap with rustls, 22.4 to 30.9 KiB with openssl`.
fn by_stack(
    run: &Dataset<'_>,
    scenarios: &[&Scenario],
    metric: Metric,
    unit: Scaled,
    [first, others]: [&str; 2],
) -> Option<String> {
    let ranges: Vec<String> = scenarios
        .chunk_by(|a, b| view::stacks_title(a) == view::stacks_title(b))
        .enumerate()
        .filter_map(|(at, same)| {
            let medians = same
                .iter()
                .filter_map(|s| view::exact(run, s, metric))
                .map(|value| value / unit.size);
            let low = shown(medians.clone().reduce(f64::min)?);
            let high = shown(medians.reduce(f64::max)?);
            let range = if low == high {
                low
            } else {
                format!("{low} to {high}")
            };
            let stack = view::stacks_title(same[0]);
            let counted = if at == 0 { first } else { others };
            Some(format!("{range}{counted} with {stack}"))
        })
        .collect();
    (!ranges.is_empty()).then(|| ranges.join(", "))
}
