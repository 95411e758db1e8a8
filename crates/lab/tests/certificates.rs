//! Every bad certificate gets the verdict that the catalogue says, from both libraries.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use lab::certificates::{Expected, Outcome, Standard, all, examine};

/// The verifier alone and the one within TLS are set up apart: they must say the same, for
/// the same reason, unless it is the handshake that fails.
fn agree(outcome: &Outcome) -> bool {
    if matches!(outcome.expected, Expected::Fails(_)) {
        return true;
    }
    let judgement = outcome.judgement.as_ref().unwrap();
    match (&judgement.refusal, &outcome.handshake.refusal) {
        (None, None) => true,
        (Some(verifier), Some(handshake)) => {
            // Up to the time, which differs by a moment.
            let reason = verifier.text.split(|c: char| c.is_ascii_digit()).next();
            handshake.contains(reason.unwrap())
        }
        _ => false,
    }
}

#[tokio::test]
async fn both_libraries_do_what_the_catalogue_says_of_every_case() {
    let mut wrong = Vec::new();
    for case in all() {
        let seen = match examine(case).await {
            Ok(seen) => seen,
            Err(error) => {
                wrong.push(format!("{}: {error}", case.name));
                continue;
            }
        };
        for outcome in &seen.outcomes {
            if !agree(outcome) {
                wrong.push(format!("{}: judge and handshake: {outcome:#?}", case.name));
            }
        }
        if !seen.is_as_expected() {
            wrong.push(format!("{}: {:#?}", case.name, seen.outcomes));
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
}

#[test]
fn every_case_has_a_name_of_its_own_and_a_source() {
    let mut names = HashSet::new();
    for case in all() {
        assert!(names.insert(case.name), "{} stands twice", case.name);
        assert!(case.reference.starts_with("RFC "), "{}", case.name);
    }
}
