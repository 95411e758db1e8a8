//! nginx, with whichever OpenSSL the system has.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::abilities::Abilities;
use crate::installed::{ask, find};
use crate::party::{
    Client, Listening, Logging, Peer, Run, Server, free_port, seen_in_events, wait_until_listening,
};
use crate::peers::openssl;
use crate::peers::proxy::{exchange, fill, text};
use crate::process::{Process, Written};
use crate::terms::{ClientTerms, Seen, ServerTerms};

pub(crate) fn peer() -> Peer {
    let program = find("nginx", &["nginx"]);
    let about = ask(program.as_ref(), "nginx", &["-V"]);
    let is_modern = about
        .as_ref()
        .is_ok_and(|about| openssl::is_modern(library(about)));
    let version = about.map(|about| {
        let own = about.lines().find_map(|line| line.split_once("nginx/"));
        format!("{} ({})", own.map_or("", |(_, own)| own), library(&about))
    });
    let abilities = openssl::abilities(is_modern);
    let nginx = Nginx(program.unwrap_or_default());
    let client = Abilities {
        resumption: false,
        ..abilities.clone()
    };
    Peer {
        name: "nginx",
        version,
        client: Some((client, Box::new(nginx.clone()))),
        server: Some((abilities, Box::new(nginx))),
    }
}

/// "OpenSSL 3.0.19": what it runs with, which may be newer than what it was built with.
fn library(about: &str) -> &str {
    let built = about.split_once("built with ").map_or("", |(_, rest)| rest);
    let used = built
        .split_once("running with ")
        .map_or(built, |(_, rest)| rest);
    let end = used
        .match_indices(' ')
        .nth(1)
        .map_or(used.len(), |(at, _)| at);
    &used[..end]
}

#[derive(Clone)]
struct Nginx(PathBuf);

impl Nginx {
    fn start(&self, configuration: &str, run: &Run) -> Result<Process> {
        let path = run.write("nginx.conf", configuration)?;
        let mut command = Command::new(&self.0);
        command.arg("-c").arg(path).arg("-p").arg(&run.scratch);
        Process::start(&mut command, "")
    }
}

impl Client for Nginx {
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen> {
        let port = free_port()?;
        let certificate = terms.certificate.as_ref().map(|identity| {
            format!(
                "proxy_ssl_certificate {}; proxy_ssl_certificate_key {};",
                text(&identity.chain),
                text(&identity.key)
            )
        });
        let configuration = fill(
            include_str!("nginx/client.conf"),
            &[
                ("scratch", &text(&run.scratch)),
                ("port", &port.to_string()),
                ("upstream", &terms.port.to_string()),
                ("server_name", terms.server_name),
                ("version", &terms.version.0.to_string()),
                ("groups", &terms.groups_by(":")),
                ("roots", &text(&terms.roots)),
                ("certificate", &certificate.unwrap_or_default()),
            ],
        );
        let process = self.start(&configuration, run)?;
        wait_until_listening(&process, port, run)?;
        exchange(&process, port, terms, run, |written| {
            let line = written.stderr.lines().find(|line| {
                line.contains("SSL_do_handshake() failed")
                    || line.contains("SSL certificate verify error")
                    || line.contains("SSL certificate does not match")
                    || line.contains("SSL_read() failed")
            });
            line.map(str::to_owned)
        })
    }

    fn refuses_by_alert(&self) -> bool {
        // It looks at the verdict when the handshake is over.
        false
    }
}

impl Server for Nginx {
    fn start(&self, terms: &ServerTerms, run: &Run) -> Result<Box<dyn Listening>> {
        let port = free_port()?;
        let certificates: String = terms
            .certificates
            .iter()
            .map(|identity| {
                format!(
                    "ssl_certificate {}; ssl_certificate_key {};",
                    text(&identity.chain),
                    text(&identity.key)
                )
            })
            .collect();
        let client_authentication = terms.roots.as_ref().map(|roots| {
            format!(
                "ssl_verify_client on; ssl_verify_depth 3; ssl_client_certificate {};",
                text(roots)
            )
        });
        let is_http2 = terms.alpn.contains(&"h2");
        let configuration = fill(
            include_str!("nginx/server.conf"),
            &[
                ("scratch", &text(&run.scratch)),
                ("port", &port.to_string()),
                ("http2", if is_http2 { " http2" } else { "" }),
                ("certificates", &certificates),
                ("version", &terms.version.0.to_string()),
                ("groups", &terms.groups_by(":")),
                (
                    "client_authentication",
                    &client_authentication.unwrap_or_default(),
                ),
            ],
        );
        Logging::at(port, self.start(&configuration, run)?, run, seen)
    }

    fn refuses_by_alert(&self) -> bool {
        // Status 400 is its answer.
        false
    }
}

/// Its access log has what it answered, its error log what was wrong.
fn seen(written: &Written) -> Vec<Seen> {
    let refused = written.stderr.lines().filter(|line| {
        line.contains("SSL_do_handshake() failed")
            || line.contains("client SSL certificate verify error")
            || line.contains("client sent no required SSL certificate")
            || line.contains("SSL_read() failed")
    });
    let mut all = seen_in_events(written);
    all.extend(refused.map(|line| Seen::Refused(line.to_owned())));
    all
}
