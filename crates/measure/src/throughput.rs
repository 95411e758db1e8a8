//! Handshakes back to back: both sides on one thread, on one core and on all.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use experiment::{Metric, Scenario, Subject};
use stack::{Credentials, NoGauge, Pair, PairError, PhaseTiming};

use crate::clock;
use crate::visit::{Value, Visit, VisitError, nanoseconds};

/// Time of handshakes in one visit.
const SLICE: Duration = Duration::from_millis(60);

pub(crate) struct ThroughputVisit {
    subject: Subject,
    /// One for each core.
    pairs: Vec<Pair>,
    cores: &'static [usize],
}

impl ThroughputVisit {
    pub(crate) fn new(scenario: &Scenario, credentials: &Credentials) -> Result<Self, PairError> {
        let cores = clock::cores();
        let pair = |_| Pair::new(scenario, credentials, PhaseTiming::Off, stack::by_name);
        let pairs = cores.iter().map(pair).collect::<Result<_, _>>()?;
        Ok(Self {
            subject: Subject::Handshake(scenario.clone()),
            pairs,
            cores,
        })
    }
}

impl Visit for ThroughputVisit {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn visit(&mut self, values: &mut Vec<Value>) -> Result<(), VisitError> {
        let one = handshakes_per_nanosecond(&mut self.pairs[0])?;
        values.push(interval(Metric::IntervalOneCore, one));
        let barrier = Barrier::new(self.pairs.len());
        let rates: Vec<Result<f64, PairError>> = std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .pairs
                .iter_mut()
                .zip(self.cores)
                .map(|(pair, core)| {
                    let barrier = &barrier;
                    scope.spawn(move || {
                        clock::pin_to(*core);
                        barrier.wait();
                        handshakes_per_nanosecond(pair)
                    })
                })
                .collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .collect()
        });
        let all: f64 = rates.into_iter().sum::<Result<f64, _>>()?;
        values.push(interval(Metric::IntervalAllCores, all));
        Ok(())
    }
}

fn interval(metric: Metric, rate: f64) -> Value {
    Value::time(metric, Duration::from_nanos((1.0 / rate).round() as u64))
}

/// The rate over one slice. Making the connections, the handshake and dropping the
/// connections count; checking what was negotiated does not.
fn handshakes_per_nanosecond(pair: &mut Pair) -> Result<f64, PairError> {
    let handshake = *pair.handshake_description();
    let mut spent = Duration::ZERO;
    let mut count = 0_u32;
    while spent < SLICE {
        pair.prepare()?;
        let start = Instant::now();
        let established = pair.handshake(&mut NoGauge)?;
        spent += start.elapsed();
        established.verify(&handshake)?;
        let start = Instant::now();
        drop(established);
        spent += start.elapsed();
        count += 1;
    }
    Ok(f64::from(count) / nanoseconds(spent) as f64)
}
