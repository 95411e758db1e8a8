//! What goes over the wire, and whether the server's first flight fits the initial window.

use experiment::{Interval, Metric, Scenario, Side};

use super::{SIDES, grouped, legend, segment, side_fill};
use crate::figure::{Bar, Bars, Body, Figure, Reference, Row};
use crate::{Chart, Dataset, number, view};

pub(super) const CHART: Chart = Chart {
    id: "bytes",
    question: "How many bytes does a handshake send, and does the server’s answer need a second \
               round trip?",
    plot,
};

struct Flights<'a> {
    scenario: &'a Scenario,
    client: Vec<(u8, f64)>,
    server: Vec<(u8, f64)>,
}

impl Flights<'_> {
    /// The most that the server sends before the client answers.
    fn server_flight(&self) -> f64 {
        self.server
            .iter()
            .map(|(_, bytes)| *bytes)
            .fold(0.0, f64::max)
    }

    fn client_hello(&self) -> f64 {
        self.client.first().map_or(0.0, |(_, bytes)| *bytes)
    }

    fn row(&self) -> Row {
        let handshake = self.scenario.handshake();
        let tone = view::key_exchange_tone(handshake.key_exchange());
        let bar = |side: Side, flights: &[(u8, f64)], text: String| Bar {
            segments: flights
                .iter()
                .map(|(flight, bytes)| {
                    let exact = Interval {
                        value: *bytes,
                        low: *bytes,
                        high: *bytes,
                    };
                    segment(
                        format!("flight {flight}, {side}"),
                        side_fill(tone, side),
                        exact,
                    )
                })
                .collect(),
            text,
        };
        let sum = |flights: &[(u8, f64)]| {
            let sizes: Vec<String> = flights.iter().map(|(_, b)| number::count(*b)).collect();
            sizes.join(" + ")
        };
        let segments = (self.server_flight() / view::SEGMENT).ceil();
        let beyond = if self.server_flight() > view::INITIAL_WINDOW {
            ", beyond"
        } else {
            ""
        };
        let word = if segments == 1.0 {
            "segment"
        } else {
            "segments"
        };
        Row {
            label: format!(
                "{}, {}{}",
                view::chain_title(handshake.authentication()),
                view::key_exchange_title(handshake.key_exchange()),
                view::version_suffix(handshake)
            ),
            bars: vec![
                bar(Side::Client, &self.client, sum(&self.client)),
                bar(
                    Side::Server,
                    &self.server,
                    format!(
                        "{} ({} {word}{beyond})",
                        sum(&self.server),
                        number::count(segments)
                    ),
                ),
            ],
        }
    }
}

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let mut scenarios = view::handshakes(run, Metric::FlightBytes(1, Side::Client));
    scenarios.retain(|s| view::is_full(s.handshake()) && view::is_one_stack(s));
    let usual = view::reference(run).map(|s| s.client().clone());
    let stack = usual
        .filter(|stack| scenarios.iter().any(|s| s.client() == stack))
        .or_else(|| scenarios.first().map(|s| s.client().clone()))?;
    scenarios.retain(|s| *s.client() == stack);
    scenarios.sort_by_key(|s| s.handshake().authentication());
    let flights: Vec<Flights<'_>> = scenarios
        .into_iter()
        .map(|scenario| Flights {
            scenario,
            client: view::flights(run, scenario, Side::Client),
            server: view::flights(run, scenario, Side::Server),
        })
        .filter(|flights| !flights.server.is_empty())
        .collect();
    if flights.is_empty() {
        return None;
    }
    let tones: Vec<_> = flights
        .iter()
        .map(|f| view::key_exchange_tone(f.scenario.handshake().key_exchange()))
        .collect();
    let groups = grouped(flights.iter().map(|f| (String::new(), f.row())));
    let window = number::count(view::INITIAL_WINDOW);
    Some(Figure {
        title: title(&flights),
        subtitle: format!(
            "Bytes of each flight in one full handshake with {stack}, TLS records included, \
             TCP and IP headers not"
        ),
        body: Body::Bars(Bars {
            axis: "bytes per handshake".to_owned(),
            unit: "bytes",
            legend: legend(tones, SIDES),
            groups,
            references: vec![Reference {
                value: view::INITIAL_WINDOW,
                label: format!("initial congestion window: 10 × 1,448 = {window} bytes"),
            }],
        }),
        notes: vec![
            format!(
                "A server may send {window} bytes before the first acknowledgement (RFC 6928): \
                 what is longer costs one more round trip, unless the server’s window is larger."
            ),
            "A ClientHello beyond 1,448 bytes needs a second segment; some middleboxes expect it \
             in one. The ones here carry one key share and few extensions: a browser’s is longer, \
             and with ML-KEM usually needs two."
                .to_owned(),
        ],
    })
}

fn title(flights: &[Flights<'_>]) -> String {
    let beyond: Vec<&Flights<'_>> = flights
        .iter()
        .filter(|f| f.server_flight() > view::INITIAL_WINDOW)
        .collect();
    let name = |f: &Flights<'_>| {
        let handshake = f.scenario.handshake();
        format!(
            "{} with {}",
            view::chain_title(handshake.authentication()),
            view::key_exchange_title(handshake.key_exchange())
        )
    };
    let split = flights
        .iter()
        .filter(|f| f.client_hello() > view::SEGMENT)
        .count();
    let hello = match split {
        0 => String::new(),
        n => format!("; {n} of {} ClientHellos need two segments", flights.len()),
    };
    match beyond[..] {
        [] => {
            let largest = flights
                .iter()
                .map(Flights::server_flight)
                .fold(0.0, f64::max);
            format!(
                "Every server flight fits the initial congestion window: the largest has {} of \
                 {} bytes{hello}",
                number::count(largest),
                number::count(view::INITIAL_WINDOW)
            )
        }
        [one] => format!(
            "With {}, the server sends {} bytes at once, more than the initial congestion window: \
             one more round trip{hello}",
            name(one),
            number::count(one.server_flight())
        ),
        [..] => {
            let least = beyond
                .iter()
                .min_by(|a, b| a.server_flight().total_cmp(&b.server_flight()));
            let from = least.map(|f| name(f)).unwrap_or_default();
            format!(
                "{} of {} server flights exceed the initial congestion window (one more round trip), \
                 the smallest that of {from}{hello}",
                beyond.len(),
                flights.len(),
            )
        }
    }
}
