//! `pqlab connect`: one connection, explained.

mod explain;
mod failure;
mod findings;
mod over_quic;
mod over_tcp;
mod reach;

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use client::Inspection;
use stack::KeyLog;

use crate::arguments::{Countdown, path, request, seconds};
use crate::client_options::ClientOptions;
use crate::offer_options::OfferOptions;
use crate::recorded::Secrets;
use crate::target::Target;
use crate::{Ending, bad_input, runtime};
use failure::NO_TICKET;
pub(crate) use failure::{Failure, Stopped};
use findings::{Findings, micros};
pub(crate) use reach::first_that_answers;
use reach::{Unreached, first_over_quic};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The server; port 443 if none is named.
    #[arg(value_name = "HOST:PORT")]
    target: Target,

    #[command(flatten)]
    options: ClientOptions,

    /// Also ask for this path over HTTP/1.1, if the server is trusted.
    #[arg(long, value_name = "PATH", value_parser = path)]
    request: Option<String>,

    /// Connect twice, and explain the second connection, which resumes with a ticket of
    /// the first.
    #[arg(long)]
    resume: bool,

    /// Append the connection's secrets to this file, for tools that decrypt recordings.
    #[arg(long, value_name = "FILE")]
    keylog: Option<PathBuf>,

    /// Seconds for everything.
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    timeout: Duration,

    /// Connect over QUIC and ask for a path over HTTP/3. rustls only.
    #[arg(long, conflicts_with_all = ["resume", "alpn"])]
    quic: bool,

    /// JSON instead of sentences.
    #[arg(long)]
    json: bool,
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let transport = if arguments.quic { "quic" } else { "tcp" };
    let mut findings = Findings::new(&arguments.target, transport);
    let time = Countdown::new(arguments.timeout);
    let result = match arguments.quic {
        true => over_quic(&arguments, time, &mut findings),
        false => over_tcp(&arguments, time, &mut findings),
    };
    let stopped = result.err();
    findings.error = Failure::of(stopped.as_ref(), &findings);
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&findings)?);
    } else if findings.address.is_some() {
        say!("{}", explain::text(&findings).trim_end());
    }
    match stopped {
        Some(stopped) => Err(stopped.error),
        None if findings.is_stranger() => Ok(Ending::Bad),
        None => Ok(Ending::Good),
    }
}

fn over_tcp(
    arguments: &Arguments,
    time: Countdown,
    findings: &mut Findings,
) -> Result<(), Stopped> {
    let options = arguments.options.clone();
    let options = match arguments.request {
        Some(_) => options.for_http1()?,
        None => options,
    };
    let (stack, mut profile) = options.observing_profile(&arguments.target.host)?;
    findings.stack = Some(stack.library().version);
    profile.resumes = arguments.resume;
    let secrets = Secrets::default();
    profile.offer.key_log = Some(key_log(arguments.keylog.as_ref(), &secrets)?);
    let endpoint = stack.client(&profile).map_err(bad_input)?;

    let addresses = resolve(arguments, time, findings)?;
    let runtime = runtime()?;
    let name = options.server_name(&arguments.target.host);
    let asked = arguments.request.as_ref();
    let asked = asked.map(|path| request(path, name, &arguments.target));
    let connect = || {
        let asked = asked.as_deref();
        runtime.block_on(first_that_answers(&addresses, &*endpoint, asked, time))
    };
    let mut inspection = connect().map_err(|unreached| {
        findings.address = unreached.address.map(|address| address.to_string());
        anyhow::Error::from(unreached)
    })?;
    let mut first = None;
    let mut unresumed = None;
    // A session with a stranger is not resumed: nobody would be judged then.
    if arguments.resume && inspection.failure.is_none() && !is_stranger(&inspection) {
        match resumed(endpoint.tickets(), connect) {
            Ok(mut second) => {
                first = inspection.established.take();
                // The certificate of the session counts on: nothing else says who the server
                // is.
                if let (Some(first), Some(resumed)) = (&first, &mut second.established) {
                    resumed.verdict = resumed.verdict.take().or(first.verdict.clone());
                }
                inspection = second;
            }
            Err(stopped) => unresumed = Some(stopped),
        }
    }
    findings.add_inspection(&inspection, first.as_ref());
    findings.add_secrets(&inspection, &secrets, profile.certificate.as_ref())?;
    match (unresumed, inspection.failure.take()) {
        (Some(stopped), _) => Err(stopped),
        (None, Some(failure)) => Err(Stopped::of_inspection(failure, &inspection)),
        (None, None) => Ok(()),
    }
}

/// The second connection.
fn resumed(
    tickets: usize,
    connect: impl Fn() -> Result<Inspection, Unreached>,
) -> Result<Inspection, Stopped> {
    if tickets == 0 {
        let error = anyhow!(
            "the first connection brought no ticket: the server issues none, or sends \
             them with its first answer (try --request /)"
        );
        return Err(Stopped::new(NO_TICKET, error));
    }
    connect().map_err(|unreached| {
        anyhow::Error::from(unreached)
            .context("the second connection")
            .into()
    })
}

fn resolve(
    arguments: &Arguments,
    time: Countdown,
    findings: &mut Findings,
) -> Result<Vec<SocketAddr>> {
    let begin = Instant::now();
    let addresses = arguments.target.resolve_within(time.left())?;
    findings.times.resolve_us = micros(begin.elapsed());
    Ok(addresses)
}

/// Whether the server's chain was judged and is not trusted.
fn is_stranger(inspection: &Inspection) -> bool {
    let established = inspection.established.as_ref();
    established.is_some_and(|established| matches!(established.verdict, Some(Err(_))))
}

fn over_quic(
    arguments: &Arguments,
    time: Countdown,
    findings: &mut Findings,
) -> Result<(), Stopped> {
    let host = &arguments.target.host;
    let (stack, mut profile) = arguments.options.observing_profile(host)?;
    if stack.name().as_str() != "rustls" {
        let what = "QUIC is spoken with --stack rustls only";
        return Err(bad_input(anyhow!(what)).into());
    }
    findings.stack = Some(quic::library().version);
    OfferOptions::for_quic(&mut profile.offer.versions)?;
    profile.offer.key_log = Some(key_log(arguments.keylog.as_ref(), &Secrets::default())?);
    let addresses = resolve(arguments, time, findings)?;
    let path = arguments.request.as_deref().unwrap_or("/");
    let attempt = runtime()?.block_on(first_over_quic(&addresses, &profile, path, time));
    let Some(attempt) = attempt.map_err(bad_input)? else {
        return Err(anyhow!("no connection was tried").into());
    };
    let watched = attempt.watch.watched();
    findings.add_watched(&watched, profile.certificate.as_ref());
    let address = attempt.address.to_string();
    findings.address = Some(address.clone());
    match attempt.result {
        Ok(exchange) => {
            findings.add_exchange(&exchange, &watched);
            Ok(())
        }
        // Nothing was sent yet.
        Err(error @ quic::ClientError::Setup(_)) => Err(bad_input(error).into()),
        Err(mut error) => {
            findings.add_lost(&error, &watched);
            if let quic::ClientError::Timeout { limit, .. } = &mut error {
                *limit = time.limit;
            }
            Err(anyhow::Error::from(error).context(address).into())
        }
    }
}

/// Keeps the secrets, and appends them to a file if there is one.
fn key_log(path: Option<&PathBuf>, secrets: &Secrets) -> Result<KeyLog> {
    let Some(path) = path else {
        return Ok(secrets.key_log(|_| {}));
    };
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options
        .open(path)
        .with_context(|| format!("opening {}", path.display()))
        .map_err(bad_input)?;
    let file = Mutex::new(file);
    Ok(secrets.key_log(move |line| {
        let mut file = file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // A line that could not be written shows as a recording that can't be read.
        if let Err(error) = writeln!(file, "{line}") {
            eprintln!("pqlab: writing the key log: {error}");
        }
    }))
}
