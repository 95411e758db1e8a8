//! openssl.cnf: the chain from `openssl_conf` over `ssl_conf` to `system_default`.

use std::collections::BTreeMap;

use super::FileName;
use super::reading::Reading;
use super::scope::{Scope, between};
use super::word::{continued_lines, numbered};

const VERSIONS: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/// The commands of SSL_CONF_cmd(3) that matter here.
#[rustfmt::skip]
const COMMANDS: [&str; 11] = [
    "Groups", "Curves", "ECDHParameters", "CipherString", "Ciphersuites", "MinProtocol", "MaxProtocol",
    "Protocol", "SignatureAlgorithms", "ClientSignatureAlgorithms", "Options",
];

pub(super) fn recognises(name: &FileName, text: &str) -> bool {
    if name.is(&[
        "openssl.cnf",
        "openssl.conf",
        "opensslcnf.config",
        "opensslcnf.txt",
    ]) {
        return true;
    }
    name.may_be_configuration()
        && numbered(text).any(|(_, line)| {
            let key = line.split('=').next().unwrap_or_default().trim();
            line.contains('=') && matches!(key, "openssl_conf" | "ssl_conf" | "system_default")
        })
}

/// Assignments of one file that are kept, and bytes of a value.
const MOST_ASSIGNMENTS: usize = 5000;
const LONGEST_VALUE: usize = 8192;

/// One assignment.
#[derive(Debug, Clone)]
struct Assignment {
    line: u32,
    name: String,
    value: String,
}

type Sections = BTreeMap<String, Vec<Assignment>>;

pub(super) fn read(text: &str, reading: &mut Reading<'_>) {
    let mut scope = Scope::titled("system default");
    let sections = sections(text, &mut scope, reading);
    let unnamed = sections.get("default");
    let chain = chain(&sections, &mut scope, reading);
    // Fragments as those of crypto-policies hold the commands without any section.
    let commands =
        chain.or(unnamed.filter(|list| list.iter().any(|one| command(&one.name).is_some())));

    let (mut min, mut max) = (None, None);
    let mut protocols = None;
    for assignment in commands.into_iter().flatten() {
        let Some(name) = command(&assignment.name) else {
            continue;
        };
        let value = assignment.value.clone();
        if !scope.set(assignment.line, name, &value, reading) {
            continue;
        }
        match name {
            "Groups" | "Curves" | "ECDHParameters" => {
                scope.groups = (!value.eq_ignore_ascii_case("auto")).then_some(value);
            }
            "CipherString" => scope.ciphers = Some(value),
            "Ciphersuites" => scope.suites = Some(value),
            "MinProtocol" => min = Some(value),
            "MaxProtocol" => max = Some(value),
            "Protocol" => protocols = Some(value),
            _ => {}
        }
    }
    if min.is_some() || max.is_some() || protocols.is_some() {
        scope.versions = between(&VERSIONS, min.as_deref(), max.as_deref());
    }
    if let Some(protocols) = protocols {
        let has = |sign: &str, version: &String| {
            protocols
                .split(',')
                .any(|word| word.trim() == format!("{sign}{version}"))
        };
        let all = protocols
            .split(',')
            .any(|word| word.trim().eq_ignore_ascii_case("all"));
        let adds = all || !protocols.trim_start().starts_with('-');
        scope.versions.retain(|version| {
            !has("-", version) && (!adds || all || has("", version) || has("+", version))
        });
    }
    let default = reading.tls_library().map(|_| "DEFAULT");
    let settings = scope.into_openssl_settings(reading, default);
    reading.push(settings);
}

/// The command of a name: they are read in any case, and with a number and a dot before them
/// where one is given several times.
fn command(name: &str) -> Option<&'static str> {
    let name = name.rsplit('.').next().unwrap_or(name);
    COMMANDS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .copied()
}

/// The section that `system_default` names, over `ssl_conf` and `openssl_conf`.
fn chain<'a>(
    sections: &'a Sections,
    scope: &mut Scope,
    reading: &mut Reading<'_>,
) -> Option<&'a Vec<Assignment>> {
    let mut section = sections.get("default")?;
    for key in ["openssl_conf", "ssl_conf", "system_default"] {
        // The last assignment of a name counts (config(5)).
        let Some(assignment) = section
            .iter()
            .rev()
            .find(|assignment| assignment.name == key)
        else {
            if key == "system_default" {
                scope.remark("its ssl_conf section has no system_default: it holds for programs that ask for a name only");
            }
            return None;
        };
        scope.add(assignment.line, key, &assignment.value, reading);
        if key == "openssl_conf"
            && let Some(providers) = sections
                .get(&assignment.value)
                .and_then(|list| list.iter().find(|one| one.name == "providers"))
        {
            for provider in sections.get(&providers.value).into_iter().flatten() {
                if !["default", "legacy", "base", "fips"].contains(&provider.name.as_str()) {
                    scope.remark(format!(
                        "loads the provider {}, which may add groups that are not listed here",
                        provider.name
                    ));
                }
            }
        }
        match sections.get(&assignment.value) {
            Some(next) => section = next,
            None => {
                let reason = format!(
                    "{key} names the section {}, which is not in this file",
                    assignment.value
                );
                reading.problem(assignment.line, reason);
                return None;
            }
        }
    }
    Some(section)
}

/// The sections of a file; assignments before any are in `default`.
fn sections(text: &str, scope: &mut Scope, reading: &mut Reading<'_>) -> Sections {
    let mut sections = Sections::new();
    sections.entry("default".to_owned()).or_default();
    let mut current = "default".to_owned();
    let mut kept = 0;
    for line in continued_lines(text) {
        let text = without_comment(&line.text);
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        if let Some(rest) = text.strip_prefix('[') {
            match rest.split_once(']') {
                Some((name, _)) => {
                    current = name.trim().to_owned();
                    sections.entry(current.clone()).or_default();
                }
                None => reading.problem(line.number, "the name of a section has no ]"),
            }
        } else if let Some(path) = text.strip_prefix(".include") {
            let path = path.trim().trim_start_matches('=').trim();
            scope.remark_include(path);
        } else if text.starts_with('.') {
            // A pragma says nothing of TLS.
        } else if let Some((name, value)) = text.split_once('=') {
            kept += 1;
            if kept > MOST_ASSIGNMENTS {
                let reason = format!("not read on: more than {MOST_ASSIGNMENTS} assignments");
                reading.problem(line.number, reason);
                break;
            }
            if value.len() > LONGEST_VALUE {
                reading.problem(
                    line.number,
                    format!("a value longer than {LONGEST_VALUE} bytes"),
                );
                continue;
            }
            let value = expand(unquoted(value.trim()), &current, &sections);
            let (section, name) = name
                .trim()
                .split_once("::")
                .unwrap_or((&current, name.trim()));
            let assignment = Assignment {
                line: line.number,
                name: name.to_owned(),
                value,
            };
            sections
                .entry(section.to_owned())
                .or_default()
                .push(assignment);
        } else {
            reading.problem(line.number, "neither a section nor an assignment");
        }
    }
    sections
}

fn without_comment(text: &str) -> &str {
    let mut quote = None;
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') => return text.get(..index).unwrap_or(text),
            _ => {}
        }
    }
    text
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(value)
}

/// A value that is a variable alone, as `$name`, `${name}` or `${section::name}`.
fn expand(value: &str, current: &str, sections: &Sections) -> String {
    let name = value
        .strip_prefix('$')
        .map(|name| name.trim_matches(['{', '}', '(', ')']));
    let found = name.and_then(|name| {
        let (section, name) = name.split_once("::").unwrap_or((current, name));
        let places = [section, "default"];
        places.iter().find_map(|place| {
            sections
                .get(*place)?
                .iter()
                .rev()
                .find(|one| one.name == name)
        })
    });
    found.map_or_else(|| value.to_owned(), |assignment| assignment.value.clone())
}
