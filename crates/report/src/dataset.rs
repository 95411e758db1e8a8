//! A run with its statistics at hand: many charts ask for the same ones.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use experiment::{Metric, RatioEstimate, Run, Subject, Summary};

/// A run, with a memory for what was derived from its samples.
#[derive(Debug)]
pub struct Dataset<'a> {
    run: &'a Run,
    summaries: Memory<(Subject, Metric), Rc<Summary>>,
    ratios: Memory<(Subject, Subject, Vec<Metric>), RatioEstimate>,
    noise: Memory<Vec<Metric>, RatioEstimate>,
}

type Memory<K, V> = RefCell<HashMap<K, Option<V>>>;

impl<'a> Dataset<'a> {
    /// Nothing is derived before it is asked for.
    pub fn new(run: &'a Run) -> Self {
        Self {
            run,
            summaries: RefCell::default(),
            ratios: RefCell::default(),
            noise: RefCell::default(),
        }
    }

    /// What [`Run::summary`] says.
    pub fn summary(&self, subject: &Subject, metric: Metric) -> Option<Rc<Summary>> {
        remember(&self.summaries, (subject.clone(), metric), || {
            self.run.summary(subject, metric).map(Rc::new)
        })
    }

    /// What [`Run::ratio`] says.
    pub fn ratio(
        &self,
        baseline: &Subject,
        candidate: &Subject,
        metrics: &[Metric],
    ) -> Option<RatioEstimate> {
        remember(
            &self.ratios,
            (baseline.clone(), candidate.clone(), metrics.to_vec()),
            || self.run.ratio(baseline, candidate, metrics),
        )
    }

    /// What [`Run::noise`] says.
    pub fn noise(&self, metrics: &[Metric]) -> Option<RatioEstimate> {
        remember(&self.noise, metrics.to_vec(), || self.run.noise(metrics))
    }
}

impl Deref for Dataset<'_> {
    type Target = Run;

    fn deref(&self) -> &Run {
        self.run
    }
}

fn remember<K: std::hash::Hash + Eq, V: Clone>(
    memory: &Memory<K, V>,
    key: K,
    derive: impl FnOnce() -> Option<V>,
) -> Option<V> {
    if let Some(known) = memory.borrow().get(&key) {
        return known.clone();
    }
    let value = derive();
    memory.borrow_mut().insert(key, value.clone());
    value
}
