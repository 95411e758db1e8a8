//! Policies in TOML files: those that come with the program, and the user's own.

use serde::Deserialize;
use time::{Date, Month};
use toml::Spanned;
use toml::value::Datetime;

use crate::data_file::Mistake;
use crate::policy::{
    Class, Confidence, Milestone, Policy, PolicyHeader, Predicate, Requirement, Rule, Status, Topic,
};
use crate::{Algorithm, Resistance};

/// The policies that come with the program, in the order in which they are shown.
const EMBEDDED: [&str; 10] = [
    include_str!("../policies/nist-ir-8547.toml"),
    include_str!("../policies/us-eo-14412.toml"),
    include_str!("../policies/omb-m-26-15.toml"),
    include_str!("../policies/cnsa-2.0.toml"),
    include_str!("../policies/uk-ncsc.toml"),
    include_str!("../policies/eu-roadmap.toml"),
    include_str!("../policies/bsi-tr-02102-1.toml"),
    include_str!("../policies/anssi.toml"),
    include_str!("../policies/asd-ism.toml"),
    include_str!("../policies/canada-itsm-40-001.toml"),
];

/// A policy that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy: {0}")]
pub struct PolicyError(pub Mistake);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: Spanned<String>,
    title: String,
    publisher: String,
    source: String,
    status: Status,
    as_of: Spanned<Datetime>,
    confidence: Confidence,
    scope: String,
    #[serde(default)]
    milestone: Vec<MilestoneEntry>,
    #[serde(default)]
    rule: Vec<RuleEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MilestoneEntry {
    id: Spanned<String>,
    by: Spanned<Datetime>,
    text: String,
    confidence: Option<Confidence>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    id: Spanned<String>,
    clause: Option<String>,
    text: String,
    on: Spanned<Vec<Topic>>,
    requirement: Requirement,
    algorithms: Spanned<PredicateEntry>,
    #[serde(default)]
    applies_to: PredicateEntry,
    from: Option<Spanned<Datetime>>,
    #[serde(default)]
    when: Vec<String>,
    status: Option<Spanned<Status>>,
    confidence: Option<Confidence>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct PredicateEntry {
    classes: Vec<Class>,
    names: Vec<Spanned<String>>,
    parts: Vec<Spanned<String>>,
    except: Vec<Spanned<String>>,
    modulus_below: Option<u32>,
    bits_below: Option<u16>,
}

impl Policy {
    /// The text of an example of an organisation's own policy, to be copied and changed.
    pub const EXAMPLE: &str = include_str!("../policies/example-organisation.toml");

    /// The policies that come with the program; the example is none of them.
    pub fn known() -> Vec<Self> {
        EMBEDDED
            .iter()
            // The files are part of the program, and a test reads each.
            .map(|text| Self::parse(text).expect("an embedded policy parses"))
            .collect()
    }

    /// Reads a policy file; [`Policy::EXAMPLE`] shows all that one can hold.
    ///
    /// # Errors
    ///
    /// With line and column on what is no TOML, an unknown or missing field, a date that is
    /// none, an algorithm that is none, a rule without a predicate, an id that comes twice, and
    /// a rule that calls itself final in a draft.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mistake = |span, message: String| PolicyError(Mistake::at(text, span, message));
        let file: File =
            toml::from_str(text).map_err(|error| PolicyError(Mistake::of_toml(text, &error)))?;
        let day = |written: &Spanned<Datetime>| {
            day(written.get_ref()).ok_or_else(|| {
                let message = format!("{} is no day: use 2030-12-31", written.get_ref());
                mistake(Some(written.span()), message)
            })
        };
        let mut ids = Vec::new();
        let mut unique = |id: &Spanned<String>| {
            let is_name = !id.get_ref().is_empty()
                && id
                    .get_ref()
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'/');
            let message = match (is_name, ids.contains(id.get_ref())) {
                (false, _) => "an id has no spaces and no slash: use nist-ir-8547",
                (true, true) => "this id stands above already",
                (true, false) => {
                    ids.push(id.get_ref().clone());
                    return Ok(());
                }
            };
            Err(mistake(
                Some(id.span()),
                format!("{:?}: {message}", id.get_ref()),
            ))
        };
        unique(&file.id)?;
        let mut milestones = Vec::new();
        for entry in file.milestone {
            unique(&entry.id)?;
            milestones.push(Milestone {
                by: day(&entry.by)?,
                id: entry.id.into_inner(),
                text: entry.text,
                confidence: entry.confidence.unwrap_or(file.confidence),
            });
        }
        let mut rules = Vec::new();
        for entry in file.rule {
            unique(&entry.id)?;
            if entry.on.get_ref().is_empty() {
                let message = "`on` is empty: name key-establishment, signature or cipher-suite";
                return Err(mistake(Some(entry.on.span()), message.to_owned()));
            }
            let is_suites = entry.on.get_ref().contains(&Topic::CipherSuite);
            let predicate = |entry| {
                predicate(entry, is_suites).map_err(|(span, message)| mistake(Some(span), message))
            };
            let span = entry.algorithms.span();
            let algorithms = predicate(entry.algorithms.into_inner())?;
            if algorithms == Predicate::default() {
                let message = "`algorithms` names none: give classes, names, parts, \
                               modulus_below or bits_below";
                return Err(mistake(Some(span), message.to_owned()));
            }
            if let Some(status) = &entry.status
                && (*status.get_ref(), file.status) == (Status::Final, Status::Draft)
            {
                let message = "a rule of a draft can't be final".to_owned();
                return Err(mistake(Some(status.span()), message));
            }
            rules.push(Rule {
                clause: entry.clause,
                text: entry.text,
                on: entry.on.into_inner(),
                requirement: entry.requirement,
                applies_to: predicate(entry.applies_to)?,
                algorithms,
                from: entry.from.as_ref().map(day).transpose()?,
                when: entry.when,
                status: entry.status.map_or(file.status, Spanned::into_inner),
                confidence: entry.confidence.unwrap_or(file.confidence),
                id: entry.id.into_inner(),
            });
        }
        Ok(Self {
            header: PolicyHeader {
                as_of: day(&file.as_of)?,
                id: file.id.into_inner(),
                title: file.title,
                publisher: file.publisher,
                source: file.source,
                status: file.status,
                confidence: file.confidence,
                scope: file.scope,
                milestones,
            },
            rules,
        })
    }
}

fn day(written: &Datetime) -> Option<Date> {
    let date = match written {
        Datetime {
            date: Some(date),
            time: None,
            offset: None,
        } => date,
        _ => return None,
    };
    let month = Month::try_from(date.month).ok()?;
    Date::from_calendar_date(i32::from(date.year), month, date.day).ok()
}

/// Where a name is wrong, and why.
type NameMistake = (std::ops::Range<usize>, String);

fn predicate(entry: PredicateEntry, is_suites: bool) -> Result<Predicate, NameMistake> {
    let names = |list: Vec<Spanned<String>>| {
        let checked = |name: Spanned<String>| match is_known(name.get_ref(), is_suites) {
            true => Ok(name.into_inner()),
            false => {
                let message = format!(
                    "{:?} is no algorithm: use a name as RSA-2048, P-256, X25519, ML-KEM-768 or \
                     X25519+ML-KEM-768, or a pattern as RSA-*",
                    name.get_ref()
                );
                Err((name.span(), message))
            }
        };
        list.into_iter().map(checked).collect::<Result<Vec<_>, _>>()
    };
    Ok(Predicate {
        classes: entry.classes,
        names: names(entry.names)?,
        parts: names(entry.parts)?,
        except: names(entry.except)?,
        modulus_below: entry.modulus_below,
        bits_below: entry.bits_below,
    })
}

/// A name that is misspelt would match nothing, and silently so.
fn is_known(name: &str, is_suites: bool) -> bool {
    if name.contains(['*', '?']) {
        return true;
    }
    match is_suites {
        true => name.parse::<wire::CipherSuite>().is_ok(),
        false => name.parse::<Algorithm>().is_ok_and(|algorithm| {
            let is_known = |part: &&Algorithm| part.resistance() != Resistance::Unknown;
            algorithm.parts().iter().all(is_known)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = Policy::EXAMPLE;

    #[test]
    fn the_embedded_policies_parse_and_have_names_of_their_own() {
        let policies = Policy::known();
        let mut ids: Vec<&str> = policies.iter().map(|one| one.header.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), EMBEDDED.len());
        let draft = |one: &&Policy| one.header.status == Status::Draft;
        let drafts: Vec<&str> = policies
            .iter()
            .filter(draft)
            .map(|one| one.header.id.as_str())
            .collect();
        assert_eq!(drafts, ["nist-ir-8547"]);
        for policy in &policies {
            for rule in &policy.rules {
                assert!(rule.status <= policy.header.status, "{}", rule.id);
                assert!(rule.text.ends_with('.'), "{}", rule.id);
            }
        }
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        let at = |needle: &str| {
            let start = OWN.find(needle).unwrap();
            let line = OWN[..start].matches('\n').count() + 1;
            let column = start - OWN[..start].rfind('\n').map_or(0, |newline| newline + 1) + 1;
            format!("line {line}, column {column}: ")
        };
        for (old, new, place, message) in [
            (
                "as_of = 2026-11-01",
                "as_of = 2026-11-01T07:00:00",
                "2026-11-01",
                "is no day",
            ),
            ("as_of =", "as_off =", "as_of =", "unknown field `as_off`"),
            (
                "requirement = \"disallowed\"",
                "requirement = \"forbidden\"",
                "\"disallowed\"\nalgorithms",
                "unknown variant",
            ),
            (
                "\"sntrup761*\"",
                "\"sntrap761\"",
                "\"sntrup761*\"",
                "is no algorithm",
            ),
            (
                "id = \"no-static-rsa\"",
                "id = \"a b\"",
                "\"no-static-rsa\"",
                "no spaces",
            ),
            (
                "id = \"no-static-rsa\"",
                "id = \"hybrid-first\"",
                "\"no-static-rsa\"",
                "above",
            ),
            (
                "{ names = [\"RSA*\"] }",
                "{}",
                "{ names = [\"RSA*\"] }",
                "names none",
            ),
        ] {
            assert!(OWN.contains(old), "{old}");
            let error = Policy::parse(&OWN.replacen(old, new, 1))
                .unwrap_err()
                .to_string();
            assert!(error.contains(&at(place)), "{new}: {error}");
            assert!(error.contains(message), "{new}: {error}");
        }
        let final_rule = format!("{OWN}status = \"final\"\n");
        let error = Policy::parse(&final_rule).unwrap_err().to_string();
        assert!(error.contains("can't be final"), "{error}");
        for garbage in ["", "\u{0}\u{1}", "[[[[", "id = 1", "rule = 3"] {
            assert!(Policy::parse(garbage).is_err(), "{garbage:?}");
        }
        let nested = format!("id = {}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Policy::parse(&nested).is_err());
    }
}
