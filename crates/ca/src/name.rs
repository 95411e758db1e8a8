//! Names in the subject alternative name.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use rcgen::SanType;
use serde::{Deserialize, Serialize};

/// Whom a certificate speaks for (RFC 5280 section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Name {
    /// A host, or with `*.` before it every host of one level below (RFC 9525 section 6.3).
    Dns(String),
    /// An address.
    Ip(IpAddr),
    /// A mailbox.
    Email(String),
    /// A URI, such as a SPIFFE identity.
    Uri(String),
}

/// The text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no name for a certificate: {why}")]
pub struct NameError {
    text: String,
    why: &'static str,
}

/// The longest host name (RFC 1035 section 2.3.4).
const MAX_DNS: usize = 253;
const MAX_LABEL: usize = 63;

impl Name {
    /// As rcgen takes it.
    pub(crate) fn to_san(&self) -> Result<SanType, rcgen::Error> {
        Ok(match self {
            Self::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
            Self::Ip(address) => SanType::IpAddress(*address),
            Self::Email(mailbox) => SanType::Rfc822Name(mailbox.as_str().try_into()?),
            Self::Uri(uri) => SanType::URI(uri.as_str().try_into()?),
        })
    }

    /// Whether a verifier may take it for a host, if it stands as a common name.
    pub(crate) fn looks_like_a_host(&self) -> bool {
        matches!(self, Self::Dns(name) if name.contains('.')) || matches!(self, Self::Ip(_))
    }

    /// Whether it lies within a permitted DNS subtree (RFC 5280 section 4.2.1.10): the name
    /// itself, and all below it. Of mailboxes and URIs the host counts; an address is in no
    /// subtree.
    pub(crate) fn is_within(&self, subtree: &str) -> bool {
        let name = match self {
            Self::Dns(name) => name.strip_prefix("*.").unwrap_or(name),
            Self::Email(mailbox) => mailbox.rsplit('@').next().unwrap_or_default(),
            Self::Uri(uri) => host_of_uri(uri),
            Self::Ip(_) => return false,
        };
        let name = name.to_ascii_lowercase();
        let is_below = name
            .strip_suffix(subtree)
            .is_some_and(|rest| rest.ends_with('.'));
        name == subtree || is_below
    }
}

/// Without a prefix, an address is an address, something with `://` a URI, with `@` a
/// mailbox, and all else a host; `dns:`, `ip:`, `email:` and `uri:` say it outright. Hosts
/// become lower case.
impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = |why| NameError {
            text: text.to_owned(),
            why,
        };
        if !text.is_ascii() {
            return Err(wrong(
                "it has characters beyond ASCII; write a host in its xn-- form",
            ));
        }
        let (kind, rest) = match text.split_once(':') {
            Some((kind @ ("dns" | "ip" | "email" | "uri"), rest)) => (kind, rest),
            _ if text.parse::<IpAddr>().is_ok() => ("ip", text),
            _ if text.starts_with("http://") || text.starts_with("https://") => {
                return Err(wrong("give the host alone, or write uri: before it"));
            }
            _ if text.contains("://") => ("uri", text),
            _ if text.contains('@') => ("email", text),
            _ => ("dns", text),
        };
        if rest.is_empty() || rest.contains(|c: char| c.is_ascii_control() || c == ' ') {
            return Err(wrong("it is empty or has blanks"));
        }
        match kind {
            "ip" => rest
                .parse()
                .map(Self::Ip)
                .map_err(|_| wrong("it is no address")),
            "uri" => {
                let scheme = rest.split_once(':').map_or("", |(scheme, _)| scheme);
                let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
                begins
                    .then(|| Self::Uri(rest.to_owned()))
                    .ok_or_else(|| wrong("it has no scheme"))
            }
            "email" => match rest.rsplit_once('@') {
                Some((local, host)) if !local.is_empty() && check_host(host).is_ok() => {
                    Ok(Self::Email(rest.to_owned()))
                }
                _ => Err(wrong("it is no mailbox")),
            },
            _ => {
                if rest.ends_with('.') {
                    return Err(wrong("a host in a certificate has no dot at its end"));
                }
                let name = rest.to_ascii_lowercase();
                check_host(name.strip_prefix("*.").unwrap_or(&name)).map_err(wrong)?;
                Ok(Self::Dns(name))
            }
        }
    }
}

/// What stands between `//` and the next `/`, without user and port (RFC 3986 section 3.2).
fn host_of_uri(uri: &str) -> &str {
    let authority = uri.split_once("//").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

/// Labels of letters, digits and inner hyphens (RFC 5890 section 2.3.1).
pub(crate) fn check_host(name: &str) -> Result<(), &'static str> {
    if name.len() > MAX_DNS {
        return Err("a host has at most 253 characters");
    }
    for label in name.split('.') {
        let is_plain = label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if label.is_empty() || label.len() > MAX_LABEL {
            return Err("a part between dots has 1 to 63 characters");
        }
        if !is_plain || label.starts_with('-') || label.ends_with('-') {
            return Err(
                "a host is made of letters, digits and hyphens; * stands first or not at all",
            );
        }
    }
    if name
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err("a host does not end in a number");
    }
    Ok(())
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
            Self::Email(mailbox) => write!(f, "email:{mailbox}"),
            Self::Uri(uri) => write!(f, "uri:{uri}"),
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_read_back() {
        for (text, name) in [
            ("API.Example.test", Name::Dns("api.example.test".to_owned())),
            ("*.example.test", Name::Dns("*.example.test".to_owned())),
            ("localhost", Name::Dns("localhost".to_owned())),
            ("192.0.2.1", Name::Ip([192, 0, 2, 1].into())),
            ("2001:db8::1", Name::Ip("2001:db8::1".parse().unwrap())),
            ("a@example.test", Name::Email("a@example.test".to_owned())),
            (
                "spiffe://example.test/a",
                Name::Uri("spiffe://example.test/a".to_owned()),
            ),
        ] {
            assert_eq!(text.parse::<Name>().unwrap(), name);
            assert_eq!(name.to_string().parse::<Name>().unwrap(), name);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(64);
        for text in [
            "",
            "a..b",
            "-a.test",
            "a_b.test",
            "a.*.test",
            "*",
            "a b",
            "ip:x",
            "1.2.3",
            "@a.test",
            "dns:",
            "bücher.test",
            "uri:x",
            "a\nb",
            &long,
        ] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn subtrees_hold_themselves_and_what_is_below() {
        let within = |name: &str, subtree| name.parse::<Name>().unwrap().is_within(subtree);
        assert!(within("example.test", "example.test"));
        assert!(within("a.b.example.test", "example.test"));
        assert!(within("*.example.test", "example.test"));
        assert!(!within("badexample.test", "example.test"));
        assert!(!within("192.0.2.1", "example.test"));
        assert!(within("a@mail.example.test", "example.test"));
        assert!(!within("example.test@other.test", "example.test"));
        assert!(within("uri:https://u@A.Example.test:1/x", "example.test"));
        assert!(!within(
            "uri:https://other.test/example.test",
            "example.test"
        ));
        assert!(!within(
            "uri:https://example.test@other.test/",
            "example.test"
        ));
    }
}
