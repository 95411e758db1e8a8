//! `pqlab scan`: what servers support, refuse, or can't be asked.

mod text;
mod written;

use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use audit::{Endpoint, Service, Target};
use clap::Args;
use scan::{Depth, Limits, Options};
use tokio::sync::mpsc;

use crate::arguments::seconds;
use crate::progress::Spinner;
use crate::{Ending, bad_input, runtime};
use written::Written;

/// Ask servers what they support: groups, versions, suites, chains, clients, shapes.
#[derive(Args)]
#[command(
    after_help = "Targets: example.com, example.com:8443, [::1]:443, and with a protocol in \
    front smtp:// imap:// pop3:// ldap:// postgresql:// mysql:// (with STARTTLS), ssh://, quic://.\n\n\
    Every answer is yes, no, or not known with its reason: a timeout is never no. Nobody is \
    authenticated and no data are sent.\n\n\
    Exit codes: 0 every target was asked; 1 one at least could not be; 2 bad arguments; 130 \
    interrupted. What was seen until then is kept."
)]
pub(crate) struct Arguments {
    /// What to scan.
    #[arg(value_name = "TARGET", required_unless_present = "targets")]
    target: Vec<Target>,

    /// A file with a target in each line, # for comments; - for stdin.
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,

    /// Ask for the groups of TLS 1.3 only.
    #[arg(long)]
    groups_only: bool,

    /// Seconds for each connection.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    timeout: Duration,

    /// Connections open at once, over all.
    #[arg(long, value_name = "NUMBER", default_value_t = 512)]
    connections: usize,

    /// Connections open at once to one address.
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    connections_per_host: usize,

    /// New connections a second, over all; no limit if left out.
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    rate: Option<f64>,

    /// New connections a second to one address; 0 for no limit.
    #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = rate_or_none)]
    rate_per_host: f64,

    /// The name to send as SNI, in place of each target's own.
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,

    /// Write what is seen to this file as well, a line of JSON for each address. If it is
    /// there, targets in it are passed over: so a scan that was stopped goes on.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Print a line of JSON for each address.
    #[arg(long)]
    json: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f64::is_finite(rate) => Ok(rate),
        _ => Err("must be a number above 0".to_owned()),
    }
}

fn rate_or_none(text: &str) -> Result<f64, String> {
    match text {
        "0" => Ok(0.0),
        _ => rate(text),
    }
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    if arguments.connections == 0 || arguments.connections_per_host == 0 {
        return Err(bad_input(anyhow::anyhow!(
            "no connection at all can't scan"
        )));
    }
    let mut written = match &arguments.out {
        Some(path) => Some(Written::open(path)?),
        None => None,
    };
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).context("catching Ctrl-C")?;

    let options = options(&arguments);
    let done = written.as_mut().map(Written::take_done).unwrap_or_default();
    let mistake = Arc::new(std::sync::Mutex::new(None));
    let targets = targets(&arguments, Arc::clone(&mistake))?;
    let targets = targets.filter(move |target| !done.contains(&target.to_string()));
    let mut outcome = Outcome::default();
    runtime()?.block_on(async {
        let (sender, mut receiver) = mpsc::channel(64);
        let scanning = tokio::spawn(async move { scan::scan(targets, &options, sender).await });
        let progress = Spinner::new("addresses");
        loop {
            let endpoints = tokio::select! {
                endpoints = receiver.recv() => endpoints,
                () = tokio::time::sleep(Duration::from_millis(200)) => {
                    if interrupted.load(Ordering::Relaxed) { None } else { continue }
                }
            };
            let Some(endpoints) = endpoints else { break };
            for endpoint in &endpoints {
                outcome.count(endpoint);
                if arguments.json {
                    say!("{}", serde_json::to_string(endpoint)?);
                } else {
                    say!("{}", text::endpoint(endpoint));
                }
            }
            if let Some(written) = &mut written {
                written.add(&endpoints)?;
            }
            progress.count(outcome.endpoints);
        }
        drop(receiver);
        scanning.abort();
        anyhow::Ok(())
    })?;
    let mistake = mistake
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .take();
    if let Some(mistake) = mistake {
        return Err(bad_input(anyhow::Error::msg(mistake)));
    }
    if !arguments.json && outcome.endpoints != 1 {
        say!("{}", outcome.summary());
    }
    Ok(
        match (interrupted.load(Ordering::Relaxed), outcome.unreachable) {
            (true, _) => Ending::Interrupted,
            (false, 0) => Ending::Good,
            (false, _) => Ending::Bad,
        },
    )
}

#[derive(Default)]
struct Outcome {
    endpoints: u64,
    unreachable: u64,
    post_quantum: u64,
    unknown: u64,
}

impl Outcome {
    fn count(&mut self, endpoint: &Endpoint) {
        self.endpoints += 1;
        match text::is_post_quantum(&endpoint.service) {
            _ if matches!(endpoint.service, Service::Unreachable(_)) => self.unreachable += 1,
            Some(true) => self.post_quantum += 1,
            Some(false) => {}
            None => self.unknown += 1,
        }
    }

    fn summary(&self) -> String {
        let Self {
            endpoints,
            unreachable,
            post_quantum,
            unknown,
        } = self;
        let classical = endpoints - unreachable - post_quantum - unknown;
        format!(
            "{endpoints} addresses: {post_quantum} with post-quantum key exchange, {classical} \
             without, {unknown} not known, {unreachable} could not be asked"
        )
    }
}

fn options(arguments: &Arguments) -> Options {
    Options {
        depth: match arguments.groups_only {
            true => Depth::Groups,
            false => Depth::Full,
        },
        timeout: arguments.timeout,
        limits: Limits {
            connections: arguments.connections,
            connections_per_host: arguments.connections_per_host,
            rate: arguments.rate,
            rate_per_host: Some(arguments.rate_per_host).filter(|rate| *rate > 0.0),
        },
        server_name: arguments.server_name.clone(),
    }
}

type Mistake = Arc<std::sync::Mutex<Option<String>>>;

/// Those of the command line, then those of the file as they are read: it may be long. A line
/// that is no target ends the list, and is told.
fn targets(
    arguments: &Arguments,
    mistake: Mistake,
) -> Result<impl Iterator<Item = Target> + Send + use<>> {
    let lines: Box<dyn BufRead + Send> = match &arguments.targets {
        None => Box::new(std::io::empty()),
        Some(path) if path == Path::new("-") => Box::new(BufReader::new(stdin())),
        Some(path) => {
            check(path)?;
            Box::new(BufReader::new(open(path)?))
        }
    };
    let from_file = lines.lines().enumerate().map_while(move |(number, line)| {
        let parsed = line
            .map_err(anyhow::Error::new)
            .and_then(|line| parse(&line));
        match parsed {
            Ok(target) => Some(target),
            Err(error) => {
                let mut mistake = mistake.lock().ok()?;
                *mistake = Some(format!("line {} of the targets: {error:#}", number + 1));
                None
            }
        }
    });
    Ok(arguments
        .target
        .clone()
        .into_iter()
        .chain(from_file.flatten()))
}

fn open(path: &Path) -> Result<File> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()));
    file.map_err(bad_input)
}

/// A mistake in a file is better told before than in the middle.
fn check(path: &Path) -> Result<()> {
    if !path.is_file() && path.exists() {
        // What can be read once only is read when it is scanned.
        return Ok(());
    }
    for (number, line) in BufReader::new(open(path)?).lines().enumerate() {
        let place = || format!("line {} of {}", number + 1, path.display());
        let line = line.with_context(place).map_err(bad_input)?;
        parse(&line).with_context(place).map_err(bad_input)?;
    }
    Ok(())
}

/// A target, or nothing where the line is empty or a comment.
fn parse(line: &str) -> Result<Option<Target>> {
    let line = line.split('#').next().unwrap_or_default().trim();
    match line {
        "" => Ok(None),
        line if line.len() > 300 => bail!("a line of {} bytes is no target", line.len()),
        line => Ok(Some(line.parse()?)),
    }
}
