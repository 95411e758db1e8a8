//! Processes of the experiment, each the leader of a process group of its own.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::CrossCloudError;

/// How long a part may take to say what is expected.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many lines are kept for an error message. A server that finds its port taken may try a
/// few times.
const KEPT: usize = 6;
/// How often a file is looked for.
const GLANCE: Duration = Duration::from_millis(20);
/// How long a process that was killed may take to end.
const DYING: Duration = Duration::from_secs(5);

/// A process, with the lines that it writes. Dropped, it is killed with its process group.
pub(super) struct Part {
    name: String,
    child: Child,
    /// Held: to a part that reads it, its end says that the experiment is over.
    _stdin: Option<ChildStdin>,
    lines: mpsc::UnboundedReceiver<String>,
    last: VecDeque<String>,
}

impl Part {
    pub(super) fn start(name: &str, command: &mut Command) -> Result<Self, CrossCloudError> {
        let program = command
            .as_std()
            .get_program()
            .to_string_lossy()
            .into_owned();
        let spawned = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // An interrupt from the terminal is for the experiment, which ends its parts.
            .process_group(0)
            .spawn();
        let mut child = spawned.map_err(|error| CrossCloudError::Start { program, error })?;
        let (sender, lines) = mpsc::unbounded_channel();
        if let Some(pipe) = child.stdout.take() {
            tokio::spawn(read(pipe, sender.clone()));
        }
        if let Some(pipe) = child.stderr.take() {
            tokio::spawn(read(pipe, sender));
        }
        Ok(Self {
            name: name.to_owned(),
            _stdin: child.stdin.take(),
            child,
            lines,
            last: VecDeque::new(),
        })
    }

    /// Its process, while it lives.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for a line in which `find` finds something; lines before it are passed over.
    pub(super) async fn expect<T>(
        &mut self,
        what: &'static str,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, CrossCloudError> {
        let deadline = Instant::now() + PATIENCE;
        while let Ok(Some(line)) = timeout_at(deadline, self.lines.recv()).await {
            if let Some(found) = find(&line) {
                return Ok(found);
            }
            self.keep(line);
        }
        Err(self.silent(what))
    }

    /// Waits for a file that it makes. A process that ends makes none.
    pub(super) async fn expect_file(
        &mut self,
        what: &'static str,
        path: &Path,
    ) -> Result<(), CrossCloudError> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if path.exists() {
                return Ok(());
            }
            match timeout(GLANCE, self.lines.recv()).await {
                Ok(Some(line)) => self.keep(line),
                // It has closed both outputs.
                Ok(None) => break,
                Err(_) => {}
            }
        }
        Err(self.silent(what))
    }

    fn keep(&mut self, line: String) {
        self.last.push_back(line);
        if self.last.len() > KEPT {
            self.last.pop_front();
        }
    }

    fn silent(&self, what: &'static str) -> CrossCloudError {
        let last: Vec<&str> = self.last.iter().map(String::as_str).collect();
        CrossCloudError::Silent {
            part: self.name.clone(),
            what,
            last: match last.is_empty() {
                true => "it wrote nothing".to_owned(),
                false => last.join(" / "),
            },
        }
    }

    /// Waits for a JSON object that has what `T` needs.
    pub(super) async fn expect_json<T: DeserializeOwned>(
        &mut self,
        what: &'static str,
    ) -> Result<T, CrossCloudError> {
        self.expect(what, |line| serde_json::from_str(line).ok())
            .await
    }

    /// Kills it with all that it has started, and waits for it.
    pub(super) async fn end(mut self) {
        self.kill();
        // A process in the kernel's hands may take its time; nothing more can be done.
        let _ = timeout(DYING, self.child.wait()).await;
    }

    /// Kills the process group. Its number is nobody else's while its leader was not waited
    /// for, which is when tokio still knows it.
    fn kill(&self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            // There may be nobody left to be killed.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// What it wrote until now and nobody has read.
    pub(super) fn written(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.lines.try_recv().ok()).collect()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The first line of what listens.
#[derive(Deserialize)]
pub(super) struct Listening {
    pub(super) listening: Vec<std::net::SocketAddr>,
}

async fn read(pipe: impl AsyncRead + Unpin, sender: mpsc::UnboundedSender<String>) {
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if sender.send(line).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_that_ends_is_not_waited_for_any_longer() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo broken >&2; exit 1"]);
        let mut part = Part::start("server", &mut command).unwrap();
        let absent = Path::new("/nonexistent/server.pid");
        let waiting = timeout(PATIENCE / 2, part.expect_file("listen", absent));
        let error = waiting.await.unwrap().unwrap_err().to_string();
        assert_eq!(error, "the server did not listen: broken");
        part.end().await;
    }

    #[tokio::test]
    async fn what_a_process_has_started_ends_with_it() {
        let mut command = Command::new("sh");
        // The one in the background holds the end of the pipe.
        command.args(["-c", "sleep 600 & echo started; wait"]);
        let mut part = Part::start("server", &mut command).unwrap();
        let is_started = |line: &str| (line == "started").then_some(());
        part.expect("start", is_started).await.unwrap();
        part.kill();
        let silence = part.expect("speak", |_| None::<()>);
        let silence = timeout(PATIENCE / 2, silence).await;
        assert!(silence.unwrap().is_err(), "the pipe is still open");
    }
}
