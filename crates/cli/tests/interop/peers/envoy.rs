//! Envoy: BoringSSL.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wire::{NamedGroup, ProtocolVersion, SignatureAlgorithm};

use crate::abilities::{Abilities, ECDSA, ML_DSA, RSA};
use crate::http::request;
use crate::installed::{ask, find};
use crate::party::{Client, Listening, Peer, Run, Server, patience};
use crate::peers::proxy::{exchange, fill, text};
use crate::process::{Process, Written};
use crate::terms::{ClientTerms, Identity, Seen, ServerTerms, Shown, View};

pub(crate) fn peer() -> Peer {
    let program = find("venv/bin/envoy", &["envoy"]);
    let version = ask(program.as_ref(), "envoy", &["--version"]);
    // "…/envoy  version: REVISION/1.40.0/Clean/RELEASE/BoringSSL"
    let version = version.map(|text| {
        let number = text.split("version: ").nth(1).unwrap_or_default();
        number.split('/').nth(1).unwrap_or_default().to_owned()
    });
    let abilities = Abilities {
        groups: vec![
            NamedGroup::X25519,
            NamedGroup::SECP256R1,
            NamedGroup::X25519MLKEM768,
            NamedGroup::MLKEM1024,
        ],
        chains: vec![ECDSA, RSA, ML_DSA],
        tls12: true,
        mutual_tls: true,
        // Its servers prefer ECDSA.
        dual: Some(SignatureAlgorithm::EcdsaP256),
        ..Abilities::default()
    };
    let client = Abilities {
        dual: Some(SignatureAlgorithm::MlDsa65),
        ..abilities.clone()
    };
    let envoy = Envoy(program.unwrap_or_default());
    Peer {
        name: "envoy",
        version,
        client: Some((client, Box::new(envoy.clone()))),
        server: Some((abilities, Box::new(envoy))),
    }
}

#[derive(Clone)]
struct Envoy(PathBuf);

/// A started one.
struct Running {
    process: Process,
    admin: u16,
    port: u16,
}

impl Envoy {
    fn start(&self, configuration: &str, run: &Run) -> Result<Running> {
        let path = run.write("envoy.yaml", configuration)?;
        let address = run.path("admin");
        let process = Process::start(
            Command::new(&self.0)
                .arg("-c")
                .arg(path)
                .arg("--admin-address-path")
                .arg(&address)
                .args(["--disable-hot-restart", "--concurrency", "1"])
                .args(["--log-level", "error"]),
            "",
        )?;
        let admin = loop {
            let text = std::fs::read_to_string(&address).unwrap_or_default();
            if let Ok(address) = text.trim().parse::<SocketAddr>() {
                break address.port();
            }
            pause(&process, run)?;
        };
        let port = loop {
            // "tls::127.0.0.1:36137", once the listener is there
            let (_, listeners) = request(admin, "/listeners", run)?;
            let port = listeners.trim().rsplit(':').next();
            if let Some(port) = port.and_then(|port| port.parse().ok()) {
                break port;
            }
            pause(&process, run)?;
        };
        Ok(Running {
            process,
            admin,
            port,
        })
    }
}

fn pause(process: &Process, run: &Run) -> Result<()> {
    if process.has_ended() || Instant::now() >= run.deadline {
        bail!("does not listen: {}", process.written().tail());
    }
    std::thread::sleep(Duration::from_millis(20));
    Ok(())
}

impl Running {
    /// The group that a counter counted.
    fn group(&self, run: &Run) -> Result<Option<String>> {
        let (_, statistics) = request(self.admin, "/stats?filter=ssl.curves&usedonly", run)?;
        let counter = statistics.lines().find_map(|line| {
            let (name, count) = line.split_once(": ")?;
            (count != "0").then(|| name.rsplit('.').next().map(str::to_owned))?
        });
        Ok(counter)
    }
}

fn version(version: Shown<ProtocolVersion>) -> String {
    version.0.to_string().replace('.', "_")
}

/// BoringSSL's names.
fn groups(groups: &[Shown<NamedGroup>]) -> String {
    let names = groups.iter().map(|group| match group.0 {
        NamedGroup::X25519 => "X25519".to_owned(),
        NamedGroup::SECP256R1 => "P-256".to_owned(),
        other => other.to_string(),
    });
    names.collect::<Vec<_>>().join(", ")
}

fn certificate(identity: &Identity) -> String {
    format!(
        r#"{{certificate_chain: {{filename: "{}"}}, private_key: {{filename: "{}"}}}}"#,
        text(&identity.chain),
        text(&identity.key)
    )
}

fn log(written: &Written) -> Option<Value> {
    let line = written.stdout.lines().find(|line| line.starts_with('{'))?;
    serde_json::from_str(line).ok()
}

fn error(log: &Value) -> Option<String> {
    if let Some(text) = log["error"].as_str() {
        return Some(text.to_owned());
    }
    // An alert after the handshake resets the request.
    let details = log["details"].as_str()?;
    details.contains("reset").then(|| details.to_owned())
}

impl Client for Envoy {
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen> {
        let certificates = terms
            .certificate
            .as_ref()
            .map(|identity| format!("tls_certificates: [{}]", certificate(identity)));
        let configuration = fill(
            include_str!("envoy/client.yaml"),
            &[
                ("upstream", &terms.port.to_string()),
                ("server_name", terms.server_name),
                ("version", &version(terms.version)),
                ("groups", &groups(&terms.groups)),
                ("roots", &text(&terms.roots)),
                ("tls_certificates", &certificates.unwrap_or_default()),
            ],
        );
        let running = self.start(&configuration, run)?;
        let refusal = |written: &Written| error(&log(written)?);
        match exchange(&running.process, running.port, terms, run, refusal)? {
            Seen::Agreed(mut view) => {
                let line = running.process.wait_for(patience(run), log);
                let line = line.context("Envoy logs nothing")?;
                view.version = line["version"].as_str().map(str::to_owned);
                view.group = running.group(run)?;
                Ok(Seen::Agreed(view))
            }
            other => Ok(other),
        }
    }
}

impl Server for Envoy {
    fn start(&self, terms: &ServerTerms, run: &Run) -> Result<Box<dyn Listening>> {
        let certificates: Vec<_> = terms.certificates.iter().map(certificate).collect();
        let validation_context = terms.roots.as_ref().map(|roots| {
            format!(
                r#"validation_context: {{trusted_ca: {{filename: "{}"}}}}"#,
                text(roots)
            )
        });
        let require = validation_context
            .as_ref()
            .map_or("", |_| "require_client_certificate: true");
        let configuration = fill(
            include_str!("envoy/server.yaml"),
            &[
                ("require_client_certificate", require),
                ("version", &version(terms.version)),
                ("groups", &groups(&terms.groups)),
                ("certificates", &certificates.join(", ")),
                (
                    "validation_context",
                    &validation_context.unwrap_or_default(),
                ),
            ],
        );
        Ok(Box::new(self.start(&configuration, run)?))
    }
}

impl Listening for Running {
    fn port(&self) -> u16 {
        self.port
    }

    fn seen(&mut self, _: &Seen, run: &Run) -> Result<Seen> {
        let Some(line) = self.process.wait_for(patience(run), log) else {
            return Ok(Seen::Unnoticed);
        };
        if let Some(error) = error(&line) {
            return Ok(Seen::Refused(error));
        }
        let owned = |name: &str| line[name].as_str().map(str::to_owned);
        Ok(Seen::Agreed(View {
            version: owned("version"),
            group: self.group(run)?,
            peer: owned("peer"),
            ..View::default()
        }))
    }
}
