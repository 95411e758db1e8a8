//! The answer in words, for a design review.

use std::collections::{BTreeMap, BTreeSet};

use audit::{
    Assessment, CertificateFacts, Check, Endpoint, Finding, Manner, Outlook, Resistance, Risk,
    Role, Service, Severity, Subject, SubjectKind,
};
use time::{Date, Duration};

use super::due::{Due, dues};
use super::readiness::{KeyExchange, targets};
use super::tables::{assumed, of_role};
use super::{clients, words};
use crate::answer::Finding as Sentence;
use crate::number::{self, NBSP};

/// Names in a sentence; the rest is counted.
const NAMES: usize = 3;

/// What a reader has to know who reads no further.
pub(super) fn sentences(assessment: &Assessment, endpoints: &[Endpoint]) -> Vec<Sentence> {
    let all = [
        ("Key exchange", key_exchange(endpoints)),
        ("Certificates", certificates(assessment, endpoints)),
        ("Harvest now, decrypt later", harvest(assessment)),
        ("Deadlines", deadlines(assessment)),
        ("What to do first", first_steps(assessment)),
        ("Not known", not_known(assessment)),
    ];
    all.into_iter()
        .filter_map(|(subject, text)| {
            Some(Sentence {
                subject: subject.to_owned(),
                text: text?,
            })
        })
        .collect()
}

fn key_exchange(endpoints: &[Endpoint]) -> Option<String> {
    let targets = targets(endpoints);
    if targets.is_empty() {
        return Some("No endpoint was scanned: this rests on files alone.".to_owned());
    }
    let named = |wanted: KeyExchange| {
        let of_it = targets.iter().filter(|(_, is)| **is == wanted);
        let names: Vec<String> = of_it.map(|(target, _)| target.to_string()).collect();
        let list = match names.is_empty() {
            true => String::new(),
            false => format!(" ({})", words::list(&names, NAMES)),
        };
        (names.len(), list)
    };
    let (yes, _) = named(KeyExchange::PostQuantum);
    let (no, those_not) = named(KeyExchange::Classical);
    let (unknown, those_unknown) = named(KeyExchange::NotKnown);
    let mut text = format!(
        "Of {}, {yes} can do post-quantum key exchange, {no} can not{those_not}, and of {unknown} \
         it is not known{those_unknown}.",
        words::count(targets.len(), "endpoint", "endpoints"),
    );
    let (answered, safe) = clients::answered(endpoints);
    if answered > 0 {
        text.push_str(&format!(
            " Ordinary clients get it in {} of {}.",
            number::count(safe as f64),
            words::count(answered, "handshake", "handshakes")
        ));
    }
    Some(text)
}

fn certificates(assessment: &Assessment, endpoints: &[Endpoint]) -> Option<String> {
    let mut shown: BTreeMap<&str, &CertificateFacts> = BTreeMap::new();
    for endpoint in endpoints {
        let Service::Tls(service) = &endpoint.service else {
            continue;
        };
        let chains = service.chains.iter();
        for chain in chains.filter_map(|tried| tried.answer.supported()) {
            for one in &chain.certificates {
                shown.insert(&one.fingerprint, one);
            }
        }
    }
    let shown = tally(shown.values().map(|one| one.key.resistance()));
    // A certificate's key is one use of one subject.
    let in_files: BTreeMap<&Subject, Resistance> = assessment
        .uses
        .iter()
        .filter(|one| one.subject.kind == SubjectKind::Certificate)
        .filter(|one| one.manner == Manner::CertificateKey && one.not_observed.is_none())
        .map(|one| (&one.subject, one.algorithm.resistance()))
        .collect();
    let in_files = tally(in_files.into_values());
    let parts = [
        ("that endpoints show", shown),
        ("in files, which may be the same,", in_files),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, tally)| tally.all > 0)
        .map(|(which, tally)| {
            let unknown = match tally.unknown {
                0 => String::new(),
                several => format!(", and of {several} it is not known"),
            };
            format!(
                "Of {} {which} {} classical and {} post-quantum{unknown}.",
                words::count(tally.all, "certificate", "certificates"),
                words::count(tally.classical, "is", "are"),
                tally.post_quantum,
            )
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

struct Tally {
    all: usize,
    classical: usize,
    post_quantum: usize,
    unknown: usize,
}

fn tally(keys: impl Iterator<Item = Resistance>) -> Tally {
    let keys: Vec<Resistance> = keys.collect();
    let count = |wanted: &[Resistance]| keys.iter().filter(|key| wanted.contains(key)).count();
    Tally {
        all: keys.len(),
        classical: count(&[Resistance::Vulnerable]),
        post_quantum: count(&[Resistance::PostQuantum, Resistance::Hybrid]),
        unknown: count(&[Resistance::Unknown]),
    }
}

fn harvest(assessment: &Assessment) -> Option<String> {
    let risks = of_role(assessment, Role::KeyEstablishment);
    if risks.is_empty() {
        return Some("No classical key exchange was seen in what could be observed.".to_owned());
    }
    let of = |outlook: Outlook| {
        let of_it = risks.iter().filter(move |risk| risk.outlook == outlook);
        of_it.copied().collect::<Vec<&Risk>>()
    };
    let (exposed, undecided) = (of(Outlook::Exposed), of(Outlook::Undecided));
    let names = |risks: &[&Risk]| match risks.is_empty() {
        true => String::new(),
        false => format!(
            " ({})",
            words::list(risks.iter().map(|one| &one.subject), NAMES)
        ),
    };
    let mut text = format!(
        "Of {} classical key exchange, {} exposed{}",
        match risks.len() {
            1 => "1 subject that takes".to_owned(),
            several => format!("{several} subjects that take"),
        },
        words::count(exposed.len(), "is", "are"),
        names(&exposed),
    );
    if !undecided.is_empty() {
        text.push_str(&format!(
            ", and {} undecided{}",
            words::count(undecided.len(), "is", "are"),
            names(&undecided)
        ));
    }
    text.push_str(&format!(
        ": what is recorded there today can be decrypted later. Assumed is that a secret is kept \
         for {}. {}",
        assumed(&risks),
        flip(if exposed.is_empty() { &risks } else { &exposed })
    ));
    Some(text)
}

/// The smallest change of one assumption that brings another outcome, and whether another
/// curve does.
fn flip(risks: &[&Risk]) -> String {
    let change = |risk: &Risk| match risk.flips.first() {
        Some(flip) => match (flip.now, flip.at) {
            (Some(now), Some(at)) => ((at - now) / now.abs().max(f64::EPSILON)).abs(),
            _ => f64::MAX,
        },
        None => f64::INFINITY,
    };
    let least = risks
        .iter()
        .min_by(|one, other| change(one).total_cmp(&change(other)));
    let Some((risk, first)) = least.and_then(|risk| Some((risk, risk.flips.first()?))) else {
        return "No single assumption changes that.".to_owned();
    };
    let curves: BTreeSet<String> = risk
        .flips
        .iter()
        .skip(1)
        .filter(|flip| flip.curve.is_some())
        .map(ToString::to_string)
        .collect();
    let whose = match risks.len() {
        1 => String::new(),
        _ => format!("{} would be ", risk.subject),
    };
    let mut text = format!("The assumption that flips it first: {whose}{first}");
    if !curves.is_empty() {
        text.push_str(&format!(", or {}", words::list(&curves, NAMES)));
    }
    text.push('.');
    text
}

/// The first binding deadline that is missed, and whether the next can be met.
fn deadlines(assessment: &Assessment) -> Option<String> {
    let dues = dues(assessment);
    let (binding, others): (Vec<&Due<'_>>, Vec<&Due<'_>>) =
        dues.iter().partition(|due| due.is_binding());
    let mut sentences = Vec::new();
    let missed: Vec<&Due<'_>> = binding
        .iter()
        .copied()
        .filter(|due| due.is_missed())
        .collect();
    // Rules that were not checked come after those that were.
    let first = missed.iter().min_by_key(|due| {
        (
            std::cmp::Reverse(due.verdict.confidence),
            due.from.is_none(),
            due.from,
        )
    });
    match first {
        Some(due) => {
            let when = match due.from {
                Some(from) => format!("since {from}"),
                None => "already".to_owned(),
            };
            let others: BTreeSet<&str> = missed
                .iter()
                .map(|other| other.verdict.policy.as_str())
                .filter(|policy| *policy != due.verdict.policy)
                .collect();
            let others = match others.is_empty() {
                true => String::new(),
                false => format!("; {} too", words::list(others, NAMES)),
            };
            sentences.push(format!(
                "Missed {when}: {}{others}.",
                says(assessment, &missed, due)
            ));
        }
        None => sentences.push("No rule in force is violated today.".to_owned()),
    }
    let ahead: Vec<&Due<'_>> = binding
        .iter()
        .copied()
        .filter(|due| !due.is_missed())
        .collect();
    if let Some((day, due)) = ahead
        .iter()
        .filter_map(|due| Some((due.from?, *due)))
        .min_by_key(|(day, _)| *day)
    {
        let same_day: Vec<&Due<'_>> = ahead
            .iter()
            .copied()
            .filter(|other| other.from == Some(day))
            .collect();
        let others: BTreeSet<&str> = same_day
            .iter()
            .map(|other| other.verdict.policy.as_str())
            .filter(|policy| *policy != due.verdict.policy)
            .collect();
        let others = match others.is_empty() {
            true => String::new(),
            false => format!(", and so does {}", words::list(others, NAMES)),
        };
        sentences.push(format!(
            "The next is {day}: {}{others}.",
            says(assessment, &same_day, due)
        ));
        sentences.extend(migration(assessment, day));
    }
    let drafts: BTreeSet<&str> = others
        .iter()
        .filter(|due| due.verdict.status == audit::Status::Draft)
        .map(|due| due.verdict.policy.as_str())
        .collect();
    if !drafts.is_empty() {
        sentences.push(format!(
            "Drafts bind nobody yet: {}.",
            words::list(drafts, NAMES)
        ));
    }
    (!assessment.policies.is_empty()).then(|| sentences.join(" "))
}

/// `cnsa-2.0 (final, several sources; scope: …) does not allow X25519 in 2 subjects`.
fn says(assessment: &Assessment, all: &[&Due<'_>], due: &Due<'_>) -> String {
    let of_policy = || {
        all.iter()
            .filter(|other| other.verdict.policy == due.verdict.policy)
    };
    let algorithms: BTreeSet<_> = of_policy().flat_map(|one| &one.algorithms).collect();
    let subjects: BTreeSet<_> = of_policy().flat_map(|one| &one.subjects).collect();
    let header = assessment
        .policies
        .iter()
        .find(|one| one.id == due.verdict.policy);
    let scope = header.map(|header| header.scope.split(';').next().unwrap_or_default());
    let scope = match scope {
        Some(scope) if !scope.is_empty() => format!("; scope: {scope}"),
        _ => String::new(),
    };
    format!(
        "{} ({}, {}{scope}) does not allow {} in {}",
        due.verdict.policy,
        due.verdict.status,
        due.verdict.confidence,
        words::list(algorithms, NAMES),
        words::count(subjects.len(), "subject", "subjects"),
    )
}

/// Whether the migration that risk assumes ends before a day.
fn migration(assessment: &Assessment, day: Date) -> Option<String> {
    let years = assessment.risks.iter().map(|risk| risk.migration_years);
    let years = years.max_by(f64::total_cmp)?;
    let end = assessment
        .at
        .checked_add(Duration::days((years * 365.25) as i64))?;
    let outcome = match end < day {
        true => "in time for that",
        false => "too late for that",
    };
    Some(format!(
        "A migration of {years:.1}{NBSP}years that begins now ends on {end}, {outcome}."
    ))
}

/// The changes that come first, each with the subjects that it helps.
///
/// Gravest first; then what exposes secrets, since what is recorded cannot be made secret
/// again; and what was found besides policies before what a policy asks.
fn first_steps(assessment: &Assessment) -> Option<String> {
    let urgency = |finding: &Finding| {
        let is_exposed = finding.risk.as_ref().is_some_and(|risk| {
            risk.role == Role::KeyEstablishment && risk.outlook == Outlook::Exposed
        });
        (
            std::cmp::Reverse(finding.severity),
            !is_exposed,
            finding.check == Check::Policy,
        )
    };
    let mut findings: Vec<&Finding> = assessment
        .findings
        .iter()
        .filter(|finding| finding.severity > Severity::Note && finding.remedy.is_some())
        .collect();
    findings.sort_by_key(|finding| urgency(finding));
    let mut steps: Vec<(&str, Vec<&Subject>)> = Vec::new();
    for finding in findings {
        let Some(remedy) = &finding.remedy else {
            continue;
        };
        match steps
            .iter_mut()
            .find(|(summary, _)| *summary == remedy.summary)
        {
            Some((_, subjects)) if subjects.contains(&&finding.subject) => {}
            Some((_, subjects)) => subjects.push(&finding.subject),
            None => steps.push((&remedy.summary, vec![&finding.subject])),
        }
    }
    if steps.is_empty() {
        return Some("Nothing was found that needs a change.".to_owned());
    }
    let steps = steps
        .iter()
        .take(NAMES)
        .enumerate()
        .map(|(at, (summary, subjects))| {
            let number = at + 1;
            let summary = summary.trim_end_matches('.');
            format!(
                "({number}){NBSP}{summary}: {}.",
                words::list(subjects, NAMES)
            )
        });
    Some(steps.collect::<Vec<_>>().join(" "))
}

fn not_known(assessment: &Assessment) -> Option<String> {
    let open = assessment.not_observed.len();
    (open > 0).then(|| {
        format!(
            "{} without an answer; these count neither as yes nor as no.",
            words::count(open, "question is", "questions are")
        )
    })
}
