//! Schemas of others, and validation against them without a network.

use audit::output::{SchemaKind, schema};
use jsonschema::{Registry, Resource, Validator};
use serde_json::Value;

use crate::{estate, findings};

const SPDX: &str = include_str!("../schemas/spdx.schema.json");
const JSF: &str = include_str!("../schemas/jsf-0.82.schema.json");
const CRYPTOGRAPHY: &str = include_str!("../schemas/cryptography-defs.schema.json");
const BOM_1_6: &str = include_str!("../schemas/bom-1.6.schema.json");
const BOM_1_7: &str = include_str!("../schemas/bom-1.7.schema.json");
const SARIF: &str = include_str!("../schemas/sarif-schema-2.1.0.json");

/// The official schema of a CycloneDX version.
pub(crate) fn bom(version: &str) -> Validator {
    let parts = [
        ("spdx.schema.json", SPDX),
        ("jsf-0.82.schema.json", JSF),
        ("cryptography-defs.schema.json", CRYPTOGRAPHY),
    ];
    let resources = parts.map(|(name, text)| {
        let uri = format!("http://cyclonedx.org/schema/{name}");
        (uri, Resource::from_contents(parsed(text)))
    });
    let registry = Registry::new()
        .extend(resources)
        .unwrap()
        .prepare()
        .unwrap();
    let text = if version == "1.6" { BOM_1_6 } else { BOM_1_7 };
    jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&parsed(text))
        .unwrap()
}

/// The official schema of SARIF 2.1.0.
pub(crate) fn sarif() -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(&parsed(SARIF))
        .unwrap()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Fails with every error and where it is.
#[track_caller]
pub(crate) fn assert_valid(validator: &Validator, document: &Value) {
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

fn own(kind: SchemaKind) -> Validator {
    jsonschema::options().build(&parsed(schema(kind))).unwrap()
}

#[test]
fn every_variant_of_this_programs_json_holds_to_its_schema() {
    let estate = estate::estate();
    let validator = own(SchemaKind::Endpoint);
    for endpoint in &estate.endpoints {
        let written = serde_json::to_value(endpoint).unwrap();
        assert_valid(&validator, &written);
        let read: audit::Endpoint = serde_json::from_value(written).unwrap();
        assert_eq!(&read, endpoint);
    }
    let written = serde_json::to_value(&estate.inventory).unwrap();
    assert_valid(&own(SchemaKind::Inventory), &written);
    let assessment = findings::assessment();
    let written = serde_json::to_value(&assessment).unwrap();
    assert_valid(&own(SchemaKind::Assessment), &written);
    let read: audit::Assessment = serde_json::from_value(written).unwrap();
    assert_eq!(read, assessment);
}

#[test]
fn schemas_refuse_what_this_program_does_not_write() {
    let estate = estate::estate();
    let mut endpoint = serde_json::to_value(&estate.endpoints[0]).unwrap();
    let validator = own(SchemaKind::Endpoint);
    endpoint["service"]["kind"] = "smoke-signals".into();
    assert!(!validator.is_valid(&endpoint));
    let mut assessment = serde_json::to_value(findings::assessment()).unwrap();
    assessment["findings"][0]["severity"] = "apocalyptic".into();
    assert!(!own(SchemaKind::Assessment).is_valid(&assessment));
}
