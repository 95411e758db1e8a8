//! SARIF 2.1.0 (OASIS standard, errata 01): findings for code scanning.
//!
//! A finding is one result. Its rule is the check or, for what policies say, the gravest of
//! the policies' rules; what the others say stands in the result's properties. Questions
//! without an answer are notifications of the run, no results.

mod fixes;
mod markdown;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::fixes::fix;
use self::markdown::remedy_markdown;
use crate::output::text::{encoded, visible};
use crate::{
    Assessment, Check, Finding, Location, NotObserved, PolicyHeader, RuleVerdict, Severity,
    Subject, SubjectKind,
};

/// The document of an assessment.
pub fn sarif(assessment: &Assessment) -> Value {
    let mut rules: BTreeMap<String, Value> = BTreeMap::new();
    for finding in &assessment.findings {
        let check = finding.check;
        rules
            .entry(check.name().to_owned())
            .or_insert_with(|| check_rule(check));
        for verdict in &finding.verdicts {
            let header = assessment
                .policies
                .iter()
                .find(|header| header.id == verdict.policy);
            rules
                .entry(rule_id(verdict))
                .or_insert_with(|| policy_rule(verdict, header));
        }
    }
    let ids: Vec<&String> = rules.keys().collect();
    let results: Vec<Value> = assessment
        .findings
        .iter()
        .map(|finding| {
            let id = finding_rule(finding);
            let index = ids.iter().position(|known| **known == id);
            result(finding, &id, index)
        })
        .collect();
    let notifications: Vec<Value> = assessment.not_observed.iter().map(notification).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "pqlab",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": { "assessedAt": assessment.at.to_string() },
        }],
    })
}

/// The id of the rule that a finding is filed under.
fn finding_rule(finding: &Finding) -> String {
    let concerns = finding
        .verdicts
        .iter()
        .filter(|verdict| verdict.is_concern());
    let gravest = concerns.min_by_key(|verdict| verdict.gravity());
    match (finding.check, gravest) {
        (Check::Policy, Some(verdict)) => rule_id(verdict),
        (check, _) => check.name().to_owned(),
    }
}

/// Ids of policies and rules may come from a user's file.
fn rule_id(verdict: &RuleVerdict) -> String {
    format!(
        "{}/{}",
        encoded(&verdict.policy, ""),
        encoded(&verdict.rule, "")
    )
}

fn check_rule(check: Check) -> Value {
    let mut rule = json!({
        "id": check.name(),
        "fullDescription": { "text": check.description() },
        "properties": { "tags": ["security", "cryptography"] },
    });
    if let Some(uri) = help_uri(check) {
        rule["helpUri"] = json!(uri);
    }
    rule
}

fn policy_rule(verdict: &RuleVerdict, header: Option<&PolicyHeader>) -> Value {
    let mut rule = json!({
        "id": rule_id(verdict),
        "fullDescription": { "text": message_text(&verdict.text) },
        "properties": {
            "tags": ["security", "cryptography", "policy"],
            "policy": visible(&verdict.policy),
            "requirement": verdict.requirement,
            "status": verdict.status,
            "confidence": verdict.confidence,
        },
    });
    if let Some(clause) = &verdict.clause {
        rule["properties"]["clause"] = json!(visible(clause));
    }
    if let Some(header) = header {
        rule["properties"]["title"] = json!(visible(&header.title));
        rule["properties"]["source"] = json!(visible(&header.source));
        rule["properties"]["asOf"] = json!(header.as_of.to_string());
        if is_address(&header.source) {
            rule["helpUri"] = json!(header.source);
        }
    }
    rule
}

/// Whether a policy's source is an address that any viewer takes, rather than a title.
fn is_address(source: &str) -> bool {
    let Some(rest) = source.strip_prefix("https://") else {
        return false;
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_of = |text: &str, marks: &str| {
        text.chars()
            .all(|one| one.is_ascii_alphanumeric() || marks.contains(one))
    };
    !host.is_empty() && is_of(host, "-.") && is_of(path, "-._~/?&=+,;:@")
}

/// Where a check's reason is explained.
const fn help_uri(check: Check) -> Option<&'static str> {
    match check {
        Check::StaticRsa => Some("https://www.rfc-editor.org/rfc/rfc9325#section-4.1"),
        Check::ClassicalKeyExchange | Check::HybridNotPreferred | Check::ObsoleteDraftGroup => {
            Some("https://www.rfc-editor.org/rfc/rfc10024")
        }
        Check::HelloIntolerance => Some("https://tldr.fail/"),
        Check::ProtocolVersion => Some("https://www.rfc-editor.org/rfc/rfc8996"),
        Check::CertificateValidity => {
            Some("https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5")
        }
        Check::SmallKey | Check::MixedChain => Some("https://doi.org/10.6028/NIST.SP.800-57pt1r5"),
        Check::WeakHash => Some("https://www.rfc-editor.org/rfc/rfc9155"),
        Check::SshKeyExchange => Some("https://www.openssh.com/pq.html"),
        Check::UnknownGroup => {
            Some("https://www.iana.org/assignments/tls-parameters/tls-parameters.xhtml")
        }
        Check::Policy | Check::Disagreement => None,
    }
}

fn result(finding: &Finding, rule: &str, index: Option<usize>) -> Value {
    let (level, rank) = match finding.severity {
        Severity::High => ("error", 90.0),
        Severity::Medium => ("warning", 60.0),
        Severity::Low => ("note", 30.0),
        Severity::Note => ("note", 10.0),
    };
    let mut properties = json!({
        "check": finding.check,
        "severity": finding.severity,
        "findingId": visible(&finding.id),
    });
    if let Some(role) = finding.role {
        properties["role"] = json!(role);
    }
    if let Some(algorithm) = &finding.algorithm {
        properties["algorithm"] = json!(visible(&algorithm.to_string()));
    }
    if let Some(risk) = &finding.risk {
        properties["outlook"] = json!(risk.outlook);
    }
    let verdicts = finding.verdicts.iter().map(|verdict| {
        let said = visible(&verdict.verdict.to_string()).into_owned();
        json!({ "rule": rule_id(verdict), "verdict": said })
    });
    properties["verdicts"] = verdicts.collect();
    let hash = Sha256::digest(&finding.id);
    let fingerprint: String = hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut result = json!({
        "ruleId": rule,
        "level": level,
        "rank": rank,
        "message": {
            "text": plain_message(finding),
            "markdown": remedy_markdown(finding),
        },
        "locations": locations(finding),
        "partialFingerprints": { "findingId/v1": fingerprint },
        "properties": properties,
    });
    let edits = finding.remedy.iter().flat_map(|remedy| &remedy.edits);
    let fixes: Vec<Value> = edits.filter_map(fix).collect();
    if !fixes.is_empty() {
        result["fixes"] = json!(fixes);
    }
    if let Some(index) = index {
        result["ruleIndex"] = json!(index);
    }
    result
}

fn plain_message(finding: &Finding) -> String {
    let mut text = message_text(&finding.title);
    for evidence in &finding.evidence {
        text.push_str("\nSeen: ");
        text.push_str(&message_text(&evidence.text));
    }
    if let Some(remedy) = &finding.remedy {
        text.push_str("\nRemedy: ");
        text.push_str(&message_text(&remedy.summary));
    }
    text
}

/// Text of a message: braces would be placeholders (section 3.11.5), and `[text](target)` a
/// link (section 3.11.6).
fn message_text(text: &str) -> String {
    visible(text)
        .replace('{', "{{")
        .replace('}', "}}")
        .replace("](", "] (")
}

/// Every place in files, or the subject alone.
fn locations(finding: &Finding) -> Vec<Value> {
    let mut places: Vec<&Location> = Vec::new();
    for location in finding
        .evidence
        .iter()
        .filter_map(|one| one.location.as_ref())
    {
        if !places.contains(&location) {
            places.push(location);
        }
    }
    let logical = json!([logical_location(&finding.subject)]);
    if places.is_empty() {
        return vec![json!({ "logicalLocations": logical })];
    }
    let place = |location| json!({ "physicalLocation": physical_location(location), "logicalLocations": logical });
    places.into_iter().map(place).collect()
}

fn logical_location(subject: &Subject) -> Value {
    let kind = match subject.kind {
        SubjectKind::Endpoint => "endpoint",
        SubjectKind::Certificate => "certificate",
        SubjectKind::Key => "key",
        SubjectKind::Store => "keystore",
        SubjectKind::Settings => "configuration",
    };
    json!({ "fullyQualifiedName": visible(&subject.name), "kind": kind })
}

fn physical_location(location: &Location) -> Value {
    let mut physical = json!({ "artifactLocation": artifact(&location.path) });
    if let Some(line) = location.line.filter(|line| *line > 0) {
        physical["region"] = json!({ "startLine": line });
    }
    physical
}

/// A file by its URI.
fn artifact(path: &str) -> Value {
    let path = encoded(path, "/");
    let uri = match path.starts_with('/') {
        // Two slashes at the start would name a host.
        true => format!("file:///{}", path.trim_start_matches('/')),
        false => path,
    };
    json!({ "uri": uri })
}

fn notification(open: &NotObserved) -> Value {
    let text = format!("{}: {}: {}", open.subject, open.question, open.reason);
    json!({
        "level": "note",
        "message": { "text": message_text(&text) },
        "locations": [{ "logicalLocations": [logical_location(&open.subject)] }],
        "properties": { "rules": open.rules.iter().map(|rule| visible(rule)).collect::<Vec<_>>() },
    })
}
