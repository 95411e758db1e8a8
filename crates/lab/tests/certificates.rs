//! Every bad certificate gets the verdict that the catalogue says, from both libraries.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use lab::certificates::{Cause, Failure, Outcome, Standard, all, examine};

#[tokio::test]
async fn both_libraries_do_what_the_catalogue_says_of_every_case() {
    let mut wrong = Vec::new();
    let [mut cases, mut differing, mut alike_and_wrong] = [0; 3];
    for case in all() {
        cases += 1;
        let seen = match examine(case).await {
            Ok(seen) => seen,
            Err(error) => {
                wrong.push(format!("{}: {error}", case.name));
                continue;
            }
        };
        for outcome in &seen.outcomes {
            if says_nothing(outcome) {
                wrong.push(format!("{}: no reason: {outcome:#?}", case.name));
            }
        }
        if !seen.is_as_expected() {
            wrong.push(format!("{}: {:#?}", case.name, seen.outcomes));
        }
        match seen.outcomes.each_ref().map(Outcome::accepts) {
            [rustls, openssl] if rustls != openssl => differing += 1,
            _ if seen.differs() => alike_and_wrong += 1,
            _ => {}
        }
        if seen.differs() != case.difference.is_some() {
            wrong.push(format!("{}: a difference is not explained", case.name));
        }
        let is_refused_somewhere = seen.outcomes.iter().any(|outcome| !outcome.accepts());
        if case.standard == Standard::Accept && case.difference.is_none() && is_refused_somewhere {
            wrong.push(format!("{}: a control is refused", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // As README.md has it.
    assert_eq!([cases, differing, alike_and_wrong], [49, 6, 1]);
}

/// Whether a refusal has no reason.
fn says_nothing(outcome: &Outcome) -> bool {
    let judgement = outcome.judgement.as_ref();
    let refusal = judgement.and_then(|judgement| judgement.refusal.as_ref());
    let failure = outcome.handshake.failure.as_ref();
    refusal.is_some_and(|refusal| refusal.text.trim().is_empty())
        || failure.is_some_and(|failure| failure.words.trim().is_empty())
}

#[tokio::test]
async fn a_handshake_that_fails_for_another_reason_is_not_as_expected() {
    let case = all().find(|case| case.name == "expired").unwrap();
    let seen = examine(case).await.unwrap();
    for mut outcome in seen.outcomes {
        assert!(outcome.is_as_expected(), "{outcome:#?}");
        let failure = outcome.handshake.failure.clone().unwrap();
        let others = [
            Failure {
                words: "the name does not match".to_owned(),
                ..failure.clone()
            },
            Failure {
                cause: Cause::Other,
                ..failure
            },
        ];
        for other in others {
            outcome.handshake.failure = Some(other);
            assert!(!outcome.is_as_expected(), "{outcome:#?}");
        }
        outcome.handshake.failure = None;
        assert!(!outcome.is_as_expected(), "{outcome:#?}");
    }
}

#[tokio::test]
async fn where_a_server_chooses_its_certificate_the_server_of_each_library_is_asked() {
    for name in ["dual", "dual-for-an-old-client", "ml-dsa-for-an-old-client"] {
        let case = all().find(|case| case.name == name).unwrap();
        let seen = examine(case).await.unwrap();
        let shown_by = seen.outcomes.each_ref().map(|outcome| outcome.shown_by);
        assert_eq!(shown_by, ["rustls", "openssl"], "{name}");
    }
}

#[test]
fn every_case_has_a_name_of_its_own_and_a_source() {
    let mut names = HashSet::new();
    for case in all() {
        assert!(names.insert(case.name), "{} stands twice", case.name);
        assert!(case.reference.starts_with("RFC "), "{}", case.name);
    }
}
