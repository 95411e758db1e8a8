//! PostgreSQL: `ssl_*` of postgresql.conf.

use super::FileName;
use super::cipher_list;
use super::default::Source;
use super::group_list::{self, Groups};
use super::reading::Reading;
use super::scope::{Scope, between};
use super::version::Version;
use super::word::numbered;

#[rustfmt::skip]
const KEYS: [&str; 12] = [
    "ssl", "ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_ciphers", "ssl_tls13_ciphers",
    "ssl_ecdh_curve", "ssl_groups", "ssl_min_protocol_version", "ssl_max_protocol_version",
    "ssl_prefer_server_ciphers", "ssl_dh_params_file",
];

const VERSIONS: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/// The default of `ssl_ciphers`.
const DEFAULT_CIPHERS: &str = "HIGH:MEDIUM:+3DES:!aNULL";

pub(super) fn recognises(name: &FileName, text: &str) -> bool {
    if name.is(&[
        "postgresql.conf",
        "postgresql.auto.conf",
        "postgresql.base.conf",
    ]) {
        return true;
    }
    // Two keys that no other program has.
    let is_typical = |line: &str| {
        assignment(line).is_ok_and(|found| {
            found.is_some_and(|(key, _)| {
                (key.starts_with("ssl_") && KEYS.contains(&key.as_str()) && line.contains('='))
                    || [
                        "shared_buffers",
                        "wal_level",
                        "max_wal_size",
                        "listen_addresses",
                    ]
                    .contains(&key.as_str())
            })
        })
    };
    name.may_be_configuration() && numbered(text).filter(|(_, line)| is_typical(line)).count() >= 2
}

pub(super) fn read(text: &str, reading: &mut Reading<'_>) {
    let mut scope = Scope::titled("server");
    let (mut is_on, mut says_on) = (false, false);
    let (mut min, mut max) = (None, None);
    let (mut curve, mut groups) = (None, None);
    let (mut port, mut addresses) = ("5432".to_owned(), "localhost".to_owned());
    for (number, line) in numbered(text) {
        let (key, value) = match assignment(line) {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(reason) => {
                reading.problem(number, reason);
                continue;
            }
        };
        match key.as_str() {
            "port" => port.clone_from(&value),
            "listen_addresses" => addresses.clone_from(&value),
            "include" | "include_if_exists" | "include_dir" => {
                scope.remark_include(&value);
            }
            _ => {}
        }
        if !KEYS.contains(&key.as_str()) || !scope.set(number, &key, &value, reading) {
            continue;
        }
        match key.as_str() {
            "ssl" => {
                says_on = true;
                is_on = is_true(&value);
            }
            "ssl_cert_file" | "ssl_key_file" | "ssl_ca_file" => scope.file(&value),
            "ssl_ciphers" => scope.ciphers = Some(value),
            "ssl_tls13_ciphers" => scope.suites = Some(value),
            "ssl_ecdh_curve" => curve = Some(value),
            "ssl_groups" => groups = Some(value),
            "ssl_min_protocol_version" => min = Some(value),
            "ssl_max_protocol_version" => max = Some(value),
            _ => {}
        }
    }
    for address in addresses
        .split(',')
        .map(str::trim)
        .filter(|address| !address.is_empty())
    {
        let host = if matches!(address, "*" | "0.0.0.0" | "::") {
            "*"
        } else {
            address
        };
        scope.serve(&format!("{host}:{port}"));
    }
    if !is_on && (says_on || scope.directives.is_empty()) {
        scope.remark("ssl is off: connections are not encrypted");
        let settings = scope.into_settings(reading, Groups::default(), None);
        reading.push(settings);
        return;
    }
    if !is_on {
        scope.remark("ssl is not set in this file: it is off unless another one turns it on");
    }
    let version = reading.program_version();
    scope.versions = versions(
        version,
        min.as_deref(),
        max.as_deref().filter(|max| !max.is_empty()),
    );
    let list = list(version, curve, groups, &mut scope);
    let groups = match list {
        Some(list) => group_list::of_openssl(Some(&list), reading.tls_library(), reading.software),
        None => Groups::by_default(Source::Postgresql, version, reading.software),
    };
    let static_rsa = cipher_list::static_rsa(scope.ciphers.as_deref().unwrap_or(DEFAULT_CIPHERS));
    let settings = scope.into_settings(reading, groups, static_rsa);
    reading.push(settings);
}

/// The list that counts: version 18 renamed `ssl_ecdh_curve`, which named one curve, to
/// `ssl_groups`, and keeps the old name for it.
fn list(
    version: Option<Version>,
    curve: Option<String>,
    groups: Option<String>,
    scope: &mut Scope,
) -> Option<String> {
    let has_groups = version.is_none_or(|version| version >= Version([18, 0, 0]));
    if !has_groups && groups.is_some() {
        scope.remark("ssl_groups came with PostgreSQL 18: this version does not start with it");
    }
    if !has_groups && curve.as_ref().is_some_and(|curve| curve.contains(':')) {
        scope.remark("before PostgreSQL 18, ssl_ecdh_curve names one curve: this version does not start with a list");
    }
    if has_groups { groups.or(curve) } else { curve }
}

/// The minimum is TLS 1.2 since version 13, and was TLS 1.0 before.
fn versions(version: Option<Version>, min: Option<&str>, max: Option<&str>) -> Vec<String> {
    let min = match (min, version) {
        (Some(min), _) => min,
        (None, Some(version)) if version < Version([13, 0, 0]) => "TLSv1",
        (None, _) => "TLSv1.2",
    };
    between(&VERSIONS, Some(min), max)
}

fn is_true(value: &str) -> bool {
    // Any unambiguous beginning of a word counts as the word.
    let value = value.to_lowercase();
    value == "1"
        || value == "on"
        || (!value.is_empty() && ("true".starts_with(&value) || "yes".starts_with(&value)))
}

/// `name = value` or `name value`; a quoted value doubles its quotes.
fn assignment(line: &str) -> Result<Option<(String, String)>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let end = line
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
        .unwrap_or(line.len());
    let (key, rest) = line.split_at(end);
    if key.is_empty() {
        return Err("no assignment");
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let Some(quoted) = rest.strip_prefix('\'') else {
        let value = rest.split(['#', ' ', '\t']).next().unwrap_or_default();
        return if value.is_empty() {
            Err("a name without a value")
        } else {
            Ok(Some((key.to_lowercase(), value.to_owned())))
        };
    };
    let mut value = String::new();
    let mut characters = quoted.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\'' if characters.peek() == Some(&'\'') => value.extend(characters.next()),
            '\'' => return Ok(Some((key.to_lowercase(), value))),
            '\\' => value.extend(characters.next()),
            c => value.push(c),
        }
    }
    Err("a quotation that does not end")
}
