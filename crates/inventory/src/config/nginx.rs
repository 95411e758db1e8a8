//! nginx: `server` blocks with what they inherit from `http` and `stream`.

mod block;

use std::collections::BTreeMap;

use audit::Settings;

use super::FileName;
use super::reading::{MOST_SCOPES, Reading};
use super::scope::{Scope, between};
use super::version::Version;
use super::word::numbered;
use block::Statement;

/// Directives of which the innermost counts.
#[rustfmt::skip]
const SINGLE: [&str; 11] = [
    "ssl", "ssl_protocols", "ssl_ciphers", "ssl_ecdh_curve", "ssl_prefer_server_ciphers", "ssl_dhparam",
    "ssl_client_certificate", "ssl_trusted_certificate", "ssl_verify_client", "ssl_early_data",
    "ssl_session_tickets",
];

/// Directives that are given several times: a level that has any does not inherit them.
const REPEATED: [&str; 3] = ["ssl_certificate", "ssl_certificate_key", "ssl_conf_command"];

const FILES: [&str; 4] = [
    "ssl_certificate",
    "ssl_certificate_key",
    "ssl_client_certificate",
    "ssl_trusted_certificate",
];

/// Blocks that are looked into; names and addresses of a server that are told.
const MOST_BLOCKS: usize = 4 * MOST_SCOPES;
const MOST_NAMES: usize = 256;
const MOST_ADDRESSES: usize = 32;

const VERSIONS: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/// What ngx_http_ssl_module takes where no `ssl_ciphers` stands.
const DEFAULT_CIPHERS: &str = "HIGH:!aNULL:!MD5";

pub(super) fn recognises(name: &FileName, text: &str) -> bool {
    let is_place = ["nginx", "sites-enabled", "sites-available", "conf.d"]
        .iter()
        .any(|part| name.path.contains(part));
    if !name.may_be_configuration() && !is_place || is_foreign(name) {
        return false;
    }
    name.is(&["nginx.conf"]) || numbered(text).any(|(_, line)| is_typical(line.trim()))
}

fn is_foreign(name: &FileName) -> bool {
    [
        "md", "yaml", "yml", "json", "html", "js", "go", "rs", "py", "lua", "sh", "txt",
    ]
    .contains(&name.extension.as_str())
}

/// A line that only nginx has: the beginning of a block, or a TLS directive with its semicolon.
fn is_typical(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let opens = |name: &str| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.trim_start().starts_with('{'))
    };
    if ["server", "http", "stream"].iter().any(|name| opens(name)) {
        return true;
    }
    let is_tls =
        first.starts_with("ssl_") && (SINGLE.contains(&first) || REPEATED.contains(&first));
    let value = words.next().unwrap_or_default();
    is_tls && !value.starts_with('=') && !value.is_empty() && line.contains(';')
}

pub(super) fn read(text: &str, reading: &mut Reading<'_>) {
    let statements = block::statements(text, reading);
    let mut servers = Vec::new();
    let mut blocks = 0;
    let mut outer = Scope::default();
    let is_whole = statements
        .iter()
        .any(|one| matches!(one.name(), "http" | "stream" | "events"));
    if !is_whole {
        outer.remark("the http block that includes this file was not read with it: what it sets is not seen here");
    }
    level(&statements, outer, &mut blocks, reading, &mut servers);

    let has_servers = !servers.is_empty();
    // One more than are told, so that those left out are a problem.
    servers.truncate(MOST_SCOPES + 1);
    for server in with_default_servers(servers) {
        let settings = settings(server, reading);
        reading.push(settings);
    }
    if !has_servers && !is_whole {
        fragment(&statements, reading);
    }
}

/// One `server` block.
struct Server {
    scope: Scope,
    listens: Vec<Listen>,
    names: Vec<String>,
}

/// Reads one level of blocks: what it sets goes to the levels within.
fn level(
    statements: &[Statement],
    outer: Scope,
    blocks: &mut usize,
    reading: &mut Reading<'_>,
    servers: &mut Vec<Server>,
) {
    let scope = inherit(statements, outer, reading);
    for statement in statements {
        let Some(inner) = &statement.block else {
            continue;
        };
        let name = statement.name();
        if !matches!(name, "http" | "stream" | "mail" | "server") {
            continue;
        }
        *blocks += 1;
        if *blocks > MOST_BLOCKS {
            reading.problem(
                statement.line,
                format!("not read: more than {MOST_BLOCKS} blocks"),
            );
            return;
        }
        match name {
            // The depth of blocks is bounded by their reader.
            "http" | "stream" | "mail" => level(inner, scope.clone(), blocks, reading, servers),
            _ => servers.extend(server(inner, scope.clone(), reading)),
        }
    }
}

/// The directives of a level over those of the level around it.
fn inherit(statements: &[Statement], outer: Scope, reading: &mut Reading<'_>) -> Scope {
    let mut scope = outer;
    for name in REPEATED {
        if statements.iter().any(|statement| statement.name() == name) {
            scope.directives.retain(|directive| directive.name != name);
        }
    }
    for statement in statements
        .iter()
        .filter(|statement| statement.block.is_none())
    {
        let value = statement.arguments().join(" ");
        let name = statement.name();
        if SINGLE.contains(&name) {
            scope.set(statement.line, name, &value, reading);
        } else if REPEATED.contains(&name) {
            scope.add(statement.line, name, &value, reading);
        } else if name == "include" && matters(&value) {
            scope.remark_include(&value);
        }
    }
    scope
}

/// Whether an included file may hold directives of TLS.
fn matters(path: &str) -> bool {
    ![
        "mime.types",
        "_params",
        "fastcgi.conf",
        "modules-enabled/*.conf",
    ]
    .iter()
    .any(|end| path.ends_with(end))
}

/// A `server` block, if it serves TLS.
fn server(statements: &[Statement], outer: Scope, reading: &mut Reading<'_>) -> Option<Server> {
    let mut scope = inherit(statements, outer, reading);
    let mut names = Vec::new();
    let mut listens = Vec::new();
    for statement in statements {
        match statement.name() {
            "server_name" => names.extend(statement.arguments().iter().cloned()),
            "listen" => listens.extend(Listen::of(statement)),
            _ => {}
        }
    }
    names.truncate(MOST_NAMES);
    listens.truncate(MOST_ADDRESSES);
    let is_on = scope
        .directives
        .iter()
        .any(|directive| directive.name == "ssl" && directive.value == "on");
    listens.retain(|listen: &Listen| listen.is_tls || is_on);
    if listens.is_empty() {
        return None;
    }
    names.retain(|name| !name.is_empty() && name != "_" && !name.starts_with('~'));
    for listen in &listens {
        scope.add(listen.line, "listen", &listen.text, reading);
    }
    for listen in &listens {
        if names.is_empty() {
            scope.serve(&format!("{}:{}", listen.host, listen.port));
        }
        for name in &names {
            scope.serve(&format!("{}:{}", name.trim_start_matches('.'), listen.port));
        }
    }
    let shown = names
        .first()
        .cloned()
        .or_else(|| scope.serves.first().cloned());
    scope.title = format!("server {}", shown.unwrap_or_default());
    Some(Server {
        scope,
        listens,
        names,
    })
}

/// One `listen` directive.
struct Listen {
    line: u32,
    text: String,
    host: String,
    port: String,
    is_tls: bool,
    is_default: bool,
}

impl Listen {
    fn of(statement: &Statement) -> Option<Self> {
        let address = statement.arguments().first()?;
        let has = |flag: &str| {
            statement
                .arguments()
                .iter()
                .any(|argument| argument == flag)
        };
        let (host, port) = match address.rsplit_once(':') {
            _ if address.starts_with("unix:") => (address.as_str(), "0"),
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
            _ if address.bytes().all(|byte| byte.is_ascii_digit()) => ("*", address.as_str()),
            _ => (address.as_str(), "80"),
        };
        let host = if matches!(host, "0.0.0.0" | "[::]" | "") {
            "*"
        } else {
            host
        };
        Some(Self {
            line: statement.line,
            text: statement.arguments().join(" "),
            host: host.to_owned(),
            port: port.to_owned(),
            is_tls: has("ssl") || has("quic"),
            is_default: has("default_server") || has("default"),
        })
    }
}

/// Says where a server's groups do not count because it is not the default of its address:
/// the groups of a connection are fixed before the name that the client asks for is known.
fn with_default_servers(mut servers: Vec<Server>) -> Vec<Scope> {
    let mut defaults: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (index, server) in servers.iter().enumerate() {
        for listen in &server.listens {
            let address = (listen.host.clone(), listen.port.clone());
            if listen.is_default || !defaults.contains_key(&address) {
                defaults.insert(address, index);
            }
        }
    }
    let groups: Vec<Option<String>> = servers
        .iter()
        .map(|server| value_of(&server.scope, "ssl_ecdh_curve").map(str::to_owned))
        .collect();
    let titles: Vec<String> = servers
        .iter()
        .map(|server| server.scope.title.clone())
        .collect();
    for (index, server) in servers.iter_mut().enumerate() {
        for listen in &server.listens {
            let address = (listen.host.clone(), listen.port.clone());
            let default = defaults.get(&address).copied().unwrap_or(index);
            if default == index
                || groups.get(default) == groups.get(index)
                || server.names.is_empty()
            {
                continue;
            }
            let other = titles.get(default).map_or("", String::as_str);
            server.scope.remark(format!(
                "{}:{} has {other} as its default, whose ssl_ecdh_curve counts for every name there",
                address.0, address.1
            ));
        }
    }
    servers.into_iter().map(|server| server.scope).collect()
}

fn value_of<'a>(scope: &'a Scope, name: &str) -> Option<&'a str> {
    let found = scope
        .directives
        .iter()
        .rev()
        .find(|directive| directive.name == name)?;
    Some(&found.value)
}

/// What follows from the directives of a scope.
fn settings(mut scope: Scope, reading: &Reading<'_>) -> Settings {
    let version = reading.program_version();
    scope.versions = match value_of(&scope, "ssl_protocols") {
        Some(value) => value.split_whitespace().map(str::to_owned).collect(),
        None => default_versions(version),
    };
    scope.groups = value_of(&scope, "ssl_ecdh_curve")
        .filter(|value| *value != "auto")
        .map(str::to_owned);
    scope.ciphers = value_of(&scope, "ssl_ciphers").map(str::to_owned);
    let commands: Vec<String> = scope
        .directives
        .iter()
        .filter(|directive| directive.name == "ssl_conf_command")
        .map(|directive| directive.value.clone())
        .collect();
    let (mut min, mut max) = (None, None);
    for command in &commands {
        let (name, value) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        let value = value.trim();
        match name.to_lowercase().as_str() {
            "groups" | "curves" => scope.groups = Some(value.to_owned()),
            "ciphersuites" => scope.suites = Some(value.to_owned()),
            "cipherstring" => scope.ciphers = Some(value.to_owned()),
            "minprotocol" => min = Some(value.to_owned()),
            "maxprotocol" => max = Some(value.to_owned()),
            _ => {}
        }
    }
    if min.is_some() || max.is_some() {
        let allowed = between(&VERSIONS, min.as_deref(), max.as_deref());
        scope.versions.retain(|version| allowed.contains(version));
    }
    let files: Vec<String> = scope
        .directives
        .iter()
        .filter(|directive| FILES.contains(&directive.name.as_str()))
        .map(|directive| directive.value.clone())
        .collect();
    for file in files {
        scope.file(&file);
    }
    scope.into_openssl_settings(reading, Some(DEFAULT_CIPHERS))
}

/// The default of `ssl_protocols`: TLS 1.3 came into it with 1.23.4, and TLS 1.0 and 1.1 left
/// it with 1.27.3.
fn default_versions(version: Option<Version>) -> Vec<String> {
    let versions: &[&str] = match version {
        None => &[],
        Some(version) if version < Version([1, 23, 4]) => &["TLSv1", "TLSv1.1", "TLSv1.2"],
        Some(version) if version < Version([1, 27, 3]) => &VERSIONS,
        Some(_) => &["TLSv1.2", "TLSv1.3"],
    };
    versions
        .iter()
        .map(|version| (*version).to_owned())
        .collect()
}

/// A file of directives alone, which others include: only what it says is told.
fn fragment(statements: &[Statement], reading: &mut Reading<'_>) {
    let mut scope = inherit(statements, Scope::titled("included directives"), reading);
    if scope.directives.is_empty() {
        return;
    }
    scope.remark("included elsewhere: it counts in the blocks that include it");
    let says_groups = value_of(&scope, "ssl_ecdh_curve").is_some()
        || scope.directives.iter().any(|directive| {
            directive.name == "ssl_conf_command"
                && directive.value.to_lowercase().starts_with("groups")
        });
    let says_ciphers = value_of(&scope, "ssl_ciphers").is_some();
    let says_versions = value_of(&scope, "ssl_protocols").is_some();
    let mut settings = settings(scope, reading);
    if !says_groups {
        settings.key_exchanges.clear();
        settings
            .remarks
            .retain(|remark| !remark.starts_with("names no key exchange"));
    }
    if !says_ciphers {
        settings.static_rsa = None;
    }
    if !says_versions {
        settings.versions.clear();
    }
    reading.push(settings);
}
