//! Blocks between `-----BEGIN` and `-----END` (RFC 7468, RFC 1421, RFC 9580 section 6).

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// How a format marks its blocks.
pub(crate) struct Marks {
    begin: &'static str,
    end: &'static str,
    /// Behind the label.
    close: &'static str,
}

/// PEM, and OpenPGP's armor.
pub(crate) const PEM: Marks = Marks {
    begin: "-----BEGIN ",
    end: "-----END ",
    close: "-----",
};

/// RFC 4716 section 3.1.
pub(crate) const SSH2: Marks = Marks {
    begin: "---- BEGIN ",
    end: "---- END ",
    close: " ----",
};

/// Lenient about padding and spare bits, as OpenSSL and OpenSSH are.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A block in a text.
pub(crate) struct Block<'a> {
    /// What stands behind BEGIN.
    pub(crate) label: &'a str,
    /// The line of BEGIN, from 1.
    pub(crate) line: u32,
    /// Whether BEGIN begins its line. A block that does not may be a string of a program, and
    /// need not be whole.
    pub(crate) begins_line: bool,
    /// Between BEGIN and END; `None` where no END follows.
    body: Option<&'a str>,
}

/// What a block holds.
pub(crate) struct Decoded {
    /// Lines of the form `Name: value`.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
}

impl Decoded {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Why a block can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BlockError {
    #[error("the block has no END line")]
    Open,
    #[error("what stands between BEGIN and END is no base64")]
    Base64,
    #[error("nothing stands between BEGIN and END")]
    Empty,
}

/// The blocks of a text, in order.
pub(crate) struct Blocks<'a> {
    marks: &'static Marks,
    text: &'a str,
    position: usize,
    line: u32,
    counted: usize,
}

impl<'a> Blocks<'a> {
    pub(crate) fn of(text: &'a str, marks: &'static Marks) -> Self {
        Self {
            marks,
            text,
            position: 0,
            line: 1,
            counted: 0,
        }
    }

    /// Counts lines forward only, so that many blocks cost one pass.
    fn line_of(&mut self, position: usize) -> u32 {
        let between = &self.text.as_bytes()[self.counted..position];
        let lines = between.iter().filter(|byte| **byte == b'\n').count();
        self.line = self
            .line
            .saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.counted = position;
        self.line
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        loop {
            let (text, marks) = (self.text, self.marks);
            let begin = self.position + text[self.position..].find(marks.begin)?;
            let label_at = begin + marks.begin.len();
            self.position = label_at;
            let Some((label, after)) = label(&text[label_at..], marks.close) else {
                continue;
            };
            let body_at = label_at + after;
            let line = self.line_of(begin);
            let before = text[..begin].trim_end_matches([' ', '\t']);
            let end = format!("{}{label}{}", marks.end, marks.close);
            // A block ends before the next begins: a lost END costs one block only.
            let rest = &text[body_at..];
            let next = rest.find(marks.begin).unwrap_or(rest.len());
            let body = rest[..next].find(&end).map(|length| &rest[..length]);
            self.position = body_at + body.map_or(0, |body| body.len() + end.len());
            return Some(Block {
                label,
                line,
                begins_line: before.is_empty() || before.ends_with('\n'),
                body,
            });
        }
    }
}

/// The label, and where what is behind its dashes begins. Text behind the dashes on the same
/// line means that this is prose or a program, unless it is a line's end as JSON writes it.
fn label<'a>(text: &'a str, close: &str) -> Option<(&'a str, usize)> {
    // RFC 7468 sets no limit; real labels have less than half of this.
    let near = text.as_bytes().iter().take(64);
    let length = near
        .take_while(|byte| byte.is_ascii_graphic() || **byte == b' ')
        .count();
    let end = text[..length].find(close)?;
    let after = end + close.len();
    let rest = text[after..].trim_start_matches([' ', '\t']);
    let is_end = rest.is_empty() || rest.starts_with(['\n', '\r', '\\']);
    is_end.then_some((&text[..end], after))
}

impl Block<'_> {
    pub(crate) fn decode(&self) -> Result<Decoded, BlockError> {
        let body = self.body.ok_or(BlockError::Open)?;
        // JSON and configuration languages write the ends of lines as two characters.
        let unescaped = Zeroizing::new(body.replace("\\n", "\n").replace("\\r", ""));
        let mut headers = Vec::new();
        let mut base64 = Zeroizing::new(String::with_capacity(unescaped.len()));
        let mut lines = unescaped.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            match line.split_once(':') {
                Some((name, value)) if base64.is_empty() => {
                    let mut value = value.trim().to_owned();
                    // RFC 4716 section 3.3: a backslash continues the line.
                    while value.ends_with('\\') && lines.peek().is_some() {
                        value.pop();
                        value.push_str(lines.next().unwrap_or_default());
                    }
                    headers.push((name.to_owned(), value));
                }
                // The checksum of OpenPGP's armor (RFC 9580 section 6.1).
                _ if line.len() == 5 && line.starts_with('=') => {}
                _ => base64.push_str(line),
            }
        }
        if base64.is_empty() {
            return Err(BlockError::Empty);
        }
        Ok(Decoded {
            headers,
            bytes: decode(&base64).ok_or(BlockError::Base64)?,
        })
    }
}

/// Base64 without line breaks.
pub(crate) fn decode(base64: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(base64.len() / 4 * 3 + 3));
    BASE64.decode_vec(base64, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<(String, u32, Result<Vec<u8>, BlockError>)> {
        Blocks::of(text, &PEM)
            .map(|block| {
                let decoded = block.decode().map(|decoded| decoded.bytes.to_vec());
                (block.label.to_owned(), block.line, decoded)
            })
            .collect()
    }

    #[test]
    fn a_broken_block_costs_only_itself() {
        let text = "x\n-----BEGIN A-----\nAAEC\n-----BEGIN B-----\r\n  AA\r\n  EC\r\n-----END B-----\n\
                    -----BEGIN C-----\n!!!!\n-----END C-----\n-----BEGIN D-----\n-----END D-----";
        let expected = [
            ("A", 2, Err(BlockError::Open)),
            ("B", 4, Ok(vec![0, 1, 2])),
            ("C", 8, Err(BlockError::Base64)),
            ("D", 11, Err(BlockError::Empty)),
        ];
        let expected = expected.map(|(label, line, result)| (label.to_owned(), line, result));
        assert_eq!(labels(text), expected);
    }

    #[test]
    fn json_strings_are_blocks_and_prose_is_none() {
        let text = r#"{"key": "-----BEGIN K-----\nAA\nEC\n-----END K-----\n"}"#;
        assert_eq!(labels(text), [("K".to_owned(), 1, Ok(vec![0, 1, 2]))]);
        assert!(labels("a file begins with -----BEGIN K----- and so on").is_empty());
        assert!(labels("-----BEGIN -----BEGIN ").is_empty());
    }

    #[test]
    fn headers_and_checksums_are_not_content() {
        let text = "-----BEGIN K-----\nComment: a\\\nb\nVersion: 1\n\nAAEC\n=abcd\n-----END K-----";
        let block = Blocks::of(text, &PEM).next().unwrap();
        let decoded = block.decode().unwrap();
        assert_eq!(decoded.header("Comment"), Some("ab"));
        assert_eq!(decoded.header("Version"), Some("1"));
        assert_eq!(*decoded.bytes, [0, 1, 2]);
    }
}
