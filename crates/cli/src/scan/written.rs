//! The file of results: a line of JSON for each address, and what of it is done.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use audit::{Endpoint, Target};
use serde::Deserialize;

use crate::bad_input;

pub(crate) struct Written {
    file: File,
    path: PathBuf,
    done: HashSet<String>,
}

/// Of each line, all that is needed here.
#[derive(Deserialize)]
struct Line {
    target: Target,
}

impl Written {
    /// Opens or makes the file. A last line without its end is of a scan that was killed: it is
    /// cut off, and its target scanned again.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let context = || format!("opening {}", path.display());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(context)?;
        let mut done = HashSet::new();
        let mut whole = 0;
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line).with_context(context)?;
            if line.last() != Some(&b'\n') {
                break;
            }
            let read: Line = serde_json::from_slice(&line).map_err(|error| {
                let place = path.display();
                bad_input(anyhow!(
                    "{place} is no file of a scan, and is left as it is: {error}"
                ))
            })?;
            done.insert(read.target.to_string());
            whole += length as u64;
        }
        file.set_len(whole).with_context(context)?;
        file.seek(SeekFrom::End(0)).with_context(context)?;
        if !done.is_empty() {
            eprintln!("{}: {} targets are done", path.display(), done.len());
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            done,
        })
    }

    /// What is done already.
    pub(crate) fn take_done(&mut self) -> HashSet<String> {
        std::mem::take(&mut self.done)
    }

    /// Adds all addresses of one target, in one write: a target is done as a whole or not.
    pub(crate) fn add(&mut self, endpoints: &[Endpoint]) -> Result<()> {
        let mut lines = Vec::new();
        for endpoint in endpoints {
            serde_json::to_writer(&mut lines, endpoint)?;
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines);
        written.with_context(|| format!("writing {}", self.path.display()))
    }
}
