//! CPU and wall time of each side of a handshake, in memory.

use std::time::{Duration, Instant};

use experiment::{Handshake, Metric, Phase, Scenario, Side, StackName, Subject};
use stack::{
    Credentials, Gauge, NoGauge, Pair, PairError, PhaseTiming, Stage, TlsStack, Unsupported, phases,
};

use crate::clock;
use crate::visit::{Value, Visit, VisitError};

/// Handshakes counted in one visit, after one that is not: the one before warms the
/// caches, as in a server that does nothing else.
const COUNTED: usize = 2;

/// One scenario with its pair.
pub(crate) struct CpuVisit {
    subject: Subject,
    replica: u8,
    handshake: Handshake,
    pair: Pair,
    timing: PhaseTiming,
}

/// The replica under which handshakes with clocks inside are filed.
pub(crate) const TIMED_REPLICA: u8 = 2;

impl CpuVisit {
    pub(crate) fn new(
        scenario: &Scenario,
        replica: u8,
        credentials: &Credentials,
        timing: PhaseTiming,
    ) -> Result<Self, PairError> {
        Self::with_stacks(scenario, replica, credentials, timing, stack::by_name)
    }

    pub(crate) fn with_stacks<'s>(
        scenario: &Scenario,
        replica: u8,
        credentials: &Credentials,
        timing: PhaseTiming,
        stacks: impl Fn(&StackName) -> Result<&'s dyn TlsStack, Unsupported>,
    ) -> Result<Self, PairError> {
        Ok(Self {
            subject: Subject::Handshake(scenario.clone()),
            replica,
            handshake: *scenario.handshake(),
            pair: Pair::new(scenario, credentials, timing, stacks)?,
            timing,
        })
    }

    fn measure_one(&mut self, values: &mut Vec<Value>) -> Result<(), PairError> {
        self.pair.prepare()?;
        phases::take();
        let mut gauge = TimeGauge::default();
        let established = self.pair.handshake(&mut gauge)?;
        let phases = phases::take();
        established.verify(&self.handshake)?;
        for side in Side::BOTH {
            let cost = gauge.sides[side as usize];
            match self.timing {
                PhaseTiming::Off => {
                    values.push(Value::time(Metric::Cpu(side), cost.cpu));
                    values.push(Value::time(Metric::Wall(side), cost.wall));
                    if self.handshake.tickets() > 0 && side == Side::Client {
                        values.push(Value::time(Metric::Tickets(side), cost.tickets));
                    }
                }
                PhaseTiming::On => {
                    for phase in Phase::ALL {
                        let time = phases.time(side, phase);
                        if time > Duration::ZERO {
                            values.push(Value::time(Metric::Phase(side, phase), time));
                        }
                    }
                    let wall = Value::time(Metric::Wall(side), cost.wall);
                    values.push(Value {
                        replica: Some(TIMED_REPLICA),
                        ..wall
                    });
                }
            }
        }
        Ok(())
    }
}

impl Visit for CpuVisit {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn replica(&self) -> u8 {
        self.replica
    }

    fn visit(&mut self, values: &mut Vec<Value>) -> Result<(), VisitError> {
        self.pair.prepare()?;
        self.pair.handshake(&mut NoGauge)?.verify(&self.handshake)?;
        for _ in 0..COUNTED {
            self.measure_one(values)?;
        }
        Ok(())
    }
}

/// Sums the time of each side.
#[derive(Debug, Default)]
pub(crate) struct TimeGauge {
    sides: [Cost; 2],
    cpu_start: Duration,
    wall_start: Option<Instant>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    cpu: Duration,
    wall: Duration,
    tickets: Duration,
}

impl TimeGauge {
    /// Thread CPU time of one side's handshake.
    pub(crate) const fn cpu(&self, side: Side) -> Duration {
        self.sides[side as usize].cpu
    }
}

impl Gauge for TimeGauge {
    fn begin(&mut self, _: Side) {
        // The slower clock, a system call, is read outside of the faster one.
        self.cpu_start = clock::thread_cpu();
        self.wall_start = Some(Instant::now());
    }

    fn end(&mut self, side: Side, stage: Stage) {
        let wall = self
            .wall_start
            .map_or(Duration::ZERO, |start| start.elapsed());
        let cpu = clock::thread_cpu().saturating_sub(self.cpu_start);
        let cost = &mut self.sides[side as usize];
        match stage {
            Stage::Handshake => {
                cost.cpu += cpu;
                cost.wall += wall;
            }
            Stage::Tickets => cost.tickets += wall,
        }
    }
}
