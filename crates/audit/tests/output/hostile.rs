//! Names that try to break out of every format.

use audit::output::{CbomVersion, assets_csv, cbom, findings_csv, groups_csv, junit, sarif};
use audit::{Assessment, Asset, AssetKind, Estate, Location, Protocol, Service};

use crate::estate::{NOW, certificate, endpoint, estate, key, settings, ssh_service, tls_service};
use crate::{cbom::assert_sound, findings, schemas, tables};

/// Quotes, ends of lines and of sections, control characters, a right-to-left override, what
/// XML refuses, the mark of invalid UTF-8, placeholders, markup, and nothing at all.
const NAMES: [&str; 12] = [
    "\"'`",
    "a\r\nb\nc",
    "\u{0}\u{1}\u{1b}[2J\u{7f}\u{9b}",
    "moc.elpmaxe\u{202e}\u{2066}",
    "\u{fffe}\u{ffff}\u{fffd}",
    "]]></failure><x a='&amp;'>&<!--",
    "{0} [click](https://evil.example.test) {",
    "```\n# x\n````",
    "%00 %zz #?/../..\\",
    "=HYPERLINK(\"http://evil.example.test\")",
    "\u{1f4a9}\u{200b}é东",
    "",
];

fn hostile_estate(name: &str) -> Estate {
    let mut tls = tls_service();
    for chain in &mut tls.chains {
        if let audit::Answer::Supported(chain) = &mut chain.answer {
            let hostile = &mut chain.certificates[0];
            hostile.subject = name.to_owned();
            hostile.issuer = name.to_owned();
            hostile.serial = name.to_owned();
            hostile.names = vec![name.to_owned()];
            hostile.not_before = name.to_owned();
            hostile.fingerprint = name.to_owned();
            hostile.signature_hash = Some(name.to_owned());
        }
    }
    let mut ssh = ssh_service(name);
    ssh.key_exchanges = vec![name.to_owned()];
    ssh.host_key_algorithms = vec![name.to_owned()];
    ssh.ciphers = vec![name.to_owned()];
    let mut endpoints = vec![
        endpoint(name, Protocol::Tls, Service::Tls(Box::new(tls))),
        endpoint(name, Protocol::Ssh, Service::Ssh(ssh)),
    ];
    endpoints[0].scanned = name.to_owned();
    let mut facts = key(audit::KeyForm::OpenPgp, None, None);
    facts.owner = Some(name.to_owned());
    facts.fingerprint = Some(name.to_owned());
    facts.algorithm = Some(audit::Algorithm::Other(name.to_owned()));
    let mut program = settings(audit::Software::Nginx, name);
    program.version = Some(name.to_owned());
    program.key_exchanges = vec![audit::Algorithm::Other(name.to_owned())];
    program.remarks = vec![name.to_owned()];
    let kinds = [
        AssetKind::Certificate(Box::new(certificate(name, "RSA-2048", 'a'))),
        AssetKind::Key(facts),
        AssetKind::Settings(program),
    ];
    let location = Location {
        path: name.to_owned(),
        line: Some(0),
        entry: Some(name.to_owned()),
    };
    let mut estate = Estate {
        endpoints,
        ..estate()
    };
    let inventory = estate.inventory.as_mut().unwrap();
    inventory.assets = kinds
        .map(|kind| Asset {
            location: location.clone(),
            kind,
        })
        .into();
    inventory.problems[0].reason = name.to_owned();
    estate
}

fn hostile_assessment(name: &str) -> Assessment {
    let mut assessment = findings::assessment();
    let location = Location {
        path: name.to_owned(),
        line: Some(0),
        entry: Some(name.to_owned()),
    };
    for finding in &mut assessment.findings {
        finding.id = name.to_owned();
        finding.title = name.to_owned();
        finding.subject.name = name.to_owned();
        finding.evidence[0].text = name.to_owned();
        finding.evidence[0].location = Some(location.clone());
        for verdict in &mut finding.verdicts {
            verdict.rule = name.to_owned();
            verdict.text = name.to_owned();
            verdict.clause = Some(name.to_owned());
        }
        if let Some(remedy) = &mut finding.remedy {
            remedy.summary = name.to_owned();
            remedy.edits[0].new = name.to_owned();
            remedy.edits[0].diff = Some(name.to_owned());
            remedy.edits[0].context = name.to_owned();
        }
    }
    assessment.policies[0].title = name.to_owned();
    assessment.policies[0].source = format!("https://{name}");
    assessment.not_observed[0].subject.name = name.to_owned();
    assessment.not_observed[0].reason = name.to_owned();
    assessment
}

/// Ends of lines apart, no character that can't be seen.
#[track_caller]
fn assert_visible(text: &str) {
    let hidden = |character: &char| {
        (character.is_control() && *character != '\n')
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
    };
    assert_eq!(text.chars().find(hidden), None, "{text:?}");
}

#[test]
fn bills_of_materials_stay_valid() {
    for name in NAMES {
        for version in [CbomVersion::V1_6, CbomVersion::V1_7] {
            let document = cbom(&hostile_estate(name), version, NOW);
            assert_sound(&document);
            assert_visible(&format!("{document:#}"));
        }
    }
}

#[test]
fn sarif_stays_valid() {
    let validator = schemas::sarif();
    for name in NAMES {
        let document = sarif(&hostile_assessment(name));
        schemas::assert_valid(&validator, &document);
        assert_visible(&format!("{document:#}"));
        let message = &document["runs"][0]["results"][0]["message"];
        for text in [&message["text"], &message["markdown"]] {
            let text = text.as_str().unwrap();
            assert!(
                !text.replace("{{", "").contains('{'),
                "a placeholder: {text}"
            );
            // In a block of code nothing is a link.
            let prose = text.split("\n```").next().unwrap();
            assert!(!prose.contains("[click]("), "a link: {text}");
        }
    }
}

#[test]
fn junit_stays_well_formed() {
    for name in NAMES {
        let assessment = hostile_assessment(name);
        let xml = junit(&assessment);
        assert_visible(&xml);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let count = |tag| {
            document
                .descendants()
                .filter(|node| node.has_tag_name(tag))
                .count()
        };
        assert_eq!(
            count("testsuite"),
            assessment.policies.len() + 1,
            "{name:?}"
        );
        assert_eq!(count("x"), 0, "no element of a name's making");
    }
}

#[test]
fn csv_keeps_its_columns_and_lines() {
    for name in NAMES {
        let estate = hostile_estate(name);
        let inventory = estate.inventory.as_ref().unwrap();
        let assessment = hostile_assessment(name);
        let findings = findings_csv(&assessment);
        let assets = assets_csv(inventory);
        assert_eq!(tables::rows(&findings).len(), assessment.findings.len());
        assert_eq!(findings.lines().count(), assessment.findings.len() + 1);
        assert_eq!(assets.lines().count(), inventory.assets.len() + 1);
        for csv in [findings, assets, groups_csv(&estate.endpoints)] {
            assert_visible(&csv);
        }
    }
}
