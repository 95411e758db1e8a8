//! Chromium: a browser that loads the page, and trusts what its user imported.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use wire::{NamedGroup, SignatureAlgorithm, SignatureScheme};

use crate::abilities::{Abilities, ECDSA, ML_DSA_UNDER_ECDSA, RSA};
use crate::installed::{absent, find, target, version_text};
use crate::party::{Client, Peer, Run};
use crate::peers::proxy::text;
use crate::process::{Process, Written};
use crate::terms::{ClientTerms, Seen, View};

pub(crate) fn peer() -> Peer {
    let program = find(
        "chromium",
        &["chromium", "chromium-browser", "google-chrome"],
    );
    let certutil = find("certutil", &["certutil"]);
    let version = match (&program, &certutil) {
        (Some(program), Some(_)) => version_text(Command::new(program).arg("--version")),
        (Some(_), None) => Err("certutil is not installed: scripts/install-peers chromium".into()),
        (None, _) => Err(absent("chromium")),
    };
    let version = version.map(|text| {
        let mut words = text.split_whitespace();
        let number = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        number.unwrap_or_default().to_owned()
    });
    let abilities = Abilities {
        groups: vec![
            NamedGroup::X25519,
            NamedGroup::SECP256R1,
            NamedGroup::X25519MLKEM768,
        ],
        // Its store of anchors takes none of ML-DSA.
        chains: vec![ECDSA, RSA, ML_DSA_UNDER_ECDSA],
        dual: Some(SignatureAlgorithm::MlDsa65),
        http2: true,
        fixed_groups: true,
        ..Abilities::default()
    };
    let client = Chromium {
        program: program.unwrap_or_default(),
        certutil: certutil.unwrap_or_default(),
        is_pictured: AtomicBool::new(false),
    };
    Peer {
        name: "chromium",
        version,
        client: Some((abilities, Box::new(client))),
        server: None,
    }
}

struct Chromium {
    program: PathBuf,
    certutil: PathBuf,
    /// One picture is enough.
    is_pictured: AtomicBool,
}

impl Client for Chromium {
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen> {
        let home = run.path("home");
        self.import(&terms.roots, &home, run)?;
        let log = run.path("net-log.json");
        let written = self.load(terms, terms.path, ["log-net-log", &text(&log)], run)?;
        if let Some((_, reason)) = written.stderr.split_once("Page load failed: ") {
            let reason = reason.lines().next().unwrap_or_default();
            return Ok(Seen::Refused(reason.to_owned()));
        }
        let mut view = connection(&log)?;
        view.body = Some(json_of(&written)?);
        let group = NamedGroup::X25519MLKEM768;
        if view.group() == Some(group) && !self.is_pictured.swap(true, Ordering::Relaxed) {
            self.picture(terms, group, run)?;
        }
        Ok(Seen::Agreed(view))
    }
}

impl Chromium {
    /// Loads a page, with a further flag and its value, and ends.
    fn load(&self, terms: &ClientTerms, path: &str, flag: [&str; 2], run: &Run) -> Result<Written> {
        let mut command = Command::new(&self.program);
        command
            .env("HOME", run.path("home"))
            .arg("--headless")
            // Its sandbox refuses root, and wants what containers often forbid. Nothing but
            // the page of this suite is loaded.
            .arg("--no-sandbox")
            .args(["--disable-gpu", "--no-first-run", "--window-size=1000,1400"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .args([
                "--disable-sync",
                "--disable-default-apps",
                "--disable-extensions",
            ])
            // No other name exists for it.
            .arg(format!(
                "--host-resolver-rules=MAP {} 127.0.0.1, MAP * ~NOTFOUND",
                terms.server_name
            ))
            .arg(format!("--user-data-dir={}", text(&run.path("profile"))))
            .arg(format!("--{}={}", flag[0], flag[1]))
            .arg("--dump-dom")
            .arg(format!(
                "https://{}:{}{path}",
                terms.server_name, terms.port
            ));
        let (_, written) = Process::start(&mut command, "")?.finish(run.deadline)?;
        Ok(written)
    }

    /// Keeps a picture of the page that people see, and checks that it names the group.
    fn picture(&self, terms: &ClientTerms, group: NamedGroup, run: &Run) -> Result<()> {
        let picture = target().join("interop/chromium.png");
        let flag = ["screenshot", &text(&picture)];
        let written = self.load(terms, "/", flag, run)?;
        if !written.stdout.contains(&group.to_string()) || !picture.is_file() {
            bail!("the page does not show {group}: {}", written.tail());
        }
        Ok(())
    }

    /// Gives this home an NSS database in which these anchors are trusted for servers.
    fn import(&self, roots: &Path, home: &Path, run: &Run) -> Result<()> {
        let database = home.join(".pki/nssdb");
        std::fs::create_dir_all(&database)?;
        let database = format!("sql:{}", database.display());
        self.certutil(&["-N", "--empty-password", "-d", &database], run)?;
        let pem = std::fs::read_to_string(roots)?;
        const END: &str = "-----END CERTIFICATE-----";
        let anchors = pem.split_inclusive(END).filter(|part| part.contains(END));
        let mut imported = Err(anyhow!("no anchor"));
        for (index, anchor) in anchors.enumerate() {
            let name = format!("anchor-{index}");
            let path = text(&run.write(&name, &format!("{anchor}\n"))?);
            let arguments = ["-A", "-t", "C,,", "-d", &database, "-n", &name, "-i", &path];
            // An NSS that does not know an algorithm takes no anchor of it: one must do.
            let result = self.certutil(&arguments, run);
            if imported.is_err() {
                imported = result;
            }
        }
        imported
    }

    fn certutil(&self, arguments: &[&str], run: &Run) -> Result<()> {
        let process = Process::start(Command::new(&self.certutil).args(arguments), "")?;
        match process.finish(run.deadline)? {
            (status, _) if status.success() => Ok(()),
            (status, written) => bail!("certutil {status}: {}", written.tail()),
        }
    }
}

/// What the network log says of the first connection.
fn connection(log: &Path) -> Result<View> {
    let text = std::fs::read_to_string(log).context("no network log")?;
    let log: Value = serde_json::from_str(&text)
        // It is not closed if the browser was in a hurry.
        .or_else(|_| serde_json::from_str(&format!("{}]}}", text.trim_end_matches([',', '\n']))))
        .context("the network log")?;
    let kind = &log["constants"]["logEventTypes"]["SSL_CONNECT"];
    let events = log["events"].as_array().context("no events")?;
    let connected = events.iter().find_map(|event| {
        let parameters = &event["params"];
        (event["type"] == *kind && parameters["version"].is_string()).then_some(parameters)
    });
    let connected = connected.context("no TLS connection in the network log")?;
    let number = |name: &str| u16::try_from(connected[name].as_u64()?).ok();
    let alpn = connected["next_proto"].as_str();
    Ok(View {
        version: connected["version"].as_str().map(str::to_owned),
        group: number("key_exchange_group").map(|group| NamedGroup(group).to_string()),
        authentication: number("peer_signature_algorithm")
            .map(|scheme| SignatureScheme(scheme).to_string()),
        alpn: alpn.filter(|alpn| *alpn != "unknown").map(str::to_owned),
        // It loads no page otherwise: errors of certificates are not ignored.
        is_trusted: Some(true),
        is_resumed: connected["is_resumed"].as_bool(),
        ..View::default()
    })
}

/// A page of JSON as the browser shows it, or the page itself.
fn json_of(written: &Written) -> Result<String> {
    let page = written.stdout.trim();
    if page.is_empty() {
        bail!("an empty page: {}", written.tail());
    }
    let preformatted = page
        .split_once("<pre")
        .and_then(|(_, rest)| rest.split_once('>'))
        .and_then(|(_, rest)| rest.split_once("</pre>"));
    let Some((json, _)) = preformatted else {
        return Ok(page.to_owned());
    };
    Ok(json
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&"))
}
