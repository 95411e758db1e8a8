//! Bytes, records and segments of each flight.

use experiment::{Metric, Scenario, Subject};
use stack::{Credentials, NoGauge, Pair, PairError, PhaseTiming};
use wire::Records;

use crate::visit::{Value, Visit, VisitError};

/// TCP payload of a full segment: an Ethernet MTU of 1500 less the headers of IPv4 and TCP
/// with the timestamp option (RFC 7323).
pub(crate) const SEGMENT: usize = 1448;

pub(crate) struct BytesVisit {
    subject: Subject,
    pair: Pair,
}

impl BytesVisit {
    pub(crate) fn new(scenario: &Scenario, credentials: &Credentials) -> Result<Self, PairError> {
        Ok(Self {
            subject: Subject::Handshake(scenario.clone()),
            pair: Pair::new(scenario, credentials, PhaseTiming::Off, stack::by_name)?,
        })
    }
}

impl Visit for BytesVisit {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn visit(&mut self, values: &mut Vec<Value>) -> Result<(), VisitError> {
        self.pair.prepare()?;
        let handshake = *self.pair.handshake_description();
        let established = self.pair.handshake(&mut NoGauge)?;
        established.verify(&handshake)?;
        for (number, (sender, flight)) in (1..).zip(established.transcript.flights()) {
            let records = Records::new(flight).filter(Result::is_ok).count();
            let mut add = |metric, count: usize| {
                values.push(Value::new(metric, i64::try_from(count).unwrap_or(i64::MAX)));
            };
            add(Metric::FlightBytes(number, sender), flight.len());
            add(Metric::FlightRecords(number, sender), records);
            add(
                Metric::FlightSegments(number, sender),
                flight.len().div_ceil(SEGMENT),
            );
        }
        Ok(())
    }
}
