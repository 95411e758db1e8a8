//! Configurations of programs that speak TLS or SSH: what they turn on, scope by scope.
//!
//! Each program has a file of its own that knows its syntax. What they share are the tables:
//! `name` maps the names of groups to algorithms, `default` says what a version does where
//! the file is silent.

mod apache;
mod caddy;
mod cipher_list;
mod default;
mod envoy;
mod group_list;
mod haproxy;
mod java;
mod name;
mod nginx;
mod openssh;
mod openssl;
mod postgresql;
mod reading;
mod scope;
mod tree;
mod version;
mod word;

use std::path::Path;

use audit::{Problem, Settings, Software};

use crate::Versions;
use reading::Reading;

/// No configuration is this long; a file that is one by its name and longer is a problem.
const LARGEST: usize = 4 << 20;

/// A program whose configurations are read here.
struct Reader {
    software: Software,
    /// Whether a file is one of its configurations, by its name and its text.
    recognises: fn(&FileName, &str) -> bool,
    read: fn(&str, &mut Reading<'_>),
}

/// In the order in which they are asked: those that are known by a name come before those that
/// are known by a likeness.
#[rustfmt::skip]
const READERS: [Reader; 10] = [
    Reader { software: Software::Openssh, recognises: openssh::recognises, read: openssh::read },
    Reader { software: Software::Java, recognises: java::recognises, read: java::read },
    Reader { software: Software::Postgresql, recognises: postgresql::recognises, read: postgresql::read },
    Reader { software: Software::Caddy, recognises: caddy::recognises, read: caddy::read },
    Reader { software: Software::Caddy, recognises: caddy::json::recognises, read: caddy::json::read },
    Reader { software: Software::Envoy, recognises: envoy::recognises, read: envoy::read },
    Reader { software: Software::Openssl, recognises: openssl::recognises, read: openssl::read },
    Reader { software: Software::Apache, recognises: apache::recognises, read: apache::read },
    Reader { software: Software::Haproxy, recognises: haproxy::recognises, read: haproxy::read },
    Reader { software: Software::Nginx, recognises: nginx::recognises, read: nginx::read },
];

/// What a configuration turns on, and what could not be read of it; `None` where the file is no
/// configuration that is known here.
pub(crate) fn settings(
    path: &Path,
    text: &str,
    versions: &Versions,
) -> Option<(Vec<Settings>, Vec<Problem>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let name = FileName::of(path);
    let (shown, too_long) = if text.len() > LARGEST {
        ("", true)
    } else {
        (text, false)
    };
    let reader = READERS
        .iter()
        .find(|reader| (reader.recognises)(&name, shown))?;
    let (version, library) = versions.of(reader.software);
    let mut reading = Reading::new(path, reader.software, version, library);
    if too_long {
        let reason = format!("not read: longer than {} MiB", LARGEST >> 20);
        reading.problem_of_file(reason);
    } else {
        (reader.read)(text, &mut reading);
    }
    Some(reading.into_result())
}

/// A path as the readers ask for it: in lower case.
struct FileName {
    path: String,
    name: String,
    extension: String,
}

impl FileName {
    fn of(path: &Path) -> Self {
        let lower = |part: Option<&std::ffi::OsStr>| {
            part.map(|part| part.to_string_lossy().to_lowercase())
                .unwrap_or_default()
        };
        Self {
            path: path.to_string_lossy().to_lowercase().replace('\\', "/"),
            name: lower(path.file_name()),
            extension: lower(path.extension()),
        }
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    /// Whether the name leaves it open what the file is: source code, pages and documents that
    /// quote a configuration are none.
    fn may_be_configuration(&self) -> bool {
        matches!(
            self.extension.as_str(),
            "" | "conf"
                | "cfg"
                | "cnf"
                | "config"
                | "inc"
                | "vhost"
                | "site"
                | "nginx"
                | "apache"
                | "apache2"
                | "haproxy"
                | "include"
                | "default"
                | "bak"
                | "dpkg-dist"
                | "rpmnew"
                | "orig"
                | "test"
                | "org"
                | "com"
                | "net"
                | "local"
                | "ssl"
        )
    }
}

#[cfg(test)]
mod tests {
    mod fixture;
    mod known_answers;
    mod known_answers_of_ssh_and_java;
    mod programs;
    mod robustness;

    use super::*;

    fn software_of(path: &str, text: &str) -> Option<Software> {
        let name = FileName::of(Path::new(path));
        let reader = READERS
            .iter()
            .find(|reader| (reader.recognises)(&name, text));
        reader.map(|reader| reader.software)
    }

    #[test]
    fn what_only_looks_like_a_configuration_is_none() {
        for (path, text) in [
            (
                "app.conf",
                "server = db.example.test\nport = 5432\nssl = true\n",
            ),
            ("my.cnf", "[mysqld]\nssl-ca=/etc/ssl/ca.pem\nport=3306\n"),
            (
                "dovecot.conf",
                "ssl = required\nservice imap-login {\n  inet_listener imaps {\n    port = 993\n  }\n}\n",
            ),
            ("values.yaml", "tls:\n  enabled: true\n  secretName: web\n"),
            (
                "compose.yaml",
                "services:\n  web:\n    image: envoy\n    ports: ['443:443']\n",
            ),
            ("package.json", "{\"name\": \"caddy-tools\", \"apps\": []}"),
            (
                "README.md",
                "```\nserver {\n  listen 443 ssl;\n  ssl_protocols TLSv1.3;\n}\n```\n",
            ),
            ("main.go", "server {\n listen 443 ssl;\n}\n"),
            (
                "rsyslog.conf",
                "global(workDirectory=\"/var/lib/rsyslog\")\ndefaults\n",
            ),
            ("setup.cfg", "[metadata]\nname = global\n"),
            (
                "req.cnf",
                "[req]\ndistinguished_name = dn\n[dn]\nCN = example.test\n",
            ),
            (
                "app.properties",
                "server.port=8443\nserver.ssl.enabled=true\n",
            ),
            ("notes.txt", "KexAlgorithms are named in sshd_config\n"),
            ("known_hosts", "host.example.test ssh-ed25519 AAAA\n"),
            ("empty.conf", ""),
            ("upstream.conf", "upstream_server {\n}\n"),
            (
                "tmux.conf",
                "set -g default-terminal screen\nbind C-a send-prefix\n",
            ),
        ] {
            assert_eq!(software_of(path, text), None, "{path}");
        }
    }

    #[test]
    fn a_file_is_known_by_its_text_where_its_name_says_nothing() {
        for (path, text, software) in [
            (
                "sites-enabled/www",
                "server {\n  listen 443 ssl;\n}\n",
                Software::Nginx,
            ),
            (
                "tls.conf",
                "ssl_protocols TLSv1.3;\nssl_ecdh_curve X25519;\n",
                Software::Nginx,
            ),
            (
                "000-default.conf",
                "<VirtualHost *:443>\nSSLEngine on\n</VirtualHost>\n",
                Software::Apache,
            ),
            (
                "lb.cfg",
                "frontend www\n  bind :443 ssl crt /x.pem\n",
                Software::Haproxy,
            ),
            (
                "bootstrap.yaml",
                "static_resources:\n  listeners: []\n",
                Software::Envoy,
            ),
            (
                "50-kex.conf",
                "KexAlgorithms curve25519-sha256\n",
                Software::Openssh,
            ),
            (
                "custom.cnf",
                "openssl_conf = init\n[init]\nssl_conf = s\n",
                Software::Openssl,
            ),
            (
                "99-tls.conf",
                "ssl_groups = 'X25519'\nssl_min_protocol_version = 'TLSv1.3'\n",
                Software::Postgresql,
            ),
            (
                "override.security",
                "jdk.tls.disabledAlgorithms=SSLv3\n",
                Software::Java,
            ),
            (
                "caddy.json",
                "{\"apps\": {\"http\": {\"servers\": {\"a\": {\"listen\": [\":443\"]}}}}}",
                Software::Caddy,
            ),
        ] {
            assert_eq!(software_of(path, text), Some(software), "{path}");
        }
    }

    #[test]
    fn a_file_that_is_too_long_is_a_problem_and_not_silence() {
        let text = "#".repeat(LARGEST + 1);
        let versions = Versions::default();
        let (settings, problems) =
            super::settings(Path::new("/etc/ssh/sshd_config"), &text, &versions).unwrap();
        assert!(settings.is_empty());
        assert_eq!(problems.len(), 1);
        assert!(super::settings(Path::new("notes"), &text, &versions).is_none());
    }
}
