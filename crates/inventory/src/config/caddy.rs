//! Caddy: site blocks of a Caddyfile.

mod block;
pub(super) mod json;

use std::collections::BTreeMap;

use super::FileName;
use super::default::Source;
use super::group_list::Groups;
use super::reading::Reading;
use super::scope::{Scope, between};
use super::version::Version;
use block::Statement;

const VERSIONS: [&str; 2] = ["tls1.2", "tls1.3"];

/// Snippets that import snippets, and lines of all of them that one site looks at.
const DEEPEST_IMPORT: usize = 8;
const MOST_IMPORTED: usize = 10_000;

pub(super) fn recognises(name: &FileName, _text: &str) -> bool {
    name.name == "caddyfile" || name.name.starts_with("caddyfile.") || name.extension == "caddyfile"
}

pub(super) fn read(text: &str, reading: &mut Reading<'_>) {
    let statements = block::statements(text, reading);
    let snippets: BTreeMap<&str, &[Statement]> = statements
        .iter()
        .filter_map(|statement| {
            let name = statement.name().strip_prefix('(')?.strip_suffix(')')?;
            Some((name, statement.block.as_deref()?))
        })
        .collect();
    let options = statements
        .iter()
        .find(|statement| statement.words.is_empty());
    let is_automatic = !options
        .and_then(|options| options.block.as_deref())
        .unwrap_or_default()
        .iter()
        .any(|option| {
            option.name() == "auto_https" && option.words.get(1).is_some_and(|value| value == "off")
        });

    // A file of one site may stand without braces: its first line is the address.
    let is_bare = statements
        .iter()
        .filter(|one| !one.words.is_empty() && !one.name().starts_with('('))
        .all(|one| one.block.is_none() || !is_address(one.name()));
    if is_bare {
        let mut rest = statements
            .iter()
            .filter(|one| !one.words.is_empty() && !one.name().starts_with('('));
        if let Some(first) = rest
            .next()
            .filter(|first| first.block.is_none() && is_address(first.name()))
        {
            let body: Vec<Statement> = rest.cloned().collect();
            site(first, &body, &snippets, is_automatic, reading);
        }
        return;
    }
    for statement in &statements {
        if let Some(body) = statement.block.as_deref()
            && is_address(statement.name())
            && !reading.is_full()
        {
            site(statement, body, &snippets, is_automatic, reading);
        }
    }
}

/// Whether a word is the address of a site.
fn is_address(word: &str) -> bool {
    !word.is_empty()
        && !word.starts_with(['(', '&', '@', '{'])
        && (word.contains(['.', ':', '*'])
            || word.trim_end_matches(',') == "localhost"
            || word.contains("://"))
}

/// One site.
fn site<'a>(
    statement: &Statement,
    body: &'a [Statement],
    snippets: &BTreeMap<&str, &'a [Statement]>,
    is_automatic: bool,
    reading: &mut Reading<'_>,
) {
    let mut scope = Scope::default();
    let mut gathered = Gathered {
        tls: Vec::new(),
        remarks: Vec::new(),
        left: MOST_IMPORTED,
    };
    gathered.add(body, snippets, 0);
    for remark in &gathered.remarks {
        scope.remark(remark);
    }
    let tls = gathered.tls;
    let addresses = statement
        .words
        .iter()
        .flat_map(|word| word.split(','))
        .filter(|word| !word.is_empty());
    let mut served = Vec::new();
    for address in addresses.clone() {
        served.extend(
            Address::of(address).filter(|one| one.is_tls || (!tls.is_empty() && !one.is_plain)),
        );
    }
    if served.is_empty() {
        return;
    }
    for address in &served {
        scope.serve(&format!("{}:{}", address.host, address.port));
    }
    scope.title = format!("site {}", addresses.clone().next().unwrap_or_default());
    if !is_automatic && tls.is_empty() {
        scope.remark("auto_https is off and no certificate is named: it may not serve TLS");
    }
    let mut said = Said::default();
    for statement in tls {
        said.tls(statement, &mut scope, reading);
    }
    said.push(scope, reading);
}

/// The `tls` directives of a site, with those of imported snippets.
struct Gathered<'a> {
    tls: Vec<&'a Statement>,
    /// Imported paths, and snippets that are too many to be read.
    remarks: Vec<String>,
    /// Lines that may yet be looked at: snippets that import one another multiply.
    left: usize,
}

impl<'a> Gathered<'a> {
    fn add(
        &mut self,
        body: &'a [Statement],
        snippets: &BTreeMap<&str, &'a [Statement]>,
        depth: usize,
    ) {
        for statement in body {
            let lines = 1 + statement.block.as_ref().map_or(0, Vec::len);
            match (statement.name(), statement.words.get(1)) {
                ("tls", _) if lines <= self.left => {
                    self.left -= lines;
                    self.tls.push(statement);
                }
                ("import", Some(name)) if self.remarks.len() < 64 => {
                    match snippets.get(name.as_str()) {
                        Some(snippet) if depth < DEEPEST_IMPORT && snippet.len() < self.left => {
                            self.left -= 1 + snippet.len();
                            self.add(snippet, snippets, depth + 1);
                        }
                        Some(_) => self.remarks.push(format!(
                            "the imports of {name} are too many or too deep to be read"
                        )),
                        None => self.remarks.push(format!(
                            "imports {name}, which is read as a file of its own where it is under the given paths"
                        )),
                    }
                }
                _ => {}
            }
        }
    }
}

/// The address of a site.
struct Address {
    host: String,
    port: String,
    is_tls: bool,
    /// Whether it says that it is plain HTTP.
    is_plain: bool,
}

impl Address {
    fn of(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let rest = rest.split('/').next()?;
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
            _ => (rest, ""),
        };
        let is_plain = scheme == "http" || (port == "80" && scheme != "https");
        // A port alone has no name for a certificate.
        let is_tls = !is_plain && (scheme == "https" || port == "443" || !host.is_empty());
        Some(Self {
            host: if host.is_empty() {
                "*".to_owned()
            } else {
                host.to_owned()
            },
            port: if port.is_empty() {
                "443".to_owned()
            } else {
                port.to_owned()
            },
            is_tls,
            is_plain,
        })
    }
}

/// What a site or a connection policy says of TLS.
#[derive(Default)]
struct Said {
    curves: Option<Vec<String>>,
    ciphers: Option<Vec<String>>,
    min: Option<String>,
    max: Option<String>,
}

impl Said {
    /// One `tls` directive.
    fn tls(&mut self, statement: &Statement, scope: &mut Scope, reading: &mut Reading<'_>) {
        let arguments = statement.words.get(1..).unwrap_or_default();
        if !arguments.is_empty() {
            scope.add(statement.line, "tls", &arguments.join(" "), reading);
        }
        if let [certificate, key] = arguments {
            scope.file(certificate);
            scope.file(key);
        }
        for inner in statement.block.as_deref().unwrap_or_default() {
            let values = inner.words.get(1..).unwrap_or_default();
            let name = inner.name();
            if ![
                "curves",
                "ciphers",
                "protocols",
                "key_type",
                "load",
                "ca",
                "issuer",
                "client_auth",
            ]
            .contains(&name)
            {
                continue;
            }
            scope.set(inner.line, name, &values.join(" "), reading);
            match name {
                "curves" => self.curves = Some(values.to_vec()),
                "ciphers" => self.ciphers = Some(values.to_vec()),
                "protocols" => {
                    self.min = values.first().cloned();
                    self.max = values.get(1).cloned();
                }
                "load" => values.iter().for_each(|path| scope.file(path)),
                _ => {}
            }
        }
    }

    fn push(self, mut scope: Scope, reading: &mut Reading<'_>) {
        let version = reading.program_version();
        let mut groups = match &self.curves {
            Some(names) if !names.is_empty() => Groups::named(names.iter().map(String::as_str)),
            _ => Groups::by_default(Source::Caddy, version, reading.software),
        };
        let names_hybrid = self
            .curves
            .iter()
            .flatten()
            .any(|name| name.eq_ignore_ascii_case("x25519mlkem768"));
        if names_hybrid && version.is_some_and(|version| version < Version([2, 10, 0])) {
            groups.remarks.push(
                "x25519mlkem768 came with Caddy 2.10: this version does not start with it"
                    .to_owned(),
            );
            groups
                .algorithms
                .retain(|one| !matches!(one, audit::Algorithm::Hybrid(..)));
        }
        scope.versions = between(&VERSIONS, self.min.as_deref(), self.max.as_deref());
        // Its default suites are ECDHE alone.
        let static_rsa = self
            .ciphers
            .iter()
            .flatten()
            .any(|name| name.starts_with("TLS_RSA_"));
        scope.ciphers = self
            .ciphers
            .filter(|names| !names.is_empty())
            .map(|names| names.join(" "));
        let settings = scope.into_settings(reading, groups, Some(static_rsa));
        reading.push(settings);
    }
}
