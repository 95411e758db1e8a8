//! What a name means within one cloud.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::net::lookup_host;

use super::Lookup;

/// Looks a name up as a part of its cloud does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Resolver {
    /// The system's, which in a namespace of its own sees a hosts file of its own.
    System,
    /// This file in the format of hosts(5), and nothing else.
    Table(PathBuf),
}

impl Resolver {
    /// The addresses of a name, the first one preferred; in words why there are none.
    pub(super) async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let found = match self {
            Self::System => lookup_host((name, 0))
                .await
                .map(|addresses| addresses.map(|address| address.ip()).collect()),
            Self::Table(path) => in_table(path, name),
        };
        match found {
            Ok(addresses) if addresses.is_empty() => Err("no such name".to_owned()),
            Ok(addresses) => Ok(addresses),
            Err(error) => Err(error.to_string()),
        }
    }

    /// [`Self::resolve`], for a report. `place` is where it is asked.
    pub(super) async fn lookup(&self, place: &str, name: &str) -> Lookup {
        let (addresses, error) = match self.resolve(name).await {
            Ok(addresses) => (addresses, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Lookup {
            place: place.to_owned(),
            name: name.to_owned(),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            error,
        }
    }
}

fn in_table(path: &Path, name: &str) -> io::Result<Vec<IpAddr>> {
    let text = std::fs::read_to_string(path)?;
    Ok(addresses(&text, name))
}

/// What a hosts file says of a name: `ADDRESS NAME…`, comments from `#` on.
fn addresses(text: &str, name: &str) -> Vec<IpAddr> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            let address = words.next()?.parse().ok()?;
            words
                .any(|word| word.eq_ignore_ascii_case(name))
                .then_some(address)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_knows_what_it_says_and_nothing_else() {
        let text = "127.0.0.1 localhost # api.b\n10.1.0.1\tother api.b # ours\n::1 API.B\n";
        let found: Vec<String> = addresses(text, "api.b")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, ["10.1.0.1", "::1"]);
        assert!(addresses(text, "b").is_empty());
    }
}
