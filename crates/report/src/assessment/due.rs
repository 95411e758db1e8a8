//! What rules do not allow of what is in use, now or from a day on.

use std::collections::{BTreeMap, BTreeSet};

use audit::{Algorithm, Assessment, Check, Role, RuleVerdict, Status, Subject, Verdict};
use time::Date;

/// One rule that does not allow something that is in use.
pub(super) struct Due<'a> {
    /// What the rule says.
    pub(super) verdict: &'a RuleVerdict,
    pub(super) role: Role,
    /// The first day on which it does not allow it; `None` where it counts already and names
    /// no day.
    pub(super) from: Option<Date>,
    pub(super) algorithms: BTreeSet<&'a Algorithm>,
    pub(super) subjects: BTreeSet<&'a Subject>,
}

impl Due<'_> {
    /// Whether the rule is in force and more than advice.
    pub(super) fn is_binding(&self) -> bool {
        self.verdict.requirement.is_binding() && self.verdict.status == Status::Final
    }

    /// Whether it is violated today.
    pub(super) fn is_missed(&self) -> bool {
        matches!(self.verdict.verdict, Verdict::Violates { .. })
    }
}

/// All of them, in the order of policies and then of days. Of an algorithm that is in use
/// there is one finding for each subject, with the verdict of every rule.
pub(super) fn dues(assessment: &Assessment) -> Vec<Due<'_>> {
    let rank: BTreeMap<&str, usize> = assessment
        .policies
        .iter()
        .enumerate()
        .map(|(at, policy)| (policy.id.as_str(), at))
        .collect();
    let mut by_rule: BTreeMap<(&str, &str, Role), Due<'_>> = BTreeMap::new();
    for finding in &assessment.findings {
        let (Check::Policy, Some(role), Some(algorithm)) =
            (finding.check, finding.role, &finding.algorithm)
        else {
            continue;
        };
        for verdict in &finding.verdicts {
            let from = match &verdict.verdict {
                Verdict::Violates { since } => *since,
                Verdict::WillViolate { from } => Some(*from),
                Verdict::Conforms | Verdict::NotObserved { .. } => continue,
            };
            let due = by_rule
                .entry((&verdict.policy, &verdict.rule, role))
                .or_insert_with(|| Due {
                    verdict,
                    role,
                    from,
                    algorithms: BTreeSet::new(),
                    subjects: BTreeSet::new(),
                });
            due.algorithms.insert(algorithm);
            due.subjects.insert(&finding.subject);
        }
    }
    let mut dues: Vec<Due<'_>> = by_rule.into_values().collect();
    let place = |due: &Due<'_>| rank.get(due.verdict.policy.as_str()).copied();
    dues.sort_by_key(|due| (place(due), !due.is_missed(), due.from, due.role));
    dues
}
