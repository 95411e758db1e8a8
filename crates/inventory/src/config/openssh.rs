//! OpenSSH: sshd_config and ssh_config, with lists that change the default of a version.

use super::FileName;
use super::default::{self, Source};
use super::group_list::Groups;
use super::name;
use super::reading::Reading;
use super::scope::Scope;
use super::version::Version;
use super::word::{numbered, words};

/// Keywords of which the first in force counts.
#[rustfmt::skip]
const SINGLE: [&str; 12] = [
    "KexAlgorithms", "HostKeyAlgorithms", "PubkeyAcceptedAlgorithms", "PubkeyAcceptedKeyTypes",
    "HostbasedAcceptedAlgorithms", "CASignatureAlgorithms", "Ciphers", "MACs", "RequiredRSASize",
    "TrustedUserCAKeys", "GSSAPIKexAlgorithms", "WarnWeakCrypto",
];

/// Keywords that are given several times.
const REPEATED: [&str; 6] = [
    "HostKey",
    "HostCertificate",
    "IdentityFile",
    "CertificateFile",
    "Port",
    "ListenAddress",
];

const FILES: [&str; 5] = [
    "HostKey",
    "HostCertificate",
    "IdentityFile",
    "CertificateFile",
    "TrustedUserCAKeys",
];

/// Keywords that tell a client's file from a server's.
const CLIENT: [&str; 6] = [
    "host",
    "hostname",
    "proxyjump",
    "proxycommand",
    "identityfile",
    "stricthostkeychecking",
];

/// Lines of one file that are kept: each block is read with all that always holds.
const MOST_LINES: usize = 2000;

pub(super) fn recognises(name: &FileName, text: &str) -> bool {
    let is_named = ["sshd_config", "ssh_config", ".ssh/config"]
        .iter()
        .any(|part| name.path.ends_with(part))
        || (name.extension == "conf"
            && ["sshd_config.d/", "ssh_config.d/"]
                .iter()
                .any(|part| name.path.contains(part)));
    let is_typical = |line: &str| {
        let mut parts = line
            .split(|c: char| c.is_whitespace() || c == '=')
            .filter(|part| !part.is_empty());
        let keyword = parts.next().unwrap_or_default();
        let is_list = parts
            .next()
            .is_some_and(|list| list.contains(['-', '*']) && !list.contains(';'));
        is_list && parts.next().is_none() && keyword.eq_ignore_ascii_case("KexAlgorithms")
    };
    is_named || (name.may_be_configuration() && numbered(text).any(|(_, line)| is_typical(line)))
}

/// A `Match` or `Host` block, or what stands before the first.
struct Block {
    title: String,
    line: u32,
    /// Whether it holds for everything, as `Host *` does.
    holds_always: bool,
    given: Vec<(u32, &'static str, String)>,
    includes: Vec<String>,
}

pub(super) fn read(text: &str, reading: &mut Reading<'_>) {
    let (blocks, is_client) = blocks(text, reading);
    let is_fragment = reading.is_under("_config.d");
    let title = if is_client { "client" } else { "server" };
    let says = |block: &&Block| !block.given.is_empty();
    // What stands before the blocks is told of a server in any case, and a block of its own
    // where it changes something. A file that says nothing leaves the default.
    let mut told: Vec<&Block> = blocks.iter().filter(says).collect();
    if let Some(first) = blocks.first()
        && !is_fragment
        && !says(&first)
        && (!is_client || told.is_empty())
    {
        told.insert(0, first);
    }
    for block in told {
        if reading.is_full() {
            break;
        }
        let is_first = block.title.is_empty();
        let mut scope = Scope::titled(if is_first { title } else { &block.title });
        gather(&blocks, block, &mut scope, reading);
        if !is_client && is_first {
            serve(&mut scope, is_fragment);
        }
        if is_fragment && is_first {
            scope.remark("included elsewhere: the first value that is read counts");
        }
        if is_client {
            scope.remark("OpenSSH is the client here");
        }
        let source = if is_client { Source::Ssh } else { Source::Sshd };
        let groups = key_exchange(&scope, source, reading);
        let ciphers = scope.directives.iter().find(|one| one.name == "Ciphers");
        scope.suites = ciphers.map(|one| one.value.clone());
        let settings = scope.into_settings(reading, groups, None);
        reading.push(settings);
    }
}

/// The blocks of a file, the first of them what stands before any; and whether it is a
/// client's.
fn blocks(text: &str, reading: &mut Reading<'_>) -> (Vec<Block>, bool) {
    let mut is_client = reading.is_under("ssh_config") || reading.is_under(".ssh/config");
    let first = Block {
        title: String::new(),
        line: 1,
        holds_always: true,
        given: Vec::new(),
        includes: Vec::new(),
    };
    let mut blocks = vec![first];
    let mut kept = 0;
    for (number, line) in numbered(text) {
        let Ok(mut parts) = words(line) else {
            reading.problem(number, "a quotation that does not end");
            continue;
        };
        // `Keyword=value` is the same as `Keyword value`.
        if let Some((keyword, value)) = parts.first().and_then(|first| first.split_once('=')) {
            let both = [keyword.to_owned(), value.to_owned()];
            parts.splice(..1, both.into_iter().filter(|part| !part.is_empty()));
        }
        if parts.get(1).is_some_and(|part| part == "=") {
            parts.remove(1);
        }
        let Some((keyword, arguments)) = parts.split_first() else {
            continue;
        };
        let lower = keyword.to_lowercase();
        is_client |= CLIENT.contains(&lower.as_str());
        let value = arguments.join(" ");
        if value.is_empty() {
            reading.problem(number, format!("{keyword} has no value"));
            continue;
        }
        if kept >= MOST_LINES {
            reading.problem(
                number,
                format!("not read on: more than {MOST_LINES} lines that matter"),
            );
            break;
        }
        if lower == "match" || lower == "host" {
            kept += 1;
            let holds_always = value == "*" || value.eq_ignore_ascii_case("all");
            blocks.push(Block {
                title: format!("{keyword} {value}"),
                line: number,
                holds_always,
                given: Vec::new(),
                includes: Vec::new(),
            });
            continue;
        }
        let known = SINGLE
            .iter()
            .chain(&REPEATED)
            .find(|known| known.eq_ignore_ascii_case(keyword));
        let Some(block) = blocks.last_mut() else {
            continue;
        };
        if lower == "include" {
            kept += 1;
            block.includes.push(value);
        } else if let Some(known) = known
            && block.given.len() < 256
        {
            kept += 1;
            block.given.push((number, known, value));
        }
    }
    (blocks, is_client)
}

/// The values in force in a block: the first one that is read counts (ssh_config(5)), be it
/// in a block that always holds or in this one. sshd puts a `Match` block over what stands
/// outside.
fn gather(blocks: &[Block], block: &Block, scope: &mut Scope, reading: &mut Reading<'_>) {
    let is_match_of_server =
        block.title.to_lowercase().starts_with("match") && !reading.is_under("ssh_config");
    let rest = blocks
        .iter()
        .filter(|other| other.line == block.line || other.holds_always);
    let order: Vec<&Block> = if is_match_of_server {
        std::iter::once(block)
            .chain(rest.filter(|other| other.line != block.line))
            .collect()
    } else {
        rest.collect()
    };
    for one in order {
        for path in &one.includes {
            scope.remark_include(path);
        }
        for (line, name, value) in &one.given {
            let is_set = SINGLE.contains(name)
                && scope
                    .directives
                    .iter()
                    .any(|directive| directive.name == *name);
            if !is_set && scope.add(*line, name, value, reading) && FILES.contains(name) {
                scope.file(value);
            }
        }
    }
}

fn serve(scope: &mut Scope, is_fragment: bool) {
    let values = |name: &str| -> Vec<String> {
        let found = scope
            .directives
            .iter()
            .filter(|directive| directive.name == name);
        found.map(|directive| directive.value.clone()).collect()
    };
    let (mut ports, addresses) = (values("Port"), values("ListenAddress"));
    if ports.is_empty() && !(is_fragment && addresses.is_empty()) {
        ports.push("22".to_owned());
    }
    if addresses.is_empty() {
        for port in &ports {
            scope.serve(&format!("*:{port}"));
        }
    }
    for address in &addresses {
        let address = address.split_whitespace().next().unwrap_or_default();
        let has_port = address.rsplit_once(':').is_some_and(|(host, port)| {
            (!host.contains(':') || host.ends_with(']'))
                && port.bytes().all(|byte| byte.is_ascii_digit())
        });
        if has_port {
            scope.serve(&address.replace("0.0.0.0", "*"));
            continue;
        }
        let host = if matches!(address, "0.0.0.0" | "::" | "[::]") {
            "*"
        } else {
            address
        };
        for port in &ports {
            scope.serve(&format!("{host}:{port}"));
        }
    }
}

/// The key exchange methods that `KexAlgorithms` leaves.
fn key_exchange(scope: &Scope, source: Source, reading: &Reading<'_>) -> Groups {
    let version = reading.program_version();
    let default = version.and_then(|version| default::names(source, version));
    let list = scope
        .directives
        .iter()
        .find(|directive| directive.name == "KexAlgorithms");
    let Some(list) = list.map(|directive| directive.value.trim()) else {
        return match default {
            Some(names) => Groups {
                algorithms: names.iter().map(|name| name::of_kex(name)).collect(),
                is_default: true,
                remarks: Vec::new(),
            },
            None => Groups::unknown(reading.software),
        };
    };
    if list.starts_with(['+', '-', '^']) && default.is_none() {
        let mut groups = Groups::unknown(reading.software);
        groups.remarks = vec![format!(
            "KexAlgorithms {list} changes a default that follows from the version in use, which ssh -V prints"
        )];
        return groups;
    }
    let mut groups = Groups::default();
    for name in assemble(list, default.unwrap_or_default()) {
        match version {
            Some(version) if name.starts_with("mlkem") && version < Version([9, 9, 0]) => {
                let Version([major, minor, _]) = version;
                groups.remarks.push(format!(
                    "OpenSSH {major}.{minor} does not know {name}, which came with 9.9: it refuses the file"
                ));
            }
            _ => groups.algorithms.push(name::of_kex(&name)),
        }
    }
    groups
}

/// A list over a default: `+` adds, `-` takes away, `^` moves to the front, and anything else
/// replaces.
fn assemble(list: &str, default: &[&str]) -> Vec<String> {
    let owned = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let (sign, rest) = match list.split_at_checked(1) {
        Some((sign @ ("+" | "-" | "^"), rest)) => (sign, rest),
        _ => ("", list),
    };
    let patterns: Vec<&str> = rest
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .take(128)
        .collect();
    if sign == "-" {
        let mut names = owned(default);
        names.retain(|name| !patterns.iter().any(|pattern| matches(pattern, name)));
        return names;
    }
    // Wildcards select among what the version has.
    let mut named: Vec<String> = Vec::new();
    for pattern in patterns {
        if pattern.contains(['*', '?']) {
            named.extend(
                owned(default)
                    .into_iter()
                    .filter(|name| matches(pattern, name)),
            );
        } else {
            named.push(pattern.to_owned());
        }
    }
    let (front, back) = match sign {
        "+" => (owned(default), named),
        "^" => (named, owned(default)),
        _ => (named, Vec::new()),
    };
    let mut names = front;
    for name in back {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// OpenSSH's patterns: `*` for any text, `?` for one character.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while of < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(byte) if *byte == b'?' || name.get(of) == Some(byte) => {
                at += 1;
                of += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    at = place + 1;
                    of = taken + 1;
                    star = Some((place, of));
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_change_a_default_as_sshd_does() {
        let default = [
            "sntrup761x25519-sha512@openssh.com",
            "curve25519-sha256",
            "diffie-hellman-group14-sha256",
        ];
        assert_eq!(
            assemble("curve25519-sha256", &default),
            ["curve25519-sha256"]
        );
        assert_eq!(
            assemble("+diffie-hellman-group14-sha1", &default)
                .last()
                .unwrap(),
            "diffie-hellman-group14-sha1"
        );
        assert_eq!(
            assemble("-diffie-hellman-*,sntrup*", &default),
            ["curve25519-sha256"]
        );
        assert_eq!(
            assemble("^curve25519-sha256", &default)[0],
            "curve25519-sha256"
        );
        assert_eq!(assemble("^curve25519-sha256", &default).len(), 3);
        assert_eq!(assemble("-*", &default), [""; 0]);
    }

    #[test]
    fn patterns_match_as_openssh_has_them() {
        assert!(matches("diffie-*-sha1", "diffie-hellman-group14-sha1"));
        assert!(matches("*", "") && matches("a?c", "abc"));
        assert!(!matches("a?c", "ac") && !matches("*sha1", "sha256"));
    }
}
