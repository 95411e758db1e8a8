//! Raw samples, as Parquet.
//!
//! One row per sample: `subject` and `metric` as text, `replica` (1 for the baseline's
//! second name, else 0), `block`, `value` in the metric's unit, and `flags`. While a run
//! goes on, each batch is a file of its own under `samples/`, written under a temporary
//! name and renamed: a kill loses the batch under way and nothing else. A finished run has
//! one file, `samples.parquet`.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RowAccessor;
use parquet::schema::parser::parse_message_type;

use crate::{Meter, Metric, Subject};

/// All samples of one metric of one subject, in the order in which they were taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What was measured.
    pub subject: Subject,
    /// 0; or 1 for the baseline under its second name.
    pub replica: u8,
    /// The quantity.
    pub metric: Metric,
    /// Its values.
    pub samples: Vec<Sample>,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The block in which it was taken: samples of one block are compared with each other.
    pub block: u32,
    /// The value in the metric's unit.
    pub value: i64,
    /// What disturbed it.
    pub flags: Flags,
}

/// What disturbed a sample, as a bit set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// Nothing did.
    pub const NONE: Self = Self(0);
    /// The scheduler ran something else on this core meanwhile.
    pub const SWITCHED: Self = Self(1);
    /// The hypervisor took time from this machine during the block.
    pub const STOLEN: Self = Self(2);

    /// Both sets together.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Samples could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SamplesError {
    /// The file system said no.
    #[error("{action} {}; what was measured before is kept", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// Not a samples file, or a damaged one.
    #[error("{} is no samples file of pqlab, or it is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
}

const SCHEMA: &str = "message samples {
    required binary subject (string);
    required int32 replica (integer(8, false));
    required binary metric (string);
    required int32 block (integer(32, false));
    required int64 value;
    required int32 flags (integer(8, false));
}";
const PARTS: &str = "samples";
const WHOLE: &str = "samples.parquet";
const METER_KEY: &str = "pqlab.meter";
const NANOSECONDS_KEY: &str = "pqlab.nanoseconds";

/// A column set in memory, in the order of time.
#[derive(Debug, Default)]
struct Batch {
    /// Each distinct subject, replica and metric once.
    keys: Vec<(Subject, u8, Metric)>,
    index: HashMap<(Subject, u8, Metric), u32>,
    rows: Vec<(u32, Sample)>,
}

/// Writes the samples of a run as they come.
#[derive(Debug)]
pub struct SampleWriter {
    folder: PathBuf,
    next_part: u32,
    batch: Batch,
}

impl SampleWriter {
    /// Starts in a run's folder, after the parts that an earlier process left.
    ///
    /// # Errors
    /// When the folder can't be made or listed.
    pub fn open(folder: &Path) -> Result<Self, SamplesError> {
        let parts = folder.join(PARTS);
        fs::create_dir_all(&parts).map_err(io_error("creating", &parts))?;
        let last = part_files(&parts)?.last().map_or(0, |(number, _)| *number);
        Ok(Self {
            folder: folder.to_owned(),
            next_part: last + 1,
            batch: Batch::default(),
        })
    }

    /// Adds one sample to the batch under way.
    pub fn push(&mut self, subject: &Subject, replica: u8, metric: Metric, sample: Sample) {
        let key = (subject.clone(), replica, metric);
        let Batch { keys, index, rows } = &mut self.batch;
        let id = *index.entry(key).or_insert_with_key(|key| {
            keys.push(key.clone());
            keys.len() as u32 - 1
        });
        rows.push((id, sample));
    }

    /// Writes the batch under way, with the meter and the nanoseconds that it took.
    ///
    /// # Errors
    /// When the file system refuses; the batch is lost then, and only it.
    pub fn flush(&mut self, meter: Meter, nanoseconds: u64) -> Result<(), SamplesError> {
        let batch = std::mem::take(&mut self.batch);
        if batch.rows.is_empty() {
            return Ok(());
        }
        let path = self
            .folder
            .join(PARTS)
            .join(format!("{:06}.parquet", self.next_part));
        self.next_part += 1;
        let facts = [
            (METER_KEY, meter.to_string()),
            (NANOSECONDS_KEY, nanoseconds.to_string()),
        ];
        write_batch(&path, &batch, &facts)
    }

    /// Joins all parts to the one file of a finished run.
    ///
    /// # Errors
    /// When the file system refuses; the parts stay then.
    pub fn finish(self) -> Result<(), SamplesError> {
        let parts = self.folder.join(PARTS);
        let mut whole = Batch::default();
        for (_, path) in part_files(&parts)? {
            read_rows(&path, &mut whole)?;
        }
        // Sorting by series makes the runs of equal names long and the values alike.
        whole.rows.sort_by_key(|(id, _)| *id);
        write_batch(&self.folder.join(WHOLE), &whole, &[])?;
        fs::remove_dir_all(&parts).map_err(io_error("removing", &parts))
    }
}

/// What a run's folder holds so far.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) records: Vec<Record>,
    /// Seconds by meter; empty for a finished run, whose manifest has them.
    pub(crate) spent: BTreeMap<Meter, f64>,
}

/// Reads the one file of a finished run, or the parts of one under way.
pub(crate) fn read(folder: &Path) -> Result<Stored, SamplesError> {
    let mut batch = Batch::default();
    let mut spent = BTreeMap::new();
    let whole = folder.join(WHOLE);
    if whole.exists() {
        read_rows(&whole, &mut batch)?;
    } else {
        for (_, path) in part_files(&folder.join(PARTS))? {
            let facts = read_rows(&path, &mut batch)?;
            if let Some((meter, seconds)) = time_of(&facts) {
                *spent.entry(meter).or_insert(0.0) += seconds;
            }
        }
    }
    let Batch { keys, rows, .. } = batch;
    let mut records: Vec<Record> = keys
        .into_iter()
        .map(|(subject, replica, metric)| Record {
            subject,
            replica,
            metric,
            samples: Vec::new(),
        })
        .collect();
    for (id, sample) in rows {
        records[id as usize].samples.push(sample);
    }
    Ok(Stored { records, spent })
}

fn time_of(facts: &HashMap<String, String>) -> Option<(Meter, f64)> {
    let meter = Meter::ALL
        .into_iter()
        .find(|m| facts.get(METER_KEY) == Some(&m.to_string()))?;
    let nanoseconds: f64 = facts.get(NANOSECONDS_KEY)?.parse().ok()?;
    Some((meter, nanoseconds / 1e9))
}

/// The parts in the order of their numbers.
fn part_files(folder: &Path) -> Result<Vec<(u32, PathBuf)>, SamplesError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("listing", folder)(error)),
    };
    let mut parts = Vec::new();
    for entry in entries {
        let path = entry.map_err(io_error("listing", folder))?.path();
        let is_part = path
            .extension()
            .is_some_and(|extension| extension == "parquet");
        let number = path
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(number) = number.filter(|_| is_part) {
            parts.push((number, path));
        }
    }
    parts.sort();
    Ok(parts)
}

fn write_batch(path: &Path, batch: &Batch, facts: &[(&str, String)]) -> Result<(), SamplesError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = new_file(folder).map_err(io_error("writing", path))?;
    write_parquet(file.as_file(), batch, facts).map_err(|error| match error {
        parquet::errors::ParquetError::External(source) => {
            io_error("writing", path)(io::Error::other(source))
        }
        other => io_error("writing", path)(io::Error::other(other)),
    })?;
    file.as_file()
        .sync_all()
        .map_err(io_error("writing", path))?;
    file.persist(path)
        .map_err(|error| io_error("writing", path)(error.error))?;
    Ok(())
}

/// A temporary file beside the one that it becomes, readable by all: results are shared.
pub(crate) fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    builder.prefix(".new-").tempfile_in(folder)
}

fn write_parquet(
    file: &File,
    batch: &Batch,
    facts: &[(&str, String)],
) -> parquet::errors::Result<()> {
    let facts = facts
        .iter()
        .map(|(k, v)| KeyValue::new((*k).to_owned(), v.clone()))
        .collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::GZIP(Default::default()))
        .set_key_value_metadata(Some(facts))
        .set_column_dictionary_enabled("value".into(), false)
        .set_column_encoding("value".into(), Encoding::DELTA_BINARY_PACKED)
        .set_column_dictionary_enabled("block".into(), false)
        .set_column_encoding("block".into(), Encoding::DELTA_BINARY_PACKED)
        .build();
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let names: Vec<(ByteArray, ByteArray)> = batch
        .keys
        .iter()
        .map(|(subject, _, metric)| {
            (
                subject.to_string().as_str().into(),
                metric.to_string().as_str().into(),
            )
        })
        .collect();
    let key = |id: &u32| &batch.keys[*id as usize];
    let name = |id: &u32| &names[*id as usize];
    let subjects: Vec<_> = batch
        .rows
        .iter()
        .map(|(id, _)| name(id).0.clone())
        .collect();
    let replicas: Vec<_> = batch
        .rows
        .iter()
        .map(|(id, _)| i32::from(key(id).1))
        .collect();
    let metrics: Vec<_> = batch
        .rows
        .iter()
        .map(|(id, _)| name(id).1.clone())
        .collect();
    let blocks: Vec<_> = batch
        .rows
        .iter()
        .map(|(_, sample)| sample.block as i32)
        .collect();
    let values: Vec<_> = batch.rows.iter().map(|(_, sample)| sample.value).collect();
    let flags: Vec<_> = batch
        .rows
        .iter()
        .map(|(_, sample)| i32::from(sample.flags.0))
        .collect();
    for column in 0..6 {
        // The schema above has six columns, in this order.
        let Some(mut writer) = group.next_column()? else {
            break;
        };
        match column {
            0 => writer
                .typed::<ByteArrayType>()
                .write_batch(&subjects, None, None)?,
            1 => writer
                .typed::<Int32Type>()
                .write_batch(&replicas, None, None)?,
            2 => writer
                .typed::<ByteArrayType>()
                .write_batch(&metrics, None, None)?,
            3 => writer
                .typed::<Int32Type>()
                .write_batch(&blocks, None, None)?,
            4 => writer
                .typed::<Int64Type>()
                .write_batch(&values, None, None)?,
            _ => writer
                .typed::<Int32Type>()
                .write_batch(&flags, None, None)?,
        };
        writer.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

/// Adds the rows of one file to a batch; gives the file's own facts.
fn read_rows(path: &Path, batch: &mut Batch) -> Result<HashMap<String, String>, SamplesError> {
    let damaged = |reason: String| SamplesError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let file = File::open(path).map_err(io_error("reading", path))?;
    let reader = SerializedFileReader::new(file).map_err(|error| damaged(error.to_string()))?;
    // Equal names come in long runs: each is parsed once.
    let mut ids: HashMap<(String, u8, String), u32> = HashMap::new();
    for row in reader
        .get_row_iter(None)
        .map_err(|error| damaged(error.to_string()))?
    {
        let row = row.map_err(|error| damaged(error.to_string()))?;
        let fields = (|| {
            let value = (row.get_uint(3)?, row.get_long(4)?, row.get_ubyte(5)?);
            Ok((
                row.get_string(0)?,
                row.get_ubyte(1)?,
                row.get_string(2)?,
                value,
            ))
        })();
        let (subject, replica, metric, (block, value, flags)) =
            fields.map_err(|error: parquet::errors::ParquetError| damaged(error.to_string()))?;
        let key = (subject.clone(), replica, metric.clone());
        let id = match ids.get(&key) {
            Some(id) => *id,
            None => {
                let parsed = (
                    subject
                        .parse::<Subject>()
                        .map_err(|error| damaged(error.to_string()))?,
                    replica,
                    metric
                        .parse::<Metric>()
                        .map_err(|error| damaged(error.to_string()))?,
                );
                let id = *batch.index.entry(parsed.clone()).or_insert_with(|| {
                    batch.keys.push(parsed);
                    batch.keys.len() as u32 - 1
                });
                ids.insert(key, id);
                id
            }
        };
        let sample = Sample {
            block,
            value,
            flags: Flags(flags),
        };
        batch.rows.push((id, sample));
    }
    let facts = reader
        .metadata()
        .file_metadata()
        .key_value_metadata()
        .into_iter()
        .flatten();
    Ok(facts
        .filter_map(|fact| Some((fact.key.clone(), fact.value.clone()?)))
        .collect())
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SamplesError {
    let path = path.to_owned();
    move |source| SamplesError::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Side;

    fn write(folder: &Path, parts: u32, finish: bool) {
        let mut writer = SampleWriter::open(folder).unwrap();
        let subject = "rustls>rustls/1.3/x25519/ecdsa-p256/full@memory"
            .parse()
            .unwrap();
        for part in 0..parts {
            for i in 0..100 {
                let sample = Sample {
                    block: part * 100 + i,
                    value: i.into(),
                    flags: Flags::NONE,
                };
                writer.push(&subject, (i % 2) as u8, Metric::Cpu(Side::Client), sample);
                let sample = Sample {
                    value: -1,
                    flags: Flags::STOLEN,
                    ..sample
                };
                writer.push(&Subject::Yardstick, 0, Metric::Operation, sample);
            }
            writer.flush(Meter::Cpu, 500_000_000).unwrap();
        }
        if finish {
            writer.finish().unwrap();
        }
    }

    fn sorted(mut stored: Stored) -> Vec<Record> {
        stored
            .records
            .sort_by_key(|r| (r.subject.clone(), r.replica, r.metric));
        stored.records
    }

    #[test]
    fn what_is_written_is_read_back_before_and_after_the_end() {
        let [open, closed] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        write(open.path(), 3, false);
        write(closed.path(), 3, true);
        let stored = read(open.path()).unwrap();
        assert_eq!(stored.spent, BTreeMap::from([(Meter::Cpu, 1.5)]));
        let records = sorted(stored);
        assert_eq!(records.len(), 3);
        assert_eq!(records[0].samples.len(), 150);
        assert_eq!(records[2].samples[7].value, -1);
        assert!(records[2].samples[7].flags.is_disturbed());
        assert_eq!(records, sorted(read(closed.path()).unwrap()));
        assert!(!closed.path().join(PARTS).exists());
    }

    #[test]
    fn a_second_writer_goes_on_behind_the_first() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 2, false);
        write(folder.path(), 1, true);
        assert_eq!(sorted(read(folder.path()).unwrap())[0].samples.len(), 150);
    }

    #[test]
    fn an_unfinished_part_is_no_part() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 1, false);
        fs::write(folder.path().join(PARTS).join(".new-x"), b"half").unwrap();
        assert_eq!(read(folder.path()).unwrap().records.len(), 3);
    }

    #[test]
    fn damage_is_told_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 1, true);
        let path = folder.path().join(WHOLE);
        let bytes = fs::read(&path).unwrap();
        for length in [0, 3, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&path, &bytes[..length]).unwrap();
            let error = read(folder.path()).unwrap_err();
            assert!(
                matches!(error, SamplesError::Damaged { .. }),
                "{length}: {error}"
            );
            assert!(error.to_string().contains(WHOLE));
        }
    }
}
