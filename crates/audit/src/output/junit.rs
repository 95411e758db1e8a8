//! JUnit XML: a pipeline fails on what policies in force do not allow today.
//!
//! One suite for each policy, with one case for each subject and rule, and one suite for the
//! checks that need no policy. A case fails where a final, binding rule is violated, or where
//! a check's finding is grave. Drafts, recommendations, deprecations and days to come do not
//! fail: they stand in the case's output. What was not observed is skipped, never passed.

use std::collections::{BTreeMap, HashSet};
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::output::text::visible;
use crate::{Assessment, Check, PolicyHeader, RuleVerdict, Severity, Status, Subject, Verdict};

/// What came of a case; the later of two counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Passed,
    Skipped,
    Failed,
}

#[derive(Debug)]
struct Case {
    outcome: Outcome,
    /// What each algorithm comes to; the lines of the gravest outcome are its message.
    lines: Vec<(Outcome, String)>,
    properties: Vec<(&'static str, String)>,
}

/// By subject, then by rule.
type Cases<'a> = BTreeMap<(&'a Subject, String), Case>;

/// A policy, or the checks.
struct Suite<'a> {
    name: &'a str,
    properties: Vec<(&'static str, String)>,
    cases: Cases<'a>,
}

/// The document of an assessment.
pub fn junit(assessment: &Assessment) -> String {
    let mut suites: Vec<Suite<'_>> = assessment
        .policies
        .iter()
        .map(|header| Suite {
            name: &header.id,
            properties: header_properties(header),
            cases: policy_cases(assessment, header),
        })
        .collect();
    suites.push(Suite {
        name: "checks",
        properties: Vec::new(),
        cases: check_cases(assessment),
    });

    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory can't fail.
    write(&mut writer, assessment, &suites).expect("memory takes every byte");
    // The writer was given strings only.
    let mut xml = String::from_utf8(writer.into_inner()).expect("strings are UTF-8");
    xml.push('\n');
    xml
}

fn header_properties(header: &PolicyHeader) -> Vec<(&'static str, String)> {
    vec![
        ("title", header.title.clone()),
        ("publisher", header.publisher.clone()),
        ("source", header.source.clone()),
        ("status", header.status.to_string()),
        ("as-of", header.as_of.to_string()),
        ("confidence", header.confidence.to_string()),
    ]
}

/// What findings say and, of uses without one, what the matrix says.
fn policy_cases<'a>(assessment: &'a Assessment, header: &PolicyHeader) -> Cases<'a> {
    let mut cases = Cases::new();
    for finding in &assessment.findings {
        let what = finding.algorithm.as_ref().map(ToString::to_string);
        let what = what.unwrap_or_else(|| finding.check.to_string());
        for verdict in finding
            .verdicts
            .iter()
            .filter(|verdict| verdict.policy == header.id)
        {
            add_verdict(&mut cases, &finding.subject, &what, verdict);
        }
    }
    let column = assessment
        .matrix
        .policies
        .iter()
        .position(|id| *id == header.id);
    let judged: HashSet<_> = assessment
        .findings
        .iter()
        .filter(|finding| {
            finding
                .verdicts
                .iter()
                .any(|verdict| verdict.policy == header.id)
        })
        .map(|finding| (&finding.subject, finding.role, finding.algorithm.as_ref()))
        .collect();
    for usage in assessment
        .uses
        .iter()
        .filter(|usage| usage.not_observed.is_none())
    {
        let has_finding = judged.contains(&(&usage.subject, usage.role, Some(&usage.algorithm)));
        let row = assessment
            .matrix
            .rows
            .iter()
            .find(|row| Some(row.role) == usage.role && row.algorithm == usage.algorithm);
        let cell = column.and_then(|column| row?.cells.get(column)?.as_ref());
        if let (false, Some(verdict)) = (has_finding, cell) {
            add_verdict(
                &mut cases,
                &usage.subject,
                &usage.algorithm.to_string(),
                verdict,
            );
        }
    }
    for open in &assessment.not_observed {
        for rule in &open.rules {
            let Some((policy, rule)) = rule.split_once('/') else {
                continue;
            };
            if policy == header.id {
                let line = format!("{}: {}", open.question, open.reason);
                add(&mut cases, &open.subject, rule, Outcome::Skipped, line);
            }
        }
    }
    cases
}

fn add_verdict<'a>(cases: &mut Cases<'a>, subject: &'a Subject, what: &str, verdict: &RuleVerdict) {
    let binds = verdict.requirement.is_binding() && verdict.status == Status::Final;
    let outcome = match &verdict.verdict {
        Verdict::Violates { .. } if binds => Outcome::Failed,
        Verdict::NotObserved { .. } => Outcome::Skipped,
        Verdict::Violates { .. } | Verdict::WillViolate { .. } | Verdict::Conforms => {
            Outcome::Passed
        }
    };
    let line = match (&verdict.verdict, binds) {
        (Verdict::Conforms, _) => format!("{what}: {}", verdict.verdict),
        (said, true) => format!("{what}: {said}: {}", verdict.text),
        (said, false) => format!(
            "{what}: {said} ({}, {}): {}",
            verdict.requirement, verdict.status, verdict.text
        ),
    };
    let case = add(cases, subject, &verdict.rule, outcome, line);
    if case.properties.is_empty() {
        case.properties
            .push(("requirement", verdict.requirement.to_string()));
        case.properties.push(("status", verdict.status.to_string()));
        case.properties
            .push(("confidence", verdict.confidence.to_string()));
        case.properties
            .extend(verdict.clause.clone().map(|clause| ("clause", clause)));
    }
}

/// Findings that need no policy.
fn check_cases(assessment: &Assessment) -> Cases<'_> {
    let mut cases = Cases::new();
    for finding in assessment
        .findings
        .iter()
        .filter(|one| one.check != Check::Policy)
    {
        let outcome = match finding.severity {
            Severity::High => Outcome::Failed,
            Severity::Note | Severity::Low | Severity::Medium => Outcome::Passed,
        };
        let remedy = finding
            .remedy
            .as_ref()
            .map(|remedy| format!(" {}", remedy.summary));
        let line = format!(
            "{}: {}{}",
            finding.severity,
            finding.title,
            remedy.unwrap_or_default()
        );
        add(
            &mut cases,
            &finding.subject,
            finding.check.name(),
            outcome,
            line,
        );
    }
    cases
}

fn add<'a, 'c>(
    cases: &'c mut Cases<'a>,
    subject: &'a Subject,
    rule: &str,
    outcome: Outcome,
    line: String,
) -> &'c mut Case {
    let case = cases
        .entry((subject, rule.to_owned()))
        .or_insert_with(|| Case {
            outcome,
            lines: Vec::new(),
            properties: Vec::new(),
        });
    case.outcome = case.outcome.max(outcome);
    if !case.lines.contains(&(outcome, line.clone())) {
        case.lines.push((outcome, line));
    }
    case
}

type Xml = Writer<Vec<u8>>;

fn write(xml: &mut Xml, assessment: &Assessment, suites: &[Suite<'_>]) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all: Vec<&Case> = suites
        .iter()
        .flat_map(|suite| suite.cases.values())
        .collect();
    let [tests, failures, skipped] = counts(&all);
    xml.create_element("testsuites")
        .with_attribute(("name", "pqlab"))
        .with_attribute(("tests", tests.as_str()))
        .with_attribute(("failures", failures.as_str()))
        .with_attribute(("skipped", skipped.as_str()))
        .write_inner_content(|xml| {
            for suite in suites {
                write_suite(xml, assessment, suite)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn write_suite(xml: &mut Xml, assessment: &Assessment, suite: &Suite<'_>) -> io::Result<()> {
    let [tests, failures, skipped] = counts(&suite.cases.values().collect::<Vec<_>>());
    let timestamp = format!("{}T00:00:00", assessment.at);
    xml.create_element("testsuite")
        .with_attribute(("name", &*visible(suite.name)))
        .with_attribute(("tests", tests.as_str()))
        .with_attribute(("failures", failures.as_str()))
        .with_attribute(("errors", "0"))
        .with_attribute(("skipped", skipped.as_str()))
        .with_attribute(("timestamp", timestamp.as_str()))
        .write_inner_content(|xml| {
            write_properties(xml, &suite.properties)?;
            for ((subject, rule), case) in &suite.cases {
                write_case(xml, subject, rule, case)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn write_case(xml: &mut Xml, subject: &Subject, rule: &str, case: &Case) -> io::Result<()> {
    let of = |wanted: &[Outcome]| {
        let lines = case
            .lines
            .iter()
            .filter(|(outcome, _)| wanted.contains(outcome));
        lines.map(|(_, line)| visible(line)).collect::<Vec<_>>()
    };
    xml.create_element("testcase")
        .with_attribute(("classname", &*visible(&subject.name)))
        .with_attribute(("name", &*visible(rule)))
        .with_attribute(("time", "0"))
        .write_inner_content(|xml| {
            write_properties(xml, &case.properties)?;
            let told = of(&[case.outcome]);
            let first = told.first().map_or("", |line| line);
            match case.outcome {
                Outcome::Failed => {
                    xml.create_element("failure")
                        .with_attribute(("type", "violation"))
                        .with_attribute(("message", first))
                        .write_text_content(BytesText::new(&told.join("\n")))?;
                }
                Outcome::Skipped => {
                    xml.create_element("skipped")
                        .with_attribute(("message", first))
                        .write_empty()?;
                }
                Outcome::Passed => {}
            }
            let rest = match case.outcome {
                Outcome::Failed => of(&[Outcome::Passed, Outcome::Skipped]),
                Outcome::Skipped => of(&[Outcome::Passed]),
                Outcome::Passed => told,
            };
            if !rest.is_empty() {
                xml.create_element("system-out")
                    .write_text_content(BytesText::new(&rest.join("\n")))?;
            }
            Ok(())
        })?;
    Ok(())
}

fn write_properties(xml: &mut Xml, properties: &[(&str, String)]) -> io::Result<()> {
    if properties.is_empty() {
        return Ok(());
    }
    xml.create_element("properties")
        .write_inner_content(|xml| {
            for (name, value) in properties {
                xml.create_element("property")
                    .with_attribute(("name", *name))
                    .with_attribute(("value", &*visible(value)))
                    .write_empty()?;
            }
            Ok(())
        })?;
    Ok(())
}

/// Cases, failed ones and skipped ones.
fn counts(cases: &[&Case]) -> [String; 3] {
    let of = |outcome| cases.iter().filter(|case| case.outcome == outcome).count();
    [cases.len(), of(Outcome::Failed), of(Outcome::Skipped)].map(|count| count.to_string())
}
