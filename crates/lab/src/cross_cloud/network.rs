//! Where the clouds are: network namespaces, or addresses of loopback.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use tokio::process::Command;
use tokio::time::timeout;

use super::credentials::write;
use super::part::Part;
use super::resolver::Resolver;
use super::{CrossCloudError, PROXY_NAME};

/// What separates the clouds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Topology {
    /// A network namespace for each cloud and one for the transit (network_namespaces(7)).
    /// The only way from one cloud to the other is the transit's relay: nothing routes.
    Namespaces {
        /// Whether they belong to a user namespace, so that nobody had to be root.
        within_user_namespace: bool,
    },
    /// One network, and addresses of loopback: nothing but custom separates the clouds.
    Loopback {
        /// Why there are no namespaces.
        why: String,
    },
}

/// Both clouds and the transit.
pub(super) struct Network {
    pub(super) topology: Topology,
    pub(super) cloud_a: Place,
    pub(super) transit: Place,
    pub(super) cloud_b: Place,
    /// The transit's address in cloud A.
    pub(super) toward_a: IpAddr,
    /// The proxies' address.
    pub(super) proxies: IpAddr,
    /// The backend's address, which the transit can't reach where there are namespaces.
    pub(super) inner: IpAddr,
    /// Processes that keep the namespaces.
    keepers: Vec<Part>,
}

/// Somewhere a process can be started.
pub(super) struct Place {
    pub(super) name: &'static str,
    /// How it is entered.
    enter: Vec<String>,
    hosts: PathBuf,
    has_own_resolver: bool,
}

impl Place {
    fn new(name: &'static str, folder: &Path, hosts: &str) -> Result<Self, CrossCloudError> {
        let place = Self {
            name,
            enter: Vec::new(),
            hosts: folder.join(name).join("hosts"),
            has_own_resolver: false,
        };
        super::credentials::make_private(&folder.join(name))?;
        write(&place.hosts, &format!("127.0.0.1 localhost\n{hosts}"))?;
        Ok(place)
    }

    /// A command that runs a program here.
    pub(super) fn command(&self, program: &Path) -> Command {
        match self.enter.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        }
    }

    /// How a process here looks names up.
    pub(super) fn resolver(&self) -> Resolver {
        match self.has_own_resolver {
            true => Resolver::System,
            false => Resolver::Table(self.hosts.clone()),
        }
    }
}

const NAMESPACES: Addresses = Addresses {
    cloud_a: Ipv4Addr::new(10, 1, 0, 2),
    toward_a: Ipv4Addr::new(10, 1, 0, 1),
    toward_b: Ipv4Addr::new(10, 2, 0, 1),
    cloud_b: Ipv4Addr::new(10, 2, 0, 2),
    inner: Ipv4Addr::LOCALHOST,
};

/// Linux has all of 127.0.0.0/8 on loopback; others have its first address alone.
const LOOPBACK: Addresses = if cfg!(target_os = "linux") {
    Addresses {
        cloud_a: Ipv4Addr::new(127, 0, 0, 2),
        toward_a: Ipv4Addr::new(127, 0, 0, 3),
        toward_b: Ipv4Addr::new(127, 0, 0, 3),
        cloud_b: Ipv4Addr::new(127, 0, 0, 4),
        inner: Ipv4Addr::new(127, 0, 0, 5),
    }
} else {
    Addresses {
        cloud_a: Ipv4Addr::LOCALHOST,
        toward_a: Ipv4Addr::LOCALHOST,
        toward_b: Ipv4Addr::LOCALHOST,
        cloud_b: Ipv4Addr::LOCALHOST,
        inner: Ipv4Addr::LOCALHOST,
    }
};

struct Addresses {
    cloud_a: Ipv4Addr,
    toward_a: Ipv4Addr,
    toward_b: Ipv4Addr,
    cloud_b: Ipv4Addr,
    inner: Ipv4Addr,
}

impl Network {
    /// Namespaces if they are wanted and to be had, else loopback. Files go below `folder`.
    pub(super) async fn make(folder: &Path, namespaces: bool) -> Result<Self, CrossCloudError> {
        let why = if !namespaces {
            "as was asked for".to_owned()
        } else if !cfg!(target_os = "linux") {
            "only Linux has network namespaces".to_owned()
        } else {
            match Self::with_namespaces(folder).await? {
                Ok(network) => return Ok(network),
                Err(why) => why,
            }
        };
        let mut network = Self::new(folder, &LOOPBACK, Topology::Loopback { why })?;
        network.tie().await;
        Ok(network)
    }

    /// Has every part die with this process, even where it is killed and can end nothing
    /// (PR_SET_PDEATHSIG of prctl(2)). Without setpriv(1) that is left to the parts.
    async fn tie(&mut self) {
        const TIE: [&str; 3] = ["setpriv", "--pdeathsig=KILL", "--"];
        for place in [&mut self.cloud_a, &mut self.transit, &mut self.cloud_b] {
            let mut tied = place.enter.clone();
            tied.extend(TIE.map(str::to_owned));
            let enter = std::mem::replace(&mut place.enter, tied);
            if place.script("true").await.is_err() {
                place.enter = enter;
            }
        }
    }

    fn new(
        folder: &Path,
        addresses: &Addresses,
        topology: Topology,
    ) -> Result<Self, CrossCloudError> {
        // The name is known in cloud A alone, and leads to the transit, as the address of a
        // private endpoint does.
        let known = format!("{} {PROXY_NAME}\n", addresses.toward_a);
        Ok(Self {
            topology,
            cloud_a: Place::new("cloud-a", folder, &known)?,
            transit: Place::new("transit", folder, "")?,
            cloud_b: Place::new("cloud-b", folder, "")?,
            toward_a: addresses.toward_a.into(),
            proxies: addresses.cloud_b.into(),
            inner: addresses.inner.into(),
            keepers: Vec::new(),
        })
    }

    /// Ends the processes that keep the namespaces, and with them the namespaces.
    pub(super) async fn end(self) {
        for keeper in self.keepers {
            keeper.end().await;
        }
    }

    /// The inner error says why there can be none.
    async fn with_namespaces(folder: &Path) -> Result<Result<Self, String>, CrossCloudError> {
        let mut refused = Vec::new();
        // Root needs no user namespace, and may be forbidden to make one; others need it.
        for within_user_namespace in [false, true] {
            let topology = Topology::Namespaces {
                within_user_namespace,
            };
            let mut network = Self::new(folder, &NAMESPACES, topology)?;
            match network.separate(folder, within_user_namespace).await {
                Ok(()) => return Ok(Ok(network)),
                Err(error) => refused.push(error),
            }
        }
        refused.dedup();
        Ok(Err(refused.join("; ")))
    }

    /// Makes the namespaces, connects them and gives each its files.
    async fn separate(&mut self, folder: &Path, in_user: bool) -> Result<(), String> {
        let user: &[&str] = if in_user {
            &["--user", "--map-root-user"]
        } else {
            &[]
        };
        let transit = self.keep(&[], user, in_user).await?;
        self.transit.enter.clone_from(&transit.1);
        let cloud_a = self.keep(&transit.1, &[], in_user).await?;
        let cloud_b = self.keep(&transit.1, &[], in_user).await?;
        self.cloud_a.enter = cloud_a.1;
        self.cloud_b.enter = cloud_b.1;
        let addresses = &NAMESPACES;
        self.transit
            .script(&format!(
                "ip link set lo up
                 ip link add cloud-a type veth peer name eth0 netns {}
                 ip link add cloud-b type veth peer name eth0 netns {}
                 ip address add {}/24 dev cloud-a
                 ip address add {}/24 dev cloud-b
                 ip link set cloud-a up
                 ip link set cloud-b up",
                cloud_a.0, cloud_b.0, addresses.toward_a, addresses.toward_b
            ))
            .await?;
        for (cloud, address) in [
            (&self.cloud_a, addresses.cloud_a),
            (&self.cloud_b, addresses.cloud_b),
        ] {
            let script = format!(
                "ip link set lo up
                 ip address add {address}/24 dev eth0
                 ip link set eth0 up"
            );
            cloud.script(&script).await?;
        }
        for place in [&mut self.cloud_a, &mut self.transit, &mut self.cloud_b] {
            place.own_files(folder).await?;
        }
        self.tie().await;
        Ok(())
    }

    /// Makes a namespace, from within another one where `enter` says so. Gives the process
    /// that keeps it, and how others enter.
    async fn keep(
        &mut self,
        enter: &[String],
        more: &[&str],
        in_user: bool,
    ) -> Result<(u32, Vec<String>), String> {
        let arguments = ["unshare", "--net", "--mount"];
        let mut words: Vec<&str> = enter.iter().map(String::as_str).collect();
        words.extend(arguments);
        words.extend(more);
        // It ends with its standard input, which ends with this process at the latest.
        words.extend(["--", "sh", "-c", "echo kept; exec cat"]);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        let mut part = Part::start("namespace", &mut command).map_err(|e| e.with_cause())?;
        part.expect("come up", |line| (line == "kept").then_some(()))
            .await
            .map_err(|error| error.to_string())?;
        // unshare and nsenter become the program that they start: this is its own process.
        let id = part.id().ok_or("the namespace has ended")?;
        self.keepers.push(part);
        let mut enter = vec!["nsenter".to_owned(), format!("--target={id}")];
        if in_user {
            // In a user namespace of one user, nobody may change groups (user_namespaces(7)).
            enter.extend(["--user".to_owned(), "--preserve-credentials".to_owned()]);
        }
        enter.extend(["--net".to_owned(), "--mount".to_owned(), "--".to_owned()]);
        Ok((id, enter))
    }
}

impl Place {
    /// Gives this place its own names. Only its mount namespace sees it.
    async fn own_files(&mut self, folder: &Path) -> Result<(), String> {
        let own = folder.join(self.name);
        // Files and DNS only, and a DNS server that is not there: no question leaves.
        for (name, text) in [
            ("nsswitch.conf", "hosts: files dns\n"),
            ("resolv.conf", "nameserver 127.0.0.1\noptions attempts:1\n"),
        ] {
            write(&own.join(name), text).map_err(|error| error.to_string())?;
        }
        // nscd(8) would answer by its socket, which is no part of a network namespace.
        self.script(&format!(
            "cd '{}'
             mkdir -p empty
             for folder in /run/nscd /var/run/nscd; do
                 if [ -d $folder ]; then mount --bind empty $folder; fi
             done
             for file in hosts nsswitch.conf resolv.conf; do
                 if [ -e /etc/$file ]; then mount --bind $file /etc/$file; fi
             done
             [ -e /etc/hosts ]",
            own.display().to_string().replace('\'', "'\\''")
        ))
        .await?;
        self.has_own_resolver = true;
        Ok(())
    }

    /// Runs a script here, until its first failure.
    async fn script(&self, script: &str) -> Result<(), String> {
        // Debian keeps ip(8) where only root looks.
        let script = format!("PATH=$PATH:/usr/sbin:/sbin\n{script}");
        let mut command = self.command(Path::new("sh"));
        command
            .args(["-e", "-c", &script])
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let done = timeout(Duration::from_secs(20), command.output()).await;
        match done {
            Err(_) => Err(format!("{} could not be set up in time", self.name)),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(output)) if output.status.success() => Ok(()),
            Ok(Ok(output)) => {
                let text = String::from_utf8_lossy(&output.stderr);
                Err(format!("{}: {}", self.name, text.trim()))
            }
        }
    }
}
