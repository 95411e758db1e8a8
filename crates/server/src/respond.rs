//! Requests and the one answer to them.

/// Collects application data until a request is whole.
#[derive(Debug)]
pub(crate) struct Requests {
    received: Vec<u8>,
    max_length: usize,
}

/// A request is longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overlong;

/// What every request gets.
pub(crate) const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// The end of a request without a body (RFC 9112 section 2.1).
const BLANK_LINE: &[u8] = b"\r\n\r\n";

impl Requests {
    pub(crate) const fn new(max_length: usize) -> Self {
        Self {
            received: Vec::new(),
            max_length,
        }
    }

    /// Takes a piece of data, and gives the number of requests that it completes.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<usize, Overlong> {
        // A blank line may begin in the piece before.
        let mut searched = self.received.len().saturating_sub(BLANK_LINE.len() - 1);
        self.received.extend_from_slice(piece);
        let (mut count, mut begin) = (0, 0);
        while let Some(at) = self.received[searched..]
            .windows(BLANK_LINE.len())
            .position(|window| window == BLANK_LINE)
        {
            let end = searched + at + BLANK_LINE.len();
            if end - begin > self.max_length {
                return Err(Overlong);
            }
            count += 1;
            begin = end;
            searched = end;
        }
        self.received.drain(..begin);
        if self.received.len() > self.max_length {
            return Err(Overlong);
        }
        Ok(count)
    }

    /// Whether a request has begun and is not whole.
    pub(crate) fn is_within_request(&self) -> bool {
        !self.received.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_found_however_they_come() {
        let bytes = b"GET / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\nGET";
        for size in 1..=bytes.len() {
            let mut requests = Requests::new(64);
            let found: usize = bytes
                .chunks(size)
                .map(|piece| requests.take(piece).unwrap())
                .sum();
            assert_eq!(found, 2, "in pieces of {size}");
            assert!(requests.is_within_request());
        }
    }

    #[test]
    fn an_overlong_request_is_refused_whole_or_in_part() {
        assert_eq!(
            Requests::new(8).take(b"GET / HTTP/1.1\r\n\r\n"),
            Err(Overlong)
        );
        let mut requests = Requests::new(8);
        assert_eq!(requests.take(b"GET /abc"), Ok(0));
        assert_eq!(requests.take(b"d"), Err(Overlong));
    }
}
