//! HAProxy: `bind` and `server` lines over the defaults of `global`.

use audit::Settings;

use super::FileName;
use super::reading::Reading;
use super::scope::{Scope, between};
use super::word::{Line, numbered, words};

const SECTIONS: [&str; 5] = ["global", "defaults", "frontend", "listen", "backend"];

const VERSIONS: [&str; 4] = ["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/// HAProxy itself takes no longer lines unless it is told to.
const LONGEST_LINE: usize = 8192;

/// Options of `bind` and `server` lines that take a value and matter here.
#[rustfmt::skip]
const VALUED: [&str; 14] = [
    "curves", "ecdhe", "ciphers", "ciphersuites", "sigalgs", "client-sigalgs", "ssl-min-ver",
    "ssl-max-ver", "crt", "crt-list", "ca-file", "sni", "verify", "key",
];

pub(super) fn recognises(name: &FileName, text: &str) -> bool {
    if name.is(&["haproxy.cfg", "haproxy.conf"]) {
        return true;
    }
    if !name.may_be_configuration() {
        return false;
    }
    let mut has_section = false;
    let mut has_keyword = false;
    for (_, line) in numbered(text) {
        let mut parts = line.split_whitespace();
        let first = parts.next().unwrap_or_default();
        let second = parts.next();
        // Only global and defaults may stand without a name.
        let is_named = second.is_some() || matches!(first, "global" | "defaults");
        has_section |= line.starts_with(first) && SECTIONS.contains(&first) && is_named;
        has_keyword |= (first == "bind" && second.is_some_and(|address| address.contains(':')))
            || first.starts_with("ssl-default-")
            || (first == "server" && parts.next().is_some_and(|address| address.contains(':')));
    }
    has_section && has_keyword
}

pub(super) fn read(text: &str, reading: &mut Reading<'_>) {
    let mut file = File::default();
    // Defaults of `global` hold for sections before it as well: the lines are gathered first.
    for (number, text) in numbered(text) {
        match words(text) {
            Ok(words) => file.line(
                &Line {
                    number,
                    text: text.to_owned(),
                },
                &words,
                reading,
            ),
            Err(_) => reading.problem(number, "a quotation that does not end"),
        }
    }
    let has_sections = !file.tls_lines.is_empty();
    for line in std::mem::take(&mut file.tls_lines) {
        if reading.is_full() {
            break;
        }
        let settings = file.settings(line, reading);
        reading.push(settings);
    }
    if !has_sections && !file.bind.is_empty() {
        let line = TlsLine {
            title: "global".to_owned(),
            ..TlsLine::default()
        };
        let settings = file.settings(line, reading);
        reading.push(settings);
    }
}

/// A value and the line on which it stands.
#[derive(Debug, Clone)]
struct Given {
    line: u32,
    name: String,
    value: String,
}

#[derive(Default)]
struct File {
    section: String,
    title: String,
    /// `ssl-default-bind-*` of `global`, without that prefix.
    bind: Vec<Given>,
    /// `ssl-default-server-*` of `global`, without that prefix.
    server: Vec<Given>,
    tls_lines: Vec<TlsLine>,
}

/// Keeps the last value of each name, and the options, which add up.
fn keep(list: &mut Vec<Given>, given: Given) {
    if given.name != "options" {
        list.retain(|other| other.name != given.name);
    }
    if list.len() < 64 {
        list.push(given);
    }
}

/// A `bind` or `server` line with `ssl`.
#[derive(Default)]
struct TlsLine {
    is_server: bool,
    title: String,
    line: u32,
    text: String,
    serves: Vec<String>,
    options: Vec<Given>,
}

impl File {
    fn line(&mut self, line: &Line, words: &[String], reading: &mut Reading<'_>) {
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        // A keyword of a section may be indented or not; those of sections are not mistaken.
        if SECTIONS.contains(&first.as_str()) {
            self.section = first.clone();
            self.title = words.iter().take(2).cloned().collect::<Vec<_>>().join(" ");
            return;
        }
        let value = rest.join(" ");
        if value.len() > LONGEST_LINE {
            reading.problem(
                line.number,
                format!("the value of {first} is longer than {LONGEST_LINE} bytes"),
            );
            return;
        }
        let given = |name: &str| Given {
            line: line.number,
            name: name.to_owned(),
            value: value.clone(),
        };
        if let Some(name) = first.strip_prefix("ssl-default-bind-") {
            keep(&mut self.bind, given(name));
        } else if let Some(name) = first.strip_prefix("ssl-default-server-") {
            keep(&mut self.server, given(name));
        } else if first == "bind" {
            self.tls_line(line, rest, false);
        } else if (first == "server" || first == "default-server") && self.section != "global" {
            self.tls_line(line, rest, true);
        } else if self.section.is_empty() && !first.starts_with('.') {
            reading.problem(line.number, format!("{first} stands before any section"));
        }
    }

    fn tls_line(&mut self, line: &Line, rest: &[String], is_server: bool) {
        let named = usize::from(is_server);
        let options = rest.get(named + 1..).unwrap_or_default();
        if !options.iter().any(|option| option == "ssl") {
            return;
        }
        let mut given = Vec::new();
        let mut options = options.iter();
        while let Some(name) = options.next() {
            let value = if VALUED.contains(&name.as_str()) {
                options.next().cloned().unwrap_or_default()
            } else if name.starts_with("no-") || name.starts_with("force-") {
                String::new()
            } else {
                continue;
            };
            given.push(Given {
                line: line.number,
                name: name.clone(),
                value,
            });
        }
        let addresses = rest.get(named).map_or("", String::as_str);
        let title = match rest.first() {
            Some(name) if is_server => format!("{} server {name}", self.title),
            _ => format!("{} bind {addresses}", self.title),
        };
        self.tls_lines.push(TlsLine {
            is_server,
            title,
            line: line.number,
            text: rest.join(" "),
            serves: if is_server {
                Vec::new()
            } else {
                addresses.split(',').filter_map(served).collect()
            },
            options: given,
        });
    }

    fn settings(&self, line: TlsLine, reading: &mut Reading<'_>) -> Settings {
        let mut scope = Scope::titled(line.title);
        let (defaults, prefix) = if line.is_server {
            (&self.server, "ssl-default-server-")
        } else {
            (&self.bind, "ssl-default-bind-")
        };
        for given in defaults {
            scope.set(
                given.line,
                &format!("{prefix}{}", given.name),
                &given.value,
                reading,
            );
        }
        if line.line > 0 {
            let name = if line.is_server { "server" } else { "bind" };
            scope.add(line.line, name, &line.text, reading);
        }
        for address in &line.serves {
            scope.serve(address);
        }
        if line.is_server {
            scope.remark("HAProxy is the client here");
        }
        // The line's own options come last, so they win.
        let mut versions = Range {
            min: Some("TLSv1.2".to_owned()),
            ..Range::default()
        };
        for given in defaults {
            let words: Vec<&str> = given.value.split_whitespace().collect();
            if given.name == "options" {
                versions.options(&words);
            } else {
                apply(&mut scope, &given.name, &given.value);
            }
        }
        for given in &line.options {
            versions.options(&[&given.name, &given.value]);
            apply(&mut scope, &given.name, &given.value);
        }
        scope.versions = versions.versions();
        let default = reading.tls_library().map(|_| "DEFAULT");
        scope.into_openssl_settings(reading, default)
    }
}

fn apply(scope: &mut Scope, name: &str, value: &str) {
    let value_owned = Some(value.to_owned());
    match name {
        "curves" => scope.groups = value_owned,
        // It names one curve, and counts only without `curves`.
        "ecdhe" if scope.groups.is_none() => scope.groups = value_owned,
        "ciphers" => scope.ciphers = value_owned,
        "ciphersuites" => scope.suites = value_owned,
        "crt" | "ca-file" | "key" => scope.file(value),
        "crt-list" => {
            scope.file(value);
            scope.remark(format!(
                "{value} may set curves, ciphers and versions for single certificates"
            ));
        }
        _ => {}
    }
}

/// The versions that options leave: TLS 1.2 and later unless they say otherwise.
#[derive(Default)]
struct Range {
    min: Option<String>,
    max: Option<String>,
    without: Vec<String>,
}

impl Range {
    fn options(&mut self, words: &[&str]) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "ssl-min-ver" => self.min = words.next().map(|version| (*version).to_owned()),
                "ssl-max-ver" => self.max = words.next().map(|version| (*version).to_owned()),
                word => {
                    if let Some(version) = word.strip_prefix("no-tlsv") {
                        self.without.push(spelt(version));
                    } else if let Some(version) = word.strip_prefix("force-tlsv") {
                        self.min = Some(spelt(version));
                        self.max = Some(spelt(version));
                    }
                }
            }
        }
    }

    fn versions(&self) -> Vec<String> {
        let mut versions = between(&VERSIONS, self.min.as_deref(), self.max.as_deref());
        versions.retain(|version| !self.without.contains(version));
        versions
    }
}

/// `13` as `TLSv1.3`.
fn spelt(digits: &str) -> String {
    match digits.split_at_checked(1) {
        Some((major, minor)) => format!("TLSv{major}.{minor}"),
        None => String::new(),
    }
}

/// A `bind` address as a scan names it.
fn served(address: &str) -> Option<String> {
    let address = ["quic4@", "quic6@", "ipv4@", "ipv6@"]
        .iter()
        .find_map(|prefix| address.strip_prefix(prefix))
        .unwrap_or(address);
    let (host, port) = address.rsplit_once(':')?;
    if host.contains('@') || host.contains('/') || port.is_empty() {
        return None;
    }
    let host = if matches!(host, "" | "*" | "0.0.0.0" | "::" | "[::]") {
        "*"
    } else {
        host
    };
    Some(format!("{host}:{port}"))
}
