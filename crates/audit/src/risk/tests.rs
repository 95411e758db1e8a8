use super::*;
use crate::{Profile, SubjectKind};

fn profile(text: &str) -> Profile {
    Profile::parse(text).unwrap()
}

fn risk(profile: &Profile, role: Role, algorithms: &[&str]) -> Option<Risk> {
    let subject = Subject {
        kind: SubjectKind::Endpoint,
        name: "example.test:443".to_owned(),
    };
    let algorithms: Vec<Algorithm> = algorithms
        .iter()
        .map(|name| name.parse().unwrap())
        .collect();
    let algorithms: Vec<&Algorithm> = algorithms.iter().collect();
    let exposure = Exposure::Published("a test".to_owned());
    Risk::new(&subject, role, &algorithms, exposure, profile)
}

fn flip(risk: &Risk, assumption: Assumption) -> &Flip {
    risk.flips
        .iter()
        .find(|flip| flip.assumption == assumption)
        .unwrap()
}

#[test]
fn shelf_life_and_migration_add_up_for_key_establishment_alone() {
    let profile = profile(
        "curve = \"gri-2023\"\nshelf_life_years = 7\nmigration_years = 3\nverify_years = 2\n\
         tolerated_probability = 0.2",
    );
    let kex = risk(&profile, Role::KeyEstablishment, &["X25519"]).unwrap();
    assert_eq!(
        kex.probability,
        Band {
            low: 0.31,
            high: 0.31
        }
    );
    assert_eq!(kex.outlook, Outlook::Exposed);
    let signature = risk(&profile, Role::Signature, &["P-256"]).unwrap();
    assert_eq!(signature.protected_years, 2.0);
    assert_eq!(
        signature.probability,
        Band {
            low: 0.11,
            high: 0.11
        }
    );
    assert_eq!(signature.outlook, Outlook::Tolerable);
}

/// Each flip is tried: just before its value the outcome is the old one, just after it is the
/// one that the flip names.
#[test]
fn a_flip_is_where_the_outcome_turns() {
    for curve in ["gri-2023", "gri-2024", "gri-2025", "article"] {
        for (shelf, migration, tolerated) in [
            (7.0, 3.0, 0.2),
            (2.0, 3.0, 0.2),
            (1.0, 1.0, 0.05),
            (10.0, 5.0, 0.3),
            (16.0, 2.0, 0.5),
        ] {
            let written = |shelf: f64, migration: f64, tolerated: f64| {
                profile(&format!(
                    "curve = \"{curve}\"\nshelf_life_years = {shelf:?}\n\
                     migration_years = {migration:?}\ntolerated_probability = {tolerated:?}"
                ))
            };
            let outlook = |shelf: f64, migration: f64, tolerated: f64| {
                let profile = written(shelf, migration, tolerated);
                risk(&profile, Role::KeyEstablishment, &["X25519"])
                    .unwrap()
                    .outlook
            };
            let now = written(shelf, migration, tolerated);
            let found = risk(&now, Role::KeyEstablishment, &["X25519"]).unwrap();
            for flip in &found.flips {
                assert_ne!(flip.outlook, found.outlook, "{curve} {flip}");
                let (Some(from), Some(at)) = (flip.now, flip.at) else {
                    continue;
                };
                let sides = [at - 1e-6, at + 1e-6].map(|value| match flip.assumption {
                    Assumption::ProtectedYears => outlook(value.max(0.0), migration, tolerated),
                    Assumption::MigrationYears => outlook(shelf, value.max(0.0), tolerated),
                    _ => outlook(shelf, migration, value.clamp(0.0, 1.0)),
                });
                let sides = if at < from {
                    [sides[1], sides[0]]
                } else {
                    sides
                };
                assert_eq!(
                    sides,
                    [found.outlook, flip.outlook],
                    "{curve} {shelf} {migration} {tolerated}: {flip}"
                );
            }
        }
    }
}

#[test]
fn the_flip_of_a_straight_curve_is_solved_exactly() {
    let profile = profile(
        "curve = \"gri-2023\"\nshelf_life_years = 7\nmigration_years = 3\n\
         tolerated_probability = 0.21",
    );
    let found = risk(&profile, Role::KeyEstablishment, &["X25519"]).unwrap();
    let shelf = flip(&found, Assumption::ProtectedYears);
    assert!((shelf.at.unwrap() - 4.5).abs() < 1e-9, "{shelf}");
    assert_eq!(shelf.outlook, Outlook::Tolerable);
    let migration = flip(&found, Assumption::MigrationYears);
    assert!((migration.at.unwrap() - 0.5).abs() < 1e-9, "{migration}");
    assert_eq!(
        flip(&found, Assumption::ToleratedProbability).at,
        Some(0.31)
    );
    let curves: Vec<Option<&str>> = found
        .flips
        .iter()
        .filter(|flip| flip.assumption == Assumption::Curve)
        .map(|flip| flip.curve.as_deref())
        .collect();
    assert_eq!(curves, [Some("gri-2024"), Some("article")]);
}

#[test]
fn what_a_quantum_computer_does_not_break_has_no_risk() {
    let profile = Profile::default();
    for names in [
        vec!["X25519+ML-KEM-768"],
        vec!["ML-DSA-65"],
        vec!["1.2.3.4"],
        vec![],
    ] {
        assert_eq!(
            risk(&profile, Role::KeyEstablishment, &names),
            None,
            "{names:?}"
        );
    }
}

#[test]
fn p256_is_never_stronger_than_rsa_2048_here() {
    let profile = Profile::default();
    for names in [
        ["RSA-2048", "P-256"],
        ["P-256", "RSA-4096"],
        ["RSA-3072", "P-521"],
    ] {
        let found = risk(&profile, Role::Signature, &names).unwrap();
        assert!(found.algorithm.to_string().starts_with("P-"), "{names:?}");
    }
    let order = |name: &str| quantum_order(&name.parse().unwrap());
    assert!(order("P-256") < order("RSA-2048"));
    assert!(order("X25519") < order("P-384"));
    assert!(order("RSA-2048") < order("RSA-4096"));
}

#[test]
fn beyond_its_curve_the_text_says_so() {
    let profile = profile("curve = \"gri-2024\"\nshelf_life_years = 30");
    let found = risk(&profile, Role::KeyEstablishment, &["X25519"]).unwrap();
    assert_eq!(
        found.probability,
        Band {
            low: 0.19,
            high: 1.0
        }
    );
    assert!(
        found.text.contains("the curve ends before that"),
        "{}",
        found.text
    );
    assert!(found.text.contains("several sources"), "{}", found.text);
}
