//! What can be scanned: a host, a port, and what is spoken there.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Target {
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What is spoken there, before TLS or in its place.
    pub protocol: Protocol,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.protocol != Protocol::Tls {
            write!(f, "{}://", self.protocol)?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Something that is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTargetError {
    /// What stands before `://`.
    #[error(
        "{0:?} is no protocol that is known here: there are tls, smtp, imap, pop3, ldap, postgresql, mysql, ssh and quic"
    )]
    Protocol(String),
    /// What stands after the last colon.
    #[error("{0:?} is no port from 1 to 65535")]
    Port(String),
    /// All else.
    #[error(
        "{0:?} is no host: use example.com, example.com:443, [::1]:443 or smtp://example.com:25"
    )]
    Host(String),
}

impl FromStr for Target {
    type Err = ParseTargetError;

    /// Reads `HOST`, `HOST:PORT` and `PROTOCOL://HOST:PORT`; an IPv6 address with a port has
    /// brackets. `https` stands for `tls`. Without a port it is the protocol's own.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (protocol, rest) = match text.split_once("://") {
            None => (Protocol::Tls, text),
            Some((name, rest)) => {
                let known = Protocol::ALL.into_iter().find(|known| known.name() == name);
                let known = known.or_else(|| (name == "https").then_some(Protocol::Tls));
                let no = || ParseTargetError::Protocol(name.to_owned());
                (
                    known.ok_or_else(no)?,
                    rest.strip_suffix('/').unwrap_or(rest),
                )
            }
        };
        let no_host = || ParseTargetError::Host(text.to_owned());
        let (host, port) = if rest.parse::<Ipv6Addr>().is_ok() {
            (rest, None)
        } else if let Some(rest) = rest.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or_else(no_host)?;
            host.parse::<Ipv6Addr>().map_err(|_| no_host())?;
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return Err(no_host()),
            }
        } else {
            match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            }
        };
        let is_host = |letter: char| letter.is_alphanumeric() || "-._:".contains(letter);
        if host.is_empty() || host.len() > 253 || !host.chars().all(is_host) {
            return Err(no_host());
        }
        let port = match port {
            None => protocol.port(),
            Some(port) => match port.parse() {
                Ok(0) | Err(_) => return Err(ParseTargetError::Port(port.to_owned())),
                Ok(port) => port,
            },
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            protocol,
        })
    }
}

/// How TLS, or what stands in its place, is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TLS from the first byte.
    Tls,
    /// SMTP with STARTTLS (RFC 3207).
    Smtp,
    /// IMAP with STARTTLS (RFC 3501 section 6.2.1).
    Imap,
    /// POP3 with STLS (RFC 2595 section 4).
    Pop3,
    /// LDAP with StartTLS (RFC 4511 section 4.14).
    Ldap,
    /// PostgreSQL's SSLRequest.
    Postgresql,
    /// MySQL's SSLRequest.
    Mysql,
    /// SSH (RFC 4253): no TLS at all.
    Ssh,
    /// QUIC over UDP (RFC 9001).
    Quic,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Tls,
        Self::Smtp,
        Self::Imap,
        Self::Pop3,
        Self::Ldap,
        Self::Postgresql,
        Self::Mysql,
        Self::Ssh,
        Self::Quic,
    ];

    /// The port that is registered for it.
    pub const fn port(self) -> u16 {
        match self {
            Self::Tls | Self::Quic => 443,
            Self::Smtp => 25,
            Self::Imap => 143,
            Self::Pop3 => 110,
            Self::Ldap => 389,
            Self::Postgresql => 5432,
            Self::Mysql => 3306,
            Self::Ssh => 22,
        }
    }

    /// As it is written in front of a target: `smtp://`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ldap => "ldap",
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
            Self::Ssh => "ssh",
            Self::Quic => "quic",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_they_are_shown_and_others_refused() {
        for (text, shown) in [
            ("server.example.test", "server.example.test:443"),
            ("https://server.example.test/", "server.example.test:443"),
            ("127.0.0.1:8443", "127.0.0.1:8443"),
            ("::1", "[::1]:443"),
            ("[::1]:22", "[::1]:22"),
            ("ssh://server.example.test", "ssh://server.example.test:22"),
            ("quic://[::1]:8443", "quic://[::1]:8443"),
            (
                "smtp://mail.example.test:587",
                "smtp://mail.example.test:587",
            ),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), shown);
            assert_eq!(shown.parse::<Target>(), Ok(target));
        }
        for text in [
            "", ":443", "a:0", "a:b", "a:65536", "[::1", "[::1]x", "a b", "http://a", "ftp://a",
            "tls://", "a/b", "a@b", "a\n", "[a]:1",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text:?}");
        }
        assert!("a".repeat(254).parse::<Target>().is_err());
    }
}
