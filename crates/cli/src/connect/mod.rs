//! `pqlab connect`: one connection, explained.

mod explain;
mod findings;

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use client::{ClientError, Inspection, inspect};
use stack::{Endpoint, KeyLog, Trust};
use wire::ProtocolVersion;

use crate::arguments::{path, request, seconds};
use crate::client_options::ClientOptions;
use crate::target::Target;
use crate::{Ending, bad_input, runtime};
use findings::Findings;

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
    if arguments.quic {
        return over_quic(&arguments);
    }
    let mut options = arguments.options.clone();
    if arguments.request.is_some() {
        match options.alpn.as_slice() {
            [] => options.alpn = vec!["http/1.1".to_owned()],
            offered if offered.iter().any(|name| name == "h2") => {
                let what = "--request is of HTTP/1.1: leave h2 out of --alpn";
                return Err(bad_input(anyhow!(what)));
            }
            _ => {}
        }
    }
    let (stack, mut profile) = options.profile(&arguments.target.host)?;
    // The chain is shown whatever is wrong with it; the verdict decides what follows.
    if let Trust::Verify(anchors) = profile.trust {
        profile.trust = Trust::Observe(anchors);
    }
    profile.resumes = arguments.resume;
    if let Some(path) = &arguments.keylog {
        profile.offer.key_log = Some(key_log(path)?);
    }
    let endpoint = stack.client(&profile).map_err(bad_input)?;

    let begin = Instant::now();
    let addresses = arguments.target.resolve()?;
    let resolve = begin.elapsed();
    let runtime = runtime()?;
    let name = options.server_name(&arguments.target.host);
    let asked = arguments.request.as_ref();
    let asked = asked.map(|path| request(path, name, &arguments.target));
    let limit = arguments.timeout;
    let connect = || {
        runtime.block_on(first_that_answers(
            &addresses,
            &*endpoint,
            asked.as_deref(),
            limit,
        ))
    };
    let mut inspection = connect()?;
    // A session with a stranger is not resumed: nobody would be judged then.
    if arguments.resume && inspection.failure.is_none() && !is_stranger(&inspection) {
        if endpoint.tickets() == 0 {
            bail!(
                "the first connection brought no ticket: the server issues none, or sends \
                 them with its first answer (try --request /)"
            );
        }
        let first = inspection.established.take();
        inspection = connect()?;
        // The certificate of the session counts on: nothing else says who the server is.
        if let (Some(first), Some(resumed)) = (first, &mut inspection.established) {
            resumed.verdict = resumed.verdict.take().or(first.verdict);
        }
    }
    let findings = Findings::new(&arguments.target, stack, &inspection, resolve);
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        say!("{}", explain::text(&findings).trim_end());
    }
    if let Some(failure) = inspection.failure.take() {
        return Err(failure.into());
    }
    Ok(match is_stranger(&inspection) {
        true => Ending::Bad,
        false => Ending::Good,
    })
}

/// Whether the server's chain was judged and is not trusted.
fn is_stranger(inspection: &Inspection) -> bool {
    let established = inspection.established.as_ref();
    established.is_some_and(|established| matches!(established.verdict, Some(Err(_))))
}

fn over_quic(arguments: &Arguments) -> Result<Ending> {
    let (stack, mut profile) = arguments.options.profile(&arguments.target.host)?;
    if stack.name().as_str() != "rustls" {
        return Err(bad_input(anyhow!(
            "QUIC is spoken with --stack rustls only"
        )));
    }
    profile
        .offer
        .versions
        .retain(|version| *version == ProtocolVersion::Tls13);
    if let Some(path) = &arguments.keylog {
        profile.offer.key_log = Some(key_log(path)?);
    }
    let config = stack::rustls_config::client_of(&profile).map_err(bad_input)?;
    let options = quic::ClientOptions {
        limit: arguments.timeout,
        path: arguments.request.clone().unwrap_or_else(|| "/".to_owned()),
        ..quic::ClientOptions::default()
    };
    let begin = Instant::now();
    let addresses = arguments.target.resolve()?;
    let resolve = begin.elapsed();
    // UDP does not say that nobody is there: the first address has all the time.
    let address = addresses[0];
    let connected = quic::connect(address, &profile.server_name, config, &options);
    let exchange = match runtime()?.block_on(connected) {
        Ok(exchange) => exchange,
        Err(error @ quic::ClientError::Verification(_)) => {
            eprintln!("pqlab: {:#}", anyhow::Error::from(error));
            return Ok(Ending::Bad);
        }
        Err(error) => return Err(anyhow::Error::from(error).context(address.to_string())),
    };
    let is_verified = !arguments.options.is_insecure();
    let findings = Findings::of_quic(&arguments.target, &exchange, is_verified, resolve);
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        say!("{}", explain::text(&findings).trim_end());
    }
    Ok(Ending::Good)
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

fn key_log(path: &PathBuf) -> Result<KeyLog> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options
        .open(path)
        .with_context(|| format!("opening {}", path.display()))
        .map_err(bad_input)?;
    let file = Mutex::new(file);
    Ok(KeyLog::new(move |line| {
        let mut file = file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // A line that could not be written shows as a recording that can't be read.
        if let Err(error) = writeln!(file, "{line}") {
            eprintln!("pqlab: writing the key log: {error}");
        }
    }))
}
