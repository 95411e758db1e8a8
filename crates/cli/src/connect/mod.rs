//! `pqlab connect`: one connection, explained.

mod explain;
mod failure;
mod findings;
mod over_quic;
mod over_tcp;

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use client::{ClientError, Inspection, inspect};
use stack::{ClientProfile, Endpoint, KeyLog, Trust};

use crate::arguments::{path, request, seconds};
use crate::client_options::ClientOptions;
use crate::offer_options::OfferOptions;
use crate::recorded::Secrets;
use crate::target::Target;
use crate::{Ending, bad_input, runtime};
use failure::{Failure, NO_ADDRESS, NO_TICKET, Stopped};
use findings::{Findings, micros};

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
    let result = match arguments.quic {
        true => over_quic(&arguments, &mut findings),
        false => over_tcp(&arguments, &mut findings),
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

fn over_tcp(arguments: &Arguments, findings: &mut Findings) -> Result<(), Stopped> {
    let mut options = arguments.options.clone();
    if arguments.request.is_some() {
        match options.alpn.as_slice() {
            [] => options.alpn = vec!["http/1.1".to_owned()],
            offered if offered.iter().any(|name| name == "h2") => {
                let what = "--request is of HTTP/1.1: leave h2 out of --alpn";
                return Err(bad_input(anyhow!(what)).into());
            }
            _ => {}
        }
    }
    let (stack, mut profile) = options.profile(&arguments.target.host)?;
    findings.stack = Some(stack.library().version);
    observe(&mut profile);
    profile.resumes = arguments.resume;
    let secrets = Secrets::default();
    profile.offer.key_log = Some(key_log(arguments.keylog.as_ref(), &secrets)?);
    let endpoint = stack.client(&profile).map_err(bad_input)?;

    let addresses = resolve(arguments, findings)?;
    let runtime = runtime()?;
    let name = options.server_name(&arguments.target.host);
    let asked = arguments.request.as_ref();
    let asked = asked.map(|path| request(path, name, &arguments.target));
    let connect = || {
        runtime.block_on(first_that_answers(
            &addresses,
            &*endpoint,
            asked.as_deref(),
            arguments.timeout,
        ))
    };
    let mut first = None;
    let mut inspection = connect()?;
    // A session with a stranger is not resumed: nobody would be judged then.
    if arguments.resume && inspection.failure.is_none() && !is_stranger(&inspection) {
        if endpoint.tickets() == 0 {
            let error = anyhow!(
                "the first connection brought no ticket: the server issues none, or sends \
                 them with its first answer (try --request /)"
            );
            return Err(Stopped::new(NO_TICKET, error));
        }
        first = inspection.established.take();
        inspection = connect()?;
        // The certificate of the session counts on: nothing else says who the server is.
        if let (Some(first), Some(resumed)) = (&first, &mut inspection.established) {
            resumed.verdict = resumed.verdict.take().or(first.verdict.clone());
        }
    }
    findings.add_inspection(&inspection, first.as_ref());
    findings.add_secrets(&inspection, &secrets, profile.certificate.as_ref())?;
    match inspection.failure.take() {
        Some(failure) => Err(Stopped::of_inspection(failure, &inspection)),
        None => Ok(()),
    }
}

/// The chain is shown whatever is wrong with it; the verdict decides what follows.
fn observe(profile: &mut ClientProfile) {
    if let Trust::Verify(anchors) = &mut profile.trust {
        profile.trust = Trust::Observe(std::mem::take(anchors));
    }
}

fn resolve(arguments: &Arguments, findings: &mut Findings) -> Result<Vec<SocketAddr>, Stopped> {
    let begin = Instant::now();
    let addresses = arguments.target.resolve();
    let addresses = addresses.map_err(|error| Stopped::new(NO_ADDRESS, error))?;
    findings.times.resolve_us = micros(begin.elapsed());
    Ok(addresses)
}

/// Whether the server's chain was judged and is not trusted.
fn is_stranger(inspection: &Inspection) -> bool {
    let established = inspection.established.as_ref();
    established.is_some_and(|established| matches!(established.verdict, Some(Err(_))))
}

fn over_quic(arguments: &Arguments, findings: &mut Findings) -> Result<(), Stopped> {
    let (stack, mut profile) = arguments.options.profile(&arguments.target.host)?;
    if stack.name().as_str() != "rustls" {
        let what = "QUIC is spoken with --stack rustls only";
        return Err(bad_input(anyhow!(what)).into());
    }
    findings.stack = Some(quic::library().version);
    OfferOptions::for_quic(&mut profile.offer.versions)?;
    observe(&mut profile);
    profile.offer.key_log = Some(key_log(arguments.keylog.as_ref(), &Secrets::default())?);
    let watched = stack::rustls_config::watched_client_of(&profile);
    let (config, watch) = watched.map_err(bad_input)?;
    let options = quic::ClientOptions {
        limit: arguments.timeout,
        path: arguments.request.clone().unwrap_or_else(|| "/".to_owned()),
        ..quic::ClientOptions::default()
    };
    // UDP does not say that nobody is there: the first address has all the time.
    let address = resolve(arguments, findings)?[0];
    // A stranger is told nothing.
    let is_trusted = || !matches!(watch.watched().verdict, Some(Err(_)));
    let name = &profile.server_name;
    let connected = quic::connect_and_ask_if(address, name, config, &options, is_trusted);
    let exchange = runtime()?.block_on(connected);
    let watched = watch.watched();
    findings.add_watched(&watched, profile.certificate.as_ref());
    let exchange = exchange.map_err(|error| {
        findings.address = Some(address.to_string());
        anyhow::Error::from(error).context(address.to_string())
    })?;
    findings.add_exchange(&exchange, &watched);
    Ok(())
}

/// Tries the addresses in order; the last one's failure counts.
pub(crate) async fn first_that_answers(
    addresses: &[SocketAddr],
    endpoint: &dyn Endpoint,
    request: Option<&[u8]>,
    limit: Duration,
) -> Result<Inspection> {
    let mut failure = None;
    for address in addresses {
        match inspect(*address, endpoint, request, limit).await {
            Ok(inspection) => return Ok(inspection),
            Err(error @ (ClientError::Connect(_) | ClientError::Timeout { .. })) => {
                failure = Some(anyhow::Error::from(error).context(address.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(failure.unwrap_or_else(|| anyhow!("no address")))
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
