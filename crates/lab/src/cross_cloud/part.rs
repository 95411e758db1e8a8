//! Processes of the experiment. None outlives the value that stands for it.

use std::collections::VecDeque;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::CrossCloudError;

/// How long a part may take to say what is expected.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many lines are kept for an error message.
const KEPT: usize = 3;

/// A process, with the lines that it writes.
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
            .kill_on_drop(true)
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
            self.last.push_back(line);
            if self.last.len() > KEPT {
                self.last.pop_front();
            }
        }
        let last: Vec<String> = self.last.iter().cloned().collect();
        Err(CrossCloudError::Silent {
            part: self.name.clone(),
            what,
            last: match last.is_empty() {
                true => "it wrote nothing".to_owned(),
                false => last.join(" / "),
            },
        })
    }

    /// Waits for a JSON object that has what `T` needs.
    pub(super) async fn expect_json<T: DeserializeOwned>(
        &mut self,
        what: &'static str,
    ) -> Result<T, CrossCloudError> {
        self.expect(what, |line| serde_json::from_str(line).ok())
            .await
    }

    /// What it wrote until now and nobody has read.
    pub(super) fn written(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.lines.try_recv().ok()).collect()
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
