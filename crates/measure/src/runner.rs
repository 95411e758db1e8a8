//! Runs the meters of a matrix one after the other, each in blocks.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use experiment::{
    Budget, Filter, FilterError, Flags, Manifest, Matrix, MatrixError, Meter, Metric, Refusal,
    RefusalKind, Run, RunError, Sample, SampleWriter, Subject,
};
use pki::{Cache, PkiError};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock;
use crate::subjects::{self, Prepared};
use crate::visit::{Value, Visit, nanoseconds};
use crate::yardstick::Yardstick;

/// What is to be measured, and where it goes.
#[derive(Debug)]
pub struct Plan {
    /// The run's folder; it must not hold a run.
    pub folder: PathBuf,
    /// The matrix, narrowed by the filters.
    pub matrix: Matrix,
    /// The matrix's text, before the filters.
    pub matrix_text: String,
    /// The filters as they were given.
    pub filters: Vec<String>,
    /// The seed of every random order.
    pub seed: u64,
    /// What measures.
    pub build: BuildInfo,
}

/// The program that measures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildInfo {
    /// Its version.
    pub version: String,
    /// Its git revision; empty when unknown.
    pub git_revision: String,
    /// The compiler and the profile.
    pub compiler: String,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was measured.
    Finished,
    /// It was told to stop; what was measured is kept, and [`resume`] goes on.
    Interrupted,
}

/// Is told how a run goes on.
pub trait Progress {
    /// Something takes a while before the measuring: making certificates, mostly.
    fn preparing(&mut self, what: &str);
    /// A meter begins, with so many subjects and seconds.
    fn begin(&mut self, meter: Meter, subjects: usize, seconds: f64);
    /// So many seconds of all meters' time are spent.
    fn spent(&mut self, seconds: f64);
    /// Something could not be measured.
    fn refused(&mut self, refusal: &Refusal);
}

/// A run could not begin or go on. What was measured before is kept.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The folder can't be made.
    #[error("can't write to {}; choose another folder with --out", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The folder holds a run already.
    #[error("{} holds a run already: choose another folder, or `--resume` it", .0.display())]
    Occupied(PathBuf),
    /// The run to resume has ended.
    #[error("the run in {} is complete: there is nothing to resume", .0.display())]
    Complete(PathBuf),
    /// The run to resume was begun elsewhere.
    #[error("the run was begun {0}: its samples and new ones would not compare. Begin a new one")]
    OtherMachine(String),
    /// The matrix in the manifest.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
    /// A filter in the manifest.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// Nothing is left to measure.
    #[error("nothing to measure: no subject of the matrix is supported by this build")]
    Nothing,
    /// Certificates.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The files of the run.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// How often samples go to the disk: at most this much is lost to a kill.
const FLUSH_INTERVAL: Duration = Duration::from_secs(2);

/// Measures a plan.
///
/// # Errors
/// When the folder can't be written, certificates can't be made, or nothing is supported.
/// A subject that fails is a refusal in the manifest, no error.
pub fn run(
    plan: Plan,
    cache: &Cache,
    progress: &mut dyn Progress,
    stop: &AtomicBool,
) -> Result<Outcome, MeasureError> {
    let Plan {
        folder,
        matrix,
        matrix_text,
        filters,
        seed,
        build,
    } = plan;
    if folder.join("manifest.json").exists() {
        return Err(MeasureError::Occupied(folder));
    }
    fs::create_dir_all(&folder).map_err(|source| MeasureError::Folder {
        folder: folder.clone(),
        source,
    })?;
    let manifest = Manifest {
        title: matrix.title.clone(),
        matrix: matrix_text,
        filters,
        budget: matrix.budget.clone(),
        baseline: matrix.baseline.clone().map(Subject::Handshake),
        ..new_manifest(build, seed)
    };
    Run::write_manifest(&folder, &manifest)?;
    let runner = Runner {
        manifest,
        folder,
        first_block: 0,
        matrix,
    };
    runner.measure(cache, progress, stop)
}

/// The manifest of a run that begins now on this machine, of nothing yet.
pub(crate) fn new_manifest(build: BuildInfo, seed: u64) -> Manifest {
    Manifest {
        schema: Manifest::SCHEMA,
        pqlab_version: build.version,
        git_revision: build.git_revision,
        compiler: build.compiler,
        started: now(),
        finished: None,
        title: String::new(),
        matrix: String::new(),
        filters: Vec::new(),
        budget: Budget::default(),
        seed,
        baseline: None,
        machine: crate::machine(),
        libraries: subjects::libraries(),
        spent: BTreeMap::new(),
        refusals: Vec::new(),
        remarks: remarks(),
    }
}

/// Goes on with a run that was killed or interrupted.
///
/// # Errors
/// As [`run`]; and when the run is complete, or was begun on another machine or build.
pub fn resume(
    folder: &Path,
    build: &BuildInfo,
    cache: &Cache,
    progress: &mut dyn Progress,
    stop: &AtomicBool,
) -> Result<Outcome, MeasureError> {
    let run = Run::load(folder)?;
    let manifest = run.manifest.clone();
    if manifest.finished.is_some() {
        return Err(MeasureError::Complete(folder.to_owned()));
    }
    if manifest.machine != crate::machine() {
        let Manifest { machine, .. } = &manifest;
        let elsewhere = format!("on {} ({}, {})", machine.host, machine.cpu, machine.system);
        return Err(MeasureError::OtherMachine(elsewhere));
    }
    let same_build = manifest.pqlab_version == build.version
        && manifest.git_revision == build.git_revision
        && manifest.compiler == build.compiler;
    if !same_build {
        let Manifest {
            pqlab_version,
            git_revision,
            compiler,
            ..
        } = &manifest;
        let other = format!("by another build ({pqlab_version} {git_revision}, {compiler})");
        return Err(MeasureError::OtherMachine(other));
    }
    let mut matrix = subjects::parse_matrix(&manifest.matrix)?;
    let filters: Vec<Filter> = manifest
        .filters
        .iter()
        .map(|filter| filter.parse())
        .collect::<Result<_, _>>()?;
    if !filters.is_empty() {
        matrix.retain(&filters);
    }
    matrix.budget = manifest.budget.clone();
    let blocks = run
        .records()
        .iter()
        .flat_map(|record| &record.samples)
        .map(|s| s.block);
    let first_block = blocks.max().map_or(0, |last| last + 1);
    let runner = Runner {
        manifest,
        folder: folder.to_owned(),
        first_block,
        matrix,
    };
    runner.measure(cache, progress, stop)
}

fn now() -> String {
    // RFC 3339 can express every time that this clock gives.
    OffsetDateTime::now_utc()
        .format(&Rfc3339)
        .unwrap_or_default()
}

fn remarks() -> Vec<String> {
    let mut remarks = Vec::new();
    if !cfg!(target_os = "linux") {
        remarks.push(
            "This system has no clock of a thread's CPU time in pqlab: CPU time is wall time, \
             and disturbed samples are not told apart."
                .to_owned(),
        );
    }
    if cfg!(debug_assertions) {
        remarks.push("This is a debug build: its figures are of no use but to test.".to_owned());
    }
    remarks
}

struct Runner {
    manifest: Manifest,
    folder: PathBuf,
    matrix: Matrix,
    /// Blocks are numbered through all meters, so that no two share a number.
    first_block: u32,
}

impl Runner {
    fn measure(
        mut self,
        cache: &Cache,
        progress: &mut dyn Progress,
        stop: &AtomicBool,
    ) -> Result<Outcome, MeasureError> {
        let cores = clock::cores();
        let pinned = cores.last().is_some_and(|core| clock::pin_to(*core));
        if !pinned {
            let remark = "The measuring thread could not be kept on one core.".to_owned();
            self.manifest.remarks.push(remark);
        }
        let mut writer = Run::writer(&self.folder)?;
        let mut measured_any = false;
        for meter in Meter::ALL {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let left = self.matrix.budget.seconds(meter) - self.spent(meter);
            if left <= 0.0 || self.matrix.subjects(meter).next().is_none() {
                continue;
            }
            let Prepared {
                mut visits,
                refusals,
            } = subjects::prepare(meter, &self.matrix, cache, progress)?;
            self.refuse(refusals, progress);
            if visits.is_empty() {
                continue;
            }
            measured_any = true;
            progress.begin(meter, visits.len(), left);
            self.run_meter(meter, &mut visits, left, &mut writer, progress, stop)?;
            Run::write_manifest(&self.folder, &self.manifest)?;
        }
        if stop.load(Ordering::Relaxed) {
            return Ok(Outcome::Interrupted);
        }
        if !measured_any && self.first_block == 0 {
            return Err(MeasureError::Nothing);
        }
        writer.finish().map_err(RunError::from)?;
        self.manifest.finished = Some(now());
        Run::write_manifest(&self.folder, &self.manifest)?;
        let run = Run::load(&self.folder)?;
        run.write_summary(&self.folder)?;
        Ok(Outcome::Finished)
    }

    fn spent(&self, meter: Meter) -> f64 {
        self.manifest.spent.get(&meter).copied().unwrap_or(0.0)
    }

    fn refuse(&mut self, refusals: Vec<Refusal>, progress: &mut dyn Progress) {
        for refusal in refusals {
            if !self.manifest.refusals.contains(&refusal) {
                progress.refused(&refusal);
                self.manifest.refusals.push(refusal);
            }
        }
    }

    /// Blocks until the seconds are spent; the first is a rehearsal that is not kept.
    fn run_meter(
        &mut self,
        meter: Meter,
        visits: &mut Vec<Box<dyn Visit>>,
        seconds: f64,
        writer: &mut SampleWriter,
        progress: &mut dyn Progress,
        stop: &AtomicBool,
    ) -> Result<(), MeasureError> {
        let yardstick = Yardstick::new();
        let mut rng = StdRng::seed_from_u64(self.manifest.seed ^ u64::from(self.first_block));
        let spent_before: f64 = self.manifest.spent.values().sum();
        let mut spent = Duration::ZERO;
        let mut flushed = Duration::ZERO;
        let mut is_rehearsal = true;
        let mut blocks = 0;
        while spent.as_secs_f64() < seconds
            && blocks < block_limit(meter)
            && !visits.is_empty()
            && !stop.load(Ordering::Relaxed)
        {
            let start = Instant::now();
            let block = self.first_block;
            let (rows, failures) = run_block(meter, visits, &yardstick, &mut rng, stop);
            self.refuse(failures, progress);
            if is_rehearsal {
                is_rehearsal = false;
                continue;
            }
            for row in &rows {
                let sample = Sample {
                    block,
                    value: row.value,
                    flags: row.flags,
                };
                writer.push(&row.subject, row.replica, row.metric, sample);
            }
            blocks += 1;
            self.first_block += 1;
            spent += start.elapsed();
            progress.spent(spent_before + spent.as_secs_f64());
            if spent - flushed > FLUSH_INTERVAL {
                self.flush(meter, spent - flushed, writer)?;
                flushed = spent;
            }
        }
        // A meter that ends by its number of blocks has done its work: none of its time
        // is left for a resumed run.
        if blocks >= block_limit(meter) {
            spent = spent.max(Duration::from_secs_f64(seconds));
        }
        self.flush(meter, spent - flushed, writer)
    }

    fn flush(
        &mut self,
        meter: Meter,
        time: Duration,
        writer: &mut SampleWriter,
    ) -> Result<(), MeasureError> {
        let nanoseconds = u64::try_from(nanoseconds(time)).unwrap_or(0);
        writer.flush(meter, nanoseconds).map_err(RunError::from)?;
        *self.manifest.spent.entry(meter).or_insert(0.0) += time.as_secs_f64();
        Ok(())
    }
}

/// Counts of bytes and allocations hardly vary: more blocks would tell nothing new.
const fn block_limit(meter: Meter) -> u32 {
    match meter {
        Meter::Bytes => 16,
        Meter::Memory => 8,
        _ => u32::MAX,
    }
}

/// A sample before its block is done.
pub(crate) struct Row {
    pub(crate) subject: Subject,
    pub(crate) replica: u8,
    pub(crate) metric: Metric,
    pub(crate) value: i64,
    pub(crate) flags: Flags,
}

/// Visits everything once in a random order, with the yardstick among it. What fails is
/// removed and told.
pub(crate) fn run_block(
    meter: Meter,
    visits: &mut Vec<Box<dyn Visit>>,
    yardstick: &Yardstick,
    rng: &mut StdRng,
    stop: &AtomicBool,
) -> (Vec<Row>, Vec<Refusal>) {
    let mut order: Vec<usize> = (0..=visits.len()).collect();
    order.shuffle(rng);
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    let mut values = Vec::new();
    let stolen = clock::stolen_ticks();
    for at in order {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        values.clear();
        let before = clock::disturbances();
        let Some(visit) = visits.get_mut(at) else {
            values.push(Value::time(Metric::Operation, yardstick.time()));
            push(
                &mut rows,
                &Subject::Yardstick,
                0,
                &values,
                flags(meter, before),
            );
            continue;
        };
        match visit.visit(&mut values) {
            Ok(()) => {
                let (subject, replica) = (visit.subject(), visit.replica());
                push(&mut rows, subject, replica, &values, flags(meter, before));
            }
            Err(error) => failed.push((at, error.to_string())),
        }
    }
    if clock::stolen_ticks() != stolen && !waits_for_others(meter) {
        rows.iter_mut()
            .for_each(|row| row.flags = row.flags.and(Flags::STOLEN));
    }
    // From the back, so that the places before stay what they were.
    failed.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let refusals = failed
        .into_iter()
        .map(|(at, reason)| {
            let subject = visits.remove(at).subject().clone();
            Refusal {
                subject,
                meter,
                kind: RefusalKind::Failed,
                reason,
            }
        })
        .collect();
    (rows, refusals)
}

fn push(rows: &mut Vec<Row>, subject: &Subject, replica: u8, values: &[Value], flags: Flags) {
    rows.extend(values.iter().map(|value| Row {
        subject: subject.clone(),
        replica: value.replica.unwrap_or(replica),
        metric: value.metric,
        value: value.value,
        flags,
    }));
}

/// Meters whose subject is the waiting itself, where an interruption is a result; and
/// those whose values no interruption changes.
const fn waits_for_others(meter: Meter) -> bool {
    matches!(meter, Meter::Latency | Meter::Bytes | Meter::Memory)
}

fn flags(meter: Meter, before: clock::Disturbances) -> Flags {
    // A slice of throughput is so long that interruptions are a part of what it measures,
    // and a small one.
    let is_short = meter != Meter::Throughput;
    if is_short && !waits_for_others(meter) && clock::disturbances() != before {
        return Flags::SWITCHED;
    }
    Flags::NONE
}
