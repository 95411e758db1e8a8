//! Handshakes over QUIC: CPU time of each side, and what a simulated link shows.

use experiment::{Metric, QuicMetric, Scenario, Side, Subject};
use quic::{AddressValidation, Established, Pair, round_trips};
use stack::{Credentials, PairError};

use crate::cpu::TimeGauge;
use crate::visit::{Value, Visit, VisitError};

/// Handshakes counted in one visit. Those that count round trips come before and warm the
/// caches.
const COUNTED: usize = 2;

pub(crate) struct QuicVisit {
    subject: Subject,
    pair: Pair,
    /// The same with a server that validates addresses first.
    retrying: Pair,
}

impl QuicVisit {
    pub(crate) fn new(scenario: &Scenario, credentials: &Credentials) -> Result<Self, PairError> {
        let pair = |validation| Pair::new(scenario, credentials, validation);
        Ok(Self {
            subject: Subject::Handshake(scenario.clone()),
            pair: pair(AddressValidation::ByHandshake)?,
            retrying: pair(AddressValidation::ByRetry)?,
        })
    }
}

impl Visit for QuicVisit {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn visit(&mut self, values: &mut Vec<Value>) -> Result<(), VisitError> {
        let retried = round_trips(self.retrying.exchange()?.complete);
        values.push(count(QuicMetric::RoundTripsWithRetry, retried));
        if let Some(first_byte) = self.pair.exchange()?.first_byte {
            values.push(count(QuicMetric::FirstByte, round_trips(first_byte)));
        }
        for _ in 0..COUNTED {
            let mut gauge = TimeGauge::default();
            let established = self.pair.handshake(&mut gauge)?;
            values.extend(counts(&established));
            for side in Side::BOTH {
                let metric = Metric::Quic(QuicMetric::Cpu(side));
                values.push(Value::time(metric, gauge.cpu(side)));
            }
        }
        Ok(())
    }
}

fn count(metric: QuicMetric, value: u64) -> Value {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    Value::new(Metric::Quic(metric), value)
}

fn counts(established: &Established) -> impl Iterator<Item = Value> {
    let observation = &established.observation;
    let unvalidated = observation.before_validation;
    let of_both = [
        (QuicMetric::RoundTrips, round_trips(established.complete)),
        (QuicMetric::FirstFlight, observation.first_flight.datagrams),
        (QuicMetric::Unvalidated, unvalidated.sent),
        (QuicMetric::Limit, unvalidated.limit()),
    ];
    let of_sides = Side::BOTH.into_iter().flat_map(|side| {
        let sent = observation.sent(side);
        [
            (QuicMetric::Initials(side), sent.initials),
            (QuicMetric::Datagrams(side), sent.datagrams),
            (QuicMetric::Bytes(side), sent.bytes),
        ]
    });
    let all = of_both.into_iter().chain(of_sides);
    all.map(|(metric, value)| count(metric, value))
}
