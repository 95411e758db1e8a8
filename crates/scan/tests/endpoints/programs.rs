//! Programs of others.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Where a program is: in the folder of `scripts/install-peers`, else on the search path.
pub(crate) fn find(installed: &str, name: &str) -> Option<PathBuf> {
    let ours = peers().join(installed);
    if !installed.is_empty() && ours.is_file() {
        return Some(ours);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers where only root looks.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let mut places = folders.map(|folder| folder.join(name));
    places.find(|place| place.is_file())
}

/// Where `scripts/install-peers` puts them, or `$PQLAB_PEERS`.
pub(crate) fn peers() -> PathBuf {
    match std::env::var_os("PQLAB_PEERS") {
        Some(folder) if !folder.is_empty() => folder.into(),
        _ => target().join("peers"),
    }
}

/// Cargo's target folder.
pub(crate) fn target() -> &'static Path {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    temporary.parent().unwrap_or(temporary)
}

/// Says why a test does nothing.
pub(crate) fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}

/// What a program writes, both outputs, if it runs at all.
pub(crate) fn output(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    output.status.success().then_some(text)
}

/// A program that runs until this is dropped.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What it starts itself ends with it.
            .process_group(0)
            .spawn()
            .unwrap();
        let (told, lines) = channel();
        let outputs: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for output in outputs {
            let told = told.clone();
            std::thread::spawn(move || {
                // What is no UTF-8 ends nothing: the pipe must not fill.
                for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                    let _ = told.send(String::from_utf8_lossy(&line).into_owned());
                }
            });
        }
        Self { child, lines }
    }

    /// The port in the first line that has `mark`, after the last colon.
    pub(crate) fn address(&self, mark: &str) -> SocketAddr {
        let mut all = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(20);
        while let Ok(line) = self
            .lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            if line.contains(mark) {
                let (_, port) = line.rsplit_once(':').unwrap();
                let end = port.find(|c: char| !c.is_ascii_digit());
                let port = port[..end.unwrap_or(port.len())].parse().unwrap();
                return SocketAddr::from(([127, 0, 0, 1], port));
            }
            all.push(line);
        }
        panic!("it does not listen: {}", all.join("\n"));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// For a program that does not choose a port itself.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits until a port takes connections.
pub(crate) fn wait_until_listening(port: u16) -> SocketAddr {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    for _ in 0..200 {
        if TcpStream::connect(address).is_ok() {
            return address;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nobody listens at {address}");
}
