//! From an estate and policies to an assessment.

use std::collections::{BTreeMap, BTreeSet};

use time::{Date, Duration};

use crate::checks::{Draft, drafts, hybrid};
use crate::estate::{Platform, Scope};
use crate::exposure::risks;
use crate::matrix::{conflicts, matrix};
use crate::remedies::{Place, Wish, remedy};
use crate::uses::uses;
use crate::{
    Algorithm, Assessment, Check, Endpoint, Estate, Finding, NotObserved, Policy, Price, Prices,
    Profile, Requirement, Risk, Role, RuleVerdict, Service, Severity, Software, Status, Subject,
    SubjectKind, Topic, Usage, Verdict,
};

/// Judges an estate by policies and by risk, for one day.
///
/// The outcome depends on the arguments alone, and its order too. Without `prices` no finding
/// has a price.
pub fn assess(
    estate: &Estate,
    policies: &[Policy],
    profile: &Profile,
    at: Date,
    prices: Option<&Prices>,
) -> Assessment {
    let judge = Judge {
        estate,
        policies,
        profile,
        at,
        prices,
        endpoints: estate
            .endpoints
            .iter()
            .rev()
            .map(|endpoint| (endpoint.target.to_string(), endpoint))
            .collect(),
        scopes: estate
            .scopes()
            .map(|scope| (scope.subject(), scope))
            .collect(),
    };
    let seen = uses(estate);
    let risks = risks(estate, &seen.uses, profile);
    let mut drafts = drafts(estate, profile, at);
    drafts.extend(judge.violations(&seen.uses));
    let matrix = matrix(&seen.uses, policies, profile, at);
    Assessment {
        at,
        policies: policies
            .iter()
            .map(|policy| policy.header.clone())
            .collect(),
        findings: judge.findings(drafts, &risks),
        conflicts: conflicts(&matrix),
        matrix,
        not_observed: judge.not_observed(&seen.uses, seen.unanswered),
        risks,
        uses: seen.uses,
    }
}

struct Judge<'a> {
    estate: &'a Estate,
    policies: &'a [Policy],
    profile: &'a Profile,
    at: Date,
    prices: Option<&'a Prices>,
    /// The first address of each target, by its name.
    endpoints: BTreeMap<String, &'a Endpoint>,
    scopes: BTreeMap<Subject, Scope<'a>>,
}

impl<'a> Judge<'a> {
    fn verdicts(
        &self,
        subject: &Subject,
        role: Option<Role>,
        algorithm: &Algorithm,
    ) -> Vec<RuleVerdict> {
        let tags = self.profile.tags(&subject.name);
        self.policies
            .iter()
            .flat_map(|policy| policy.judge(role, algorithm, &tags, self.at))
            .collect()
    }

    /// One draft for each algorithm of a subject in a role that some rule does not allow.
    fn violations(&self, uses: &[Usage]) -> Vec<Draft> {
        let mut by_algorithm: BTreeMap<(&Subject, Option<Role>, &Algorithm), Vec<&Usage>> =
            BTreeMap::new();
        for usage in uses.iter().filter(|usage| usage.not_observed.is_none()) {
            let key = (&usage.subject, usage.role, &usage.algorithm);
            by_algorithm.entry(key).or_default().push(usage);
        }
        let violation = |((subject, role, algorithm), uses): (_, Vec<&Usage>)| {
            self.violation(subject, role, algorithm, &uses)
        };
        by_algorithm.into_iter().filter_map(violation).collect()
    }

    fn violation(
        &self,
        subject: &Subject,
        role: Option<Role>,
        algorithm: &Algorithm,
        uses: &[&Usage],
    ) -> Option<Draft> {
        let verdicts = self.verdicts(subject, role, algorithm);
        let concerns: Vec<&RuleVerdict> = verdicts
            .iter()
            .filter(|verdict| verdict.is_concern())
            .collect();
        let gravest = concerns.iter().min_by_key(|verdict| verdict.gravity())?;
        let severity = concerns
            .iter()
            .map(|verdict| self.severity(verdict))
            .max()?;
        let topic = role.map_or("cipher suite".to_owned(), |role| role.to_string());
        let draft_mark = match gravest.status {
            Status::Draft => ", a draft",
            Status::Final => "",
        };
        let title = format!(
            "{algorithm} ({topic}): {} under {}{draft_mark}",
            outcome(gravest),
            gravest.policy
        );
        let mut evidence: Vec<_> = uses
            .iter()
            .flat_map(|usage| usage.evidence.clone())
            .collect();
        evidence.sort();
        evidence.dedup();
        let is_ssh = match subject.kind {
            SubjectKind::Endpoint => self
                .endpoints
                .get(&subject.name)
                .is_some_and(|endpoint| endpoint.target.protocol == crate::Protocol::Ssh),
            _ => self
                .scopes
                .get(subject)
                .is_some_and(|scope| scope.settings.software == Software::Openssh),
        };
        let wish = wish(role, algorithm, is_ssh, subject.kind, &verdicts);
        let topic_name = match role {
            Some(Role::KeyEstablishment) => "key-establishment",
            Some(Role::Signature) => "signature",
            None => "cipher-suite",
        };
        let instead = (wish == Wish::Hybrid).then(hybrid);
        Some(Draft {
            check: Check::Policy,
            severity,
            subject: subject.clone(),
            detail: Some(format!("{topic_name}/{algorithm}")),
            role,
            algorithm: Some(algorithm.clone()),
            title,
            evidence,
            wish,
            instead,
        })
    }

    /// A draft and a recommendation are to be planned, a rule in force is to be followed; what
    /// was not checked is never grave.
    fn severity(&self, verdict: &RuleVerdict) -> Severity {
        let is_soon = |from: Date| from - self.at < Duration::days(5 * 365);
        let severity = match (&verdict.verdict, verdict.requirement) {
            (Verdict::Violates { .. }, Requirement::Recommended) => Severity::Low,
            (Verdict::Violates { .. }, Requirement::Deprecated) => Severity::Medium,
            (Verdict::Violates { .. }, _) => Severity::High,
            (Verdict::WillViolate { from }, requirement)
                if is_soon(*from) && requirement.is_binding() =>
            {
                Severity::Medium
            }
            (Verdict::WillViolate { .. }, _) => Severity::Low,
            (Verdict::Conforms | Verdict::NotObserved { .. }, _) => Severity::Note,
        };
        match (verdict.status, verdict.confidence) {
            (Status::Draft, _) => severity.min(Severity::Low),
            (_, crate::Confidence::Unverified) => severity.min(Severity::Medium),
            _ => severity,
        }
    }

    fn findings(&self, drafts: Vec<Draft>, risks: &[Risk]) -> Vec<Finding> {
        let risks: BTreeMap<(&Subject, Role), &Risk> = risks
            .iter()
            .map(|risk| ((&risk.subject, risk.role), risk))
            .collect();
        let mut by_id: BTreeMap<String, Draft> = BTreeMap::new();
        for draft in drafts {
            match by_id.entry(draft.id()) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(draft);
                }
                // The same at another address, or in another chain.
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    let known = entry.get_mut();
                    known.evidence.extend(draft.evidence);
                    if draft.severity > known.severity {
                        (known.severity, known.title) = (draft.severity, draft.title);
                    }
                }
            }
        }
        let mut findings: Vec<Finding> = by_id
            .into_iter()
            .map(|(id, draft)| self.finding(id, draft, &risks))
            .collect();
        findings.sort_by(|one, other| {
            other
                .severity
                .cmp(&one.severity)
                .then_with(|| one.id.cmp(&other.id))
        });
        findings
    }

    fn finding(
        &self,
        id: String,
        draft: Draft,
        risks: &BTreeMap<(&Subject, Role), &Risk>,
    ) -> Finding {
        let Draft {
            check,
            mut severity,
            subject,
            role,
            algorithm,
            title,
            mut evidence,
            wish,
            instead,
            ..
        } = draft;
        let verdicts = match &algorithm {
            Some(algorithm) => self.verdicts(&subject, role, algorithm),
            None => Vec::new(),
        };
        let is_breakable = algorithm
            .as_ref()
            .is_some_and(|one| one.resistance() == crate::Resistance::Vulnerable);
        let risk = role
            .filter(|_| is_breakable)
            .and_then(|role| risks.get(&(&subject, role)))
            .map(|risk| Risk::clone(risk));
        // What is to be planned for policy's sake may be urgent for the secret's.
        if let Some(risk) = &risk
            && risk.outlook == crate::Outlook::Exposed
            && role == Some(Role::KeyEstablishment)
        {
            severity = severity.max(Severity::Medium);
            evidence.push(risk.evidence());
        }
        let mut kept = BTreeSet::new();
        evidence.retain(|one| kept.insert(one.clone()));
        let price = self.price(role, algorithm.as_ref(), instead.as_ref());
        let place = self.place(&subject);
        Finding {
            id,
            check,
            severity,
            subject,
            role,
            algorithm,
            title,
            evidence,
            verdicts,
            risk,
            remedy: Some(remedy(wish, &place)),
            price,
        }
    }

    fn price(
        &self,
        role: Option<Role>,
        from: Option<&Algorithm>,
        to: Option<&Algorithm>,
    ) -> Option<Price> {
        let (role, from, to) = (role?, from?, to?);
        Some(match self.prices {
            Some(prices) => prices.price(role, from, to),
            None => Price::NotMeasured {
                reason: "no run of this machine was given".to_owned(),
            },
        })
    }

    /// The program behind a subject: as the profile says, or its configuration, or an SSH
    /// server itself.
    fn place(&self, subject: &Subject) -> Place<'a> {
        let endpoint = match subject.kind {
            SubjectKind::Endpoint => self.endpoints.get(&subject.name),
            _ => None,
        };
        let scope = match endpoint {
            Some(endpoint) => self.estate.scope_of(&endpoint.target),
            None => self.scopes.get(subject).copied(),
        };
        let settings = scope.map(|scope| scope.settings);
        let banner = endpoint.and_then(|endpoint| match &endpoint.service {
            Service::Ssh(service) => openssh(&service.software),
            _ => None,
        });
        let said = |field: fn(&crate::AssetProfile) -> Option<String>| {
            self.profile.last(&subject.name, field)
        };
        let platform = Platform {
            software: self
                .profile
                .last(&subject.name, |one| one.software)
                .or(settings.map(|settings| settings.software))
                .or(banner.as_ref().map(|_| Software::Openssh)),
            version: said(|one| one.version.clone())
                .or_else(|| settings.and_then(|settings| settings.version.clone()))
                .or(banner),
            library: said(|one| one.library.clone())
                .or_else(|| settings.and_then(|settings| settings.library.clone())),
        };
        Place {
            estate: self.estate,
            scope: scope.filter(|scope| Some(scope.settings.software) == platform.software),
            platform,
        }
    }

    fn not_observed(&self, uses: &[Usage], unanswered: Vec<NotObserved>) -> Vec<NotObserved> {
        let of_use = uses.iter().filter_map(|usage| {
            let verdicts = self.verdicts(&usage.subject, usage.role, &usage.algorithm);
            let open = |verdict: &RuleVerdict| match &verdict.verdict {
                Verdict::NotObserved { reason } => Some(reason.clone()),
                _ => None,
            };
            // Either the question has no answer, or no rule can be applied to the answer.
            let reason = usage.not_observed.clone();
            let reason = reason.or_else(|| verdicts.iter().find_map(open))?;
            let is_open =
                |verdict: &&RuleVerdict| usage.not_observed.is_some() || open(verdict).is_some();
            Some(NotObserved {
                subject: usage.subject.clone(),
                question: usage.algorithm.to_string(),
                role: usage.role,
                algorithm: Some(usage.algorithm.clone()),
                reason,
                rules: verdicts.iter().filter(is_open).map(full_id).collect(),
            })
        });
        let whole = unanswered.into_iter().map(|question| NotObserved {
            rules: self.rules_of(question.role, &question.subject),
            ..question
        });
        let mut all: Vec<NotObserved> = of_use.chain(whole).collect();
        let key = |one: &NotObserved| {
            (
                one.subject.clone(),
                one.role,
                one.question.clone(),
                one.reason.clone(),
            )
        };
        all.sort_by_key(key);
        all.dedup_by(|one, other| key(one) == key(other));
        all
    }

    fn rules_of(&self, role: Option<Role>, subject: &Subject) -> Vec<String> {
        let tags = self.profile.tags(&subject.name);
        let mut ids = Vec::new();
        for policy in self.policies {
            for rule in &policy.rules {
                let is_meant = role.is_none() || rule.on.contains(&Topic::of(role));
                if is_meant && rule.when.iter().all(|tag| tags.contains(tag)) {
                    ids.push(format!("{}/{}", policy.header.id, rule.id));
                }
            }
        }
        ids
    }
}

fn full_id(verdict: &RuleVerdict) -> String {
    format!("{}/{}", verdict.policy, verdict.rule)
}

fn outcome(verdict: &RuleVerdict) -> String {
    let word = match verdict.requirement {
        Requirement::Disallowed | Requirement::Required => "not allowed",
        Requirement::Deprecated => "deprecated",
        Requirement::Recommended => "advised against",
    };
    match &verdict.verdict {
        Verdict::WillViolate { from } => format!("{word} from {from} on"),
        Verdict::Violates { since: Some(since) } => format!("{word} since {since}"),
        _ => word.to_owned(),
    }
}

/// What would satisfy the rules that are violated.
fn wish(
    role: Option<Role>,
    algorithm: &Algorithm,
    is_ssh: bool,
    kind: SubjectKind,
    verdicts: &[RuleVerdict],
) -> Wish {
    let falls = algorithm.resistance() == crate::Resistance::Vulnerable;
    match role {
        Some(Role::KeyEstablishment) if matches!(algorithm, Algorithm::Rsa(_)) => {
            Wish::ForwardSecrecy
        }
        Some(Role::KeyEstablishment) if falls && is_ssh => Wish::SshHybrid,
        Some(Role::KeyEstablishment) if falls => Wish::Hybrid,
        // Keys of SSH, OpenPGP and the like have no second one beside them.
        Some(Role::Signature) if falls && (is_ssh || kind == SubjectKind::Key) => Wish::Words(
            "Note the key for replacement: there is nothing to change before the programs that \
             use it know a post-quantum signature."
                .to_owned(),
            vec!["Until then keep its life short, and what relies on it known.".to_owned()],
            Vec::new(),
        ),
        Some(Role::Signature) if falls => Wish::Certificates,
        _ => {
            let concerns = verdicts.iter().filter(|verdict| verdict.is_concern());
            let steps = concerns
                .map(|verdict| format!("{} asks: {}", verdict.policy, verdict.text))
                .collect();
            let summary = match role {
                None => {
                    "Turn this cipher suite off in favour of those that the policy names, or \
                     leave the policy out where it does not bind."
                }
                Some(_) => {
                    "Decide which policy counts here: the rules that do not allow this ask for \
                     something else than those that do."
                }
            };
            Wish::Words(summary.to_owned(), steps, Vec::new())
        }
    }
}

/// The version in an SSH identification string, where it is OpenSSH's.
fn openssh(identification: &str) -> Option<String> {
    let start = identification.find("OpenSSH_")?;
    let version = identification[start + "OpenSSH_".len()..]
        .split_whitespace()
        .next()?;
    Some(version.to_owned())
}
