//! What the criterion harnesses share. They time the same pairs as `pqlab run`, one
//! scenario after the other: for a comparison of scenarios use `pqlab run`, which
//! interleaves them; these are for following one scenario over time with criterion's
//! `--save-baseline` and `--baseline`.

use std::time::{Duration, Instant};

use experiment::{Handshake, NetworkName, Scenario, Side};
use pki::Cache;
use stack::{Credentials, Gauge, NoGauge, Pair, PairError, PhaseTiming, STACKS, Stage};

/// A pair of one stack with itself that is ready, or `None` where the stack lacks it.
///
/// # Panics
/// When certificates can't be made, the handshake fails, or it is another than asked for:
/// a benchmark of something else must not run.
#[expect(
    clippy::panic,
    reason = "criterion has no other way to say that a benchmark is void"
)]
pub fn pair(stack: &dyn stack::TlsStack, handshake: Handshake) -> Option<Pair> {
    let scenario = Scenario::new(stack.name(), stack.name(), handshake, NetworkName::memory());
    let prepare = || -> Result<Option<Pair>, Box<dyn std::error::Error>> {
        let cache = Cache::open(Cache::default_dir()?)?;
        let credentials = Credentials::for_handshake(&handshake, &cache)?;
        let mut pair = match Pair::new(&scenario, &credentials, PhaseTiming::Off, stack::by_name) {
            Err(PairError::Unsupported(_)) => return Ok(None),
            pair => pair?,
        };
        pair.prepare()?;
        pair.handshake(&mut NoGauge)?.verify(&handshake)?;
        Ok(Some(pair))
    };
    prepare().unwrap_or_else(|error| panic!("{scenario}: {error}"))
}

/// Every stack with every one of these handshakes that it has.
pub fn pairs(ids: &[&str]) -> Vec<(String, Pair)> {
    let mut pairs = Vec::new();
    for stack in STACKS {
        for id in ids {
            let handshake: Handshake = match id.parse() {
                Ok(handshake) => handshake,
                Err(error) => unreachable!("{id}: {error}"),
            };
            if let Some(pair) = pair(*stack, handshake) {
                pairs.push((format!("{}/{handshake}", stack.name()), pair));
            }
        }
    }
    pairs
}

/// The time that one side takes for so many handshakes; what the other does, what is
/// prepared and what is dropped does not count.
///
/// # Panics
/// When a handshake fails.
#[expect(
    clippy::panic,
    reason = "criterion has no other way to say that a benchmark is void"
)]
pub fn time_of(side: Side, pair: &mut Pair, handshakes: u64) -> Duration {
    let mut clock = SideClock {
        side,
        total: Duration::ZERO,
        start: None,
    };
    for _ in 0..handshakes {
        let result = pair
            .prepare()
            .and_then(|()| pair.handshake(&mut clock).map(drop));
        if let Err(error) = result {
            panic!("{}: {error}", pair.handshake_description());
        }
    }
    clock.total
}

struct SideClock {
    side: Side,
    total: Duration,
    start: Option<Instant>,
}

impl Gauge for SideClock {
    fn begin(&mut self, _: Side) {
        self.start = Some(Instant::now());
    }

    fn end(&mut self, side: Side, stage: Stage) {
        let elapsed = self.start.map_or(Duration::ZERO, |start| start.elapsed());
        if side == self.side && stage == Stage::Handshake {
            self.total += elapsed;
        }
    }
}
