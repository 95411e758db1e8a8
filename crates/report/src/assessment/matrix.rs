//! Algorithms against policies, in words and in colour.

use audit::{Assessment, Confidence, MatrixRow, Requirement, Role, RuleVerdict, Status, Verdict};
use serde::Serialize;

/// The algorithms of one role.
#[derive(Debug, Serialize)]
pub(super) struct MatrixPage {
    role: String,
    policies: Vec<MatrixColumn>,
    rows: Vec<MatrixLine>,
}

#[derive(Debug, Serialize)]
struct MatrixColumn {
    id: String,
    is_draft: bool,
}

#[derive(Debug, Serialize)]
struct MatrixLine {
    algorithm: String,
    in_use: bool,
    cells: Vec<MatrixCell>,
}

#[derive(Debug, Serialize)]
struct MatrixCell {
    /// The class of its colours.
    class: &'static str,
    text: String,
    /// That the rule is a draft, or was not checked.
    note: String,
}

/// Key establishment, then signatures; a role without algorithms is left out.
pub(super) fn matrices(assessment: &Assessment) -> Vec<MatrixPage> {
    let matrix = &assessment.matrix;
    let column = |id: &String| {
        let header = assessment.policies.iter().find(|policy| policy.id == *id);
        MatrixColumn {
            id: id.clone(),
            is_draft: header.is_some_and(|policy| policy.status == Status::Draft),
        }
    };
    let of_role = |role| MatrixPage {
        role: match role {
            Role::KeyEstablishment => "Key establishment",
            Role::Signature => "Signatures",
        }
        .to_owned(),
        policies: matrix.policies.iter().map(column).collect(),
        rows: matrix
            .rows
            .iter()
            .filter(|row| row.role == role)
            .map(line)
            .collect(),
    };
    [Role::KeyEstablishment, Role::Signature]
        .map(of_role)
        .into_iter()
        .filter(|page| !page.rows.is_empty() && !page.policies.is_empty())
        .collect()
}

fn line(row: &MatrixRow) -> MatrixLine {
    MatrixLine {
        algorithm: row.algorithm.to_string(),
        in_use: row.in_use,
        cells: row
            .cells
            .iter()
            .map(|cell| self::cell(cell.as_ref()))
            .collect(),
    }
}

fn cell(verdict: Option<&RuleVerdict>) -> MatrixCell {
    let Some(verdict) = verdict else {
        return MatrixCell {
            class: "no-rule",
            text: "no rule".to_owned(),
            note: String::new(),
        };
    };
    let (class, text) = says(verdict);
    let mut notes = Vec::new();
    if verdict.status == Status::Draft {
        notes.push("draft");
    }
    if verdict.confidence == Confidence::Unverified {
        notes.push("unverified");
    }
    MatrixCell {
        class,
        text,
        note: notes.join(", "),
    }
}

/// The class of a verdict's colours, and what it comes to in two words.
pub(super) fn says(verdict: &RuleVerdict) -> (&'static str, String) {
    match (&verdict.verdict, verdict.requirement) {
        (Verdict::Conforms, _) => ("conforms", "conforms".to_owned()),
        (Verdict::WillViolate { from }, Requirement::Deprecated) => {
            ("limited", format!("deprecated from {from}"))
        }
        (Verdict::WillViolate { from }, _) => ("limited", format!("until {from}")),
        (Verdict::Violates { .. }, Requirement::Deprecated) => ("limited", "deprecated".to_owned()),
        (Verdict::Violates { .. }, Requirement::Recommended) => {
            ("limited", "advised against".to_owned())
        }
        (Verdict::Violates { .. }, _) => ("violates", "violates".to_owned()),
        (Verdict::NotObserved { .. }, _) => ("unclear", "not observed".to_owned()),
    }
}
