//! Apache httpd with mod_ssl: virtual hosts over the server's own directives.

use audit::Settings;

use super::FileName;
use super::reading::Reading;
use super::scope::{Scope, between};
use super::word::{Line, continued_lines, numbered, words};

/// Directives of which the last in the innermost scope counts.
#[rustfmt::skip]
const SINGLE: [&str; 6] = [
    "SSLEngine", "SSLProtocol", "SSLHonorCipherOrder", "SSLCACertificateFile", "SSLVerifyClient",
    "SSLCertificateChainFile",
];

/// Directives that add to those before them.
const REPEATED: [&str; 4] = [
    "SSLCertificateFile",
    "SSLCertificateKeyFile",
    "SSLOpenSSLConfCmd",
    "SSLCipherSuite",
];

const FILES: [&str; 4] = [
    "SSLCertificateFile",
    "SSLCertificateKeyFile",
    "SSLCACertificateFile",
    "SSLCertificateChainFile",
];

/// Names of a virtual host, and addresses of one, that are told.
const MOST_NAMES: usize = 256;
const MOST_ADDRESSES: usize = 32;

const VERSIONS: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

pub(super) fn recognises(name: &FileName, text: &str) -> bool {
    if name.is(&["httpd.conf", "apache2.conf"]) {
        return true;
    }
    name.may_be_configuration()
        && numbered(text).any(|(_, line)| {
            let line = line.trim_start();
            let first = line.split_whitespace().next().unwrap_or_default();
            let is_ssl = known(first).is_some() && !line.contains('=');
            is_ssl || starts_with(line, "<VirtualHost ") || starts_with(line, "<IfModule ")
        })
}

fn starts_with(line: &str, start: &str) -> bool {
    line.get(..start.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}

/// The directive's own spelling: httpd reads any case.
fn known(name: &str) -> Option<&'static str> {
    SINGLE
        .iter()
        .chain(&REPEATED)
        .find(|known| known.eq_ignore_ascii_case(name))
        .copied()
}

pub(super) fn read(text: &str, reading: &mut Reading<'_>) {
    let file = File::of(text, reading);
    let mut has_tls = false;
    for host in &file.hosts {
        if reading.is_full() {
            break;
        }
        let mut scope = host.clone();
        let inherited = file.global.directives.iter().filter(|directive| {
            let is_replaced =
                SINGLE.contains(&directive.name.as_str()) || directive.name.contains("File");
            !(is_replaced && host.directives.iter().any(|own| own.name == directive.name))
        });
        let own = std::mem::take(&mut scope.directives);
        scope.directives = inherited.cloned().chain(own).collect();
        for remark in &file.global.remarks {
            scope.remark(remark);
        }
        let says_tls = host
            .directives
            .iter()
            .any(|directive| directive.name != "SSLEngine");
        if is_on(&scope) || says_tls {
            if !is_on(&scope) {
                scope.remark("SSLEngine is not on in this file: these directives may do nothing");
            }
            has_tls = true;
            let settings = settings(scope, reading);
            reading.push(settings);
        }
    }
    if !has_tls && !file.global.directives.is_empty() {
        let settings = settings(file.global, reading);
        reading.push(settings);
    }
}

fn is_on(scope: &Scope) -> bool {
    scope.directives.iter().any(|directive| {
        directive.name == "SSLEngine"
            && ["on", "optional"].contains(&directive.value.to_lowercase().as_str())
    })
}

/// The file's own directives, and its virtual hosts.
struct File {
    global: Scope,
    hosts: Vec<Scope>,
}

/// A section that is open.
struct Section {
    name: String,
    line: u32,
    kind: SectionKind,
}

#[derive(PartialEq, Eq)]
enum SectionKind {
    VirtualHost,
    /// Its directives count where it stands.
    Condition,
    /// Its directives do not count for the handshake, or not at all.
    Apart,
}

impl File {
    fn of(text: &str, reading: &mut Reading<'_>) -> Self {
        let mut file = Self {
            global: Scope::titled("global"),
            hosts: Vec::new(),
        };
        let mut open: Vec<Section> = Vec::new();
        let mut host: Option<Host> = None;
        for line in continued_lines(text) {
            let trimmed = line.text.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            if let Some(name) = trimmed.strip_prefix("</") {
                let name = name.trim_end_matches('>').trim().to_lowercase();
                match open.pop() {
                    Some(section) if section.name == name => {
                        if section.kind == SectionKind::VirtualHost {
                            file.hosts.extend(host.take().map(Host::into_scope));
                        }
                    }
                    Some(section) => {
                        reading.problem(
                            line.number,
                            format!(
                                "</{name}> closes <{}> of line {}",
                                section.name, section.line
                            ),
                        );
                        open.push(section);
                    }
                    None => reading.problem(line.number, format!("</{name}> closes nothing")),
                }
            } else if let Some(begin) = trimmed.strip_prefix('<') {
                let Some(begin) = begin.strip_suffix('>') else {
                    reading.problem(line.number, "a section whose beginning has no >");
                    continue;
                };
                let section = Section::of(begin, line.number);
                if section.kind == SectionKind::VirtualHost {
                    let addresses = begin
                        .split_whitespace()
                        .skip(1)
                        .map(|word| word.trim_matches('"').to_owned());
                    file.hosts.extend(
                        host.replace(Host::of(addresses.collect()))
                            .map(Host::into_scope),
                    );
                }
                open.push(section);
            } else if !open
                .iter()
                .any(|section| section.kind == SectionKind::Apart)
            {
                file.directive(&line, host.as_mut(), reading);
            }
        }
        if let Some(section) = open.last() {
            reading.problem(section.line, format!("<{}> is not closed", section.name));
        }
        file.hosts.extend(host.map(Host::into_scope));
        file
    }

    fn directive(&mut self, line: &Line, host: Option<&mut Host>, reading: &mut Reading<'_>) {
        let Ok(words) = words(&line.text) else {
            reading.problem(line.number, "a quotation that does not end");
            return;
        };
        let Some((name, arguments)) = words.split_first() else {
            return;
        };
        let value = arguments.join(" ");
        if starts_with(name, "Include") {
            match host {
                Some(host) => host.scope.remark_include(&value),
                None if value.to_lowercase().contains("ssl") => self.global.remark_include(&value),
                None => {}
            }
            return;
        }
        if let Some(host) = host {
            if name.eq_ignore_ascii_case("ServerName") || name.eq_ignore_ascii_case("ServerAlias") {
                let room = MOST_NAMES.saturating_sub(host.names.len());
                host.names.extend(arguments.iter().take(room).cloned());
                return;
            }
            set(&mut host.scope, line.number, name, &value, reading);
        } else {
            set(&mut self.global, line.number, name, &value, reading);
        }
    }
}

fn set(scope: &mut Scope, line: u32, name: &str, value: &str, reading: &mut Reading<'_>) {
    let Some(name) = known(name) else { return };
    if SINGLE.contains(&name) {
        scope.set(line, name, value, reading);
    } else {
        scope.add(line, name, value, reading);
    }
}

impl Section {
    fn of(begin: &str, line: u32) -> Self {
        let mut parts = begin.split_whitespace();
        let name = parts.next().unwrap_or_default().to_lowercase();
        let argument = parts.next().unwrap_or_default();
        let kind = match name.as_str() {
            "virtualhost" => SectionKind::VirtualHost,
            // A condition that is negated is taken as false, any other as true.
            "ifmodule" | "ifdefine" | "ifversion" | "if" | "iffile" | "ifdirective"
            | "ifsection"
                if !argument.starts_with('!') =>
            {
                SectionKind::Condition
            }
            _ => SectionKind::Apart,
        };
        Self { name, line, kind }
    }
}

/// A virtual host that is being read.
struct Host {
    scope: Scope,
    addresses: Vec<String>,
    names: Vec<String>,
}

impl Host {
    fn of(addresses: Vec<String>) -> Self {
        Self {
            scope: Scope::default(),
            addresses,
            names: Vec::new(),
        }
    }

    fn into_scope(self) -> Scope {
        let mut scope = self.scope;
        for address in self.addresses.iter().take(MOST_ADDRESSES) {
            let (host, port) = address.rsplit_once(':').unwrap_or((address, "443"));
            let host = if matches!(host, "_default_" | "0.0.0.0" | "[::]") {
                "*"
            } else {
                host
            };
            if self.names.is_empty() {
                scope.serve(&format!("{host}:{port}"));
            }
            for name in &self.names {
                // A ServerName may carry a scheme and a port of its own.
                let name = name.rsplit("://").next().unwrap_or(name);
                let name = name.split(':').next().unwrap_or(name);
                scope.serve(&format!("{name}:{port}"));
            }
        }
        let shown = self.names.first().or(self.addresses.first()).cloned();
        scope.title = format!("VirtualHost {}", shown.unwrap_or_default());
        scope
    }
}

/// What follows from the directives of a scope.
fn settings(mut scope: Scope, reading: &Reading<'_>) -> Settings {
    // The default is `all -SSLv3` (mod_ssl, SSLProtocol).
    scope.versions = VERSIONS.map(str::to_owned).to_vec();
    let (mut min, mut max) = (None, None);
    for directive in scope.directives.clone() {
        let value = directive.value.trim();
        match directive.name.as_str() {
            "SSLProtocol" => scope.versions = protocols(value),
            // With two words, the first says for which versions the list is.
            "SSLCipherSuite" => match value.split_once(char::is_whitespace) {
                Some((kind, list)) if kind.eq_ignore_ascii_case("TLSv1.3") => {
                    scope.suites = Some(list.trim().to_owned());
                }
                Some((kind, list)) if kind.eq_ignore_ascii_case("SSL") => {
                    scope.ciphers = Some(list.trim().to_owned());
                }
                _ => scope.ciphers = Some(value.to_owned()),
            },
            "SSLOpenSSLConfCmd" => {
                let (name, value) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
                let value = value.trim().to_owned();
                match name.to_lowercase().as_str() {
                    "groups" | "curves" => scope.groups = Some(value),
                    "cipherstring" => scope.ciphers = Some(value),
                    "ciphersuites" => scope.suites = Some(value),
                    "minprotocol" => min = Some(value),
                    "maxprotocol" => max = Some(value),
                    _ => {}
                }
            }
            name if FILES.contains(&name) => scope.file(value),
            _ => {}
        }
    }
    if min.is_some() || max.is_some() {
        let allowed = between(&VERSIONS, min.as_deref(), max.as_deref());
        scope.versions.retain(|version| allowed.contains(version));
    }
    let default = reading.tls_library().map(|_| "DEFAULT");
    scope.into_openssl_settings(reading, default)
}

/// The versions of `SSLProtocol`: words that add with `+`, take away with `-`,
/// and replace without a sign.
fn protocols(value: &str) -> Vec<String> {
    let mut on: Vec<&str> = Vec::new();
    for word in value.split_whitespace() {
        let (removes, name) = match word.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, word.trim_start_matches('+')),
        };
        let named: Vec<&str> = if name.eq_ignore_ascii_case("all") {
            VERSIONS.to_vec()
        } else {
            VERSIONS
                .iter()
                .filter(|version| version.eq_ignore_ascii_case(name))
                .copied()
                .collect()
        };
        let is_bare = !removes && !word.starts_with('+');
        // mod_ssl lets a word without a sign override those before it, and warns.
        on.retain(|version| !is_bare && !named.contains(version));
        if !removes {
            on.extend(named);
        }
    }
    VERSIONS
        .iter()
        .filter(|version| on.contains(version))
        .map(|version| (*version).to_owned())
        .collect()
}
