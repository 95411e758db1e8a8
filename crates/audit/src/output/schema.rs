//! JSON Schemas of what this program writes itself.
//!
//! They are generated from the types, so that they can't drift: the test below compares.

/// What a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaKind {
    /// One line of a scan: an [`Endpoint`](crate::Endpoint).
    Endpoint,
    /// An [`Inventory`](crate::Inventory).
    Inventory,
    /// An [`Assessment`](crate::Assessment).
    Assessment,
}

impl SchemaKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Endpoint, Self::Inventory, Self::Assessment];

    /// As its file is named: `endpoint.schema.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Inventory => "inventory",
            Self::Assessment => "assessment",
        }
    }
}

/// The JSON Schema (draft 2020-12).
pub const fn schema(kind: SchemaKind) -> &'static str {
    match kind {
        SchemaKind::Endpoint => include_str!("../../schemas/endpoint.schema.json"),
        SchemaKind::Inventory => include_str!("../../schemas/inventory.schema.json"),
        SchemaKind::Assessment => include_str!("../../schemas/assessment.schema.json"),
    }
}

#[cfg(test)]
mod tests {
    use schemars::generate::SchemaSettings;

    use super::*;
    use crate::{Assessment, Endpoint, Inventory};

    fn generated(kind: SchemaKind) -> String {
        let generator = SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator();
        let mut schema = match kind {
            SchemaKind::Endpoint => generator.into_root_schema_for::<Endpoint>(),
            SchemaKind::Inventory => generator.into_root_schema_for::<Inventory>(),
            SchemaKind::Assessment => generator.into_root_schema_for::<Assessment>(),
        };
        schema.insert(
            "$id".to_owned(),
            format!("urn:pqlab:schema:{}", kind.name()).into(),
        );
        let mut text = serde_json::to_string_pretty(&schema).unwrap();
        text.push('\n');
        text
    }

    /// With `WRITE_SCHEMAS=1` it writes the files instead.
    #[test]
    fn the_committed_schemas_are_those_of_the_types() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        for kind in SchemaKind::ALL {
            let generated = generated(kind);
            if std::env::var_os("WRITE_SCHEMAS").is_some() {
                let file = folder.join(format!("{}.schema.json", kind.name()));
                std::fs::write(file, generated).unwrap();
                continue;
            }
            assert_eq!(
                schema(kind),
                generated,
                "{}: run this test with WRITE_SCHEMAS=1",
                kind.name()
            );
        }
    }
}
