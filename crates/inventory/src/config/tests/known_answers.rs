//! What the TLS servers' fixtures turn on.

use super::fixture::{groups, has_remark, line_of, read, settings};

const HYBRID: &str = "X25519+ML-KEM-768";

#[test]
fn nginx_servers_inherit_and_override() {
    let found = settings("nginx.conf", &["nginx=1.22.1/openssl=3.5.0"]);
    let scopes: Vec<_> = found.iter().map(|one| one.scope.as_str()).collect();
    assert_eq!(
        scopes,
        [
            "server www.example.test",
            "server pq.example.test",
            "server 127.0.0.1:8443",
            "server *:8883"
        ],
        "the plain server is none of them"
    );
    let [www, pq, admin, mqtt] = &found[..] else {
        unreachable!()
    };

    assert_eq!(groups(www), ["X25519", "P-256"]);
    assert!(!www.key_exchanges_by_default);
    assert_eq!(
        line_of(www, "ssl_ecdh_curve"),
        Some(9),
        "inherited from http"
    );
    assert_eq!(www.serves, ["www.example.test:443", "example.test:443"]);
    assert_eq!(www.files.len(), 4);
    assert_eq!(www.static_rsa, Some(false));
    assert_eq!(www.versions, ["TLSv1.2", "TLSv1.3"]);

    assert_eq!(groups(pq), [HYBRID, "X25519"]);
    assert_eq!(pq.static_rsa, Some(true), "HIGH:!aNULL:!MD5 is the default");
    assert_eq!(pq.suites, ["TLS_AES_256_GCM_SHA384"]);
    assert!(has_remark(pq, "snippets/extra.conf"));
    assert!(
        has_remark(pq, "server www.example.test as its default"),
        "{:?}",
        pq.remarks
    );
    assert!(!has_remark(www, "as its default"));

    assert_eq!(admin.versions, ["TLSv1.3"]);
    assert_eq!(admin.static_rsa, Some(false), "TLS 1.3 alone has none");
    assert!(
        !has_remark(admin, "as its default"),
        "it has an address of its own"
    );

    assert_eq!(
        groups(mqtt),
        ["P-384"],
        "by ssl_conf_command; http's groups are not those of stream"
    );
    assert_eq!(
        mqtt.versions,
        ["TLSv1", "TLSv1.1", "TLSv1.2"],
        "the default of 1.22"
    );
}

#[test]
fn nginx_with_an_old_library_says_that_it_does_not_start() {
    let found = settings("nginx.conf", &["nginx=1.22.1/openssl=3.0.2"]);
    assert_eq!(groups(&found[1]), ["X25519"]);
    assert!(has_remark(
        &found[1],
        "OpenSSL 3.0.2 does not know X25519MLKEM768"
    ));
    assert!(has_remark(&found[1], "nginx does not start"));
}

#[test]
fn nginx_without_groups_does_as_its_library() {
    let server = "server {\n listen 443 ssl;\n ssl_certificate a;\n}\n";
    for (versions, expected, by_default) in [
        (&["nginx=1.28.0/openssl=3.5.0"][..], Some(HYBRID), true),
        (&["nginx=1.22.1/openssl=3.0.2"], Some("X25519"), true),
        (&["nginx=1.22.1"], None, true),
        (&[], None, true),
    ] {
        let (found, _) = read("site.conf", server, versions);
        assert_eq!(
            groups(&found[0]).first().map(String::as_str),
            expected,
            "{versions:?}"
        );
        assert_eq!(found[0].key_exchanges_by_default, by_default);
        assert_eq!(has_remark(&found[0], "nginx -V"), expected.is_none());
        assert!(
            has_remark(&found[0], "http block"),
            "a fragment says that it is one"
        );
    }
}

#[test]
fn a_hybrid_without_tls_1_3_is_remarked() {
    let server =
        "server {\n listen 443 ssl;\n ssl_protocols TLSv1.2;\n ssl_ecdh_curve X25519MLKEM768;\n}\n";
    let (found, _) = read("site.conf", server, &["nginx=1.28.0/openssl=3.5.0"]);
    assert!(
        has_remark(&found[0], "will never be agreed"),
        "{:?}",
        found[0].remarks
    );
}

#[test]
fn nginx_snippets_say_only_what_stands_in_them() {
    let (found, _) = read(
        "tls.conf",
        "ssl_protocols TLSv1.2;\nssl_ciphers HIGH;\n",
        &["nginx=1.22.1/openssl=3.5.0"],
    );
    assert!(found[0].key_exchanges.is_empty());
    assert_eq!(found[0].static_rsa, Some(true));
    assert_eq!(line_of(&found[0], "ssl_ciphers"), Some(2));
}

#[test]
fn httpd_virtual_hosts_stand_over_the_server() {
    let found = settings("httpd.conf", &["apache=2.4.62/openssl=3.5.0"]);
    let [www, old] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(www.scope, "VirtualHost https://www.example.test:443");
    assert_eq!(www.serves, ["www.example.test:443", "example.test:443"]);
    assert_eq!(
        groups(www),
        [HYBRID, "X25519"],
        "the host's command comes after the server's"
    );
    assert_eq!(www.versions, ["TLSv1.2", "TLSv1.3"]);
    assert_eq!(
        www.suites,
        ["TLS_AES_256_GCM_SHA384", "ECDHE+AESGCM:DHE+AESGCM"]
    );
    assert_eq!(
        www.static_rsa,
        Some(false),
        "the list of a Directory does not count"
    );
    assert_eq!(line_of(www, "SSLProtocol"), Some(4));
    assert!(has_remark(www, "httpd-ssl.conf"));

    assert_eq!(groups(old), ["X25519", "P-256"]);
    assert_eq!(old.versions, ["TLSv1.2"]);
    assert_eq!(old.static_rsa, Some(true));
    assert_eq!(old.serves, ["192.0.2.1:8443"]);
    assert_eq!(old.files, ["/etc/ssl/old.pem"]);
}

#[test]
fn a_protocol_without_a_sign_replaces_those_before_it() {
    let versions = |value: &str| {
        let (found, _) = read("ssl.conf", &format!("SSLProtocol {value}\n"), &[]);
        found[0].versions.join(" ")
    };
    assert_eq!(versions("TLSv1.2 TLSv1.3"), "TLSv1.3");
    assert_eq!(versions("+TLSv1.2 +TLSv1.3"), "TLSv1.2 TLSv1.3");
    assert_eq!(versions("-all +TLSv1.2"), "TLSv1.2");
}

#[test]
fn haproxy_lines_win_over_the_defaults() {
    let found = settings("haproxy.cfg", &["haproxy=3.2.0/openssl=3.5.0"]);
    let [www, old, modern, app] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(groups(www), [HYBRID, "X25519", "P-256"]);
    assert_eq!(line_of(www, "ssl-default-bind-curves"), Some(4));
    assert_eq!(www.serves, ["*:443"]);
    assert_eq!(www.versions, ["TLSv1.2", "TLSv1.3"]);
    assert_eq!(www.static_rsa, Some(false));

    assert_eq!(groups(old), ["P-384"], "an option of the line wins");
    assert_eq!(old.versions, ["TLSv1.2"]);
    assert_eq!(old.static_rsa, Some(true));
    assert_eq!(old.files, ["/etc/haproxy/old.pem"]);
    assert_eq!(line_of(old, "bind"), Some(19));

    assert_eq!(modern.versions, ["TLSv1.3"]);
    assert_eq!(modern.static_rsa, Some(false));
    assert!(has_remark(modern, "/etc/haproxy/list.txt"));

    assert_eq!(app.scope, "backend app server one");
    assert!(has_remark(app, "is the client here"));
    assert_eq!(
        groups(app)[0],
        HYBRID,
        "a server line does not take the defaults of bind"
    );
    assert!(app.key_exchanges_by_default);
    assert_eq!(app.static_rsa, Some(true));
}

#[test]
fn haproxy_with_an_old_library_says_that_it_does_not_start() {
    let found = settings("haproxy.cfg", &["haproxy=2.6.12/openssl=3.0.2"]);
    assert!(has_remark(&found[0], "HAProxy does not start"));
    assert!(
        !has_remark(&found[1], "HAProxy does not start"),
        "its own curves are known"
    );
}

#[test]
fn envoy_contexts_are_found_with_their_listeners() {
    let found = settings("envoy.yaml", &["envoy=1.39.3"]);
    let [named, fallback, cluster] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(named.scope, "listener https for www.example.test");
    assert_eq!(named.serves, ["www.example.test:443", "example.test:443"]);
    assert_eq!(groups(named), [HYBRID, "X25519", "P-256"]);
    assert_eq!(line_of(named, "ecdh_curves"), Some(18));
    assert_eq!(named.versions, ["TLSv1_3"]);
    assert_eq!(named.files, ["/etc/envoy/www.pem", "/etc/envoy/www.key"]);

    assert_eq!(groups(fallback), ["X25519", "P-256"]);
    assert!(fallback.key_exchanges_by_default);
    assert_eq!(fallback.static_rsa, Some(true));
    assert!(has_remark(fallback, "secret discovery"));

    assert_eq!(cluster.scope, "cluster app");
    assert!(has_remark(cluster, "stops at TLS 1.2"));
    assert!(has_remark(cluster, "will never be agreed"));
    assert_eq!(
        settings("envoy.yaml", &["envoy=1.40.0"])[1].key_exchanges[0].to_string(),
        HYBRID
    );
}

#[test]
fn envoy_reads_json_in_either_spelling() {
    let found = settings("envoy.json", &["envoy=1.39.3"]);
    assert_eq!(found[0].scope, "listener lds");
    assert_eq!(found[0].serves, ["192.0.2.7:8443"]);
    assert_eq!(groups(&found[0]), ["P-384"]);
    assert_eq!(found[0].versions, ["TLSv1_2"]);
    assert_eq!(line_of(&found[0], "ecdh_curves"), Some(16));
}

#[test]
fn caddy_sites_are_told_with_their_snippets() {
    let found = settings("Caddyfile", &["caddy=2.10.2"]);
    let [www, pq, old] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(www.serves, ["www.example.test:443", "example.test:8443"]);
    assert_eq!(groups(www), [HYBRID, "X25519", "P-256"]);
    assert!(www.key_exchanges_by_default);
    assert_eq!(www.static_rsa, Some(false));

    assert_eq!(groups(pq), ["P-384", "X25519"], "by the imported snippet");
    assert_eq!(pq.versions, ["tls1.3"]);
    assert_eq!(pq.files, ["/etc/caddy/cert.pem", "/etc/caddy/key.pem"]);
    assert_eq!(line_of(pq, "curves"), Some(8));

    assert_eq!(groups(old), [HYBRID, "X25519"]);
    assert_eq!(old.static_rsa, Some(true));
    assert!(has_remark(old, "sites/extra.caddy"));

    let before = settings("Caddyfile", &["caddy=2.9.1"]);
    assert_eq!(groups(&before[0]), ["X25519", "P-256"]);
    assert!(has_remark(&before[2], "came with Caddy 2.10"));
}

#[test]
fn a_caddyfile_of_one_site_needs_no_braces() {
    let (found, _) = read(
        "Caddyfile",
        "example.test\ntls {\n curves x25519\n}\nrespond hi\n",
        &[],
    );
    assert_eq!(found[0].serves, ["example.test:443"]);
    assert_eq!(groups(&found[0]), ["X25519"]);
}

#[test]
fn caddy_json_has_a_scope_for_each_policy() {
    let found = settings("caddy.json", &["caddy=2.10.2"]);
    let [pq, rest, automatic] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (pq.serves.len(), pq.serves[0].as_str()),
        (1, "pq.example.test:443")
    );
    assert_eq!(groups(pq), [HYBRID]);
    assert_eq!(line_of(pq, "curves"), Some(11));
    assert_eq!(rest.serves, ["www.example.test:443"]);
    assert!(rest.key_exchanges_by_default);
    assert_eq!(automatic.scope, "server auto");
}
