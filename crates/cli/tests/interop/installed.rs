//! Which peers are on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::Process;

/// Where a program is: in the folder of `scripts/install-peers`, else on the search path.
pub(crate) fn find(installed: &str, names: &[&str]) -> Option<PathBuf> {
    let ours = peers_folder().join(installed);
    if ours.is_file() {
        return Some(ours);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers where only root looks.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let places: Vec<_> = folders.collect();
    names.iter().find_map(|name| {
        places
            .iter()
            .map(|folder| folder.join(name))
            .find(|candidate| candidate.is_file())
    })
}

/// Where `scripts/install-peers` puts them, or `$PQLAB_PEERS`.
pub(crate) fn peers_folder() -> PathBuf {
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

/// A file beside the suite's sources.
pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/interop/peers")
        .join(name)
}

/// What a program writes when it is asked for its version, both outputs.
pub(crate) fn version_text(command: &mut Command) -> Result<String, String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    let text = Process::start(command, "").and_then(|process| process.finish(deadline));
    match text {
        Ok((status, written)) if status.success() => Ok(written.stdout + &written.stderr),
        Ok((status, written)) => Err(format!("does not run: {status}: {}", written.tail())),
        Err(error) => Err(format!("does not run: {error:#}")),
    }
}

/// What a program that may be absent writes when it is asked for its version.
pub(crate) fn ask(
    program: Option<&PathBuf>,
    name: &str,
    arguments: &[&str],
) -> Result<String, String> {
    let program = program.ok_or_else(|| absent(name))?;
    version_text(Command::new(program).args(arguments))
}

/// The first dotted number of a text.
pub(crate) fn number(text: &str) -> Option<Vec<u32>> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_matches('.'))
        .find(|word| word.contains('.'))?
        .split('.')
        .map(|part| part.parse().ok())
        .collect()
}

/// What to say of a peer that is not there.
pub(crate) fn absent(name: &str) -> String {
    format!("not installed: scripts/install-peers {name}")
}
