//! The distinguished name of a subject.

use std::fmt;
use std::str::FromStr;

use rcgen::{DistinguishedName, DnType};
use serde::{Deserialize, Serialize};

use crate::Name;

/// Who a certificate is for, as RFC 4514 writes it, in the order in which it was given:
/// `CN=Example Root CA,O=Example,C=DE`. One value for each type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Subject(Vec<(Type, String)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    CommonName,
    Organization,
    OrganizationalUnit,
    Locality,
    State,
    Country,
}

/// Its name, and how many characters it may have (RFC 5280 appendix A.1).
const TYPES: [(Type, &str, usize); 6] = [
    (Type::CommonName, "CN", 64),
    (Type::Organization, "O", 64),
    (Type::OrganizationalUnit, "OU", 64),
    (Type::Locality, "L", 128),
    (Type::State, "ST", 128),
    (Type::Country, "C", 2),
];

/// The text is no distinguished name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no subject: {why}; write it as `CN=Example Root CA,O=Example,C=DE`, with a \
     backslash before commas that belong to a value"
)]
pub struct SubjectError {
    text: String,
    why: String,
}

impl Subject {
    /// A subject of a common name alone: the name, cut to the 64 characters that it may
    /// have. OpenSSL takes a common name that looks like a host for one and holds it against
    /// name constraints, and an address looks like that: it stands behind a word.
    pub fn of_name(name: &Name) -> Self {
        let text = match name {
            Name::Ip(address) => format!("IP {address}"),
            other => other.to_string(),
        };
        Self(vec![(Type::CommonName, text.chars().take(64).collect())])
    }

    /// The common name, if there is one.
    pub fn common_name(&self) -> Option<&str> {
        let mut found = self.0.iter().filter(|(t, _)| *t == Type::CommonName);
        found.next().map(|(_, value)| value.as_str())
    }

    /// As rcgen takes it: the encoding begins with the last part, as is usual.
    pub(crate) fn to_distinguished_name(&self) -> DistinguishedName {
        let mut name = DistinguishedName::new();
        for (t, value) in self.0.iter().rev() {
            let t = match t {
                Type::CommonName => DnType::CommonName,
                Type::Organization => DnType::OrganizationName,
                Type::OrganizationalUnit => DnType::OrganizationalUnitName,
                Type::Locality => DnType::LocalityName,
                Type::State => DnType::StateOrProvinceName,
                Type::Country => DnType::CountryName,
            };
            name.push(t, value.as_str());
        }
        name
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let wrong = |why: &str| SubjectError {
            text: text.to_owned(),
            why: why.to_owned(),
        };
        let mut parts: Vec<(Type, String)> = Vec::new();
        for part in split(text).ok_or_else(|| wrong("it ends in a backslash"))? {
            let (t, value) = part
                .split_once('=')
                .ok_or_else(|| wrong("a part has no `=`"))?;
            let t = t.trim().to_ascii_uppercase();
            let value = unescape(trim(value)).ok_or_else(|| {
                wrong("a special character has no backslash before it, or is not known here")
            })?;
            let known = TYPES.iter().find(|(_, name, _)| *name == t);
            let (t, name, longest) =
                known.ok_or_else(|| wrong("only CN, O, OU, L, ST and C are known"))?;
            let length = value.chars().count();
            if length == 0 || length > *longest {
                return Err(wrong(&format!("{name} has 1 to {longest} characters")));
            }
            if value.chars().any(char::is_control) {
                return Err(wrong("it has control characters"));
            }
            let is_country = value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase());
            if *t == Type::Country && !is_country {
                return Err(wrong("C is a country's two capital letters"));
            }
            if parts.iter().any(|(other, _)| other == t) {
                return Err(wrong(&format!("{name} stands twice")));
            }
            parts.push((*t, value));
        }
        Ok(Self(parts))
    }
}

/// Splits at commas that have no backslash before them; the backslashes stay.
fn split(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        // There is always a last part.
        let part = parts.last_mut()?;
        match c {
            '\\' => part.extend([c, chars.next()?]),
            ',' => parts.push(String::new()),
            _ => part.push(c),
        }
    }
    Some(parts)
}

/// A value without its backslashes: a special character, or the two hexadecimal digits of a
/// byte, follows each. Several values joined by `+` and encodings after `#` are not known.
fn unescape(value: &str) -> Option<String> {
    if value.starts_with('#') {
        return None;
    }
    let mut bytes = Vec::new();
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let plain = match c {
            '+' | '"' | ';' | '<' | '>' => return None,
            '\\' => {
                let first = chars.next()?;
                let second = chars.peek().and_then(|c| c.to_digit(16));
                match first.to_digit(16).zip(second) {
                    Some((high, low)) => {
                        chars.next();
                        bytes.push(u8::try_from(high << 4 | low).ok()?);
                        continue;
                    }
                    None => first,
                }
            }
            other => other,
        };
        bytes.extend(plain.encode_utf8(&mut [0; 4]).bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Blanks around a part are no part of it, but one behind a backslash is.
fn trim(value: &str) -> &str {
    let value = value.trim_start();
    let trimmed = value.trim_end();
    match trimmed.ends_with('\\') && trimmed.len() < value.len() {
        true => &value[..=trimmed.len()],
        false => trimmed,
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (t, value)) in self.0.iter().enumerate() {
            let name = TYPES.iter().find(|(other, ..)| other == t);
            let name = name.map_or("", |(_, name, _)| name);
            let value = pki::escape(value);
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{name}={value}")?;
        }
        Ok(())
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

impl TryFrom<String> for Subject {
    type Error = SubjectError;

    fn try_from(text: String) -> Result<Self, SubjectError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_and_written() {
        for text in [
            "CN=A",
            "CN=A\\, B,O=C\\\\D,C=DE",
            "CN=\\#a\\+b\\ ,O=\\\"c\\\"",
        ] {
            assert_eq!(text.parse::<Subject>().unwrap().to_string(), text);
        }
        let spaced: Subject = " cn = A , o = B ".parse().unwrap();
        assert_eq!(spaced.to_string(), "CN=A,O=B");
        assert_eq!(spaced.common_name(), Some("A"));
    }

    #[test]
    fn what_is_no_subject_is_refused() {
        for text in [
            "",
            "A",
            "CN=",
            "X=1",
            "CN=A,CN=B",
            "C=de",
            "C=DEU",
            "CN=a\\",
            "CN=a\nb",
        ] {
            assert!(text.parse::<Subject>().is_err(), "{text:?}");
        }
        assert!(format!("CN={}", "a".repeat(65)).parse::<Subject>().is_err());
    }
}
