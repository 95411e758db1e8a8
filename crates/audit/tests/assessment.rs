//! A whole estate, judged: what a reader of the report relies on.

use std::fmt::Write as _;
use std::path::Path;

use audit::{
    Assessment, Check, Estate, Exposure, Finding, Interval, Measured, Outlook, Policy, Price,
    Prices, Profile, Role, Verdict, assess, difference,
};
use time::Date;
use time::macros::date;

const TODAY: Date = date!(2026 - 11 - 26);

fn estate() -> Estate {
    serde_json::from_str(include_str!("estate.json")).expect("the fixture is an estate")
}

fn assessed(profile: &Profile, at: Date) -> Assessment {
    assess(&estate(), &Policy::known(), profile, at, None)
}

fn finding<'a>(assessment: &'a Assessment, id: &str) -> &'a Finding {
    let ids: Vec<&str> = assessment
        .findings
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    let found = assessment.findings.iter().find(|finding| finding.id == id);
    found.unwrap_or_else(|| panic!("no {id} in {ids:#?}"))
}

/// A short text of all that was found: `AUDIT_GOLDEN=write cargo test -p audit` writes it.
#[test]
fn the_fixture_is_judged_as_before() {
    let assessment = assessed(&Profile::default(), TODAY);
    let mut text = String::new();
    for one in &assessment.findings {
        writeln!(text, "{} {}\n  {}", one.severity, one.id, one.title).unwrap();
        for verdict in one.verdicts.iter().filter(|verdict| verdict.is_concern()) {
            let marks = format!("{}, {}", verdict.status, verdict.confidence);
            writeln!(
                text,
                "  {}/{}: {} ({marks})",
                verdict.policy, verdict.rule, verdict.verdict
            )
            .unwrap();
        }
        writeln!(text, "  > {}", one.remedy.as_ref().unwrap().summary).unwrap();
    }
    for one in &assessment.conflicts {
        writeln!(text, "conflict: {}", one.text).unwrap();
    }
    for one in &assessment.risks {
        writeln!(
            text,
            "risk: {} {} {} {}",
            one.outlook, one.subject, one.role, one.algorithm
        )
        .unwrap();
    }
    for one in &assessment.not_observed {
        writeln!(
            text,
            "not observed: {} {}: {}",
            one.subject, one.question, one.reason
        )
        .unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/assessment.txt");
    if std::env::var_os("AUDIT_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    for (at, (was, is)) in golden.lines().zip(text.lines()).enumerate() {
        assert_eq!(is, was, "line {} of tests/assessment.txt", at + 1);
    }
    assert_eq!(text.lines().count(), golden.lines().count());
}

#[test]
fn the_order_does_not_depend_on_the_scan() {
    let profile = Profile::default();
    let mut turned = estate();
    turned.endpoints.reverse();
    if let Some(inventory) = &mut turned.inventory {
        inventory.assets.reverse();
    }
    let [one, other] = [estate(), turned].map(|estate| {
        let assessment = assess(&estate, &Policy::known(), &profile, TODAY, None);
        let ids = assessment.findings.iter().map(|finding| finding.id.clone());
        (
            ids.collect::<Vec<_>>(),
            assessment.not_observed,
            assessment.risks,
        )
    });
    assert_eq!(one.0, other.0);
    assert_eq!(one.1, other.1);
    assert_eq!(one.2, other.2);
}

#[test]
fn it_is_written_and_read_back() {
    let assessment = assessed(&Profile::default(), TODAY);
    let written = serde_json::to_string(&assessment).unwrap();
    let read: Assessment = serde_json::from_str(&written).unwrap();
    assert_eq!(read, assessment);
    assert!(difference(&assessment, &read).is_empty());
}

#[test]
fn ids_are_unique() {
    let assessment = assessed(&Profile::default(), TODAY);
    let mut ids: Vec<&str> = assessment
        .findings
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn every_kind_of_finding_is_there_and_only_where_it_belongs() {
    let assessment = assessed(&Profile::default(), TODAY);
    for (check, expected) in [
        (
            Check::StaticRsa,
            vec![
                "/etc/apache2/site.conf (virtual host intern.example.test)",
                "www.example.test:443",
            ],
        ),
        (Check::ClassicalKeyExchange, vec!["legacy.example.test:443"]),
        (Check::HybridNotPreferred, vec!["www.example.test:443"]),
        (Check::HelloIntolerance, vec!["www.example.test:443"]),
        (Check::ObsoleteDraftGroup, vec!["pq.example.test:443"]),
        (Check::ProtocolVersion, vec!["legacy.example.test:443"]),
        (Check::CertificateValidity, vec!["legacy.example.test:443"]),
        (Check::SmallKey, vec!["legacy.example.test:443"]),
        (Check::WeakHash, vec!["legacy.example.test:443"]),
        (Check::MixedChain, vec!["pq.example.test:443"]),
        (Check::SshKeyExchange, vec!["ssh://bastion.example.test:22"]),
        (
            Check::UnknownGroup,
            vec!["/etc/apache2/site.conf (virtual host intern.example.test)"],
        ),
        (Check::Disagreement, vec!["legacy.example.test:443"]),
    ] {
        let mut subjects: Vec<&str> = assessment
            .findings
            .iter()
            .filter(|finding| finding.check == check)
            .map(|finding| finding.subject.name.as_str())
            .collect();
        subjects.sort_unstable();
        assert_eq!(subjects, expected, "{check}");
    }
}

#[test]
fn a_timeout_neither_conforms_nor_violates() {
    let assessment = assessed(&Profile::default(), TODAY);
    let about = |name: &str| {
        let all = assessment.not_observed.iter();
        all.filter(|one| one.subject.name == name)
            .collect::<Vec<_>>()
    };
    let [dead] = about("dead.example.test:443")[..] else {
        panic!("one entry for what is unreachable");
    };
    assert!(dead.reason.contains("timeout"), "{}", dead.reason);
    assert!(
        dead.rules
            .contains(&"cnsa-2.0/key-establishment".to_owned()),
        "{:?}",
        dead.rules
    );
    let of_dead = |one: &&Finding| one.subject.name == "dead.example.test:443";
    assert_eq!(assessment.findings.iter().filter(of_dead).count(), 0);
    let group = about("www.example.test:443");
    let group = group
        .iter()
        .find(|one| one.question == "X25519+ML-KEM-768")
        .unwrap();
    assert!(
        group.reason.contains("192.0.2.11:443: timeout"),
        "{}",
        group.reason
    );
    assert!(
        group
            .rules
            .contains(&"nist-ir-8547/classical-after-2035".to_owned())
    );
}

#[test]
fn the_configuration_is_named_by_file_and_line() {
    let assessment = assessed(&Profile::default(), TODAY);
    let found = finding(
        &assessment,
        "legacy.example.test:443/policy/key-establishment/P-256",
    );
    let location = found
        .evidence
        .iter()
        .find_map(|one| one.location.as_ref())
        .unwrap();
    assert_eq!(location.to_string(), "/etc/nginx/nginx.conf:12");
    let remedy = found.remedy.as_ref().unwrap();
    assert!(
        remedy.summary.contains("nginx 1.22.1 with OpenSSL 3.0.15"),
        "{}",
        remedy.summary
    );
    assert!(
        remedy.edits.is_empty(),
        "an old library is not told the group"
    );
    let differs = finding(&assessment, "legacy.example.test:443/disagreement/x25519");
    assert!(
        differs
            .title
            .contains("is configured, and refused: handshake_failure")
    );
}

#[test]
fn a_scanned_certificate_is_published_and_a_key_in_a_file_is_not_known_to_be() {
    let assessment = assessed(&Profile::default(), TODAY);
    let exposure = |name: &str| {
        let mut risks = assessment.risks.iter();
        let risk = risks.find(|one| one.subject.name == name && one.role == Role::Signature);
        &risk.unwrap().exposure
    };
    let shown = exposure("/etc/ssl/www.pem");
    assert_eq!(
        *shown,
        Exposure::Published("www.example.test:443 shows it".to_owned())
    );
    assert!(matches!(
        exposure("/home/ada/.ssh/id_rsa"),
        Exposure::NotKnown(_)
    ));
    assert!(matches!(
        exposure("ssh://bastion.example.test:22"),
        Exposure::Published(_)
    ));
    let profile =
        Profile::parse("[[asset]]\npattern = \"/home/*\"\npublished = false\nverify_years = 30");
    let assessment = assessed(&profile.unwrap(), TODAY);
    let mut risks = assessment.risks.iter();
    let risk = risks
        .find(|one| one.subject.name == "/home/ada/.ssh/id_rsa")
        .unwrap();
    assert!(matches!(risk.exposure, Exposure::Unpublished(_)));
    assert_eq!(risk.outlook, Outlook::Exposed);
    assert!(risk.text.contains("was never shown"), "{}", risk.text);
}

#[test]
fn prices_are_measured_or_missing() {
    let id = "legacy.example.test:443/classical-key-exchange";
    let without = assessed(&Profile::default(), TODAY);
    let Some(Price::NotMeasured { reason }) = &finding(&without, id).price else {
        panic!("there is no run");
    };
    assert!(reason.contains("no run"), "{reason}");
    let exactly = |value| Interval {
        value,
        low: value,
        high: value,
    };
    let measured = |name: &str, bytes_up| Measured {
        algorithm: name.parse().unwrap(),
        client: exactly(200.0),
        server: exactly(90.0),
        bytes_up,
        bytes_down: 1000,
        round_trips: 1.0,
    };
    let prices = Prices {
        run: "run-7".to_owned(),
        machine: "a test".to_owned(),
        key_establishment: vec![measured("P-256", 265), measured("X25519+ML-KEM-768", 1416)],
        signatures: Vec::new(),
    };
    let profile = Profile::default();
    let with = assess(&estate(), &Policy::known(), &profile, TODAY, Some(&prices));
    let Some(Price::Measured(price)) = &finding(&with, id).price else {
        panic!("both were measured");
    };
    assert_eq!((price.bytes_up, price.run.as_str()), (1151, "run-7"));
}

#[test]
fn what_changed_is_new_gone_changed_or_unclear() {
    let profile = Profile::default();
    let before = assessed(&profile, TODAY);
    let mut estate = estate();
    // The bastion is upgraded, legacy no longer answers, and pq is as it was.
    for endpoint in &mut estate.endpoints {
        match endpoint.target.host.as_str() {
            "bastion.example.test" => {
                let audit::Service::Ssh(ssh) = &mut endpoint.service else {
                    panic!("an SSH service");
                };
                ssh.key_exchanges
                    .insert(0, "mlkem768x25519-sha256".to_owned());
            }
            "legacy.example.test" => {
                endpoint.service = audit::Service::Unreachable(audit::Unknown {
                    cause: audit::Cause::Timeout,
                    detail: String::new(),
                });
            }
            _ => {}
        }
    }
    let now = assess(&estate, &Policy::known(), &profile, TODAY, None);
    let changes = difference(&before, &now);
    let ids = |findings: &[Finding]| -> Vec<String> {
        findings.iter().map(|finding| finding.id.clone()).collect()
    };
    let bastion = "ssh://bastion.example.test:22";
    let hybrid = format!("{bastion}/policy/key-establishment/X25519+ML-KEM-768");
    assert_eq!(ids(&changes.new), [hybrid]);
    assert_eq!(ids(&changes.gone), [format!("{bastion}/ssh-key-exchange")]);
    assert!(changes.changed.is_empty());
    let of_legacy = |id: &String| id.starts_with("legacy.example.test:443/");
    assert!(!changes.unclear.is_empty());
    assert!(
        ids(&changes.unclear).iter().all(of_legacy),
        "{:?}",
        ids(&changes.unclear)
    );
    // A deadline that passes changes what was there.
    let later = assess(
        &estate,
        &Policy::known(),
        &profile,
        date!(2031 - 01 - 01),
        None,
    );
    let changes = difference(&now, &later);
    let passed = changes
        .changed
        .iter()
        .find(|one| one.after.id == "www.example.test:443/policy/key-establishment/X25519");
    let verdicts = &passed.unwrap().after.verdicts;
    let asd = verdicts.iter().find(|one| one.policy == "asd-ism").unwrap();
    let since = Some(date!(2031 - 01 - 01));
    assert_eq!(asd.verdict, Verdict::Violates { since });
}
