//! HAProxy, with whichever OpenSSL the system has.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::abilities::Abilities;
use crate::installed::{ask, find, version_text};
use crate::party::{
    Client, Listening, Logging, Peer, Run, Server, free_port, seen_in_events, wait_until_listening,
};
use crate::peers::openssl;
use crate::peers::proxy::{exchange, fill, text};
use crate::process::{Process, Written};
use crate::terms::{ClientTerms, Identity, Seen, ServerTerms};

pub(crate) fn peer() -> Peer {
    let program = find("haproxy", &["haproxy"]);
    let about = ask(program.as_ref(), "haproxy", &["-vv"]);
    let haproxy = Haproxy {
        tells_group: program.as_ref().is_some_and(tells_group),
        program: program.unwrap_or_default(),
    };
    let is_modern = about
        .as_ref()
        .is_ok_and(|about| openssl::is_modern(library(about)));
    let version = about.map(|about| {
        let own = about.split_whitespace().nth(2).unwrap_or_default();
        let own = own.split('-').next().unwrap_or(own);
        format!("{own} ({})", library(&about))
    });
    let abilities = Abilities {
        // Several certificates take files of a naming scheme of its own.
        dual: None,
        hello_retry: false,
        ..openssl::abilities(is_modern)
    };
    let client = Abilities {
        resumption: false,
        // Without a keyword for the groups of servers, its library's are offered.
        fixed_groups: !haproxy.tells_group,
        ..abilities.clone()
    };
    Peer {
        name: "haproxy",
        version,
        client: Some((client, Box::new(haproxy.clone()))),
        server: Some((abilities, Box::new(haproxy))),
    }
}

fn library(about: &str) -> &str {
    let label = "Running on OpenSSL version : ";
    let line = about.lines().find_map(|line| line.strip_prefix(label));
    let line = line.unwrap_or_default();
    let end = line
        .match_indices(' ')
        .nth(1)
        .map_or(line.len(), |(at, _)| at);
    &line[..end]
}

/// Whether it has the keywords for groups that came with 2.9.
fn tells_group(program: &PathBuf) -> bool {
    let mut command = Command::new(program);
    version_text(command.args(["-dKsmp", "-q", "-c", "-f", "/dev/null"]))
        .is_ok_and(|keywords| keywords.contains("ssl_fc_curve"))
}

/// All that it says of a backend's handshake: that the server's side failed while it was
/// connecting (SC) or waiting for the answer (SH), and not why.
pub(crate) const NO_REASON: &str = "termination state";

#[derive(Clone)]
struct Haproxy {
    program: PathBuf,
    tells_group: bool,
}

impl Haproxy {
    fn start(&self, configuration: &str, run: &Run) -> Result<Process> {
        let path = run.write("haproxy.cfg", configuration)?;
        Process::start(
            Command::new(&self.program).arg("-db").arg("-f").arg(path),
            "",
        )
    }
}

/// It wants chain and key in one file.
fn bundle(identity: &Identity, run: &Run) -> Result<String> {
    let read =
        |path: &PathBuf| std::fs::read_to_string(path).with_context(|| path.display().to_string());
    let bundle = read(&identity.chain)? + &read(&identity.key)?;
    Ok(text(&run.write("bundle.pem", &bundle)?))
}

impl Client for Haproxy {
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen> {
        let port = free_port()?;
        let certificate = match &terms.certificate {
            Some(identity) => format!(" crt {}", bundle(identity, run)?),
            None => String::new(),
        };
        let curves = if self.tells_group {
            format!(" curves {}", terms.groups_by(":"))
        } else {
            String::new()
        };
        let (group, keep_group) = if self.tells_group {
            (
                r#","group":"%[var(txn.group)]""#,
                "http-response set-var(txn.group) ssl_bc_curve",
            )
        } else {
            ("", "")
        };
        let configuration = fill(
            include_str!("haproxy/client.cfg"),
            &[
                ("port", &port.to_string()),
                ("upstream", &terms.port.to_string()),
                ("server_name", terms.server_name),
                ("version", &terms.version.0.to_string()),
                ("roots", &text(&terms.roots)),
                ("certificate", &certificate),
                ("curves", &curves),
                ("group", group),
                ("keep_group", keep_group),
            ],
        );
        let process = self.start(&configuration, run)?;
        wait_until_listening(&process, port, run)?;
        let log = |written: &Written| {
            let lines = written.stdout.lines().filter(|line| line.starts_with('{'));
            let mut lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
            // CR: that is whoever looked whether it listens.
            lines.find(|line| {
                line["end"]
                    .as_str()
                    .is_some_and(|end| !end.starts_with("CR"))
            })
        };
        let seen = exchange(&process, port, terms, run, |written| {
            let end = log(written)?["end"].as_str()?.to_owned();
            end.starts_with('S').then(|| format!("{NO_REASON} {end}"))
        })?;
        Ok(match seen {
            Seen::Agreed(mut view) => {
                let line = process.expect(run.deadline, "logs nothing", log)?;
                view.version = line["version"].as_str().map(str::to_owned);
                view.group = line["group"].as_str().map(str::to_owned);
                Seen::Agreed(view)
            }
            other => other,
        })
    }
}

impl Server for Haproxy {
    fn start(&self, terms: &ServerTerms, run: &Run) -> Result<Box<dyn Listening>> {
        let port = free_port()?;
        let [certificate] = terms.certificates.as_slice() else {
            bail!("HAProxy is for one certificate here");
        };
        let group = if self.tells_group {
            r#","group":"%[ssl_fc_curve]""#
        } else {
            ""
        };
        let client_authentication = terms
            .roots
            .as_ref()
            .map(|roots| format!(" verify required ca-file {}", text(roots)));
        let configuration = fill(
            include_str!("haproxy/server.cfg"),
            &[
                ("port", &port.to_string()),
                ("certificate", &bundle(certificate, run)?),
                ("version", &terms.version.0.to_string()),
                ("groups", &terms.groups_by(":")),
                (
                    "client_authentication",
                    &client_authentication.unwrap_or_default(),
                ),
                ("group", group),
            ],
        );
        Logging::at(port, self.start(&configuration, run)?, run, seen)
    }
}

fn seen(written: &Written) -> Vec<Seen> {
    let mut all = seen_in_events(written);
    for seen in &mut all {
        if let Seen::Agreed(view) = seen {
            view.peer.take_if(|peer| peer == "-");
        }
    }
    // That is whoever looked whether it listens.
    all.retain(|seen| {
        !matches!(seen, Seen::Refused(error) if error.starts_with("Connection closed during"))
    });
    all
}
