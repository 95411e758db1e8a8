//! The result on stdout.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

pub(crate) use stack::printable as escape;

/// The format of what is written as JSON; changes when a field goes or changes its meaning.
pub(crate) const SCHEMA: u32 = 1;
/// What wrote it.
pub(crate) const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// [`escape`], but for the ends of lines.
pub(crate) fn escape_lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        let hostile = "a\u{1b}[2J\r\n\u{9b}1m\u{7f}\u{202e}ü";
        let shown = "a\\u{1b}[2J\\r\\n\\u{9b}1m\\u{7f}\\u{202e}ü";
        assert_eq!(escape(hostile), shown);
        assert_eq!(escape_lines("a\nb\rc"), "a\nb\\rc");
    }
}
