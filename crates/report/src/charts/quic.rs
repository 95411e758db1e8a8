//! Round trips of a handshake over QUIC, and whether the server was held back by what it may
//! send to a client that it does not know yet.

use experiment::{KeyExchange, Metric, QuicMetric, Scenario, Side};
use wire::NamedGroup;

use super::{grouped, legend};
use crate::figure::{Bar, Bars, Body, Figure, Fill, Row, Segment};
use crate::palette::Pattern;
use crate::{Chart, Dataset, number, view};

pub(super) const CHART: Chart = Chart {
    id: "quic",
    question: "How many round trips does a handshake take over QUIC?",
    plot,
};

/// What a further round trip looks like.
const PATTERNS: &[(&str, Pattern)] = &[
    (
        "the round trip that every handshake takes: plain",
        Pattern::Solid,
    ),
    ("the server waits for the client: striped", Pattern::Rising),
];

/// What the simulated link showed of one scenario.
struct Link<'a> {
    scenario: &'a Scenario,
    round_trips: f64,
    /// Datagrams of the client before the server's first.
    first_flight: f64,
    /// Bytes that the server sent before it knew the client, and might have sent.
    unvalidated: f64,
    limit: f64,
}

impl<'a> Link<'a> {
    fn of(run: &Dataset<'_>, scenario: &'a Scenario) -> Option<Self> {
        let exact = |metric| view::exact(run, scenario, Metric::Quic(metric));
        Some(Self {
            scenario,
            round_trips: exact(QuicMetric::RoundTrips)?,
            first_flight: exact(QuicMetric::FirstFlight)?,
            unvalidated: exact(QuicMetric::Unvalidated)?,
            limit: exact(QuicMetric::Limit)?,
        })
    }

    /// Whether the server had to stop at the limit.
    fn is_stopped(&self) -> bool {
        self.round_trips > 1.0 && self.unvalidated >= self.limit
    }

    fn row(&self) -> Row {
        let handshake = self.scenario.handshake();
        let tone = view::key_exchange_tone(handshake.key_exchange());
        let part = |name: &str, fill, value| Segment {
            name: name.to_owned(),
            fill,
            value,
            interval: None,
        };
        let first = self.round_trips.clamp(0.0, 1.0);
        let mut segments = vec![part("first", Fill::solid(tone), first)];
        if self.round_trips > 1.0 {
            let fill = Fill::patterned(tone, Pattern::Rising);
            segments.push(part("waiting", fill, self.round_trips - first));
        }
        let datagrams = match self.first_flight {
            1.0 => "1 datagram".to_owned(),
            n => format!("{} datagrams", number::count(n)),
        };
        let limit = number::count(self.limit);
        let what = if self.is_stopped() {
            format!("stopped at {limit} bytes")
        } else {
            let sent = number::count(self.unvalidated);
            format!("sent {sent} of {limit} bytes")
        };
        Row {
            label: view::key_exchange_title(handshake.key_exchange()),
            bars: vec![Bar {
                segments,
                text: format!(
                    "{}: {datagrams} up, {what}",
                    number::count(self.round_trips)
                ),
            }],
        }
    }

    fn has(&self, chain: wire::ChainAlgorithms, group: NamedGroup) -> bool {
        let handshake = self.scenario.handshake();
        handshake.authentication() == chain && handshake.key_exchange() == KeyExchange::Group(group)
    }
}

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let mut scenarios = view::handshakes(run, Metric::Quic(QuicMetric::RoundTrips));
    // What a HelloRetryRequest or a client certificate adds is another question.
    scenarios.retain(|scenario| view::is_full(scenario.handshake()));
    scenarios.sort_by_key(|scenario| scenario.handshake().authentication());
    let links: Vec<Link<'_>> = scenarios
        .into_iter()
        .filter_map(|scenario| Link::of(run, scenario))
        .collect();
    if links.is_empty() {
        return None;
    }
    let groups = grouped(links.iter().map(|link| {
        let chain = link.scenario.handshake().authentication();
        (view::chain_title(chain), link.row())
    }));
    let tones = links
        .iter()
        .map(|link| view::key_exchange_tone(link.scenario.handshake().key_exchange()));
    Some(Figure {
        title: title(&links),
        subtitle: "Round trips until the client may send a request: with the datagrams of the \
                   ClientHello, and what the server sends before it knows that the client is at \
                   its address. quinn’s protocol code over a simulated link without loss"
            .to_owned(),
        body: Body::Bars(Bars {
            axis: "round trips".to_owned(),
            unit: "round trips",
            legend: legend(tones, PATTERNS),
            groups,
            references: Vec::new(),
        }),
        notes: notes(run, &links),
    })
}

/// Where the hybrid saves or costs a round trip, and why.
fn title(links: &[Link<'_>]) -> String {
    let (classical, hybrid) = (NamedGroup::X25519, NamedGroup::X25519MLKEM768);
    let mut pairs: Vec<(wire::ChainAlgorithms, &Link<'_>, &Link<'_>)> = Vec::new();
    for link in links {
        let chain = link.scenario.handshake().authentication();
        let of = |group| links.iter().find(|other| other.has(chain, group));
        if link.has(chain, classical)
            && let Some(other) = of(hybrid)
        {
            pairs.push((chain, link, other));
        }
    }
    let chains = |wanted: fn(f64) -> bool| -> Vec<String> {
        let found = pairs
            .iter()
            .filter(|(_, a, b)| wanted(b.round_trips - a.round_trips));
        found.map(|(chain, ..)| view::chain_title(*chain)).collect()
    };
    let listed = |chains: &[String]| match chains {
        [one] => format!("with {one}"),
        [one, other] => format!("with {one} and {other}"),
        more => format!("with {} of {} certificate chains", more.len(), pairs.len()),
    };
    let (saved, added) = (chains(|d| d < 0.0), chains(|d| d > 0.0));
    let is_longer = pairs
        .iter()
        .any(|(_, a, b)| b.first_flight > a.first_flight);
    match (&saved[..], &added[..]) {
        _ if pairs.is_empty() => "Round trips of a handshake over QUIC".to_owned(),
        ([], []) => "Over QUIC, X25519MLKEM768 takes as many round trips as X25519".to_owned(),
        (saved, []) => {
            let why = if is_longer {
                ": its longer ClientHello lets the server send more at first"
            } else {
                ""
            };
            format!(
                "Over QUIC, X25519MLKEM768 saves a round trip {}{why}",
                listed(saved)
            )
        }
        ([], added) => format!(
            "Over QUIC, X25519MLKEM768 adds a round trip {}",
            listed(added)
        ),
        (saved, added) => format!(
            "Over QUIC, X25519MLKEM768 saves a round trip {} and adds one {}",
            listed(saved),
            listed(added)
        ),
    }
}

fn notes(run: &Dataset<'_>, links: &[Link<'_>]) -> Vec<String> {
    let mut notes = vec![
        "Until a client shows that it is at its address, a server may send it three times what \
         it has received (RFC 9000, section 8.1). A ClientHello that needs two datagrams of \
         1,200 bytes doubles that. After that, a congestion window of ten datagrams bounds what \
         goes out in one round trip (RFC 9002, section 7.2)."
            .to_owned(),
    ];
    let retried: Vec<f64> = links
        .iter()
        .filter_map(|link| {
            let metric = Metric::Quic(QuicMetric::RoundTripsWithRetry);
            Some(view::exact(run, link.scenario, metric)? - link.round_trips)
        })
        .collect();
    if !retried.is_empty() {
        let slower = retried.iter().filter(|more| **more > 0.0).count();
        notes.push(format!(
            "A server that validates addresses with a Retry before anything else takes a round \
             trip more in {slower} of these {}: it is free where the server would have waited \
             for the client anyhow.",
            retried.len()
        ));
    }
    notes.extend(cost(run, links));
    notes
}

/// The CPU time of one handshake, beside that of TLS alone where the run has it.
fn cost(run: &Dataset<'_>, links: &[Link<'_>]) -> Option<String> {
    let chain = view::reference(run).map(|scenario| scenario.handshake().authentication());
    let is_usual =
        |link: &&Link<'_>| chain.is_some_and(|chain| link.has(chain, NamedGroup::X25519MLKEM768));
    let link = links.iter().find(is_usual).or(links.first())?;
    let quic = |side| {
        let metric = Metric::Quic(QuicMetric::Cpu(side));
        Some(view::summary(run, link.scenario, metric)?.median)
    };
    let sized = |interval| number::sized(interval, number::interval_unit(interval));
    let handshake = link.scenario.handshake();
    let mut note = format!(
        "With {} and {}, a handshake over QUIC takes {} of CPU time on the client and {} on the \
         server, QUIC’s own encryption and bookkeeping included",
        view::key_exchange_title(handshake.key_exchange()),
        view::chain_title(handshake.authentication()),
        sized(quic(Side::Client)?),
        sized(quic(Side::Server)?),
    );
    let tls = |side| view::cost(run, link.scenario, side);
    match (tls(Side::Client), tls(Side::Server)) {
        (Some(client), Some(server)) => {
            let alone = format!("; TLS alone takes {} and {}.", sized(client), sized(server));
            note.push_str(&alone);
        }
        _ => note.push('.'),
    }
    Some(note)
}
