//! `pqlab trace`: handshakes message by message.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Arg, Args};
use client::Inspection;
use experiment::{Handshake, NetworkName, Scenario, StackName};
use pki::Cache;
use serde::Serialize;
use stack::{PhaseTiming, Trust};
use trace::{Capture, Trace};

use crate::arguments::seconds;
use crate::client_options::ClientOptions;
use crate::connect::first_that_answers;
use crate::offer_options::lab;
use crate::output::{SCHEMA, TOOL_VERSION};
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

    /// Seconds for a connection to a server.
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
    let mut ending = Ending::Good;
    let mut failure = None;
    let captures = match &arguments.live {
        Some(target) => {
            let (capture, inspection) = live(target, &arguments)?;
            let verdict = inspection
                .established
                .as_ref()
                .and_then(|established| established.verdict.clone());
            if let Some(Err(reason)) = verdict {
                eprintln!("pqlab: the server is not trusted: {reason}");
                ending = Ending::Bad;
            }
            failure = inspection.failure;
            vec![capture]
        }
        None => {
            let stack = arguments.options.stack_name();
            let named = match arguments.handshakes.as_slice() {
                [] => CONTRAST.map(ToOwned::to_owned).to_vec(),
                named => named.to_vec(),
            };
            pairs(&named, stack, &lab()?)?
        }
    };
    if arguments.svg.is_some() && captures.len() > ABREAST {
        let what = format!("{ABREAST} handshakes at most fit into one picture");
        return Err(bad_input(anyhow!(what)));
    }
    let traces: Vec<Trace> = captures.iter().map(trace::explain).collect();
    if let Some(path) = &arguments.svg {
        std::fs::write(path, trace::svg(&traces))
            .with_context(|| format!("writing {}", path.display()))?;
        eprintln!("written: {}", path.display());
    }
    if arguments.json {
        let document = Document {
            schema: SCHEMA,
            tool_version: TOOL_VERSION,
            traces: &traces,
        };
        say!("{}", serde_json::to_string_pretty(&document)?);
    } else {
        for trace in &traces {
            say!("{}", trace::text(trace));
        }
        if traces.len() > 1 {
            say!("{}", trace::compare_text(&traces));
        }
    }
    match failure {
        Some(failure) => Err(failure.into()),
        None => Ok(ending),
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

fn live(target: &Target, arguments: &Arguments) -> Result<(Capture, Inspection)> {
    let (stack, mut profile) = arguments.options.profile(&target.host)?;
    if let Trust::Verify(anchors) = profile.trust {
        profile.trust = Trust::Observe(anchors);
    }
    let secrets = Secrets::default();
    profile.offer.key_log = Some(secrets.key_log(|_| {}));
    if stack.times_phases() {
        profile.offer.timing = PhaseTiming::On;
    }
    let endpoint = stack.client(&profile).map_err(bad_input)?;
    let addresses = target.resolve()?;
    let limit = arguments.timeout;
    let connected = first_that_answers(&addresses, &*endpoint, None, limit);
    let inspection = runtime()?.block_on(connected)?;
    let title = format!("{target}, with {}", stack.name());
    let capture = secrets.capture(title, &inspection)?;
    Ok((capture, inspection))
}
