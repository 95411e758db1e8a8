//! Deadlines as data: what has to change by when, a row for each policy.

use serde::Serialize;

use crate::figure::{Table, columns};

/// Days on a time axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deadlines {
    /// The day from which it is looked at.
    pub today: Day,
    /// The rows, from the top.
    pub rows: Vec<DeadlineRow>,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Day {
    /// Its place on the axis, in years.
    pub year: f64,
    /// As it is written: `2031-01-01`, or `now`.
    pub date: String,
}

/// The deadlines of one policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeadlineRow {
    /// The policy, and that it is a draft where it is one.
    pub label: String,
    /// Its deadlines, the earliest first.
    pub marks: Vec<Deadline>,
    /// The same in a few words.
    pub text: String,
}

/// One deadline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deadline {
    /// What has to change.
    pub kind: DeadlineKind,
    /// The first day on which it is no longer allowed, or the last day for a plan.
    pub day: Day,
    /// Whether it may still change.
    pub is_draft: bool,
    /// Whether it only advises.
    pub is_advice: bool,
    /// What it is about, in words.
    pub what: String,
}

/// What has to change by a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadlineKind {
    /// Key establishment.
    KeyEstablishment,
    /// Signatures.
    Signature,
    /// A plan, an inventory: nothing that an algorithm could violate.
    Plan,
}

impl DeadlineKind {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::KeyEstablishment => "key establishment",
            Self::Signature => "signatures",
            Self::Plan => "plans",
        }
    }
}

impl Deadline {
    /// `final`, `draft`, and whether it only advises.
    pub(crate) fn force(&self) -> &'static str {
        match (self.is_draft, self.is_advice) {
            (false, false) => "final",
            (true, false) => "draft",
            (false, true) => "final, advice",
            (true, true) => "draft, advice",
        }
    }
}

impl Deadlines {
    pub(crate) fn table(&self) -> Table {
        let rows = self.rows.iter().flat_map(|row| {
            row.marks.iter().map(|mark| {
                vec![
                    row.label.clone(),
                    mark.day.date.clone(),
                    mark.kind.title().to_owned(),
                    mark.force().to_owned(),
                    mark.what.clone(),
                ]
            })
        });
        Table {
            columns: columns(&["policy", "day", "about", "force", "what"]),
            rows: rows.collect(),
        }
    }
}
