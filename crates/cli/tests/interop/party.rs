//! The two sides of a case: pqlab is one of them, a peer the other.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::abilities::Abilities;
use crate::process::{Process, Written};
use crate::terms::{ClientTerms, Seen, ServerTerms, View};

/// A third party, there or not.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// Its version, or why its cases are skipped.
    pub(crate) version: Result<String, String>,
    pub(crate) client: Option<(Abilities, Box<dyn Client>)>,
    pub(crate) server: Option<(Abilities, Box<dyn Server>)>,
}

/// Something that connects.
pub(crate) trait Client: Send + Sync {
    /// # Errors
    /// If the program failed, or said nothing that makes sense: not if the handshake failed.
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen>;

    /// Whether it refuses a server's certificate within the handshake, by an alert that says
    /// why. Some look at the verdict when the handshake is over, and just leave.
    fn refuses_by_alert(&self) -> bool {
        true
    }
}

/// Something that listens.
pub(crate) trait Server: Send + Sync {
    /// # Errors
    /// If it does not come to listen.
    fn start(&self, terms: &ServerTerms, run: &Run) -> Result<Box<dyn Listening>>;

    /// [`Client::refuses_by_alert`], of a client's certificate.
    fn refuses_by_alert(&self) -> bool {
        true
    }
}

/// A server that listens, until it is dropped.
pub(crate) trait Listening {
    fn port(&self) -> u16;

    /// Its account of the connection that `client` told about: of the last one of several.
    ///
    /// # Errors
    /// If it can't be asked.
    fn seen(&mut self, client: &Seen, run: &Run) -> Result<Seen>;
}

/// One case in progress.
pub(crate) struct Run {
    /// A folder for its files.
    pub(crate) scratch: PathBuf,
    pub(crate) deadline: Instant,
    /// How many handshakes the server is going to see.
    pub(crate) handshakes: usize,
}

impl Run {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Writes a file into the scratch folder.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.path(name);
        std::fs::write(&path, content).with_context(|| path.display().to_string())?;
        Ok(path)
    }
}

/// Finds the connections in what a program wrote.
type Reader = Box<dyn Fn(&Written) -> Vec<Seen>>;

/// A server that writes about its connections, with the function that reads it.
pub(crate) struct Logging {
    process: Process,
    port: u16,
    read: Reader,
}

impl Logging {
    /// A server of a port that it was given: waits until something listens there.
    pub(crate) fn at(
        port: u16,
        process: Process,
        run: &Run,
        read: impl Fn(&Written) -> Vec<Seen> + 'static,
    ) -> Result<Box<dyn Listening>> {
        wait_until_listening(&process, port, run)?;
        Ok(Self::of(port, process, read))
    }

    pub(crate) fn of(
        port: u16,
        process: Process,
        read: impl Fn(&Written) -> Vec<Seen> + 'static,
    ) -> Box<dyn Listening> {
        Box::new(Self {
            process,
            port,
            read: Box::new(read),
        })
    }
}

impl Listening for Logging {
    fn port(&self) -> u16 {
        self.port
    }

    fn seen(&mut self, client: &Seen, run: &Run) -> Result<Seen> {
        let is_refused = |seen: &Seen| matches!(seen, Seen::Refused(_));
        let found = match client {
            Seen::Agreed(_) => self.process.wait_for(run.deadline, |written| {
                let all = (self.read)(written);
                (all.len() >= run.handshakes).then_some(all)
            }),
            // A server may think that all is well before it hears of the refusal.
            Seen::Refused(_) | Seen::Unnoticed => self.process.wait_for(patience(run), |written| {
                let all = (self.read)(written);
                all.iter().any(is_refused).then_some(all)
            }),
        };
        let all = found.unwrap_or_else(|| (self.read)(&self.process.written()));
        let told = all.iter().rev().find(|seen| is_refused(seen));
        let last = told.or(all.last());
        Ok(last.cloned().unwrap_or(Seen::Unnoticed))
    }
}

/// How long a server may take to write about a connection that was refused.
pub(crate) fn patience(run: &Run) -> Instant {
    run.deadline.min(Instant::now() + Duration::from_secs(2))
}

/// A line that the peers write which are programs of ours.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    Listening { port: u16 },
    Handshake(View),
    Refused { error: String },
}

fn events(stdout: &str) -> impl Iterator<Item = Event> {
    // A last line without its end is not written yet.
    let whole = stdout.rfind('\n').map_or("", |end| &stdout[..end]);
    whole
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
}

/// What these events say about connections.
pub(crate) fn seen_in_events(written: &Written) -> Vec<Seen> {
    events(&written.stdout)
        .filter_map(|event| match event {
            Event::Listening { .. } => None,
            Event::Handshake(view) => Some(Seen::Agreed(view)),
            Event::Refused { error } => Some(Seen::Refused(error)),
        })
        .collect()
}

/// Runs a client that writes one event.
pub(crate) fn run_client(command: &mut Command, run: &Run) -> Result<Seen> {
    let (status, written) = Process::start(command, "")?.finish(run.deadline)?;
    match seen_in_events(&written).pop() {
        Some(seen) => Ok(seen),
        None => bail!("{status}: {}", written.tail()),
    }
}

/// Starts a server that writes events, with a function that adds to what they say.
pub(crate) fn start_server(
    command: &mut Command,
    run: &Run,
    read: impl Fn(&Written) -> Vec<Seen> + 'static,
) -> Result<Box<dyn Listening>> {
    let process = Process::start(command, "")?;
    let port = process.expect(run.deadline, "does not listen", |written| {
        events(&written.stdout).find_map(|event| match event {
            Event::Listening { port } => Some(port),
            _ => None,
        })
    })?;
    Ok(Logging::of(port, process, read))
}

/// A port that was free a moment ago, for programs that can't say which one the system chose.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(loopback(0))?.local_addr()?.port())
}

/// Waits until something listens at a port.
pub(crate) fn wait_until_listening(process: &Process, port: u16, run: &Run) -> Result<()> {
    while TcpStream::connect(loopback(port)).is_err() {
        if process.has_ended() || Instant::now() >= run.deadline {
            bail!("does not listen: {}", process.written().tail());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
