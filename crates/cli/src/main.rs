//! `pqlab`: what moving TLS to post-quantum cryptography costs, where it is needed, and what to
//! change.

/// Writes a line of the result; see [`output::line`].
macro_rules! say {
    ($($argument:tt)*) => {
        $crate::output::line(format_args!($($argument)*))
    };
}

mod arguments;
mod assess;
mod ca;
mod certificates;
mod client_options;
mod compare;
mod connect;
mod inventory;
mod lab;
mod list;
mod load;
mod matrices;
mod offer_options;
mod output;
mod progress;
mod proxy;
mod recorded;
mod report;
mod run;
mod scan;
mod schema;
mod serve;
mod server_options;
mod target;
mod trace;
mod verify;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

/// Measures classical, RSA and post-quantum TLS handshakes on this machine; serves and
/// connects with any of them.
///
/// Exit codes: 0 as it should be; 1 a comparison found a regression, a verification a
/// failure, a server is not trusted or can't be asked, no rate keeps within the bound, or an
/// assessment has a grave finding; 2 bad arguments or
/// input; 3 measuring, connecting or writing failed; 130 interrupted; 141 whoever read the
/// output has gone.
#[derive(Parser)]
#[command(name = "pqlab", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Measure a matrix of handshakes; leaves samples, charts and a report in a folder.
    Run(run::Arguments),
    /// Draw the charts and the report of runs again.
    Report(report::Arguments),
    /// Compare two runs; exit code 1 on a significant regression.
    Compare(compare::Arguments),
    /// List what can be measured, and why a cell can't.
    List(list::Arguments),
    /// Perform every handshake of a matrix once and check what was negotiated.
    Verify(verify::Arguments),
    /// Serve HTTPS with any stack, group and certificate; shows visitors what was negotiated.
    Serve(serve::Arguments),
    /// End TLS in front of a backend, and tell it who the client is.
    Proxy(proxy::Arguments),
    /// Connect to a server once and explain what happened.
    Connect(connect::Arguments),
    /// Make many connections to a server of your own, and say what became of each.
    Load(load::Arguments),
    /// Show handshakes message by message: bytes, work, and what an eavesdropper sees.
    Trace(trace::Arguments),
    /// Write the lab's certificates to files, for other programs.
    Certificates(certificates::Arguments),
    /// Show how certificates and attackers are told apart, with servers made for it.
    Lab(lab::Arguments),
    /// Ask servers what they support, refuse, or do not say: groups, suites, chains, shapes.
    Scan(scan::Arguments),
    /// Find certificates, keys, keystores and TLS configurations in files.
    Inventory(inventory::Arguments),
    /// Judge what was scanned and found by policies and risk, and say what to change.
    Assess(assess::Arguments),
    /// Print the JSON Schema of what scan, inventory and assess write.
    Schema(schema::Arguments),
    /// Run a private certificate authority, with ML-DSA and classical keys.
    Ca(ca::Arguments),
}

/// How a command ended, apart from errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Good,
    /// A regression, a failed verification, a server that is not trusted, no rate within the
    /// bound.
    Bad,
    Interrupted,
}

/// An error whose cause is what the user gave.
#[derive(Debug)]
struct BadInput(anyhow::Error);

impl std::fmt::Display for BadInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl std::error::Error for BadInput {}

/// Marks an error as one of the user's input: exit code 2.
fn bad_input(error: impl Into<anyhow::Error>) -> anyhow::Error {
    anyhow::Error::new(BadInput(error.into()))
}

/// What servers and clients run on: all cores, I/O and time.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")
}

fn main() -> ExitCode {
    let result = match Arguments::parse().verb {
        Verb::Run(arguments) => run::main(arguments),
        Verb::Report(arguments) => report::main(arguments),
        Verb::Compare(arguments) => compare::main(arguments),
        Verb::List(arguments) => list::main(arguments),
        Verb::Verify(arguments) => verify::main(arguments),
        Verb::Serve(arguments) => serve::main(arguments),
        Verb::Proxy(arguments) => proxy::main(arguments),
        Verb::Connect(arguments) => connect::main(arguments),
        Verb::Load(arguments) => load::main(arguments),
        Verb::Trace(arguments) => trace::main(arguments),
        Verb::Certificates(arguments) => certificates::main(arguments),
        Verb::Lab(arguments) => lab::main(arguments),
        Verb::Scan(arguments) => scan::main(arguments),
        Verb::Inventory(arguments) => inventory::main(arguments),
        Verb::Assess(arguments) => assess::main(arguments),
        Verb::Schema(arguments) => schema::main(arguments),
        Verb::Ca(arguments) => ca::main(arguments),
    };
    match result {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Bad) => ExitCode::from(1),
        Ok(Ending::Interrupted) => ExitCode::from(130),
        Err(error) => {
            let text = format!("{error:#}");
            // The user's own input may be shown in several lines. Other text may be a peer's.
            let (text, code) = match error.is::<BadInput>() {
                true => (output::escape_lines(&text), 2),
                false => (output::escape(&text), 3),
            };
            eprintln!("pqlab: {text}");
            ExitCode::from(code)
        }
    }
}
