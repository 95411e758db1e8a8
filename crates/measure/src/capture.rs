//! One handshake with everything that went over the wire, the secrets and the times, for
//! whoever explains it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use experiment::{Phase, Scenario, Side};
use pki::{Cache, PkiError};
use stack::{Credentials, Gauge, KeyLog, Pair, PairError, PhaseTiming, Stage, phases};
use trace::{Capture, Flight, KeyLogError};

use crate::clock;

/// Handshakes of which the one with the median CPU time is kept.
const HANDSHAKES: usize = 31;
/// Handshakes before them, which warm the caches.
const WARM_UP: usize = 5;

/// A handshake could not be captured.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The certificates can't be had.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// A stack does not have the handshake, or it failed.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// What the library logged is no key log: a defect of the library.
    #[error("the key log of the client's library can't be read: {0}")]
    KeyLog(#[from] KeyLogError),
}

/// Performs a scenario's handshake in memory a few dozen times, and gives the one of median
/// CPU time: bytes, times of both sides, and the secrets. Phases within are timed where
/// both stacks allow it.
///
/// # Errors
/// When the handshake can't be performed, or is not what the scenario says.
pub fn capture(scenario: &Scenario, cache: &Cache, title: String) -> Result<Capture, CaptureError> {
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = lines.clone();
    let log = KeyLog::new(move |line| {
        let mut lines = sink.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_str(line);
        lines.push('\n');
    });
    let credentials = Credentials::for_handshake(scenario.handshake(), cache)?.with_key_log(log);
    let times_phases = [scenario.client(), scenario.server()]
        .into_iter()
        .all(|name| stack::by_name(name).is_ok_and(|stack| stack.times_phases()));
    let timing = match times_phases {
        true => PhaseTiming::On,
        false => PhaseTiming::Off,
    };
    let mut pair = Pair::new(scenario, &credentials, timing, stack::by_name)?;
    let mut captured = Vec::with_capacity(HANDSHAKES);
    for round in 0..WARM_UP + HANDSHAKES {
        let flights = one(&mut pair)?;
        if round >= WARM_UP {
            let cpu: Duration = flights.iter().filter_map(|flight| flight.cpu).sum();
            captured.push((cpu, flights));
        }
    }
    captured.sort_by_key(|(cpu, _)| *cpu);
    let (_, flights) = captured.swap_remove(HANDSHAKES / 2);
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Capture {
        title,
        flights,
        key_log: trace::KeyLog::parse(&lines)?,
    })
}

fn one(pair: &mut Pair) -> Result<Vec<Flight>, PairError> {
    pair.prepare()?;
    phases::take();
    let handshake = *pair.handshake_description();
    let mut steps = Steps::default();
    let established = pair.handshake(&mut steps)?;
    established.verify(&handshake)?;
    let mut bytes: Vec<Vec<u8>> = established
        .transcript
        .flights()
        .map(|(_, bytes)| bytes.to_vec())
        .collect();
    // A side that has taken the last flight may have nothing more to say.
    bytes.resize(steps.0.len().max(bytes.len()), Vec::new());
    let sent = steps.0.into_iter().zip(bytes);
    Ok(sent.map(|(step, bytes)| step.flight(bytes)).collect())
}

/// The steps of a handshake in their order.
#[derive(Debug, Default)]
struct Steps(Vec<Step>);

#[derive(Debug)]
struct Step {
    side: Side,
    cpu: Duration,
    phases: Vec<(Phase, Duration)>,
}

impl Step {
    /// Offsets are left out: in memory nobody waits for anybody.
    fn flight(self, bytes: Vec<u8>) -> Flight {
        Flight {
            sender: self.side,
            bytes,
            offset: None,
            cpu: Some(self.cpu),
            phases: self.phases,
        }
    }
}

impl Gauge for Steps {
    fn begin(&mut self, side: Side) {
        phases::take();
        self.0.push(Step {
            side,
            cpu: clock::thread_cpu(),
            phases: Vec::new(),
        });
    }

    fn end(&mut self, side: Side, _: Stage) {
        let cpu = clock::thread_cpu();
        let times = phases::take();
        let Some(step) = self.0.last_mut() else {
            return;
        };
        step.cpu = cpu.saturating_sub(step.cpu);
        let timed = Phase::ALL.map(|phase| (phase, times.time(side, phase)));
        step.phases
            .extend(timed.into_iter().filter(|(_, time)| !time.is_zero()));
    }
}
