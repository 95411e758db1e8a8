//! The search for the highest rate that a server keeps up with.
//!
//! It knows no clock and no network: it says which rate to try, and is told whether that
//! was good.

/// A search for the highest rate that passes: doubles it until one fails, then halves what
/// is between the two until they are near enough.
///
/// A rate that fails is tried a second time before it counts as failed: a hiccup of the
/// machine for 1 % of a step's time is enough to spoil its p99.
#[derive(Debug, Clone)]
pub struct Search {
    rate: f64,
    is_second_try: bool,
    passed: Option<f64>,
    failed: Option<f64>,
    limit: f64,
}

/// What the search has come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// The highest rate that passed, per second; `None` if none did.
    pub passed: Option<f64>,
    /// The lowest rate that failed; `None` if the limit passed.
    pub failed: Option<f64>,
}

/// The search ends when the rates that passed and failed are within 5 %.
const NEAR: f64 = 1.05;
/// The lowest rate that is tried.
const LOWEST: f64 = 1.0;

impl Search {
    /// Begins at `first` per second, and goes up to `limit`. Both are finite and above 0.
    pub const fn new(first: f64, limit: f64) -> Self {
        Self {
            rate: first.min(limit),
            is_second_try: false,
            passed: None,
            failed: None,
            limit,
        }
    }

    /// The rate to try next, per second; `None` when the search is over.
    pub fn rate(&self) -> Option<f64> {
        let is_over = match (self.passed, self.failed) {
            (Some(passed), Some(failed)) => failed <= passed * NEAR,
            (Some(passed), None) => passed >= self.limit,
            (None, Some(failed)) => failed <= LOWEST,
            (None, None) => false,
        };
        (!is_over).then_some(self.rate)
    }

    /// Takes the result of trying [`Search::rate`].
    pub const fn record(&mut self, has_passed: bool) {
        if has_passed {
            self.passed = Some(self.rate);
        } else if self.is_second_try {
            self.failed = Some(self.rate);
        } else {
            self.is_second_try = true;
            return;
        }
        self.is_second_try = false;
        self.rate = match (self.passed, self.failed) {
            (Some(passed), Some(failed)) => f64::midpoint(passed, failed),
            (Some(passed), None) => (passed * 2.0).min(self.limit),
            (None, Some(failed)) => (failed / 2.0).max(LOWEST),
            (None, None) => self.rate,
        };
    }

    /// What is known by now.
    pub const fn capacity(&self) -> Capacity {
        Capacity {
            passed: self.passed,
            failed: self.failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a search against a server that keeps up with `capacity` per second. Gives
    /// what was found and the number of steps.
    fn search(first: f64, limit: f64, capacity: f64) -> (Capacity, usize) {
        let mut search = Search::new(first, limit);
        let mut steps = 0;
        while let Some(rate) = search.rate() {
            search.record(rate <= capacity);
            steps += 1;
            assert!(steps < 60, "no end: {search:?}");
        }
        (search.capacity(), steps)
    }

    #[test]
    fn any_capacity_is_found_within_five_per_cent_from_above_and_below() {
        for capacity in [1.5, 9.0, 100.0, 777.0, 4321.0, 250_000.0] {
            for first in [1.0, 50.0, 1000.0, 900_000.0] {
                let (found, _) = search(first, 1e6, capacity);
                let (passed, failed) = (found.passed.unwrap(), found.failed.unwrap());
                assert!(passed <= capacity && capacity < failed, "{found:?}");
                assert!(failed <= passed * NEAR, "{found:?}");
            }
        }
    }

    #[test]
    fn the_ends_are_ends() {
        let nothing = search(100.0, 1e6, 0.0).0;
        assert_eq!((nothing.passed, nothing.failed), (None, Some(LOWEST)));
        let everything = search(100.0, 3000.0, f64::INFINITY).0;
        assert_eq!((everything.passed, everything.failed), (Some(3000.0), None));
    }

    #[test]
    fn one_hiccup_does_not_decide() {
        let mut search = Search::new(100.0, 1e6);
        let mut steps = 0;
        while let Some(rate) = search.rate() {
            steps += 1;
            let hiccup = steps % 3 == 0;
            search.record(rate <= 5000.0 && !hiccup);
        }
        let found = search.capacity();
        assert!(found.passed.unwrap() > 5000.0 / NEAR, "{found:?}");
    }

    /// Ten doublings, each failure twice, five halvings.
    #[test]
    fn it_takes_few_steps() {
        let (_, steps) = search(100.0, 1e6, 5000.0);
        assert!(steps <= 20, "{steps}");
    }
}
