//! Who gets what: endpoints and ordinary clients.

use audit::{Algorithm, Answer, ClientOutcome, Endpoint, Resistance, Service, TlsService};
use serde::Serialize;
use wire::version_name;

use super::words;

/// Endpoints beyond these have no row.
const MOST_ROWS: usize = 60;

/// A table whose cells say it in words and in colour.
#[derive(Debug, Serialize)]
pub(super) struct ClientsPage {
    clients: Vec<String>,
    rows: Vec<ClientsRow>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ClientsRow {
    endpoint: String,
    address: Option<String>,
    cells: Vec<ClientCell>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ClientCell {
    /// The class of its colours.
    class: &'static str,
    /// What the colour means.
    word: &'static str,
    /// What was negotiated.
    text: String,
    /// What is odd about it.
    note: String,
}

/// How many pairs of endpoint and client were answered, and in how many of them the key
/// exchange stands against a quantum computer.
pub(super) fn answered(endpoints: &[Endpoint]) -> (usize, usize) {
    let outcomes = endpoints.iter().filter_map(service).flat_map(|service| {
        let tried = service.clients.iter();
        tried.filter_map(|tried| tried.answer.supported())
    });
    let classes: Vec<&str> = outcomes.map(|outcome| key_exchange(outcome).0).collect();
    let safe = classes
        .iter()
        .filter(|class| ["hybrid", "pure"].contains(class));
    (classes.len(), safe.count())
}

fn service(endpoint: &Endpoint) -> Option<&TlsService> {
    match &endpoint.service {
        Service::Tls(service) => Some(service),
        Service::Ssh(_) | Service::Unreachable(_) => None,
    }
}

impl ClientsPage {
    /// `None` where no ordinary client was tried anywhere.
    pub(super) fn new(endpoints: &[Endpoint]) -> Option<Self> {
        let mut clients: Vec<&str> = Vec::new();
        for tried in endpoints
            .iter()
            .filter_map(service)
            .flat_map(|one| &one.clients)
        {
            if !clients.contains(&tried.offer.as_str()) {
                clients.push(&tried.offer);
            }
        }
        if clients.is_empty() {
            return None;
        }
        let (ssh, others): (Vec<&Endpoint>, Vec<&Endpoint>) = endpoints
            .iter()
            .partition(|endpoint| matches!(endpoint.service, Service::Ssh(_)));
        let rows = others.iter().take(MOST_ROWS);
        let rows = rows
            .map(|endpoint| row(endpoint, &clients, &others))
            .collect();
        let mut notes = Vec::new();
        if others.len() > MOST_ROWS {
            notes.push(format!(
                "The first {MOST_ROWS} of {}; the scan's own JSON has the others.",
                words::count(others.len(), "address", "addresses")
            ));
        }
        if !ssh.is_empty() {
            notes.push(format!(
                "Left out, since these clients speak TLS: {} of SSH.",
                words::count(ssh.len(), "endpoint", "endpoints")
            ));
        }
        Some(Self {
            clients: clients.into_iter().map(str::to_owned).collect(),
            rows,
            notes,
        })
    }
}

fn row(endpoint: &Endpoint, clients: &[&str], all: &[&Endpoint]) -> ClientsRow {
    let cell = |client: &&str| match &endpoint.service {
        Service::Tls(service) => {
            let tried = service.clients.iter().find(|tried| tried.offer == **client);
            tried.map_or_else(|| not_known("not asked"), |tried| cell(&tried.answer))
        }
        Service::Unreachable(why) => not_known(&why.to_string()),
        Service::Ssh(_) => not_known("not asked"),
    };
    let addresses = all.iter().filter(|other| other.target == endpoint.target);
    let address = endpoint.address.filter(|_| addresses.count() > 1);
    ClientsRow {
        endpoint: endpoint.target.to_string(),
        address: address.map(|address| address.to_string()),
        cells: clients.iter().map(cell).collect(),
    }
}

fn not_known(reason: &str) -> ClientCell {
    ClientCell {
        class: "unclear",
        word: "not known",
        text: String::new(),
        note: reason.to_owned(),
    }
}

fn cell(answer: &Answer<ClientOutcome>) -> ClientCell {
    let outcome = match answer {
        Answer::Supported(outcome) => outcome,
        Answer::Refused(refusal) => {
            return ClientCell {
                class: "violates",
                word: "none",
                text: "no handshake".to_owned(),
                note: refusal.said.clone(),
            };
        }
        Answer::Unknown(why) => return not_known(&why.to_string()),
    };
    let (class, word, text) = key_exchange(outcome);
    let mut notes = Vec::new();
    if outcome.version != 0x0304 {
        notes.push(version_name(outcome.version));
    }
    if outcome.has_hello_retry {
        notes.push("one round trip more".to_owned());
    }
    ClientCell {
        class,
        word,
        text,
        note: notes.join(", "),
    }
}

/// Class, word, and what the keys come from.
fn key_exchange(outcome: &ClientOutcome) -> (&'static str, &'static str, String) {
    if let Some(group) = outcome.group {
        let (class, word) = match Algorithm::of_group(group).resistance() {
            Resistance::Vulnerable => ("classical", "classical"),
            Resistance::Hybrid => ("hybrid", "hybrid"),
            Resistance::PostQuantum => ("pure", "pure post-quantum"),
            Resistance::Unknown => ("unclear", "not known"),
        };
        return (class, word, group.to_string());
    }
    let facts = outcome.suite.facts();
    if facts.is_some_and(|facts| facts.static_rsa) {
        ("classical", "classical", "RSA key transport".to_owned())
    } else if facts.is_some_and(|facts| facts.name.contains("_DHE_")) {
        ("classical", "classical", "finite-field DH".to_owned())
    } else {
        ("unclear", "not known", outcome.suite.to_string())
    }
}
