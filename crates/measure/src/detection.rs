//! Whether `compare` finds an injected slowdown of 2 %, and does not find one that is not
//! there. Takes minutes and a quiet machine, so it is run by hand:
//!
//! ```sh
//! cargo test --release -p measure detection -- --ignored --nocapture
//! ```

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use experiment::{
    Handshake, Library, Meter, Metric, Record, Run, Sample, Scenario, Side, StackName, Subject,
    Verdict, compare,
};
use pki::Cache;
use rand::SeedableRng;
use rand::rngs::StdRng;
use stack::{
    Connection, Credentials, Endpoint, Negotiated, PhaseTiming, StackError, TlsStack, Unsupported,
};

use crate::cpu::CpuVisit;
use crate::runner::{BuildInfo, new_manifest, run_block};
use crate::visit::Visit;
use crate::yardstick::Yardstick;

/// Pairs of runs; each has a chance to be wrong.
const REPETITIONS: u32 = 50;
/// Measuring time of one run.
const RUN_TIME: Duration = Duration::from_millis(2500);
/// What is injected into the server's side.
const INJECTED: f64 = 0.02;
/// What is asked of `compare`: half of what is injected. Runs that follow one another differ
/// by up to half a per cent on a quiet virtual machine, without any change.
const THRESHOLD: f64 = 0.01;

#[test]
#[ignore = "takes minutes and a quiet machine; figures in benches/METHODOLOGY.md"]
fn two_per_cent_is_found_and_nothing_is_not() {
    let [mut found, mut false_alarms] = [0, 0];
    for repetition in 0..REPETITIONS {
        let seed = u64::from(repetition) << 8;
        let [base, same, slowed] =
            [(0.0, 1), (0.0, 2), (INJECTED, 3)].map(|(share, salt)| run(share, seed + salt));
        println!(
            "{repetition}: A/A {}, injected {}",
            server(&base, &same),
            server(&base, &slowed)
        );
        found += u32::from(is_slower(&base, &slowed));
        false_alarms += u32::from(is_slower(&base, &same) || is_slower(&same, &base));
    }
    println!(
        "of {REPETITIONS} pairs of runs: {INJECTED} injected was found in {found}; A against A \
         gave {false_alarms} false alarms"
    );
    assert!(found >= REPETITIONS * 9 / 10, "found in {found} only");
    assert!(
        false_alarms <= REPETITIONS / 10,
        "{false_alarms} false alarms"
    );
}

/// Ratio and interval of the server's time.
fn server(base: &Run, new: &Run) -> String {
    let rows = compare(base, new, THRESHOLD).rows;
    let row = rows
        .iter()
        .find(|row| row.metric == Metric::Wall(Side::Server))
        .unwrap();
    let ratio = row.ratio;
    format!("{:.4} [{:.4}, {:.4}]", ratio.value, ratio.low, ratio.high)
}

fn is_slower(base: &Run, new: &Run) -> bool {
    compare(base, new, THRESHOLD)
        .rows
        .iter()
        .any(|row| row.metric == Metric::Wall(Side::Server) && row.verdict == Verdict::Regression)
}

/// A run of one scenario, with the server slowed by a share of its own time. It goes
/// through the same blocks and the same files as a run of the command line.
fn run(slowdown: f64, seed: u64) -> Run {
    let scenario: Scenario = "rustls>rustls/1.3/X25519MLKEM768/ecdsa-p256/full@memory"
        .parse()
        .unwrap();
    let cache = Cache::open(Cache::default_dir().unwrap()).unwrap();
    let credentials = Credentials::for_handshake(scenario.handshake(), &cache).unwrap();
    let rustls = stack::by_name(scenario.server()).unwrap();
    let slowed = Slowed {
        inner: rustls,
        slowdown,
    };
    let find = |_: &StackName| -> Result<&dyn TlsStack, Unsupported> { Ok(&slowed) };
    let visit = CpuVisit::with_stacks(&scenario, 0, &credentials, PhaseTiming::Off, find).unwrap();
    let mut visits: Vec<Box<dyn Visit>> = vec![Box::new(visit)];

    let folder = tempfile::tempdir().unwrap();
    let mut writer = Run::writer(folder.path()).unwrap();
    let yardstick = Yardstick::new();
    let mut rng = StdRng::seed_from_u64(seed);
    let stop = AtomicBool::new(false);
    let start = Instant::now();
    let mut block = 0;
    while start.elapsed() < RUN_TIME {
        let (rows, failed) = run_block(Meter::Cpu, &mut visits, &yardstick, &mut rng, &stop);
        assert!(failed.is_empty(), "{failed:?}");
        for row in rows {
            let sample = Sample {
                block,
                value: row.value,
                flags: row.flags,
            };
            writer.push(&row.subject, row.replica, row.metric, sample);
        }
        block += 1;
    }
    writer.flush(Meter::Cpu, 0).unwrap();
    load(folder.path())
}

/// Only the samples matter here; the manifest is that of nothing.
fn load(folder: &Path) -> Run {
    let manifest = new_manifest(BuildInfo::default(), 0);
    Run::write_manifest(folder, &manifest).unwrap();
    let run = Run::load(folder).unwrap();
    let records: Vec<Record> = run.records().to_vec();
    assert!(
        records
            .iter()
            .any(|record| record.subject == Subject::Yardstick)
    );
    run
}

/// A stack that burns a share of the time that its server side takes.
struct Slowed<'s> {
    inner: &'s dyn TlsStack,
    slowdown: f64,
}

struct SlowedEndpoint {
    inner: Box<dyn Endpoint>,
    slowdown: f64,
}

struct SlowedConnection {
    inner: Box<dyn Connection>,
    slowdown: f64,
}

fn slowed<T>(slowdown: f64, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let until = start.elapsed().mul_f64(1.0 + slowdown);
    while slowdown > 0.0 && start.elapsed() < until {
        std::hint::spin_loop();
    }
    result
}

impl TlsStack for Slowed<'_> {
    fn name(&self) -> StackName {
        self.inner.name()
    }

    fn library(&self) -> Library {
        self.inner.library()
    }

    fn supports(&self, side: Side, handshake: &Handshake) -> Result<(), Unsupported> {
        self.inner.supports(side, handshake)
    }

    fn endpoint(
        &self,
        side: Side,
        handshake: &Handshake,
        credentials: &Credentials,
        timing: PhaseTiming,
    ) -> Result<Box<dyn Endpoint>, StackError> {
        let inner = self.inner.endpoint(side, handshake, credentials, timing)?;
        let slowdown = if side == Side::Server {
            self.slowdown
        } else {
            0.0
        };
        Ok(Box::new(SlowedEndpoint { inner, slowdown }))
    }
}

impl Endpoint for SlowedEndpoint {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        let inner = slowed(self.slowdown, || self.inner.connection())?;
        Ok(Box::new(SlowedConnection {
            inner,
            slowdown: self.slowdown,
        }))
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        self.inner.issuing_connection()
    }

    fn tickets(&self) -> usize {
        self.inner.tickets()
    }
}

impl Connection for SlowedConnection {
    fn advance(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        slowed(self.slowdown, || self.inner.advance(input, output))
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn send(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), StackError> {
        self.inner.send(plaintext, output)
    }

    fn receive(&mut self, input: &[u8], plaintext: &mut [u8]) -> Result<usize, StackError> {
        self.inner.receive(input, plaintext)
    }

    fn negotiated(&self) -> Negotiated {
        self.inner.negotiated()
    }

    fn export_keying_material(&self, label: &str, output: &mut [u8]) -> Result<(), StackError> {
        self.inner.export_keying_material(label, output)
    }
}
