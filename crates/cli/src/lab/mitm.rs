//! `pqlab lab mitm`

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use comfy_table::{Table, presets};
use experiment::StackName;
use lab::mitm::{Act, MitmError, Play, Scene, perform, picture};
use serde_json::{Value, json};
use stack::{StackError, TlsStack};
use trace::drawing::wrap;

use crate::output::{SCHEMA, TOOL_VERSION};
use crate::{Ending, bad_input, runtime};

/// Columns of what is said, beside who says it.
const WIDTH: usize = 65;

#[derive(Args)]
pub(super) struct Arguments {
    /// Only these scenes: see --list.
    #[arg(long, value_name = "NAME")]
    scene: Vec<Scene>,

    /// List the scenes.
    #[arg(long, conflicts_with_all = ["scene", "stack", "svg"])]
    list: bool,

    /// The TLS library of client and server; with several, every scene is played with each.
    /// The attacker has OpenSSL in any case. See `pqlab list stacks`.
    #[arg(long, default_value = "rustls", value_name = "NAME")]
    stack: Vec<StackName>,

    /// Draw the scenes into this file (SVG).
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(arguments: Arguments) -> Result<Ending> {
    if arguments.list {
        list(arguments.json);
        return Ok(Ending::Good);
    }
    let stacks: Vec<&dyn TlsStack> = arguments
        .stack
        .iter()
        .map(|name| stack::by_name(name).map_err(bad_input))
        .collect::<Result<_>>()?;
    let scenes = match arguments.scene.as_slice() {
        [] => &Scene::ALL,
        named => named,
    };
    let runtime = runtime()?;
    let mut plays = Vec::new();
    for stack in stacks {
        for scene in scenes {
            let played = runtime.block_on(perform(*scene, stack));
            let what = || format!("scene {scene} with {}", stack.name());
            plays.push(played.map_err(fault).with_context(what)?);
        }
    }
    if let Some(path) = &arguments.svg {
        std::fs::write(path, picture(&plays))
            .with_context(|| format!("writing {}", path.display()))?;
        eprintln!("written: {}", path.display());
    }
    let is_as_expected = plays.iter().all(Play::is_as_expected);
    if arguments.json {
        let plays: Vec<Value> = plays.iter().map(json).collect();
        let document = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "is_as_expected": is_as_expected,
            "plays": plays,
        });
        say!("{document:#}");
    } else {
        for play in &plays {
            tell(play);
        }
        if plays.len() > 1 {
            say!("{}", summary(&plays));
        }
    }
    Ok(match is_as_expected {
        true => Ending::Good,
        false => Ending::Bad,
    })
}

/// A stack that can't be set up is one that the user should not have named.
fn fault(error: MitmError) -> anyhow::Error {
    match error {
        MitmError::Setup(StackError::Setup { .. }) => bad_input(error),
        error => error.into(),
    }
}

fn list(as_json: bool) {
    if as_json {
        let scenes = Scene::ALL.map(|scene| {
            json!({ "name": scene.name(), "title": scene.title(), "reason": scene.reason() })
        });
        let document = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "scenes": scenes,
        });
        say!("{document:#}");
        return;
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    for scene in Scene::ALL {
        table.add_row([scene.name(), scene.title()]);
    }
    say!("{table}");
}

fn json(play: &Play) -> Value {
    json!({
        "scene": play.scene,
        "title": play.scene.title(),
        "stack": play.stack,
        "acts": play.acts,
        "read": play.read,
        "sent": play.sent,
        "received": play.received,
        "refusal": play.refusal,
        "recordings": play.recordings().collect::<Vec<_>>(),
        "faults": play.faults,
        "outcome": play.outcome(),
        "is_as_expected": play.is_as_expected(),
        "verdict": play.verdict(),
        "reason": play.scene.reason(),
        "reference": play.scene.reference(),
    })
}

/// The scene as text.
fn tell(play: &Play) {
    let scene = play.scene;
    say!("{scene}: {}", scene.title());
    say!("{}\n", play.libraries());
    for act in &play.acts {
        tell_act(act);
    }
    say!("");
    let mut ending = vec![(play.outcome().label(), play.verdict())];
    if let Some(refusal) = &play.refusal {
        ending.push(("in its words", refusal.words.clone()));
        let alert = refusal.alert.as_deref().unwrap_or("none that arrived");
        ending.push(("alert", alert.to_owned()));
    }
    for (label, content) in [
        ("attacker reads", &play.read),
        ("server sends", &play.sent),
        ("client gets", &play.received),
    ] {
        ending.extend(content.clone().map(|content| (label, content)));
    }
    ending.push(("why", format!("{} ({})", scene.reason(), scene.reference())));
    if !play.is_as_expected() {
        ending.push(("unexpected", "this is not how it should end".to_owned()));
        let faults = play.faults.iter();
        ending.extend(faults.map(|fault| ("unexpected", fault.clone())));
    }
    for (label, text) in ending {
        paragraph(label, &text);
    }
    say!("");
}

fn tell_act(act: &Act) {
    let (arrow, to, how) = match (act.from == act.to, act.is_encrypted) {
        (true, _) => (" ", String::new(), "does"),
        (false, true) => ("→", act.to.to_string(), "encrypted"),
        (false, false) => ("→", act.to.to_string(), "clear"),
    };
    let label = format!("{:<8} {arrow} {to:<8}  {how:<9}", act.from);
    paragraph(&label, &act.what);
    if let Some(gain) = &act.gain {
        paragraph(&format!("{:>29}", "!"), gain);
    }
    if let Some(recording) = &act.recording {
        paragraph("", recording.label());
    }
}

/// Text beside its label.
fn paragraph(label: &str, text: &str) {
    let mut label = label;
    for line in wrap(text, WIDTH) {
        say!("  {label:<30} {line}");
        label = "";
    }
}

fn summary(plays: &[Play]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "scene",
        "stack",
        "outcome",
        "in the library's words",
        "expected",
    ]);
    for play in plays {
        let words = play.refusal.as_ref().map(|refusal| refusal.words.as_str());
        table.add_row([
            play.scene.name(),
            &play.stack,
            play.outcome().label(),
            words.unwrap_or_default(),
            if play.is_as_expected() { "yes" } else { "no" },
        ]);
    }
    table
}
