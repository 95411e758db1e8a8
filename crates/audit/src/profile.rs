//! What the organisation says of itself: how long its secrets last, how long it takes to
//! migrate, which estimate it believes, and what stands behind which endpoint.

use serde::{Deserialize, Serialize};

use crate::data_file::Mistake;
use crate::risk::Assumptions;
use crate::{Role, Software, Timeline, glob};

/// Assumptions that only the organisation can make. `Profile::default()` has round numbers,
/// which are assumptions too: a report shows them beside what they lead to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// The id of the curve of a quantum computer's arrival.
    pub curve: String,
    /// Years that what is sent must stay secret.
    pub shelf_life_years: f64,
    /// Years until the migration is done.
    pub migration_years: f64,
    /// Years that a signature must verify after the migration. 0 for authentication alone: a
    /// handshake that is over can't be forged.
    pub verify_years: f64,
    /// The probability of a quantum computer in that time that is accepted, 0 to 1.
    pub tolerated_probability: f64,
    /// Days before its end from which a certificate is reported.
    pub expiry_days: u32,
    /// Tags of every subject, which rules may ask for: `high`.
    pub tags: Vec<String>,
    /// What differs from the above, by subject; a later one wins over an earlier one.
    #[serde(rename = "asset")]
    pub assets: Vec<AssetProfile>,
    /// Curves of the organisation's own, beside those of the program.
    #[serde(rename = "timeline")]
    pub timelines: Vec<Timeline>,
    /// The curves of the program and of the organisation.
    #[serde(skip)]
    curves: Vec<Timeline>,
}

/// What is said of the subjects that a pattern matches.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AssetProfile {
    /// Names of subjects, with `*` and `?`: `*.example.test:443`, `/etc/ssl/*`.
    pub pattern: String,
    /// Years that what it protects must stay secret.
    pub shelf_life_years: Option<f64>,
    /// Years until it is migrated.
    pub migration_years: Option<f64>,
    /// Years that its signatures must verify after that.
    pub verify_years: Option<f64>,
    /// Whether its public key was ever shown.
    pub published: Option<bool>,
    /// Tags beside those of all.
    pub tags: Vec<String>,
    /// The program that serves it.
    pub software: Option<Software>,
    /// The program's version.
    pub version: Option<String>,
    /// Its TLS library with the version: `OpenSSL 3.0.15`.
    pub library: Option<String>,
}

/// A profile that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("profile: {0}")]
pub struct ProfileError(pub Mistake);

impl Default for Profile {
    fn default() -> Self {
        Self {
            curve: "gri-2024".to_owned(),
            shelf_life_years: 10.0,
            migration_years: 5.0,
            verify_years: 0.0,
            tolerated_probability: 0.05,
            expiry_days: 30,
            tags: Vec::new(),
            assets: Vec::new(),
            timelines: Vec::new(),
            curves: Timeline::known(),
        }
    }
}

impl Profile {
    /// Reads a profile. What it leaves out is as in `Profile::default()`.
    ///
    /// # Errors
    ///
    /// On a line that is no TOML or has an unknown key, a number that is no number of years or
    /// no probability, and a curve that does not exist.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let mut profile: Self =
            toml::from_str(text).map_err(|error| ProfileError(Mistake::of_toml(text, &error)))?;
        profile.curves = Timeline::known();
        profile.curves.extend(profile.timelines.iter().cloned());
        match profile.mistake() {
            Some(message) => Err(ProfileError(Mistake::at(text, None, message))),
            None => Ok(profile),
        }
    }

    fn mistake(&self) -> Option<String> {
        let all = [
            Some(self.shelf_life_years),
            Some(self.migration_years),
            Some(self.verify_years),
        ];
        let of_assets = self
            .assets
            .iter()
            .flat_map(|one| [one.shelf_life_years, one.migration_years, one.verify_years]);
        let is_wrong = |years: f64| !years.is_finite() || !(0.0..=1000.0).contains(&years);
        if let Some(years) = all
            .into_iter()
            .chain(of_assets)
            .flatten()
            .find(|one| is_wrong(*one))
        {
            return Some(format!("{years} is no number of years: use 0 to 1000"));
        }
        if !(0.0..=1.0).contains(&self.tolerated_probability) {
            return Some(format!(
                "tolerated_probability is {}: use 0 to 1",
                self.tolerated_probability
            ));
        }
        if self.assets.iter().any(|one| one.pattern.is_empty()) {
            return Some("an [[asset]] needs a `pattern`: use \"*\" for all".to_owned());
        }
        if let Some(mistake) = self.timelines.iter().find_map(Timeline::mistake) {
            return Some(mistake);
        }
        let is_named = |curve: &Timeline| curve.id == self.curve;
        let ids: Vec<&str> = self.curves.iter().map(|curve| curve.id.as_str()).collect();
        (!self.curves.iter().any(is_named)).then(|| {
            format!(
                "there is no curve {:?}: there are {}",
                self.curve,
                ids.join(", ")
            )
        })
    }

    /// All curves to choose from.
    pub fn curves(&self) -> &[Timeline] {
        &self.curves
    }

    /// The curve that was chosen.
    pub(crate) fn curve(&self) -> &Timeline {
        // A later one of the same name is the organisation's own.
        let chosen = self
            .curves
            .iter()
            .rev()
            .find(|curve| curve.id == self.curve);
        // A profile comes from `parse`, which checks the name, or from `default`; where a
        // caller has changed the name since, the first curve is as good as any.
        chosen.unwrap_or(&self.curves[0])
    }

    pub(crate) fn assumptions(&self, subject: &str, role: Role) -> Assumptions {
        let protected_years = match role {
            Role::KeyEstablishment => self
                .last(subject, |one| one.shelf_life_years)
                .unwrap_or(self.shelf_life_years),
            Role::Signature => self
                .last(subject, |one| one.verify_years)
                .unwrap_or(self.verify_years),
        };
        Assumptions {
            protected_years,
            migration_years: self
                .last(subject, |one| one.migration_years)
                .unwrap_or(self.migration_years),
            tolerated_probability: self.tolerated_probability,
        }
    }

    pub(crate) fn tags(&self, subject: &str) -> Vec<String> {
        let own = self.matching(subject).flat_map(|one| &one.tags);
        let mut tags: Vec<String> = self.tags.iter().chain(own).cloned().collect();
        tags.sort();
        tags.dedup();
        tags
    }

    /// What the last asset that matches and says something says.
    pub(crate) fn last<T>(
        &self,
        subject: &str,
        field: impl Fn(&AssetProfile) -> Option<T>,
    ) -> Option<T> {
        self.matching(subject).filter_map(field).last()
    }

    fn matching(&self, subject: &str) -> impl Iterator<Item = &AssetProfile> {
        self.assets
            .iter()
            .filter(move |one| glob::matches(&one.pattern, subject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = r#"
curve = "mine"
shelf_life_years = 7

[[asset]]
pattern = "*.example.test:*"
shelf_life_years = 25
tags = ["high"]

[[asset]]
pattern = "www.example.test:443"
migration_years = 1
software = "nginx"
library = "OpenSSL 3.0.15"

[[timeline]]
id = "mine"
title = "Our own"
source = "a meeting"
confidence = "unverified"
low = [[10, 0.1]]
high = [[10, 0.5]]
"#;

    #[test]
    fn the_last_asset_that_says_something_wins() {
        let profile = Profile::parse(WRITTEN).unwrap();
        assert_eq!(profile.curve().id, "mine");
        let www = profile.assumptions("www.example.test:443", Role::KeyEstablishment);
        assert_eq!((www.protected_years, www.migration_years), (25.0, 1.0));
        let other = profile.assumptions("other.test:443", Role::KeyEstablishment);
        assert_eq!((other.protected_years, other.migration_years), (7.0, 5.0));
        assert_eq!(profile.tags("www.example.test:443"), ["high"]);
        assert!(profile.tags("other.test:443").is_empty());
        let software = profile.last("www.example.test:443", |one| one.software);
        assert_eq!(software, Some(Software::Nginx));
    }

    #[test]
    fn mistakes_say_where_and_what() {
        for (text, expected) in [
            ("\nshelf = 1", "line 2, column 1: unknown field `shelf`"),
            ("curve = \"none\"", "no curve \"none\""),
            ("migration_years = -1", "no number of years"),
            ("migration_years = nan", "no number of years"),
            ("tolerated_probability = 2", "use 0 to 1"),
            ("[[asset]]\nshelf_life_years = 1", "needs a `pattern`"),
            ("curve = [[[", "line 1, column"),
        ] {
            let error = Profile::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?} gives {error:?}");
        }
        let falling = WRITTEN.replace("high = [[10, 0.5]]", "high = [[10, 0.05]]");
        let error = Profile::parse(&falling).unwrap_err().to_string();
        assert!(error.contains("above `high`"), "{error}");
    }
}
