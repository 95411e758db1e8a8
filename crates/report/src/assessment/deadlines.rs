//! What has to change by when: the figure.

use audit::output::visible;
use audit::{Assessment, PolicyHeader, Role, Status};
use time::Date;

use super::due::{Due, dues};
use super::words;
use crate::deadline::{Day, Deadline, DeadlineKind, DeadlineRow, Deadlines};
use crate::figure::{Body, Figure};

/// The figure; `None` without a policy that sets a day.
pub(super) fn figure(assessment: &Assessment) -> Option<Figure> {
    let dues = dues(assessment);
    let today = day(assessment.at);
    let rows = assessment
        .policies
        .iter()
        .map(|policy| row(policy, &dues, assessment.at));
    let (rows, silent): (Vec<_>, Vec<_>) = rows.partition(|row| !row.marks.is_empty());
    if rows.is_empty() {
        return None;
    }
    let mut notes = vec![
        "A mark stands on the first day on which a rule no longer allows something that is in \
         use here, or today where the rule counts already and names no day. A stroke stands on \
         the last day for a plan, which no algorithm violates."
            .to_owned(),
    ];
    if dues.iter().any(|due| due.verdict.status == Status::Draft) {
        notes.push(
            "Hollow marks are of drafts: nobody is bound by these, and they may change.".to_owned(),
        );
    }
    if !silent.is_empty() {
        let names = silent.iter().map(|row| row.label.as_str());
        notes.push(format!(
            "No day for what is in use here: {}.",
            words::list(names, usize::MAX)
        ));
    }
    Some(Figure {
        title: title(&dues),
        subtitle: "One row for each policy that speaks of this estate; which of them binds it is \
                   for its owner to say."
            .to_owned(),
        body: Body::Deadlines(Deadlines { today, rows }),
        notes,
    })
}

/// The rules that are in force, and the next day that they set.
fn title(dues: &[Due<'_>]) -> String {
    let binding: Vec<&Due<'_>> = dues.iter().filter(|due| due.is_binding()).collect();
    let mut missed: Vec<&str> = binding
        .iter()
        .filter(|due| due.is_missed())
        .map(|due| due.verdict.policy.as_str())
        .collect();
    missed.dedup();
    let next = binding
        .iter()
        .filter(|due| !due.is_missed())
        .filter_map(|due| due.from)
        .min();
    let title = match (missed.len(), next) {
        (0, None) => "No rule in force sets a day for what is in use".to_owned(),
        (0, Some(next)) => format!("The first day that a rule in force sets is {next}"),
        (several, next) => {
            let now = format!(
                "What is in use violates {} now",
                words::count(several, "policy", "policies")
            );
            match next {
                None => now,
                Some(next) => format!("{now}; the next day that a rule in force sets is {next}"),
            }
        }
    };
    visible(&title).into_owned()
}

fn row(policy: &PolicyHeader, dues: &[Due<'_>], at: Date) -> DeadlineRow {
    let of_rules = dues.iter().filter(|due| due.verdict.policy == policy.id);
    let mut marks: Vec<Deadline> = of_rules.map(|due| of_rule(due, at)).collect();
    marks.extend(policy.milestones.iter().map(|milestone| Deadline {
        kind: DeadlineKind::Plan,
        day: day(milestone.by),
        is_draft: policy.status == Status::Draft,
        is_advice: false,
        what: visible(&milestone.text).into_owned(),
    }));
    marks.sort_by(|one, other| {
        let key = |mark: &Deadline| (mark.kind, mark.is_advice);
        one.day
            .year
            .total_cmp(&other.day.year)
            .then(key(one).cmp(&key(other)))
    });
    let draft = match policy.status {
        Status::Draft => " (draft)",
        Status::Final => "",
    };
    DeadlineRow {
        label: format!("{}{draft}", visible(&policy.id)),
        text: text(&marks),
        marks,
    }
}

fn of_rule(due: &Due<'_>, at: Date) -> Deadline {
    let date = due.from.unwrap_or(at);
    let what = format!(
        "{} ({}): {}. In use: {}, {}",
        due.verdict.rule,
        due.verdict.requirement,
        due.verdict.text.trim_end_matches('.'),
        words::list(&due.algorithms, 6),
        words::count(due.subjects.len(), "subject", "subjects"),
    );
    Deadline {
        kind: match due.role {
            Role::KeyEstablishment => DeadlineKind::KeyEstablishment,
            Role::Signature => DeadlineKind::Signature,
        },
        day: Day {
            date: match due.from {
                Some(from) => from.to_string(),
                None => "now".to_owned(),
            },
            ..day(date)
        },
        is_draft: due.verdict.status == Status::Draft,
        is_advice: !due.verdict.requirement.is_binding(),
        what: visible(&what).into_owned(),
    }
}

/// `now: signatures; 2031-01-01: key establishment`, plans left to the table.
fn text(marks: &[Deadline]) -> String {
    let mut parts: Vec<(&str, Vec<String>)> = Vec::new();
    for mark in marks {
        let at = parts.iter().position(|(date, _)| *date == mark.day.date);
        let at = at.unwrap_or(parts.len());
        if at == parts.len() {
            parts.push((&mark.day.date, Vec::new()));
        }
        let force = match (mark.is_draft, mark.is_advice) {
            (true, _) => " (draft)",
            (false, true) => " (advice)",
            (false, false) => "",
        };
        let what = format!("{}{force}", mark.kind.title());
        if !parts[at].1.contains(&what) {
            parts[at].1.push(what);
        }
    }
    let parts = parts.into_iter();
    let parts = parts.map(|(date, whats)| format!("{date}: {}", whats.join(", ")));
    parts.collect::<Vec<_>>().join("; ")
}

fn day(date: Date) -> Day {
    Day {
        year: f64::from(date.year()) + (f64::from(date.ordinal()) - 1.0) / 365.25,
        date: date.to_string(),
    }
}
