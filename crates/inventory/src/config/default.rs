//! What programs and libraries do where a configuration is silent: one table.

use audit::Algorithm;

use super::name;
use super::version::Version;

/// Whose default it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// OpenSSL's own, in programs that do not set groups.
    Openssl,
    /// Envoy's, which it sets over those of BoringSSL.
    Envoy,
    /// Caddy's, which it sets over those of Go.
    Caddy,
    /// The JDK's provider of TLS.
    Java,
    /// sshd.
    Sshd,
    /// ssh.
    Ssh,
    /// PostgreSQL's, which it sets over those of OpenSSL.
    Postgresql,
}

/// The default from one version on until the next row of the same source.
pub(super) struct Default {
    source: Source,
    since: [u32; 3],
    names: &'static [&'static str],
    /// Where it can be looked up.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the table cites its sources for its reader")
    )]
    reference: &'static str,
}

const MODP: &[&str] = &[
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
];

/// Rows of one source stand in the order of versions, the newest first.
#[rustfmt::skip]
static DEFAULTS: &[Default] = &[
    Default { source: Source::Openssl, since: [3, 5, 0], reference: "openssl/openssl ssl/t1_lib.c TLS_DEFAULT_GROUP_LIST",
        names: &["X25519MLKEM768", "X25519", "secp256r1", "X448", "secp384r1", "secp521r1", "ffdhe2048", "ffdhe3072"] },
    Default { source: Source::Openssl, since: [3, 0, 0], reference: "openssl/openssl openssl-3.0 ssl/t1_lib.c supported_groups_default",
        names: &["X25519", "secp256r1", "X448", "secp521r1", "secp384r1", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"] },
    Default { source: Source::Openssl, since: [1, 1, 1], reference: "openssl/openssl OpenSSL_1_1_1 ssl/t1_lib.c eccurves_default",
        names: &["X25519", "secp256r1", "X448", "secp521r1", "secp384r1"] },
    Default { source: Source::Openssl, since: [1, 1, 0], reference: "openssl/openssl OpenSSL_1_1_0 ssl/t1_lib.c eccurves_default",
        names: &["X25519", "secp256r1", "secp521r1", "secp384r1"] },

    Default { source: Source::Envoy, since: [1, 40, 0], reference: "envoyproxy/envoy pull request 47225; builds for FIPS have P-256 alone",
        names: &["X25519MLKEM768", "X25519", "P-256"] },
    Default { source: Source::Envoy, since: [1, 6, 0], reference: "Envoy api-v3 TlsParameters.ecdh_curves; builds for FIPS have P-256 alone",
        names: &["X25519", "P-256"] },

    Default { source: Source::Caddy, since: [2, 10, 0], reference: "caddyserver/caddy modules/caddytls/values.go defaultCurves, v2.10.0",
        names: &["X25519MLKEM768", "X25519", "secp256r1"] },
    Default { source: Source::Caddy, since: [2, 0, 0], reference: "caddyserver/caddy modules/caddytls/values.go defaultCurves, v2.0.0",
        names: &["X25519", "secp256r1"] },

    Default { source: Source::Java, since: [27, 0, 0], reference: "JEP 527",
        names: &["X25519MLKEM768", "x25519", "secp256r1", "secp384r1", "secp521r1", "x448", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"] },
    Default { source: Source::Java, since: [13, 0, 0], reference: "openjdk/jdk sun/security/ssl/NamedGroup.java, JDK 13 and later",
        names: &["x25519", "secp256r1", "secp384r1", "secp521r1", "x448", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"] },
    Default { source: Source::Java, since: [8, 0, 0], reference: "openjdk/jdk11u sun/security/ssl/SupportedGroupsExtension.java",
        names: &["secp256r1", "secp384r1", "secp521r1", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"] },

    Default { source: Source::Sshd, since: [10, 0, 0], reference: "OpenSSH 10.0 release notes; sshd offers no modp group",
        names: &["mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521"] },
    Default { source: Source::Ssh, since: [10, 0, 0], reference: "OpenSSH 10.0 release notes and ssh_config(5)",
        names: &["mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", MODP[0], MODP[1], MODP[2], MODP[3]] },
    Default { source: Source::Sshd, since: [9, 9, 0], reference: "OpenSSH 9.9 release notes and sshd_config(5)",
        names: &["sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com", "mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", MODP[0], MODP[1], MODP[2], MODP[3]] },
    Default { source: Source::Ssh, since: [9, 9, 0], reference: "OpenSSH 9.9 release notes and ssh_config(5)",
        names: &["sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com", "mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", MODP[0], MODP[1], MODP[2], MODP[3]] },
    Default { source: Source::Sshd, since: [9, 0, 0], reference: "OpenSSH 9.0 release notes and sshd_config(5)",
        names: &["sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", MODP[0], MODP[1], MODP[2], MODP[3]] },
    Default { source: Source::Ssh, since: [9, 0, 0], reference: "OpenSSH 9.0 release notes and ssh_config(5)",
        names: &["sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", MODP[0], MODP[1], MODP[2], MODP[3]] },
    Default { source: Source::Sshd, since: [8, 2, 0], reference: "OpenSSH 8.2 release notes and sshd_config(5)",
        names: &["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", MODP[0], MODP[1], MODP[2], MODP[3]] },
    Default { source: Source::Ssh, since: [8, 2, 0], reference: "OpenSSH 8.2 release notes and ssh_config(5)",
        names: &["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", MODP[0], MODP[1], MODP[2], MODP[3]] },
    Default { source: Source::Sshd, since: [7, 4, 0], reference: "OpenSSH 7.4 sshd_config(5)",
        names: &["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", MODP[0], MODP[1], MODP[2], MODP[3], "diffie-hellman-group14-sha1"] },

    Default { source: Source::Postgresql, since: [18, 0, 0], reference: "PostgreSQL 18 documentation, ssl_groups",
        names: &["X25519", "prime256v1"] },
    Default { source: Source::Postgresql, since: [9, 4, 0], reference: "PostgreSQL documentation, ssl_ecdh_curve",
        names: &["prime256v1"] },
];

/// The names of a version's default, in the order of preference; `None` where the table has
/// none.
pub(super) fn names(source: Source, version: Version) -> Option<&'static [&'static str]> {
    DEFAULTS
        .iter()
        .find(|row| row.source == source && Version(row.since) <= version)
        .map(|row| row.names)
}

/// The algorithms of a version's default, each once.
pub(super) fn groups(source: Source, version: Version) -> Option<Vec<Algorithm>> {
    names(source, version).map(|names| {
        names
            .iter()
            .filter_map(|name| name::of_group(name))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_ordered_cited_and_of_known_names() {
        for pair in DEFAULTS.windows(2) {
            if pair[0].source == pair[1].source {
                assert!(pair[0].since > pair[1].since, "{:?}", pair[0].source);
            }
        }
        for row in DEFAULTS {
            assert!(!row.reference.is_empty());
            for name in row.names {
                let is_ssh = matches!(row.source, Source::Ssh | Source::Sshd);
                let known = if is_ssh {
                    !matches!(name::of_kex(name), Algorithm::Other(_))
                } else {
                    name::of_group(name).is_some()
                };
                assert!(known, "{name}");
            }
        }
    }

    #[test]
    fn the_first_group_tells_when_each_program_turned() {
        let first =
            |source, version| groups(source, Version(version)).map(|list| list[0].to_string());
        assert_eq!(
            first(Source::Openssl, [3, 5, 0]).unwrap(),
            "X25519+ML-KEM-768"
        );
        assert_eq!(first(Source::Openssl, [3, 4, 1]).unwrap(), "X25519");
        assert_eq!(first(Source::Caddy, [2, 9, 1]).unwrap(), "X25519");
        assert_eq!(
            first(Source::Caddy, [2, 10, 0]).unwrap(),
            "X25519+ML-KEM-768"
        );
        assert_eq!(first(Source::Java, [26, 0, 0]).unwrap(), "X25519");
        assert_eq!(
            first(Source::Java, [27, 0, 0]).unwrap(),
            "X25519+ML-KEM-768"
        );
        assert_eq!(first(Source::Postgresql, [17, 2, 0]).unwrap(), "P-256");
        assert_eq!(first(Source::Openssl, [0, 9, 8]), None);
    }
}
