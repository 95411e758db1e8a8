//! Java: the security properties of java.security, and `-D` options of the virtual machine.

use audit::{Algorithm, Settings};

use super::FileName;
use super::default::Source;
use super::group_list::Groups;
use super::name;
use super::reading::Reading;
use super::scope::Scope;
use super::version::Version;
use super::word::{continued_lines, numbered};

#[rustfmt::skip]
const PROPERTIES: [&str; 9] = [
    "jdk.tls.namedGroups", "jdk.tls.disabledAlgorithms", "jdk.tls.legacyAlgorithms",
    "jdk.certpath.disabledAlgorithms", "jdk.jar.disabledAlgorithms", "jdk.disabled.namedGroups",
    "jdk.tls.ephemeralDHKeySize", "jdk.tls.client.protocols", "jdk.tls.server.protocols",
];

const VERSIONS: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

pub(super) fn recognises(name: &FileName, text: &str) -> bool {
    if name.is(&["java.security"]) {
        return true;
    }
    let may_be = name.may_be_configuration()
        || ["security", "properties", "options", "env"].contains(&name.extension.as_str());
    may_be
        && numbered(text).any(|(_, line)| {
            let line = line.trim_start().trim_start_matches("-D");
            PROPERTIES.iter().any(|property| {
                line.strip_prefix(property)
                    .is_some_and(|rest| rest.trim_start().starts_with(['=', ':']))
            })
        })
}

pub(super) fn read(text: &str, reading: &mut Reading<'_>) {
    let mut scope = Scope::titled("security properties");
    let mut properties = Properties::default();
    for line in continued_lines(text) {
        let text = line.text.trim();
        if text.is_empty() || text.starts_with(['#', '!']) {
            continue;
        }
        let option = text.strip_prefix("-D");
        let (key, value) = pair(option.unwrap_or(text));
        let Some(known) = PROPERTIES.iter().find(|known| **known == key) else {
            if key == "include" {
                scope.remark_include(value);
            }
            continue;
        };
        if !scope.set(line.number, known, value, reading) {
            continue;
        }
        let list = || {
            Some(
                value
                    .trim_matches('"')
                    .split(',')
                    .map(|part| part.trim().to_owned())
                    .collect(),
            )
        };
        match *known {
            "jdk.tls.namedGroups" if option.is_some() => properties.groups = list(),
            // The provider reads it from the system properties alone.
            "jdk.tls.namedGroups" => scope.remark(
                "jdk.tls.namedGroups is a system property: in a file of security properties it does nothing, give it as -Djdk.tls.namedGroups=…",
            ),
            "jdk.tls.disabledAlgorithms" => properties.disabled = list(),
            "jdk.disabled.namedGroups" => properties.disabled_groups = list(),
            _ => {}
        }
    }
    if scope.directives.is_empty() {
        return;
    }
    let settings = properties.settings(scope, reading);
    reading.push(settings);
}

/// A property's key and value: parted by `=`, `:` or white space.
fn pair(line: &str) -> (&str, &str) {
    let end = line
        .find(|c: char| c == '=' || c == ':' || c.is_whitespace())
        .unwrap_or(line.len());
    let (key, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (key, value.trim())
}

/// The lists of the properties that decide over key exchange.
#[derive(Default)]
struct Properties {
    groups: Option<Vec<String>>,
    disabled: Option<Vec<String>>,
    disabled_groups: Option<Vec<String>>,
}

impl Properties {
    fn settings(&self, mut scope: Scope, reading: &Reading<'_>) -> Settings {
        let version = reading
            .version
            .or(reading.library)
            .and_then(Version::find)
            .map(release);
        let mut groups = match &self.groups {
            Some(names) => Groups::named(names.iter().map(String::as_str)),
            None => Groups::by_default(Source::Java, version, reading.software),
        };
        if self.groups.is_some()
            && version.is_some_and(|version| version < Version([27, 0, 0]))
            && groups
                .algorithms
                .iter()
                .any(|one| matches!(one, Algorithm::Hybrid(..)))
        {
            scope.remark(
                "hybrid groups came with JDK 27 (JEP 527): this version does not know them",
            );
            groups
                .algorithms
                .retain(|one| !matches!(one, Algorithm::Hybrid(..)));
        }
        let Some(disabled) = &self.disabled else {
            return scope.into_settings(reading, groups, None);
        };
        let includes = disabled
            .iter()
            .any(|one| one == "include jdk.disabled.namedGroups");
        let more = self.disabled_groups.iter().flatten().filter(|_| includes);
        for entry in disabled.iter().chain(more) {
            groups
                .algorithms
                .retain(|algorithm| !forbids(entry, algorithm));
        }
        let has = |name: &str| {
            disabled
                .iter()
                .any(|entry| entry.eq_ignore_ascii_case(name))
        };
        scope.versions = VERSIONS
            .iter()
            .filter(|version| !has(version))
            .map(|version| (*version).to_owned())
            .collect();
        // The suites of static RSA are named one by one, or with a star since JDK 24.
        let static_rsa = !(has("TLS_RSA_*") || has("RSA"));
        scope.into_settings(reading, groups, Some(static_rsa))
    }
}

/// Release 8 calls itself 1.8.
fn release(version: Version) -> Version {
    match version {
        Version([1, minor, _]) => Version([minor, 0, 0]),
        version => version,
    }
}

/// Whether an entry of `jdk.tls.disabledAlgorithms` takes a group away: by its name, or by the
/// size of its keys as `DH keySize < 2048`.
fn forbids(entry: &str, algorithm: &Algorithm) -> bool {
    if name::of_group(entry).as_ref() == Some(algorithm) {
        return true;
    }
    let Algorithm::Dh(bits) = algorithm else {
        return false;
    };
    let mut words = entry.split_whitespace();
    if !words
        .next()
        .is_some_and(|name| matches!(name, "DH" | "DiffieHellman"))
    {
        return false;
    }
    let (Some("keySize"), Some(operator)) = (words.next(), words.next()) else {
        return entry == "DH" || entry == "DiffieHellman";
    };
    let Some(limit) = words.next().and_then(|limit| limit.parse::<u32>().ok()) else {
        return false;
    };
    match operator {
        "<" => *bits < limit,
        "<=" => *bits <= limit,
        ">" => *bits > limit,
        ">=" => *bits >= limit,
        "==" => *bits == limit,
        "!=" => *bits != limit,
        _ => false,
    }
}
