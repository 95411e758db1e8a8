//! `HOST:PORT`, as an argument.

use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

/// A server by name or address, and its port; 443 if it is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// A name has no address, or the system could not find out.
#[derive(Debug)]
pub(crate) struct LookupError {
    host: String,
    cause: io::Error,
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "looking up {}", self.host)
    }
}

impl std::error::Error for LookupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

impl Target {
    /// Its addresses, in the order of the system's resolver; one at least, and each once.
    pub(crate) fn resolve(&self) -> Result<Vec<SocketAddr>, LookupError> {
        let failed = |cause| LookupError {
            host: self.host.clone(),
            cause,
        };
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let mut addresses: Vec<SocketAddr> = found.map_err(failed)?.collect();
        addresses.dedup();
        match addresses.is_empty() {
            true => Err(failed(io::Error::other("it has no address"))),
            false => Ok(addresses),
        }
    }

    /// The same, within this time: the system's resolver may take many seconds.
    pub(crate) fn resolve_within(&self, limit: Duration) -> Result<Vec<SocketAddr>, LookupError> {
        let (tell, told) = mpsc::channel();
        let target = self.clone();
        // Nothing can end the system's call: one that is too slow ends with the program.
        thread::spawn(move || tell.send(target.resolve()));
        told.recv_timeout(limit).unwrap_or_else(|_| {
            let what = format!("no answer within {limit:?}");
            Err(LookupError {
                host: self.host.clone(),
                cause: io::Error::new(io::ErrorKind::TimedOut, what),
            })
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.strip_prefix("https://").unwrap_or(text);
        let text = text.strip_suffix('/').unwrap_or(text);
        let (host, port) = host_and_port(text)?;
        let port = match port {
            None => 443,
            Some(port) => match port.parse() {
                Ok(0) | Err(_) => return Err(anyhow!("{port:?} is no port from 1 to 65535")),
                Ok(port) => port,
            },
        };
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

/// Where a server listens: a name or an address of this machine, and a port; 0 lets the
/// system choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place(Target);

impl Place {
    /// Its address; of several, the first, which is told.
    ///
    /// # Errors
    /// When the name has none.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        let addresses = self.0.resolve()?;
        let first = addresses[0];
        if addresses.len() > 1 {
            let names: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
            let (host, names) = (&self.0.host, names.join(", "));
            eprintln!(
                "{host} has the addresses {names}: listening at {}",
                first.ip()
            );
        }
        Ok(first)
    }
}

impl FromStr for Place {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (host, port) = host_and_port(text)?;
        let port = port.context("a port is needed: 127.0.0.1:8443 or localhost:8443")?;
        let port = port.parse();
        Ok(Self(Target {
            host: host.to_owned(),
            port: port.context("the port is no number from 0 to 65535")?,
        }))
    }
}

/// A name, or an address without its brackets, and the port as it was written.
fn host_and_port(text: &str) -> Result<(&str, Option<&str>)> {
    let (host, port) = if text.parse::<Ipv6Addr>().is_ok() {
        (text, None)
    } else if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').context("the bracket is not closed")?;
        host.parse::<Ipv6Addr>()
            .context("brackets are for IPv6 addresses")?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(anyhow!("{rest:?} follows the bracket")),
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    if host.is_empty() || host.contains(['/', '@', ' ']) {
        return Err(anyhow!("a host and a port are needed: example.com:443"));
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_port_are_read_and_others_refused() {
        for (text, host, port) in [
            ("example.com", "example.com", 443),
            ("example.com:8443", "example.com", 8443),
            ("https://example.com/", "example.com", 443),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("::1", "::1", 443),
            ("[::1]:8443", "::1", 8443),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!((target.host.as_str(), target.port), (host, port), "{text}");
        }
        for text in [
            "",
            ":443",
            "a:0",
            "a:b",
            "a:65536",
            "[::1",
            "[::1]x",
            "a b:1",
            "http://a/b",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }

    #[test]
    fn servers_listen_at_names_and_at_any_port() {
        let place: Place = "localhost:0".parse().unwrap();
        assert!(place.address().unwrap().ip().is_loopback());
        let place: Place = "[::1]:8443".parse().unwrap();
        assert_eq!(place.address().unwrap().to_string(), "[::1]:8443");
        for text in ["localhost", "127.0.0.1", "::1", ":1", "a:65536", "a:b"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
