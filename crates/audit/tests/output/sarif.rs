//! SARIF against its official schema.

use audit::output::sarif;
use audit::{Location, Severity};
use serde_json::{Value, json};

use crate::findings::assessment;
use crate::schemas::{self, assert_valid};

fn run(document: &Value) -> &Value {
    &document["runs"][0]
}

#[test]
fn the_document_is_valid_and_every_result_has_its_rule() {
    let document = sarif(&assessment());
    assert_valid(&schemas::sarif(), &document);
    let rules = run(&document)["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    let results = run(&document)["results"].as_array().unwrap();
    assert_eq!(results.len(), assessment().findings.len());
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}

#[test]
fn a_policy_finding_is_filed_under_its_gravest_rule_which_says_how_sure_it_is() {
    let document = sarif(&assessment());
    let result = &run(&document)["results"][0];
    assert_eq!(result["ruleId"], "strict/sets");
    assert_eq!(result["level"], "error");
    assert_eq!(
        result["locations"],
        json!([{
            "physicalLocation": {
                "artifactLocation": { "uri": "file:///etc/nginx/nginx.conf" },
                "region": { "startLine": 12 },
            },
            "logicalLocations": [{
                "fullyQualifiedName": "www.example.test:443",
                "kind": "endpoint",
            }],
        }])
    );
    let rules = run(&document)["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    let rule = rules
        .iter()
        .find(|rule| rule["id"] == "draft/later")
        .unwrap();
    assert_eq!(rule["helpUri"], "https://policy.example.test/text");
    let properties = &rule["properties"];
    assert_eq!(properties["status"], "draft");
    assert_eq!(properties["confidence"], "unverified");
    assert_eq!(properties["clause"], "section 3");
}

#[test]
fn fingerprints_follow_from_the_findings_id_alone() {
    let before = assessment();
    let mut after = before.clone();
    after.findings[0].severity = Severity::Low;
    after.findings[0].title = "other words".to_owned();
    after.findings[0].evidence[1].location = Some(Location {
        path: "/etc/nginx/nginx.conf".to_owned(),
        line: Some(99),
        entry: None,
    });
    let of = |document: &Value| run(document)["results"][0]["partialFingerprints"].clone();
    assert_eq!(of(&sarif(&before)), of(&sarif(&after)));
}

#[test]
fn questions_without_an_answer_are_notifications_and_no_results() {
    let document = sarif(&assessment());
    let notifications = &run(&document)["invocations"][0]["toolExecutionNotifications"];
    let text = "mail.example.test:25: X25519MLKEM768: timeout";
    assert_eq!(notifications[0]["message"]["text"], text);
    let results = run(&document)["results"].to_string();
    assert!(!results.contains("mail.example.test"));
}

#[test]
fn the_remedy_stands_in_the_message_ready_to_copy() {
    let document = sarif(&assessment());
    let markdown = run(&document)["results"][0]["message"]["markdown"]
        .as_str()
        .unwrap();
    crate::golden("finding.md", markdown);
}

#[test]
fn an_edit_with_a_diff_is_a_fix() {
    let mut assessment = assessment();
    let edit = &mut assessment.findings[0].remedy.as_mut().unwrap().edits[0];
    let lines = "-\tssl_ecdh_curve X25519;\n+\tssl_ecdh_curve X25519MLKEM768:X25519;\n";
    let diff = format!("--- a/nginx.conf\n+++ b/nginx.conf\n@@ -12,1 +12,1 @@\n{lines}");
    edit.diff = Some(diff);
    let document = sarif(&assessment);
    assert_valid(&schemas::sarif(), &document);
    let fix = &run(&document)["results"][0]["fixes"][0]["artifactChanges"][0];
    assert_eq!(
        fix["replacements"],
        json!([{
            "deletedRegion": { "startLine": 12, "startColumn": 1, "endLine": 12 },
            "insertedContent": { "text": "\tssl_ecdh_curve X25519MLKEM768:X25519;" },
        }])
    );
}
