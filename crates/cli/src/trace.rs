//! `pqlab trace`: handshakes message by message.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Arg, Args};
use experiment::{Handshake, NetworkName, Scenario, StackName};
use pki::Cache;
use serde::Serialize;
use stack::PhaseTiming;
use trace::{Capture, Trace};

use crate::arguments::{Countdown, seconds};
use crate::client_options::ClientOptions;
use crate::connect::{Failure, Stopped, first_that_answers};
use crate::offer_options::lab;
use crate::output::{SCHEMA, TOOL_VERSION, escape, escape_lines};
use crate::recorded::Secrets;
use crate::target::Target;
use crate::{Ending, bad_input, runtime};

#[derive(Args)]
#[command(mut_args(of_live))]
pub(crate) struct Arguments {
    /// Handshakes or scenarios, performed in memory: `1.3/X25519MLKEM768/ml-dsa-65/full`,
    /// `rustls>openssl/1.3/x25519/rsa-2048/hrr+mutual`. Without any: a classical one, a
    /// hybrid one, and one with an ML-DSA certificate.
    #[arg(value_name = "HANDSHAKE", conflicts_with = "live")]
    handshakes: Vec<String>,

    /// Trace a connection to this server instead, as --groups, --ca and so on say. Only with
    /// it have they an effect, and are taken.
    #[arg(long, value_name = "HOST:PORT")]
    live: Option<Target>,

    #[command(flatten)]
    options: ClientOptions,

    /// Draw it, at most three side by side, into this file (SVG).
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Seconds for everything about a connection to a server.
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    timeout: Duration,

    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// A handshake names all that it is of, but for the stack.
fn of_live(argument: Arg) -> Arg {
    match argument.get_id().as_str() {
        "handshakes" | "live" | "stack" | "svg" | "json" => argument,
        _ => argument.requires("live"),
    }
}

/// What is written as JSON.
#[derive(Serialize)]
struct Document<'t> {
    schema: u32,
    tool_version: &'static str,
    /// Null exactly where the exit code is 0.
    error: Option<Failure>,
    traces: &'t [Trace],
}

/// What is shown where nothing is named: each differs from the one before in one thing.
const CONTRAST: [&str; 3] = [
    "1.3/x25519/ecdsa-p256/full",
    "1.3/X25519MLKEM768/ecdsa-p256/full",
    "1.3/X25519MLKEM768/ml-dsa-65/full",
];

/// Traces that fit beside each other.
const ABREAST: usize = 3;

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let (captures, end) = match &arguments.live {
        Some(target) => {
            let (capture, end) = live(target, &arguments);
            (Vec::from_iter(capture), end)
        }
        None => {
            let stack = arguments.options.stack_name();
            let named = match arguments.handshakes.as_slice() {
                [] => CONTRAST.map(ToOwned::to_owned).to_vec(),
                named => named.to_vec(),
            };
            (pairs(&named, stack, &lab()?)?, End::Good)
        }
    };
    if arguments.svg.is_some() && captures.len() > ABREAST {
        let what = format!("{ABREAST} handshakes at most fit into one picture");
        return Err(bad_input(anyhow!(what)));
    }
    let traces: Vec<Trace> = captures.iter().map(trace::explain).collect();
    if let (Some(path), false) = (&arguments.svg, traces.is_empty()) {
        std::fs::write(path, trace::svg(&traces))
            .with_context(|| format!("writing {}", path.display()))?;
        eprintln!("written: {}", path.display());
    }
    if arguments.json {
        let document = Document {
            schema: SCHEMA,
            tool_version: TOOL_VERSION,
            error: end.failure(),
            traces: &traces,
        };
        say!("{}", serde_json::to_string_pretty(&document)?);
    } else {
        for trace in &traces {
            say!("{}", escape_lines(&trace::text(trace)));
        }
        if traces.len() > 1 {
            say!("{}", escape_lines(&trace::compare_text(&traces)));
        }
    }
    match end {
        End::Good => Ok(Ending::Good),
        End::Untrusted(reason) => {
            eprintln!("pqlab: the server is not trusted: {}", escape(&reason));
            Ok(Ending::Bad)
        }
        End::Stopped(stopped) => Err(stopped.error),
    }
}

/// How a traced connection ended.
enum End {
    Good,
    /// Why not.
    Untrusted(String),
    Stopped(Stopped),
}

impl End {
    fn failure(&self) -> Option<Failure> {
        match self {
            Self::Good => None,
            Self::Untrusted(reason) => Some(Failure::untrusted(reason)),
            Self::Stopped(stopped) => Some(Failure::without_hint(stopped)),
        }
    }
}

/// Leaves the contrast beside a run: a picture for its report, and its text.
pub(crate) fn leave_beside(folder: &Path, lab: &Cache) -> Result<()> {
    let stack = "rustls".parse()?;
    let traces: Vec<Trace> = pairs(&CONTRAST.map(ToOwned::to_owned), &stack, lab)?
        .iter()
        .map(trace::explain)
        .collect();
    let mut text: Vec<String> = traces.iter().map(trace::text).collect();
    text.push(trace::compare_text(&traces));
    for (name, content) in [
        (report::HANDSHAKES, trace::svg(&traces)),
        ("handshakes.txt", text.join("\n")),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, content).with_context(|| {
            format!(
                "writing {}; what was measured before is kept",
                path.display()
            )
        })?;
    }
    Ok(())
}

/// Handshakes of this program with itself.
fn pairs(named: &[String], stack: &StackName, lab: &Cache) -> Result<Vec<Capture>> {
    let mut captures = Vec::new();
    for name in named {
        let scenario = scenario(name, stack).map_err(bad_input)?;
        let captured = measure::capture(&scenario, lab, name.clone());
        captures.push(captured.with_context(|| name.clone()).map_err(bad_input)?);
    }
    Ok(captures)
}

fn scenario(name: &str, stack: &StackName) -> Result<Scenario> {
    const MEMORY: &str = "memory";
    let (handshake, network) = name.split_once('@').unwrap_or((name, MEMORY));
    if network != MEMORY {
        bail!(
            "{name}: trace performs handshakes in memory only; leave @{network} out, or trace a \
             server that is running with --live HOST:PORT"
        );
    }
    if handshake.contains('>') {
        return Ok(format!("{handshake}@{MEMORY}").parse()?);
    }
    let handshake: Handshake = handshake.parse()?;
    let network: NetworkName = MEMORY.parse()?;
    Ok(Scenario::new(
        stack.clone(),
        stack.clone(),
        handshake,
        network,
    ))
}

/// What was recorded, if there was a connection, and how it ended.
fn live(target: &Target, arguments: &Arguments) -> (Option<Capture>, End) {
    match connection(target, arguments) {
        Ok((capture, end)) => (Some(capture), end),
        Err(error) => (None, End::Stopped(error.into())),
    }
}

fn connection(target: &Target, arguments: &Arguments) -> Result<(Capture, End)> {
    let time = Countdown::new(arguments.timeout);
    let (stack, mut profile) = arguments.options.observing_profile(&target.host)?;
    let secrets = Secrets::default();
    profile.offer.key_log = Some(secrets.key_log(|_| {}));
    if stack.times_phases() {
        profile.offer.timing = PhaseTiming::On;
    }
    let endpoint = stack.client(&profile).map_err(bad_input)?;
    let addresses = target.resolve_within(time.left())?;
    let connected = first_that_answers(&addresses, &*endpoint, None, time);
    let mut inspection = runtime()?.block_on(connected)?;
    let title = format!("{target}, with {}", stack.name());
    let capture = secrets.capture(title, &inspection)?;
    let established = inspection.established.as_ref();
    let verdict = established.and_then(|established| established.verdict.clone());
    let end = match (inspection.failure.take(), verdict) {
        (Some(failure), _) => End::Stopped(Stopped::of_inspection(failure, &inspection)),
        (None, Some(Err(reason))) => End::Untrusted(reason),
        (None, _) => End::Good,
    };
    Ok((capture, end))
}
