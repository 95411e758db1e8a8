//! What a reader of one file knows of its program, and what it has found so far.

use std::path::Path;

use audit::{Location, Problem, Settings, Software};

use super::version::{Library, Version};

/// Scopes of one file that are reported; the rest is a problem.
pub(super) const MOST_SCOPES: usize = 1000;

/// Problems of one file that are reported.
const MOST_PROBLEMS: usize = 100;

/// The state of reading one file.
pub(super) struct Reading<'a> {
    pub(super) software: Software,
    /// The program's version, as the caller tells it.
    pub(super) version: Option<&'a str>,
    /// Its TLS library's version, as the caller tells it.
    pub(super) library: Option<&'a str>,
    path: String,
    settings: Vec<Settings>,
    problems: Vec<Problem>,
    /// Whether it was said that scopes are left out.
    is_noted: bool,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        path: &Path,
        software: Software,
        version: Option<&'a str>,
        library: Option<&'a str>,
    ) -> Self {
        Self {
            software,
            version,
            library,
            path: path.to_string_lossy().into_owned(),
            settings: Vec::new(),
            problems: Vec::new(),
            is_noted: false,
        }
    }

    pub(super) fn program_version(&self) -> Option<Version> {
        Version::find(self.version?)
    }

    pub(super) fn tls_library(&self) -> Option<Library> {
        Library::find(self.library?)
    }

    /// Notes what could not be read at a line; the first of a file say enough.
    pub(super) fn problem(&mut self, line: u32, reason: impl Into<String>) {
        self.note(Some(line), reason.into());
    }

    pub(super) fn problem_of_file(&mut self, reason: impl Into<String>) {
        self.note(None, reason.into());
    }

    fn note(&mut self, line: Option<u32>, mut reason: String) {
        if self.problems.len() < MOST_PROBLEMS {
            shorten(&mut reason);
            self.problems.push(Problem {
                location: Location {
                    path: self.path.clone(),
                    line,
                    entry: None,
                },
                reason,
            });
        }
    }

    /// Whether the file's path has this part.
    pub(super) fn is_under(&self, part: &str) -> bool {
        self.path.contains(part)
    }

    /// Whether no further scope would be reported; the first time, that is a problem.
    pub(super) fn is_full(&mut self) -> bool {
        let is_full = self.settings.len() >= MOST_SCOPES;
        if is_full && !self.is_noted {
            self.is_noted = true;
            self.note(
                None,
                format!("scopes after the first {MOST_SCOPES} are left out"),
            );
        }
        is_full
    }

    /// Adds a scope's settings, if there is room.
    pub(super) fn push(&mut self, settings: Settings) {
        if !self.is_full() {
            self.settings.push(settings);
        }
    }

    pub(super) fn into_result(self) -> (Vec<Settings>, Vec<Problem>) {
        (self.settings, self.problems)
    }
}

/// Cuts a text that quotes from a file to a length that can be read.
pub(super) fn shorten(text: &mut String) {
    const LONGEST: usize = 400;
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
}
