//! The document while it is gathered: assets by their reference, each once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::CbomVersion;
use super::algorithms::AlgorithmUse;
use super::symmetric::Symmetric;
use crate::output::text::visible;

/// What was gathered.
pub(super) struct Document {
    pub(super) version: CbomVersion,
    components: BTreeMap<String, Component>,
    services: BTreeMap<String, Map<String, Value>>,
    dependencies: BTreeMap<String, BTreeSet<String>>,
    /// Services of which some questions, or all, have no answer.
    incomplete: BTreeSet<String>,
    unknown: BTreeSet<String>,
    /// Properties of the whole document.
    properties: Vec<Value>,
}

struct Component {
    body: Map<String, Value>,
    occurrences: BTreeSet<Occurrence>,
}

/// Where an asset was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Occurrence {
    pub(super) location: String,
    pub(super) line: Option<u32>,
    pub(super) context: Option<String>,
}

impl Occurrence {
    fn to_json(&self) -> Value {
        let mut occurrence = json!({ "location": visible(&self.location) });
        if let Some(line) = self.line {
            occurrence["line"] = json!(line);
        }
        if let Some(context) = &self.context {
            occurrence["additionalContext"] = json!(visible(context));
        }
        occurrence
    }
}

impl Document {
    pub(super) fn new(version: CbomVersion) -> Self {
        Self {
            version,
            components: BTreeMap::new(),
            services: BTreeMap::new(),
            dependencies: BTreeMap::new(),
            incomplete: BTreeSet::new(),
            unknown: BTreeSet::new(),
            properties: Vec::new(),
        }
    }

    /// Adds a component, or one more place of a component that is there already.
    pub(super) fn add_component(
        &mut self,
        reference: &str,
        body: Value,
        seen: &Occurrence,
        depends_on: impl IntoIterator<Item = String>,
    ) {
        let component = self
            .components
            .entry(reference.to_owned())
            .or_insert_with(|| Component {
                body: match body {
                    Value::Object(body) => body,
                    _ => Map::new(),
                },
                occurrences: BTreeSet::new(),
            });
        component.occurrences.insert(seen.clone());
        self.dependencies
            .entry(reference.to_owned())
            .or_default()
            .extend(depends_on);
    }

    /// Adds an algorithm and, of a hybrid, its halves, and returns its reference.
    ///
    /// A combiner depends on its halves: it uses them. `provides` would say that it implements
    /// them, which its library does.
    pub(super) fn add_algorithm(&mut self, algorithm: &AlgorithmUse, seen: &Occurrence) -> String {
        let halves: Vec<String> = algorithm
            .halves()
            .iter()
            .map(|half| self.add_algorithm(half, seen))
            .collect();
        let reference = algorithm.reference();
        let properties = algorithm.properties(self.version);
        let body = asset(&algorithm.name(), properties);
        self.add_component(&reference, body, seen, halves);
        reference
    }

    pub(super) fn add_symmetric(&mut self, algorithm: &Symmetric, seen: &Occurrence) -> String {
        let reference = algorithm.reference();
        let body = asset(&algorithm.name, algorithm.properties(self.version));
        self.add_component(&reference, body, seen, []);
        reference
    }

    pub(super) fn add_service(
        &mut self,
        reference: &str,
        body: Value,
        depends_on: impl IntoIterator<Item = String>,
    ) {
        if let Value::Object(body) = body {
            self.services.insert(reference.to_owned(), body);
        }
        self.dependencies
            .entry(reference.to_owned())
            .or_default()
            .extend(depends_on);
    }

    /// Says that some answers of a service, or all, are missing.
    pub(super) fn add_gap(&mut self, reference: &str, is_all: bool) {
        let gaps = match is_all {
            true => &mut self.unknown,
            false => &mut self.incomplete,
        };
        gaps.insert(reference.to_owned());
    }

    pub(super) fn add_property(&mut self, name: &str, value: &str) {
        self.properties.push(property(name, value));
    }

    pub(super) fn finish(self, now: OffsetDateTime) -> Value {
        let version = self.version.name();
        let mut metadata = json!({
            "lifecycles": [{ "phase": "discovery" }],
            "tools": { "components": [{
                "type": "application",
                "name": "pqlab",
                "version": env!("CARGO_PKG_VERSION"),
            }]},
        });
        // Years beyond 9999 are no date of RFC 3339.
        if let Ok(timestamp) = now.format(&Rfc3339) {
            metadata["timestamp"] = json!(timestamp);
        }
        let components = self.components.into_iter().map(|(reference, component)| {
            let mut body = component.body;
            body.insert("bom-ref".to_owned(), json!(reference));
            let places: Vec<Value> = component
                .occurrences
                .iter()
                .map(Occurrence::to_json)
                .collect();
            body.insert("evidence".to_owned(), json!({ "occurrences": places }));
            Value::Object(body)
        });
        let services = self.services.into_iter().map(|(reference, mut body)| {
            body.insert("bom-ref".to_owned(), json!(reference));
            Value::Object(body)
        });
        let dependencies = self
            .dependencies
            .iter()
            .map(|(reference, on)| match on.is_empty() {
                true => json!({ "ref": reference }),
                false => json!({ "ref": reference, "dependsOn": on }),
            });
        let gaps = [("incomplete", &self.incomplete), ("unknown", &self.unknown)];
        let compositions = gaps.into_iter().filter(|(_, of)| !of.is_empty());
        let compositions = compositions
            .map(|(aggregate, of)| json!({ "aggregate": aggregate, "dependencies": of }));
        let mut document = json!({
            "$schema": format!("http://cyclonedx.org/schema/bom-{version}.schema.json"),
            "bomFormat": "CycloneDX",
            "specVersion": version,
            "version": 1,
            "metadata": metadata,
            "components": components.collect::<Vec<_>>(),
            "services": services.collect::<Vec<_>>(),
            "dependencies": dependencies.collect::<Vec<_>>(),
            "compositions": compositions.collect::<Vec<_>>(),
        });
        if !self.properties.is_empty() {
            document["properties"] = json!(self.properties);
        }
        let serial_number = serial_number(&document);
        document["serialNumber"] = json!(serial_number);
        document
    }
}

/// A UUID of version 8 (RFC 9562 section 5.8) from the SHA-256 of the document without it.
fn serial_number(document: &Value) -> String {
    let hash = Sha256::digest(document.to_string());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// A cryptographic asset.
pub(super) fn asset(name: &str, properties: Value) -> Value {
    json!({
        "type": "cryptographic-asset",
        "name": visible(name),
        "cryptoProperties": properties,
    })
}

/// A property in this program's name space.
pub(super) fn property(name: &str, value: &str) -> Value {
    json!({ "name": format!("pqlab:{name}"), "value": visible(value) })
}
