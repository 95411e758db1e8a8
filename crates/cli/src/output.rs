//! The result on stdout.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

/// The format of what is written as JSON; changes when a field goes or changes its meaning.
pub(crate) const SCHEMA: u32 = 1;
/// What wrote it.
pub(crate) const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What shells say of a program that a closed pipe has ended.
const NOBODY_READS: i32 = 141;

/// Writes a line. Ends the program where that can't be: quietly if the reader has gone, as
/// `head` does; otherwise with exit code 3.
pub(crate) fn line(text: Arguments<'_>) {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(NOBODY_READS),
        Err(error) => {
            eprintln!("pqlab: writing the result: {error}");
            std::process::exit(3);
        }
    }
}
