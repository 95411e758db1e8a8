//! The experiment: everything is set up, tried, judged, and taken down again.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;
use wire::{AlertDescription, SignatureAlgorithm};

use super::backend::Backend;
use super::by_hand;
use super::credentials::{Credentials, make_private, read};
use super::function::{self, Call};
use super::network::{Network, Place};
use super::part::{Listening, Part};
use super::peers::{self, Peers};
use super::role::Question;
use super::transit::{Route, Transit};
use super::trial::{
    self, ALGORITHMS, CLOUD_A, ENVOY_ALGORITHM, Expected, GROUPS, NGINX_ALGORITHM, PATH, Program,
    Trial,
};
use super::{
    Account, CrossCloudError, Lookup, Outcome, PROXY_NAME, Relayed, Report, Request, Role,
};

/// How the experiment is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program `pqlab`, which is started again for each part.
    pub program: PathBuf,
    /// The arguments before a [`Role`] in JSON.
    pub role_arguments: Vec<String>,
    /// Folders of `scripts/install-peers` to look into before the search path.
    pub peers: Vec<PathBuf>,
    /// Whether network namespaces are tried.
    pub namespaces: bool,
    /// A folder for everything, which stays, with a script that does the same by hand; else
    /// nothing is left.
    pub keep: Option<PathBuf>,
    /// The time for all of it.
    pub limit: Duration,
}

/// Performs the experiment; `tell` gets each outcome as soon as it is there. When the future is
/// dropped, so are all processes and, but for what is kept, files.
///
/// Needs a tokio runtime with I/O and time.
///
/// # Errors
/// When a part does not come up. What goes otherwise than it should is in the report.
pub async fn run(plan: &Plan, tell: &(dyn Fn(&Outcome) + Sync)) -> Result<Report, CrossCloudError> {
    match timeout(plan.limit, perform(plan, tell)).await {
        Ok(result) => result,
        Err(_) => Err(CrossCloudError::Timeout(plan.limit)),
    }
}

async fn perform(plan: &Plan, tell: &(dyn Fn(&Outcome) + Sync)) -> Result<Report, CrossCloudError> {
    let folder = Folder::make(plan.keep.as_deref())?;
    let folder = folder.path();
    if plan.keep.is_some() {
        by_hand::write_script(plan, folder)?;
    }
    let peers = Peers::find(&plan.peers).await;
    let mut stage = Stage::set(plan, folder, &peers).await?;

    let (names, mut faults) = stage.look_up().await?;
    let mut outcomes = Vec::new();
    for (at, trial) in trial::all(&peers).iter().enumerate() {
        let outcome = stage.perform(at + 1, trial, &peers).await?;
        tell(&outcome);
        outcomes.push(outcome);
    }
    // What came too late to be seen in its trial: nothing may.
    for line in stage.backend.written() {
        if let Ok(Requested { request }) = serde_json::from_str(&line) {
            faults.push(format!("the backend got {} unexpectedly", request.path));
        }
    }
    Ok(Report {
        topology: stage.network.topology.clone(),
        names,
        outcomes,
        skipped: peers.skipped(),
        faults,
    })
}

/// Where everything is written.
enum Folder {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Folder {
    fn make(kept: Option<&Path>) -> Result<Self, CrossCloudError> {
        let Some(folder) = kept else {
            let made = tempfile::tempdir();
            let made = made.map_err(CrossCloudError::file("make", std::env::temp_dir()))?;
            return Ok(Self::Temporary(made));
        };
        // A folder that exists keeps its mode: it is somebody's.
        if !folder.exists() {
            make_private(folder)?;
        }
        let failed = |error| CrossCloudError::file("read", folder)(error);
        if std::fs::read_dir(folder).map_err(failed)?.next().is_some() {
            return Err(CrossCloudError::NotEmpty(folder.to_owned()));
        }
        Ok(Self::Kept(std::path::absolute(folder).map_err(failed)?))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

/// All parts but the function, running.
struct Stage<'a> {
    plan: &'a Plan,
    network: Network,
    credentials: Vec<(SignatureAlgorithm, Credentials)>,
    backend: Part,
    proxies: Vec<Proxy>,
    transit: Part,
    node_program: PathBuf,
}

struct Proxy {
    program: Program,
    algorithm: SignatureAlgorithm,
    part: Part,
    /// The transit's port that leads to it.
    port: u16,
}

#[derive(Deserialize)]
struct Told {
    account: Account,
}

#[derive(Deserialize)]
struct Passed {
    relayed: Relayed,
}

#[derive(Deserialize)]
struct Requested {
    request: Request,
}

#[derive(Deserialize)]
struct Answered {
    lookup: Lookup,
}

impl<'a> Stage<'a> {
    async fn set(plan: &'a Plan, folder: &Path, peers: &Peers) -> Result<Self, CrossCloudError> {
        let credentials = ALGORITHMS
            .into_iter()
            .map(|algorithm| Ok((algorithm, Credentials::make(folder, algorithm)?)))
            .collect::<Result<Vec<_>, CrossCloudError>>()?;
        let network = Network::make(folder, plan.namespaces).await?;
        let backend = Role::Backend(Backend {
            listen: SocketAddr::new(network.inner, 0),
        });
        let mut backend = start(plan, &network.cloud_b, "backend", &backend)?;
        let behind = listening(&mut backend).await?[0];
        let mut started = Vec::new();
        for (algorithm, credentials) in &credentials {
            let proxy = start_proxy(plan, &network, credentials, behind).await?;
            started.push((Program::Pqlab, *algorithm, proxy));
        }
        for (algorithm, credentials) in &credentials {
            if let (NGINX_ALGORITHM, Ok(program)) = (*algorithm, &peers.nginx) {
                let proxy = peers::start_nginx(program, &network, credentials, behind, folder);
                started.push((Program::Nginx, *algorithm, proxy.await?));
            }
            if let (ENVOY_ALGORITHM, Ok(program)) = (*algorithm, &peers.envoy) {
                let proxy = peers::start_envoy(program, &network, credentials, behind, folder);
                started.push((Program::Envoy, *algorithm, proxy.await?));
            }
        }
        let route = |(_, _, (_, to)): &(_, _, (_, SocketAddr))| Route {
            listen: SocketAddr::new(network.toward_a, 0),
            to: *to,
        };
        let transit = Role::Transit(Transit {
            routes: started.iter().map(route).collect(),
            words: BTreeSet::from([PROXY_NAME, CLOUD_A, PATH].map(str::to_owned)),
        });
        let mut transit = start(plan, &network.transit, "transit", &transit)?;
        let entrances = listening(&mut transit).await?;
        let proxies = started.into_iter().zip(entrances);
        let proxies = proxies.map(|((program, algorithm, (part, _)), entrance)| Proxy {
            program,
            algorithm,
            part,
            port: entrance.port(),
        });
        Ok(Self {
            plan,
            proxies: proxies.collect(),
            network,
            backend,
            transit,
            node_program: peers::write_function(folder)?,
            credentials,
        })
    }

    /// Looks the proxy's name up at each place; it is to be known in cloud A alone.
    async fn look_up(&self) -> Result<(Vec<Lookup>, Vec<String>), CrossCloudError> {
        let (mut names, mut faults) = (Vec::new(), Vec::new());
        let network = &self.network;
        for place in [&network.cloud_a, &network.transit, &network.cloud_b] {
            let question = Role::Resolve(Question {
                place: place.name.to_owned(),
                name: PROXY_NAME.to_owned(),
                resolver: place.resolver(),
            });
            let mut part = start(self.plan, place, "resolver", &question)?;
            let Answered { lookup } = part.expect_json("tell what it found").await?;
            let is_inside = place.name == network.cloud_a.name;
            let wanted = if is_inside {
                vec![network.toward_a.to_string()]
            } else {
                Vec::new()
            };
            if lookup.addresses != wanted {
                faults.push(format!(
                    "{PROXY_NAME} means something else in {}",
                    place.name
                ));
            }
            names.push(lookup);
        }
        Ok((names, faults))
    }

    async fn perform(
        &mut self,
        number: usize,
        trial: &Trial,
        peers: &Peers,
    ) -> Result<Outcome, CrossCloudError> {
        let Self {
            plan,
            network,
            credentials,
            backend,
            proxies,
            transit,
            node_program,
        } = self;
        let proxy = proxies
            .iter_mut()
            .find(|proxy| proxy.program == trial.proxy && proxy.algorithm == trial.algorithm);
        let own = credentials
            .iter()
            .find(|(algorithm, _)| *algorithm == trial.algorithm);
        let (Some(proxy), Some((_, own))) = (proxy, own) else {
            return Err(CrossCloudError::Silent {
                part: trial.proxy.name().to_owned(),
                what: "start",
                last: format!("there is none with {}", trial.algorithm),
            });
        };
        let path = format!("{PATH}{number}");
        let call = Call {
            name: PROXY_NAME.to_owned(),
            port: proxy.port,
            path: path.clone(),
            group: trial.group.to_string(),
            resolver: network.cloud_a.resolver(),
        };
        let anchors = match trial.expected {
            Expected::Distrust => read(&own.strange_root)?,
            _ => read(&own.root)?,
        };
        let settings = own.settings(trial.shown, anchors);
        let mut command = match (&trial.function, &peers.node) {
            (Program::Node, Ok(node)) => {
                let mut command = network.cloud_a.command(&node.program);
                command.arg(&*node_program).arg(json(&call));
                command
            }
            _ => role_command(plan, &network.cloud_a, &Role::Function(call)),
        };
        for name in [function::PFX, function::PASSWORD, function::ANCHORS] {
            command.env_remove(name);
        }
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        let mut function = Part::start("function", &mut command)?;
        let Told { account } = function
            .expect_json("tell what became of its request")
            .await?;

        let relayed = match &account.address {
            None if account.error.is_some() && trial.function == Program::Pqlab => None,
            _ => {
                let Passed { relayed } = transit.expect_json("tell what it relayed").await?;
                Some(relayed)
            }
        };
        let request = match trial.expected {
            Expected::Served if account.status == Some(200) => {
                let Requested { request } = backend.expect_json("log a request").await?;
                Some(request)
            }
            // A request that was answered is logged before; of others none may be there.
            _ => backend
                .written()
                .iter()
                .find_map(|line| serde_json::from_str(line).ok())
                .map(|Requested { request }| request),
        };
        let request = request.filter(|request| request.path == path);
        let proxy_says = match trial.expected {
            Expected::Served => None,
            _ => proxy.reason().await,
        };
        Ok(Outcome {
            number,
            function: trial.function.name(),
            proxy: trial.proxy.name(),
            group: trial.group.to_string(),
            algorithm: trial.algorithm.name(),
            certificate: trial.shown.name(),
            settings_bytes: settings
                .iter()
                .map(|(name, value)| name.len() + value.len())
                .sum(),
            expected: trial.expected.title(),
            faults: trial::faults(trial, &account, relayed.as_ref(), request.as_ref()),
            alert: account
                .alert
                .map(|alert| AlertDescription(alert).to_string()),
            account,
            relayed,
            proxy_says,
            request,
        })
    }
}

impl Proxy {
    /// What it says of the client that it refused last. For the reader: what counts is what
    /// the client got.
    async fn reason(&mut self) -> Option<String> {
        #[derive(Deserialize)]
        struct Failed {
            reason: String,
        }
        let find = |line: &str| match self.program {
            Program::Pqlab => serde_json::from_str(line)
                .ok()
                .map(|Failed { reason }| reason),
            _ => line
                .split_once("client SSL certificate ")
                .map(|(_, why)| why.split(" while").next().unwrap_or(why).to_owned()),
        };
        if self.program == Program::Envoy {
            // It logs nothing about it.
            return None;
        }
        let said = self.part.expect("say why it refused", find);
        timeout(Duration::from_secs(5), said).await.ok()?.ok()
    }
}

async fn listening(part: &mut Part) -> Result<Vec<SocketAddr>, CrossCloudError> {
    let Listening { listening } = part.expect_json("listen").await?;
    match listening.is_empty() {
        false => Ok(listening),
        true => Err(CrossCloudError::Silent {
            part: "part".to_owned(),
            what: "listen",
            last: "it listens nowhere".to_owned(),
        }),
    }
}

fn start(plan: &Plan, place: &Place, name: &str, role: &Role) -> Result<Part, CrossCloudError> {
    Part::start(name, &mut role_command(plan, place, role))
}

fn role_command(plan: &Plan, place: &Place, role: &Role) -> Command {
    let mut command = place.command(&plan.program);
    command.args(&plan.role_arguments).arg(json(role));
    command
}

/// A role or a call as an argument: maps with text as keys can always be written.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Starts `pqlab proxy` as anybody would; gives where it listens.
async fn start_proxy(
    plan: &Plan,
    network: &Network,
    credentials: &Credentials,
    backend: SocketAddr,
) -> Result<(Part, SocketAddr), CrossCloudError> {
    #[derive(Deserialize)]
    struct Ready {
        address: SocketAddr,
    }
    let mut command = network.cloud_b.command(&plan.program);
    command
        .arg("proxy")
        .arg(format!("http://{backend}"))
        .args(["--json", "--tls", "1.3", "--listen"])
        .arg(SocketAddr::new(network.proxies, 0).to_string())
        .arg("--groups")
        .arg(GROUPS.map(|group| group.to_string()).join(","))
        .arg("--cert")
        .arg(&credentials.chain)
        .arg("--key")
        .arg(&credentials.key)
        .arg("--client-ca")
        .arg(&credentials.root)
        .arg("--client-crl")
        .arg(&credentials.crls);
    let mut part = Part::start("proxy", &mut command)?;
    let Ready { address } = part.expect_json("listen").await?;
    Ok((part, address))
}
