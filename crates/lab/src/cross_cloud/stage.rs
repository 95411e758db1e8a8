//! Everything but the function, running; and a function for each trial.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;
use tokio::time::{sleep, timeout};
use wire::{AlertDescription, SignatureAlgorithm};

use super::backend::Backend;
use super::credentials::{Credentials, read};
use super::function::{self, Call};
use super::network::{Network, Place};
use super::part::{Listening, Part};
use super::peers::{self, Peers, Setting};
use super::role::Question;
use super::run::Plan;
use super::transit::{Route, Transit};
use super::trial::{
    self, ALGORITHMS, CLOUD_A, ENVOY_ALGORITHM, Expected, GROUPS, NGINX_ALGORITHM, PATH, Program,
    Trial,
};
use super::{
    Account, CrossCloudError, Lookup, Outcome, PROXY_NAME, Relayed, Request, Role, Topology,
};

/// How long what a trial has left behind in the transit, the proxy and the backend may take to
/// be told.
const AFTERMATH: Duration = Duration::from_secs(5);
/// How long a forbidden request that is still under way may take to reach the backend.
const LATE: Duration = Duration::from_millis(500);

/// All parts but the function, running.
pub(super) struct Stage<'a> {
    plan: &'a Plan,
    network: Network,
    credentials: Vec<(SignatureAlgorithm, Credentials)>,
    backend: Part,
    proxies: Vec<Proxy>,
    transit: Part,
    node_program: PathBuf,
    /// What reached the backend out of its turn.
    strays: Vec<String>,
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
    /// Starts everything. A third party that does not come up is a peer that is not there.
    pub(super) async fn set(
        plan: &'a Plan,
        folder: &Path,
        peers: &mut Peers,
    ) -> Result<Self, CrossCloudError> {
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
            let setting = Setting {
                network: &network,
                credentials,
                backend: behind,
                folder,
            };
            let proxy = start_proxy(plan, &setting).await?;
            started.push((Program::Pqlab, *algorithm, proxy));
            if let (NGINX_ALGORITHM, Ok(nginx)) = (*algorithm, &peers.nginx) {
                match peers::start_nginx(nginx, &setting).await {
                    Ok(proxy) => started.push((Program::Nginx, *algorithm, proxy)),
                    Err(error) => peers.nginx = Err(error.with_cause()),
                }
            }
            if let (ENVOY_ALGORITHM, Ok(envoy)) = (*algorithm, &peers.envoy) {
                match peers::start_envoy(envoy, &setting).await {
                    Ok(proxy) => started.push((Program::Envoy, *algorithm, proxy)),
                    Err(error) => peers.envoy = Err(error.with_cause()),
                }
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
            strays: Vec::new(),
        })
    }

    pub(super) const fn topology(&self) -> &Topology {
        &self.network.topology
    }

    /// Ends every part, and waits for it.
    pub(super) async fn end(self) {
        for proxy in self.proxies {
            proxy.part.end().await;
        }
        self.transit.end().await;
        self.backend.end().await;
        self.network.end().await;
    }

    /// What reached the backend out of its turn, and what still does.
    pub(super) async fn strays(&mut self) -> Vec<String> {
        sleep(LATE).await;
        let late = self.backend.written();
        let late = late.iter().filter_map(|line| logged(line));
        let mut strays = std::mem::take(&mut self.strays);
        strays.extend(late.map(|request| trial::stray(&request)));
        strays
    }

    /// Looks the proxy's name up at each place; it is to be known in cloud A alone.
    pub(super) async fn look_up(&self) -> Result<(Vec<Lookup>, Vec<String>), CrossCloudError> {
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

    /// Performs one trial.
    pub(super) async fn perform(
        &mut self,
        number: usize,
        trial: &Trial,
        peers: &Peers,
    ) -> Result<Outcome, CrossCloudError> {
        let is_proxy =
            |proxy: &&Proxy| proxy.program == trial.proxy && proxy.algorithm == trial.algorithm;
        let proxy = self.proxies.iter().find(is_proxy);
        let own = self
            .credentials
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
            resolver: self.network.cloud_a.resolver(),
        };
        let anchors = match trial.expected {
            Expected::Distrust => read(&own.strange_root)?,
            _ => read(&own.root)?,
        };
        let settings = own.settings(trial.shown, anchors);
        // Of trials before.
        drop(self.transit.written());
        let told = self.call(trial, call, &settings, peers).await?;
        let is_silent = told.is_none();
        let account = told.unwrap_or_default();
        let relayed = self.relayed(trial, &account).await;
        let is_served = trial.expected == Expected::Served && account.status == Some(200);
        let mut request = None;
        if is_served {
            request = self.requested(&path).await;
        }
        let proxy_says = match trial.expected {
            Expected::Served => None,
            _ => self.reason(trial).await,
        };
        // A request that was answered is logged before; of others none may be there.
        for line in self.backend.written() {
            match logged(&line) {
                Some(logged) if logged.path == path && request.is_none() => request = Some(logged),
                Some(logged) => self.strays.push(trial::stray(&logged)),
                None => {}
            }
        }
        let mut faults = trial::faults(trial, &account, relayed.as_ref(), request.as_ref());
        if is_silent {
            faults.push("the function did not tell what became of its request".to_owned());
        }
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
            faults,
            alert: account
                .alert
                .map(|alert| AlertDescription(alert).to_string()),
            account,
            relayed,
            proxy_says,
            request,
        })
    }

    /// Runs the function; `None` if it ends or waits without a word.
    async fn call(
        &self,
        trial: &Trial,
        call: Call,
        settings: &[(&'static str, String)],
        peers: &Peers,
    ) -> Result<Option<Account>, CrossCloudError> {
        let place = &self.network.cloud_a;
        let mut command = match (&trial.function, &peers.node) {
            (Program::Node, Ok(node)) => {
                let mut command = place.command(&node.program);
                command.arg(&self.node_program).arg(json(&call));
                command
            }
            _ => role_command(self.plan, place, &Role::Function(call)),
        };
        for name in [function::PFX, function::PASSWORD, function::ANCHORS] {
            command.env_remove(name);
        }
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        let mut function = Part::start("function", &mut command)?;
        let told = function.expect_json("tell what became of its request");
        let told = told.await.ok().map(|Told { account }| account);
        function.end().await;
        Ok(told)
    }

    /// What the transit saw of the connection, if there was one.
    async fn relayed(&mut self, trial: &Trial, account: &Account) -> Option<Relayed> {
        if account.address.is_none() && account.error.is_some() && trial.function == Program::Pqlab
        {
            return None;
        }
        let passed = self.transit.expect_json("tell what it relayed");
        let passed = timeout(AFTERMATH, passed).await.ok()?.ok();
        passed.map(|Passed { relayed }| relayed)
    }

    /// The request of this path that the backend was to answer. Others on the way are strays.
    async fn requested(&mut self, path: &str) -> Option<Request> {
        let (backend, strays) = (&mut self.backend, &mut self.strays);
        let found = async {
            loop {
                let Requested { request } = backend.expect_json("log a request").await.ok()?;
                if request.path == path {
                    return Some(request);
                }
                strays.push(trial::stray(&request));
            }
        };
        timeout(AFTERMATH, found).await.ok()?
    }

    /// Why the proxy refused, in its words.
    async fn reason(&mut self, trial: &Trial) -> Option<String> {
        let is_proxy =
            |proxy: &&mut Proxy| proxy.program == trial.proxy && proxy.algorithm == trial.algorithm;
        self.proxies.iter_mut().find(is_proxy)?.reason().await
    }
}

/// The request in a line of the backend.
fn logged(line: &str) -> Option<Request> {
    let Requested { request } = serde_json::from_str(line).ok()?;
    Some(request)
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
        timeout(AFTERMATH, said).await.ok()?.ok()
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
    setting: &Setting<'_>,
) -> Result<(Part, SocketAddr), CrossCloudError> {
    let Setting {
        network,
        credentials,
        backend,
        ..
    } = setting;
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
