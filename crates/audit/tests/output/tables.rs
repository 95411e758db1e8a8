//! CSV, read back.

use audit::output::{assets_csv, findings_csv, groups_csv};
use audit::{Inventory, Settings, Software};

use crate::estate::{estate, settings};
use crate::findings::assessment;

pub(crate) fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().from_reader(csv.as_bytes());
    let cells = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|record| cells(record.unwrap()))
        .collect()
}

#[test]
fn each_finding_is_a_line() {
    let assessment = assessment();
    let rows = rows(&findings_csv(&assessment));
    assert_eq!(rows.len(), assessment.findings.len());
    assert_eq!(
        rows[0][..6],
        [
            "high",
            "policy",
            "endpoint",
            "www.example.test:443",
            "key establishment",
            "X25519"
        ]
    );
}

#[test]
fn groups_are_supported_refused_or_unknown() {
    let csv = groups_csv(&estate().endpoints[..1]);
    let first: Vec<&str> = csv.lines().take(5).collect();
    crate::golden("groups.csv", &format!("{}\n", first.join("\n")));
}

#[test]
fn each_asset_is_a_line() {
    let inventory = estate().inventory.unwrap();
    let rows = rows(&assets_csv(&inventory));
    assert_eq!(rows.len(), inventory.assets.len());
    assert_eq!(rows[1][3..5], ["certificate", "ML-DSA-65"]);
    assert_eq!(rows[1][6], "post-quantum");
}

#[test]
fn no_cell_is_a_formula() {
    let mut assessment = assessment();
    for (finding, first) in assessment
        .findings
        .iter_mut()
        .zip(["=", "+", "-", "@", "\t=", "＝"])
    {
        finding.subject.name = format!("{first}cmd|' /C calc'!A0");
        finding.title = format!("{first}1,\"2\"");
    }
    for row in rows(&findings_csv(&assessment)) {
        for cell in row {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '＝']),
                "{cell}"
            );
        }
    }
    let remark = Settings {
        remarks: vec!["-1+1".to_owned()],
        ..settings(Software::Nginx, "@SUM(A1)")
    };
    let location = audit::Location {
        path: "=x".to_owned(),
        line: None,
        entry: None,
    };
    let kind = audit::AssetKind::Settings(remark);
    let assets = vec![audit::Asset { location, kind }];
    let rows = rows(&assets_csv(&Inventory {
        assets,
        ..Inventory::default()
    }));
    assert_eq!(rows[0][0], "'=x");
    assert_eq!(rows[0][12], "'-1+1");
}
