//! The bill of materials against CycloneDX's own schemas, and against what was seen.

use std::collections::BTreeSet;

use audit::output::{CbomVersion, cbom};
use audit::{Endpoint, Estate, Protocol, Service};
use serde_json::{Value, json};

use crate::estate::{NOW, endpoint, estate, ssh_service, tls_service};
use crate::schemas::{assert_valid, bom};

const VERSIONS: [CbomVersion; 2] = [CbomVersion::V1_6, CbomVersion::V1_7];

fn component<'a>(document: &'a Value, reference: &str) -> &'a Value {
    let components = document["components"].as_array().unwrap();
    components
        .iter()
        .find(|component| component["bom-ref"] == reference)
        .unwrap_or_else(|| panic!("no {reference} in {document:#}"))
}

/// Strings under the keys of the schema that refer to another asset.
fn referred<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let is_reference = matches!(
                    key.as_str(),
                    "ref"
                        | "dependsOn"
                        | "cryptoRefArray"
                        | "algorithmRef"
                        | "algorithms"
                        | "signatureAlgorithmRef"
                        | "subjectPublicKeyRef"
                );
                match value {
                    Value::String(text) if is_reference => _ = found.insert(text),
                    Value::Array(items) if is_reference => {
                        found.extend(items.iter().filter_map(Value::as_str));
                    }
                    other => referred(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| referred(item, found)),
        _ => {}
    }
}

/// Valid by the schema; references are unique, and lead somewhere.
#[track_caller]
pub(crate) fn assert_sound(document: &Value) {
    assert_valid(&bom(document["specVersion"].as_str().unwrap()), document);
    let assets = ["components", "services"].map(|list| document[list].as_array().unwrap());
    let references: Vec<&str> = assets
        .into_iter()
        .flatten()
        .map(|asset| asset["bom-ref"].as_str().unwrap())
        .collect();
    let unique: BTreeSet<&str> = references.iter().copied().collect();
    assert_eq!(unique.len(), references.len(), "bom-refs are unique");
    let mut used = BTreeSet::new();
    referred(document, &mut used);
    let dangling: Vec<_> = used.difference(&unique).collect();
    assert!(dangling.is_empty(), "{dangling:?}");
}

#[test]
fn documents_are_valid_and_refer_to_nothing_that_is_missing() {
    for version in VERSIONS {
        assert_sound(&cbom(&estate(), version, NOW));
        assert_sound(&cbom(&Estate::default(), version, NOW));
    }
}

#[test]
fn a_hybrid_is_a_combiner_that_depends_on_its_halves() {
    let document = cbom(&estate(), CbomVersion::V1_6, NOW);
    let reference = "crypto/algorithm/key-establishment/X25519+ML-KEM-768";
    let hybrid = &component(&document, reference)["cryptoProperties"];
    assert_eq!(
        hybrid["algorithmProperties"],
        json!({
            "primitive": "combiner",
            "cryptoFunctions": ["keygen", "encapsulate", "decapsulate"],
            "classicalSecurityLevel": 192,
            "nistQuantumSecurityLevel": 3,
        })
    );
    let dependencies = document["dependencies"].as_array().unwrap();
    let of = |reference: &str| {
        dependencies
            .iter()
            .find(|one| one["ref"] == reference)
            .unwrap()
    };
    let halves = json!([
        "crypto/algorithm/key-establishment/ML-KEM-768",
        "crypto/algorithm/key-establishment/X25519",
    ]);
    assert_eq!(of(reference)["dependsOn"], halves);
    let kem = component(&document, "crypto/algorithm/key-establishment/ML-KEM-768");
    assert_eq!(
        kem["cryptoProperties"],
        json!({
            "assetType": "algorithm",
            "oid": "2.16.840.1.101.3.4.4.2",
            "algorithmProperties": {
                "primitive": "kem",
                "parameterSetIdentifier": "768",
                "cryptoFunctions": ["keygen", "encapsulate", "decapsulate"],
                "classicalSecurityLevel": 192,
                "nistQuantumSecurityLevel": 3,
            },
        })
    );
}

#[test]
fn groups_are_referred_to_in_1_6_and_named_in_1_7() {
    let reference = "crypto/protocol/TLS%201.3/www.example.test:443@192.0.2.1:443";
    let hybrid = "crypto/algorithm/key-establishment/X25519+ML-KEM-768";

    let document = cbom(&estate(), CbomVersion::V1_6, NOW);
    let protocol = &component(&document, reference)["cryptoProperties"]["protocolProperties"];
    assert_eq!(protocol["type"], "tls");
    assert_eq!(protocol["version"], "1.3");
    assert_eq!(protocol["cryptoRefArray"][0], hybrid);
    assert_eq!(
        protocol["cipherSuites"][0]["identifiers"],
        json!(["0x13", "0x01"])
    );
    let groups = &component(&document, reference)["properties"][0];
    let named = json!({ "name": "pqlab:tls:groups", "value": "X25519MLKEM768 x25519" });
    assert_eq!(*groups, named);

    let document = cbom(&estate(), CbomVersion::V1_7, NOW);
    let protocol = &component(&document, reference)["cryptoProperties"]["protocolProperties"];
    assert_eq!(protocol.get("cryptoRefArray"), None, "deprecated in 1.7");
    assert_eq!(
        protocol["relatedCryptographicAssets"][0],
        json!({ "type": "algorithm", "ref": hybrid })
    );
    let suite = &protocol["cipherSuites"][0];
    assert_eq!(suite["tlsGroups"], json!(["X25519MLKEM768", "x25519"]));
    assert_eq!(suite["tlsSignatureSchemes"], json!(["rsa_pss_rsae_sha256"]));
    let curve = component(&document, "crypto/algorithm/key-establishment/X25519");
    let properties = &curve["cryptoProperties"]["algorithmProperties"];
    assert_eq!(properties["algorithmFamily"], "ECDH");
    assert_eq!(properties["ellipticCurve"], "other/Curve25519");
}

#[test]
fn static_rsa_is_public_key_encryption_with_the_certificates_key() {
    let document = cbom(&estate(), CbomVersion::V1_7, NOW);
    let reference = "crypto/algorithm/key-establishment/RSA-PKCS1-1.5-2048";
    let properties = &component(&document, reference)["cryptoProperties"]["algorithmProperties"];
    assert_eq!(properties["primitive"], "pke");
    assert_eq!(properties["algorithmFamily"], "RSAES-PKCS1");
    assert_eq!(properties["nistQuantumSecurityLevel"], 0);
}

#[test]
fn what_is_unknown_or_refused_is_no_asset() {
    let document = cbom(&estate(), CbomVersion::V1_6, NOW);
    let components = document["components"].to_string();
    for absent in [
        "MLKEM1024",
        "ML-KEM-1024",
        "0xfe20",
        "P-256-",
        "ECDH-P-256",
        "0xFF",
    ] {
        assert!(!components.contains(absent), "{absent} was never supported");
    }
    let services = document["services"].as_array().unwrap();
    let web = services
        .iter()
        .find(|one| one["name"] == "www.example.test:443")
        .unwrap();
    let note = json!({
        "name": "pqlab:unknown",
        "value": "group MLKEM1024: timeout: nothing in 5 s",
    });
    assert!(web["properties"].as_array().unwrap().contains(&note));
    let compositions = document["compositions"].as_array().unwrap();
    assert_eq!(compositions[0]["aggregate"], "incomplete");
    let incomplete = compositions[0]["dependencies"].as_array().unwrap();
    assert!(incomplete.contains(&web["bom-ref"]));
    let nowhere = json!({
        "aggregate": "unknown",
        "dependencies": ["service/gone.example.test:443"],
    });
    assert_eq!(compositions[1], nowhere);
}

#[test]
fn a_certificate_is_one_asset_wherever_it_was_seen() {
    let document = cbom(&estate(), CbomVersion::V1_7, NOW);
    let fingerprint = "a".repeat(64);
    let reference = format!("crypto/certificate/sha256:{fingerprint}");
    let certificate = component(&document, &reference);
    let places = certificate["evidence"]["occurrences"].as_array().unwrap();
    let in_file = json!({ "location": "/etc/ssl/site.pem", "line": 1 });
    assert!(places.contains(&in_file));
    let on_wire = json!({
        "location": "tls://www.example.test:443",
        "additionalContext": "192.0.2.1:443",
    });
    assert!(places.contains(&on_wire));
    let key = format!("crypto/key/public/certificate/sha256:{fingerprint}");
    assert_eq!(
        certificate["cryptoProperties"]["certificateProperties"],
        json!({
            "subjectName": "CN=www.example.test",
            "issuerName": "CN=Example CA",
            "serialNumber": "0a1b",
            "notValidBefore": "2026-01-01T00:00:00Z",
            "notValidAfter": "2027-01-01T00:00:00Z",
            "certificateFormat": "X.509",
            "fingerprint": { "alg": "SHA-256", "content": fingerprint },
            "relatedCryptographicAssets": [
                { "type": "algorithm", "ref": "crypto/algorithm/signature/RSA-SHA-256" },
                { "type": "publicKey", "ref": key },
            ],
        })
    );
}

#[test]
fn quic_stands_on_tls_1_3_and_ssh_shows_its_host_keys() {
    let service = Service::Tls(Box::new(tls_service()));
    let endpoints = vec![
        endpoint("q.example.test", Protocol::Quic, service),
        endpoint(
            "s.example.test",
            Protocol::Ssh,
            Service::Ssh(ssh_service("SSH-2.0-x")),
        ),
    ];
    let estate = Estate {
        endpoints,
        ..Estate::default()
    };
    let document = cbom(&estate, CbomVersion::V1_7, NOW);
    let place = "quic://q.example.test:443@192.0.2.1:443";
    let quic = component(&document, &format!("crypto/protocol/quic/{place}"));
    assert_eq!(
        quic["cryptoProperties"]["protocolProperties"]["type"],
        "quic"
    );
    let place = "ssh://s.example.test:443@192.0.2.1:443";
    let ssh = component(&document, &format!("crypto/protocol/ssh/{place}"));
    let related =
        ssh["cryptoProperties"]["protocolProperties"]["relatedCryptographicAssets"].to_string();
    for expected in [
        "X25519+ML-KEM-768",
        "X25519+sntrup761",
        "AES-256-GCM",
        "SHA256:47DE",
    ] {
        assert!(related.contains(expected), "{expected} in {related}");
    }
}

#[test]
fn the_order_of_scans_does_not_matter_and_the_later_scan_counts() {
    let estate = estate();
    let document = cbom(&estate, CbomVersion::V1_6, NOW);
    let mut turned = estate.clone();
    turned.endpoints.reverse();
    let earlier = Endpoint {
        scanned: "2026-11-25T11:00:00Z".to_owned(),
        service: Service::Ssh(ssh_service("SSH-2.0-replaced")),
        ..estate.endpoints[0].clone()
    };
    turned.endpoints.push(earlier);
    assert_eq!(cbom(&turned, CbomVersion::V1_6, NOW), document);
    let later = NOW + time::Duration::DAY;
    let next = cbom(&estate, CbomVersion::V1_6, later);
    assert_ne!(next["serialNumber"], document["serialNumber"]);
}

/// Short enough to read: one SSH server with one of each.
#[test]
fn the_document_of_one_server_is_as_committed() {
    let mut ssh = ssh_service("SSH-2.0-OpenSSH_10.0");
    ssh.key_exchanges.truncate(1);
    ssh.host_key_algorithms.truncate(1);
    ssh.ciphers.truncate(1);
    let endpoints = vec![endpoint("s.example.test", Protocol::Ssh, Service::Ssh(ssh))];
    let estate = Estate {
        endpoints,
        ..Estate::default()
    };
    let document = cbom(&estate, CbomVersion::V1_7, NOW);
    crate::golden("cbom-ssh.json", &format!("{document:#}\n"));
}
