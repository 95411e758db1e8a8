//! Prices of a change, from a run on the user's own machine.

use std::path::Path;

use anyhow::{Result, anyhow};
use audit::{Algorithm, Interval, Measured, Prices};
use experiment::{HandshakeKind, KeyExchange, Metric, NetworkName, Run, Scenario, Side, Subject};
use wire::{ChainAlgorithms, NamedGroup, ProtocolVersion, SignatureAlgorithm};

use crate::bad_input;

/// Full TLS 1.3 handshakes in memory that rustls made with itself, which is measured for every
/// group and certificate.
pub(super) fn of_run(folder: &Path) -> Result<Prices> {
    let run = Run::load(folder).map_err(bad_input)?;
    let mut prices = Prices {
        run: run.manifest.started.clone(),
        machine: machine(&run),
        key_establishment: Vec::new(),
        signatures: Vec::new(),
    };
    for record in run.records() {
        let Subject::Handshake(scenario) = &record.subject else {
            continue;
        };
        if record.metric != Metric::Cpu(Side::Server) || record.replica != 0 || !is_plain(scenario)
        {
            continue;
        }
        let handshake = scenario.handshake();
        let KeyExchange::Group(group) = handshake.key_exchange() else {
            continue;
        };
        let chain = handshake.authentication();
        if chain == SignatureAlgorithm::EcdsaP256.into()
            && let Some(measured) = measured(&run, scenario, Algorithm::of_group(group))
        {
            prices.key_establishment.push(measured);
        }
        // Certificates are compared under the key exchange that they will be used with.
        if group == NamedGroup::X25519MLKEM768
            && let Some(algorithm) = uniform(chain)
            && let Some(measured) = measured(&run, scenario, signature(algorithm)?)
        {
            prices.signatures.push(measured);
        }
    }
    match prices.key_establishment.is_empty() && prices.signatures.is_empty() {
        true => Err(bad_input(anyhow!(
            "{} has no full handshake of rustls in memory: `pqlab run` measures them",
            folder.display()
        ))),
        false => Ok(prices),
    }
}

fn machine(run: &Run) -> String {
    let machine = &run.manifest.machine;
    format!(
        "{}, {} CPUs, {}",
        machine.cpu, machine.cores, machine.system
    )
}

/// The algorithm of a chain that has one only.
fn uniform(chain: ChainAlgorithms) -> Option<SignatureAlgorithm> {
    SignatureAlgorithm::ALL
        .into_iter()
        .find(|algorithm| chain == ChainAlgorithms::uniform(*algorithm))
}

fn is_plain(scenario: &Scenario) -> bool {
    let handshake = scenario.handshake();
    scenario.client().as_str() == "rustls"
        && scenario.server().as_str() == "rustls"
        && *scenario.network() == NetworkName::memory()
        && handshake.version() == ProtocolVersion::Tls13
        && handshake.kind() == HandshakeKind::Full
        && handshake.client_authentication().is_none()
        && handshake.tickets() == 0
}

fn signature(algorithm: SignatureAlgorithm) -> Result<Algorithm> {
    use SignatureAlgorithm as S;
    let name = match algorithm {
        S::EcdsaP256 => "P-256",
        S::EcdsaP384 => "P-384",
        other => other.facts().title,
    };
    Ok(name.parse()?)
}

/// The bytes that an initial window of ten segments holds (RFC 6928).
const INITIAL_WINDOW: f64 = trace::INITIAL_WINDOW as f64;

fn measured(run: &Run, scenario: &Scenario, algorithm: Algorithm) -> Option<Measured> {
    let subject = Subject::Handshake(scenario.clone());
    let cpu = |side| {
        // The harness' own share is in both sides of a difference.
        let median = run.summary(&subject, Metric::Cpu(side))?.median;
        let micros = |nanos: f64| nanos / 1000.0;
        Some(Interval {
            value: micros(median.value),
            low: micros(median.low),
            high: micros(median.high),
        })
    };
    let bytes = |side| -> f64 {
        let flight = |number| run.summary(&subject, Metric::FlightBytes(number, side));
        let flights = (1..=8).filter_map(flight);
        flights.map(|summary| summary.median.value).sum()
    };
    let (up, down) = (bytes(Side::Client), bytes(Side::Server));
    // Nothing measured is no price of nothing.
    (up > 0.0 && down > 0.0).then_some(())?;
    Some(Measured {
        algorithm,
        client: cpu(Side::Client)?,
        server: cpu(Side::Server)?,
        bytes_up: up as u64,
        bytes_down: down as u64,
        round_trips: if down > INITIAL_WINDOW { 2.0 } else { 1.0 },
    })
}
