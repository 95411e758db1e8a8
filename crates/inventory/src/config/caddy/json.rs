//! Caddy's own JSON: the connection policies of its HTTP servers.

use super::super::FileName;
use super::super::reading::Reading;
use super::super::scope::Scope;
use super::super::tree::{self, Node};
use super::Said;

pub(in super::super) fn recognises(name: &FileName, text: &str) -> bool {
    let has = |part: &str| text.contains(part);
    name.extension == "json"
        && has("\"apps\"")
        && has("\"http\"")
        && has("\"servers\"")
        && (has("\"listen\"") || has("tls_connection_policies"))
}

pub(in super::super) fn read(text: &str, reading: &mut Reading<'_>) {
    let (documents, broken) = tree::documents(text);
    let servers = documents
        .iter()
        .filter_map(|document| document.at(&["apps", "http", "servers"]));
    for (name, server) in servers.flat_map(Node::entries) {
        read_server(name, server, reading);
    }
    if let Some((line, reason)) = broken {
        reading.problem(line, reason);
    }
}

fn read_server(name: &str, server: &Node, reading: &mut Reading<'_>) {
    let ports: Vec<&str> = server
        .get("listen")
        .into_iter()
        .flat_map(Node::texts)
        .filter_map(|address| address.rsplit_once(':'))
        .map(|(_, port)| port)
        .take(16)
        .collect();
    let hosts: Vec<&str> = server
        .get("routes")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|route| route.get("match"))
        .flat_map(Node::items)
        .filter_map(|matcher| matcher.get("host"))
        .flat_map(Node::texts)
        .take(64)
        .collect();
    let policies = server
        .get("tls_connection_policies")
        .map(Node::items)
        .unwrap_or_default();
    for policy in policies {
        let names: Vec<&str> = policy
            .at(&["match", "sni"])
            .into_iter()
            .flat_map(Node::texts)
            .take(64)
            .collect();
        let title = match names.first() {
            Some(first) => format!("server {name} for {first}"),
            None => format!("server {name}"),
        };
        let mut scope = Scope::titled(title);
        serve(
            &mut scope,
            if names.is_empty() { &hosts } else { &names },
            &ports,
        );
        said(policy, &mut scope, reading).push(scope, reading);
    }
    // Without a policy, automatic HTTPS makes one where the port is that of HTTPS.
    let is_automatic = server
        .at(&["automatic_https", "disable"])
        .and_then(Node::text)
        != Some("true");
    if policies.is_empty() && is_automatic && ports.contains(&"443") {
        let mut scope = Scope::titled(format!("server {name}"));
        serve(&mut scope, &hosts, &ports);
        Said::default().push(scope, reading);
    }
}

fn serve(scope: &mut Scope, names: &[&str], ports: &[&str]) {
    for port in ports {
        for name in names {
            scope.serve(&format!("{name}:{port}"));
        }
        if names.is_empty() {
            scope.serve(&format!("*:{port}"));
        }
    }
}

/// What a connection policy says.
fn said(policy: &Node, scope: &mut Scope, reading: &mut Reading<'_>) -> Said {
    let mut listed = |key: &str, scope: &mut Scope| -> Option<Vec<String>> {
        let list = policy.get(key)?;
        let names: Vec<String> = list.texts().take(128).map(str::to_owned).collect();
        scope.add(list.line, key, &names.join(", "), reading);
        Some(names)
    };
    let curves = listed("curves", scope);
    let ciphers = listed("cipher_suites", scope);
    let mut end = |key: &str, scope: &mut Scope| -> Option<String> {
        let found = policy.get(key)?;
        let value = found.text()?.to_owned();
        scope.add(found.line, key, &value, reading);
        Some(value)
    };
    let min = end("protocol_min", scope);
    let max = end("protocol_max", scope);
    Said {
        curves,
        ciphers,
        min,
        max,
    }
}
