//! Exact changes of files, as a viewer can apply them (SARIF section 3.55).

use serde_json::{Value, json};

use super::artifact;
use crate::Edit;
use crate::output::text::typed;

/// The edit as a fix; `None` where there is no diff. Without the file's text it can't be told
/// what else stands on the line, and a fix would delete it.
pub(super) fn fix(edit: &Edit) -> Option<Value> {
    let location = edit.location.as_ref()?;
    let replacements = replacements(edit.diff.as_deref()?)?;
    Some(json!({
        "artifactChanges": [{
            "artifactLocation": artifact(&location.path),
            "replacements": replacements,
        }],
    }))
}

/// The changes of a unified diff; `None` where it is none, or where a new line holds what
/// can't be seen.
fn replacements(diff: &str) -> Option<Vec<Value>> {
    let mut replacements = Vec::new();
    let mut change: Option<Change> = None;
    for line in diff.lines() {
        if let Some(header) = line.strip_prefix("@@ -") {
            replacements.extend(change.as_mut().and_then(Change::finish));
            let start = header
                .split([',', ' '])
                .next()?
                .parse()
                .ok()
                .filter(|start| *start > 0)?;
            change = Some(Change {
                line: start,
                deleted: 0,
                inserted: Vec::new(),
            });
            continue;
        }
        // What stands before the first hunk names the files.
        let Some(change) = &mut change else { continue };
        match line.split_at_checked(1)? {
            (" ", _) => {
                replacements.extend(change.finish());
                change.line += 1;
            }
            ("-", _) => change.deleted += 1,
            ("+", new) if typed(new) == new => change.inserted.push(new.to_owned()),
            ("\\", _) => {}
            _ => return None,
        }
    }
    replacements.extend(change.as_mut().and_then(Change::finish));
    (!replacements.is_empty()).then_some(replacements)
}

/// Deleted and inserted lines that touch.
struct Change {
    /// The first line in the old file, from 1.
    line: u32,
    deleted: u32,
    inserted: Vec<String>,
}

impl Change {
    /// The replacement, and the beginning of the next.
    fn finish(&mut self) -> Option<Value> {
        let deleted = std::mem::take(&mut self.deleted);
        let inserted = std::mem::take(&mut self.inserted);
        let start = self.line;
        self.line = start.checked_add(deleted)?;
        let mut region = json!({ "startLine": start, "startColumn": 1 });
        let text = match (deleted, inserted.is_empty()) {
            (0, true) => return None,
            // Without a last column the region ends before the line's end (section 3.30.8).
            (1.., false) => {
                region["endLine"] = json!(self.line - 1);
                inserted.join("\n")
            }
            _ => {
                region["endLine"] = json!(self.line);
                region["endColumn"] = json!(1);
                inserted.iter().map(|line| format!("{line}\n")).collect()
            }
        };
        Some(json!({ "deletedRegion": region, "insertedContent": { "text": text } }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_in_the_old_file() {
        let diff =
            "--- a/x\n+++ b/x\n@@ -4,4 +4,4 @@\n one\n-\ttwo;\n+\ttwo 2;\n three\n+new\n four\n";
        let expected = json!([
            {
                "deletedRegion": { "startLine": 5, "startColumn": 1, "endLine": 5 },
                "insertedContent": { "text": "\ttwo 2;" },
            },
            {
                "deletedRegion":
                    { "startLine": 7, "startColumn": 1, "endLine": 7, "endColumn": 1 },
                "insertedContent": { "text": "new\n" },
            },
        ]);
        assert_eq!(json!(replacements(diff).unwrap()), expected);
    }

    #[test]
    fn what_is_no_diff_gives_no_fix() {
        for diff in [
            "",
            "x",
            "@@ -0,0 +1 @@\n+x",
            "@@ -1 +1 @@\n-x\n+\u{202e}x",
            "@@ -1 @@\n?",
        ] {
            assert_eq!(replacements(diff), None, "{diff:?}");
        }
    }
}
