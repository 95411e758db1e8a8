//! `--filter kx=X25519MLKEM768|x25519,auth=ecdsa-p256`: which subjects are wanted.

use std::str::FromStr;

use wire::{ChainAlgorithms, CipherSuite, ProtocolVersion};

use crate::{HandshakeKind, KeyExchange, NetworkName, PrimitiveOperation, StackName, Subject};

/// Terms that all must hold; the alternatives of one term are separated by `|`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    axis: Axis,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Client,
    Server,
    Stack,
    Version,
    KeyExchange,
    Authentication,
    Kind,
    Mutual,
    Tickets,
    CipherSuite,
    Network,
    Provider,
    Operation,
}

const AXES: [(&str, Axis); 13] = [
    ("client", Axis::Client),
    ("server", Axis::Server),
    ("stack", Axis::Stack),
    ("version", Axis::Version),
    ("kx", Axis::KeyExchange),
    ("auth", Axis::Authentication),
    ("kind", Axis::Kind),
    ("mutual", Axis::Mutual),
    ("tickets", Axis::Tickets),
    ("suite", Axis::CipherSuite),
    ("network", Axis::Network),
    ("provider", Axis::Provider),
    ("operation", Axis::Operation),
];

/// The text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A term is not `AXIS=VALUE`.
    #[error("filter term {0:?} is not of the form AXIS=VALUE or AXIS=VALUE|VALUE")]
    Form(String),
    /// An axis that does not exist.
    #[error(
        "unknown axis {0:?} in a filter: use client, server, stack, version, kx, auth, kind, \
         mutual, tickets, suite, network, provider or operation"
    )]
    Axis(String),
    /// A value that its axis does not have.
    #[error("in filter term {axis}={value}: {reason}")]
    Value {
        /// The axis.
        axis: &'static str,
        /// The value as it was given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Filter {
    /// Whether all terms hold for a subject. A subject that lacks an axis does not match it.
    pub fn matches(&self, subject: &Subject) -> bool {
        self.terms.iter().all(|term| term.matches(subject))
    }
}

impl Term {
    fn matches(&self, subject: &Subject) -> bool {
        let found = self.axis.values_of(subject);
        !found.is_empty() && found.iter().all(|found| self.values.contains(found))
    }
}

impl Axis {
    /// What a subject has on this axis, in canonical spelling; both stacks for `stack`.
    fn values_of(self, subject: &Subject) -> Vec<String> {
        if let Subject::Primitive(primitive) = subject {
            let operation = primitive.operation;
            return match (self, operation) {
                (Self::Provider, _) => vec![primitive.provider.to_string()],
                (Self::Operation, _) => vec![operation.name().to_owned()],
                (
                    Self::KeyExchange,
                    PrimitiveOperation::GenerateShare(_)
                    | PrimitiveOperation::Encapsulate(_)
                    | PrimitiveOperation::Decapsulate(_),
                )
                | (
                    Self::Authentication,
                    PrimitiveOperation::Sign(_) | PrimitiveOperation::Verify(_),
                ) => vec![operation.algorithm()],
                _ => Vec::new(),
            };
        }
        let Some(scenario) = subject.scenario() else {
            return Vec::new();
        };
        let handshake = scenario.handshake();
        match self {
            Self::Client => vec![scenario.client().to_string()],
            Self::Server => vec![scenario.server().to_string()],
            Self::Stack => vec![scenario.client().to_string(), scenario.server().to_string()],
            Self::Version => vec![handshake.version().to_string()],
            Self::KeyExchange => vec![handshake.key_exchange().to_string()],
            Self::Authentication => vec![handshake.authentication().to_string()],
            Self::Kind => vec![handshake.kind().to_string()],
            Self::Mutual => vec![handshake.client_authentication().is_some().to_string()],
            Self::Tickets => vec![handshake.tickets().to_string()],
            Self::CipherSuite => vec![handshake.cipher_suite().to_string()],
            Self::Network => vec![scenario.network().to_string()],
            Self::Provider | Self::Operation => Vec::new(),
        }
    }

    /// A value in canonical spelling, or what is wrong with it.
    fn canonical(self, value: &str) -> Result<String, String> {
        fn through<T: FromStr<Err: ToString> + ToString>(value: &str) -> Result<String, String> {
            value
                .parse::<T>()
                .map(|parsed| parsed.to_string())
                .map_err(|error| error.to_string())
        }
        match self {
            Self::Client | Self::Server | Self::Stack | Self::Provider => {
                through::<StackName>(value)
            }
            Self::Version => through::<ProtocolVersion>(value),
            Self::KeyExchange => through::<KeyExchange>(value),
            Self::Authentication => through::<ChainAlgorithms>(value),
            Self::Kind => through::<HandshakeKind>(value),
            Self::Mutual => through::<bool>(value),
            Self::Tickets => through::<u8>(value),
            Self::CipherSuite => through::<CipherSuite>(value),
            Self::Network => through::<NetworkName>(value),
            Self::Operation => Ok(value.to_owned()),
        }
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let terms = text.split(',').map(parse_term).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }
}

fn parse_term(text: &str) -> Result<Term, FilterError> {
    let (name, values) = text
        .split_once('=')
        .ok_or_else(|| FilterError::Form(text.to_owned()))?;
    let (name, axis) = AXES
        .into_iter()
        .find(|(axis, _)| *axis == name.trim())
        .ok_or_else(|| FilterError::Axis(name.to_owned()))?;
    let canonical = |value: &str| {
        axis.canonical(value.trim())
            .map_err(|reason| FilterError::Value {
                axis: name,
                value: value.to_owned(),
                reason,
            })
    };
    Ok(Term {
        axis,
        values: values.split('|').map(canonical).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(filter: &str, subject: &str) -> bool {
        filter
            .parse::<Filter>()
            .unwrap()
            .matches(&subject.parse().unwrap())
    }

    #[test]
    fn terms_select_subjects() {
        let id = "rustls>openssl/1.3/X25519MLKEM768/ecdsa-p256/full@memory";
        assert!(matches("kx=x25519mlkem768,auth=ecdsa-p256", id));
        assert!(matches("kx=x25519|X25519MLKEM768", id));
        assert!(matches("client=rustls,mutual=false,network=memory", id));
        assert!(!matches("kx=x25519", id));
        assert!(!matches("stack=rustls", id), "the server is another stack");
        assert!(matches("stack=rustls|openssl", id));
        assert!(matches(
            "kx=MLKEM768",
            "primitive:pqcrypto/MLKEM768/encapsulate"
        ));
        assert!(!matches(
            "kind=full",
            "primitive:pqcrypto/MLKEM768/encapsulate"
        ));
    }

    #[test]
    fn wrong_filters_name_what_is_wrong() {
        for (filter, named) in [
            ("kx", "AXIS=VALUE"),
            ("group=x25519", "group"),
            ("kx=X25519MLKEM769", "X25519MLKEM769"),
            ("auth=rsa-1024", "rsa-1024"),
            ("mutual=maybe", "maybe"),
            ("", "AXIS=VALUE"),
        ] {
            let error = filter.parse::<Filter>().unwrap_err().to_string();
            assert!(error.contains(named), "{filter:?}: {error}");
        }
    }
}
