//! `pqlab lab certs`

mod limbo;
mod serve;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use comfy_table::{Table, presets};
use lab::certificates::{Case, Examination, Expected, Outcome, Standard, all, examine};
use serde_json::{Value, json};

use crate::output::{SCHEMA, TOOL_VERSION};
use crate::target::Place;
use crate::{Ending, bad_input, runtime};

#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 if all that was seen is as expected, 1 if not; with --limbo and \
                  --serve, 0."
)]
pub(super) struct Arguments {
    /// Only this case; may be given several times.
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,

    /// List the cases and what is expected, without examining any.
    #[arg(long)]
    list: bool,

    /// Put the cases of a file of x509-limbo to both verifiers instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["case", "list"])]
    limbo: Option<PathBuf>,

    /// Serve this case until interrupted, for curl, a browser or any other client; `all`
    /// serves every case, at ports one after the other.
    #[arg(long, value_name = "NAME|all", conflicts_with_all = ["case", "list", "limbo"])]
    serve: Option<String>,

    /// Where --serve listens. Port 0 lets the system choose.
    #[arg(
        long,
        default_value = "127.0.0.1:8443",
        value_name = "HOST:PORT",
        requires = "serve"
    )]
    listen: Place,

    /// The folder for the roots of --serve, and for client certificates with their keys; files
    /// are replaced. If none is named, a temporary one, which goes when the servers end.
    #[arg(long, value_name = "FOLDER", requires = "serve")]
    out: Option<PathBuf>,

    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(arguments: Arguments) -> Result<Ending> {
    if let Some(file) = &arguments.limbo {
        return limbo::main(file, arguments.json);
    }
    if let Some(name) = &arguments.serve {
        let cases = match name.as_str() {
            "all" => chosen(&[])?,
            name => chosen(&[name.to_owned()])?,
        };
        let out = arguments.out.as_deref();
        return serve::main(&cases, &arguments.listen, out, arguments.json);
    }
    let cases = chosen(&arguments.case)?;
    if arguments.list {
        list(&cases, arguments.json);
        return Ok(Ending::Good);
    }
    let runtime = runtime()?;
    let mut seen = Vec::new();
    for case in cases {
        let examination = runtime.block_on(examine(case));
        seen.push(examination.map_err(|error| anyhow!(error).context(case.name))?);
    }
    if arguments.json {
        print_json(&seen);
    } else {
        print(&seen);
    }
    Ok(match seen.iter().all(Examination::is_as_expected) {
        true => Ending::Good,
        false => Ending::Bad,
    })
}

fn chosen(names: &[String]) -> Result<Vec<&'static Case>> {
    if names.is_empty() {
        return Ok(all().collect());
    }
    let find = |name: &String| {
        let found = all().find(|case| case.name == name);
        found.ok_or_else(|| bad_input(anyhow!("no case {name}: see `pqlab lab certs --list`")))
    };
    names.iter().map(find).collect()
}

fn list(cases: &[&Case], as_json: bool) {
    if as_json {
        let cases: Vec<_> = cases.iter().map(|case| described(case)).collect();
        let json = json!({ "schema": SCHEMA, "tool_version": TOOL_VERSION, "cases": cases });
        say!("{json:#}");
        return;
    }
    let rows = cases
        .iter()
        .map(|case| (*case, [known(case.rustls), known(case.openssl)]));
    say!("{}", table(rows));
}

fn print(seen: &[Examination]) {
    let rows = seen
        .iter()
        .map(|seen| (seen.case, seen.outcomes.each_ref().map(done)));
    say!("{}", table(rows));
    let differing: Vec<_> = seen.iter().filter(|e| e.differs()).collect();
    if !differing.is_empty() {
        say!("\nWhere they differ, from each other or from the standard:");
    }
    for examination in differing {
        let case = examination.case;
        let [rustls, openssl] = examination.outcomes.each_ref().map(done);
        let wanted = by_the_standard(case);
        say!("\n{}: rustls {rustls}, OpenSSL {openssl}", case.name);
        say!("  standard: {wanted}");
        say!("  {}", case.difference.unwrap_or("not known before"));
    }
    let strange: Vec<_> = seen.iter().filter(|e| !e.is_as_expected()).collect();
    for examination in &strange {
        say!("\nNot as expected: {}", examination.case.name);
        for outcome in &examination.outcomes {
            say!("  {}", in_full(outcome));
        }
    }
    let good = seen.len() - strange.len();
    say!("\n{good} of {} cases as expected", seen.len());
}

/// One line for each case, with what rustls and OpenSSL do.
fn table<'a>(rows: impl Iterator<Item = (&'a Case, [String; 2])>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "case",
        "by the standard",
        "rustls",
        "openssl",
        "what is shown",
    ]);
    for (case, [rustls, openssl]) in rows {
        let (name, fault) = (case.name.to_owned(), case.fault.to_owned());
        table.add_row([name, by_the_standard(case), rustls, openssl, fault]);
    }
    table
}

fn by_the_standard(case: &Case) -> String {
    format!("{}, {}", verdict(case.standard), case.reference)
}

const fn verdict(standard: Standard) -> &'static str {
    match standard {
        Standard::Accept => "accept",
        Standard::Refuse => "refuse",
        Standard::RecommendRefusal => "refusal recommended",
        Standard::Forbid => "forbidden",
    }
}

fn known(expected: Expected) -> String {
    match expected {
        Expected::Accepts => "accepts".to_owned(),
        Expected::Refuses(code) => format!("refuses: {}", titled(code)),
        Expected::Fails(alert) => format!("fails: {alert}"),
    }
}

/// A library's own code in a table: a variant of rustls' `CertificateError`, or a number of
/// OpenSSL's `X509_V_ERR_…`, written as openssl-verify(1) does.
fn titled(code: &str) -> String {
    match code.parse::<u32>() {
        Ok(number) => format!("error {number}"),
        Err(_) => code.to_owned(),
    }
}

/// What a library did, in its own codes. Where the chain is good, the alert.
fn done(outcome: &Outcome) -> String {
    let alert = outcome.handshake.alert;
    match (outcome.accepts(), outcome.code()) {
        (true, None) => "accepts".to_owned(),
        (false, Some(code)) => format!("refuses: {}", titled(code)),
        (false, None) => match alert {
            Some(alert) => format!("fails: {alert}"),
            None => "fails".to_owned(),
        },
        (true, Some(code)) => format!("accepts in spite of {}", titled(code)),
    }
}

fn in_full(outcome: &Outcome) -> String {
    let handshake = &outcome.handshake;
    let refusal = outcome.judgement.as_ref().map(|j| j.refusal.as_ref());
    let verifier = match refusal {
        None => "nothing to judge".to_owned(),
        Some(None) => "good".to_owned(),
        Some(Some(refusal)) => format!("{} ({})", titled(&refusal.code), refusal.text),
    };
    format!(
        "{}: expected {}; verifier: {verifier}; handshake: {}",
        outcome.library,
        known(outcome.expected),
        handshake
            .failure
            .as_ref()
            .map_or("done", |failure| &failure.words),
    )
}

fn print_json(seen: &[Examination]) {
    let cases: Vec<_> = seen
        .iter()
        .map(|examination| {
            let mut case = described(examination.case);
            case["outcomes"] = examination.outcomes.iter().map(outcome_json).collect();
            case["differs"] = examination.differs().into();
            case["is_as_expected"] = examination.is_as_expected().into();
            case
        })
        .collect();
    let json = json!({
        "schema": SCHEMA,
        "tool_version": TOOL_VERSION,
        "is_as_expected": seen.iter().all(Examination::is_as_expected),
        "cases": cases,
    });
    say!("{json:#}");
}

fn described(case: &Case) -> Value {
    json!({
        "name": case.name,
        "fault": case.fault,
        "standard": verdict(case.standard),
        "reference": case.reference,
        "expected": {
            "rustls": expected_json(case.rustls),
            "openssl": expected_json(case.openssl),
            "scheme": case.scheme,
        },
        "difference": case.difference,
    })
}

fn expected_json(expected: Expected) -> Value {
    let (code, alert) = match expected {
        Expected::Accepts => (None, None),
        Expected::Refuses(code) => (Some(code), None),
        Expected::Fails(alert) => (None, Some(alert.to_string())),
    };
    json!({ "accepts": expected == Expected::Accepts, "code": code, "alert": alert })
}

fn outcome_json(outcome: &Outcome) -> Value {
    let verifier = outcome.judgement.as_ref().map(|judgement| {
        let refusal = judgement.refusal.as_ref();
        json!({
            "accepts": refusal.is_none(),
            "code": refusal.map(|r| &r.code),
            "text": refusal.map(|r| &r.text),
        })
    });
    let handshake = &outcome.handshake;
    json!({
        "library": outcome.library,
        "shown_by": outcome.shown_by,
        "verifier": verifier,
        "handshake": {
            "accepts": outcome.accepts(),
            "text": handshake.failure.as_ref().map(|failure| &failure.words),
            "cause": handshake.failure.as_ref().map(|failure| failure.cause),
            "alert": handshake.alert.map(|alert| alert.to_string()),
            "scheme": handshake.scheme.map(|scheme| scheme.to_string()),
        },
        "is_as_expected": outcome.is_as_expected(),
    })
}
