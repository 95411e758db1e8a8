//! Heap that a connection holds, and allocations that a handshake makes.

use experiment::{Metric, Scenario, Side, Subject};
use stack::{Credentials, Gauge, NoGauge, Pair, PairError, PhaseTiming, Stage};

use crate::heap;
use crate::visit::{Value, Visit, VisitError};

pub(crate) struct MemoryVisit {
    subject: Subject,
    pair: Pair,
}

impl MemoryVisit {
    pub(crate) fn new(scenario: &Scenario, credentials: &Credentials) -> Result<Self, PairError> {
        Ok(Self {
            subject: Subject::Handshake(scenario.clone()),
            pair: Pair::new(scenario, credentials, PhaseTiming::Off, stack::by_name)?,
        })
    }
}

impl Visit for MemoryVisit {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn visit(&mut self, values: &mut Vec<Value>) -> Result<(), VisitError> {
        let handshake = *self.pair.handshake_description();
        // What a library allocates once and keeps is no connection's.
        self.pair.prepare()?;
        self.pair.handshake(&mut NoGauge)?.verify(&handshake)?;
        self.pair.prepare()?;
        let mut gauge = HeapGauge::default();
        heap::start();
        let result = self.pair.handshake(&mut gauge).map(|established| {
            let verified = established.verify(&handshake);
            let (client, server) = (established.client, established.server);
            let before = heap::used().live;
            drop(client);
            let between = heap::used().live;
            drop(server);
            (verified, [before - between, between - heap::used().live])
        });
        heap::stop();
        let (verified, held) = result?;
        verified?;
        for side in Side::BOTH {
            let used = gauge.sides[side as usize];
            values.push(Value::new(Metric::Heap(side), held[side as usize]));
            values.push(Value::new(Metric::HeapPeak(side), used.peak));
            values.push(Value::new(Metric::Allocations(side), used.allocations));
        }
        Ok(())
    }
}

/// Follows each side's heap through its steps.
#[derive(Debug, Default)]
struct HeapGauge {
    sides: [SideUse; 2],
    at_begin: heap::HeapUse,
}

#[derive(Debug, Clone, Copy, Default)]
struct SideUse {
    live: i64,
    peak: i64,
    allocations: i64,
}

impl Gauge for HeapGauge {
    fn begin(&mut self, _: Side) {
        heap::reset_peak();
        self.at_begin = heap::used();
    }

    fn end(&mut self, side: Side, _: Stage) {
        let now = heap::used();
        let used = &mut self.sides[side as usize];
        used.peak = used.peak.max(used.live + now.peak - self.at_begin.live);
        used.live += now.live - self.at_begin.live;
        let allocations = now.allocations - self.at_begin.allocations;
        used.allocations += i64::try_from(allocations).unwrap_or(i64::MAX);
    }
}
