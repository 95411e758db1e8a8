//! A current OpenSSL, as pyOpenSSL carries it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::abilities::Abilities;
use crate::installed::{absent, ask, find, source};
use crate::party::{
    Client, Listening, Peer, Run, Server, run_client, seen_in_events, start_server,
};
use crate::terms::{ClientTerms, Seen, ServerTerms};

pub(crate) fn peer() -> Peer {
    let python = find("venv/bin/python", &["python3"]);
    let code = "from OpenSSL import SSL; print(SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode())";
    let version = ask(python.as_ref(), "pyopenssl", &["-c", code])
        // A Python without it.
        .map_err(|_| absent("pyopenssl"))
        .map(|text| {
            text.split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        });
    let abilities = Abilities::post_quantum();
    let peer = PyOpenSsl(python.unwrap_or_default());
    Peer {
        name: "pyopenssl",
        version,
        client: Some((abilities.clone(), Box::new(peer.clone()))),
        server: Some((abilities, Box::new(peer))),
    }
}

/// The Python that has it.
#[derive(Clone)]
struct PyOpenSsl(PathBuf);

impl PyOpenSsl {
    fn command(&self, role: &str, groups: &str, terms: &str, run: &Run) -> Result<Command> {
        let configuration = include_str!("pyopenssl/openssl.cnf").replace("{groups}", groups);
        let path = run.write(&format!("{role}.cnf"), &configuration)?;
        let mut command = Command::new(&self.0);
        command.arg(source("pyopenssl/peer.py")).args([role, terms]);
        command.env("OPENSSL_CONF", path);
        Ok(command)
    }
}

impl Client for PyOpenSsl {
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen> {
        let json = serde_json::to_string(terms)?;
        let mut command = self.command("client", &terms.groups_by(":"), &json, run)?;
        run_client(&mut command, run)
    }
}

impl Server for PyOpenSsl {
    fn start(&self, terms: &ServerTerms, run: &Run) -> Result<Box<dyn Listening>> {
        let json = serde_json::to_string(terms)?;
        let mut command = self.command("server", &terms.groups_by(":"), &json, run)?;
        start_server(&mut command, run, seen_in_events)
    }
}
