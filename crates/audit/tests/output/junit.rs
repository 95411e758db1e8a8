//! JUnit XML, read back.

use audit::output::junit;
use roxmltree::{Document, Node};

use crate::findings::assessment;

fn suite<'a>(document: &'a Document<'_>, name: &str) -> Node<'a, 'a> {
    document
        .descendants()
        .find(|node| node.has_tag_name("testsuite") && node.attribute("name") == Some(name))
        .unwrap()
}

fn case<'a>(suite: Node<'a, 'a>, subject: &str, rule: &str) -> Node<'a, 'a> {
    suite
        .children()
        .find(|node| {
            node.attribute("classname") == Some(subject) && node.attribute("name") == Some(rule)
        })
        .unwrap()
}

fn has(case: Node<'_, '_>, tag: &str) -> bool {
    case.children().any(|node| node.has_tag_name(tag))
}

#[test]
fn only_final_and_binding_rules_that_are_violated_today_fail() {
    let xml = junit(&assessment());
    let document = Document::parse(&xml).unwrap();
    let strict = suite(&document, "strict");
    let web = "www.example.test:443";
    let failed = case(strict, web, "sets");
    assert!(has(failed, "failure"));
    for rule in ["old", "hybrid"] {
        let passed = case(strict, web, rule);
        assert!(!has(passed, "failure") && !has(passed, "skipped"), "{rule}");
    }
    let later = case(strict, web, "old");
    let told = later
        .children()
        .find(|node| node.has_tag_name("system-out"))
        .unwrap();
    assert!(told.text().unwrap().contains("violates from 2031-01-01 on"));
    assert!(
        !has(case(suite(&document, "draft"), web, "later"), "failure"),
        "a draft binds nobody"
    );
}

#[test]
fn what_was_not_observed_is_skipped() {
    let xml = junit(&assessment());
    let document = Document::parse(&xml).unwrap();
    let strict = suite(&document, "strict");
    assert!(has(case(strict, "www.example.test:443", "size"), "skipped"));
    let asked = case(strict, "mail.example.test:25", "sets");
    let skipped = asked
        .children()
        .find(|node| node.has_tag_name("skipped"))
        .unwrap();
    assert_eq!(
        skipped.attribute("message"),
        Some("X25519MLKEM768: timeout")
    );
}

#[test]
fn uses_that_conform_are_cases_that_pass() {
    let xml = junit(&assessment());
    let document = Document::parse(&xml).unwrap();
    let good = case(suite(&document, "strict"), "good.example.test:443", "sets");
    assert!(!has(good, "failure") && !has(good, "skipped"));
}

#[test]
fn counts_are_those_of_the_cases() {
    let xml = junit(&assessment());
    let document = Document::parse(&xml).unwrap();
    let mut all = 0;
    for suite in document
        .descendants()
        .filter(|node| node.has_tag_name("testsuite"))
    {
        let cases: Vec<_> = suite
            .children()
            .filter(|node| node.has_tag_name("testcase"))
            .collect();
        let count = |tag| {
            cases
                .iter()
                .filter(|case| has(**case, tag))
                .count()
                .to_string()
        };
        assert_eq!(
            suite.attribute("tests"),
            Some(cases.len().to_string().as_str())
        );
        assert_eq!(suite.attribute("failures"), Some(count("failure").as_str()));
        assert_eq!(suite.attribute("skipped"), Some(count("skipped").as_str()));
        all += cases.len();
    }
    assert_eq!(
        document.root_element().attribute("tests"),
        Some(all.to_string().as_str())
    );
}

#[test]
fn grave_checks_fail_without_any_policy() {
    let mut assessment = assessment();
    assessment.policies.clear();
    assessment.findings.truncate(2);
    assessment.not_observed.clear();
    crate::golden("junit-checks.xml", &junit(&assessment));
}
