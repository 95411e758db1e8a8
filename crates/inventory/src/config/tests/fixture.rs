//! The configurations under `tests/configs`, and how the tests read them.

use std::path::Path;

use audit::{Problem, Settings};

use crate::Versions;

macro_rules! fixtures {
    ($($name:literal),* $(,)?) => {
        /// File names and texts.
        pub(super) const FIXTURES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../tests/configs/", $name)))),*
        ];
    };
}

fixtures!(
    "nginx.conf",
    "httpd.conf",
    "haproxy.cfg",
    "envoy.yaml",
    "envoy.json",
    "Caddyfile",
    "caddy.json",
    "openssl.cnf",
    "sshd_config",
    "ssh_config",
    "postgresql.conf",
    "java.security",
    "jvm.options",
);

pub(super) fn text(name: &str) -> &'static str {
    FIXTURES.iter().find(|(known, _)| *known == name).unwrap().1
}

/// What is read of a text with versions such as `nginx=1.22.1/openssl=3.0.2`.
pub(super) fn read(name: &str, text: &str, versions: &[&str]) -> (Vec<Settings>, Vec<Problem>) {
    let versions: Versions = versions
        .iter()
        .map(|version| version.parse().unwrap())
        .collect();
    super::super::settings(Path::new(name), text, &versions).unwrap()
}

/// The settings of a fixture in which nothing is wrong.
pub(super) fn settings(name: &str, versions: &[&str]) -> Vec<Settings> {
    let (settings, problems) = read(name, text(name), versions);
    assert_eq!(problems, []);
    settings
}

pub(super) fn groups(settings: &Settings) -> Vec<String> {
    settings
        .key_exchanges
        .iter()
        .map(ToString::to_string)
        .collect()
}

pub(super) fn line_of(settings: &Settings, name: &str) -> Option<u32> {
    let found = settings
        .directives
        .iter()
        .find(|directive| directive.name == name);
    found.map(|directive| directive.line)
}

pub(super) fn has_remark(settings: &Settings, part: &str) -> bool {
    settings.remarks.iter().any(|remark| remark.contains(part))
}
