//! `pqlab lab cross-cloud`: mutual TLS between two clouds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::lab::cross_cloud::{CrossCloudError, Lookup, Outcome, Plan, Report, Role, Topology};
use ::lab::cross_cloud::{play, run};
use anyhow::{Context, Result};
use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::arguments::seconds;
use crate::output::{SCHEMA, TOOL_VERSION};
use crate::serve::{stop_signal, stopped};
use crate::{Ending, bad_input, runtime};

/// A function in cloud A shows a client certificate to a proxy in cloud B, across a transit that
/// relays TCP: with X25519 and X25519MLKEM768, ECDSA and ML-DSA certificates. Then those that
/// are to be refused: a revoked certificate, none, one of another authority, an expired one, one
/// for servers. Node plays the function, nginx and Envoy the proxy, where they are installed.
///
/// The clouds are network namespaces where those can be made (Linux; unshare, nsenter and ip),
/// addresses of loopback elsewhere. Nothing is left behind.
#[derive(Args)]
pub(super) struct Arguments {
    /// Loopback, even where network namespaces can be made.
    #[arg(long)]
    no_namespaces: bool,

    /// Leave certificates, settings and a script of the main path by hand in this folder,
    /// which must be new or empty. Private keys are among them.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,

    /// Seconds for everything.
    #[arg(long, default_value = "180", value_name = "SECONDS", value_parser = seconds)]
    limit: Duration,

    /// One JSON object in the place of transcript and table.
    #[arg(long)]
    json: bool,

    /// Play one part of it, and nothing else.
    #[arg(long, hide = true, value_name = "JSON")]
    role: Option<String>,
}

pub(super) fn main(arguments: Arguments) -> Result<Ending> {
    if let Some(role) = &arguments.role {
        let role: Role = serde_json::from_str(role)
            .context("--role")
            .map_err(bad_input)?;
        runtime()?.block_on(play(role, |line| say!("{line}")))?;
        return Ok(Ending::Good);
    }
    let program = std::env::current_exe().context("finding this program")?;
    let plan = Plan {
        role_arguments: ["lab", "cross-cloud", "--role"].map(str::to_owned).into(),
        peers: peers_folders(&program),
        program,
        namespaces: !arguments.no_namespaces,
        keep: arguments.keep.clone(),
        limit: arguments.limit,
    };
    let stop = stop_signal()?;
    let is_json = arguments.json;
    let tell = move |outcome: &Outcome| {
        if !is_json {
            transcribe(outcome);
        }
    };
    let ended = runtime()?.block_on(async {
        tokio::select! {
            // Dropped, the experiment kills its processes and removes its files.
            () = stopped(stop) => None,
            report = run(&plan, &tell) => Some(report),
        }
    });
    let report = match ended {
        None => return Ok(Ending::Interrupted),
        Some(Err(error @ (CrossCloudError::NotEmpty(_) | CrossCloudError::NoFolder(_)))) => {
            return Err(bad_input(error));
        }
        Some(report) => report?,
    };
    match is_json {
        true => write_json(&report),
        false => summarize(&report, plan.keep.as_deref()),
    }
    Ok(match report.is_as_expected() {
        true => Ending::Good,
        false => Ending::Bad,
    })
}

/// Where `scripts/install-peers` puts programs: `$PQLAB_PEERS`, or `peers` in Cargo's target
/// folder, which this program may lie in.
fn peers_folders(program: &Path) -> Vec<PathBuf> {
    let named = std::env::var_os("PQLAB_PEERS").filter(|folder| !folder.is_empty());
    let beside = program
        .ancestors()
        .nth(2)
        .map(|target| target.join("peers"));
    named.map(PathBuf::from).into_iter().chain(beside).collect()
}

fn write_json(report: &Report) {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: u32,
        tool_version: &'a str,
        is_as_expected: bool,
        #[serde(flatten)]
        report: &'a Report,
    }
    let document = Document {
        schema: SCHEMA,
        tool_version: TOOL_VERSION,
        is_as_expected: report.is_as_expected(),
        report,
    };
    say!("{:#}", serde_json::json!(document));
}

/// What became of one request, step by step.
fn transcribe(outcome: &Outcome) {
    let account = &outcome.account;
    say!(
        "{:>2}. {} in cloud A, {} in cloud B: {}, {}, certificate: {}",
        outcome.number,
        outcome.function,
        outcome.proxy,
        outcome.group,
        outcome.algorithm,
        outcome.certificate
    );
    if let Some(address) = &account.address {
        say!("    function  the name leads to {address}");
    }
    if let (Some(sent), Some(received)) = (account.handshake_sent, account.handshake_received) {
        say!("    function  handshake: {sent} bytes up, {received} down");
    }
    if let Some(relayed) = &outcome.relayed {
        let words: Vec<&str> = relayed.words.iter().map(String::as_str).collect();
        say!(
            "    transit   {} bytes up, {} down; could read: {}",
            relayed.up,
            relayed.down,
            match words.is_empty() {
                true => "nothing".to_owned(),
                false => words.join(", "),
            }
        );
    }
    if let Some(reason) = &outcome.proxy_says {
        say!("    proxy     {reason}");
    }
    match &outcome.request {
        Some(request) => say!(
            "    backend   {} of {}",
            request.path,
            request.subject.as_deref().unwrap_or("nobody")
        ),
        None => say!("    backend   no request"),
    }
    say!("    function  {}", ending(outcome));
    for fault in &outcome.faults {
        say!(
            "    UNEXPECTED: {fault}; it was to be: {}",
            outcome.expected
        );
    }
}

/// How it ended for the function.
fn ending(outcome: &Outcome) -> String {
    let account = &outcome.account;
    match (&outcome.alert, account.status, &account.error) {
        (Some(alert), ..) => format!("refused: {alert}"),
        (None, Some(200), _) => "answered: status 200".to_owned(),
        (None, Some(status), _) => format!("refused: status {status}"),
        (None, None, Some(error)) if account.is_refusal => format!("refuses the proxy: {error}"),
        (None, None, Some(error)) => error.clone(),
        (None, None, None) => "no answer".to_owned(),
    }
}

fn summarize(report: &Report, kept: Option<&Path>) {
    say!("");
    say!("{}", table(&report.outcomes));
    say!("");
    say!("{}", separation(&report.topology));
    for lookup in &report.names {
        say!("{}", found(lookup));
    }
    for skipped in &report.skipped {
        let (program, part, why) = (skipped.program, skipped.part, &skipped.why);
        say!("skipped: {program} as {part}: {why}");
    }
    say!("{}", settings(&report.outcomes));
    if let Some(folder) = kept {
        say!(
            "Left in {}, with keys; by-hand.sh shows the main path by hand.",
            folder.display()
        );
    }
    for fault in &report.faults {
        say!("UNEXPECTED: {fault}");
    }
    let unexpected = report.outcomes.iter().filter(|o| !o.is_as_expected());
    match (unexpected.count(), report.is_as_expected()) {
        (_, true) => say!("All {} went as they should.", report.outcomes.len()),
        (count, false) => say!("{count} of {} went wrong.", report.outcomes.len()),
    }
}

fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header([
        "",
        "function",
        "proxy",
        "group",
        "scheme",
        "certificate",
        "bytes up",
        "down",
        "outcome",
        "backend saw",
        "",
    ]);
    for column in [0, 6, 7] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for outcome in outcomes {
        let bytes = |bytes: Option<u64>| bytes.map_or_else(String::new, |b| b.to_string());
        let outcome_words = match (&outcome.alert, outcome.account.status) {
            (Some(alert), _) => alert.clone(),
            (None, Some(status)) => format!("status {status}"),
            (None, None) if outcome.account.is_refusal => "refuses the proxy".to_owned(),
            (None, None) => "no answer".to_owned(),
        };
        let subject = outcome.request.as_ref().map(|request| {
            let subject = request.subject.as_deref();
            subject.unwrap_or("nobody").to_owned()
        });
        table.add_row([
            outcome.number.to_string(),
            outcome.function.to_owned(),
            outcome.proxy.to_owned(),
            outcome.group.clone(),
            outcome.algorithm.to_owned(),
            outcome.certificate.to_owned(),
            bytes(outcome.account.handshake_sent),
            bytes(outcome.account.handshake_received),
            outcome_words,
            subject.unwrap_or_default(),
            match outcome.is_as_expected() {
                true => "as it should".to_owned(),
                false => "UNEXPECTED".to_owned(),
            },
        ]);
    }
    table
}

fn separation(topology: &Topology) -> String {
    match topology {
        Topology::Namespaces {
            within_user_namespace,
        } => {
            let whose = match within_user_namespace {
                true => "within a user namespace",
                false => "made by root",
            };
            format!("Clouds and transit were network namespaces, {whose}.")
        }
        Topology::Loopback { why } => {
            format!("Clouds and transit were addresses of loopback, without namespaces: {why}.")
        }
    }
}

fn found(lookup: &Lookup) -> String {
    let (place, name) = (&lookup.place, &lookup.name);
    match &lookup.error {
        None => format!("{name} in {place}: {}", lookup.addresses.join(", ")),
        Some(error) => format!("{name} in {place}: not found ({error})"),
    }
}

/// AWS Lambda's quota for all environment variables of a function: 4 KB (AWS Lambda Developer
/// Guide, Lambda quotas).
const LAMBDA: usize = 4096;

/// How much the function's settings take, by algorithm: what a cloud takes is limited.
fn settings(outcomes: &[Outcome]) -> String {
    let mut sizes: Vec<(&str, usize)> = Vec::new();
    for outcome in outcomes
        .iter()
        .filter(|outcome| outcome.certificate == "valid")
    {
        if !sizes
            .iter()
            .any(|(algorithm, _)| *algorithm == outcome.algorithm)
        {
            sizes.push((outcome.algorithm, outcome.settings_bytes));
        }
    }
    let sizes: Vec<String> = sizes
        .iter()
        .map(|(algorithm, bytes)| {
            let more = match *bytes > LAMBDA {
                true => ", more than AWS Lambda takes",
                false => "",
            };
            format!("{bytes} bytes with {algorithm}{more}")
        })
        .collect();
    format!(
        "The function's environment variables, PKCS#12 and trust anchor: {} (AWS Lambda's limit: \
         {LAMBDA}).",
        sizes.join("; ")
    )
}
