//! Lines about handshakes that fail, written by a thread of their own: clients cause as many as
//! they like, and whoever reads them may have stopped.

use std::io::{Write, stderr};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, Result};
use serde_json::json;
use server::Trouble;

use crate::output::escape;

/// Where failures are told.
#[derive(Clone)]
pub(super) struct Log {
    lines: SyncSender<String>,
    is_json: bool,
}

/// Lines that wait to be written; beyond that they are lost.
const ROOM: usize = 256;

impl Log {
    /// On stdout as JSON, on stderr for people.
    pub(super) fn start(is_json: bool) -> Result<Self> {
        let (lines, waiting) = sync_channel::<String>(ROOM);
        let run = move || {
            for line in waiting {
                match is_json {
                    true => say!("{line}"),
                    // Without a reader, the servers go on.
                    false => drop(writeln!(stderr(), "{line}")),
                }
            }
        };
        let thread = thread::Builder::new().name("log".to_owned());
        thread.spawn(run).context("starting the log")?;
        Ok(Self { lines, is_json })
    }

    /// Never waits.
    pub(super) fn tell(&self, case: &str, trouble: &Trouble) {
        let (client, kind) = (trouble.client.to_string(), trouble.event.name());
        let reason = escape(&trouble.reason);
        let line = match self.is_json {
            true => {
                let line = json!({
                    "event": "failed", "case": case, "kind": kind, "client": client,
                    "reason": reason,
                });
                line.to_string()
            }
            false => format!("{case}: {client}: {kind}: {reason}"),
        };
        // Who floods the log loses lines of it.
        let _ = self.lines.try_send(line);
    }
}
