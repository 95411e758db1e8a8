//! Directives of the programs whose configurations are read, and what versions know.

use crate::{Confidence, Directive, Settings, Software, Source};

/// Names of directives that choose groups or key exchange methods.
pub(crate) const KEY_EXCHANGE: &[&str] = &[
    "ssl_ecdh_curve",
    "SSLOpenSSLConfCmd",
    "ssl-default-bind-curves",
    "curves",
    "ecdh_curves",
    "Groups",
    "Curves",
    "KexAlgorithms",
    "ssl_groups",
    "jdk.tls.namedGroups",
];

/// Names of directives that choose cipher suites.
pub(crate) const CIPHERS: &[&str] = &[
    "ssl_ciphers",
    "SSLCipherSuite",
    "ssl-default-bind-ciphers",
    "ciphers",
    "cipher_suites",
    "CipherString",
];

/// Names of directives that choose protocol versions.
pub(crate) const VERSIONS: &[&str] = &[
    "ssl_protocols",
    "SSLProtocol",
    "ssl-default-bind-options",
    "tls_minimum_protocol_version",
    "protocols",
    "MinProtocol",
    "ssl_min_protocol_version",
];

/// What a directive is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// The hybrid first, classical groups after it.
    Hybrid,
    /// Forward secrecy only.
    ForwardSecrecy,
    /// TLS 1.2 and 1.3.
    Versions,
}

/// Suites of ephemeral key exchange with authenticated encryption, in OpenSSL's words.
const SUITES: &str = "ECDHE+AESGCM:ECDHE+CHACHA20";

/// How one program says one thing.
pub(crate) struct Saying {
    /// The directive.
    pub(crate) name: &'static str,
    /// Its value.
    pub(crate) value: &'static str,
    /// Where it belongs.
    pub(crate) context: &'static str,
}

/// How a program says what is aimed at; `None` where it can't, or where that is not known
/// here.
pub(crate) fn saying(software: Software, aim: Aim) -> Option<Saying> {
    use Aim::{ForwardSecrecy, Hybrid, Versions};
    let (name, value, context) = match (software, aim) {
        (Software::Nginx, Hybrid) => (
            "ssl_ecdh_curve",
            "X25519MLKEM768:X25519:prime256v1",
            "http or server block",
        ),
        (Software::Nginx, ForwardSecrecy) => ("ssl_ciphers", SUITES, "http or server block"),
        (Software::Nginx, Versions) => ("ssl_protocols", "TLSv1.2 TLSv1.3", "http or server block"),
        (Software::Apache, Hybrid) => (
            "SSLOpenSSLConfCmd",
            "Groups X25519MLKEM768:X25519",
            "server or virtual host",
        ),
        (Software::Apache, ForwardSecrecy) => ("SSLCipherSuite", SUITES, "server or virtual host"),
        (Software::Apache, Versions) => (
            "SSLProtocol",
            "-all +TLSv1.2 +TLSv1.3",
            "server or virtual host",
        ),
        (Software::Haproxy, Hybrid) => (
            "ssl-default-bind-curves",
            "X25519MLKEM768:X25519",
            "global section",
        ),
        (Software::Haproxy, ForwardSecrecy) => {
            ("ssl-default-bind-ciphers", SUITES, "global section")
        }
        (Software::Haproxy, Versions) => (
            "ssl-default-bind-options",
            "ssl-min-ver TLSv1.2",
            "global section, beside the options that stand there",
        ),
        (Software::Envoy, Hybrid) => (
            "ecdh_curves",
            "[X25519MLKEM768, X25519]",
            "tls_params of the common_tls_context",
        ),
        (Software::Envoy, ForwardSecrecy) => (
            "cipher_suites",
            "[ECDHE-ECDSA-AES128-GCM-SHA256, ECDHE-RSA-AES128-GCM-SHA256]",
            "tls_params of the common_tls_context",
        ),
        (Software::Envoy, Versions) => (
            "tls_minimum_protocol_version",
            "TLSv1_2",
            "tls_params of the common_tls_context",
        ),
        (Software::Caddy, Hybrid) => ("curves", "x25519mlkem768 x25519", "tls block"),
        (Software::Caddy, Versions) => ("protocols", "tls1.2 tls1.3", "tls block"),
        (Software::Openssl, Hybrid) => ("Groups", "X25519MLKEM768:X25519", "[system_default]"),
        (Software::Openssl, ForwardSecrecy) => ("CipherString", SUITES, "[system_default]"),
        (Software::Openssl, Versions) => ("MinProtocol", "TLSv1.2", "[system_default]"),
        (Software::Postgresql, Hybrid) => {
            ("ssl_groups", "X25519MLKEM768:X25519", "postgresql.conf")
        }
        (Software::Postgresql, ForwardSecrecy) => ("ssl_ciphers", SUITES, "postgresql.conf"),
        (Software::Postgresql, Versions) => {
            ("ssl_min_protocol_version", "TLSv1.2", "postgresql.conf")
        }
        (Software::Java, Hybrid) => (
            "-Djdk.tls.namedGroups",
            "X25519MLKEM768,x25519",
            "command line of the virtual machine",
        ),
        (Software::Openssh, Hybrid) => (
            "KexAlgorithms",
            "mlkem768x25519-sha256,sntrup761x25519-sha512@openssh.com,curve25519-sha256",
            "sshd_config",
        ),
        (Software::Caddy | Software::Java | Software::Openssh, _) => return None,
    };
    Some(Saying {
        name,
        value,
        context,
    })
}

/// A directive as it is typed.
pub(crate) fn typed(software: Software, name: &str, value: &str) -> String {
    match software {
        Software::Nginx => format!("{name} {value};"),
        Software::Envoy => format!("{name}: {value}"),
        Software::Openssl => format!("{name} = {value}"),
        Software::Postgresql => format!("{name} = '{value}'"),
        Software::Java => format!("{name}={value}"),
        Software::Apache | Software::Haproxy | Software::Caddy | Software::Openssh => {
            format!("{name} {value}")
        }
    }
}

/// What a program's version means for the hybrid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ability {
    /// It knows the hybrid.
    Has,
    /// OpenSSH before ML-KEM: another hybrid.
    HasSntrup,
    /// It does not, or not so that it can be used.
    Lacks,
    /// The version is not known.
    NotKnown,
}

/// Whether a program in a version with a library knows the hybrid.
pub(crate) fn ability(software: Software, version: Option<&str>, library: Option<&str>) -> Ability {
    let version = version.and_then(numbers);
    let since = |found: Option<(u32, u32)>, first: (u32, u32)| match found {
        None => Ability::NotKnown,
        Some(found) if found >= first => Ability::Has,
        Some(_) => Ability::Lacks,
    };
    let openssl = || since(library.and_then(openssl_version), (3, 5));
    match software {
        Software::Nginx | Software::Apache | Software::Haproxy => openssl(),
        // openssl.cnf is the library's own.
        Software::Openssl => match library {
            Some(_) => openssl(),
            None => since(version, (3, 5)),
        },
        Software::Envoy => since(version, (1, 39)),
        Software::Caddy => since(version, (2, 10)),
        Software::Java => since(version, (27, 0)),
        Software::Postgresql => match (since(version, (18, 0)), openssl()) {
            (Ability::Lacks, _) | (_, Ability::Lacks) => Ability::Lacks,
            (Ability::Has, Ability::Has) => Ability::Has,
            _ => Ability::NotKnown,
        },
        Software::Openssh => match version {
            None => Ability::NotKnown,
            Some(found) if found >= (9, 9) => Ability::Has,
            Some(found) if found >= (8, 5) => Ability::HasSntrup,
            Some(_) => Ability::Lacks,
        },
    }
}

/// What must be there for the hybrid, and what that rests on.
pub(crate) fn needs(software: Software) -> (&'static str, Source) {
    let source = |text: &str, confidence| Source {
        text: text.to_owned(),
        confidence,
    };
    use Confidence::{Primary, SeveralSources};
    match software {
        Software::Nginx => (
            "OpenSSL 3.5 or later behind nginx",
            source(
                "run: nginx with OpenSSL 3.6 takes the group; with OpenSSL 3.0 naming it stops \
                 nginx",
                Primary,
            ),
        ),
        Software::Apache => (
            "OpenSSL 3.5 or later behind Apache httpd",
            source(
                "run: Apache 2.4 with OpenSSL 3.6 takes the group; with OpenSSL 3.0 naming it \
                 stops Apache",
                Primary,
            ),
        ),
        Software::Haproxy => (
            "OpenSSL 3.5 or later behind HAProxy",
            source(
                "run: HAProxy with OpenSSL 3.6 takes the group, with OpenSSL 3.0 not",
                Primary,
            ),
        ),
        Software::Openssl => (
            "OpenSSL 3.5 or later, where the hybrid is a default",
            source(
                "run: OpenSSL 3.6 has the group by default; 3.5 is the first",
                Primary,
            ),
        ),
        Software::Envoy => (
            "Envoy 1.39 or later; earlier ones were not tried",
            source("run: Envoy 1.39 takes the group in ecdh_curves", Primary),
        ),
        Software::Caddy => (
            "Caddy 2.10 or later, where the hybrid is a default",
            source(
                "run: Caddy 2.11 has the group by default; 2.10 is the first",
                Primary,
            ),
        ),
        Software::Java => ("JDK 27 or later", source("JEP 527", SeveralSources)),
        Software::Postgresql => (
            "PostgreSQL 18 or later with OpenSSL 3.5 or later; up to 17 ssl_ecdh_curve takes one \
             curve only, so a hybrid there would shut all other clients out",
            source("PostgreSQL 18 has ssl_groups", SeveralSources),
        ),
        Software::Openssh => (
            "OpenSSH 9.9 or later for ML-KEM, where 10.0 makes it the default; 8.5 to 9.8 have \
             sntrup761",
            source("OpenSSH's release notes", SeveralSources),
        ),
    }
}

/// Major and minor number: the first of digits and dots.
pub(crate) fn numbers(text: &str) -> Option<(u32, u32)> {
    let start = text.find(|character: char| character.is_ascii_digit())?;
    let mut parts = text[start..].split(|character: char| !character.is_ascii_digit());
    let major = parts.next()?.parse().ok()?;
    let minor = parts
        .next()
        .and_then(|minor| minor.parse().ok())
        .unwrap_or(0);
    Some((major, minor))
}

/// Numbers of OpenSSL; another library's say nothing about it.
pub(crate) fn openssl_version(library: &str) -> Option<(u32, u32)> {
    let lower = library.to_ascii_lowercase();
    let start = lower.find(|character: char| character.is_ascii_digit())?;
    let name = lower[..start]
        .trim()
        .trim_end_matches(['/', '-', '_', 'v'])
        .trim();
    matches!(name, "openssl" | "")
        .then(|| numbers(&lower))
        .flatten()
}

/// The directive of a scope that says what is aimed at now; the last one counts.
pub(crate) fn present(settings: &Settings, aim: Aim) -> Option<&Directive> {
    let names = match aim {
        Aim::Hybrid => KEY_EXCHANGE,
        Aim::ForwardSecrecy => CIPHERS,
        Aim::Versions => VERSIONS,
    };
    let is_meant = |directive: &&Directive| {
        let is_named = names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&directive.name));
        // Apache's directive says many things, by its first word.
        let is_groups = || {
            let first = directive
                .value
                .split_whitespace()
                .next()
                .unwrap_or_default();
            ["groups", "curves"].contains(&first.to_ascii_lowercase().as_str())
        };
        is_named && (!directive.name.eq_ignore_ascii_case("SSLOpenSSLConfCmd") || is_groups())
    };
    match settings.software {
        // The first that OpenSSH reads counts (sshd_config(5)).
        Software::Openssh => settings.directives.iter().find(is_meant),
        _ => settings.directives.iter().rev().find(is_meant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (library, expected) in [
            ("OpenSSL 3.5.0", Ability::Has),
            ("openssl/3.10.1", Ability::Has),
            ("3.6.3", Ability::Has),
            ("OpenSSL 3.0.15 3 Sep 2024", Ability::Lacks),
            ("OpenSSL 1.1.1w", Ability::Lacks),
            ("LibreSSL 4.0.0", Ability::NotKnown),
            ("BoringSSL", Ability::NotKnown),
            ("", Ability::NotKnown),
            ("99999999999999999999.1", Ability::NotKnown),
        ] {
            assert_eq!(
                ability(Software::Nginx, Some("1.27"), Some(library)),
                expected,
                "{library}"
            );
        }
        for (software, version, library, expected) in [
            (Software::Openssh, "OpenSSH_8.4p1", None, Ability::Lacks),
            (Software::Openssh, "OpenSSH_8.5", None, Ability::HasSntrup),
            (
                Software::Openssh,
                "OpenSSH_9.8p1 Debian-3",
                None,
                Ability::HasSntrup,
            ),
            (Software::Openssh, "9.9", None, Ability::Has),
            (Software::Openssh, "10.0p2", None, Ability::Has),
            (Software::Envoy, "1.38.2", None, Ability::Lacks),
            (Software::Envoy, "1.39.3", None, Ability::Has),
            (Software::Caddy, "v2.9.1", None, Ability::Lacks),
            (Software::Caddy, "v2.10.0", None, Ability::Has),
            (Software::Java, "26", None, Ability::Lacks),
            (Software::Java, "27.0.1", None, Ability::Has),
            (
                Software::Postgresql,
                "17.2",
                Some("OpenSSL 3.5.1"),
                Ability::Lacks,
            ),
            (
                Software::Postgresql,
                "18",
                Some("OpenSSL 3.0.2"),
                Ability::Lacks,
            ),
            (
                Software::Postgresql,
                "18",
                Some("OpenSSL 3.5.1"),
                Ability::Has,
            ),
            (Software::Postgresql, "18", None, Ability::NotKnown),
            (Software::Openssl, "3.4", None, Ability::Lacks),
            (Software::Openssl, "3.5", None, Ability::Has),
        ] {
            assert_eq!(
                ability(software, Some(version), library),
                expected,
                "{software:?} {version}"
            );
        }
    }
}
