//! Why RSA ends: what each step of strength costs.

use experiment::{Interval, KeyExchange, Scenario, Side};
use wire::{NamedGroup, NistCategory, ProtocolVersion, SignatureAlgorithm};

use super::key_exchange::capitalised;
use super::{chart_unit, grouped, harness_note, legend, segment};
use crate::figure::{Bar, Bars, Body, Figure, Fill, Row};
use crate::palette::Tone;
use crate::{Chart, Dataset, number, view};

pub(super) const CHART: Chart = Chart {
    id: "rsa",
    question: "What does more strength cost a server with RSA, and with what takes its place?",
    plot,
};

/// Bits of security against a classical attacker (NIST SP 800-57 part 1 rev. 5, table 2;
/// RSA-4096 by the same formula), and the NIST category for post-quantum algorithms.
fn certificate_strength(algorithm: SignatureAlgorithm) -> &'static str {
    use SignatureAlgorithm as A;
    match algorithm {
        A::Rsa2048 => "112 bits",
        A::Rsa3072 | A::EcdsaP256 | A::Ed25519 => "128 bits",
        A::Rsa4096 => "about 150 bits",
        A::EcdsaP384 => "192 bits",
        A::MlDsa44 => "category 2",
        A::MlDsa65 => "category 3, as AES-192",
        A::MlDsa87 => "category 5, as AES-256",
    }
}

/// The same of a group; a hybrid has the category of its ML-KEM.
fn group_strength(group: NamedGroup) -> &'static str {
    match group.facts().map(|facts| facts.nist_category) {
        Some(NistCategory::One) => "category 1, as AES-128",
        Some(NistCategory::Three) => "category 3, as AES-192",
        Some(NistCategory::Five) => "category 5, as AES-256",
        _ => match group {
            NamedGroup::X25519 | NamedGroup::SECP256R1 => "128 bits",
            NamedGroup::SECP384R1 => "192 bits",
            _ => "classical",
        },
    }
}

/// One bar: under which heading, of what, and what it costs the server.
struct Entry<'a> {
    heading: String,
    label: String,
    tone: Tone,
    scenario: &'a Scenario,
    cost: Interval,
}

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let full: Vec<&Scenario> = view::costed(run)
        .into_iter()
        .filter(|s| view::is_one_stack(s) && view::is_full(s.handshake()))
        .collect();
    let mut entries = transport(run, &full);
    entries.extend(successors(run, &full)?);
    let has_rsa = entries.iter().any(|entry| entry.tone == Tone::Rsa);
    if !has_rsa || entries.len() < 2 {
        return None;
    }
    let longest = entries.iter().map(|e| e.cost.value).fold(0.0, f64::max);
    let unit = chart_unit(longest);
    let name = view::cost_name(run, entries[0].scenario);
    let rows = entries.iter().map(|entry| {
        let cost = unit.of(entry.cost);
        let row = Row {
            label: entry.label.clone(),
            bars: vec![Bar {
                segments: vec![segment("server", Fill::solid(entry.tone), cost)],
                text: format!("{}\u{a0}{}", number::value(cost), unit.unit),
            }],
        };
        (entry.heading.clone(), row)
    });
    let groups = grouped(rows);
    Some(Figure {
        title: title(&entries, name)
            .unwrap_or_else(|| "What a server pays for RSA beside its successors".to_owned()),
        subtitle: format!(
            "{} of the server per full handshake. Bits: strength against today’s computers (NIST \
             SP 800-57). Category: NIST’s class of strength against a quantum computer too; RSA \
             and elliptic curves are in none, for it breaks both",
            capitalised(name)
        ),
        body: Body::Bars(Bars {
            axis: format!("server {name} per handshake, {}", unit.unit),
            unit: unit.unit,
            legend: legend(entries.iter().map(|entry| entry.tone), &[]),
            groups,
            references: Vec::new(),
        }),
        notes: harness_note(run, entries[0].scenario).into_iter().collect(),
    })
}

/// RSA key transport, by stack and key length.
fn transport<'a>(run: &Dataset<'_>, full: &[&'a Scenario]) -> Vec<Entry<'a>> {
    let mut scenarios: Vec<&Scenario> = full
        .iter()
        .copied()
        .filter(|s| s.handshake().key_exchange() == KeyExchange::StaticRsa)
        .collect();
    scenarios.sort_by_key(|s| (s.client().clone(), s.handshake().authentication()));
    let entry = |scenario: &'a Scenario| {
        Some(Entry {
            heading: format!(
                "RSA key transport in TLS 1.2, {} (no forward secrecy)",
                scenario.client()
            ),
            label: certificate_label(scenario),
            tone: Tone::Rsa,
            scenario,
            cost: view::cost(run, scenario, Side::Server)?,
        })
    };
    scenarios.into_iter().filter_map(entry).collect()
}

/// In TLS 1.3, of one stack: every certificate with one group, every group with one
/// certificate.
fn successors<'a>(run: &Dataset<'_>, full: &[&'a Scenario]) -> Option<Vec<Entry<'a>>> {
    let modern: Vec<&Scenario> = full
        .iter()
        .copied()
        .filter(|s| s.handshake().version() == ProtocolVersion::Tls13)
        .collect();
    let reference = view::reference(run);
    let hybrid = Some(KeyExchange::Group(NamedGroup::X25519MLKEM768));
    let key_exchange = super::most_common(&modern, hybrid, |s| s.handshake().key_exchange())?;
    let usual = reference.as_ref().map(|s| s.client().clone());
    let stack = super::most_common(&modern, usual, |s| s.client().clone())?;
    let of_stack: Vec<&Scenario> = modern
        .into_iter()
        .filter(|s| *s.client() == stack)
        .collect();
    let entry = |scenario: &'a Scenario, heading: &str, label, tone| {
        Some(Entry {
            heading: heading.to_owned(),
            label,
            tone,
            scenario,
            cost: view::cost(run, scenario, Side::Server)?,
        })
    };
    let mut entries = Vec::new();
    let mut certificates: Vec<&Scenario> = of_stack
        .iter()
        .copied()
        .filter(|s| s.handshake().key_exchange() == key_exchange)
        .collect();
    certificates.sort_by_key(|s| s.handshake().authentication());
    let heading = format!(
        "Certificates, with {} in TLS 1.3, {stack}",
        view::key_exchange_title(key_exchange)
    );
    entries.extend(certificates.into_iter().filter_map(|s| {
        let tone = view::certificate_tone(s.handshake().authentication().leaf());
        entry(s, &heading, certificate_label(s), tone)
    }));
    let chain = reference.map(|s| s.handshake().authentication());
    let chain = super::most_common(&of_stack, chain, |s| s.handshake().authentication())?;
    let groups = of_stack.into_iter().filter_map(|s| {
        let group = s.handshake().group()?;
        (s.handshake().authentication() == chain).then_some((s, group))
    });
    let groups: Vec<(&Scenario, NamedGroup)> = groups.collect();
    let heading = format!(
        "Key exchange, with {} certificates in TLS 1.3, {stack}",
        view::chain_title(chain)
    );
    // A single group compares nothing.
    if groups.len() > 1 {
        entries.extend(groups.into_iter().filter_map(|(s, group)| {
            let key_exchange = KeyExchange::Group(group);
            let name = view::key_exchange_title(key_exchange);
            let label = format!("{name}: {}", group_strength(group));
            entry(s, &heading, label, view::key_exchange_tone(key_exchange))
        }));
    }
    Some(entries)
}

fn certificate_label(scenario: &Scenario) -> String {
    let chain = scenario.handshake().authentication();
    format!(
        "{}: {}",
        view::chain_title(chain),
        certificate_strength(chain.leaf())
    )
}

/// RSA by the length of its key, as a certificate if the run has both lengths of it.
fn title(entries: &[Entry<'_>], name: &str) -> Option<String> {
    let of = |algorithm: SignatureAlgorithm| {
        let found = entries
            .iter()
            .filter(move |e| e.scenario.handshake().authentication() == algorithm.into());
        let is_transport =
            |e: &&Entry<'_>| e.scenario.handshake().key_exchange() == KeyExchange::StaticRsa;
        found
            .clone()
            .find(|e| !is_transport(e))
            .or_else(|| found.clone().next())
            .map(|entry| entry.cost.value)
            .filter(|value| *value > 0.0)
    };
    let times = |a: f64, b: f64| number::rounded(a / b, if a / b < 10.0 { -1 } else { 0 });
    let (small, large) = (
        of(SignatureAlgorithm::Rsa2048)?,
        of(SignatureAlgorithm::Rsa4096)?,
    );
    let growth = format!(
        "RSA-4096 takes {} times the server {name} of RSA-2048",
        times(large, small)
    );
    match of(SignatureAlgorithm::MlDsa65) {
        Some(mldsa) if mldsa < large => Some(format!(
            "{growth}; a handshake with ML-DSA-65 is stronger and takes {} of RSA-4096’s",
            number::whole_percent(mldsa / large)
        )),
        _ => Some(growth),
    }
}
