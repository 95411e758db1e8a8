//! An assessment for people.

use std::fmt::Write;

use audit::{
    Assessment, Changes, Check, Finding, Price, Remedy, RuleVerdict, Severity, Status, Verdict,
};
use comfy_table::{ContentArrangement, Table, presets};

use crate::output::{escape, escape_lines};

/// Subjects that are told in full; the other formats have all.
const MOST_IN_FULL: usize = 40;
const MOST_EVIDENCE: usize = 3;

pub(super) fn assessment(assessment: &Assessment) -> String {
    let mut text = format!("Judged for {}\n", assessment.at);
    let subjects = by_subject(&assessment.findings);
    for (name, findings) in subjects.iter().take(MOST_IN_FULL) {
        text.push('\n');
        text.push_str(&subject(name, findings));
    }
    let left = subjects.len().saturating_sub(MOST_IN_FULL);
    if left > 0 {
        let _ = writeln!(
            text,
            "\n… and {left} more: --format html, csv or json has all"
        );
    }
    if !assessment.matrix.rows.is_empty() {
        let _ = writeln!(text, "\nAlgorithms in use, and what each policy says\n");
        text.push_str(&matrix(assessment));
        text.push('\n');
    }
    for conflict in assessment.conflicts.iter().filter(|one| {
        let rows = &assessment.matrix.rows;
        rows.iter()
            .any(|row| row.in_use && row.algorithm == one.algorithm && row.role == one.role)
    }) {
        let _ = writeln!(text, "\nConflict: {}", escape(&conflict.text));
    }
    if !assessment.risks.is_empty() {
        text.push_str("\nRisk of a quantum computer before the secret's, or signature's, end\n");
    }
    let mut risks: Vec<(&str, Vec<String>)> = Vec::new();
    for risk in &assessment.risks {
        let subject = escape(&risk.subject.name);
        match risks.iter_mut().find(|(known, _)| *known == risk.text) {
            Some((_, subjects)) => subjects.push(subject),
            None => risks.push((&risk.text, vec![subject])),
        }
    }
    for (risk, subjects) in risks {
        let _ = writeln!(text, "  {}\n    {}", escape(risk), subjects.join(", "));
    }
    if !assessment.not_observed.is_empty() {
        text.push_str("\nNot known\n");
    }
    for unknown in &assessment.not_observed {
        let (subject, question) = (&unknown.subject.name, &unknown.question);
        let line = format!("{subject}: {question}: {}", unknown.reason);
        let _ = writeln!(text, "  {}", escape(&line));
    }
    let count = |severity| {
        let of = assessment
            .findings
            .iter()
            .filter(|one| one.severity == severity);
        of.count()
    };
    let _ = write!(
        text,
        "\n{} findings: {} high, {} medium, {} low, {} notes; {} questions without an answer",
        assessment.findings.len(),
        count(Severity::High),
        count(Severity::Medium),
        count(Severity::Low),
        count(Severity::Note),
        assessment.not_observed.len()
    );
    text
}

pub(super) fn changes(changes: &Changes) -> String {
    let mut text = String::new();
    for (title, findings) in [("New", &changes.new), ("Gone", &changes.gone)] {
        if findings.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{title}\n");
        for (name, findings) in by_subject(findings) {
            text.push_str(&subject(name, &findings));
            text.push('\n');
        }
    }
    if !changes.changed.is_empty() {
        text.push_str("Changed\n\n");
    }
    for changed in &changes.changed {
        let (before, after) = (&changed.before, &changed.after);
        let _ = writeln!(
            text,
            "{}\n    before: {} ({})\n    now:    {} ({})",
            escape(&after.subject.name),
            escape(&before.title),
            before.severity,
            escape(&after.title),
            after.severity
        );
    }
    if !changes.unclear.is_empty() {
        text.push_str("Not known whether gone: the subject was not observed\n\n");
    }
    for finding in &changes.unclear {
        let _ = writeln!(
            text,
            "{}: {}",
            escape(&finding.subject.name),
            escape(&finding.title)
        );
    }
    let _ = write!(
        text,
        "{} new, {} gone, {} changed, {} not known",
        changes.new.len(),
        changes.gone.len(),
        changes.changed.len(),
        changes.unclear.len()
    );
    text
}

/// The findings of each subject, the subject with the gravest one first.
fn by_subject(findings: &[Finding]) -> Vec<(&str, Vec<&Finding>)> {
    let mut subjects: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        let name = finding.subject.name.as_str();
        match subjects.iter_mut().find(|(known, _)| *known == name) {
            Some((_, of_subject)) => of_subject.push(finding),
            None => subjects.push((name, vec![finding])),
        }
    }
    subjects
}

/// What was found, and then each different thing to do about it.
fn subject(name: &str, findings: &[&Finding]) -> String {
    let mut text = format!("{}\n", escape(name));
    for alike in alike(findings) {
        text.push_str(&found(&alike));
    }
    let mut told: Vec<&Remedy> = Vec::new();
    for finding in findings {
        let Some(remedy) = &finding.remedy else {
            continue;
        };
        if !told.contains(&remedy) {
            told.push(remedy);
            text.push_str(&self::remedy(remedy));
        }
    }
    let mut prices: Vec<String> = Vec::new();
    for price in findings.iter().filter_map(|one| one.price.as_ref()) {
        let price = self::price(price);
        if !prices.contains(&price) {
            let _ = writeln!(text, "  COST   {price}");
            prices.push(price);
        }
    }
    text
}

/// Findings by the same rules of algorithms in one role are told together.
fn alike<'a>(findings: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let key = |one: &Finding| (one.severity, one.role, rules(one));
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let same = groups.iter_mut().find(|group| {
            finding.check == Check::Policy
                && group[0].check == Check::Policy
                && key(group[0]) == key(finding)
        });
        match same {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

/// What rules say against it.
fn rules(finding: &Finding) -> String {
    let concerns = finding.verdicts.iter().filter(|one| one.is_concern());
    concerns.map(verdict).collect::<Vec<_>>().join("; ")
}

fn found(alike: &[&Finding]) -> String {
    let finding = alike[0];
    let severity = finding.severity.to_string().to_uppercase();
    let mut text = format!("  {severity:<6} {}\n", escape(&finding.title));
    let others: Vec<String> = alike[1..]
        .iter()
        .filter_map(|one| one.algorithm.as_ref().map(ToString::to_string))
        .collect();
    if !others.is_empty() {
        let _ = writeln!(text, "         so are {}", escape(&others.join(", ")));
    }
    // What the risk is stands below, once for each subject.
    let is_risk = |text: &str| finding.risk.as_ref().is_some_and(|risk| risk.text == text);
    let evidence = alike.iter().flat_map(|one| &one.evidence);
    let evidence: Vec<_> = evidence.filter(|one| !is_risk(&one.text)).collect();
    for one in evidence.iter().take(MOST_EVIDENCE) {
        let place = match &one.location {
            Some(location) => format!(" [{location}]"),
            None => String::new(),
        };
        let _ = writeln!(text, "         {}", escape(&format!("{}{place}", one.text)));
    }
    if let more @ 1.. = evidence.len().saturating_sub(MOST_EVIDENCE) {
        let _ = writeln!(text, "         … and {more} more");
    }
    let rules = rules(finding);
    if !rules.is_empty() {
        let _ = writeln!(text, "         {rules}");
    }
    text
}

fn remedy(remedy: &Remedy) -> String {
    let mut text = format!("  DO     {}\n", escape(&remedy.summary));
    for step in &remedy.steps {
        let _ = writeln!(text, "         - {}", escape(step));
    }
    for edit in &remedy.edits {
        match &edit.diff {
            Some(diff) => {
                for line in escape_lines(diff.trim_end()).lines() {
                    let _ = writeln!(text, "         {line}");
                }
            }
            None => {
                let (context, new) = (escape(&edit.context), escape_lines(&edit.new));
                let _ = writeln!(text, "         in {context}: {new}");
            }
        }
    }
    text
}

fn verdict(verdict: &RuleVerdict) -> String {
    let draft = match verdict.status {
        Status::Draft => ", draft",
        Status::Final => "",
    };
    escape(&format!("{} ({}{draft})", verdict.policy, verdict.verdict))
}

fn price(price: &Price) -> String {
    match price {
        Price::NotMeasured { reason } => format!("not measured: {}", escape(reason)),
        Price::Measured(one) => format!(
            "{} instead of {}: {:+} bytes up, {:+} down; {:+.0} µs [{:+.0}, {:+.0}] of the server's CPU, {:+.0} µs \
             [{:+.0}, {:+.0}] of the client's; {:+} round trips ({})",
            one.to,
            one.from,
            one.bytes_up,
            one.bytes_down,
            one.server.value,
            one.server.low,
            one.server.high,
            one.client.value,
            one.client.low,
            one.client.high,
            one.round_trips,
            escape(&one.machine)
        ),
    }
}

fn matrix(assessment: &Assessment) -> String {
    let matrix = &assessment.matrix;
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec!["algorithm".to_owned(), "role".to_owned()];
    header.extend(matrix.policies.iter().cloned());
    table.set_header(header);
    for row in matrix.rows.iter().filter(|row| row.in_use) {
        let cells = row.cells.iter().map(|cell| match cell {
            None => "–".to_owned(),
            Some(one) => {
                let draft = if one.status == Status::Draft {
                    " (draft)"
                } else {
                    ""
                };
                let short = match &one.verdict {
                    Verdict::Conforms => "yes".to_owned(),
                    Verdict::Violates { .. } => "NO".to_owned(),
                    Verdict::WillViolate { from } => format!("until {}", from.year()),
                    Verdict::NotObserved { .. } => "?".to_owned(),
                };
                format!("{short}{draft}")
            }
        });
        let names = [row.algorithm.to_string(), row.role.to_string()];
        table.add_row(names.into_iter().map(|name| escape(&name)).chain(cells));
    }
    table.to_string()
}
