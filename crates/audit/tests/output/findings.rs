//! An assessment in which every variant occurs.

use audit::*;
use time::macros::date;

pub(crate) fn subject(kind: SubjectKind, name: &str) -> Subject {
    Subject {
        kind,
        name: name.to_owned(),
    }
}

fn header(id: &str, status: Status) -> PolicyHeader {
    PolicyHeader {
        id: id.to_owned(),
        title: "A policy of tests".to_owned(),
        publisher: "Example".to_owned(),
        source: "https://policy.example.test/text".to_owned(),
        status,
        as_of: date!(2026 - 11 - 01),
        confidence: Confidence::Primary,
        scope: "tests".to_owned(),
        milestones: vec![Milestone {
            id: "plan".to_owned(),
            by: date!(2026 - 12 - 31),
            text: "a plan".to_owned(),
            confidence: Confidence::SeveralSources,
        }],
    }
}

pub(crate) fn verdict(
    policy: &str,
    rule: &str,
    requirement: Requirement,
    verdict: Verdict,
) -> RuleVerdict {
    RuleVerdict {
        policy: policy.to_owned(),
        rule: rule.to_owned(),
        clause: Some("section 3".to_owned()),
        text: "Only the parameter sets of the test may be used.".to_owned(),
        requirement,
        status: if policy == "draft" {
            Status::Draft
        } else {
            Status::Final
        },
        confidence: Confidence::Unverified,
        verdict,
    }
}

fn risk(exposure: Exposure, outlook: Outlook) -> Risk {
    let flip = |assumption, now, at, curve: Option<&str>| Flip {
        assumption,
        now,
        at,
        curve: curve.map(str::to_owned),
        outlook: Outlook::Tolerable,
    };
    Risk {
        subject: subject(SubjectKind::Endpoint, "www.example.test:443"),
        role: Role::KeyEstablishment,
        algorithm: "X25519".parse().unwrap(),
        curve: "gri-2023".to_owned(),
        protected_years: 10.0,
        migration_years: 3.0,
        probability: Band {
            low: 0.1,
            high: 0.4,
        },
        tolerated_probability: 0.05,
        outlook,
        exposure,
        flips: vec![
            flip(Assumption::ProtectedYears, Some(10.0), Some(2.0), None),
            flip(Assumption::MigrationYears, Some(3.0), Some(1.0), None),
            flip(
                Assumption::ToleratedProbability,
                Some(0.05),
                Some(0.1),
                None,
            ),
            flip(Assumption::Curve, None, None, Some("article")),
        ],
        text: "Exposed by the curve of the test.".to_owned(),
    }
}

fn remedy() -> Remedy {
    Remedy {
        summary: "Put X25519MLKEM768 first.".to_owned(),
        steps: vec!["Edit the file.".to_owned(), "Reload.".to_owned()],
        software: Some(Software::Nginx),
        edits: vec![Edit {
            location: Some(nginx()),
            context: "server block".to_owned(),
            old: Some("ssl_ecdh_curve X25519;".to_owned()),
            new: "ssl_ecdh_curve X25519MLKEM768:X25519;".to_owned(),
            diff: None,
        }],
        sources: vec![Source {
            text: "The program's documentation.".to_owned(),
            confidence: Confidence::SeveralSources,
        }],
    }
}

fn nginx() -> Location {
    Location {
        path: "/etc/nginx/nginx.conf".to_owned(),
        line: Some(12),
        entry: None,
    }
}

fn difference() -> Difference {
    let interval = Interval {
        value: 25.0,
        low: 20.0,
        high: 30.0,
    };
    Difference {
        from: "X25519".parse().unwrap(),
        to: "X25519+ML-KEM-768".parse().unwrap(),
        client: interval,
        server: interval,
        bytes_up: 1184,
        bytes_down: 1088,
        round_trips: 0.0,
        run: "run-1".to_owned(),
        machine: "a test".to_owned(),
    }
}

fn finding(check: Check, severity: Severity, about: Subject) -> Finding {
    Finding {
        id: format!("{}/{}", about.name, check.name()),
        check,
        severity,
        subject: about,
        role: None,
        algorithm: None,
        title: check.description().to_owned(),
        evidence: vec![Evidence {
            text: "it answered".to_owned(),
            location: None,
        }],
        verdicts: Vec::new(),
        risk: None,
        remedy: None,
        price: None,
    }
}

/// Two policies, one of them a draft; every check, severity, kind of subject and verdict.
pub(crate) fn assessment() -> Assessment {
    use Requirement::{Deprecated, Disallowed, Recommended, Required};
    let web = || subject(SubjectKind::Endpoint, "www.example.test:443");
    let kinds = [
        SubjectKind::Endpoint,
        SubjectKind::Certificate,
        SubjectKind::Key,
        SubjectKind::Store,
        SubjectKind::Settings,
    ];
    let severities = [
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Note,
    ];
    let algorithm = |name: &str| -> Algorithm { name.parse().unwrap() };
    let mut findings = vec![Finding {
        id: "www.example.test:443/policy/key-establishment/X25519".to_owned(),
        role: Some(Role::KeyEstablishment),
        algorithm: Some(algorithm("X25519")),
        title: "www.example.test:443 exchanges keys with X25519".to_owned(),
        evidence: vec![
            Evidence {
                text: "192.0.2.1:443 chose it".to_owned(),
                location: None,
            },
            Evidence {
                text: "ssl_ecdh_curve X25519".to_owned(),
                location: Some(nginx()),
            },
        ],
        verdicts: vec![
            verdict(
                "strict",
                "sets",
                Required,
                Verdict::Violates { since: None },
            ),
            verdict(
                "strict",
                "old",
                Disallowed,
                Verdict::WillViolate {
                    from: date!(2031 - 01 - 01),
                },
            ),
            verdict(
                "strict",
                "size",
                Deprecated,
                Verdict::NotObserved {
                    reason: "no size".to_owned(),
                },
            ),
            verdict("strict", "hybrid", Recommended, Verdict::Conforms),
            verdict(
                "draft",
                "later",
                Disallowed,
                Verdict::Violates {
                    since: Some(date!(2026 - 01 - 01)),
                },
            ),
        ],
        risk: Some(risk(
            Exposure::Published("it is on the wire".to_owned()),
            Outlook::Exposed,
        )),
        remedy: Some(remedy()),
        price: Some(Price::Measured(Box::new(difference()))),
        ..finding(Check::Policy, Severity::High, web())
    }];
    for (index, check) in Check::ALL.into_iter().skip(1).enumerate() {
        let about = subject(kinds[index % kinds.len()], &format!("subject-{index}"));
        findings.push(Finding {
            price: Some(Price::NotMeasured {
                reason: "no run".to_owned(),
            }),
            ..finding(check, severities[index % severities.len()], about)
        });
    }
    let manners = [
        Manner::Preferred,
        Manner::Accepted,
        Manner::Configured,
        Manner::HandshakeSignature,
        Manner::CertificateKey,
        Manner::CertificateSignature,
        Manner::HostKey,
        Manner::KeyFile,
    ];
    let uses = manners.map(|manner| Usage {
        subject: subject(SubjectKind::Endpoint, "good.example.test:443"),
        role: Some(Role::KeyEstablishment),
        algorithm: algorithm("ML-KEM-1024"),
        manner,
        not_observed: (manner == Manner::Configured).then(|| "not scanned".to_owned()),
        evidence: Vec::new(),
    });
    let row = |name: &str, cell: Verdict| MatrixRow {
        role: Role::KeyEstablishment,
        algorithm: algorithm(name),
        in_use: true,
        cells: vec![Some(verdict("strict", "sets", Required, cell)), None],
    };
    Assessment {
        at: date!(2026 - 11 - 26),
        policies: vec![
            header("strict", Status::Final),
            header("draft", Status::Draft),
        ],
        uses: uses.into(),
        findings,
        matrix: Matrix {
            policies: vec!["strict".to_owned(), "draft".to_owned()],
            rows: vec![
                row("X25519", Verdict::Violates { since: None }),
                row("ML-KEM-1024", Verdict::Conforms),
            ],
        },
        risks: vec![
            risk(
                Exposure::Unpublished("never shown".to_owned()),
                Outlook::Tolerable,
            ),
            risk(Exposure::NotKnown("no word".to_owned()), Outlook::Undecided),
        ],
        conflicts: vec![Conflict {
            role: Role::Signature,
            algorithm: algorithm("ML-DSA-65"),
            conforms: vec!["draft".to_owned()],
            limited: vec![Limit {
                policy: "other".to_owned(),
                from: date!(2031 - 01 - 01),
            }],
            violates: vec!["strict".to_owned()],
            text: "They disagree.".to_owned(),
        }],
        not_observed: vec![NotObserved {
            subject: subject(SubjectKind::Endpoint, "mail.example.test:25"),
            question: "X25519MLKEM768".to_owned(),
            role: Some(Role::KeyEstablishment),
            algorithm: Some(algorithm("X25519+ML-KEM-768")),
            reason: "timeout".to_owned(),
            rules: vec!["strict/sets".to_owned()],
        }],
    }
}
