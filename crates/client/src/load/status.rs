//! The status of HTTP responses.

use std::fmt;
use std::str::FromStr;

/// What a response begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// A status code of HTTP/1, from 100 to 599 (RFC 9110 section 15).
    Code(u16),
    /// Something that is no response of HTTP/1.
    NoHttp,
}

impl Status {
    /// The first digit, 1 to 5; 0 for what is no HTTP.
    pub const fn class(self) -> usize {
        match self {
            Self::Code(code) => (code / 100) as usize,
            Self::NoHttp => 0,
        }
    }
}

/// Which responses are as they should be, as text `any`, or a list like `2xx,304`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedStatus(Option<Vec<Pattern>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pattern {
    /// By the first digit, 1 to 5.
    Class(u16),
    Code(u16),
}

/// A text that names no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no status: name some as in 2xx,304, or any")]
pub struct UnknownStatus(String);

impl ExpectedStatus {
    /// Whatever comes, HTTP or not.
    pub const fn any() -> Self {
        Self(None)
    }

    /// Whether a response with this status is as it should be.
    pub fn includes(&self, status: Status) -> bool {
        let Some(patterns) = &self.0 else {
            return true;
        };
        let Status::Code(code) = status else {
            return false;
        };
        patterns.iter().any(|pattern| match *pattern {
            Pattern::Class(class) => code / 100 == class,
            Pattern::Code(expected) => code == expected,
        })
    }
}

impl FromStr for ExpectedStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "any" {
            return Ok(Self::any());
        }
        let patterns: Result<_, _> = text.split(',').map(Pattern::of).collect();
        Ok(Self(Some(patterns?)))
    }
}

impl Pattern {
    fn of(text: &str) -> Result<Self, UnknownStatus> {
        let pattern = match text.as_bytes() {
            [class @ b'1'..=b'5', b'x', b'x'] => Self::Class((class - b'0').into()),
            digits => Self::Code(code(digits).ok_or_else(|| UnknownStatus(text.to_owned()))?),
        };
        Ok(pattern)
    }
}

impl fmt::Display for ExpectedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(patterns) = &self.0 else {
            return f.write_str("any");
        };
        for (place, pattern) in patterns.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            match pattern {
                Pattern::Class(class) => write!(f, "{comma}{class}xx")?,
                Pattern::Code(code) => write!(f, "{comma}{code}")?,
            }
        }
        Ok(())
    }
}

/// The beginning of a final HTTP response (RFC 9112 section 4): `HTTP/1.1 200 `. Interim ones
/// before it are skipped (RFC 9110 section 15.2).
#[derive(Debug, Default)]
pub(super) struct StatusLine {
    bytes: [u8; Self::LENGTH],
    length: usize,
    interim: Option<Interim>,
}

/// The rest of an interim response.
#[derive(Debug, Clone, Copy)]
struct Interim {
    /// Whether something other than CR stands in the line.
    has_text: bool,
}

impl StatusLine {
    const LENGTH: usize = "HTTP/1.1 200 ".len();
    const CODE: std::ops::Range<usize> = "HTTP/1.1 ".len().."HTTP/1.1 200".len();

    pub(super) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.is_whole() {
                return;
            }
            self.take_byte(*byte);
        }
    }

    pub(super) const fn is_whole(&self) -> bool {
        self.length == Self::LENGTH
    }

    pub(super) fn status(&self) -> Status {
        let is_http = self.bytes.starts_with(b"HTTP/1.")
            && self.bytes[Self::CODE.start - 1] == b' '
            && matches!(self.bytes[Self::CODE.end], b' ' | b'\r');
        let code = code(&self.bytes[Self::CODE]).filter(|_| is_http);
        code.map_or(Status::NoHttp, Status::Code)
    }

    fn take_byte(&mut self, byte: u8) {
        if let Some(interim) = &mut self.interim {
            match byte {
                // The blank line that ends it.
                b'\n' if !interim.has_text => self.interim = None,
                b'\n' => interim.has_text = false,
                b'\r' => {}
                _ => interim.has_text = true,
            }
            return;
        }
        self.bytes[self.length] = byte;
        self.length += 1;
        if self.is_whole() && is_interim(self.status()) {
            self.length = 0;
            self.interim = Some(Interim { has_text: true });
        }
    }
}

/// Whether another response follows. After 101 another protocol does (RFC 9110 section
/// 15.2.2).
const fn is_interim(status: Status) -> bool {
    matches!(status, Status::Code(code) if code / 100 == 1 && code != 101)
}

/// Three digits, of which the first is that of a class.
fn code(text: &[u8]) -> Option<u16> {
    match *text {
        [class @ b'1'..=b'5', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            let digit = |byte: u8| u16::from(byte - b'0');
            Some(digit(class) * 100 + digit(tens) * 10 + digit(ones))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_however_it_comes_and_nothing_else_is_one() {
        for (text, status) in [
            ("HTTP/1.1 200 OK\r\n", Status::Code(200)),
            ("HTTP/1.1 204\r\n", Status::Code(204)),
            (
                "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 503 No\r\n",
                Status::Code(503),
            ),
            (
                "HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n",
                Status::Code(101),
            ),
            (
                "HTTP/1.1 100 Continue\r\n\r\nSSH-2.0-OpenSSH_9.2",
                Status::NoHttp,
            ),
            ("HTTP/1.1 2004 OK\r\n", Status::NoHttp),
            ("HTTP/1.12200 OK\r\n", Status::NoHttp),
            ("HTTP/1.0 503 Service Unavailable", Status::Code(503)),
            ("HTTP/1.1 900 OK\r\n", Status::NoHttp),
            ("HTTP/1.1 2x0 OK\r\n", Status::NoHttp),
            ("SSH-2.0-OpenSSH_9.2", Status::NoHttp),
            ("HTTP/2.0 200 ", Status::NoHttp),
        ] {
            for size in 1..text.len() {
                let mut line = StatusLine::default();
                for piece in text.as_bytes().chunks(size) {
                    line.take(piece);
                }
                assert!(line.is_whole());
                assert_eq!(line.status(), status, "{text} in pieces of {size}");
            }
        }
    }

    #[test]
    fn expected_statuses_are_lists_of_codes_and_classes() {
        for (text, included, others) in [
            ("200", &[200][..], &[201, 404][..]),
            ("2xx,304", &[200, 299, 304], &[303, 500]),
            ("any", &[100, 200, 503], &[]),
        ] {
            let expected: ExpectedStatus = text.parse().unwrap();
            assert_eq!(expected.to_string(), text);
            let includes = |code: &u16| expected.includes(Status::Code(*code));
            assert!(included.iter().all(includes), "{text}");
            assert!(!others.iter().any(includes), "{text}");
            assert_eq!(expected.includes(Status::NoHttp), text == "any");
        }
        for text in ["", "20", "600", "6xx", "2xx,", "2xx;3xx", "Any"] {
            assert!(text.parse::<ExpectedStatus>().is_err(), "{text}");
        }
    }
}
