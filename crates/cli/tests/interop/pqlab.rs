//! Our side: `pqlab serve` and `pqlab connect`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cases::Verb;
use crate::http::request;
use crate::lab::Lab;
use crate::party::{Client, Listening, Run, Server, patience};
use crate::process::{Process, Written};
use crate::terms::{ClientTerms, Seen, ServerTerms, View};

/// pqlab with one of its TLS libraries, or with its default.
pub(crate) struct Pqlab {
    pub(crate) lab: Arc<Lab>,
    pub(crate) verb: Verb,
    pub(crate) stack: Option<&'static str>,
}

impl Client for Pqlab {
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen> {
        let mut command = self.lab.pqlab();
        match self.verb {
            Verb::Connect => command.arg("connect"),
            Verb::Load => command.args(["load", "--handshakes", "1", "--concurrency", "1"]),
        };
        command
            .arg(format!("127.0.0.1:{}", terms.port))
            .args(["--json", "--timeout", "8"])
            .args(["--server-name", terms.server_name])
            .args(["--groups", &terms.groups_by(",")])
            .args(["--tls", &terms.version.0.to_string()])
            .arg("--ca")
            .arg(&terms.roots);
        if let Some(stack) = self.stack {
            command.args(["--stack", stack]);
        }
        if let Some(identity) = &terms.certificate {
            command.arg("--cert").arg(&identity.chain);
            command.arg("--key").arg(&identity.key);
        }
        if !terms.alpn.is_empty() {
            command.args(["--alpn", &terms.alpn.join(",")]);
        }
        // In TLS 1.3 a server refuses a client's certificate only when the handshake is over
        // for the client (RFC 8446 section 4.4.2.4): an answer says that it did not.
        command.args(["--request", terms.path]);
        if terms.resumes {
            command.arg("--resume");
        }
        let (status, written) = Process::start(&mut command, "")?.finish(run.deadline)?;
        match status.code() {
            Some(0) if self.verb == Verb::Connect => connected(&written),
            Some(1 | 3) => Ok(Seen::Refused(refusal(&written))),
            _ => bail!("{status}: {}", written.tail()),
        }
    }

    fn refuses_by_alert(&self) -> bool {
        self.verb == Verb::Load
    }
}

fn connected(written: &Written) -> Result<Seen> {
    let json: Value = serde_json::from_str(&written.stdout).context("pqlab connect --json")?;
    let status = json["response"]["status_line"].as_str();
    let status = status.context("no answer")?;
    if status.split(' ').nth(1) != Some("200") {
        return Ok(Seen::Refused(status.to_owned()));
    }
    let negotiated = &json["negotiated"];
    let owned = |name: &str| negotiated[name].as_str().map(str::to_owned);
    Ok(Seen::Agreed(View {
        version: owned("version"),
        group: owned("group"),
        authentication: owned("server_scheme"),
        peer: json["certificates"][0]["subject"]
            .as_str()
            .map(str::to_owned),
        alpn: owned("alpn"),
        is_trusted: json["verdict"]["is_trusted"].as_bool(),
        is_resumed: negotiated["is_resumed"].as_bool(),
        has_hello_retry: negotiated["has_hello_retry"].as_bool(),
        body: None,
    }))
}

fn refusal(written: &Written) -> String {
    let json: Value = serde_json::from_str(&written.stdout).unwrap_or_default();
    let reason = json["verdict"]["reason"]
        .as_str()
        .or(json["error"]["text"].as_str())
        .or(json["failures"][0]["example"].as_str());
    reason.map_or_else(|| written.tail(), str::to_owned)
}

impl Server for Pqlab {
    fn start(&self, terms: &ServerTerms, run: &Run) -> Result<Box<dyn Listening>> {
        let mut command = self.lab.pqlab();
        command
            .args(["serve", "--json", "--listen", "127.0.0.1:0"])
            .args(["--metrics", "127.0.0.1:0"])
            .args(["--groups", &terms.groups_by(",")])
            .args(["--tls", &terms.version.0.to_string()]);
        for identity in &terms.certificates {
            command.args(["--auth", &identity.algorithms.0.to_string()]);
        }
        if let Some(stack) = self.stack {
            command.args(["--stack", stack]);
        }
        if let Some(roots) = &terms.roots {
            command.arg("--client-ca").arg(roots);
        }
        if !terms.alpn.is_empty() {
            command.args(["--alpn", &terms.alpn.join(",")]);
        }
        let process = Process::start(&mut command, "")?;
        let started = process.expect(run.deadline, "does not listen", |written| {
            let (line, _) = written.stdout.split_once('\n')?;
            serde_json::from_str::<Value>(line).ok()
        })?;
        Ok(Box::new(Serving {
            port: port(&started["address"]).context("no address")?,
            metrics: port(&started["metrics"]).context("no address of the metrics")?,
            _process: process,
        }))
    }
}

fn port(address: &Value) -> Option<u16> {
    address.as_str()?.rsplit(':').next()?.parse().ok()
}

struct Serving {
    _process: Process,
    port: u16,
    metrics: u16,
}

impl Listening for Serving {
    fn port(&self) -> u16 {
        self.port
    }

    /// Its page tells clients what it saw; of those that never got there, its metrics.
    fn seen(&mut self, client: &Seen, run: &Run) -> Result<Seen> {
        match client {
            Seen::Agreed(view) => echo(view.body.as_deref().unwrap_or_default()),
            Seen::Refused(_) | Seen::Unnoticed => {
                let patience = patience(run);
                loop {
                    let (_, metrics) = request(self.metrics, "/metrics", run)?;
                    if let Some(outcome) = failure(&metrics) {
                        return Ok(Seen::Refused(outcome.to_owned()));
                    }
                    if Instant::now() >= patience {
                        return Ok(Seen::Unnoticed);
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }
}

/// The page, as JSON.
fn echo(body: &str) -> Result<Seen> {
    // s_client writes a line after it.
    let json = serde_json::Deserializer::from_str(body)
        .into_iter::<Value>()
        .next();
    let page = json
        .context("the page is empty")?
        .with_context(|| format!("the page is not JSON: {body:?}"))?;
    let owned = |name: &str| page[name].as_str().map(str::to_owned);
    Ok(Seen::Agreed(View {
        version: owned("version"),
        group: owned("group"),
        authentication: owned("server_scheme"),
        peer: page["client_certificate"]["subject"]
            .as_str()
            .map(str::to_owned),
        alpn: owned("alpn"),
        is_trusted: None,
        is_resumed: page["is_resumed"].as_bool(),
        has_hello_retry: page["has_hello_retry"].as_bool(),
        body: None,
    }))
}

/// A way to fail that was counted.
fn failure(metrics: &str) -> Option<&str> {
    const FAILURES: [&str; 3] = ["alert", "peer_fault", "closed_early"];
    FAILURES.into_iter().find(|failure| {
        let label = format!("=\"{failure}\"}} ");
        let count = metrics.lines().find_map(|line| line.split_once(&label));
        count.is_some_and(|(_, count)| count.trim() != "0")
    })
}
