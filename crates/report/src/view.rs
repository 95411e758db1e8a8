//! What every chart and sentence asks of a run.

use std::rc::Rc;

use experiment::{
    Handshake, HandshakeKind, Interval, KeyExchange, Metric, NetworkName, RatioEstimate, Scenario,
    Side, Subject, Summary,
};
use wire::{GroupKind, NamedGroup, ProtocolVersion, SignatureAlgorithm};

use crate::Dataset;
use crate::number;
use crate::palette::Tone;

/// TCP payload of one segment at the usual maximum segment size, with timestamps.
pub(crate) const SEGMENT: f64 = 1448.0;

/// TCP payload of ten segments of 1448 bytes: what a server may send before the first
/// acknowledgement (RFC 6928).
pub(crate) const INITIAL_WINDOW: f64 = 10.0 * SEGMENT;

const NULL: &str = "null";

/// Whether a scenario measures the harness itself.
pub(crate) fn is_null(scenario: &Scenario) -> bool {
    scenario.client().as_str() == NULL || scenario.server().as_str() == NULL
}

/// The handshakes that have samples of a metric, in the order of their axes, without the
/// harness' own.
pub(crate) fn handshakes<'a>(run: &'a Dataset<'_>, metric: Metric) -> Vec<&'a Scenario> {
    let mut scenarios: Vec<&Scenario> = run
        .records()
        .iter()
        .filter(|r| r.replica == 0 && r.metric == metric && !r.samples.is_empty())
        .filter_map(|record| match &record.subject {
            Subject::Handshake(scenario) if !is_null(scenario) => Some(scenario),
            _ => None,
        })
        .collect();
    sort(&mut scenarios);
    scenarios
}

/// Puts scenarios in the order of every chart: by stack, by what key exchange rests on, …
pub(crate) fn sort(scenarios: &mut [&Scenario]) {
    scenarios.sort_by_key(|scenario| {
        let handshake = scenario.handshake();
        (
            stack_rank(scenario),
            key_exchange_rank(handshake.key_exchange()),
            handshake.authentication(),
            handshake.kind(),
            (*scenario).clone(),
        )
    });
}

/// The place of a scenario's stacks in every chart.
pub(crate) fn stack_rank(scenario: &Scenario) -> (bool, usize, usize) {
    let rank = |name: &str| {
        let known = [
            "rustls",
            "rustls-pqcrypto",
            "rustls-graviola",
            "rustls-openssl",
            "openssl",
        ];
        known
            .iter()
            .position(|known| *known == name)
            .unwrap_or(known.len())
    };
    let (client, server) = (scenario.client(), scenario.server());
    (
        client != server,
        rank(client.as_str()),
        rank(server.as_str()),
    )
}

/// The place of a key exchange in every chart: by what it rests on.
pub(crate) fn key_exchange_rank(key_exchange: KeyExchange) -> (u8, u16) {
    match key_exchange {
        KeyExchange::StaticRsa => (0, 0),
        KeyExchange::Group(group) => {
            let class = match group.facts().map(|facts| facts.kind) {
                Some(GroupKind::Classical) | None => 1,
                Some(GroupKind::Hybrid) => 2,
                Some(GroupKind::PostQuantum) => 3,
            };
            // What everything is held against comes first, and its hybrid.
            let usual = [NamedGroup::X25519, NamedGroup::X25519MLKEM768];
            let order = if usual.contains(&group) { 0 } else { group.0 };
            (class, order)
        }
    }
}

/// The metric that tells what a side spends: thread CPU time, or wall time where a run
/// has no other.
pub(crate) fn cost_metric(run: &Dataset<'_>, scenario: &Scenario, side: Side) -> Option<Metric> {
    let subject = Subject::Handshake(scenario.clone());
    [Metric::Cpu(side), Metric::Wall(side)]
        .into_iter()
        .find(|metric| !run.samples(&subject, 0, *metric).is_empty())
}

/// The scenarios that say what a handshake costs both sides.
pub(crate) fn costed<'a>(run: &'a Dataset<'_>) -> Vec<&'a Scenario> {
    let mut scenarios = handshakes(run, Metric::Cpu(Side::Server));
    for scenario in handshakes(run, Metric::Wall(Side::Server)) {
        if !scenarios.contains(&scenario) {
            scenarios.push(scenario);
        }
    }
    scenarios.retain(|scenario| {
        Side::BOTH
            .iter()
            .all(|side| cost_metric(run, scenario, *side).is_some())
    });
    sort(&mut scenarios);
    scenarios
}

/// What the harness itself takes of a metric, in nanoseconds; 0 where it was not measured.
pub(crate) fn harness(run: &Dataset<'_>, metric: Metric) -> f64 {
    run.records()
        .iter()
        .find(|record| {
            record.metric == metric
                && matches!(&record.subject, Subject::Handshake(scenario) if is_null(scenario))
        })
        .and_then(|record| run.summary(&record.subject, metric))
        .map_or(0.0, |summary| summary.median.value)
}

/// What a side spends in one handshake, in nanoseconds, the harness' share subtracted.
pub(crate) fn cost(run: &Dataset<'_>, scenario: &Scenario, side: Side) -> Option<Interval> {
    let metric = cost_metric(run, scenario, side)?;
    let summary = run.summary(&Subject::Handshake(scenario.clone()), metric)?;
    let harness = harness(run, metric);
    Some(number::map(summary.median, |value| {
        (value - harness).max(0.0)
    }))
}

/// What all samples of one metric of a scenario come to.
pub(crate) fn summary(
    run: &Dataset<'_>,
    scenario: &Scenario,
    metric: Metric,
) -> Option<Rc<Summary>> {
    run.summary(&Subject::Handshake(scenario.clone()), metric)
}

/// The replica under which handshakes with clocks inside are filed, as the record's format
/// has it: their phases are parts of these wall times and of no others.
const TIMED_REPLICA: u8 = 2;

/// The wall time of the handshakes whose phases were timed, in nanoseconds, the harness'
/// share subtracted; that of the plain ones where a run has no other.
pub(crate) fn timed_whole(run: &Dataset<'_>, scenario: &Scenario, side: Side) -> Option<f64> {
    let metric = Metric::Wall(side);
    let subject = Subject::Handshake(scenario.clone());
    let timed = Summary::of(run.samples(&subject, TIMED_REPLICA, metric));
    let whole = timed.map_or_else(
        || exact(run, scenario, metric),
        |summary| Some(summary.median.value),
    )?;
    Some((whole - harness(run, metric)).max(0.0))
}

/// The median of a metric that is exact, such as bytes.
pub(crate) fn exact(run: &Dataset<'_>, scenario: &Scenario, metric: Metric) -> Option<f64> {
    summary(run, scenario, metric).map(|summary| summary.median.value)
}

/// Whether a quantile of so many samples says something: five or more lie beyond it.
pub(crate) fn is_enough_for(q: f64, samples: usize) -> bool {
    q <= 0.5 || samples as f64 * (1.0 - q) > 5.0 - 1e-6
}

/// The words for the metric of a scenario's cost.
pub(crate) fn cost_name(run: &Dataset<'_>, scenario: &Scenario) -> &'static str {
    match cost_metric(run, scenario, Side::Server) {
        Some(Metric::Cpu(_)) => "CPU time",
        _ => "time",
    }
}

/// Two scenarios beside each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Contrast {
    /// Candidate minus baseline, in the metric's unit.
    pub(crate) difference: Interval,
    /// Candidate over baseline, the harness' share taken from both.
    pub(crate) ratio: Interval,
    /// Whether the difference is more than noise.
    pub(crate) verdict: Verdict,
}

/// What a comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    More,
    Less,
    /// No measurable difference.
    Same,
}

/// Compares two scenarios, paired within blocks.
pub(crate) fn contrast(
    run: &Dataset<'_>,
    baseline: &Scenario,
    candidate: &Scenario,
    metrics: &[Metric],
) -> Option<Contrast> {
    let base = Subject::Handshake(baseline.clone());
    let estimate = run.ratio(&base, &Subject::Handshake(candidate.clone()), metrics)?;
    let harness: f64 = metrics.iter().map(|metric| harness(run, *metric)).sum();
    let median = Summary::of(&run.sum(&base, 0, metrics))?.median.value;
    let ratio = without_harness(estimate.ratio, median, harness);
    let verdict = verdict(ratio, noise(run, metrics));
    Some(Contrast {
        difference: estimate.difference,
        ratio,
        verdict,
    })
}

/// The cost of one side of two scenarios.
pub(crate) fn cost_contrast(
    run: &Dataset<'_>,
    baseline: &Scenario,
    candidate: &Scenario,
    side: Side,
) -> Option<Contrast> {
    let metric = cost_metric(run, baseline, side)?;
    contrast(run, baseline, candidate, &[metric])
}

/// The ratio of the baseline to itself over some metrics: the noise floor.
pub(crate) fn noise(run: &Dataset<'_>, metrics: &[Metric]) -> Option<Interval> {
    let RatioEstimate { ratio, .. } = run.noise(metrics)?;
    let baseline = run.manifest.baseline.as_ref()?;
    let harness: f64 = metrics.iter().map(|metric| harness(run, *metric)).sum();
    let median = Summary::of(&run.sum(baseline, 0, metrics))?.median.value;
    Some(without_harness(ratio, median, harness))
}

/// From `(b + h + d) / (b + h)` to `(b + d) / b`.
fn without_harness(ratio: Interval, median: f64, harness: f64) -> Interval {
    let own = median - harness;
    if own <= 0.0 {
        return ratio;
    }
    number::map(ratio, |r| 1.0 + (r - 1.0) * median / own)
}

fn verdict(ratio: Interval, noise: Option<Interval>) -> Verdict {
    let floor = noise.map_or(0.0, |noise| {
        (noise.high - 1.0).max(1.0 - noise.low).max(0.0)
    });
    if ratio.low > 1.0 && ratio.value > 1.0 + floor {
        Verdict::More
    } else if ratio.high < 1.0 && ratio.value < 1.0 - floor {
        Verdict::Less
    } else {
        Verdict::Same
    }
}

/// The scenario that the rest is held against: the run's baseline if it is a handshake in
/// memory, else the plainest one with a cost.
pub(crate) fn reference(run: &Dataset<'_>) -> Option<Scenario> {
    let all = costed(run);
    if let Some(Subject::Handshake(scenario)) = &run.manifest.baseline
        && all.contains(&scenario)
    {
        return Some(scenario.clone());
    }
    let is_plain = |scenario: &&&Scenario| {
        let handshake = scenario.handshake();
        handshake.group() == Some(NamedGroup::X25519) && is_full(handshake)
    };
    all.iter()
        .find(is_plain)
        .or(all.first())
        .map(|scenario| (*scenario).clone())
}

/// The kind of a handshake, with client authentication.
pub(crate) fn kind_title(handshake: &Handshake) -> String {
    let kind = match handshake.kind() {
        HandshakeKind::Full => "full",
        HandshakeKind::FullWithHelloRetryRequest => "full, with HelloRetryRequest",
        HandshakeKind::Resumed => "resumed",
        HandshakeKind::EarlyData => "resumed, with 0-RTT data",
    };
    match handshake.client_authentication() {
        None => kind.to_owned(),
        Some(chain) if chain == handshake.authentication() => {
            format!("{kind}, with client certificate")
        }
        Some(chain) => format!("{kind}, with {} client certificate", chain_title(chain)),
    }
}

/// What tells a handshake from the plain full one, to stand behind a label; empty for that.
pub(crate) fn variant_suffix(handshake: &Handshake) -> String {
    let kind = kind_title(handshake);
    let mut suffix = match kind.strip_prefix("full") {
        Some(rest) => rest.to_owned(),
        None => format!(", {kind}"),
    };
    match handshake.tickets() {
        0 => {}
        1 => suffix.push_str(", 1 ticket"),
        tickets => suffix.push_str(&format!(", {tickets} tickets")),
    }
    if !has_usual_suite(handshake) {
        suffix.push_str(&format!(", {}", handshake.cipher_suite()));
    }
    suffix
}

/// A full handshake with one certificate chain and no tickets.
pub(crate) fn is_full(handshake: &Handshake) -> bool {
    handshake.kind() == HandshakeKind::Full
        && handshake.client_authentication().is_none()
        && handshake.tickets() == 0
        && has_usual_suite(handshake)
}

/// Whether the cipher suite is the one that a handshake has when none is named.
pub(crate) fn has_usual_suite(handshake: &Handshake) -> bool {
    Handshake::builder(handshake.key_exchange(), handshake.authentication())
        .version(handshake.version())
        .build()
        .is_ok_and(|usual| usual.cipher_suite() == handshake.cipher_suite())
}

/// Whether both sides are of one stack.
pub(crate) fn is_one_stack(scenario: &Scenario) -> bool {
    scenario.client() == scenario.server()
}

/// The same scenario over another network.
pub(crate) fn over(scenario: &Scenario, network: NetworkName) -> Scenario {
    Scenario::new(
        scenario.client().clone(),
        scenario.server().clone(),
        *scenario.handshake(),
        network,
    )
}

/// The same scenario with another key exchange, if the protocol and the run have it.
pub(crate) fn with_group(scenario: &Scenario, group: NamedGroup) -> Option<Scenario> {
    let handshake = scenario
        .handshake()
        .with_key_exchange(KeyExchange::Group(group))?;
    Some(scenario.with_handshake(handshake))
}

/// The same scenario with another certificate, if the protocol has it.
pub(crate) fn with_certificate(
    scenario: &Scenario,
    algorithm: SignatureAlgorithm,
) -> Option<Scenario> {
    let handshake = scenario.handshake().with_authentication(algorithm.into())?;
    Some(scenario.with_handshake(handshake))
}

/// The bytes of a scenario's flights that one side sends, with the flights' numbers.
pub(crate) fn flights(run: &Dataset<'_>, scenario: &Scenario, side: Side) -> Vec<(u8, f64)> {
    (1..=12)
        .filter_map(|n| Some((n, exact(run, scenario, Metric::FlightBytes(n, side))?)))
        .collect()
}

/// The key exchange as the reader of a chart sees it.
pub(crate) fn key_exchange_title(key_exchange: KeyExchange) -> String {
    match key_exchange {
        KeyExchange::StaticRsa => "RSA key transport".to_owned(),
        KeyExchange::Group(NamedGroup::X25519) => "X25519".to_owned(),
        KeyExchange::Group(group) => group.to_string(),
    }
}

/// The certificate chain as the reader of a chart sees it.
pub(crate) fn chain_title(chain: wire::ChainAlgorithms) -> String {
    let levels = [chain.leaf(), chain.intermediate(), chain.root()];
    if levels.iter().all(|level| *level == levels[0]) {
        return levels[0].facts().title.to_owned();
    }
    levels.map(|level| level.facts().title).join(" + ")
}

/// ` (TLS 1.2)` where it is not the usual version.
pub(crate) fn version_suffix(handshake: &Handshake) -> &'static str {
    match handshake.version() {
        ProtocolVersion::Tls13 => "",
        ProtocolVersion::Tls12 => " (TLS 1.2)",
    }
}

/// `rustls`, or `rustls to openssl`.
pub(crate) fn stacks_title(scenario: &Scenario) -> String {
    if is_one_stack(scenario) {
        scenario.client().to_string()
    } else {
        format!("{} to {}", scenario.client(), scenario.server())
    }
}

/// The colour of a key exchange.
pub(crate) fn key_exchange_tone(key_exchange: KeyExchange) -> Tone {
    match key_exchange {
        KeyExchange::StaticRsa => Tone::Rsa,
        KeyExchange::Group(group) => match group.facts().map(|facts| facts.kind) {
            Some(GroupKind::Classical) | None => Tone::Classical,
            Some(GroupKind::Hybrid) => Tone::Hybrid,
            Some(GroupKind::PostQuantum) => Tone::PostQuantum,
        },
    }
}

/// The colour of a certificate's algorithm.
pub(crate) fn certificate_tone(algorithm: SignatureAlgorithm) -> Tone {
    if algorithm.rsa_bits().is_some() {
        Tone::Rsa
    } else if algorithm.facts().post_quantum {
        Tone::PostQuantum
    } else {
        Tone::Classical
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_the_plain_handshake_is_named() {
        for (id, suffix) in [
            ("1.3/x25519/ecdsa-p256/full", ""),
            (
                "1.3/x25519/ecdsa-p256/full+mutual",
                ", with client certificate",
            ),
            ("1.3/x25519/ecdsa-p256/hrr", ", with HelloRetryRequest"),
            (
                "1.3/x25519/ecdsa-p256/resumed+tickets=2",
                ", resumed, 2 tickets",
            ),
        ] {
            assert_eq!(variant_suffix(&id.parse().unwrap()), suffix, "{id}");
        }
    }
}
