//! Findings with their evidence, verdicts, risk, change and price.

use audit::{
    Assessment, Confidence, Difference, Edit, Finding, Price, Requirement, RuleVerdict, Severity,
    Status, Verdict,
};
use experiment::Interval;
use serde::Serialize;

use super::matrix::says;
use super::words;
use crate::number;

/// Findings of one severity that have a place on the page; the rest is counted.
const MOST: usize = 200;

/// The findings of one severity.
#[derive(Debug, Serialize)]
pub(super) struct SeverityPage {
    name: &'static str,
    meaning: &'static str,
    count: String,
    findings: Vec<FindingPage>,
    left_out: usize,
}

#[derive(Debug, Serialize)]
struct FindingPage {
    id: String,
    title: String,
    subject: String,
    check: &'static str,
    evidence: Vec<EvidencePage>,
    /// All verdicts in one sentence.
    summary: String,
    verdicts: Vec<VerdictPage>,
    risk: Option<String>,
    remedy: Option<RemedyPage>,
    price: Option<String>,
}

#[derive(Debug, Serialize)]
struct EvidencePage {
    text: String,
    location: Option<String>,
}

#[derive(Debug, Serialize)]
struct VerdictPage {
    class: &'static str,
    says: String,
    policy: String,
    rule: String,
    clause: String,
    text: String,
    status: String,
}

#[derive(Debug, Serialize)]
struct RemedyPage {
    summary: String,
    steps: Vec<String>,
    edits: Vec<EditPage>,
    sources: Vec<String>,
}

#[derive(Debug, Serialize)]
struct EditPage {
    /// The file and line, and where in it.
    place: String,
    old: Option<String>,
    lines: Vec<LinePage>,
}

#[derive(Debug, Serialize)]
struct LinePage {
    class: &'static str,
    text: String,
}

/// The gravest first.
pub(super) fn by_severity(assessment: &Assessment) -> Vec<SeverityPage> {
    let all = [
        (
            Severity::High,
            "High",
            "Wrong today: a rule in force is violated, or it is broken without a quantum computer.",
        ),
        (
            Severity::Medium,
            "Medium",
            "To be done: a deadline within five years, or a secret that may outlive its \
             protection.",
        ),
        (
            Severity::Low,
            "Low",
            "To be planned: a recommendation, a draft, or a deadline that is far.",
        ),
        (Severity::Note, "Note", "Good to know."),
    ];
    let page = |(severity, name, meaning)| {
        let of_it = assessment.findings.iter();
        let of_it: Vec<&Finding> = of_it.filter(|one| one.severity == severity).collect();
        (!of_it.is_empty()).then(|| SeverityPage {
            name,
            meaning,
            count: words::count(of_it.len(), "finding", "findings"),
            findings: of_it
                .iter()
                .take(MOST)
                .map(|one| FindingPage::new(one))
                .collect(),
            left_out: of_it.len().saturating_sub(MOST),
        })
    };
    all.into_iter().filter_map(page).collect()
}

impl FindingPage {
    fn new(finding: &Finding) -> Self {
        let mut verdicts: Vec<&RuleVerdict> = finding.verdicts.iter().collect();
        verdicts.sort_by_key(|verdict| order(verdict));
        Self {
            id: finding.id.clone(),
            title: finding.title.clone(),
            subject: finding.subject.name.clone(),
            check: finding.check.name(),
            evidence: finding
                .evidence
                .iter()
                // The risk has a place of its own.
                .filter(|one| {
                    let risk = finding.risk.as_ref();
                    risk.is_none_or(|risk| risk.text != one.text)
                })
                .map(|one| EvidencePage {
                    text: one.text.clone(),
                    location: one.location.as_ref().map(ToString::to_string),
                })
                .collect(),
            summary: summary(&verdicts),
            verdicts: verdicts.into_iter().map(verdict_page).collect(),
            risk: finding.risk.as_ref().map(|risk| {
                let flip = risk.flips.first();
                let flip = flip.map_or_else(String::new, |flip| format!(". It would be {flip}"));
                words::begin(&format!("{}: {}{flip}.", risk.outlook, risk.text))
            }),
            remedy: finding.remedy.as_ref().map(|remedy| RemedyPage {
                summary: remedy.summary.clone(),
                steps: remedy.steps.clone(),
                edits: remedy.edits.iter().map(edit_page).collect(),
                sources: remedy
                    .sources
                    .iter()
                    .map(|source| format!("{} ({})", source.text, source.confidence))
                    .collect(),
            }),
            price: finding.price.as_ref().map(price),
        }
    }
}

/// What counts now, what will count, what can't be told, and then what conforms.
fn order(verdict: &RuleVerdict) -> (u8, Option<time::Date>) {
    match &verdict.verdict {
        Verdict::Violates { .. } if verdict.requirement.is_binding() => (0, None),
        Verdict::Violates { .. } => (1, None),
        Verdict::WillViolate { from } => (2, Some(*from)),
        Verdict::NotObserved { .. } => (3, None),
        Verdict::Conforms => (4, None),
    }
}

/// `Violates cnsa-2.0; until 2031-01-01 allowed by asd-ism; conforms to uk-ncsc.`
fn summary(sorted: &[&RuleVerdict]) -> String {
    let mut parts: Vec<(String, Vec<String>)> = Vec::new();
    let mut judged: Vec<&str> = Vec::new();
    for verdict in sorted {
        // One rule of several that is kept says nothing beside those that are not.
        if verdict.verdict == Verdict::Conforms && judged.contains(&verdict.policy.as_str()) {
            continue;
        }
        judged.push(&verdict.policy);
        let says = match (&verdict.verdict, verdict.requirement) {
            (Verdict::Violates { .. }, Requirement::Recommended) => "against the advice of".into(),
            (Verdict::Violates { .. }, Requirement::Deprecated) => "deprecated by".into(),
            (Verdict::Violates { .. }, _) => "violates".into(),
            (Verdict::WillViolate { from }, Requirement::Deprecated) => {
                format!("from {from} deprecated by")
            }
            (Verdict::WillViolate { from }, Requirement::Recommended) => {
                format!("from {from} against the advice of")
            }
            (Verdict::WillViolate { from }, _) => format!("from {from} not allowed by"),
            (Verdict::NotObserved { .. }, _) => "can't be judged by".into(),
            (Verdict::Conforms, _) => "conforms to".into(),
        };
        let mark = match (verdict.status, verdict.confidence) {
            (Status::Draft, _) => " (draft)",
            (_, Confidence::Unverified) => " (unverified)",
            _ => "",
        };
        let policy = format!("{}{mark}", verdict.policy);
        match parts.last_mut().filter(|(last, _)| *last == says) {
            Some((_, policies)) if policies.contains(&policy) => {}
            Some((_, policies)) => policies.push(policy),
            None => parts.push((says, vec![policy])),
        }
    }
    let parts = parts.into_iter();
    let parts = parts.map(|(says, policies)| format!("{says} {}", policies.join(", ")));
    words::begin(&parts.collect::<Vec<_>>().join("; "))
}

fn verdict_page(verdict: &RuleVerdict) -> VerdictPage {
    let (class, _) = says(verdict);
    VerdictPage {
        class,
        says: verdict.verdict.to_string(),
        policy: verdict.policy.clone(),
        rule: verdict.rule.clone(),
        clause: verdict.clause.clone().unwrap_or_default(),
        text: verdict.text.clone(),
        status: format!(
            "{}, {}, {}",
            verdict.requirement, verdict.status, verdict.confidence
        ),
    }
}

fn edit_page(edit: &Edit) -> EditPage {
    let file = edit.location.as_ref().map(ToString::to_string);
    let place = [file.unwrap_or_default(), edit.context.clone()];
    let place = place.into_iter().filter(|part| !part.is_empty());
    let lines = match &edit.diff {
        Some(diff) => diff.lines().map(diff_line).collect(),
        None => edit.new.lines().map(|line| plain_line(line, "")).collect(),
    };
    EditPage {
        place: place.collect::<Vec<_>>().join(", "),
        old: edit.old.clone().filter(|_| edit.diff.is_none()),
        lines,
    }
}

fn plain_line(line: &str, class: &'static str) -> LinePage {
    LinePage {
        class,
        text: line.to_owned(),
    }
}

fn diff_line(line: &str) -> LinePage {
    let class = match line.chars().next() {
        Some('+') if !line.starts_with("+++") => "added",
        Some('-') if !line.starts_with("---") => "removed",
        _ => "",
    };
    plain_line(line, class)
}

/// What the change costs in each full handshake.
fn price(price: &Price) -> String {
    let Difference {
        from,
        to,
        client,
        server,
        bytes_up,
        bytes_down,
        round_trips,
        run,
        machine,
    } = match price {
        Price::Measured(difference) => &**difference,
        Price::NotMeasured { reason } => {
            return format!("not measured: {reason}. Measure it with pqlab run.");
        }
    };
    let time = |interval: &audit::Interval| {
        let nanoseconds = Interval {
            value: interval.value * 1e3,
            low: interval.low * 1e3,
            high: interval.high * 1e3,
        };
        let scaled = number::interval_unit(nanoseconds);
        format!(
            "{}{}",
            plus(interval.value),
            number::estimate(nanoseconds, scaled)
        )
    };
    let bytes = |bytes: i64| {
        let bytes = bytes as f64;
        format!("{}{}", plus(bytes), number::count(bytes))
    };
    let trips = match *round_trips {
        same if same.abs() < 0.005 => "no round trip more".to_owned(),
        trips => format!("{}{} round trips", plus(trips), number::plain(trips)),
    };
    format!(
        "{} bytes up, {} bytes down, {} client, {} server, {trips} for each full handshake; from \
         {from} to {to}, run {run} on {machine}",
        bytes(*bytes_up),
        bytes(*bytes_down),
        time(client),
        time(server),
    )
}

fn plus(value: f64) -> &'static str {
    if value > 0.0 { "+" } else { "" }
}
