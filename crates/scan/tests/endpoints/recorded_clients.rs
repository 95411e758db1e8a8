//! Clients that are installed here offer what the scan offers in their name.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use wire::{ClientHello, is_grease};

use crate::programs::{Program, find, output, peers, skip, target};
use crate::scanning::{patient, scan_one};
use crate::scripted::{Hello, alert, finish, serve_on};

/// What a profile is made of, without what means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Offered {
    versions: Vec<u16>,
    suites: Vec<u16>,
    groups: Vec<u16>,
    shares: Vec<u16>,
    schemes: Vec<u16>,
    alpn: Vec<String>,
}

impl Offered {
    fn of(hello: &ClientHello) -> Self {
        fn meaningful(all: impl Iterator<Item = u16>) -> Vec<u16> {
            // A signal for renegotiation (RFC 5746 section 3.3) is no suite.
            all.filter(|value| !is_grease(*value) && *value != 0x00ff)
                .collect()
        }
        let text = |name: &Vec<u8>| String::from_utf8_lossy(name).into_owned();
        Self {
            // OpenSSL names older ones as well, and its security level refuses them then.
            versions: meaningful(hello.versions.iter().copied().filter(|v| *v >= 0x0303)),
            suites: meaningful(hello.cipher_suites.iter().map(|suite| suite.0)),
            groups: meaningful(hello.groups.iter().map(|group| group.0)),
            shares: meaningful(hello.key_shares.iter().map(|share| share.group.0)),
            schemes: meaningful(hello.signature_schemes.iter().map(|scheme| scheme.0)),
            alpn: hello.alpn.iter().map(text).collect(),
        }
    }
}

/// A listener that refuses all, and what came.
fn recorder() -> (SocketAddr, Arc<Mutex<Vec<Offered>>>) {
    let seen: Arc<Mutex<Vec<Offered>>> = Arc::default();
    let record = Arc::clone(&seen);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = serve_on(listener, move |mut socket, _| {
        if let Some(hello) = Hello::read(&mut socket) {
            record.lock().unwrap().push(Offered::of(&hello.offer));
            finish(socket, &alert(2, 40));
        }
    });
    (address, seen)
}

/// All hellos of one scan with key shares: those of the profiles are among them.
static SCANNED: LazyLock<Vec<Offered>> = LazyLock::new(|| {
    let (address, seen) = recorder();
    scan_one(address, &patient());
    let all = seen.lock().unwrap();
    let with_shares = all.iter().filter(|offered| !offered.shares.is_empty());
    with_shares.cloned().collect()
});

/// Runs a client, whose arguments may hold `ADDRESS`, until its first hello has come.
fn check(command: &mut Command) {
    let (address, seen) = recorder();
    let arguments: Vec<String> = command
        .get_args()
        .map(|argument| {
            argument
                .to_string_lossy()
                .replace("ADDRESS", &address.to_string())
        })
        .collect();
    let mut client = Command::new(command.get_program());
    for (name, value) in command.get_envs() {
        client.env(name, value.unwrap_or_default());
    }
    let _client = Program::start(client.args(arguments));
    let deadline = Instant::now() + Duration::from_secs(40);
    let recorded = loop {
        if let Some(first) = seen.lock().unwrap().first() {
            break first.clone();
        }
        assert!(Instant::now() < deadline, "no ClientHello came");
        std::thread::sleep(Duration::from_millis(20));
    };
    if SCANNED.contains(&recorded) {
        return;
    }
    let nearest = SCANNED.iter().max_by_key(|offered| {
        [
            offered.groups == recorded.groups,
            offered.suites == recorded.suites,
            offered.schemes == recorded.schemes,
        ]
        .into_iter()
        .filter(|is_equal| *is_equal)
        .count()
    });
    assert_eq!(Some(&recorded), nearest);
}

/// The program, if it says that it is of this version.
fn program(installed: &str, name: &str, asks: &[&str], version: &str) -> Option<Command> {
    let Some(path) = find(installed, name) else {
        skip(&format!("{name} is not installed"));
        return None;
    };
    let text = output(&path, asks).unwrap_or_default();
    if !text.contains(version) {
        skip(&format!(
            "the profile is of {version}, and this is {}",
            text.trim()
        ));
        return None;
    }
    Some(Command::new(path))
}

#[test]
fn openssl_30() {
    if let Some(mut openssl) = program("", "openssl", &["version"], "OpenSSL 3.0.") {
        check(openssl.args(["s_client", "-connect", "ADDRESS"]));
    }
}

#[test]
fn node() {
    let installed = "node_modules/node/bin/node";
    if let Some(mut node) = program(installed, "node", &["--version"], "v26.") {
        let code = "const [host, port] = 'ADDRESS'.split(':');
            require('tls').connect({ host, port }).on('error', () => {});";
        check(node.args(["-e", code]));
    }
}

#[test]
fn java() {
    // Its default context, without a compiler.
    let java = program("", "java", &["-version"], "version \"17.");
    let keytool = find("", "keytool");
    match (java, keytool) {
        (Some(_), Some(keytool)) => {
            check(Command::new(keytool).args(["-printcert", "-sslserver", "ADDRESS"]));
        }
        (Some(_), None) => skip("keytool is not installed"),
        (None, _) => {}
    }
}

#[test]
fn chromium() {
    if let Some(mut chromium) = program("", "chromium", &["--version"], "Chromium 156.") {
        let home = tempfile::tempdir().unwrap();
        check(
            chromium
                .env("HOME", home.path())
                // Its sandbox refuses root, and wants what containers often forbid.
                .args([
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-first-run",
                ])
                .args([
                    "--disable-background-networking",
                    "--disable-component-update",
                ])
                .arg(format!("--user-data-dir={}", home.path().display()))
                .args(["--dump-dom", "https://ADDRESS/"]),
        );
    }
}

#[test]
fn go() {
    let Some(mut go) = program("venv/bin/go", "go", &["version"], "go1.27") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("main.go");
    let code = "package main\nimport (\"net/http\"; \"os\")\n\
        func main() { http.Get(\"https://\" + os.Args[1]) }\n";
    std::fs::write(&source, code).unwrap();
    let client = target().join("tmp/scan-go-client");
    let status = go
        .args(["build", "-o"])
        .arg(&client)
        .arg(&source)
        .env("GOCACHE", peers().join("go-cache"))
        .env("GOFLAGS", "")
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0")
        .status();
    assert!(status.unwrap().success(), "go build");
    check(Command::new(client).arg("ADDRESS"));
}
