//! Unified diffs of one line.

use std::fmt::Write as _;

/// Lines of context around a change, as `diff -u` has them.
const CONTEXT: usize = 3;

/// What happens to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is replaced.
    Replace,
    /// A new one comes after it.
    After,
}

/// A unified diff that changes the text at a line, counted from 1; `None` where there is no
/// such line. The new line gets the indentation and the line ending of the old one.
pub(crate) fn unified(
    path: &str,
    text: &str,
    line: u32,
    change: Change,
    new: &str,
) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let old = *lines.get(index)?;
    let content = old.trim_end_matches(['\n', '\r']);
    let indentation = &content[..content.len() - content.trim_start().len()];
    let ending = match &old[content.len()..] {
        "" => "\n",
        ending => ending,
    };
    // As many lines before as after: `patch` takes a shorter end for the end of the file.
    let before = index + usize::from(change == Change::After);
    let first = before.saturating_sub(CONTEXT);
    let last = (index + CONTEXT).min(lines.len() - 1);
    let old_lines = last - first + 1;
    let new_lines = old_lines + usize::from(change == Change::After);
    let bare = path.trim_start_matches('/');
    let mut diff = format!("--- a/{bare}\n+++ b/{bare}\n");
    let header = (first + 1, old_lines, new_lines);
    // Writing to a string can't fail.
    let _ = writeln!(
        diff,
        "@@ -{0},{1} +{0},{2} @@",
        header.0, header.1, header.2
    );
    for (at, line) in lines.iter().enumerate().take(last + 1).skip(first) {
        let is_old = at == index && change == Change::Replace;
        push(&mut diff, if is_old { '-' } else { ' ' }, line);
        if at == index {
            push(&mut diff, '+', &format!("{indentation}{new}{ending}"));
        }
    }
    Some(diff)
}

fn push(diff: &mut String, mark: char, line: &str) {
    diff.push(mark);
    diff.push_str(line);
    if !line.ends_with('\n') {
        diff.push_str("\n\\ No newline at end of file\n");
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    const TEXT: &str = "server {\n    listen 443 ssl;\n\tssl_ecdh_curve X25519;\n}\n# end";

    /// What `patch` makes of it; `None` where the machine has no such program.
    fn patched(text: &str, diff: &str) -> Option<String> {
        let folder = std::env::temp_dir().join(format!(
            "audit-patch-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("nginx.conf");
        std::fs::write(&file, text).unwrap();
        let child = Command::new("patch")
            .args(["--quiet", "--binary", "-p1", "-F0"])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            println!("skipped: no `patch` here");
            return None;
        };
        child
            .stdin
            .take()
            .unwrap()
            .write_all(diff.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success(), "{diff}");
        let patched = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        Some(patched)
    }

    #[test]
    fn a_diff_applies_and_keeps_indentation_and_endings() {
        let new = "ssl_ecdh_curve X25519MLKEM768:X25519;";
        for (text, line, change, expected) in [
            (
                TEXT.to_owned(),
                3,
                Change::Replace,
                TEXT.replace("ssl_ecdh_curve X25519;", new),
            ),
            (
                TEXT.to_owned(),
                2,
                Change::After,
                TEXT.replace("ssl;\n", &format!("ssl;\n    {new}\n")),
            ),
            (
                TEXT.replace('\n', "\r\n"),
                3,
                Change::Replace,
                TEXT.replace("ssl_ecdh_curve X25519;", new)
                    .replace('\n', "\r\n"),
            ),
            ("one\ntwo\nthree\n".repeat(9), 14, Change::After, {
                let mut lines: Vec<String> = "one\ntwo\nthree\n"
                    .repeat(9)
                    .lines()
                    .map(str::to_owned)
                    .collect();
                lines.insert(14, new.to_owned());
                lines.join("\n") + "\n"
            }),
        ] {
            let diff = unified("/nginx.conf", &text, line, change, new).unwrap();
            if let Some(patched) = patched(&text, &diff) {
                assert_eq!(patched, expected, "{diff}");
            }
        }
        assert_eq!(unified("a", TEXT, 0, Change::Replace, new), None);
        assert_eq!(unified("a", TEXT, 6, Change::Replace, new), None);
        assert_eq!(unified("a", "", 1, Change::After, new), None);
    }
}
