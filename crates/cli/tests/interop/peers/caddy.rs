//! Caddy: Go's crypto/tls behind a web server.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};
use serde_json::Value;
use wire::NamedGroup;

use crate::abilities::{Abilities, ECDSA, ED25519, RSA};
use crate::installed::{ask, find};
use crate::party::{
    Client, Listening, Logging, Peer, Run, Server, free_port, wait_until_listening,
};
use crate::peers::proxy::{exchange, fill, text};
use crate::process::{Process, Written};
use crate::terms::{ClientTerms, Seen, ServerTerms, View};

pub(crate) fn peer() -> Peer {
    let program = find("venv/bin/caddy", &["caddy"]);
    let version = ask(program.as_ref(), "caddy", &["version"]);
    let version = version.map(|text| text.split_whitespace().next().unwrap_or("").to_owned());
    let abilities = Abilities {
        groups: vec![
            NamedGroup::X25519,
            NamedGroup::SECP256R1,
            NamedGroup::X25519MLKEM768,
        ],
        chains: vec![ECDSA, RSA, ED25519],
        tls12: true,
        mutual_tls: true,
        ..Abilities::default()
    };
    let client = Abilities {
        // Its directive for backends sets no version: they choose.
        tls12: false,
        ..abilities.clone()
    };
    let caddy = Caddy(program.unwrap_or_default());
    Peer {
        name: "caddy",
        version,
        client: Some((client, Box::new(caddy.clone()))),
        server: Some((abilities, Box::new(caddy))),
    }
}

#[derive(Clone)]
struct Caddy(PathBuf);

impl Caddy {
    fn start(&self, configuration: &str, run: &Run) -> Result<Process> {
        let path = run.write("Caddyfile", configuration)?;
        let mut command = Command::new(&self.0);
        command.args(["run", "--adapter", "caddyfile", "--config"]);
        // Its own state stays in the scratch folder.
        Process::start(command.arg(path).env("HOME", &run.scratch), "")
    }
}

impl Client for Caddy {
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen> {
        let port = free_port()?;
        let certificate = terms.certificate.as_ref().map(|identity| {
            format!(
                "tls_client_auth {} {}",
                text(&identity.chain),
                text(&identity.key)
            )
        });
        let configuration = fill(
            include_str!("caddy/client.Caddyfile"),
            &[
                ("scratch", &text(&run.scratch)),
                ("port", &port.to_string()),
                ("upstream", &terms.port.to_string()),
                ("server_name", terms.server_name),
                ("groups", &terms.groups_by(" ").to_lowercase()),
                ("roots", &text(&terms.roots)),
                ("certificate", &certificate.unwrap_or_default()),
            ],
        );
        let process = self.start(&configuration, run)?;
        wait_until_listening(&process, port, run)?;
        exchange(&process, port, terms, run, |written| {
            lines(written).find_map(|line| {
                let error = line["error"].as_str()?;
                error.contains("tls: ").then(|| error.to_owned())
            })
        })
    }
}

impl Server for Caddy {
    fn start(&self, terms: &ServerTerms, run: &Run) -> Result<Box<dyn Listening>> {
        let port = free_port()?;
        let [certificate] = terms.certificates.as_slice() else {
            bail!("Caddy is for one certificate here");
        };
        let client_authentication = terms.roots.as_ref().map(|roots| {
            format!(
                "client_auth {{\nmode require_and_verify\ntrust_pool file {}\n}}",
                text(roots)
            )
        });
        let configuration = fill(
            include_str!("caddy/server.Caddyfile"),
            &[
                ("scratch", &text(&run.scratch)),
                ("server_name", crate::terms::SERVER_NAME),
                ("port", &port.to_string()),
                ("certificate", &text(&certificate.chain)),
                ("key", &text(&certificate.key)),
                ("version", &terms.version.0.to_string()),
                ("groups", &terms.groups_by(" ").to_lowercase()),
                (
                    "client_authentication",
                    &client_authentication.unwrap_or_default(),
                ),
            ],
        );
        Logging::at(port, self.start(&configuration, run)?, run, seen)
    }
}

fn lines(written: &Written) -> impl Iterator<Item = Value> {
    let all = written.stdout.lines();
    all.filter_map(|line| serde_json::from_str(line).ok())
}

fn seen(written: &Written) -> Vec<Seen> {
    let of_line = |line: Value| {
        let message = line["msg"].as_str()?;
        // The end of a file is whoever looked whether it listens.
        if message.contains("TLS handshake error") && !message.ends_with(": EOF") {
            return Some(Seen::Refused(message.to_owned()));
        }
        let tls = line["request"]["tls"].as_object()?;
        let version = match tls["version"].as_u64()? {
            0x0303 => "1.2",
            0x0304 => "1.3",
            _ => return None,
        };
        let subject = tls.get("client_common_name").and_then(Value::as_str);
        Some(Seen::Agreed(View {
            version: Some(version.to_owned()),
            peer: subject.map(str::to_owned),
            is_resumed: tls["resumed"].as_bool(),
            ..View::default()
        }))
    };
    lines(written).filter_map(of_line).collect()
}
