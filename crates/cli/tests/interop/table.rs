//! What came of the cases, for people and for programs.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::cases::Case;
use crate::expected::Side;
use crate::party::Peer;
use crate::terms::{Seen, View};

/// What came of a case.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// Both sides agreed on what was expected.
    Agreed { ours: Seen, theirs: Seen },
    /// Both sides refused for the reason that was expected.
    RefusedAsExpected { ours: Seen, theirs: Seen },
    /// Something else, with what both sides said if they came to speak.
    Failed {
        why: String,
        seen: Option<(Seen, Seen)>,
    },
    /// The peer is not there.
    Skipped { why: String },
}

/// A line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    peer: String,
    version: String,
    role: &'static str,
    case: String,
    group: String,
    certificate: String,
    ours: String,
    theirs: String,
    result: String,
    #[serde(skip)]
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passed,
    Failed,
    Skipped,
}

impl Row {
    pub(crate) fn new(peer: &Peer, case: &Case, outcome: &Outcome) -> Self {
        let (kind, result, seen) = match outcome {
            Outcome::Agreed { ours, theirs } => {
                (Kind::Passed, "ok".to_owned(), Some((ours, theirs)))
            }
            Outcome::RefusedAsExpected { ours, theirs } => (
                Kind::Passed,
                "refused as expected".to_owned(),
                Some((ours, theirs)),
            ),
            Outcome::Failed { why, seen } => (
                Kind::Failed,
                format!("failed: {}", one_line(why)),
                seen.as_ref().map(|(ours, theirs)| (ours, theirs)),
            ),
            Outcome::Skipped { why } => (Kind::Skipped, format!("skipped: {why}"), None),
        };
        Self {
            peer: peer.name.to_owned(),
            version: peer.version.clone().unwrap_or_else(|_| "–".to_owned()),
            role: match case.role {
                Side::Client => "client",
                Side::Server => "server",
            },
            case: case.what.to_owned(),
            group: case.group(),
            certificate: case.certificate(),
            ours: seen.map_or_else(String::new, |(ours, _)| shown(ours)),
            theirs: seen.map_or_else(String::new, |(_, theirs)| shown(theirs)),
            result,
            kind,
        }
    }

    fn cells(&self) -> [&str; 9] {
        [
            &self.peer,
            &self.version,
            self.role,
            &self.case,
            &self.group,
            &self.certificate,
            &self.ours,
            &self.theirs,
            &self.result,
        ]
    }
}

/// One side's words, in few.
fn shown(seen: &Seen) -> String {
    match seen {
        Seen::Refused(error) => {
            let error = one_line(error);
            match error.char_indices().nth(120) {
                Some((end, _)) => format!("{}…", &error[..end]),
                None => error,
            }
        }
        Seen::Agreed(view) => shown_view(view),
        Seen::Unnoticed => "nothing".to_owned(),
    }
}

/// For a cell of a table.
fn one_line(text: &str) -> String {
    text.replace(['\n', '|'], " ")
}

fn shown_view(view: &View) -> String {
    let or_as_told =
        |understood: Option<String>, told: &Option<String>| understood.or_else(|| told.clone());
    let mut words = vec![
        or_as_told(view.version().map(|v| v.to_string()), &view.version),
        or_as_told(view.group().map(|g| g.to_string()), &view.group),
        or_as_told(
            view.authentication().map(|a| a.to_string()),
            &view.authentication,
        ),
    ];
    if view.is_trusted == Some(true) {
        words.push(Some("verified".to_owned()));
    }
    if view.is_resumed == Some(true) {
        words.push(Some("resumed".to_owned()));
    }
    if view.has_hello_retry == Some(true) {
        words.push(Some("retried".to_owned()));
    }
    words.push(view.alpn.clone());
    words.push(view.peer.clone().filter(|peer| !peer.is_empty()));
    let words: Vec<_> = words.into_iter().flatten().collect();
    words.join(", ")
}

/// All rows, and what follows from them.
pub(crate) struct Results(pub(crate) Vec<Row>);

const HEADER: [&str; 9] = [
    "peer",
    "version",
    "peer's role",
    "case",
    "group",
    "certificate",
    "pqlab says",
    "the peer says",
    "result",
];

impl Results {
    /// The table, with one line for all that a peer skips for one reason.
    pub(crate) fn print(&self) {
        let mut skipped: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table.set_header(HEADER);
        for row in &self.0 {
            if row.kind == Kind::Skipped {
                *skipped.entry((&row.peer, &row.result)).or_default() += 1;
            } else {
                table.add_row(row.cells());
            }
        }
        if !table.is_empty() {
            println!("{table}");
        }
        for ((peer, reason), count) in skipped {
            println!("{peer}: {count} cases {reason}");
        }
    }

    /// Writes the whole as `table.md` and `table.json`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let line = |cells: [&str; 9]| format!("| {} |\n", cells.join(" | "));
        let rows = self.0.iter().map(|row| line(row.cells()));
        let markdown: String = [line(HEADER), line(["---"; 9])]
            .into_iter()
            .chain(rows)
            .collect();
        std::fs::write(folder.join("table.md"), markdown)?;
        let json = serde_json::to_string_pretty(&self.0)?;
        std::fs::write(folder.join("table.json"), json + "\n")?;
        Ok(())
    }

    pub(crate) fn failed(&self) -> usize {
        self.count(Kind::Failed)
    }

    /// "N passed, N failed, N skipped"
    pub(crate) fn summary(&self) -> String {
        format!(
            "{} passed, {} failed, {} skipped",
            self.count(Kind::Passed),
            self.failed(),
            self.count(Kind::Skipped)
        )
    }

    fn count(&self, kind: Kind) -> usize {
        self.0.iter().filter(|row| row.kind == kind).count()
    }
}
