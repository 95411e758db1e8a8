//! A run's folder: `manifest.json`, the raw samples, `summary.csv`.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::samples::{self, SampleWriter, SamplesError};
use crate::{Manifest, Metric, RatioEstimate, Record, Sample, Subject, Summary};

const MANIFEST: &str = "manifest.json";
const SUMMARY: &str = "summary.csv";

/// A run as it was read from its folder, finished or not.
#[derive(Debug, Clone)]
pub struct Run {
    /// What the run was.
    pub manifest: Manifest,
    records: Vec<Record>,
    index: HashMap<(Subject, u8, Metric), usize>,
}

/// A run could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The folder holds no run.
    #[error("{} holds no run of pqlab: {reason}", folder.display())]
    NoRun {
        /// The folder.
        folder: PathBuf,
        /// What was found instead.
        reason: String,
    },
    /// A file of the run could not be written.
    #[error("writing {}; what was measured before is kept", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The samples.
    #[error(transparent)]
    Samples(#[from] SamplesError),
}

/// What every manifest begins with.
#[derive(serde::Deserialize)]
struct Format {
    schema: u32,
}

impl Run {
    /// Reads a run's folder. A killed run has the time it spent from its samples.
    ///
    /// # Errors
    /// When there is no run, it is damaged, or a newer pqlab wrote it.
    pub fn load(folder: &Path) -> Result<Self, RunError> {
        let no_run = |reason: String| RunError::NoRun {
            folder: folder.to_owned(),
            reason,
        };
        let text = fs::read_to_string(folder.join(MANIFEST))
            .map_err(|error| no_run(format!("{MANIFEST}: {error}")))?;
        let damaged = |error| no_run(format!("{MANIFEST} is damaged: {error}"));
        // First, since a later format may lack or add anything else.
        let Format { schema } = serde_json::from_str(&text).map_err(damaged)?;
        if schema > Manifest::SCHEMA {
            return Err(no_run(format!(
                "it is of format {schema}, and this pqlab reads up to {}: use a newer one",
                Manifest::SCHEMA
            )));
        }
        let mut manifest: Manifest = serde_json::from_str(&text).map_err(damaged)?;
        let stored = samples::read(folder)?;
        if manifest.finished.is_none() {
            manifest.spent = stored.spent;
        }
        Ok(Self::new(manifest, stored.records))
    }

    /// A run of these records.
    pub fn new(manifest: Manifest, records: Vec<Record>) -> Self {
        let key = |record: &Record| (record.subject.clone(), record.replica, record.metric);
        let index = records
            .iter()
            .enumerate()
            .map(|(at, record)| (key(record), at))
            .collect();
        Self {
            manifest,
            records,
            index,
        }
    }

    /// All records.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The samples of one metric; empty where there are none.
    pub fn samples(&self, subject: &Subject, replica: u8, metric: Metric) -> &[Sample] {
        let key = (subject.clone(), replica, metric);
        self.index
            .get(&key)
            .map_or(&[], |at| &self.records[*at].samples)
    }

    /// The samples of several metrics of the same handshakes, added up one by one:
    /// client and server CPU time, say. Empty unless all have equally many.
    pub fn sum(&self, subject: &Subject, replica: u8, metrics: &[Metric]) -> Vec<Sample> {
        let Some((first, others)) = metrics.split_first() else {
            return Vec::new();
        };
        let mut total = self.samples(subject, replica, *first).to_vec();
        for metric in others {
            let samples = self.samples(subject, replica, *metric);
            if samples.len() != total.len() {
                return Vec::new();
            }
            for (sum, sample) in total.iter_mut().zip(samples) {
                sum.value += sample.value;
                sum.flags = sum.flags.and(sample.flags);
            }
        }
        total
    }

    /// What there is to say of one metric.
    pub fn summary(&self, subject: &Subject, metric: Metric) -> Option<Summary> {
        Summary::of(self.samples(subject, 0, metric))
    }

    /// How one subject compares with another that was measured in the same blocks.
    pub fn ratio(
        &self,
        baseline: &Subject,
        candidate: &Subject,
        metrics: &[Metric],
    ) -> Option<RatioEstimate> {
        RatioEstimate::paired(
            &self.sum(baseline, 0, metrics),
            &self.sum(candidate, 0, metrics),
        )
    }

    /// The ratio of the baseline to itself under its second name: the noise floor.
    /// `None` where the run has no such pair.
    pub fn noise(&self, metrics: &[Metric]) -> Option<RatioEstimate> {
        let baseline = self.manifest.baseline.as_ref()?;
        RatioEstimate::paired(
            &self.sum(baseline, 0, metrics),
            &self.sum(baseline, 1, metrics),
        )
    }

    /// Writes the manifest, atomically.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), RunError> {
        // A manifest holds no map with other keys than text: it always serialises.
        let text = serde_json::to_string_pretty(manifest).unwrap_or_default() + "\n";
        write_file(folder, MANIFEST, text.as_bytes())
    }

    /// Writes `summary.csv`: a row per record, with statistics derived from the samples.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write_summary(&self, folder: &Path) -> Result<(), RunError> {
        let mut csv = String::from(
            "subject,replica,metric,unit,samples,disturbed,median,low95,high95,mean,min,p10,p90,\
             p99,p999,max\n",
        );
        for record in &self.records {
            let Some(summary) = Summary::of(&record.samples) else {
                continue;
            };
            let unit = match record.metric.unit() {
                crate::Unit::Nanoseconds => "ns",
                crate::Unit::Bytes => "B",
                crate::Unit::Count => "1",
            };
            let Record {
                subject,
                replica,
                metric,
                ..
            } = record;
            let Summary {
                count,
                disturbed,
                median,
                mean,
                ..
            } = &summary;
            csv.push_str(&format!(
                "{subject},{replica},{metric},{unit},{count},{disturbed},{:.0},{:.0},{:.0},{mean:.0}",
                median.value, median.low, median.high
            ));
            for q in [0.0, 0.1, 0.9, 0.99, 0.999, 1.0] {
                csv.push_str(&format!(",{:.0}", summary.quantile(q)));
            }
            csv.push('\n');
        }
        write_file(folder, SUMMARY, csv.as_bytes())
    }

    /// Opens the samples for writing.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn writer(folder: &Path) -> Result<SampleWriter, RunError> {
        Ok(SampleWriter::open(folder)?)
    }
}

/// Writes a file under a temporary name, then renames it.
fn write_file(folder: &Path, name: &str, content: &[u8]) -> Result<(), RunError> {
    let path = folder.join(name);
    let write = || -> std::io::Result<()> {
        let mut file = samples::new_file(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(|source| RunError::Write {
        path: path.clone(),
        source,
    })
}
