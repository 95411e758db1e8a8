//! A handshake between two stacks over a network: the unit of every measurement.

use std::fmt;
use std::str::FromStr;

use crate::{Handshake, ParseHandshakeError};

/// A handshake, who performs it, and over which network.
///
/// Its text form is `CLIENT>SERVER/HANDSHAKE@NETWORK`, for example
/// `rustls>openssl/1.3/X25519MLKEM768/ecdsa-p256/full@memory`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scenario {
    client: StackName,
    server: StackName,
    handshake: Handshake,
    network: NetworkName,
}

impl Scenario {
    /// Puts the parts together; whether the stacks can do it, the stacks tell.
    pub const fn new(
        client: StackName,
        server: StackName,
        handshake: Handshake,
        network: NetworkName,
    ) -> Self {
        Self {
            client,
            server,
            handshake,
            network,
        }
    }

    /// The stack on the client's side.
    pub const fn client(&self) -> &StackName {
        &self.client
    }

    /// The stack on the server's side.
    pub const fn server(&self) -> &StackName {
        &self.server
    }

    /// What is negotiated.
    pub const fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// What lies between the two.
    pub const fn network(&self) -> &NetworkName {
        &self.network
    }

    /// The same stacks and network with another handshake.
    pub fn with_handshake(&self, handshake: Handshake) -> Self {
        Self {
            handshake,
            ..self.clone()
        }
    }
}

/// The name of a TLS stack: lower-case letters, digits and dashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StackName(String);

/// The name of a network: `memory`, `loopback`, or an emulated one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkName(String);

impl NetworkName {
    /// Flights handed over in memory: no socket, no scheduler, no waiting.
    pub fn memory() -> Self {
        Self("memory".to_owned())
    }

    /// TCP over the loopback interface.
    pub fn loopback() -> Self {
        Self("loopback".to_owned())
    }
}

impl StackName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl NetworkName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseScenarioError {
    /// Not `CLIENT>SERVER/HANDSHAKE@NETWORK`.
    #[error("{0:?} is not of the form CLIENT>SERVER/HANDSHAKE@NETWORK")]
    Form(String),
    /// A name with other characters than names have.
    #[error("{0:?} is no name of a stack or network: use lower-case letters, digits and dashes")]
    Name(String),
    /// The handshake within is none.
    #[error(transparent)]
    Handshake(#[from] ParseHandshakeError),
}

fn parse_name(text: &str) -> Result<String, ParseScenarioError> {
    let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || !text.chars().all(valid) {
        return Err(ParseScenarioError::Name(text.to_owned()));
    }
    Ok(text.to_owned())
}

impl FromStr for StackName {
    type Err = ParseScenarioError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_name(text).map(Self)
    }
}

impl FromStr for NetworkName {
    type Err = ParseScenarioError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_name(text).map(Self)
    }
}

impl fmt::Display for StackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}>{}/{}@{}",
            self.client, self.server, self.handshake, self.network
        )
    }
}

impl FromStr for Scenario {
    type Err = ParseScenarioError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || ParseScenarioError::Form(text.to_owned());
        let (client, rest) = text.split_once('>').ok_or_else(form)?;
        let (server, rest) = rest.split_once('/').ok_or_else(form)?;
        let (handshake, network) = rest.rsplit_once('@').ok_or_else(form)?;
        Ok(Self::new(
            client.parse()?,
            server.parse()?,
            handshake.parse()?,
            network.parse()?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_parse_back_to_the_same_scenario() {
        let id = "rustls>openssl/1.3/X25519MLKEM768/ecdsa-p256/full@memory";
        let scenario: Scenario = id.parse().unwrap();
        assert_eq!(scenario.to_string(), id);
        assert_eq!(scenario.client().as_str(), "rustls");
        assert_eq!(scenario.server().as_str(), "openssl");
    }

    #[test]
    fn text_that_is_no_scenario_is_refused() {
        for text in [
            "",
            "rustls",
            "rustls>openssl",
            "rustls>openssl/1.3/x25519/rsa-2048/full",
            "Rustls>openssl/1.3/x25519/rsa-2048/full@memory",
            "rustls>/1.3/x25519/rsa-2048/full@memory",
            "rustls>openssl/1.3/x25519/rsa-2048/full@",
        ] {
            assert!(text.parse::<Scenario>().is_err(), "{text:?}");
        }
    }
}
