//! The policies one by one: what conflicts, and what each deadline separates.

use audit::{Algorithm, Class, Policy, Requirement, Role, Status, Verdict};
use time::Date;
use time::macros::date;

use Role::{KeyEstablishment, Signature};

const TODAY: Date = date!(2026 - 11 - 26);

fn policy(id: &str) -> Policy {
    let example = Policy::parse(Policy::EXAMPLE).expect("the example parses");
    let mut policies = Policy::known().into_iter().chain([example]);
    policies
        .find(|policy| policy.header.id == id)
        .expect("a policy that is known")
}

fn verdict(id: &str, role: Role, algorithm: &str, tags: &[&str], at: Date) -> Option<Verdict> {
    let algorithm: Algorithm = algorithm.parse().expect("an algorithm");
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let found = policy(id).verdict(Some(role), &algorithm, &tags, at)?;
    Some(found.verdict)
}

fn short(verdict: Option<Verdict>) -> String {
    match verdict {
        None => "silent".to_owned(),
        Some(Verdict::Conforms) => "conforms".to_owned(),
        Some(Verdict::Violates { .. }) => "violates".to_owned(),
        Some(Verdict::WillViolate { from }) => from.to_string(),
        Some(Verdict::NotObserved { .. }) => "not observed".to_owned(),
    }
}

#[test]
fn the_policies_conflict_as_their_texts_do() {
    for (role, algorithm, id, expected) in [
        (
            KeyEstablishment,
            "X25519+ML-KEM-768",
            "nist-ir-8547",
            "conforms",
        ),
        (
            KeyEstablishment,
            "X25519+ML-KEM-768",
            "bsi-tr-02102-1",
            "conforms",
        ),
        (KeyEstablishment, "X25519+ML-KEM-768", "anssi", "conforms"),
        (
            KeyEstablishment,
            "X25519+ML-KEM-768",
            "asd-ism",
            "2031-01-01",
        ),
        (
            KeyEstablishment,
            "X25519+ML-KEM-768",
            "cnsa-2.0",
            "violates",
        ),
        (
            KeyEstablishment,
            "X25519+ML-KEM-768",
            "us-eo-14412",
            "conforms",
        ),
        (
            KeyEstablishment,
            "X25519+ML-KEM-768",
            "omb-m-26-15",
            "silent",
        ),
        (KeyEstablishment, "ML-KEM-1024", "nist-ir-8547", "conforms"),
        (
            KeyEstablishment,
            "ML-KEM-1024",
            "bsi-tr-02102-1",
            "violates",
        ),
        (KeyEstablishment, "ML-KEM-1024", "anssi", "violates"),
        (KeyEstablishment, "ML-KEM-1024", "asd-ism", "conforms"),
        (KeyEstablishment, "ML-KEM-1024", "cnsa-2.0", "conforms"),
        (KeyEstablishment, "P-384+ML-KEM-1024", "asd-ism", "conforms"),
        (
            KeyEstablishment,
            "P-384+ML-KEM-1024",
            "cnsa-2.0",
            "violates",
        ),
        (KeyEstablishment, "ML-KEM-512", "uk-ncsc", "conforms"),
        (Signature, "ML-DSA-65", "asd-ism", "2031-01-01"),
        (Signature, "ML-DSA-87", "asd-ism", "conforms"),
        (Signature, "ML-DSA-65", "cnsa-2.0", "violates"),
        (Signature, "ML-DSA-87", "cnsa-2.0", "conforms"),
        (Signature, "ML-DSA-65", "anssi", "violates"),
        (Signature, "SLH-DSA-SHA2-128s", "anssi", "silent"),
        (Signature, "LMS", "cnsa-2.0", "conforms"),
    ] {
        let found = short(verdict(id, role, algorithm, &[], TODAY));
        assert_eq!(found, expected, "{algorithm} under {id}");
    }
}

/// The day before and the day on which each rule begins to count.
#[test]
fn each_deadline_separates_two_days() {
    for (id, role, algorithm, tags, from) in [
        (
            "nist-ir-8547",
            Signature,
            "RSA-2048",
            &[][..],
            date!(2031 - 01 - 01),
        ),
        (
            "nist-ir-8547",
            KeyEstablishment,
            "X25519",
            &[],
            date!(2036 - 01 - 01),
        ),
        (
            "us-eo-14412",
            KeyEstablishment,
            "X25519",
            &[],
            date!(2031 - 01 - 01),
        ),
        (
            "us-eo-14412",
            Signature,
            "P-256",
            &[],
            date!(2032 - 01 - 01),
        ),
        (
            "us-eo-14412",
            Signature,
            "P-256",
            &["contractor"],
            date!(2031 - 01 - 01),
        ),
        (
            "uk-ncsc",
            KeyEstablishment,
            "X25519",
            &["high"],
            date!(2032 - 01 - 01),
        ),
        (
            "uk-ncsc",
            KeyEstablishment,
            "X25519",
            &[],
            date!(2036 - 01 - 01),
        ),
        (
            "eu-roadmap",
            KeyEstablishment,
            "X25519",
            &["high"],
            date!(2031 - 01 - 01),
        ),
        (
            "eu-roadmap",
            Signature,
            "RSA-3072",
            &[],
            date!(2036 - 01 - 01),
        ),
        (
            "bsi-tr-02102-1",
            KeyEstablishment,
            "X25519",
            &["high"],
            date!(2031 - 01 - 01),
        ),
        (
            "bsi-tr-02102-1",
            KeyEstablishment,
            "X25519",
            &[],
            date!(2032 - 01 - 01),
        ),
        (
            "bsi-tr-02102-1",
            Signature,
            "P-256",
            &[],
            date!(2036 - 01 - 01),
        ),
        ("asd-ism", Signature, "P-256", &[], date!(2031 - 01 - 01)),
        (
            "asd-ism",
            KeyEstablishment,
            "ML-KEM-768",
            &[],
            date!(2031 - 01 - 01),
        ),
        (
            "canada-itsm-40-001",
            Signature,
            "P-256",
            &["high"],
            date!(2032 - 01 - 01),
        ),
        (
            "canada-itsm-40-001",
            Signature,
            "P-256",
            &[],
            date!(2036 - 01 - 01),
        ),
        (
            "example-organisation",
            KeyEstablishment,
            "X25519",
            &[],
            date!(2028 - 01 - 01),
        ),
    ] {
        let before = from.previous_day().unwrap();
        let on = |day| verdict(id, role, algorithm, tags, day);
        let label = format!("{algorithm} under {id} with {tags:?}");
        assert_eq!(on(before), Some(Verdict::WillViolate { from }), "{label}");
        assert_eq!(
            on(from),
            Some(Verdict::Violates { since: Some(from) }),
            "{label}"
        );
    }
}

#[test]
fn p256_is_not_deprecated_in_2031_and_rsa_2048_is() {
    let in_2032 = date!(2032 - 06 - 01);
    let rules = |algorithm: &str| {
        let algorithm: Algorithm = algorithm.parse().unwrap();
        let judged = policy("nist-ir-8547").judge(Some(Signature), &algorithm, &[], in_2032);
        judged
            .into_iter()
            .map(|one| (one.rule, short(Some(one.verdict))))
            .collect::<Vec<_>>()
    };
    for algorithm in ["P-256", "Ed25519", "RSA-3072"] {
        assert_eq!(rules(algorithm)[0].1, "conforms", "{algorithm}");
        assert_eq!(rules(algorithm)[1].1, "2036-01-01", "{algorithm}");
    }
    for algorithm in ["RSA-2048", "P-224"] {
        assert_eq!(rules(algorithm)[0].1, "violates", "{algorithm}");
    }
}

#[test]
fn what_is_not_known_is_not_judged() {
    for (role, algorithm, id) in [
        // Its size decides, and was not seen.
        (Signature, "RSA", "bsi-tr-02102-1"),
        (Signature, "1.2.3.4", "nist-ir-8547"),
        // Post-quantum, and in no standard.
        (KeyEstablishment, "X25519+sntrup761", "us-eo-14412"),
        (KeyEstablishment, "X25519+Kyber768Draft00", "uk-ncsc"),
    ] {
        let found = short(verdict(id, role, algorithm, &[], TODAY));
        assert_eq!(found, "not observed", "{algorithm} under {id}");
    }
    // A list of names needs no knowledge of what is not on it.
    let found = short(verdict("cnsa-2.0", Signature, "1.2.3.4", &[], TODAY));
    assert_eq!(found, "violates");
}

#[test]
fn drafts_and_doubts_are_marked_in_every_verdict() {
    let x25519: Algorithm = "X25519".parse().unwrap();
    let judged = policy("nist-ir-8547").judge(Some(KeyEstablishment), &x25519, &[], TODAY);
    assert!(judged.iter().all(|one| one.status == Status::Draft));
    let rsa: Algorithm = "RSA-2048".parse().unwrap();
    let judged = policy("bsi-tr-02102-1").judge(Some(Signature), &rsa, &[], TODAY);
    let size = judged
        .iter()
        .find(|one| one.rule == "modulus-3000")
        .unwrap();
    assert_eq!(size.confidence, audit::Confidence::Unverified);
    assert_eq!(short(Some(size.verdict.clone())), "violates");
}

#[test]
fn cnsa_asks_for_suites_too() {
    let cnsa = policy("cnsa-2.0");
    for (suite, expected) in [
        ("TLS_AES_256_GCM_SHA384", "conforms"),
        ("TLS_AES_128_GCM_SHA256", "violates"),
        ("TLS_CHACHA20_POLY1305_SHA256", "violates"),
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "conforms"),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "violates"),
    ] {
        let name = Algorithm::Other(suite.to_owned());
        let found = cnsa.verdict(None, &name, &[], TODAY).map(|one| one.verdict);
        assert_eq!(short(found), expected, "{suite}");
    }
}

#[test]
fn a_policy_of_ones_own_is_judged_like_the_others() {
    let own = Policy::parse(
        r#"
id = "own"
title = "Own"
publisher = "Us"
source = "a page"
status = "final"
as_of = 2026-11-01
confidence = "primary"
scope = "all"

[[rule]]
id = "no-rsa"
text = "No RSA."
on = ["signature"]
requirement = "disallowed"
algorithms = { names = ["RSA*"] }
"#,
    )
    .unwrap();
    assert_eq!(own.rules[0].requirement, Requirement::Disallowed);
    assert!(!own.rules[0].algorithms.classes.contains(&Class::Classical));
    let judged = |name: &str| {
        let algorithm: Algorithm = name.parse().unwrap();
        own.verdict(Some(Signature), &algorithm, &[], TODAY)
            .map(|one| one.verdict)
    };
    assert_eq!(judged("RSA-4096"), Some(Verdict::Violates { since: None }));
    assert_eq!(judged("P-256"), Some(Verdict::Conforms));
}
