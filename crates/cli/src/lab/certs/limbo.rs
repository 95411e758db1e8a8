//! `pqlab lab certs --limbo FILE`

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow};
use comfy_table::{Table, presets};
use lab::certificates::limbo::{
    Agreement, Count, ExpectedResult, Testcase, Verdict, compare, read,
};
use serde_json::{Value, json};
use stack::Judgement;

use super::titled;
use crate::output::{SCHEMA, TOOL_VERSION, escape};
use crate::{Ending, bad_input};

pub(super) fn main(file: &Path, as_json: bool) -> Result<Ending> {
    let reading = || format!("reading {}", file.display());
    let opened = File::open(file).with_context(reading).map_err(bad_input)?;
    let suite = read(BufReader::new(opened))
        .with_context(reading)
        .map_err(bad_input)?;
    let agreement = compare(&suite, SystemTime::now());
    if agreement.verdicts.is_empty() {
        let (skipped, unreadable) = (agreement.skipped.len(), agreement.unreadable.len());
        let why = format!("{skipped} are not for a TLS library, {unreadable} can't be read");
        let error = anyhow!("no case of {} can be judged: {why}", file.display());
        return Err(bad_input(error));
    }
    if as_json {
        print_json(&agreement);
    } else {
        print(&agreement);
    }
    Ok(Ending::Good)
}

fn print(agreement: &Agreement<'_>) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "group or feature",
        "cases",
        "to accept",
        "rustls as expected",
        "openssl as expected",
        "both alike",
    ]);
    let mut add = |name: &str, count: Count| {
        let numbers = [
            count.cases,
            count.good,
            count.rustls,
            count.openssl,
            count.same,
        ];
        let mut row = vec![escape(name)];
        row.extend(numbers.map(|number| number.to_string()));
        table.add_row(row);
    };
    for (name, count) in agreement.by_group() {
        add(&format!("{name}::"), count);
    }
    for (name, count) in agreement.by_feature() {
        add(name, count);
    }
    add("all", agreement.total());
    say!("{table}");
    for (title, unjudged) in [
        (
            "Skipped, since a TLS library is not asked for it",
            &agreement.skipped,
        ),
        ("Not judged, since it can't be read", &agreement.unreadable),
    ] {
        if !unjudged.is_empty() {
            say!("\n{title}:");
        }
        for (reason, count) in by_reason(unjudged) {
            say!("  {count}: {reason}");
        }
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_header(["case", "expected", "rustls", "openssl"]);
    for verdict in agreement.disagreements() {
        let [rustls, openssl] = verdict.judgements.each_ref().map(said);
        let id = escape(&verdict.testcase.id);
        table.add_row([id, expected(verdict).to_owned(), rustls, openssl]);
    }
    if !table.is_empty() {
        say!("\nNot as the file expects:\n{table}");
    }
}

fn by_reason(unjudged: &[(&Testcase, &'static str)]) -> BTreeMap<&'static str, usize> {
    let mut reasons = BTreeMap::new();
    for (_, reason) in unjudged {
        *reasons.entry(*reason).or_default() += 1;
    }
    reasons
}

fn said(judgement: &Judgement) -> String {
    match &judgement.refusal {
        None => "accepts".to_owned(),
        Some(refusal) => format!("refuses: {}", titled(&refusal.code)),
    }
}

const fn expected(verdict: &Verdict<'_>) -> &'static str {
    match verdict.testcase.expected_result {
        ExpectedResult::Success => "accept",
        ExpectedResult::Failure => "refuse",
    }
}

fn print_json(agreement: &Agreement<'_>) {
    let counts = |counts: BTreeMap<&str, Count>| -> Value {
        let counts = counts.into_iter();
        let object = counts.map(|(name, count)| (name.to_owned(), count_json(count)));
        Value::Object(object.collect())
    };
    let disagreements: Vec<_> = agreement
        .disagreements()
        .map(|verdict| {
            let codes = verdict
                .judgements
                .each_ref()
                .map(|judgement| judgement.refusal.as_ref());
            let [rustls, openssl] = codes.map(|refusal| {
                json!({
                    "accepts": refusal.is_none(),
                    "code": refusal.map(|r| &r.code),
                    "text": refusal.map(|r| &r.text),
                })
            });
            json!({
                "id": verdict.testcase.id,
                "features": verdict.testcase.features,
                "expected": expected(verdict),
                "rustls": rustls,
                "openssl": openssl,
            })
        })
        .collect();
    let unjudged = |cases: &[(&Testcase, &'static str)]| -> Value {
        let cases = cases.iter();
        cases
            .map(|(testcase, reason)| json!({ "id": testcase.id, "reason": reason }))
            .collect()
    };
    let json = json!({
        "schema": SCHEMA,
        "tool_version": TOOL_VERSION,
        "total": count_json(agreement.total()),
        "groups": counts(agreement.by_group()),
        "features": counts(agreement.by_feature()),
        "skipped": unjudged(&agreement.skipped),
        "unreadable": unjudged(&agreement.unreadable),
        "disagreements": disagreements,
    });
    say!("{json:#}");
}

fn count_json(count: Count) -> Value {
    json!({
        "cases": count.cases,
        "to_accept": count.good,
        "rustls_as_expected": count.rustls,
        "openssl_as_expected": count.openssl,
        "both_alike": count.same,
    })
}
