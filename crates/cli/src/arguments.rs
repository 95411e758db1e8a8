//! What several verbs take as arguments: times, and the request of HTTP/1.1.

use std::time::{Duration, Instant};

use crate::target::Target;

/// A time in seconds.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    positive(text, 1.0)
}

/// A time in milliseconds.
pub(crate) fn milliseconds(text: &str) -> Result<Duration, String> {
    positive(text, 1e-3)
}

/// A time for several steps together, which runs from when it is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Countdown {
    begin: Instant,
    /// All of it.
    pub(crate) limit: Duration,
}

impl Countdown {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            begin: Instant::now(),
            limit,
        }
    }

    /// What is left now.
    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.begin.elapsed())
    }
}

/// More than nothing, and less than a year.
fn positive(text: &str, unit: f64) -> Result<Duration, String> {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match Duration::try_from_secs_f64(number * unit) {
        Ok(time) if !time.is_zero() && time < YEAR => Ok(time),
        _ => Err("must be more than 0, and less than a year".to_owned()),
    }
}

/// The path of a request target (RFC 9112 section 3.2.1), as it is sent.
pub(crate) fn path(text: &str) -> Result<String, String> {
    match text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("must begin with / and be printable ASCII without spaces".to_owned()),
    }
}

/// A GET of HTTP/1.1 for this path, of the server that is called `name` at the target's
/// port; the server is to close after it.
pub(crate) fn request(path: &str, name: &str, target: &Target) -> Vec<u8> {
    let host = Target {
        host: name.to_owned(),
        port: target.port,
    };
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: pqlab\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_would_write_headers_are_refused() {
        assert!(path("/a?b=c").is_ok());
        for text in ["", "a", "/a b", "/a\r\nX: y", "/\u{e9}"] {
            assert!(path(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_host_has_brackets_and_the_port() {
        let target: Target = "[::1]:8443".parse().unwrap();
        let request = String::from_utf8(request("/", "::1", &target)).unwrap();
        assert!(request.contains("\r\nHost: [::1]:8443\r\n"), "{request}");
    }

    #[test]
    fn times_are_more_than_nothing_and_less_than_a_year() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(milliseconds("20"), Ok(Duration::from_millis(20)));
        for text in ["0", "-1", "nan", "inf", "1e9", "x"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
