//! Versions of programs and their TLS libraries, which no file tells and a caller may know.

use std::collections::BTreeMap;
use std::str::FromStr;

use audit::Software;

/// What the caller knows of installed versions: a default in a configuration means another
/// thing with another library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions(BTreeMap<Software, InstalledVersion>);

/// The installed version of one program, and of its TLS library.
///
/// `FromStr` reads `nginx=1.22.1/openssl=3.0.2`, `haproxy=2.6` and `postgresql=/openssl=3.5.1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledVersion {
    /// Which program.
    pub software: Software,
    /// Its version: `1.22.1`.
    pub program: Option<String>,
    /// Name and version of its TLS library: `openssl 3.0.2`.
    pub library: Option<String>,
}

impl Versions {
    /// The version of a program (`1.22.1`), and name and version of its TLS library
    /// (`openssl 3.0.2`), as far as the caller knows.
    pub fn of(&self, software: Software) -> (Option<&str>, Option<&str>) {
        match self.0.get(&software) {
            Some(known) => (known.program.as_deref(), known.library.as_deref()),
            None => (None, None),
        }
    }
}

impl FromIterator<InstalledVersion> for Versions {
    /// The last entry of a program counts.
    fn from_iter<I: IntoIterator<Item = InstalledVersion>>(entries: I) -> Self {
        let keyed = entries.into_iter().map(|entry| (entry.software, entry));
        Self(keyed.collect())
    }
}

/// A text that is no installed version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseVersionError {
    /// The name is of no program whose configurations are read.
    #[error("{0:?} is no program whose configurations are read: use one of {names}", names = names())]
    UnknownSoftware(String),
    /// It has another form.
    #[error(
        "{0:?} is no version: use PROGRAM=VERSION or PROGRAM=VERSION/LIBRARY=VERSION, as nginx=1.22.1/openssl=3.0.2"
    )]
    Malformed(String),
}

const SOFTWARE: [(&str, Software); 9] = [
    ("nginx", Software::Nginx),
    ("apache", Software::Apache),
    ("haproxy", Software::Haproxy),
    ("envoy", Software::Envoy),
    ("caddy", Software::Caddy),
    ("openssl", Software::Openssl),
    ("openssh", Software::Openssh),
    ("postgresql", Software::Postgresql),
    ("java", Software::Java),
];

fn names() -> String {
    SOFTWARE.map(|(name, _)| name).join(", ")
}

impl FromStr for InstalledVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ParseVersionError::Malformed(text.to_owned());
        let (program, library) = match text.split_once('/') {
            Some((program, library)) => (program, Some(library)),
            None => (text, None),
        };
        let (name, version) = program.split_once('=').ok_or_else(malformed)?;
        let (_, software) = SOFTWARE
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name.trim()))
            .ok_or_else(|| ParseVersionError::UnknownSoftware(name.trim().to_owned()))?;
        let library = match library.map(|library| library.split_once('=')) {
            None => None,
            Some(Some((name, version))) if !name.trim().is_empty() && is_version(version) => {
                let name = name.trim().to_ascii_lowercase();
                Some(format!("{name} {}", version.trim()))
            }
            Some(_) => return Err(malformed()),
        };
        let program = match version.trim() {
            "" if library.is_some() => None,
            version if is_version(version) => Some(version.to_owned()),
            _ => return Err(malformed()),
        };
        Ok(Self {
            software: *software,
            program,
            library,
        })
    }
}

fn is_version(text: &str) -> bool {
    text.trim()
        .starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_and_the_last_counts() {
        let entries = [
            "nginx=1.18/openssl=1.1.1",
            "Nginx=1.22.1/OpenSSL=3.0.2",
            "haproxy=2.6",
        ];
        let versions: Versions = entries.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(
            versions.of(Software::Nginx),
            (Some("1.22.1"), Some("openssl 3.0.2"))
        );
        assert_eq!(versions.of(Software::Haproxy), (Some("2.6"), None));
        assert_eq!(versions.of(Software::Caddy), (None, None));
        let library_only: InstalledVersion = "postgresql=/openssl=3.5.1".parse().unwrap();
        assert_eq!(library_only.program, None);
        assert_eq!(library_only.library.as_deref(), Some("openssl 3.5.1"));
    }

    #[test]
    fn what_is_no_entry_says_what_to_write() {
        let unknown = "lighttpd=1.4".parse::<InstalledVersion>().unwrap_err();
        assert!(unknown.to_string().contains("haproxy"), "{unknown}");
        for text in [
            "nginx",
            "nginx=",
            "nginx=new",
            "nginx=1.22/openssl",
            "nginx=1.22/=3.0",
        ] {
            let error = text.parse::<InstalledVersion>().unwrap_err();
            assert!(matches!(error, ParseVersionError::Malformed(_)), "{text}");
        }
    }
}
