//! The system's OpenSSL, by its s_client and s_server: often one from before post-quantum
//! groups, and then the legacy peer.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use wire::{NamedGroup, ProtocolVersion, SignatureAlgorithm};

use crate::abilities::{Abilities, ECDSA, ED25519, ML_DSA, RSA};
use crate::installed::{ask, find, number};
use crate::party::{Client, Listening, Logging, Peer, Run, Server};
use crate::process::{Process, Written};
use crate::terms::{ClientTerms, Identity, Seen, ServerTerms, Shown, View};

/// The first with post-quantum groups and ML-DSA.
const FIRST_POST_QUANTUM: [u32; 2] = [3, 5];

pub(crate) fn peer() -> Peer {
    let program = find("openssl", &["openssl"]);
    let version = ask(program.as_ref(), "openssl", &["version"]);
    let is_modern = version.as_ref().is_ok_and(|text| is_modern(text));
    let version = version.map(|text| {
        let words: Vec<_> = text.split_whitespace().take(2).collect();
        words.join(" ")
    });
    let abilities = abilities(is_modern);
    let server = Abilities {
        // It is given one certificate here.
        dual: None,
        ..abilities.clone()
    };
    let openssl = OpenSsl(program.unwrap_or_default());
    Peer {
        name: "openssl",
        version,
        client: Some((abilities.clone(), Box::new(openssl.clone()))),
        server: Some((server, Box::new(openssl))),
    }
}

/// Whether the text of a version tells of one with post-quantum groups.
pub(crate) fn is_modern(text: &str) -> bool {
    number(text).is_some_and(|number| number.as_slice() >= FIRST_POST_QUANTUM.as_slice())
}

/// What OpenSSL 3 can do, and what 3.5 added.
pub(crate) fn abilities(is_modern: bool) -> Abilities {
    let mut abilities = Abilities {
        groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
        chains: vec![ECDSA, RSA, ED25519],
        tls12: true,
        mutual_tls: true,
        dual: Some(SignatureAlgorithm::EcdsaP256),
        resumption: true,
        hello_retry: true,
        ..Abilities::default()
    };
    if is_modern {
        abilities.groups.extend([
            NamedGroup::X25519MLKEM768,
            NamedGroup::SECP256R1MLKEM768,
            NamedGroup::SECP384R1MLKEM1024,
            NamedGroup::MLKEM1024,
        ]);
        abilities.chains.push(ML_DSA);
        abilities.dual = Some(SignatureAlgorithm::MlDsa65);
    }
    abilities
}

#[derive(Clone)]
struct OpenSsl(PathBuf);

impl OpenSsl {
    fn command(&self, verb: &str, version: Shown<ProtocolVersion>) -> Command {
        let mut command = Command::new(&self.0);
        command.arg(verb).args(match version.0 {
            ProtocolVersion::Tls12 => ["-tls1_2"],
            ProtocolVersion::Tls13 => ["-tls1_3"],
        });
        command
    }

    fn exchange(&self, terms: &ClientTerms, run: &Run, session: &[&Path]) -> Result<Seen> {
        let mut command = self.command("s_client", terms.version);
        command
            .args(["-connect", &format!("127.0.0.1:{}", terms.port)])
            .args(["-servername", terms.server_name])
            .args(["-verify_hostname", terms.server_name])
            .args(["-verify_return_error", "-no-CApath", "-no-CAstore"])
            .args(["-groups", &terms.groups_by(":"), "-ign_eof", "-CAfile"])
            .arg(&terms.roots);
        if let Some(identity) = &terms.certificate {
            certificate(&mut command, identity, run)?;
        }
        if !terms.alpn.is_empty() {
            command.args(["-alpn", &terms.alpn.join(",")]);
        }
        match session {
            [kept] => command.arg("-sess_out").arg(kept),
            [kept, again] => command
                .arg("-sess_in")
                .arg(kept)
                .arg("-sess_out")
                .arg(again),
            _ => &mut command,
        };
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
            terms.path, terms.server_name
        );
        let process = Process::start(&mut command, &request)?;
        let (_, written) = process.finish(run.deadline)?;
        client_saw(&written)
    }
}

impl Client for OpenSsl {
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen> {
        if !terms.resumes {
            return self.exchange(terms, run, &[]);
        }
        let kept = run.path("session.pem");
        match self.exchange(terms, run, &[&kept])? {
            Seen::Agreed(_) => self.exchange(terms, run, &[&kept, &run.path("next.pem")]),
            other => Ok(other),
        }
    }
}

impl Server for OpenSsl {
    fn start(&self, terms: &ServerTerms, run: &Run) -> Result<Box<dyn Listening>> {
        let mut command = self.command("s_server", terms.version);
        command
            .args(["-accept", "127.0.0.1:0"])
            .args(["-groups", &terms.groups_by(":")]);
        match terms.certificates.as_slice() {
            [only] => certificate(&mut command, only, run)?,
            _ => bail!("s_server is for one certificate here"),
        }
        if let Some(roots) = &terms.roots {
            command
                .args(["-Verify", "3", "-verify_return_error"])
                .args(["-no-CApath", "-no-CAstore", "-CAfile"])
                .arg(roots);
        }
        if !terms.alpn.is_empty() {
            command.args(["-alpn", &terms.alpn.join(",")]);
        }
        // It shows what it gets, and sends what it is told.
        let answer = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";
        let process = Process::start_answering(&mut command, "GET /", answer)?;
        let port = process.expect(run.deadline, "does not listen", |written| {
            let (_, address) = written.stdout.split_once("ACCEPT 127.0.0.1:")?;
            let (port, _) = address.split_once('\n')?;
            port.trim().parse().ok()
        })?;
        Ok(Logging::of(port, process, server_saw))
    }
}

/// `-cert_chain` wants the chain without its end entity.
fn certificate(command: &mut Command, identity: &Identity, run: &Run) -> Result<()> {
    const BEGIN: &str = "-----BEGIN";
    let pem = std::fs::read_to_string(&identity.chain)
        .with_context(|| identity.chain.display().to_string())?;
    let issuers: String = pem
        .split(BEGIN)
        .skip(2)
        .map(|rest| format!("{BEGIN}{rest}"))
        .collect();
    command.arg("-cert").arg(&identity.chain);
    command.arg("-key").arg(&identity.key);
    if !issuers.is_empty() {
        command
            .arg("-cert_chain")
            .arg(run.write("issuers.pem", &issuers)?);
    }
    Ok(())
}

/// What follows a label on its line.
fn after<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    Some(line.trim())
}

fn client_saw(written: &Written) -> Result<Seen> {
    let text = written.stdout.as_str();
    let all = format!("{text}\n{}", written.stderr);
    let errors: Vec<_> = all
        .lines()
        .filter(|line| line.contains(":error:") || line.starts_with("verify error:"))
        .collect();
    let answer = text.split_once("HTTP/1.1 ").map(|(_, answer)| answer);
    let Some(answer) = answer else {
        if errors.is_empty() {
            bail!("no answer and no error: {}", written.tail());
        }
        return Ok(Seen::Refused(errors.join(" / ")));
    };
    let line = after(text, "New, ")
        .map(|line| (line, false))
        .or_else(|| after(text, "Reused, ").map(|line| (line, true)));
    let temporary_key = after(text, "Server Temp Key: ").or(after(text, "Peer Temp Key: "));
    let group = after(text, "Negotiated TLS1.3 group: ").or(temporary_key.map(|key| {
        // "X25519, 253 bits" or "ECDH, prime256v1, 256 bits"
        key.trim_start_matches("ECDH, ")
            .split(',')
            .next()
            .unwrap_or(key)
    }));
    let owned = |text: &str| text.to_owned();
    Ok(Seen::Agreed(View {
        version: line.and_then(|(line, _)| line.split(',').next().map(owned)),
        group: group.map(owned),
        authentication: after(text, "Peer signature type: ").map(owned),
        peer: after(text, "Verified peername: ").map(owned),
        alpn: after(text, "ALPN protocol: ").map(owned),
        is_trusted: Some(text.contains("Verify return code: 0 (ok)")),
        is_resumed: line.map(|(_, is_resumed)| is_resumed),
        body: answer.split_once("\r\n\r\n").map(|(_, body)| owned(body)),
        ..View::default()
    }))
}

fn server_saw(written: &Written) -> Vec<Seen> {
    const BEGIN: &str = "-----BEGIN SSL SESSION PARAMETERS-----";
    let owned = |text: &str| text.to_owned();
    let agreed = written.stdout.split(BEGIN).skip(1).filter_map(|part| {
        // The line comes last of those that are read here.
        let suite = after(part, "CIPHER is ")?;
        // It does not name the version, but suites of TLS 1.3 are of that alone
        // (RFC 8446 appendix B.4).
        let is_tls13 = suite.starts_with("TLS_");
        // Of several groups, it does not say which one it was.
        let shared = after(part, "Shared groups: ").filter(|groups| !groups.contains(':'));
        let group = after(part, "Negotiated TLS1.3 group: ").or(shared);
        Some(Seen::Agreed(View {
            version: Some(owned(if is_tls13 { "1.3" } else { "1.2" })),
            group: group.map(owned),
            peer: after(part, "subject=").map(owned),
            is_resumed: Some(part.contains("Reused session-id")),
            ..View::default()
        }))
    });
    let errors = written.stderr.lines().chain(written.stdout.lines());
    let refused = errors
        .filter(|line| line.contains(":error:"))
        .map(|line| Seen::Refused(owned(line)));
    agreed.chain(refused).collect()
}
