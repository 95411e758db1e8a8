//! One file per question, one line per chart.

mod authentication;
mod bytes;
mod data;
mod key_exchange;
mod kinds;
mod latency;
mod memory;
mod noise;
mod phases;
mod primitives;
mod quic;
mod rsa;
mod stacks;
mod throughput;
mod tickets;

use std::collections::BTreeMap;

use experiment::{Interval, Scenario, Side};

use crate::figure::{Bar, Fill, Group, Key, Row, Segment};
use crate::number::{self, MICROSECONDS, MILLISECONDS, NANOSECONDS, NBSP, Scaled};
use crate::palette::{Pattern, Tone};
use crate::view;
use crate::{Chart, Dataset};

/// Every chart, in the order of the report.
pub static CHARTS: &[Chart] = &[
    key_exchange::CHART,
    authentication::CHART,
    phases::CHART,
    bytes::CHART,
    latency::CHART,
    quic::CHART,
    rsa::CHART,
    primitives::CHART,
    throughput::CHART,
    data::CHART,
    stacks::CHART,
    kinds::CHART,
    memory::HEAP,
    memory::ALLOCATIONS,
    tickets::CHART,
    noise::CHART,
];

/// The pattern of each side: the client is plain, the server is striped.
const fn side_fill(tone: Tone, side: Side) -> Fill {
    match side {
        Side::Client => Fill::solid(tone),
        Side::Server => Fill::patterned(tone, Pattern::Rising),
    }
}

/// One unit for all times of a chart: microseconds for a handshake, unless it is far off.
fn chart_unit(longest: f64) -> Scaled {
    match longest {
        n if n < 2e3 => NANOSECONDS,
        n if n < 2e7 => MICROSECONDS,
        _ => MILLISECONDS,
    }
}

/// What a tone stands for, in a legend.
const fn tone_name(tone: Tone) -> &'static str {
    match tone {
        Tone::Classical => "classical (elliptic curve)",
        Tone::Hybrid => "hybrid (elliptic curve and ML-KEM)",
        Tone::PostQuantum => "post-quantum alone (ML-KEM, ML-DSA)",
        Tone::Rsa => "RSA",
        Tone::GenerateShare => "client’s key share",
        Tone::Agree => "shared secret",
        Tone::Sign => "handshake signature",
        Tone::Verify => "verification of certificates and signature",
        Tone::Rest => "TLS state machine, hashing, record protection",
        Tone::Neutral => "other",
        Tone::Conforms => "conforms",
        Tone::Limited => "conforms until a day",
        Tone::Violates => "does not conform",
    }
}

/// Legend entries for the tones and, below them, the patterns.
fn legend(tones: impl IntoIterator<Item = Tone>, patterns: &[(&str, Pattern)]) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for tone in tones {
        let key = Key {
            name: tone_name(tone).to_owned(),
            fill: Fill::solid(tone),
        };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.extend(patterns.iter().map(|(name, pattern)| Key {
        name: (*name).to_owned(),
        fill: Fill::patterned(Tone::Neutral, *pattern),
    }));
    keys
}

/// The patterns of the two sides for a legend.
const SIDES: &[(&str, Pattern)] = &[
    ("client: plain", Pattern::Solid),
    ("server: striped", Pattern::Rising),
];

/// A part of a bar with its interval.
fn segment(name: impl Into<String>, fill: Fill, interval: Interval) -> Segment {
    Segment {
        name: name.into(),
        fill,
        value: interval.value,
        interval: (interval.low < interval.high).then_some([interval.low, interval.high]),
    }
}

/// What each side of a scenario spends, in nanoseconds.
struct SideCosts {
    client: Interval,
    server: Interval,
}

fn side_costs(run: &Dataset<'_>, scenario: &Scenario) -> Option<SideCosts> {
    Some(SideCosts {
        client: view::cost(run, scenario, Side::Client)?,
        server: view::cost(run, scenario, Side::Server)?,
    })
}

impl SideCosts {
    fn total(&self) -> f64 {
        self.client.value + self.server.value
    }

    /// Client and server end to end: what one handshake costs the two together.
    fn bar(&self, tone: Tone, unit: Scaled) -> Bar {
        let [client, server] = [self.client, self.server].map(|interval| unit.of(interval));
        let [up, down] = number::values([client, server]);
        let text = format!("{up} + {down} {}", unit.unit);
        Bar {
            segments: vec![
                segment("client", side_fill(tone, Side::Client), client),
                segment("server", side_fill(tone, Side::Server), server),
            ],
            text,
        }
    }
}

/// One bar per scenario, grouped and labelled by functions of the scenario. Groups keep the
/// order in which they first appear.
fn cost_groups(
    run: &Dataset<'_>,
    scenarios: &[&Scenario],
    group: impl Fn(&Scenario) -> String,
    label: impl Fn(&Scenario) -> String,
    tone: impl Fn(&Scenario) -> Tone,
) -> Option<(Vec<Group>, Scaled)> {
    let costs: Vec<(&Scenario, SideCosts)> = scenarios
        .iter()
        .filter_map(|scenario| Some((*scenario, side_costs(run, scenario)?)))
        .collect();
    let longest = costs
        .iter()
        .map(|(_, costs)| costs.total())
        .fold(0.0, f64::max);
    let unit = chart_unit(longest);
    let rows = costs.iter().map(|(scenario, costs)| {
        let row = Row {
            label: label(scenario),
            bars: vec![costs.bar(tone(scenario), unit)],
        };
        (group(scenario), row)
    });
    let groups = grouped(rows);
    (!groups.is_empty()).then_some((groups, unit))
}

/// Collects rows under their headings, in the order in which those first appear.
fn grouped(rows: impl IntoIterator<Item = (String, Row)>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (title, row) in rows {
        match groups.iter_mut().find(|group| group.title == title) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group {
                title,
                rows: vec![row],
            }),
        }
    }
    groups
}

/// The key that most scenarios share; the preferred one wherever at least two have it.
fn most_common<K: Ord + Clone>(
    scenarios: &[&Scenario],
    preferred: Option<K>,
    key: impl Fn(&Scenario) -> K,
) -> Option<K> {
    let mut counts: BTreeMap<K, usize> = BTreeMap::new();
    for scenario in scenarios {
        *counts.entry(key(scenario)).or_default() += 1;
    }
    if let Some(preferred) = preferred
        && counts.get(&preferred).is_some_and(|count| *count > 1)
    {
        return Some(preferred);
    }
    let (best, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count > 0).then_some(best)
}

/// That the harness' share is subtracted, if it is.
fn harness_note(run: &Dataset<'_>, scenario: &Scenario) -> Option<String> {
    let metrics = Side::BOTH.map(|side| view::cost_metric(run, scenario, side));
    let [client, server] = metrics.map(|metric| metric.map_or(0.0, |m| view::harness(run, m)));
    if client + server <= 0.0 {
        return Some("The harness’ own cost was not measured and is included.".to_owned());
    }
    let show = |ns: f64| format!("{}{NBSP}µs", number::rounded(ns / 1e3, -1));
    Some(format!(
        "The harness’ own cost ({} on the client, {} on the server) is subtracted.",
        show(client),
        show(server)
    ))
}
