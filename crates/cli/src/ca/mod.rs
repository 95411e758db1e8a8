//! `pqlab ca`: a private certificate authority.

mod authority;
mod bundle;
mod cloud;
mod export;
mod issue;
mod plan;
mod renew;
mod revoke;
mod show;
mod verify;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::ca::{AuthorityState, CaError, Passphrase, Store};
use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};
use time::OffsetDateTime;

use crate::arguments::seconds;
use crate::output::{SCHEMA, TOOL_VERSION};
use crate::{BadInput, Ending, bad_input};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: Options,

    #[command(subcommand)]
    verb: Verb,
}

/// What stands above them in the help of each verb, apart from the verb's own.
const HEADING: &str = "Options of every `pqlab ca`";

/// Which store, and how it is opened.
#[derive(Args)]
struct Options {
    /// The folder of the authority: database and keys.
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "PQLAB_CA",
        default_value = "pqlab-ca",
        value_name = "FOLDER"
    )]
    store: PathBuf,

    /// A file whose first line is the passphrase of the keys; PQLAB_CA_PASSPHRASE is looked
    /// at where none is named.
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,

    /// How long to wait for another process that has the store; 0 is not to wait.
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        default_value = "10",
        value_name = "SECONDS",
        value_parser = patience
    )]
    wait: Duration,

    /// Take this machine's clock for right, though the log speaks of another time.
    #[arg(long, global = true, help_heading = HEADING)]
    accept_clock: bool,

    /// JSON instead of tables and sentences; of what fails as well.
    #[arg(long, global = true, help_heading = HEADING)]
    json: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Make the authority: a root and an intermediate for each algorithm.
    Init(authority::Init),
    /// Issue a certificate for a new key.
    Issue(issue::Issue),
    /// Make a key and a certificate request, for this authority or another one.
    Csr(issue::Csr),
    /// Sign a certificate request of any tool.
    Sign(issue::Sign),
    /// Issue a certificate again with a new key; or an authority's, with the same key.
    Renew(renew::Renew),
    /// Revoke a certificate.
    Revoke(revoke::Revoke),
    /// Sign the list of revoked certificates.
    Crl(revoke::Crl),
    /// List certificates, authorities or the log.
    List(show::List),
    /// Show one certificate or authority.
    Show(show::Show),
    /// Look at everything in the store: log, certificates, keys.
    Check(show::Check),
    /// Write the roots, and say how a program is told to trust them.
    Bundle(bundle::Bundle),
    /// Write a certificate and its key to files again.
    Export(export::Export),
    /// Write a certificate and its key as PKCS#12.
    Pfx(export::Pfx),
    /// Judge a chain by rustls and by OpenSSL, side by side.
    Verify(verify::Verify),
    /// Plan the way of a classical hierarchy to ML-DSA, step by step.
    MigratePlan(plan::MigratePlan),
    /// Let an authority issue no more certificates; it still signs revocation lists.
    Disable(plan::Switch),
    /// Let a disabled authority issue again.
    Enable(plan::Switch),
    #[command(flatten)]
    Cloud(cloud::Verb),
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let result = run(&arguments.options, arguments.verb);
    if arguments.options.json
        && let Err(error) = &result
    {
        say!("{:#}", failure(error));
    }
    result
}

/// That nothing was done, and why: for programs.
fn failure(error: &anyhow::Error) -> serde_json::Value {
    let kind = match error.is::<BadInput>() {
        true => "bad-input",
        false => "system",
    };
    let causes = error.chain().flat_map(|cause| match cause.downcast_ref() {
        Some(BadInput(input)) => input.chain().map(ToString::to_string).collect(),
        None => vec![cause.to_string()],
    });
    let causes: Vec<String> = causes.collect();
    serde_json::json!({
        "schema": SCHEMA,
        "tool_version": TOOL_VERSION,
        "error": {"kind": kind, "text": format!("{error:#}"), "causes": causes},
    })
}

fn run(options: &Options, verb: Verb) -> Result<Ending> {
    match verb {
        Verb::Init(verb) => authority::init(options, verb),
        Verb::Issue(verb) => issue::issue(options, verb),
        Verb::Csr(verb) => issue::csr(options, verb),
        Verb::Sign(verb) => issue::sign(options, verb),
        Verb::Renew(verb) => renew::renew(options, &verb),
        Verb::Revoke(verb) => revoke::revoke(options, verb),
        Verb::Crl(verb) => revoke::crl(options, verb),
        Verb::List(verb) => show::list(options, verb),
        Verb::Show(verb) => show::show(options, &verb),
        Verb::Check(verb) => show::check(options, &verb),
        Verb::Bundle(verb) => bundle::bundle(options, &verb),
        Verb::Export(verb) => export::export(options, &verb),
        Verb::Pfx(verb) => export::pfx(options, &verb),
        Verb::Verify(verb) => verify::verify(options, &verb),
        Verb::MigratePlan(verb) => plan::plan(options, &verb),
        Verb::Disable(verb) => plan::switch(options, &verb, AuthorityState::Disabled),
        Verb::Enable(verb) => plan::switch(options, &verb, AuthorityState::Active),
        Verb::Cloud(verb) => cloud::main(options, verb),
    }
}

impl Options {
    fn open(&self) -> Result<Store> {
        let store = Store::open(&self.store, self.wait, self.passphrase()?);
        let store = store.map_err(fault)?;
        Ok(if self.accept_clock {
            store.accepting_clock()
        } else {
            store
        })
    }

    fn passphrase(&self) -> Result<Option<Passphrase>> {
        match &self.passphrase_file {
            Some(path) => {
                let line = first_line(path)?;
                let passphrase = Passphrase::new(&line).ok_or_else(|| {
                    bad_input(anyhow!("{} begins with an empty line", path.display()))
                })?;
                Ok(Some(passphrase))
            }
            None => match std::env::var("PQLAB_CA_PASSPHRASE") {
                Ok(text) => Passphrase::new(&text)
                    .map(Some)
                    .ok_or_else(|| bad_input(anyhow!("PQLAB_CA_PASSPHRASE is empty"))),
                Err(std::env::VarError::NotPresent) => Ok(None),
                Err(error) => Err(bad_input(anyhow!("PQLAB_CA_PASSPHRASE: {error}"))),
            },
        }
    }
}

impl Options {
    /// A command as the user would type it, for this store.
    fn command(&self, rest: &str) -> String {
        if self.store.as_os_str() == "pqlab-ca" {
            return format!("pqlab ca {rest}");
        }
        let store = self.store.display().to_string();
        format!("pqlab ca --store {} {rest}", ::ca::quote(&store))
    }
}

/// A secret from a file: editors end it with a line feed, which is no part of it.
fn first_line(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("reading {}", path.display()))
        .map_err(bad_input)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Whose fault an error is: the machine's or the user's.
fn fault(error: CaError) -> anyhow::Error {
    match error {
        CaError::Busy { .. }
        | CaError::File { .. }
        | CaError::Database(_)
        | CaError::Damaged { .. }
        | CaError::Encrypt(_)
        | CaError::Random
        | CaError::Generate { .. }
        | CaError::Pfx(_) => error.into(),
        _ => bad_input(error),
    }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A time in seconds, which may be none.
fn patience(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(0.0) => Ok(Duration::ZERO),
        _ => seconds(text),
    }
}

/// A number of days, as an argument.
fn days(text: &str) -> Result<time::Duration, String> {
    match text.parse() {
        Ok(days @ 1..=36_500) => Ok(time::Duration::days(days)),
        _ => Err("a number of days from 1 to 36500".to_owned()),
    }
}

/// A time for programs (RFC 3339).
fn stamp(time: OffsetDateTime) -> String {
    let time = time.replace_nanosecond(0).unwrap_or(time);
    time.format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default()
}

/// A day and a time of it, as far as people care.
fn date(time: OffsetDateTime) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]Z");
    time.format(&format).unwrap_or_default()
}
