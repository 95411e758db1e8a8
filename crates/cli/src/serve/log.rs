//! Lines about what fails, written by a thread of their own.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use server::Trouble;

use crate::output::escape;

/// Where failures are told. Whoever reads that may be slow, or have stopped; clients, who
/// cause as many lines as they like, must not have the server wait for it.
#[derive(Clone)]
pub(super) struct Log {
    lines: SyncSender<String>,
    /// Lines that found no room since that was last told.
    dropped: Arc<AtomicU64>,
    is_json: bool,
}

/// The thread that writes.
pub(super) struct Writing(Receiver<()>);

/// Lines that wait to be written.
const ROOM: usize = 1024;

impl Log {
    /// One line for each failure: on stdout as JSON, on stderr for people.
    pub(super) fn start(is_json: bool) -> Result<(Self, Writing)> {
        match is_json {
            true => Self::with(is_json, |line| say!("{line}")),
            // Without a reader, the server goes on.
            false => Self::with(is_json, |line| drop(writeln!(io::stderr(), "{line}"))),
        }
    }

    fn with(is_json: bool, write: impl Fn(&str) + Send + 'static) -> Result<(Self, Writing)> {
        let (lines, waiting) = sync_channel::<String>(ROOM);
        let (is_done, done) = channel();
        let dropped = Arc::<AtomicU64>::default();
        let uncounted = dropped.clone();
        let tell_dropped = move |write: &dyn Fn(&str)| match uncounted.swap(0, Ordering::Relaxed) {
            0 => {}
            count if is_json => {
                let event = "dropped";
                write(&serde_json::json!({ "event": event, "lines": count }).to_string());
            }
            count => write(&format!(
                "{count} more failures, told too fast to be written"
            )),
        };
        let run = move || {
            for line in waiting {
                write(&line);
                tell_dropped(&write);
            }
            tell_dropped(&write);
            // Who waited may have left.
            let _ = is_done.send(());
        };
        let thread = thread::Builder::new().name("log".to_owned());
        thread.spawn(run).context("starting the log")?;
        let log = Self {
            lines,
            dropped,
            is_json,
        };
        Ok((log, Writing(done)))
    }

    /// Never waits.
    pub(super) fn tell(&self, trouble: &Trouble) {
        let (client, kind) = (trouble.client.to_string(), trouble.event.name());
        let transport = trouble.transport.name();
        let reason = escape(&trouble.reason);
        let line = match self.is_json {
            true => {
                let event = "failed";
                let line = serde_json::json!({
                    "event": event, "transport": transport, "kind": kind, "client": client,
                    "reason": reason,
                });
                line.to_string()
            }
            false => format!("{client} over {transport}: {kind}: {reason}"),
        };
        if self.lines.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Writing {
    /// Waits until all is written, once every [`Log`] is dropped; no longer than `limit`.
    pub(super) fn end(self, limit: Duration) {
        let _ = self.0.recv_timeout(limit);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::Value;
    use server::{Event, Transport};

    use super::*;

    fn trouble() -> Trouble {
        Trouble {
            transport: Transport::Quic,
            client: ([192, 0, 2, 1], 4433).into(),
            event: Event::PeerFault,
            reason: "\x1b[2Jg\u{9b}31m\nü".to_owned(),
        }
    }

    /// A pipe that nobody reads, to which a client has the server write.
    #[test]
    fn a_reader_that_has_stopped_costs_lines_and_no_time() {
        let (open, gate) = channel::<()>();
        let written = Arc::new(Mutex::new(Vec::new()));
        let kept = written.clone();
        let write = move |line: &str| {
            // Waits until the gate is open, and from then on for nothing.
            let _ = gate.recv();
            kept.lock().unwrap().push(line.to_owned());
        };
        let (log, writing) = Log::with(true, write).unwrap();
        let count = 3 * ROOM as u64;
        for _ in 0..count {
            log.tell(&trouble());
        }
        drop(open);
        drop(log);
        writing.end(Duration::from_secs(20));
        let (mut told, mut dropped) = (0, 0);
        for line in written.lock().unwrap().iter() {
            let line: Value = serde_json::from_str(line).unwrap();
            match line["event"].as_str().unwrap() {
                "failed" => told += 1,
                _ => dropped += line["lines"].as_u64().unwrap(),
            }
        }
        assert!(told >= ROOM as u64 && dropped > 0, "{told} and {dropped}");
        assert_eq!(told + dropped, count);
    }

    #[test]
    fn what_a_client_says_moves_no_cursor() {
        for is_json in [false, true] {
            let (line, lines) = channel();
            let write = move |text: &str| line.send(text.to_owned()).unwrap();
            let (log, _writing) = Log::with(is_json, write).unwrap();
            log.tell(&trouble());
            let line = lines.recv().unwrap();
            assert!(!line.contains(char::is_control), "{line:?}");
            assert!(line.contains("u{9b}31m"), "{line}");
        }
    }
}
