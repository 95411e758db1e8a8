//! The deadlines' figure, and the words above it.

#![allow(clippy::unwrap_used)]

#[path = "../../tests/estate/mod.rs"]
mod estate;

use audit::{Assessment, Confidence, Estate, Policy, Profile, Status, assess};

use super::{answer, deadlines, words};
use crate::figure::Body;
use crate::{Figure, Layout, render_svg, text_boxes};

fn assessment() -> Assessment {
    estate::assessed(&estate::estate(), &Profile::default())
}

fn figure(assessment: &Assessment) -> Figure {
    deadlines::figure(assessment).unwrap()
}

/// The sentence about a subject, without spaces that don't break.
fn sentence(assessment: &Assessment, estate: &Estate, subject: &str) -> String {
    let sentences = answer::sentences(assessment, &estate.endpoints);
    let found = sentences.into_iter().find(|one| one.subject == subject);
    found.unwrap().text.replace('\u{a0}', " ")
}

#[test]
fn what_the_figure_of_deadlines_says() {
    insta::assert_json_snapshot!("deadlines", figure(&assessment()));
}

#[test]
fn no_label_of_a_deadline_is_cut_or_covers_another() {
    let mut crowded = assessment();
    for policy in &mut crowded.policies {
        policy.milestones = policy
            .milestones
            .iter()
            .cycle()
            .take(policy.milestones.len() * 9)
            .cloned()
            .collect();
    }
    for figure in [figure(&assessment()), figure(&crowded)] {
        for layout in [Layout::Wide, Layout::Narrow] {
            let (boxes, [width, height]) = text_boxes(&figure, layout);
            for (at, (a, text)) in boxes.iter().enumerate() {
                let [left, top, right, bottom] = *a;
                assert!(
                    left >= 0.0 && top >= 0.0 && right <= width && bottom <= height,
                    "{layout:?}: {text:?} at {a:?} leaves {width} × {height}"
                );
                for (b, other) in &boxes[at + 1..] {
                    let apart = right <= b[0] || b[2] <= left || bottom <= b[1] || b[3] <= top;
                    assert!(apart, "{layout:?}: {text:?} {a:?} covers {other:?} {b:?}");
                }
            }
        }
    }
}

#[test]
fn days_of_any_year_can_be_drawn() {
    for (year, month) in [(1, 1), (9999, 12)] {
        let mut odd = assessment();
        let policy = odd
            .policies
            .iter_mut()
            .find(|policy| !policy.milestones.is_empty());
        let month = time::Month::try_from(month).unwrap();
        policy.unwrap().milestones[0].by = time::Date::from_calendar_date(year, month, 1).unwrap();
        for layout in [Layout::Wide, Layout::Narrow] {
            assert!(!render_svg(&figure(&odd), layout).contains("NaN"));
        }
    }
}

#[test]
fn a_draft_is_never_taken_for_final() {
    let Body::Deadlines(body) = figure(&assessment()).body else {
        panic!("deadlines are days");
    };
    let nist = body
        .rows
        .iter()
        .find(|row| row.label.starts_with("nist"))
        .unwrap();
    assert_eq!(nist.label, "nist-ir-8547 (draft)");
    assert!(nist.marks.iter().all(|mark| mark.is_draft));
    let parts: Vec<&str> = nist.text.split("; ").collect();
    assert!(
        parts.iter().all(|part| part.contains("(draft)")),
        "{parts:?}"
    );
    // With nothing but drafts, no deadline is called missed or next.
    let mut policies = Policy::known();
    for policy in &mut policies {
        policy.header.status = Status::Draft;
        for rule in &mut policy.rules {
            rule.status = Status::Draft;
        }
    }
    let estate = estate::estate();
    let drafts = assess(&estate, &policies, &Profile::default(), estate::TODAY, None);
    let text = sentence(&drafts, &estate, "Deadlines");
    assert!(text.starts_with("No rule in force is violated today. Drafts bind nobody yet: "));
    assert!(!text.contains("final") && !text.contains("Missed") && !text.contains("next"));
    let title = figure(&drafts).title;
    assert_eq!(title, "No rule in force sets a day for what is in use");
}

#[test]
fn endpoints_are_counted_in_three_values() {
    let estate = estate::estate();
    let text = sentence(&assessment(), &estate, "Key exchange");
    assert!(
        text.starts_with(
            "Of 5 endpoints, 1 can do post-quantum key exchange, 2 can not \
             (ssh://bastion.example.test:22 and legacy.example.test:443), and of 2 it is not known \
             (dead.example.test:443 and www.example.test:443)."
        ),
        "{text}"
    );
    // Of the second address of www.example.test nothing is known: with an answer it counts.
    let mut answered = estate.clone();
    answered.endpoints.remove(1);
    let text = sentence(&assessment(), &answered, "Key exchange");
    assert!(
        text.contains("2 can do post-quantum key exchange"),
        "{text}"
    );
}

#[test]
fn the_first_binding_deadline_is_named_with_what_it_is_worth() {
    let estate = estate::estate();
    let text = sentence(&assessment(), &estate, "Deadlines");
    for part in [
        "Missed already: cnsa-2.0 (final, several sources; scope: US national security systems) \
         does not allow ",
        "The next is 2031-01-01: us-eo-14412 (final, several sources; scope: ",
        "and so does asd-ism",
        "A migration of 5.0 years that begins now ends on 2031-11-26, too late for that.",
        "Drafts bind nobody yet: nist-ir-8547.",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let quick = Profile::parse("migration_years = 2.0").unwrap();
    let text = sentence(&estate::assessed(&estate, &quick), &estate, "Deadlines");
    assert!(
        text.contains("ends on 2028-11-25, in time for that."),
        "{text}"
    );
}

/// What was not checked must not come before what was.
#[test]
fn an_unverified_rule_is_not_the_first_missed_one() {
    let mut policies = Policy::known();
    for rule in policies.iter_mut().flat_map(|policy| &mut policy.rules) {
        if rule.id == "modulus-3000" {
            rule.from = Some(estate::TODAY.previous_day().unwrap());
            assert_eq!(rule.confidence, Confidence::Unverified);
        }
    }
    let estate = estate::estate();
    let assessment = assess(&estate, &policies, &Profile::default(), estate::TODAY, None);
    let text = sentence(&assessment, &estate, "Deadlines");
    assert!(text.starts_with("Missed already: cnsa-2.0"), "{text}");
    assert!(text.contains("; bsi-tr-02102-1 too"), "{text}");
}

#[test]
fn harvest_now_names_its_assumptions_and_what_flips_it() {
    let estate = estate::estate();
    let text = sentence(&assessment(), &estate, "Harvest now, decrypt later");
    for part in [
        "Of 4 subjects that take classical key exchange, 4 are exposed (",
        "a secret is kept for 10.0 years, the migration takes 5.0 years, the curve is gri-2024, \
         and a probability of 5.0 % is tolerated",
        "The assumption that flips it first: ",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let short = Profile::parse("shelf_life_years = 0.0\nmigration_years = 0.0").unwrap();
    let assessment = estate::assessed(&estate, &short);
    let text = sentence(&assessment, &estate, "Harvest now, decrypt later");
    assert!(text.contains("key exchange, 0 are exposed: "), "{text}");
}

#[test]
fn what_protects_secrets_comes_before_what_a_policy_asks() {
    let estate = estate::estate();
    let text = sentence(&assessment(), &estate, "What to do first");
    assert!(text.starts_with("(1) Turn static RSA off"), "{text}");
    assert!(text.contains("www.example.test:443"), "{text}");
}

#[test]
fn certificates_are_told_apart() {
    let estate = estate::estate();
    let text = sentence(&assessment(), &estate, "Certificates");
    assert!(
        text.starts_with(
            "Of 6 certificates that endpoints show 5 are classical and 1 post-quantum."
        ),
        "{text}"
    );
}

#[test]
fn nothing_at_all_is_said_to_be_nothing() {
    let estate = Estate::default();
    let assessment = assess(&estate, &[], &Profile::default(), estate::TODAY, None);
    assert!(deadlines::figure(&assessment).is_none());
    let text = sentence(&assessment, &estate, "Key exchange");
    assert_eq!(text, "No endpoint was scanned: this rests on files alone.");
}

#[test]
fn lists_and_ranges_read_as_sentences() {
    assert_eq!(words::list(["a"], 3), "a");
    assert_eq!(words::list(["a", "b"], 3), "a and b");
    assert_eq!(
        words::list(["a", "b", "c", "d", "e"], 3),
        "a, b, c and 2 more"
    );
    assert_eq!(words::list(["a", "b"], 1), "a and 1 more");
    assert_eq!(words::range([5.0, 5.0]), "5.0");
    assert_eq!(words::range([10.0, 5.0]), "5.0 to 10.0");
    assert_eq!(words::count(1, "is", "are"), "1 is");
}
