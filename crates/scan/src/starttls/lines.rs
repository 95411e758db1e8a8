//! The protocols of lines: SMTP, IMAP and POP3. They differ in their words only: a greeting,
//! a list of capabilities, an agreement.

use super::{Step, other, printable, refused};
use crate::dial::Stopped;
use crate::incoming::garbage;

/// Bytes of a line. RFC 5321 section 4.5.3.1.5 has 512, and some servers more.
const MAX_LINE: usize = 2048;
/// Lines of one answer.
const MAX_LINES: usize = 100;

/// The words of a protocol.
pub(super) enum Dialect {
    /// RFC 3207.
    Smtp {
        /// Who the client says that it is.
        own_name: String,
    },
    /// RFC 3501 sections 6.1.1 and 6.2.1.
    Imap,
    /// RFC 2449 section 5, RFC 2595 section 4.
    Pop3,
}

/// Where the conversation is.
pub(super) struct Lines {
    dialect: Dialect,
    stage: Stage,
    /// Of the present answer.
    lines: usize,
    /// Whether the capability was among those of the answer.
    is_offered: bool,
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Greeting,
    Capabilities,
    Agreement,
    Agreed,
}

/// Whether an answer ends with a line.
#[derive(PartialEq, Eq)]
enum End {
    Yes,
    No,
}

impl Lines {
    pub(super) const fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            stage: Stage::Greeting,
            lines: 0,
            is_offered: false,
        }
    }

    pub(super) fn step(&mut self, received: &mut Vec<u8>) -> Result<Step, Stopped> {
        if self.stage == Stage::Agreed {
            return Ok(Step::Begin);
        }
        while let Some(line) = self.line(received)? {
            let end = match self.dialect {
                Dialect::Smtp { .. } => self.smtp(&line)?,
                Dialect::Imap => self.imap(&line)?,
                Dialect::Pop3 => self.pop3(&line)?,
            };
            if end == End::Yes {
                self.lines = 0;
                return self.advance();
            }
        }
        Ok(Step::Read)
    }

    /// The next line without its end.
    fn line(&mut self, received: &mut Vec<u8>) -> Result<Option<String>, Stopped> {
        let end = received.iter().position(|byte| *byte == b'\n');
        let line = &received[..end.unwrap_or(received.len())];
        if line.len() > MAX_LINE {
            return Err(garbage(format!("a line is longer than {MAX_LINE} bytes")));
        }
        // What speaks in binary may never send the end of a line.
        if line
            .iter()
            .any(|byte| byte.is_ascii_control() && !b"\r\t".contains(byte))
        {
            let shown = printable(line);
            return Err(garbage(format!(
                "binary bytes where a line of text belongs: {shown:?}"
            )));
        }
        let Some(end) = end else {
            return Ok(None);
        };
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        received.drain(..=end);
        self.lines += 1;
        if self.lines > MAX_LINES {
            return Err(garbage(format!(
                "an answer has more than {MAX_LINES} lines"
            )));
        }
        Ok(Some(line))
    }

    /// What follows a whole answer.
    fn advance(&mut self) -> Result<Step, Stopped> {
        let (stage, command) = match self.stage {
            Stage::Greeting => {
                let command = match &self.dialect {
                    Dialect::Smtp { own_name } => format!("EHLO {own_name}\r\n"),
                    Dialect::Imap => "a1 CAPABILITY\r\n".to_owned(),
                    Dialect::Pop3 => "CAPA\r\n".to_owned(),
                };
                (Stage::Capabilities, command)
            }
            Stage::Capabilities => {
                let command = match self.dialect {
                    Dialect::Smtp { .. } => "STARTTLS\r\n",
                    Dialect::Imap => "a2 STARTTLS\r\n",
                    Dialect::Pop3 => "STLS\r\n",
                };
                if !self.is_offered {
                    let word = self.capability();
                    return Err(refused(format!("{word} is not among the capabilities")));
                }
                (Stage::Agreement, command.to_owned())
            }
            Stage::Agreement | Stage::Agreed => {
                self.stage = Stage::Agreed;
                return Ok(Step::Begin);
            }
        };
        self.stage = stage;
        Ok(Step::Write(command.into_bytes()))
    }

    const fn capability(&self) -> &'static str {
        match self.dialect {
            Dialect::Smtp { .. } | Dialect::Imap => "STARTTLS",
            Dialect::Pop3 => "STLS",
        }
    }

    fn is_capability(&self, word: &str) -> bool {
        word.eq_ignore_ascii_case(self.capability())
    }

    /// RFC 5321 section 4.2: three digits, and a hyphen in all lines but the last.
    fn smtp(&mut self, line: &str) -> Result<End, Stopped> {
        let shown = printable(line.as_bytes());
        let split = line.split_at_checked(3);
        let split = split.filter(|(code, _)| code.bytes().all(|byte| byte.is_ascii_digit()));
        let Some((code, rest)) = split else {
            return Err(garbage(format!("no SMTP answer: {shown:?}")));
        };
        let end = match rest.bytes().next() {
            None | Some(b' ') => End::Yes,
            Some(b'-') => End::No,
            Some(_) => return Err(garbage(format!("no SMTP answer: {shown:?}"))),
        };
        match (self.stage, code) {
            (Stage::Greeting, "220") | (Stage::Agreement, "220") => Ok(end),
            (Stage::Capabilities, "250") => {
                let word = rest.get(1..).unwrap_or_default().split_whitespace().next();
                self.is_offered |= word.is_some_and(|word| self.is_capability(word));
                Ok(end)
            }
            // A server without EHLO has no extensions (RFC 5321 section 4.1.1.1).
            (Stage::Capabilities, "500" | "502" | "504") => Err(refused(shown)),
            (Stage::Agreement, _) if code.starts_with('5') => Err(refused(shown)),
            // 421 and 454 pass; 550 and 554 in front of STARTTLS are about who asks.
            _ if code.starts_with(['4', '5']) => Err(other(&shown)),
            _ => Err(garbage(format!(
                "not an answer to what was asked: {shown:?}"
            ))),
        }
    }

    /// RFC 3501 section 7.1: untagged responses, then the tagged one.
    fn imap(&mut self, line: &str) -> Result<End, Stopped> {
        let shown = printable(line.as_bytes());
        let mut words = line.split_whitespace();
        let tag = words.next().unwrap_or_default();
        let status = words.next().unwrap_or_default().to_ascii_uppercase();
        match (self.stage, tag, status.as_str()) {
            (_, "*", "BYE") => Err(other(&shown)),
            (Stage::Greeting, "*", "OK") => Ok(End::Yes),
            // RFC 3501 section 6.2.1: STARTTLS is for those who are not authenticated.
            (Stage::Greeting, "*", "PREAUTH") => Err(refused(shown)),
            (Stage::Greeting, ..) => Err(garbage(format!("no IMAP greeting: {shown:?}"))),
            (Stage::Capabilities, "*", "CAPABILITY") => {
                self.is_offered |= words.any(|word| self.is_capability(word));
                Ok(End::No)
            }
            (_, "*", _) => Ok(End::No),
            (Stage::Capabilities, "a1", "OK") | (Stage::Agreement, "a2", "OK") => Ok(End::Yes),
            (Stage::Agreement, "a2", "NO") if has_code(line, "[UNAVAILABLE]") => Err(other(&shown)),
            (Stage::Agreement, "a2", "NO" | "BAD") => Err(refused(shown)),
            (Stage::Capabilities, "a1", "NO" | "BAD") => Err(other(&shown)),
            _ => Err(garbage(format!(
                "not an answer to what was asked: {shown:?}"
            ))),
        }
    }

    /// RFC 1939 section 3: a status, and after it a list that a lone dot ends.
    fn pop3(&mut self, line: &str) -> Result<End, Stopped> {
        let shown = printable(line.as_bytes());
        let is_in_list = self.stage == Stage::Capabilities && self.lines > 1;
        if is_in_list {
            let word = line.split_whitespace().next();
            self.is_offered |= word.is_some_and(|word| self.is_capability(word));
            return Ok(if line == "." { End::Yes } else { End::No });
        }
        let status = line.split_whitespace().next().unwrap_or_default();
        match (self.stage, status) {
            (Stage::Capabilities, "+OK") => Ok(End::No),
            (_, "+OK") => Ok(End::Yes),
            // A server without CAPA is asked for STLS all the same.
            (Stage::Capabilities, "-ERR") => {
                self.is_offered = true;
                Ok(End::Yes)
            }
            (Stage::Agreement, "-ERR") if !has_code(line, "[SYS/TEMP]") => Err(refused(shown)),
            (_, "-ERR") => Err(other(&shown)),
            _ => Err(garbage(format!("no POP3 answer: {shown:?}"))),
        }
    }
}

/// A code that says that it may be otherwise later (RFC 5530, RFC 3206).
fn has_code(line: &str, code: &str) -> bool {
    line.to_ascii_uppercase().contains(code)
}
