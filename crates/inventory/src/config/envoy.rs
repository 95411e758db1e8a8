//! Envoy: the TLS contexts of listeners and clusters, in YAML and JSON.

use std::rc::Rc;

use super::FileName;
use super::cipher_list;
use super::default::Source;
use super::group_list::Groups;
use super::reading::Reading;
use super::scope::{Scope, between};
use super::tree::{self, Node, Value};
use super::version::Version;

const VERSIONS: [&str; 4] = ["TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3"];

pub(super) fn recognises(name: &FileName, text: &str) -> bool {
    let is_tree = matches!(name.extension.as_str(), "yaml" | "yml" | "json");
    let has = |part: &str| text.contains(part);
    let is_bootstrap = has("static_resources") && (has("listeners") || has("clusters"))
        || has("staticResources") && (has("listeners") || has("clusters"));
    is_tree
        && (is_bootstrap
            || has("type.googleapis.com/envoy.") && has("TlsContext")
            || has("common_tls_context"))
}

pub(super) fn read(text: &str, reading: &mut Reading<'_>) {
    let (documents, broken) = tree::documents(text);
    for document in &documents {
        walk(document, &Place::default(), reading);
    }
    if let Some((line, reason)) = broken {
        reading.problem(line, reason);
    }
}

/// Where a TLS context stands.
#[derive(Debug, Clone, Default)]
struct Place {
    title: Rc<str>,
    is_cluster: bool,
    address: Option<Rc<(String, String)>>,
    /// `server_names` of the filter chain.
    names: Rc<[String]>,
}

/// Looks for TLS contexts. The depth of the tree is bounded by its reader.
fn walk(node: &Node, place: &Place, reading: &mut Reading<'_>) {
    match &node.value {
        Value::Scalar(_) => {}
        Value::List(items) => {
            for item in items {
                walk(item, place, reading);
            }
        }
        Value::Map(entries) => {
            let place = &place.within(node, "");
            if let Some(common) = node.get("common_tls_context") {
                context(node, common, place, reading);
            }
            for (key, child) in entries {
                match (key.as_str(), &child.value) {
                    (
                        "listeners" | "clusters" | "filter_chains" | "filterChains",
                        Value::List(items),
                    ) => {
                        for item in items {
                            walk(item, &place.within(item, key), reading);
                        }
                    }
                    ("common_tls_context" | "commonTlsContext", _) => {}
                    _ => walk(child, place, reading),
                }
            }
        }
    }
}

impl Place {
    /// The place of an item of a list, or of a resource that says its type.
    fn within(&self, node: &Node, list: &str) -> Self {
        let mut place = self.clone();
        let kind = node.get("@type").and_then(Node::text).unwrap_or_default();
        let name = || {
            node.get("name")
                .and_then(Node::text)
                .unwrap_or("without a name")
        };
        if list == "listeners" || kind.ends_with(".Listener") {
            place.is_cluster = false;
            place.title = format!("listener {}", name()).into();
            place.address = node.at(&["address", "socket_address"]).map(|address| {
                let text = |key: &str| {
                    address
                        .get(key)
                        .and_then(Node::text)
                        .unwrap_or_default()
                        .to_owned()
                };
                Rc::new((text("address"), text("port_value")))
            });
        } else if list == "clusters" || kind.ends_with(".Cluster") {
            place.is_cluster = true;
            place.title = format!("cluster {}", name()).into();
            place.address = None;
        } else if list.starts_with("filter") {
            let names = node.at(&["filter_chain_match", "server_names"]);
            place.names = names
                .into_iter()
                .flat_map(Node::texts)
                .take(256)
                .map(str::to_owned)
                .collect();
        }
        place
    }
}

/// One TLS context.
fn context(node: &Node, common: &Node, place: &Place, reading: &mut Reading<'_>) {
    let kind = node.get("@type").and_then(Node::text).unwrap_or_default();
    let is_client = kind.contains("Upstream") || (place.is_cluster && !kind.contains("Downstream"));
    let title = match (place.title.as_ref(), place.names.first()) {
        ("", _) => kind.rsplit('.').next().unwrap_or("TLS context").to_owned(),
        (title, Some(name)) => format!("{title} for {name}"),
        (title, None) => title.to_owned(),
    };
    let mut scope = Scope::titled(title);
    if let Some((address, port)) = place.address.as_deref()
        && !port.is_empty()
    {
        let host = if matches!(address.as_str(), "" | "0.0.0.0" | "::") {
            "*"
        } else {
            address
        };
        if place.names.is_empty() {
            scope.serve(&format!("{host}:{port}"));
        }
        for name in place.names.iter() {
            scope.serve(&format!("{name}:{port}"));
        }
    }
    let params = common.get("tls_params");
    let param = |key: &str| params.and_then(|params| params.get(key));
    let mut listed = |key: &str, scope: &mut Scope| -> Option<Vec<String>> {
        let list = param(key)?;
        let names: Vec<String> = list.texts().take(128).map(str::to_owned).collect();
        scope.add(list.line, key, &names.join(", "), reading);
        (!names.is_empty()).then_some(names)
    };
    let curves = listed("ecdh_curves", &mut scope);
    let ciphers = listed("cipher_suites", &mut scope);
    listed("signature_algorithms", &mut scope);
    let mut end = |key: &str, scope: &mut Scope| -> Option<String> {
        let found = param(key)?;
        let value = found.text()?.to_owned();
        scope.add(found.line, key, &value, reading);
        (value != "TLS_AUTO").then_some(value)
    };
    let min = end("tls_minimum_protocol_version", &mut scope);
    let max = end("tls_maximum_protocol_version", &mut scope);
    files(common, &mut scope);

    let version = reading.program_version();
    if is_client {
        scope.remark("Envoy is the client here");
        if max.is_none() && curves.is_some() {
            scope.remark(
                "names no tls_maximum_protocol_version: as a client Envoy stops at TLS 1.2 unless it is TLSv1_3, and TLS 1.2 has no hybrid groups",
            );
        }
    }
    let default_max = if is_client { "TLSv1_2" } else { "TLSv1_3" };
    scope.versions = between(
        &VERSIONS,
        Some(min.as_deref().unwrap_or("TLSv1_2")),
        Some(max.as_deref().unwrap_or(default_max)),
    );
    if param("compliance_policies").is_some() {
        scope.remark("its compliance_policies restrict groups and suites further");
    }
    let groups = match &curves {
        Some(names) => {
            // One item may hold several, as OpenSSL's lists do.
            Groups::named(names.iter().flat_map(|names| names.split(':')))
        }
        None => Groups::by_default(Source::Envoy, version, reading.software),
    };
    let static_rsa = match &ciphers {
        Some(names) => {
            cipher_list::static_rsa(&names.join(":").replace(['[', ']'], "").replace('|', ":"))
        }
        // The defaults of later versions hold ECDHE alone (TlsParameters.cipher_suites).
        None => version
            .filter(|version| *version >= Version([1, 28, 0]))
            .map(|_| false),
    };
    scope.ciphers = ciphers.map(|names| names.join(":"));
    let settings = scope.into_settings(reading, groups, static_rsa);
    reading.push(settings);
}

fn files(common: &Node, scope: &mut Scope) {
    for certificate in common
        .get("tls_certificates")
        .map(Node::items)
        .unwrap_or_default()
    {
        for key in ["certificate_chain", "private_key", "pkcs12"] {
            if let Some(path) = certificate.at(&[key, "filename"]).and_then(Node::text) {
                scope.file(path);
            }
        }
    }
    if let Some(path) = common
        .at(&["validation_context", "trusted_ca", "filename"])
        .and_then(Node::text)
    {
        scope.file(path);
    }
    for secret in common
        .get("tls_certificate_sds_secret_configs")
        .map(Node::items)
        .unwrap_or_default()
    {
        let name = secret.get("name").and_then(Node::text).unwrap_or_default();
        scope.remark(format!(
            "its certificate {name} comes from a secret discovery service, not from this file"
        ));
    }
}
