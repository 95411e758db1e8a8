//! When a cryptographically relevant quantum computer may come: curves as data.

use serde::{Deserialize, Serialize};

use crate::Confidence;

/// A curve of the probability that a quantum computer that breaks RSA-2048 exists by a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// Its short name: `gri-2024`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where it comes from.
    pub source: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// The lower edge: years from now and probability, both rising.
    pub low: Vec<(f64, f64)>,
    /// The upper edge.
    pub high: Vec<(f64, f64)>,
}

/// The probability's lower and upper edge, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Band {
    /// The lower edge.
    pub low: f64,
    /// The upper edge.
    pub high: f64,
}

/// Which edge of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    Low,
    High,
}

#[derive(Deserialize)]
struct File {
    curve: Vec<Timeline>,
}

impl Timeline {
    /// The curves that come with the program.
    pub fn known() -> Vec<Self> {
        let file: File =
            // The file is part of the program, and a test reads it.
            toml::from_str(include_str!("../data/curves.toml")).expect("the embedded file parses");
        file.curve
    }

    /// The probability by so many years from now. Between two points it is linear, and from 0
    /// to the first point too. Beyond the last nothing is known but that it does not fall: the
    /// lower edge stays and the upper is 1.
    pub fn by(&self, years: f64) -> Band {
        Band {
            low: self.edge_at(Edge::Low, years),
            high: self.edge_at(Edge::High, years),
        }
    }

    /// Years after which nothing is known.
    pub fn horizon(&self) -> f64 {
        let last = |points: &[(f64, f64)]| points.last().map_or(0.0, |(years, _)| *years);
        last(&self.low).max(last(&self.high))
    }

    /// What is wrong with the points, in words.
    pub(crate) fn mistake(&self) -> Option<String> {
        for (edge, points) in [("low", &self.low), ("high", &self.high)] {
            let is_valid = |(years, probability): &(f64, f64)| {
                years.is_finite() && *years >= 0.0 && (0.0..=1.0).contains(probability)
            };
            if points.is_empty() || !points.iter().all(is_valid) {
                return Some(format!(
                    "curve {:?} needs points [years, probability] in `{edge}`, with years of 0 \
                     or more and probabilities from 0 to 1",
                    self.id
                ));
            }
            if points
                .windows(2)
                .any(|two| two[0].0 > two[1].0 || two[0].1 > two[1].1)
            {
                return Some(format!(
                    "the points of `{edge}` of curve {:?} must rise",
                    self.id
                ));
            }
        }
        let crosses = self.low.iter().chain(&self.high).any(|(years, _)| {
            let band = self.by(*years);
            band.low > band.high
        });
        crosses.then(|| format!("`low` of curve {:?} lies above `high`", self.id))
    }

    pub(crate) fn edge_at(&self, edge: Edge, years: f64) -> f64 {
        let points = self.points(edge);
        let mut before = (0.0, 0.0);
        for point in points {
            if years < point.0 {
                let share = (years - before.0) / (point.0 - before.0);
                return (before.1 + share * (point.1 - before.1)).clamp(0.0, 1.0);
            }
            before = *point;
        }
        match edge {
            _ if years <= before.0 => before.1,
            Edge::Low => before.1,
            Edge::High => 1.0,
        }
    }

    /// The first year at which an edge reaches a probability; `None` where it never does as
    /// far as is known.
    pub(crate) fn years_until(&self, edge: Edge, probability: f64) -> Option<f64> {
        let mut before = (0.0, 0.0);
        if probability <= 0.0 {
            return Some(0.0);
        }
        for point in self.points(edge) {
            if point.1 >= probability {
                let rise = point.1 - before.1;
                // A step, or the linear stretch between two points.
                let share = match rise > 0.0 {
                    true => (probability - before.1) / rise,
                    false => 0.0,
                };
                return Some(before.0 + share * (point.0 - before.0));
            }
            before = *point;
        }
        match edge {
            Edge::Low => None,
            Edge::High => Some(before.0),
        }
    }

    fn points(&self, edge: Edge) -> &[(f64, f64)] {
        match edge {
            Edge::Low => &self.low,
            Edge::High => &self.high,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: &str) -> Timeline {
        Timeline::known()
            .into_iter()
            .find(|curve| curve.id == id)
            .unwrap()
    }

    #[test]
    fn every_embedded_curve_is_sound() {
        for curve in Timeline::known() {
            assert_eq!(curve.mistake(), None);
        }
    }

    #[test]
    fn the_survey_of_2023_gives_its_own_figures() {
        let curve = known("gri-2023");
        assert_eq!(
            curve.by(5.0),
            Band {
                low: 0.11,
                high: 0.11
            }
        );
        assert_eq!(
            curve.by(10.0),
            Band {
                low: 0.31,
                high: 0.31
            }
        );
        assert!((curve.by(7.5).low - 0.21).abs() < 1e-9);
        // The survey's later columns are not in the data: nothing is made up.
        assert_eq!(
            curve.by(12.0),
            Band {
                low: 0.31,
                high: 1.0
            }
        );
        assert_eq!(curve.years_until(Edge::Low, 0.5), None);
        assert_eq!(curve.years_until(Edge::High, 0.5), Some(10.0));
        let years = curve.years_until(Edge::Low, 0.21).unwrap();
        assert!((years - 7.5).abs() < 1e-9, "{years}");
    }

    #[test]
    fn fifteen_to_twenty_years_are_a_step_at_each_edge() {
        let curve = known("article");
        assert_eq!(
            curve.by(14.9),
            Band {
                low: 0.0,
                high: 0.0
            }
        );
        assert_eq!(
            curve.by(15.0),
            Band {
                low: 0.0,
                high: 1.0
            }
        );
        assert_eq!(
            curve.by(20.0),
            Band {
                low: 1.0,
                high: 1.0
            }
        );
        assert_eq!(curve.years_until(Edge::High, 0.1), Some(15.0));
        assert_eq!(curve.years_until(Edge::Low, 0.1), Some(20.0));
    }
}
