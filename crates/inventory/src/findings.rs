//! What was found in one file.

use audit::{Asset, AssetKind, Location, Problem};

/// What a file holds, and what could not be read in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// In the order of the file.
    pub assets: Vec<Asset>,
    /// In the order of the file.
    pub problems: Vec<Problem>,
}

/// Where in a file something is: findings are made with it.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    pub(crate) path: &'a str,
    pub(crate) line: Option<u32>,
    pub(crate) entry: Option<String>,
}

impl<'a> Place<'a> {
    pub(crate) fn file(path: &'a str) -> Self {
        Self {
            path,
            line: None,
            entry: None,
        }
    }

    pub(crate) fn at_line(&self, line: u32) -> Self {
        Self {
            line: Some(line),
            ..self.clone()
        }
    }

    /// Inside of an entry too: `store/alias` where stores lie in stores.
    pub(crate) fn in_entry(&self, entry: impl Into<String>) -> Self {
        Self {
            entry: Some(printable(&entry.into())),
            ..self.clone()
        }
    }

    fn location(&self) -> Location {
        Location {
            path: self.path.to_owned(),
            line: self.line,
            entry: self.entry.clone(),
        }
    }
}

impl Findings {
    pub(crate) fn is_empty(&self) -> bool {
        self.assets.is_empty() && self.problems.is_empty()
    }

    pub(crate) fn asset(&mut self, place: &Place<'_>, kind: AssetKind) {
        self.assets.push(Asset {
            location: place.location(),
            kind,
        });
    }

    pub(crate) fn problem(&mut self, place: &Place<'_>, reason: impl Into<String>) {
        self.problems.push(Problem {
            location: place.location(),
            reason: reason.into(),
        });
    }

    pub(crate) fn certificate(&mut self, place: &Place<'_>, der: &[u8]) {
        match crate::certificate(der) {
            Ok(facts) => self.asset(place, AssetKind::Certificate(Box::new(facts))),
            Err(error) => self.problem(place, error.to_string()),
        }
    }
}

/// A text of a file on one line: without the characters that steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let is_plain = |character: char| {
        if character.is_control() {
            '\u{fffd}'
        } else {
            character
        }
    };
    text.chars().map(is_plain).collect()
}
