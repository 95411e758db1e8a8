//! Programs that are started, read, and ended for certain.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// The process groups that live, for [`end_all`].
static LIVE: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Ends every program that is still there: for a suite that is interrupted.
pub(crate) fn end_all() {
    for group in lock(&LIVE).drain(..) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// A program in a process group of its own, with all that it wrote. Dropping it ends the group.
pub(crate) struct Process {
    name: String,
    child: Child,
    group: Pid,
    written: Arc<(Mutex<Written>, Condvar)>,
    has_ended: bool,
}

/// What a program wrote so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Written {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    closed: u8,
}

impl Written {
    /// The end of it, for an error message.
    pub(crate) fn tail(&self) -> String {
        let all = format!("{}\n{}", self.stdout.trim(), self.stderr.trim());
        let lines: Vec<_> = all.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(3)..].join(" / ")
    }
}

impl Process {
    /// Starts a program and writes `input` to it; its input stays open.
    pub(crate) fn start(command: &mut Command, input: &str) -> Result<Self> {
        let process = Self::spawn(command, |_| {})?;
        if let Some(mut pipe) = process.child.stdin.as_ref() {
            // A program that ended already says more by its output.
            let _ = pipe.write_all(input.as_bytes());
        }
        Ok(process)
    }

    /// Starts a program and writes `answer` to it for each time that it writes `prompt`.
    pub(crate) fn start_answering(
        command: &mut Command,
        prompt: &'static str,
        answer: &'static str,
    ) -> Result<Self> {
        let (told, hears) = mpsc::channel();
        let mut answered = 0;
        let mut process = Self::spawn(command, move |stdout| {
            let prompts = stdout.matches(prompt).count();
            for _ in answered..prompts {
                let _ = told.send(());
            }
            answered = prompts;
        })?;
        if let Some(mut pipe) = process.child.stdin.take() {
            std::thread::spawn(move || {
                while hears.recv().is_ok() && pipe.write_all(answer.as_bytes()).is_ok() {}
            });
        }
        Ok(process)
    }

    /// Starts a program; `on_output` gets all of its output whenever there is more.
    fn spawn(command: &mut Command, on_output: impl FnMut(&str) + Send + 'static) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let group = Pid::from_child(&child);
        lock(&LIVE).push(group);
        let written = Arc::new((Mutex::new(Written::default()), Condvar::new()));
        if let Some(pipe) = child.stdout.take() {
            read_all(pipe, &written, |written| &mut written.stdout, on_output);
        }
        if let Some(pipe) = child.stderr.take() {
            read_all(pipe, &written, |written| &mut written.stderr, |_| {});
        }
        Ok(Self {
            name,
            child,
            group,
            written,
            has_ended: false,
        })
    }

    pub(crate) fn has_ended(&self) -> bool {
        // Its output ends with it, and that can be asked without exclusive access.
        lock(&self.written.0).closed == 2
    }

    /// What it wrote so far.
    pub(crate) fn written(&self) -> Written {
        lock(&self.written.0).clone()
    }

    /// Waits until `find` finds something in what it wrote; `None` at the deadline, or once it
    /// can write no more.
    pub(crate) fn wait_for<T>(
        &self,
        deadline: Instant,
        find: impl Fn(&Written) -> Option<T>,
    ) -> Option<T> {
        let (written, changed) = &*self.written;
        let mut guard = lock(written);
        loop {
            if let Some(found) = find(&guard) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || guard.closed == 2 {
                return None;
            }
            guard = changed
                .wait_timeout(guard, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// [`wait_for`](Self::wait_for), where not finding it is a fault of the program.
    pub(crate) fn expect<T>(
        &self,
        deadline: Instant,
        what: &str,
        find: impl Fn(&Written) -> Option<T>,
    ) -> Result<T> {
        match self.wait_for(deadline, find) {
            Some(found) => Ok(found),
            None => bail!("{} {what}: {}", self.name, self.written().tail()),
        }
    }

    /// Waits for its end, and for the end of its output.
    pub(crate) fn finish(mut self, deadline: Instant) -> Result<(ExitStatus, Written)> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.end();
                // Somebody that it started may hold the pipes open for longer than that.
                let patience = Instant::now() + Duration::from_millis(500);
                let _ = self.wait_for(patience, |_| None::<()>);
                return Ok((status, self.written()));
            }
            if Instant::now() >= deadline {
                bail!(
                    "{} did not end in time: {}",
                    self.name,
                    self.written().tail()
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Process {
    /// Ends whatever lives of its group. Once only: the number may go to somebody else.
    fn end(&mut self) {
        if !std::mem::replace(&mut self.has_ended, true) {
            lock(&LIVE).retain(|group| *group != self.group);
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        let _ = self.child.wait();
    }
}

fn read_all(
    mut pipe: impl Read + Send + 'static,
    written: &Arc<(Mutex<Written>, Condvar)>,
    of: fn(&mut Written) -> &mut String,
    mut on_output: impl FnMut(&str) + Send + 'static,
) {
    let written = Arc::clone(written);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        loop {
            let read = pipe.read(&mut buffer).unwrap_or(0);
            let mut guard = lock(&written.0);
            of(&mut guard).push_str(&String::from_utf8_lossy(&buffer[..read]));
            on_output(of(&mut guard));
            guard.closed += u8::from(read == 0);
            written.1.notify_all();
            if read == 0 {
                return;
            }
        }
    });
}

/// A thread that panicked leaves these in order.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
