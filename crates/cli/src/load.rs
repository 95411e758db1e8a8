//! `pqlab load`: many connections to one's own server, and what became of each.

mod figures;
mod json;
mod live;
mod output;
mod search;

use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::Args;
use client::load::{
    Arrivals, ExpectedStatus, FailureKind, LoadError, Parting, Plan, Report, WorkerEndpoints,
};
use stack::{ClientProfile, TlsStack};
use wire::NamedGroup;

use crate::arguments::{milliseconds, path, request as request_for, seconds};
use crate::client_options::ClientOptions;
use crate::connect::{Failure, Stopped};
use crate::output::escape;
use crate::target::Target;
use crate::{Ending, bad_input};
use live::{Lines, LiveView};
use output::Subject;

/// What the options do not say.
const MORE_HELP: &str = "\
With --rate connections begin when the schedule says, however slow the server is, and response
times count from then: what users of a busy server wait. Without it, each of --concurrency
clients begins the next connection when its last one has ended.

Load is an attack on a server whose owner did not ask for it. Use it on your own.";

#[derive(Args)]
#[command(after_help = MORE_HELP)]
pub(crate) struct Arguments {
    /// The server, as HOST:PORT.
    target: Target,

    #[command(flatten)]
    client: ClientOptions,

    /// Connections per second, at even intervals (open loop).
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "concurrency")]
    rate: Option<f64>,

    /// At random intervals, as from a crowd of clients: a Poisson process.
    #[arg(long, requires = "rate")]
    poisson: bool,

    /// Connections at a time (closed loop); 10 if there is no --rate.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: Option<u32>,

    /// For how long connections begin, in seconds; 10 if there is no --handshakes.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    duration: Option<Duration>,

    /// How many connections begin.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    handshakes: Option<u64>,

    /// The share of connections that resume with a ticket, from 0 to 1. Each ticket is used
    /// once.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    resume: f64,

    /// Ask for this path (HTTP/1.1 GET) after each handshake, and wait for the status line.
    #[arg(long, value_name = "PATH", value_parser = path)]
    request: Option<String>,

    /// Statuses that responses may have: codes or classes, as in `200` or `2xx,304`, or
    /// `any`. A connection with another one, or whose response is no HTTP/1, counts as
    /// failed. Server errors fail unless they are named: oha and hey count any response as a
    /// success, and `any` does that.
    #[arg(
        long,
        value_name = "STATUS,…",
        default_value = "1xx,2xx,3xx,4xx",
        requires = "request"
    )]
    expect_status: ExpectedStatus,

    /// Count a handshake with any other group as failed.
    #[arg(long, value_name = "GROUP")]
    expect_group: Option<NamedGroup>,

    /// Worker threads; one for each core if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: Option<u32>,

    /// Connections at a time in an open loop, apart from those that are measured and wait for
    /// the server to close. What is due beyond is counted as not started.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 4096,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max_in_flight: u32,

    /// End connections by a reset as soon as they are measured. It is cheaper, and leaves no
    /// port in TIME_WAIT, but a server that is slower than the reset never sees the end of
    /// the handshake. Without it they end with close_notify, and when the server has closed.
    #[arg(long)]
    reset: bool,

    /// Time for each connection, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    timeout: Duration,

    /// The seed of random intervals and choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Search the highest rate that keeps p99 of the response times within --p99-ms, and
    /// loses at most one connection in a thousand. Begins at --rate, or 100 per second, and
    /// ends there if nothing succeeds.
    #[arg(
        long,
        requires = "p99_ms",
        conflicts_with_all = ["concurrency", "duration", "handshakes"]
    )]
    find_capacity: bool,

    /// The bound of --find-capacity, in milliseconds.
    #[arg(long, value_name = "MS", requires = "find_capacity", value_parser = milliseconds)]
    p99_ms: Option<Duration>,

    /// How long --find-capacity tries each rate, in seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "3",
        requires = "find_capacity",
        value_parser = seconds
    )]
    step_seconds: Duration,

    /// Take a server that is not on this machine: I say that it is mine. Without this, only
    /// loopback addresses are taken.
    #[arg(long)]
    allow_remote: bool,

    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

/// Where a closed loop begins without being told.
const CONCURRENCY: u32 = 10;
/// Where a search begins without being told.
const FIRST_RATE: f64 = 100.0;
const DURATION: Duration = Duration::from_secs(10);

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    match load(&arguments) {
        Err(error) => {
            // With the load's own document its failure was told.
            let error = match error.is::<Failed>() {
                true => error,
                false => tell(&arguments, error)?,
            };
            match is_about_trust(&error) {
                true => {
                    eprintln!("pqlab: {}", escape(&format!("{error:#}")));
                    Ok(Ending::Bad)
                }
                false => Err(error),
            }
        }
        ending => ending,
    }
}

/// Tells programs why there was no load.
fn tell(arguments: &Arguments, error: anyhow::Error) -> Result<anyhow::Error> {
    let stopped = Stopped::from(error);
    if arguments.json {
        let failure = Failure::without_hint(&stopped);
        say!("{}", json::no_load(&arguments.target, &failure)?);
    }
    Ok(stopped.error)
}

fn load(arguments: &Arguments) -> Result<Ending> {
    let client = arguments.client.clone();
    let client = match arguments.request {
        Some(_) => client.for_http1()?,
        None => client,
    };
    let address = arguments.address()?;
    let arrivals = arguments.arrivals();
    let (stack, profile) = client.profile(&arguments.target.host)?;
    let endpoints = arguments.endpoints(stack, profile, arrivals)?;
    let plan = arguments.plan(address, arrivals);
    if cfg!(debug_assertions) {
        eprintln!("This is a debug build: use a release build for figures that count.");
    }
    let stop = crate::run::stop_on_signals()?;
    let subject = Subject {
        target: arguments.target.to_string(),
        address,
        stack: stack.library().version,
    };
    if let Some(bound) = arguments.p99_ms {
        let first = arguments.rate.unwrap_or(FIRST_RATE);
        let step = arguments.step_seconds;
        let found = search::find(&plan, &endpoints, first, step, bound, &stop)?;
        if arguments.json {
            say!("{}", search::json(&found, &plan, &subject)?);
        } else {
            search::print(&found);
        }
        return found.ending();
    }
    let report = perform(&plan, &endpoints, &stop, Lines::EverySecond)?;
    let failed = Failed::of(&report);
    if arguments.json {
        say!(
            "{}",
            json::report(&report, failed.as_ref(), &plan, &subject)?
        );
    } else {
        output::print(&report, &plan, &subject);
    }
    match failed {
        Some(failed) => Err(failed.into()),
        None if report.is_interrupted => Ok(Ending::Interrupted),
        None => Ok(Ending::Good),
    }
}

/// Nothing succeeded: it is as with a connection that did not.
#[derive(Debug)]
struct Failed {
    /// What most connections failed of.
    kind: Option<FailureKind>,
    reason: Option<String>,
}

impl Failed {
    /// `None` if something succeeded, or may yet have.
    fn of(report: &Report) -> Option<Self> {
        let main = report.tally.main_failure();
        let is_failed = report.tally.succeeded == 0 && !report.is_interrupted;
        is_failed.then(|| Self {
            kind: main.map(|failure| failure.kind),
            reason: main.map(|failure| failure.example.clone()),
        })
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no connection succeeded")?;
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failed {}

/// Whether nothing came of the load for the reason that the server is not trusted.
fn is_about_trust(error: &anyhow::Error) -> bool {
    let kind = match (error.downcast_ref(), error.downcast_ref()) {
        (Some(Failed { kind, .. }), _) | (_, Some(LoadError::NoTickets { kind, .. })) => *kind,
        _ => None,
    };
    kind == Some(FailureKind::Untrusted)
}

fn perform(
    plan: &Plan,
    endpoints: &[WorkerEndpoints],
    stop: &AtomicBool,
    lines: Lines,
) -> Result<Report> {
    let mut live = LiveView::new(plan, lines);
    let interval = live.interval();
    let report = client::load::run(plan, endpoints, stop, interval, |now| live.show(now));
    live.finish();
    report.map_err(classify)
}

/// Errors that the user's input causes end with another exit code.
fn classify(error: LoadError) -> anyhow::Error {
    match error {
        LoadError::Plan(_) => bad_input(error),
        error => error.into(),
    }
}

impl Arguments {
    /// The server's address. Of several the first that takes connections: `localhost` may
    /// be both ::1 and 127.0.0.1, and servers often listen at one of them.
    fn address(&self) -> Result<SocketAddr> {
        let addresses = self.target.resolve()?;
        let is_local = |address: &SocketAddr| address.ip().to_canonical().is_loopback();
        let remote = addresses.iter().find(|address| !is_local(address));
        if let (Some(address), false) = (remote, self.allow_remote) {
            return Err(bad_input(anyhow!(
                "{address} is not on this machine: if the server is yours, add --allow-remote"
            )));
        }
        let takes =
            |address: &&SocketAddr| TcpStream::connect_timeout(address, self.timeout).is_ok();
        let taking = match addresses.len() {
            1 => None,
            _ => addresses.iter().find(takes),
        };
        Ok(*taking.unwrap_or(&addresses[0]))
    }

    fn arrivals(&self) -> Arrivals {
        match self.rate {
            Some(per_second) if self.poisson => Arrivals::Poisson { per_second },
            Some(per_second) => Arrivals::Constant { per_second },
            None if self.find_capacity => Arrivals::Constant {
                per_second: FIRST_RATE,
            },
            None => Arrivals::Closed {
                concurrency: self.concurrency.unwrap_or(CONCURRENCY) as usize,
            },
        }
    }

    fn plan(&self, address: SocketAddr, arrivals: Arrivals) -> Plan {
        let name = self.client.server_name(&self.target.host);
        let request = self.request.as_ref();
        let request = request.map(|path| request_for(path, name, &self.target));
        let most = match arrivals {
            Arrivals::Closed { concurrency } => concurrency,
            _ => self.max_in_flight as usize,
        };
        Plan {
            address,
            arrivals,
            duration: match (self.duration, self.handshakes) {
                (None, None) => Some(DURATION),
                (duration, _) => duration,
            },
            handshakes: self.handshakes,
            max_in_flight: most,
            timeout: self.timeout,
            resumed_share: self.resume,
            request,
            parting: match self.reset {
                true => Parting::Reset,
                false => Parting::Orderly,
            },
            expected_group: self.expect_group,
            expected_status: self.expect_status.clone(),
            seed: self.seed,
        }
    }

    /// What each thread makes its connections from.
    fn endpoints(
        &self,
        stack: &dyn TlsStack,
        mut profile: ClientProfile,
        arrivals: Arrivals,
    ) -> Result<Vec<WorkerEndpoints>> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = self.threads.map_or_else(cores, |threads| threads as usize);
        let useful = match arrivals {
            Arrivals::Closed { concurrency } => concurrency,
            _ => self.max_in_flight as usize,
        };
        let mut endpoint = |resumes| {
            profile.resumes = resumes;
            stack.client(&profile).map(Arc::from).map_err(bad_input)
        };
        (0..wanted.min(useful))
            .map(|_| {
                Ok(WorkerEndpoints {
                    full: endpoint(false)?,
                    resuming: match self.resume > 0.0 {
                        true => Some(endpoint(true)?),
                        false => None,
                    },
                })
            })
            .collect()
    }
}
