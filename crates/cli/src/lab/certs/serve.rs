//! `pqlab lab certs --serve`

mod files;
mod log;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use lab::certificates::{Case, Exhibit, exhibit};
use serde_json::json;
use server::{Counters, Event, HttpsServer, Limits, Site};

use super::{by_the_standard, described, known};
use crate::serve::{stop_signal, stopped};
use crate::target::Place;
use crate::{Ending, bad_input, runtime};
use files::{Files, Folder};
use log::Log;

/// What clients may take: it is for trying out, by a few at a time.
const LIMITS: Limits = Limits {
    connections: 64,
    handshake: Duration::from_secs(10),
    idle: Duration::from_secs(10),
    request: 16 * 1024,
};
/// Time for requests under way at the end.
const GRACE: Duration = Duration::from_secs(1);

pub(super) fn main(
    cases: &[&'static Case],
    listen: &Place,
    out: Option<&Path>,
    is_json: bool,
) -> Result<Ending> {
    let first = listen.address().map_err(bad_input)?;
    // A temporary one is removed when this function ends.
    let folder = Folder::new(out)?;
    let stop = stop_signal()?;
    let log = Log::start(is_json)?;
    let run = async {
        let mut serving = Vec::new();
        for (at, case) in cases.iter().copied().enumerate() {
            let made = exhibit(case);
            let made = made.map_err(|error| anyhow!(error).context(case.name))?;
            let guide = Guide::new(&made, folder.write(&made)?);
            let (address, endpoint) = (following(first, at)?, Arc::from(made.endpoint));
            let server = HttpsServer::bind(address, endpoint, Site::Echo, LIMITS).await;
            let (log, server) = (log.clone(), server.map_err(bad_input)?);
            let server = server.with_log(move |trouble| log.tell(case.name, trouble));
            guide.tell(server.local_addr(), is_json);
            let counters = server.counters();
            let ended = tokio::spawn(server.serve(stopped(stop.clone()), GRACE));
            serving.push((case, counters, ended));
        }
        if !is_json {
            say!("Ctrl-C ends it.");
        }
        let mut counted = Vec::new();
        for (case, counters, ended) in serving {
            ended.await.context("serving")?;
            counted.push((case, counters));
        }
        tell_counts(&counted, is_json);
        Ok(Ending::Good)
    };
    runtime()?.block_on(run)
}

/// Ports one after the other; the system chooses all of them, if it chooses the first.
fn following(first: SocketAddr, at: usize) -> Result<SocketAddr> {
    if first.port() == 0 {
        return Ok(first);
    }
    let port = u16::try_from(at).map(|at| first.port().checked_add(at));
    match port {
        Ok(Some(port)) => Ok(SocketAddr::new(first.ip(), port)),
        _ => {
            let port = first.port();
            Err(bad_input(anyhow!("there are too few ports above {port}")))
        }
    }
}

/// How a case is tried.
struct Guide {
    case: &'static Case,
    library: &'static str,
    name: String,
    is_for_old_clients: bool,
    judges_client: bool,
    files: Files,
}

impl Guide {
    fn new(exhibit: &Exhibit, files: Files) -> Self {
        Self {
            case: exhibit.case,
            library: exhibit.library,
            name: exhibit.name.clone(),
            is_for_old_clients: exhibit.is_for_old_clients,
            judges_client: exhibit.judges_client,
            files,
        }
    }

    fn tell(&self, address: SocketAddr, is_json: bool) {
        let near = reachable(address);
        let (curl, openssl) = (self.curl(near), self.openssl(near));
        if is_json {
            let mut line = described(self.case);
            for (field, value) in [
                ("event", json!("listening")),
                ("address", json!(address.to_string())),
                ("server_name", json!(self.name)),
                ("library", json!(self.library)),
                ("judge", json!(self.judge())),
                ("root_file", json!(self.files.root)),
                ("client_files", json!(self.files.client)),
                ("commands", json!({ "curl": curl, "openssl": openssl })),
            ] {
                line[field] = value;
            }
            say!("{line}");
            return;
        }
        let case = self.case;
        let row = |label: &str, text: &str| say!("  {label:<12} {text}");
        say!("{}: {}", case.name, case.fault);
        let address = format!("https://{address}, a server with {}", self.library);
        row("listening", &address);
        row("name", &self.name);
        row("root", &self.files.root.display().to_string());
        if let Some([chain, key]) = &self.files.client {
            let (chain, key) = (chain.display(), key.display());
            row("client", &format!("{chain}, key {key}"));
        }
        row("decides", self.judge());
        row("standard", &by_the_standard(case));
        let (rustls, openssl_does) = (known(case.rustls), known(case.openssl));
        let libraries = format!("rustls {rustls}; OpenSSL {openssl_does}");
        row("known", &libraries);
        row("$", &curl);
        row("$", &openssl);
        say!("");
    }

    const fn judge(&self) -> &'static str {
        match self.judges_client {
            true => "server",
            false => "client",
        }
    }

    fn curl(&self, address: SocketAddr) -> String {
        let (name, port) = (&self.name, address.port());
        let mut command = format!("curl --cacert {}", quoted(&self.files.root));
        match name.parse::<IpAddr>() {
            Ok(wanted) if wanted == address.ip() => {}
            // An address is not looked up.
            Ok(_) => command.push_str(&format!(" --connect-to {name}:{port}:{address}")),
            Err(_) => {
                let host = address.to_string();
                let host = host.rsplit_once(':').map_or("", |(host, _)| host);
                command.push_str(&format!(" --resolve {name}:{port}:{host}"));
            }
        }
        if self.is_for_old_clients {
            command.push_str(" --tls-max 1.2");
        }
        if let Some([chain, key]) = &self.files.client {
            let (chain, key) = (quoted(chain), quoted(key));
            command.push_str(&format!(" --cert {chain} --key {key}"));
        }
        format!("{command} https://{name}:{port}/json")
    }

    fn openssl(&self, address: SocketAddr) -> String {
        let name = &self.name;
        // It waits for the answer, since a server may refuse its client after the handshake.
        let mut command = format!(
            "printf 'GET /json HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect {address} \
             -CAfile {} -verify_return_error",
            quoted(&self.files.root)
        );
        let option = match name.parse::<IpAddr>() {
            Ok(_) => format!(" -noservername -verify_ip {name}"),
            Err(_) => format!(" -servername {name} -verify_hostname {name}"),
        };
        command.push_str(&option);
        if self.is_for_old_clients {
            command.push_str(" -tls1_2");
        }
        if let Some([chain, key]) = &self.files.client {
            let (leaf, key) = (quoted(chain), quoted(key));
            command.push_str(&format!(" -cert {leaf} -cert_chain {leaf} -key {key}"));
        }
        command
    }
}

/// Where a client of this machine finds the server.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn quoted(path: &Path) -> String {
    ca::quote(&path.display().to_string())
}

/// What became of the connections of each case that had any.
fn tell_counts(served: &[(&Case, Arc<Counters>)], is_json: bool) {
    let mut all = serde_json::Map::new();
    for (case, counters) in served {
        let counts = Event::ALL.map(|event| (event.name(), counters.count(event)));
        let counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        if counts.is_empty() {
            continue;
        }
        if !is_json {
            let counts = counts.iter().map(|(event, n)| format!("{event} {n}"));
            say!("{}: {}", case.name, counts.collect::<Vec<_>>().join(", "));
        }
        let counts = counts
            .into_iter()
            .map(|(event, n)| (event.to_owned(), n.into()));
        let counts: serde_json::Map<_, _> = counts.collect();
        all.insert(case.name.to_owned(), counts.into());
    }
    if is_json {
        say!("{}", json!({ "event": "stopped", "connections": all }));
    }
}
