//! Third parties that play a part where they are installed.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::credentials::{Credentials, make_private, write};
use super::network::Network;
use super::part::Part;
use super::{CrossCloudError, Skipped, Topology};

/// Node's side of a request; what it tells is an [`Account`](super::Account).
const FUNCTION: &str = include_str!("peers/function.mjs");
const NGINX: &str = include_str!("peers/nginx.conf");
const ENVOY: &str = include_str!("peers/envoy.yaml");

/// The first OpenSSL with ML-KEM and ML-DSA.
const OPENSSL: [u32; 2] = [3, 5];
/// The first Envoy that was seen to verify ML-DSA.
const ENVOY_VERSION: [u32; 2] = [1, 39];

/// Who is there; otherwise why not.
pub(super) struct Peers {
    pub(super) node: Result<Node, String>,
    pub(super) nginx: Result<Nginx, String>,
    pub(super) envoy: Result<PathBuf, String>,
}

pub(super) struct Node {
    pub(super) program: PathBuf,
    pub(super) is_post_quantum: bool,
}

pub(super) struct Nginx {
    program: PathBuf,
    /// Modules that want a folder for temporary files, though nothing here uses them.
    idle_modules: Vec<&'static str>,
}

impl Peers {
    /// Looks in these folders of `scripts/install-peers`, then on the search path.
    pub(super) async fn find(folders: &[PathBuf]) -> Self {
        Self {
            node: node(folders).await,
            nginx: nginx(folders).await,
            envoy: envoy(folders).await,
        }
    }

    pub(super) fn skipped(&self) -> Vec<Skipped> {
        let skip = |program, part, why: Option<&String>| {
            why.map(|why| Skipped {
                program,
                part,
                why: why.clone(),
            })
        };
        let all = [
            skip("node", "function", self.node.as_ref().err()),
            skip("nginx", "proxy", self.nginx.as_ref().err()),
            skip("envoy", "proxy", self.envoy.as_ref().err()),
        ];
        all.into_iter().flatten().collect()
    }
}

async fn node(folders: &[PathBuf]) -> Result<Node, String> {
    let program = find(folders, "node_modules/node/bin/node", "node")?;
    let said = ask(&program, &["-p", "process.versions.openssl"]).await?;
    let version = version(&said).ok_or_else(|| format!("says it has OpenSSL {said:?}"))?;
    Ok(Node {
        program,
        is_post_quantum: version >= OPENSSL,
    })
}

async fn nginx(folders: &[PathBuf]) -> Result<Nginx, String> {
    let program = find(folders, "nginx", "nginx")?;
    let said = ask(&program, &["-V"]).await?;
    let has = |module: &str| !said.contains(&format!("--without-http_{module}_module"));
    if !said.contains("--with-http_ssl_module") {
        return Err("was built without TLS".to_owned());
    }
    if !has("proxy") {
        return Err("was built without its proxy".to_owned());
    }
    let idle = ["fastcgi", "uwsgi", "scgi"].into_iter();
    Ok(Nginx {
        program,
        idle_modules: idle.filter(|module| has(module)).collect(),
    })
}

async fn envoy(folders: &[PathBuf]) -> Result<PathBuf, String> {
    let program = find(folders, "venv/bin/envoy", "envoy")?;
    // "…/envoy  version: REVISION/1.40.0/Clean/RELEASE/BoringSSL"
    let said = ask(&program, &["--version"]).await?;
    let number = said.split("version: ").nth(1).unwrap_or_default();
    let number = number.split('/').nth(1).unwrap_or_default();
    match version(number) {
        Some(version) if version >= ENVOY_VERSION => Ok(program),
        _ => Err(format!(
            "{} is older than 1.39, without ML-DSA",
            number.trim()
        )),
    }
}

fn find(folders: &[PathBuf], installed: &str, name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let ours = folders.iter().map(|folder| folder.join(installed));
    // Debian keeps servers where only root looks.
    let others = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name));
    ours.chain(others)
        .find(|place| place.is_file())
        .ok_or_else(|| format!("not installed: scripts/install-peers {name}"))
}

/// What a program says when it is asked, on both outputs.
async fn ask(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    match timeout(Duration::from_secs(20), output).await {
        Err(_) => Err("does not say its version in time".to_owned()),
        Ok(Err(error)) => Err(format!("does not run: {error}")),
        Ok(Ok(output)) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
            Ok(text(&output.stdout) + &text(&output.stderr))
        }
    }
}

/// Major and minor number.
fn version(text: &str) -> Option<[u32; 2]> {
    let mut numbers = text.trim().split('.').map(|number| number.parse().ok());
    Some([numbers.next()??, numbers.next()??])
}

/// Writes Node's program.
pub(super) fn write_function(folder: &Path) -> Result<PathBuf, CrossCloudError> {
    let path = folder.join("function.mjs");
    write(&path, FUNCTION)?;
    Ok(path)
}

/// What a proxy is set up with.
pub(super) struct Setting<'a> {
    pub(super) network: &'a Network,
    pub(super) credentials: &'a Credentials,
    pub(super) backend: SocketAddr,
    pub(super) folder: &'a Path,
}

/// Starts nginx as the proxy; gives where it listens.
pub(super) async fn start_nginx(
    nginx: &Nginx,
    setting: &Setting<'_>,
) -> Result<(Part, SocketAddr), CrossCloudError> {
    let scratch = setting.folder.join("nginx");
    make_private(&scratch)?;
    let temp_paths: Vec<String> = nginx
        .idle_modules
        .iter()
        .map(|module| format!("{module}_temp_path {}/{module};", scratch.display()))
        .collect();
    let template = NGINX.replace("{temp_paths}", &temp_paths.join("\n    "));
    // Written once its sockets listen.
    let pid = scratch.join("nginx.pid");
    start_anywhere(setting.network, 8443, async |address| {
        let path = configure(&scratch, "nginx.conf", &template, setting, address)?;
        let mut command = setting.network.cloud_b.command(&nginx.program);
        // Without -e it opens the log of its installation before it reads its configuration.
        command.args(["-e", "stderr", "-c"]).arg(&path);
        command.arg("-p").arg(&scratch);
        let mut part = Part::start("nginx", &mut command)?;
        part.expect_file("listen", &pid).await?;
        Ok(part)
    })
    .await
}

/// Starts Envoy likewise.
pub(super) async fn start_envoy(
    program: &Path,
    setting: &Setting<'_>,
) -> Result<(Part, SocketAddr), CrossCloudError> {
    let scratch = setting.folder.join("envoy");
    make_private(&scratch)?;
    start_anywhere(setting.network, 8444, async |address| {
        let path = configure(&scratch, "envoy.yaml", ENVOY, setting, address)?;
        let mut command = setting.network.cloud_b.command(program);
        command
            .arg("-c")
            .arg(&path)
            .args(["--disable-hot-restart", "--concurrency", "1"])
            .args(["--log-level", "info"]);
        let mut part = Part::start("envoy", &mut command)?;
        let is_ready = |line: &str| line.contains("starting workers").then_some(());
        part.expect("listen", is_ready).await?;
        Ok(part)
    })
    .await
}

/// Starts a server that can't choose its port, at one that is free: with another one where
/// somebody else was faster.
async fn start_anywhere(
    network: &Network,
    usual_port: u16,
    start: impl AsyncFn(SocketAddr) -> Result<Part, CrossCloudError>,
) -> Result<(Part, SocketAddr), CrossCloudError> {
    const ATTEMPTS: usize = 3;
    let mut attempt = 1;
    loop {
        let address = free_address(network, usual_port)?;
        match start(address).await {
            Ok(part) => return Ok((part, address)),
            Err(error) if attempt < ATTEMPTS && is_of_port(&error) => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Whether a server says that its port is taken (EADDRINUSE of bind(2)).
fn is_of_port(error: &CrossCloudError) -> bool {
    matches!(error, CrossCloudError::Silent { last, .. } if last.contains("Address already in use"))
}

/// A port of the proxies' address. In a namespace of its own all are free.
fn free_address(network: &Network, port: u16) -> Result<SocketAddr, CrossCloudError> {
    let ip: IpAddr = network.proxies;
    if let Topology::Namespaces { .. } = network.topology {
        return Ok(SocketAddr::new(ip, port));
    }
    let address = SocketAddr::new(ip, 0);
    TcpListener::bind(address)
        .and_then(|listener| listener.local_addr())
        .map_err(|error| CrossCloudError::Listen { address, error })
}

fn configure(
    scratch: &Path,
    name: &str,
    template: &str,
    setting: &Setting<'_>,
    listen: SocketAddr,
) -> Result<PathBuf, CrossCloudError> {
    let Setting {
        credentials,
        backend,
        ..
    } = setting;
    let mut text = template.to_owned();
    // Root's nginx gives its folders to another user, whom a user namespace does not know.
    let user = match setting.network.topology {
        Topology::Namespaces { .. } => "user root;",
        Topology::Loopback { .. } => "",
    };
    for (place, value) in [
        ("{user}", user.to_owned()),
        ("{scratch}", scratch.display().to_string()),
        ("{address}", listen.ip().to_string()),
        ("{port}", listen.port().to_string()),
        ("{backend_address}", backend.ip().to_string()),
        ("{backend_port}", backend.port().to_string()),
        ("{chain}", credentials.chain.display().to_string()),
        ("{key}", credentials.key.display().to_string()),
        ("{roots}", credentials.root.display().to_string()),
        ("{crls}", credentials.crls.display().to_string()),
    ] {
        text = text.replace(place, &value);
    }
    let path = scratch.join(name);
    write(&path, &text)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_started_again_only_where_its_port_is_taken() {
        let said = |last: &str| CrossCloudError::Silent {
            part: "nginx".to_owned(),
            what: "listen",
            last: last.to_owned(),
        };
        let taken = "nginx: [emerg] bind() to 127.0.0.4:8443 failed (98: Address already in use)";
        assert!(is_of_port(&said(taken)));
        assert!(!is_of_port(&said("unknown directive")));
    }

    #[test]
    fn versions_are_read_and_compared_by_number() {
        assert_eq!(version("3.5.8\n"), Some([3, 5]));
        assert!(version("3.10.0") > version("3.5.8"));
        assert_eq!(version("undefined"), None);
    }
}
