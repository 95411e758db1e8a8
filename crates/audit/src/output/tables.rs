//! CSV (RFC 4180, UTF-8, with a header line): findings, groups of endpoints, assets.
//!
//! A cell that begins with `=`, `+`, `-` or `@` would be a formula in a spreadsheet. It gets
//! an apostrophe in front, which spreadsheets do not show; a program that reads the file takes
//! it off.

use serde_json::Value;

use crate::output::text::visible;
use crate::{Answer, Assessment, Asset, AssetKind, Endpoint, Inventory, KeyFacts, KeyUse, Service};

/// One line for each finding, in the assessment's order.
pub fn findings_csv(assessment: &Assessment) -> String {
    let mut table = Table::new([
        "severity",
        "check",
        "subject_kind",
        "subject",
        "role",
        "algorithm",
        "title",
        "evidence",
        "verdicts",
        "outlook",
        "remedy",
        "id",
    ]);
    for finding in &assessment.findings {
        let evidence = finding.evidence.iter().map(|seen| match &seen.location {
            Some(location) => format!("{} ({location})", seen.text),
            None => seen.text.clone(),
        });
        let verdicts = finding
            .verdicts
            .iter()
            .map(|said| format!("{}/{}: {}", said.policy, said.rule, said.verdict));
        table.add([
            finding.severity.to_string(),
            finding.check.to_string(),
            word(&finding.subject.kind),
            finding.subject.name.clone(),
            finding
                .role
                .map(|role| role.to_string())
                .unwrap_or_default(),
            finding
                .algorithm
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            finding.title.clone(),
            evidence.collect::<Vec<_>>().join("; "),
            verdicts.collect::<Vec<_>>().join("; "),
            finding
                .risk
                .as_ref()
                .map(|risk| risk.outlook.to_string())
                .unwrap_or_default(),
            finding
                .remedy
                .as_ref()
                .map(|remedy| remedy.summary.clone())
                .unwrap_or_default(),
            finding.id.clone(),
        ]);
    }
    table.finish()
}

/// One line for each named group, or SSH key exchange method, that an endpoint was asked for.
///
/// `answer` is `supported`, `refused` or `unknown`, and `detail` says why.
pub fn groups_csv(endpoints: &[Endpoint]) -> String {
    let mut table = Table::new([
        "target",
        "address",
        "server_name",
        "scanned",
        "group",
        "code_point",
        "answer",
        "rank",
        "detail",
    ]);
    for endpoint in endpoints {
        let mut add = |group: String, code_point, answer: &str, rank: Option<usize>, detail| {
            table.add([
                endpoint.target.to_string(),
                endpoint
                    .address
                    .map(|address| address.to_string())
                    .unwrap_or_default(),
                endpoint.server_name.clone().unwrap_or_default(),
                endpoint.scanned.clone(),
                group,
                code_point,
                answer.to_owned(),
                rank.map(|rank| (rank + 1).to_string()).unwrap_or_default(),
                detail,
            ]);
        };
        match &endpoint.service {
            Service::Tls(tls) => {
                let preference = tls.preference.supported();
                for tried in &tls.groups {
                    let rank = preference.and_then(|preference| {
                        preference
                            .order
                            .iter()
                            .position(|group| *group == tried.offer)
                    });
                    let (answer, detail) = told(&tried.answer);
                    let code_point = format!("0x{:04x}", tried.offer.0);
                    add(tried.offer.to_string(), code_point, answer, rank, detail);
                }
            }
            Service::Ssh(ssh) => {
                for (rank, method) in ssh.key_exchanges.iter().enumerate() {
                    add(
                        method.clone(),
                        String::new(),
                        "supported",
                        Some(rank),
                        String::new(),
                    );
                }
            }
            Service::Unreachable(unknown) => {
                add(
                    String::new(),
                    String::new(),
                    "unknown",
                    None,
                    unknown.to_string(),
                );
            }
        }
    }
    table.finish()
}

fn told<A>(answer: &Answer<A>) -> (&'static str, String) {
    match answer {
        Answer::Supported(_) => ("supported", String::new()),
        Answer::Refused(refusal) => ("refused", refusal.said.clone()),
        Answer::Unknown(unknown) => ("unknown", unknown.to_string()),
    }
}

/// One line for each asset, in the inventory's order.
pub fn assets_csv(inventory: &Inventory) -> String {
    let mut table = Table::new([
        "path",
        "line",
        "entry",
        "type",
        "algorithm",
        "uses",
        "resistance",
        "name",
        "not_after",
        "private",
        "encrypted",
        "fingerprint",
        "detail",
    ]);
    for asset in &inventory.assets {
        let Row {
            kind,
            algorithm,
            resistance,
            cells,
        } = row(asset);
        let [
            uses,
            name,
            not_after,
            private,
            encrypted,
            fingerprint,
            detail,
        ] = cells;
        let location = &asset.location;
        table.add([
            location.path.clone(),
            location
                .line
                .map(|line| line.to_string())
                .unwrap_or_default(),
            location.entry.clone().unwrap_or_default(),
            kind.to_owned(),
            algorithm,
            uses,
            resistance,
            name,
            not_after,
            private,
            encrypted,
            fingerprint,
            detail,
        ]);
    }
    table.finish()
}

struct Row {
    kind: &'static str,
    algorithm: String,
    resistance: String,
    /// Uses, name, end of validity, private, encrypted, fingerprint, detail.
    cells: [String; 7],
}

fn row(asset: &Asset) -> Row {
    let none = String::new;
    match &asset.kind {
        AssetKind::Certificate(facts) => Row {
            kind: "certificate",
            algorithm: facts.key.to_string(),
            resistance: word(&facts.key.resistance()),
            cells: [
                none(),
                facts.subject.clone(),
                facts.not_after.clone(),
                none(),
                none(),
                facts.fingerprint.clone(),
                format!("issuer {}; signed with {}", facts.issuer, facts.signature),
            ],
        },
        AssetKind::Request(facts) => key_row("request", facts),
        AssetKind::Key(facts) => key_row("key", facts),
        AssetKind::Store(facts) => Row {
            kind: "store",
            algorithm: none(),
            resistance: none(),
            cells: [
                none(),
                word(&facts.format),
                none(),
                facts
                    .private_keys
                    .map(|count| count.to_string())
                    .unwrap_or_default(),
                none(),
                none(),
                facts.protection.join("; "),
            ],
        },
        AssetKind::Settings(settings) => {
            let names: Vec<String> = settings
                .key_exchanges
                .iter()
                .map(ToString::to_string)
                .collect();
            let resistances: Vec<String> = settings
                .key_exchanges
                .iter()
                .map(|algorithm| word(&algorithm.resistance()))
                .collect();
            Row {
                kind: "settings",
                algorithm: names.join(" "),
                resistance: resistances.join(" "),
                cells: [
                    none(),
                    format!("{} {}", settings.software.title(), settings.scope),
                    none(),
                    none(),
                    none(),
                    none(),
                    settings.remarks.join("; "),
                ],
            }
        }
    }
}

fn key_row(kind: &'static str, facts: &KeyFacts) -> Row {
    let uses: Vec<String> = facts.uses.iter().map(|one: &KeyUse| word(one)).collect();
    let resistance = facts
        .algorithm
        .as_ref()
        .map(|algorithm| word(&algorithm.resistance()));
    Row {
        kind,
        algorithm: facts
            .algorithm
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        resistance: resistance.unwrap_or_default(),
        cells: [
            uses.join(" "),
            facts.owner.clone().unwrap_or_default(),
            String::new(),
            facts.is_private.to_string(),
            facts.is_encrypted.to_string(),
            facts.fingerprint.clone().unwrap_or_default(),
            word(&facts.form),
        ],
    }
}

/// A variant as serialised data spells it.
fn word<T: serde::Serialize>(variant: &T) -> String {
    match serde_json::to_value(variant) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

struct Table<const COLUMNS: usize>(csv::Writer<Vec<u8>>);

impl<const COLUMNS: usize> Table<COLUMNS> {
    fn new(header: [&str; COLUMNS]) -> Self {
        let mut table = Self(csv::Writer::from_writer(Vec::new()));
        table.add(header.map(str::to_owned));
        table
    }

    fn add(&mut self, cells: [String; COLUMNS]) {
        let cells = cells.map(|cell| guarded(&cell));
        // Writing to memory can't fail, and every line has as many cells as the header.
        self.0
            .write_record(&cells)
            .expect("memory takes every byte");
    }

    fn finish(self) -> String {
        // As above, and the writer was given strings only.
        let bytes = self.0.into_inner().expect("memory takes every byte");
        String::from_utf8(bytes).expect("strings are UTF-8")
    }
}

/// A cell that no spreadsheet evaluates. Some take the full-width signs too.
fn guarded(cell: &str) -> String {
    let shown = visible(cell);
    let is_formula = |first: char| "=+-@＝＋－＠".contains(first);
    match shown.trim_start().chars().next().is_some_and(is_formula) {
        true => format!("'{shown}"),
        false => shown.into_owned(),
    }
}
