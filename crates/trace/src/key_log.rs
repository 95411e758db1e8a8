//! The secrets of connections, as TLS libraries log them for debugging: the format of NSS,
//! <https://datatracker.ietf.org/doc/html/draft-ietf-tls-keylogfile>.

use std::collections::HashMap;
use std::fmt;

/// What a logged secret protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretLabel {
    /// 0-RTT data.
    ClientEarly,
    /// The client's handshake messages.
    ClientHandshake,
    /// The server's handshake messages.
    ServerHandshake,
    /// What the client sends after its Finished.
    ClientApplication,
    /// What the server sends after its Finished.
    ServerApplication,
    /// TLS 1.2: the master secret, from which all keys come.
    Master,
}

impl SecretLabel {
    const ALL: [Self; 6] = [
        Self::ClientEarly,
        Self::ClientHandshake,
        Self::ServerHandshake,
        Self::ClientApplication,
        Self::ServerApplication,
        Self::Master,
    ];

    /// The word at the start of a line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientEarly => "CLIENT_EARLY_TRAFFIC_SECRET",
            Self::ClientHandshake => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            Self::ServerHandshake => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            Self::ClientApplication => "CLIENT_TRAFFIC_SECRET_0",
            Self::ServerApplication => "SERVER_TRAFFIC_SECRET_0",
            Self::Master => "CLIENT_RANDOM",
        }
    }
}

impl fmt::Display for SecretLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The secrets of any number of connections, told apart by the client's random.
#[derive(Clone, Default)]
pub struct KeyLog {
    secrets: HashMap<(SecretLabel, [u8; 32]), Vec<u8>>,
}

/// Secrets are for no log but this one.
impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyLog({} secrets)", self.secrets.len())
    }
}

/// A line of a key log that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line} of the key log: {what} (expected: LABEL CLIENT-RANDOM SECRET, in hexadecimal)"
)]
pub struct KeyLogError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl KeyLog {
    /// Reads the text of a key log. Empty lines, comments (`#`) and labels that decrypt no
    /// record are passed over.
    ///
    /// # Errors
    /// When a line with a known label is malformed.
    pub fn parse(text: &str) -> Result<Self, KeyLogError> {
        let mut log = Self::default();
        for (index, line) in text.lines().enumerate() {
            log.add(line).map_err(|what| KeyLogError {
                line: index + 1,
                what,
            })?;
        }
        Ok(log)
    }

    fn add(&mut self, line: &str) -> Result<(), &'static str> {
        let mut fields = line.split_whitespace();
        let name = fields.next().unwrap_or("#");
        let Some(label) = SecretLabel::ALL.into_iter().find(|l| l.name() == name) else {
            return Ok(());
        };
        let random = fields.next().ok_or("the client's random is missing")?;
        let secret = fields.next().ok_or("the secret is missing")?;
        let random = bytes(random)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or("the client's random is not 32 bytes in hexadecimal")?;
        let secret = bytes(secret).ok_or("the secret is not hexadecimal")?;
        self.secrets.insert((label, random), secret);
        Ok(())
    }

    pub(crate) fn secret(&self, label: SecretLabel, client_random: [u8; 32]) -> Option<&[u8]> {
        self.secrets.get(&(label, client_random)).map(Vec::as_slice)
    }
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits = hexadecimal.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits
        .chunks_exact(2)
        .map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_faults_named() {
        let random = "11".repeat(32);
        let text = format!(
            "# a comment\n\nEXPORTER_SECRET x y\nCLIENT_TRAFFIC_SECRET_0 {random} 0aFf\nCLIENT_RANDOM {random} 00\n"
        );
        let log = KeyLog::parse(&text).unwrap();
        let secret = log.secret(SecretLabel::ClientApplication, [0x11; 32]);
        assert_eq!(secret, Some(&[0x0a, 0xff][..]));
        assert_eq!(log.secret(SecretLabel::ClientEarly, [0x11; 32]), None);
        assert_eq!(format!("{log:?}"), "KeyLog(2 secrets)");

        for line in [
            "CLIENT_RANDOM",
            "CLIENT_RANDOM 11",
            "CLIENT_RANDOM 11 22",
            &format!("CLIENT_RANDOM {random} 1"),
            &format!("CLIENT_RANDOM {random} é"),
        ] {
            let error = KeyLog::parse(&format!("\n{line}")).unwrap_err();
            assert_eq!(error.line, 2, "{line}");
        }
    }
}
