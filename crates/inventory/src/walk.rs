//! Walks paths and reads the files under them.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use audit::{Asset, Inventory, Location, Problem};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use walkdir::{DirEntry, WalkDir};
use zeroize::Zeroizing;

use crate::Versions;
use crate::contents::{self, HEAD};

/// What a caller decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes up to which a file is read; a larger one that may hold something is a problem.
    pub max_file_bytes: u64,
    /// What is known of installed versions, for the defaults of configurations.
    pub versions: Versions,
}

impl Default for Options {
    /// Files of up to 16 MiB, and nothing known of versions.
    fn default() -> Self {
        Self {
            max_file_bytes: 16 * 1024 * 1024,
            versions: Versions::default(),
        }
    }
}

/// What happens on the way.
#[derive(Debug)]
pub enum Event<'a> {
    /// A file was opened.
    File(&'a Path),
    /// Something was found in the last file.
    Asset(Box<Asset>),
    /// A file, folder or a part of one could not be read.
    Problem(Problem),
}

/// Why no walk was begun.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// No path was given.
    #[error("no path is given: name files or folders to look at")]
    NoPath,
    /// A given path is not there, or can't be looked at.
    #[error("{path} can't be looked at: {source}", path = path.display())]
    Path {
        /// The path as given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Takes an inventory of all files under some paths; `progress` hears of each file that is
/// opened. Paths below others of them are not walked twice.
///
/// # Errors
/// When a path is not there. What is unreadable below one is a problem of the inventory.
pub fn take(
    paths: &[PathBuf],
    options: &Options,
    progress: &mut dyn FnMut(&Path),
) -> Result<Inventory, InventoryError> {
    let now = OffsetDateTime::now_utc();
    let mut inventory = Inventory {
        paths: paths
            .iter()
            .map(|path| path.display().to_string())
            .collect(),
        // The years of a clock are within those of RFC 3339.
        taken: now.format(&Rfc3339).unwrap_or_default(),
        ..Inventory::default()
    };
    inventory.files = walk(paths, options, &mut |event| match event {
        Event::File(path) => progress(path),
        Event::Asset(asset) => inventory.assets.push(*asset),
        Event::Problem(problem) => inventory.problems.push(problem),
    })?;
    Ok(inventory)
}

/// Walks as [`take`] does, but keeps nothing: what is found goes to `visit` in a fixed order,
/// file by file. Returns how many files were opened.
///
/// Symbolic links below the paths are not followed, so that no file is read twice and nothing
/// outside of them. Only regular files are opened; `/proc`, `/sys` and `/dev` are left out
/// unless a path is in them.
///
/// # Errors
/// When a path is not there.
pub fn walk(
    paths: &[PathBuf],
    options: &Options,
    visit: &mut dyn FnMut(Event<'_>),
) -> Result<u64, InventoryError> {
    let mut files = 0;
    for root in roots(paths)? {
        let entries = WalkDir::new(&root).sort_by_file_name().into_iter();
        for entry in entries.filter_entry(|entry| !is_of_kernel(entry)) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(&root).to_string_lossy().into_owned();
                    let reason = match error.io_error() {
                        Some(error) => format!("it can't be looked at: {error}"),
                        None => "it can't be looked at".to_owned(),
                    };
                    visit(Event::Problem(problem(&path, reason)));
                    continue;
                }
            };
            if is_file(&entry) {
                let is_given = entry.depth() == 0;
                files += u64::from(file(entry.path(), is_given, options, visit));
            }
        }
    }
    Ok(files)
}

/// The paths without those that lie in others.
fn roots(paths: &[PathBuf]) -> Result<Vec<PathBuf>, InventoryError> {
    if paths.is_empty() {
        return Err(InventoryError::NoPath);
    }
    let mut roots: Vec<(PathBuf, &PathBuf)> = Vec::new();
    for path in paths {
        let real = path.canonicalize().map_err(|source| InventoryError::Path {
            path: path.clone(),
            source,
        })?;
        if roots.iter().any(|(root, _)| real.starts_with(root)) {
            continue;
        }
        roots.retain(|(root, _)| !root.starts_with(&real));
        roots.push((real, path));
    }
    Ok(roots.into_iter().map(|(_, path)| path.clone()).collect())
}

/// Not files of a disk, and reading some of them waits or acts.
fn is_of_kernel(entry: &DirEntry) -> bool {
    let path = entry.path();
    entry.depth() > 0
        && ["/proc", "/sys", "/dev"]
            .iter()
            .any(|kernel| path == Path::new(kernel))
}

fn is_file(entry: &DirEntry) -> bool {
    match entry.depth() {
        // A link that was given is followed.
        0 => entry
            .path()
            .metadata()
            .is_ok_and(|metadata| metadata.is_file()),
        _ => entry.file_type().is_file(),
    }
}

/// Reads one file; whether it was opened.
fn file(path: &Path, is_given: bool, options: &Options, visit: &mut dyn FnMut(Event<'_>)) -> bool {
    let shown = path.to_string_lossy();
    let file = open(path, is_given).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, mut file) = match file {
        Ok((metadata, file)) if metadata.is_file() => (metadata, file),
        // It became something else since the folder was read.
        Ok(_) => return false,
        Err(error) => {
            visit(Event::Problem(problem(
                &shown,
                format!("it can't be opened: {error}"),
            )));
            return false;
        }
    };
    visit(Event::File(path));
    match bytes(path, &mut file, &metadata, options.max_file_bytes) {
        Ok(Some(bytes)) => {
            let findings = contents::read(path, &bytes, &options.versions);
            findings
                .assets
                .into_iter()
                .for_each(|asset| visit(Event::Asset(Box::new(asset))));
            findings
                .problems
                .into_iter()
                .for_each(|problem| visit(Event::Problem(problem)));
        }
        Ok(None) => {}
        Err(reason) => visit(Event::Problem(problem(&shown, reason))),
    }
    true
}

/// The whole file, or nothing where its beginning tells that nothing is in it.
fn bytes(
    path: &Path,
    file: &mut File,
    metadata: &Metadata,
    limit: u64,
) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    let unreadable = |error: io::Error| format!("it can't be read: {error}");
    // With room for all of it no copy stays behind where the vector would grow.
    let size = metadata.len().min(limit);
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        usize::try_from(size).unwrap_or(0) + HEAD,
    ));
    file.take(HEAD as u64)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.is_empty() || !contents::may_hold(path, &bytes) {
        return Ok(None);
    }
    let rest = (limit + 1).saturating_sub(bytes.len() as u64);
    file.take(rest)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(format!("it has more than {limit} bytes and is not read"));
    }
    Ok(Some(bytes))
}

/// Does not wait for a pipe, and follows no link, that took a file's place meanwhile.
#[cfg(unix)]
fn open(path: &Path, follows_link: bool) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = match follows_link {
        true => libc::O_NONBLOCK,
        false => libc::O_NONBLOCK | libc::O_NOFOLLOW,
    };
    File::options().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path, _follows_link: bool) -> io::Result<File> {
    File::open(path)
}

fn problem(path: &str, reason: String) -> Problem {
    Problem {
        location: Location {
            path: path.to_owned(),
            line: None,
            entry: None,
        },
        reason,
    }
}
