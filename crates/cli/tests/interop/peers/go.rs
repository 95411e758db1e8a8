//! Go: crypto/tls.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::abilities::Abilities;
use crate::installed::{absent, find, number, peers_folder, source, target, version_text};
use crate::party::{
    Client, Listening, Peer, Run, Server, run_client, seen_in_events, start_server,
};
use crate::process::Process;
use crate::terms::{ClientTerms, Seen, ServerTerms};

/// The first with ML-DSA certificates.
const OLDEST: [u32; 2] = [1, 27];

pub(crate) fn peer() -> Peer {
    let (version, program) = match find("venv/bin/go", &["go"]) {
        None => (Err(absent("go")), PathBuf::new()),
        Some(compiler) => match prepare(&compiler) {
            Ok((version, program)) => (Ok(version), program),
            Err(reason) => (Err(reason), PathBuf::new()),
        },
    };
    let abilities = Abilities {
        resumption: true,
        ..Abilities::post_quantum()
    };
    Peer {
        name: "go",
        version,
        client: Some((abilities.clone(), Box::new(Go(program.clone())))),
        server: Some((abilities, Box::new(Go(program)))),
    }
}

/// The version, and the peer program.
fn prepare(compiler: &Path) -> Result<(String, PathBuf), String> {
    let text = version_text(Command::new(compiler).arg("version"))?;
    let number = number(&text).unwrap_or_default();
    let shown: Vec<_> = number.iter().map(u32::to_string).collect();
    let shown = shown.join(".");
    if number.as_slice() < OLDEST.as_slice() {
        return Err(format!(
            "Go {shown} has no ML-DSA: scripts/install-peers go"
        ));
    }
    match build(compiler) {
        Ok(program) => Ok((shown, program)),
        Err(error) => Err(format!("go build: {error:#}")),
    }
}

/// Compiles the peer program.
fn build(compiler: &Path) -> Result<PathBuf> {
    let output = target().join("interop/go-peer");
    let mut command = Command::new(compiler);
    command
        .args(["build", "-o"])
        .arg(&output)
        .arg(".")
        .current_dir(source("go"))
        .env("GOCACHE", peers_folder().join("go-cache"))
        .env("GOFLAGS", "")
        // The standard library is all that it needs.
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0");
    // The first time, this compiles the standard library.
    let deadline = Instant::now() + Duration::from_secs(180);
    let (status, written) = Process::start(&mut command, "")?.finish(deadline)?;
    if !status.success() {
        bail!("{status}: {}", written.tail());
    }
    Ok(output)
}

/// The compiled peer program.
#[derive(Clone)]
struct Go(PathBuf);

impl Client for Go {
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen> {
        let mut command = Command::new(&self.0);
        command.arg("client");
        run_client(command.arg(serde_json::to_string(terms)?), run)
    }
}

impl Server for Go {
    fn start(&self, terms: &ServerTerms, run: &Run) -> Result<Box<dyn Listening>> {
        let mut command = Command::new(&self.0);
        command.arg("server");
        start_server(
            command.arg(serde_json::to_string(terms)?),
            run,
            seen_in_events,
        )
    }
}
