//! A real assessment of the estate, in every format.

use audit::output::{
    CbomVersion, SchemaKind, assets_csv, cbom, findings_csv, groups_csv, junit, sarif, schema,
};
use audit::{Policy, Profile, assess};

use crate::estate::{NOW, estate};
use crate::schemas::{self, assert_valid};
use crate::{cbom::assert_sound, tables};

#[test]
fn an_assessment_by_every_policy_is_valid_in_every_format() {
    let estate = estate();
    let assessment = assess(
        &estate,
        &Policy::known(),
        &Profile::default(),
        NOW.date(),
        None,
    );
    assert!(!assessment.findings.is_empty());
    let own: serde_json::Value = serde_json::from_str(schema(SchemaKind::Assessment)).unwrap();
    let own = jsonschema::options().build(&own).unwrap();
    assert_valid(&own, &serde_json::to_value(&assessment).unwrap());
    assert_valid(&schemas::sarif(), &sarif(&assessment));
    roxmltree::Document::parse(&junit(&assessment)).unwrap();
    assert_eq!(
        tables::rows(&findings_csv(&assessment)).len(),
        assessment.findings.len()
    );
    for version in [CbomVersion::V1_6, CbomVersion::V1_7] {
        assert_sound(&cbom(&estate, version, NOW));
    }
    assert!(!tables::rows(&groups_csv(&estate.endpoints)).is_empty());
    assert!(!tables::rows(&assets_csv(estate.inventory.as_ref().unwrap())).is_empty());
}
