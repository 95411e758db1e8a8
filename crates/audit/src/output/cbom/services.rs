//! Endpoints: services, and the protocols that they speak.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use serde_json::{Value, json};
use wire::{CipherSuite, NamedGroup, version_name};

use super::algorithms::AlgorithmUse;
use super::document::{Document, Occurrence, asset, property};
use super::symmetric::Symmetric;
use super::{CbomVersion, material, ssh};
use crate::output::text::{encoded, visible};
use crate::{
    Algorithm, Answer, Chain, Endpoint, HostKey, Protocol, Role, Service, SshService, SuiteSupport,
    Target, TlsService, Tried,
};

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;

impl Document {
    /// An endpoint is a service, not a component of type application: it was asked from
    /// outside, and which program answers is not known. `services` is where CycloneDX has what
    /// is reached by an address, and the CBOM guide has the protocol as an asset that others
    /// depend on, with its suites, groups and certificates in fields of its own.
    pub(super) fn add_endpoint(&mut self, endpoint: &Endpoint) {
        let place = Place::of(endpoint);
        let mut properties = vec![property("scanned", &endpoint.scanned)];
        if let Some(address) = endpoint.address {
            properties.push(property("address", &address.to_string()));
        }
        if let Some(name) = &endpoint.server_name {
            properties.push(property("server-name", name));
        }
        let depends_on = match &endpoint.service {
            Service::Tls(tls) => {
                let gaps = gaps(tls);
                if !gaps.is_empty() {
                    self.add_gap(&place.service, false);
                }
                properties.extend(gaps.iter().map(|gap| property("unknown", gap)));
                self.add_tls(endpoint, &place, tls)
            }
            Service::Ssh(service) => {
                properties.push(property("ssh:software", &service.software));
                let unknown = service
                    .host_keys
                    .iter()
                    .filter_map(|tried| gap("host key", &tried.offer, &tried.answer));
                let unknown: Vec<String> = unknown.collect();
                if !unknown.is_empty() {
                    self.add_gap(&place.service, false);
                }
                properties.extend(unknown.iter().map(|gap| property("unknown", gap)));
                vec![self.add_ssh(&place, service)]
            }
            Service::Unreachable(unknown) => {
                self.add_gap(&place.service, true);
                properties.push(property("unknown", &format!("connection: {unknown}")));
                Vec::new()
            }
        };
        let body = json!({
            "name": visible(&endpoint.target.to_string()),
            "endpoints": [uri(&endpoint.target)],
            "properties": properties,
        });
        self.add_service(&place.service, body, depends_on);
    }

    /// Adds what a TLS service speaks, and returns what it depends on.
    fn add_tls(&mut self, endpoint: &Endpoint, place: &Place, tls: &TlsService) -> Vec<String> {
        let chains: Vec<&Chain> = supported(&tls.chains).map(|(_, chain)| chain).collect();
        let mut certificates = Vec::new();
        for facts in chains.iter().flat_map(|chain| &chain.certificates) {
            let reference = self.add_certificate(facts, &place.seen);
            if !certificates.contains(&reference) {
                certificates.push(reference);
            }
        }
        let mut depends_on = certificates.clone();
        let mut tls13 = None;
        for version in versions(tls) {
            let reference = self.add_tls_version(place, tls, version, &chains, &certificates);
            if version == TLS13 {
                tls13 = Some(reference.clone());
            }
            depends_on.push(reference);
        }
        if endpoint.target.protocol == Protocol::Quic {
            // 1.6 has no name for QUIC among its protocols.
            let kind = match self.version {
                CbomVersion::V1_6 => "other",
                CbomVersion::V1_7 => "quic",
            };
            let properties = json!({
                "assetType": "protocol",
                "protocolProperties": { "type": kind },
            });
            let reference = format!("crypto/protocol/quic/{}", place.name);
            let body = asset("QUIC", properties);
            self.add_component(&reference, body, &place.seen, tls13);
            depends_on.push(reference);
        }
        depends_on
    }

    fn add_tls_version(
        &mut self,
        place: &Place,
        tls: &TlsService,
        version: u16,
        chains: &[&Chain],
        certificates: &[String],
    ) -> String {
        let suites: &[Tried<CipherSuite, SuiteSupport>] = match version {
            TLS13 => &tls.tls13_suites,
            TLS12 => &tls.tls12_suites,
            _ => &[],
        };
        let mut groups: Vec<NamedGroup> = match version {
            TLS13 => supported(&tls.groups).map(|(group, _)| *group).collect(),
            _ => supported(suites).filter_map(|(_, how)| how.group).collect(),
        };
        let mut known = BTreeSet::new();
        groups.retain(|group| known.insert(*group));
        let mut algorithms = Vec::new();
        let mut add = |document: &mut Self, algorithm: &AlgorithmUse| {
            let reference = document.add_algorithm(algorithm, &place.seen);
            if !algorithms.contains(&reference) {
                algorithms.push(reference);
            }
        };
        for group in &groups {
            add(self, &AlgorithmUse::of_group(*group));
        }
        let mut schemes = Vec::new();
        for chain in chains.iter().filter(|_| matches!(version, TLS12 | TLS13)) {
            let key = chain
                .certificates
                .first()
                .map(|certificate| &certificate.key);
            if let Some(scheme) = chain.scheme {
                add(self, &AlgorithmUse::of_scheme(scheme, key));
                schemes.push(scheme.to_string());
            }
        }
        let rsa_key = chains
            .iter()
            .filter_map(|chain| chain.certificates.first())
            .map(|certificate| &certificate.key)
            .find(|key| matches!(key, Algorithm::Rsa(_)));
        let suites: Vec<Value> = supported(suites)
            .map(|(suite, how)| {
                let mut suite_algorithms: Vec<String> = Symmetric::of_suite(*suite)
                    .iter()
                    .map(|part| self.add_symmetric(part, &place.seen))
                    .collect();
                if let Some(exchange) = suite_exchange(*suite, how, rsa_key) {
                    suite_algorithms.push(self.add_algorithm(&exchange, &place.seen));
                }
                let [high, low] = suite.0.to_be_bytes();
                let mut written = json!({
                    "name": suite.to_string(),
                    "algorithms": suite_algorithms,
                    "identifiers": [format!("0x{high:02X}"), format!("0x{low:02X}")],
                });
                if self.version == CbomVersion::V1_7 {
                    // In TLS 1.3 any group and scheme goes with any suite (RFC 8446 section
                    // 4.1.1); in TLS 1.2 the group is the one that came with this suite.
                    let suite_groups: Vec<String> = match version {
                        TLS13 => groups.iter().map(ToString::to_string).collect(),
                        _ => how.group.iter().map(ToString::to_string).collect(),
                    };
                    if !suite_groups.is_empty() {
                        written["tlsGroups"] = json!(suite_groups);
                    }
                    if version == TLS13 && !schemes.is_empty() {
                        written["tlsSignatureSchemes"] = json!(schemes);
                    }
                }
                written
            })
            .collect();
        let name = version_name(version);
        let mut protocol = json!({
            "type": "tls",
            "version": name.strip_prefix("TLS ").unwrap_or(&name),
        });
        if !suites.is_empty() {
            protocol["cipherSuites"] = json!(suites);
        }
        let assets = references("algorithm", &algorithms)
            .chain(references("certificate", certificates))
            .collect();
        let mut body = protocol_asset(&name, protocol, assets, self.version);
        if !groups.is_empty() {
            // 1.6 has no field for the names that TLS gives to groups.
            let names: Vec<String> = groups.iter().map(ToString::to_string).collect();
            body["properties"] = json!([property("tls:groups", &names.join(" "))]);
        }
        let reference = format!("crypto/protocol/{}/{}", encoded(&name, ""), place.name);
        self.add_component(&reference, body, &place.seen, []);
        reference
    }

    fn add_ssh(&mut self, place: &Place, service: &SshService) -> String {
        let mut algorithms = Vec::new();
        for method in &service.key_exchanges {
            if let Some(algorithm) = Algorithm::of_ssh_key_exchange(method) {
                let role = Some(Role::KeyEstablishment);
                let algorithm = AlgorithmUse::new(&algorithm, role);
                algorithms.push(self.add_algorithm(&algorithm, &place.seen));
            }
        }
        for name in &service.host_key_algorithms {
            let (algorithm, hash) = ssh::host_key(name);
            let algorithm = AlgorithmUse::of_certificate(&algorithm, hash);
            algorithms.push(self.add_algorithm(&algorithm, &place.seen));
        }
        for cipher in service
            .ciphers
            .iter()
            .filter_map(|name| Symmetric::of_ssh(name))
        {
            algorithms.push(self.add_symmetric(&cipher, &place.seen));
        }
        let mut known = BTreeSet::new();
        algorithms.retain(|reference| known.insert(reference.clone()));
        let keys: Vec<String> = supported(&service.host_keys)
            .map(|(_, key)| self.add_host_key(key, &place.seen))
            .collect();
        let assets = references("algorithm", &algorithms)
            .chain(references("publicKey", &keys))
            .collect();
        // SSH protocol version 2.0 (RFC 4253 section 4.2) is the only one that is spoken here.
        let protocol = json!({ "type": "ssh", "version": "2.0" });
        let mut body = protocol_asset("SSH", protocol, assets, self.version);
        body["properties"] = json!([
            property("ssh:key-exchanges", &service.key_exchanges.join(" ")),
            property(
                "ssh:host-key-algorithms",
                &service.host_key_algorithms.join(" ")
            ),
            property("ssh:ciphers", &service.ciphers.join(" ")),
        ]);
        let reference = format!("crypto/protocol/ssh/{}", place.name);
        self.add_component(&reference, body, &place.seen, []);
        reference
    }

    fn add_host_key(&mut self, key: &HostKey, seen: &Occurrence) -> String {
        let reference = format!(
            "crypto/key/public/ssh/SHA256:{}",
            encoded(&key.fingerprint, "")
        );
        let role = Some(Role::Signature);
        let algorithm = self.add_algorithm(&AlgorithmUse::new(&key.algorithm, role), seen);
        let id = format!("SHA256:{}", key.fingerprint);
        let mut material = material::Material {
            kind: "public-key",
            algorithm: Some((&key.algorithm, algorithm)),
            format: "OpenSSH",
            fingerprint: None,
        }
        .properties(self.version);
        material["relatedCryptoMaterialProperties"]["id"] = json!(visible(&id));
        let name = format!("{} host key", key.algorithm);
        self.add_component(&reference, asset(&name, material), seen, []);
        reference
    }
}

/// How an endpoint is named in references and as evidence.
struct Place {
    /// The part of references that tells endpoints apart.
    name: String,
    service: String,
    seen: Occurrence,
}

impl Place {
    fn of(endpoint: &Endpoint) -> Self {
        let address = endpoint.address.map(|address| address.to_string());
        let name = match &address {
            Some(address) => format!("{}@{address}", endpoint.target),
            None => endpoint.target.to_string(),
        };
        let name = encoded(&name, ":/@[]");
        Self {
            service: format!("service/{name}"),
            name,
            seen: Occurrence {
                location: uri(&endpoint.target),
                line: None,
                context: address,
            },
        }
    }
}

/// The target as a URI (RFC 3986); the scheme says what is spoken, registered or not.
fn uri(target: &Target) -> String {
    let host = match target.host.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => encoded(&target.host, ""),
    };
    format!("{}://{host}:{}", target.protocol, target.port)
}

/// Offers that were taken.
fn supported<Q, A>(tried: &[Tried<Q, A>]) -> impl Iterator<Item = (&Q, &A)> {
    tried
        .iter()
        .filter_map(|tried| Some((&tried.offer, tried.answer.supported()?)))
}

/// Versions that were taken, by themselves or with a group or suite that only they have.
fn versions(tls: &TlsService) -> Vec<u16> {
    let mut versions: Vec<u16> = supported(&tls.versions)
        .map(|(version, ())| *version)
        .collect();
    if supported(&tls.groups).next().is_some() || supported(&tls.tls13_suites).next().is_some() {
        versions.push(TLS13);
    }
    if supported(&tls.tls12_suites).next().is_some() {
        versions.push(TLS12);
    }
    versions.sort_unstable();
    versions.dedup();
    versions
}

/// The key exchange of a suite of TLS 1.2.
fn suite_exchange(
    suite: CipherSuite,
    how: &SuiteSupport,
    rsa_key: Option<&Algorithm>,
) -> Option<AlgorithmUse> {
    match (how.group, how.dh_bits) {
        (Some(group), _) => Some(AlgorithmUse::of_group(group)),
        (None, Some(bits)) => Some(AlgorithmUse::new(&Algorithm::Dh(bits), None)),
        (None, None) => {
            let is_static_rsa = suite.facts().is_some_and(|facts| facts.static_rsa);
            is_static_rsa.then(|| AlgorithmUse::static_rsa(rsa_key))
        }
    }
}

/// Questions of a TLS service about cryptography that have no answer.
fn gaps(tls: &TlsService) -> Vec<String> {
    let versions = tls.versions.iter();
    let versions =
        versions.filter_map(|tried| gap("version", version_name(tried.offer), &tried.answer));
    let groups = tls.groups.iter();
    let groups = groups.filter_map(|tried| gap("group", tried.offer, &tried.answer));
    let suites = tls.tls13_suites.iter().chain(&tls.tls12_suites);
    let suites = suites.filter_map(|tried| gap("suite", tried.offer, &tried.answer));
    let chains = tls.chains.iter();
    let chains = chains.filter_map(|tried| gap("chain", tried.offer.title(), &tried.answer));
    versions.chain(groups).chain(suites).chain(chains).collect()
}

fn gap<A>(what: &str, offer: impl std::fmt::Display, answer: &Answer<A>) -> Option<String> {
    match answer {
        Answer::Unknown(unknown) => Some(format!("{what} {offer}: {unknown}")),
        Answer::Supported(_) | Answer::Refused(_) => None,
    }
}

fn references<'a>(
    kind: &'static str,
    of: &'a [String],
) -> impl Iterator<Item = (&'static str, &'a str)> {
    of.iter().map(move |reference| (kind, reference.as_str()))
}

fn protocol_asset(
    name: &str,
    mut protocol: Value,
    assets: Vec<(&str, &str)>,
    version: CbomVersion,
) -> Value {
    match version {
        _ if assets.is_empty() => {}
        CbomVersion::V1_6 => {
            let references: Vec<&str> = assets.iter().map(|(_, reference)| *reference).collect();
            protocol["cryptoRefArray"] = json!(references);
        }
        CbomVersion::V1_7 => protocol["relatedCryptographicAssets"] = related(&assets),
    }
    asset(
        name,
        json!({ "assetType": "protocol", "protocolProperties": protocol }),
    )
}

/// 1.7's list of related assets.
pub(super) fn related(assets: &[(&str, &str)]) -> Value {
    let assets = assets
        .iter()
        .map(|(kind, reference)| json!({ "type": kind, "ref": reference }));
    assets.collect()
}
