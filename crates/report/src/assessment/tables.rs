//! Risk, open questions and policies as tables.

use std::collections::BTreeSet;

use audit::{Assessment, Exposure, Outlook, Risk, Role};

use super::words;
use crate::figure::{Table, columns};

/// Each subject's key establishment and signatures against a quantum computer, the gravest
/// first.
pub(super) fn risks(assessment: &Assessment) -> Option<Table> {
    let mut risks: Vec<&Risk> = assessment.risks.iter().collect();
    let gravity = |risk: &Risk| match risk.outlook {
        Outlook::Exposed => 0,
        Outlook::Undecided => 1,
        Outlook::Tolerable => 2,
    };
    risks.sort_by_key(|risk| (risk.role, gravity(risk)));
    let rows: Vec<Vec<String>> = risks.into_iter().map(risk_row).collect();
    let names = [
        "subject",
        "role",
        "falls first",
        "outlook",
        "probability",
        "tolerated",
        "protected years",
        "migration years",
        "curve",
        "public key",
        "another outcome",
    ];
    (!rows.is_empty()).then(|| Table {
        columns: columns(&names),
        rows,
    })
}

fn risk_row(risk: &Risk) -> Vec<String> {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let (low, high) = (
        percent(risk.probability.low),
        percent(risk.probability.high),
    );
    let exposure = match &risk.exposure {
        Exposure::Published(reason) => format!("published: {reason}"),
        Exposure::Unpublished(reason) => format!("never shown: {reason}"),
        Exposure::NotKnown(reason) => format!("not known: {reason}"),
    };
    let flips = risk.flips.iter().map(ToString::to_string);
    let flips: Vec<String> = flips.collect();
    vec![
        risk.subject.name.clone(),
        risk.role.to_string(),
        risk.algorithm.to_string(),
        risk.outlook.to_string(),
        match low == high {
            true => low,
            false => format!("{low} to {high}"),
        },
        percent(risk.tolerated_probability),
        format!("{:.1}", risk.protected_years),
        format!("{:.1}", risk.migration_years),
        risk.curve.clone(),
        exposure,
        match flips.is_empty() {
            true => "no single assumption".to_owned(),
            false => flips.join("; "),
        },
    ]
}

/// What the risks rest on, for each role.
pub(super) fn assumptions(assessment: &Assessment) -> Vec<String> {
    [Role::KeyEstablishment, Role::Signature]
        .into_iter()
        .filter_map(|role| {
            let risks: Vec<&Risk> = of_role(assessment, role);
            (!risks.is_empty()).then(|| {
                let what = match role {
                    Role::KeyEstablishment => "Key establishment: a secret is kept for",
                    Role::Signature => "Signatures: one must verify for",
                };
                format!("{what} {}.", assumed(&risks))
            })
        })
        .collect()
}

pub(super) fn of_role(assessment: &Assessment, role: Role) -> Vec<&Risk> {
    let risks = assessment.risks.iter();
    risks.filter(|risk| risk.role == role).collect()
}

/// `10.0 years, a migration takes 5.0 years, curve gri-2024, 5 % tolerated`.
pub(super) fn assumed(risks: &[&Risk]) -> String {
    let curves: BTreeSet<&str> = risks.iter().map(|risk| risk.curve.as_str()).collect();
    format!(
        "{} years, the migration takes {} years, the curve is {}, and a probability of {} % is \
         tolerated",
        words::range(risks.iter().map(|risk| risk.protected_years)),
        words::range(risks.iter().map(|risk| risk.migration_years)),
        words::list(curves, 3),
        words::range(risks.iter().map(|risk| risk.tolerated_probability * 100.0)),
    )
}

/// Questions without an answer.
pub(super) fn not_known(assessment: &Assessment) -> Option<Table> {
    let rows: Vec<Vec<String>> = assessment
        .not_observed
        .iter()
        .map(|one| {
            vec![
                one.subject.name.clone(),
                one.question.clone(),
                one.role.map(|role| role.to_string()).unwrap_or_default(),
                match one.rules.len() {
                    0 => "no rule".to_owned(),
                    rules => words::count(rules, "rule", "rules"),
                },
                one.reason.clone(),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        columns: columns(&["subject", "question", "role", "left open", "reason"]),
        rows,
    })
}

/// The policies with what they are worth.
pub(super) fn policies(assessment: &Assessment) -> Option<Table> {
    let rows: Vec<Vec<String>> = assessment
        .policies
        .iter()
        .map(|policy| {
            vec![
                policy.id.clone(),
                format!("{} ({})", policy.title, policy.publisher),
                policy.status.to_string(),
                policy.as_of.to_string(),
                policy.confidence.to_string(),
                policy.source.clone(),
                policy.scope.clone(),
            ]
        })
        .collect();
    let names = [
        "policy",
        "title and publisher",
        "status",
        "as of",
        "confidence",
        "source",
        "scope",
    ];
    (!rows.is_empty()).then(|| Table {
        columns: columns(&names),
        rows,
    })
}

/// The days that policies set for plans.
pub(super) fn milestones(assessment: &Assessment) -> Option<Table> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for policy in &assessment.policies {
        for milestone in &policy.milestones {
            rows.push(vec![
                policy.id.clone(),
                milestone.by.to_string(),
                policy.status.to_string(),
                milestone.confidence.to_string(),
                milestone.text.clone(),
            ]);
        }
    }
    rows.sort_by(|one, other| one[1].cmp(&other[1]));
    (!rows.is_empty()).then(|| Table {
        columns: columns(&["policy", "last day", "status", "confidence", "what is due"]),
        rows,
    })
}
