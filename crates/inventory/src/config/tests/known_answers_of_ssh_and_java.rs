//! What the fixtures of libraries, OpenSSH, PostgreSQL and Java turn on, and broken files.

use super::fixture::{groups, has_remark, line_of, read, settings};

#[test]
fn the_chain_of_openssl_cnf_is_followed() {
    let found = settings("openssl.cnf", &["openssl=3.5.1/openssl=3.5.1"]);
    assert_eq!(groups(&found[0]), ["X25519+ML-KEM-768", "X25519", "P-384"]);
    assert_eq!(found[0].versions, ["TLSv1.2", "TLSv1.3"]);
    assert_eq!(found[0].suites, ["DEFAULT@SECLEVEL=2"]);
    assert_eq!(found[0].static_rsa, Some(true));
    assert_eq!(line_of(&found[0], "Groups"), Some(20));
    assert_eq!(line_of(&found[0], "openssl_conf"), Some(3));
    assert!(has_remark(&found[0], "oqsprovider"));
    let old = settings("openssl.cnf", &["openssl=3.0.2/openssl=3.0.2"]);
    assert_eq!(groups(&old[0]), ["X25519", "P-384"]);
    assert!(
        has_remark(&old[0], "whole list is refused"),
        "the ? helps from 3.3 on"
    );
}

#[test]
fn openssl_cnf_without_the_chain_is_the_librarys_default() {
    for (text, problems) in [
        ("[req]\nGroups = secp384r1\n", 0),
        ("openssl_conf = nowhere\n", 1),
        (
            "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nother = c\n[c]\nGroups = secp384r1\n",
            0,
        ),
    ] {
        let (found, broken) = read("openssl.cnf", text, &["openssl=3.0.2/openssl=3.0.2"]);
        assert_eq!(groups(&found[0])[0], "X25519", "{text}");
        assert!(found[0].key_exchanges_by_default);
        assert_eq!(broken.len(), problems, "{text}");
    }
    let (found, _) = read(
        "opensslcnf.config",
        "CipherString = @SECLEVEL=2:kEECDH:kRSA\nGroups = X25519\nTLS.MinProtocol = TLSv1.2\n",
        &[],
    );
    assert_eq!(
        (groups(&found[0])[0].as_str(), found[0].static_rsa),
        ("X25519", Some(true))
    );
    let (found, _) = read(
        "openssl.cnf",
        "openssl_conf=a\n[a]\nssl_conf=b\n[b]\nsystem_default=c\n[c]\ng=P-384\nGroups=$g\n",
        &[],
    );
    assert_eq!(groups(&found[0]), ["P-384"]);
}

#[test]
fn sshd_changes_the_default_of_its_version() {
    let found = settings("sshd_config", &["openssh=9.2p1"]);
    let [server, backup] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(groups(server), ["X25519+sntrup761", "X25519"]);
    assert!(!server.key_exchanges_by_default);
    assert_eq!(
        line_of(server, "KexAlgorithms"),
        Some(8),
        "the first value counts"
    );
    assert_eq!(server.serves, ["*:22", "*:2222", "[2001:db8::1]:2022"]);
    assert_eq!(
        server.files,
        ["/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key"]
    );
    assert_eq!(line_of(server, "HostKeyAlgorithms"), Some(11));
    assert!(has_remark(server, "sshd_config.d"));
    assert_eq!(backup.scope, "Match User backup");
    assert_eq!(line_of(backup, "PubkeyAcceptedAlgorithms"), Some(15));

    let newest = settings("sshd_config", &["openssh=10.0p2"]);
    assert_eq!(
        groups(&newest[0]),
        ["X25519+ML-KEM-768", "X25519+sntrup761", "X25519"]
    );
    let unknown = settings("sshd_config", &[]);
    assert!(unknown[0].key_exchanges.is_empty());
    assert!(has_remark(&unknown[0], "ssh -V"));
}

#[test]
fn sshd_defaults_turned_with_9_0_and_10_0() {
    for (version, first) in [
        ("8.9p1", "X25519"),
        ("9.2p1", "X25519+sntrup761"),
        ("10.0p1", "X25519+ML-KEM-768"),
    ] {
        let (found, _) = read("sshd_config", "Port 22\n", &[&format!("openssh={version}")]);
        assert_eq!(groups(&found[0])[0], first);
        assert!(found[0].key_exchanges_by_default);
    }
    let (found, _) = read(
        "sshd_config",
        "KexAlgorithms mlkem768x25519-sha256\n",
        &["openssh=9.2p1"],
    );
    assert!(found[0].key_exchanges.is_empty() && has_remark(&found[0], "came with 9.9"));
}

#[test]
fn ssh_hosts_take_the_first_value_that_is_read() {
    let found = settings("ssh_config", &["openssh=9.2p1"]);
    let [old, all] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(old.scope, "Host old.example.test");
    assert_eq!(groups(old)[0], "X25519+sntrup761");
    assert_eq!(groups(old).last().unwrap(), "DH-1024");
    assert_eq!(all.scope, "Host *");
    assert_eq!(groups(all)[..2], ["X25519", "X25519+sntrup761"]);
    assert_eq!(all.files, ["~/.ssh/id_ed25519"]);
    assert!(has_remark(all, "is the client here"));
}

#[test]
fn an_ssh_config_that_says_nothing_leaves_the_default() {
    let (found, _) = read("ssh_config", "Host *\n  SendEnv LANG\n", &["openssh=10.0"]);
    assert_eq!((found.len(), found[0].scope.as_str()), (1, "client"));
    assert_eq!(groups(&found[0])[0], "X25519+ML-KEM-768");
    assert!(
        groups(&found[0]).contains(&"DH-2048".to_owned()),
        "sshd alone left it out"
    );
    assert!(
        read(
            "/etc/ssh/ssh_config.d/a.conf",
            "Host *\n  SendEnv LANG\n",
            &[]
        )
        .0
        .is_empty()
    );
}

#[test]
fn postgresql_before_18_has_one_curve() {
    let found = settings("postgresql.conf", &["postgresql=15.18/openssl=3.5.0"]);
    assert_eq!(groups(&found[0]), ["P-256"]);
    assert!(found[0].key_exchanges_by_default);
    assert_eq!(
        found[0].static_rsa,
        Some(true),
        "HIGH:MEDIUM:+3DES:!aNULL is the default"
    );
    assert_eq!(found[0].serves, ["*:5433"]);
    assert_eq!(found[0].files, ["server.crt", "server.key"]);
    assert_eq!(line_of(&found[0], "ssl_min_protocol_version"), Some(10));
    assert!(has_remark(&found[0], "conf.d"));

    let found = settings("postgresql.conf", &["postgresql=18.1/openssl=3.5.0"]);
    assert_eq!(groups(&found[0]), ["X25519", "P-256"]);
    let (found, _) = read(
        "postgresql.conf",
        "ssl = yes\nssl_groups = 'X25519MLKEM768:X25519'\n",
        &["postgresql=18.1/openssl=3.5.0"],
    );
    assert_eq!(groups(&found[0])[0], "X25519+ML-KEM-768");
    let (found, _) = read("postgresql.conf", "ssl = off\n", &["postgresql=15"]);
    assert!(found[0].key_exchanges.is_empty() && has_remark(&found[0], "not encrypted"));
}

#[test]
fn java_security_takes_away_and_does_not_name() {
    let found = settings("java.security", &["java=17.0.15"]);
    assert_eq!(
        groups(&found[0]),
        [
            "X25519", "P-256", "P-384", "P-521", "DH-3072", "DH-4096", "DH-6144", "DH-8192"
        ]
    );
    assert!(has_remark(&found[0], "system property"));
    assert_eq!(found[0].versions, ["TLSv1.2", "TLSv1.3"]);
    assert_eq!(found[0].static_rsa, Some(true));
    assert_eq!(line_of(&found[0], "jdk.tls.disabledAlgorithms"), Some(5));
    assert_eq!(
        groups(&settings("java.security", &["java=27"])[0])[0],
        "X25519+ML-KEM-768"
    );

    let option = settings("jvm.options", &["java=27"]);
    assert_eq!(groups(&option[0]), ["X25519+ML-KEM-768", "X25519", "P-256"]);
    let before = settings("jvm.options", &["java=21"]);
    assert_eq!(groups(&before[0]), ["X25519", "P-256"]);
    assert!(has_remark(&before[0], "JDK 27"));
    let (found, _) = read(
        "java.security",
        "jdk.tls.disabledAlgorithms=SSLv3, TLS_RSA_*\n",
        &[],
    );
    assert_eq!(found[0].static_rsa, Some(false));
}

#[test]
fn broken_files_say_where_and_the_rest_is_read() {
    for (name, text, line, scopes) in [
        (
            "nginx.conf",
            "http {\n server {\n listen 443 ssl;\n ssl_protocols TLSv1.3\n }\n}\n",
            4,
            1,
        ),
        ("nginx.conf", "server {\n listen 443 ssl;\n}\n}\n", 4, 1),
        (
            "nginx.conf",
            "server {\n listen 443 ssl;\n ssl_certificate \"a\n",
            3,
            1,
        ),
        (
            "httpd.conf",
            "<VirtualHost *:443>\nSSLEngine on\n</VirtualHos>\n",
            3,
            1,
        ),
        (
            "httpd.conf",
            "SSLEngine on\nSSLCertificateFile \"a\nSSLProtocol all\n",
            2,
            1,
        ),
        (
            "haproxy.cfg",
            "frontend a\n bind :443 ssl crt \"x\n bind :8443 ssl crt y\n",
            2,
            1,
        ),
        (
            "haproxy.cfg",
            "bindings here\nfrontend a\n bind :8443 ssl crt y\n",
            1,
            1,
        ),
        ("envoy.yaml", "static_resources:\n  listeners: [\n", 3, 0),
        (
            "envoy.json",
            "{\"static_resources\": {\"listeners\": [}}",
            1,
            0,
        ),
        (
            "Caddyfile",
            "example.test {\n tls {\n  curves x25519\n",
            2,
            1,
        ),
        ("openssl.cnf", "[broken\nopenssl_conf\n", 1, 1),
        ("sshd_config", "Port 22\nKexAlgorithms\nCiphers \"a\n", 2, 1),
        ("postgresql.conf", "ssl = on\nssl_ciphers = 'HIGH\n", 2, 1),
    ] {
        let (found, problems) = read(name, text, &[]);
        assert_eq!(
            problems.first().and_then(|problem| problem.location.line),
            Some(line),
            "{text}: {problems:?}"
        );
        assert_eq!(problems[0].location.path, name);
        assert_eq!(found.len(), scopes, "{text}: {found:?}");
    }
}

#[test]
fn hostile_sizes_are_bounded() {
    let servers = "server { listen 443 ssl; }\n".repeat(3000);
    let (found, problems) = read("nginx.conf", &format!("http {{\n{servers}}}"), &[]);
    assert_eq!(found.len(), 1000);
    assert_eq!(problems.len(), 1);
    let (_, problems) = read("nginx.conf", &"http {".repeat(100_000), &[]);
    assert!(problems[0].reason.contains("deeper"));
    let (_, problems) = read("Caddyfile", &"a.test {\n".repeat(100_000), &[]);
    assert!(problems[0].reason.contains("deeper"));
    let long = "X25519:".repeat(10_000);
    let (found, problems) = read(
        "nginx.conf",
        &format!("http {{ ssl_ecdh_curve {long}; }} server {{ listen 443 ssl; }}"),
        &[],
    );
    assert!(problems[0].reason.contains("longer than") && found[0].key_exchanges.is_empty());
    let loops = "(a) {\n".to_owned() + &" import a\n".repeat(300) + "}\nx.test {\n import a\n}\n";
    let (found, _) = read("Caddyfile", &loops, &[]);
    assert!(has_remark(&found[0], "too many or too deep"));
    let inherited = "ssl_conf_command Options X;\n".repeat(5000);
    let servers = "server { listen 443 ssl; }\n".repeat(2000);
    let (found, _) = read(
        "nginx.conf",
        &format!("http {{\n{inherited}{servers}}}"),
        &[],
    );
    assert!(found[0].directives.len() <= 256);
    let (_, problems) = read(
        "ssh_config",
        &"Host *\nKexAlgorithms x\n".repeat(100_000),
        &[],
    );
    assert!(problems[0].reason.contains("not read on"));
    let (_, problems) = read("openssl.cnf", &"a=$b\n".repeat(100_000), &[]);
    assert!(problems[0].reason.contains("not read on"));
}
