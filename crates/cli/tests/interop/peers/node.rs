//! Node: OpenSSL behind JavaScript.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::abilities::Abilities;
use crate::installed::{ask, find, number, source};
use crate::party::{
    Client, Listening, Peer, Run, Server, run_client, seen_in_events, start_server,
};
use crate::process::Written;
use crate::terms::{ClientTerms, Seen, ServerTerms};

/// The first with post-quantum groups.
const OLDEST: [u32; 2] = [24, 5];

pub(crate) fn peer() -> Peer {
    let program = find("node_modules/node/bin/node", &["node"]);
    let version = version(program.as_ref());
    let node = Node(program.unwrap_or_default());
    let abilities = Abilities {
        http2: true,
        resumption: true,
        ..Abilities::post_quantum()
    };
    Peer {
        name: "node",
        version,
        client: Some((abilities.clone(), Box::new(node.clone()))),
        server: Some((abilities, Box::new(node))),
    }
}

fn version(program: Option<&PathBuf>) -> Result<String, String> {
    let code = "`${process.version} (OpenSSL ${process.versions.openssl})`";
    let text = ask(program, "node", &["-p", code])?;
    let text = text.trim().to_owned();
    match number(&text) {
        Some(number) if number.as_slice() >= OLDEST.as_slice() => Ok(text),
        _ => Err(format!(
            "{text} has no post-quantum groups: scripts/install-peers node"
        )),
    }
}

#[derive(Clone)]
struct Node(PathBuf);

impl Client for Node {
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen> {
        let mut command = Command::new(&self.0);
        command.arg(source("node/client.mjs"));
        run_client(command.arg(serde_json::to_string(terms)?), run)
    }

    fn refuses_by_alert(&self) -> bool {
        false
    }
}

impl Server for Node {
    fn start(&self, terms: &ServerTerms, run: &Run) -> Result<Box<dyn Listening>> {
        let mut command = Command::new(&self.0);
        command.arg(source("node/server.mjs"));
        start_server(command.arg(serde_json::to_string(terms)?), run, seen)
    }

    fn refuses_by_alert(&self) -> bool {
        false
    }
}

/// Its events, and the group from its trace of the messages.
fn seen(written: &Written) -> Vec<Seen> {
    let mut all = seen_in_events(written);
    if let Some(Seen::Agreed(view)) = all.last_mut() {
        view.group = group(&written.stderr);
    }
    all
}

/// The last one named: the ServerHello's comes after those of the ClientHello.
fn group(trace: &str) -> Option<String> {
    let (_, last) = trace.rsplit_once("NamedGroup: ")?;
    Some(last.split_whitespace().next()?.to_owned())
}
