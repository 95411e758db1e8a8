//! What the tests of the command line share.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A matrix of two scenarios that takes seconds.
pub(crate) const MATRIX: &str = r#"title = "Two scenarios"
baseline = "rustls>rustls/1.3/x25519/ecdsa-p256/full@memory"

[seconds]
bytes = 1
cpu = 4

[[handshake]]
stacks = ["rustls"]
kx = ["x25519", "X25519MLKEM768"]
auth = ["ecdsa-p256"]
measure = ["cpu", "bytes"]
"#;

/// The program, ready for arguments.
pub(crate) fn pqlab() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pqlab"));
    command.env("NO_COLOR", "1");
    // The file that it names may change OpenSSL's security level (config(5)).
    command.env_remove("OPENSSL_CONF");
    command
}

/// Runs it and waits.
pub(crate) fn run(arguments: &[&str]) -> Output {
    pqlab().args(arguments).output().unwrap()
}

/// Both outputs as text.
pub(crate) fn text(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Asserts the exit code, and that each of these stands in the output.
pub(crate) fn expect(output: &Output, code: i32, said: &[&str]) {
    let text = text(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for part in said {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

/// Writes a file into a folder.
pub(crate) fn write(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}
