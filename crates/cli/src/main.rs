//! `pqlab`: what moving TLS to post-quantum cryptography costs, measured on this machine.

mod compare;
mod list;
mod matrices;
mod progress;
mod report;
mod run;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures classical, RSA and post-quantum TLS handshakes on this machine.
///
/// Exit codes: 0 as it should be; 1 a comparison found a regression, or a verification a
/// failure; 2 bad arguments or input; 3 measuring or writing failed; 130 interrupted.
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
}

/// How a command ended, apart from errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Good,
    /// A regression, or a failed verification.
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

fn main() -> ExitCode {
    let result = match Arguments::parse().verb {
        Verb::Run(arguments) => run::main(arguments),
        Verb::Report(arguments) => report::main(arguments),
        Verb::Compare(arguments) => compare::main(arguments),
        Verb::List(arguments) => list::main(arguments),
        Verb::Verify(arguments) => verify::main(arguments),
    };
    match result {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Bad) => ExitCode::from(1),
        Ok(Ending::Interrupted) => ExitCode::from(130),
        Err(error) => {
            eprintln!("pqlab: {error:#}");
            ExitCode::from(if error.is::<BadInput>() { 2 } else { 3 })
        }
    }
}
