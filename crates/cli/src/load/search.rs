//! `pqlab load --find-capacity`

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use client::load::{
    Arrivals, Capacity, ClientLimit, FailureCount, MAX_RATE, Plan, Report, Search, WorkerEndpoints,
};
use serde_json::json;

use super::figures::{count, number, per_second, time};
use super::json::{error, expected_status, failures, limit_name, microseconds};
use super::live::Lines;
use super::output::{Subject, limited, table};
use super::{Failed, perform};
use crate::Ending;
use crate::output::{SCHEMA, TOOL_VERSION};

/// What a search found, and on which way.
pub(super) struct Found {
    bound: Duration,
    steps: Vec<Step>,
    capacity: Capacity,
    /// Why it was given up: nothing succeeded at the first rate.
    failed: Option<Failed>,
    is_interrupted: bool,
}

/// One rate that was tried.
struct Step {
    rate: f64,
    has_passed: bool,
    achieved: f64,
    lost: u64,
    p99: Option<Duration>,
    /// Whether enough connections settle it.
    is_settled: bool,
    limit: Option<ClientLimit>,
    failures: Vec<FailureCount>,
}

/// Between two steps: what is left of one is not to be part of the next.
const PAUSE: Duration = Duration::from_millis(300);

/// Tries rates until it is known up to which one the server keeps up.
pub(super) fn find(
    plan: &Plan,
    endpoints: &[WorkerEndpoints],
    first: f64,
    step_time: Duration,
    bound: Duration,
    stop: &AtomicBool,
) -> Result<Found> {
    let mut search = Search::new(first, MAX_RATE);
    let mut found = Found {
        bound,
        steps: Vec::new(),
        capacity: search.capacity(),
        failed: None,
        is_interrupted: false,
    };
    while let Some(rate) = search.rate() {
        let plan = Plan {
            arrivals: match plan.arrivals {
                Arrivals::Poisson { .. } => Arrivals::Poisson { per_second: rate },
                _ => Arrivals::Constant { per_second: rate },
            },
            duration: Some(step_time),
            seed: plan.seed.wrapping_add(found.steps.len() as u64),
            ..plan.clone()
        };
        let report = perform(&plan, endpoints, stop, Lines::None)?;
        if stop.load(Ordering::Relaxed) {
            found.is_interrupted = true;
            break;
        }
        let is_first = found.steps.is_empty();
        let step = Step::of(rate, &report, bound);
        eprintln!("{}", step.line());
        search.record(step.has_passed);
        found.steps.push(step);
        // A lower rate does not help where all of them fail.
        if is_first && report.tally.failed > 0 {
            found.failed = Failed::of(&report);
        }
        if found.failed.is_some() {
            break;
        }
        found.capacity = search.capacity();
        sleep(PAUSE);
    }
    Ok(found)
}

impl Step {
    fn of(rate: f64, report: &Report, bound: Duration) -> Self {
        Self {
            rate,
            has_passed: report.keeps_up(bound),
            achieved: report.rates().achieved,
            lost: report.tally.failed + report.tally.not_started,
            p99: report.tally.response_time.quantile(0.99),
            is_settled: report.tally.response_time.settled_quantile(0.99).is_some(),
            limit: report.client_limit(),
            failures: report.tally.failures.clone(),
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.has_passed, self.limit) {
            (true, _) => "keeps up",
            (false, None) => "does not",
            (false, Some(ClientLimit::Cpu(_))) => "does not; the client has no time left",
            (false, Some(ClientLimit::Delay(_))) => "does not; the client was late",
        }
    }

    fn line(&self) -> String {
        format!(
            "{}: p99 {}, {} lost: {}",
            per_second(self.rate),
            self.p99.map_or("-".to_owned(), time),
            count(self.lost),
            self.verdict()
        )
    }
}

impl Found {
    pub(super) fn ending(self) -> Result<Ending> {
        match (self.failed, self.capacity.passed) {
            _ if self.is_interrupted => Ok(Ending::Interrupted),
            (Some(failed), _) => Err(failed.into()),
            (None, Some(_)) => Ok(Ending::Good),
            (None, None) => Ok(Ending::Bad),
        }
    }

    /// The last step at a rate, with this result.
    fn step(&self, rate: Option<f64>, has_passed: bool) -> Option<&Step> {
        let rate = rate?;
        let is_it =
            |step: &&Step| step.has_passed == has_passed && step.rate.total_cmp(&rate).is_eq();
        self.steps.iter().rev().find(is_it)
    }

    /// The limit of the client where the server was found to have its own.
    fn client_limit(&self) -> Option<ClientLimit> {
        self.step(self.capacity.failed, false)?.limit
    }

    /// Whether the p99 that decided are each settled by ten connections that took longer.
    fn is_settled(&self) -> bool {
        let Capacity { passed, failed } = self.capacity;
        let (passed, failed) = (self.step(passed, true), self.step(failed, false));
        // A step that lost connections did not fail by its p99; one that passed did by nothing
        // else.
        passed.is_none_or(|step| step.is_settled)
            && failed.is_none_or(|step| step.is_settled || step.lost > 0)
    }
}

pub(super) fn print(found: &Found) {
    let mut table = table(["rate", "achieved", "lost", "p99", "verdict"]);
    for step in &found.steps {
        table.add_row([
            per_second(step.rate),
            per_second(step.achieved),
            count(step.lost),
            step.p99.map_or("-".to_owned(), time),
            step.verdict().to_owned(),
        ]);
    }
    say!("{table}\n");
    if found.failed.is_some() {
        return;
    }
    let bound = time(found.bound);
    match found.capacity.passed {
        Some(rate) => say!("{} keep p99 within {bound}.", connections(rate)),
        None => say!("No rate that was tried keeps p99 within {bound}."),
    }
    if let Some(rate) = found.capacity.failed {
        say!("{} do not.", connections(rate));
    }
    if let Some(limit) = found.client_limit() {
        say!(
            "That may be no limit of the server's. {} Give the client more cores, or a machine of \
             its own.",
            limited(limit)
        );
    }
    if !found.is_settled() {
        say!(
            "Fewer than a thousand connections in a step do not settle its p99: chance has a say. \
             Longer steps (--step-seconds) settle it."
        );
    }
    if found.is_interrupted {
        say!("The search was interrupted.");
    }
}

fn connections(rate: f64) -> String {
    format!("{} connections per second", number(rate))
}

pub(super) fn json(found: &Found, plan: &Plan, subject: &Subject) -> Result<String> {
    let steps: Vec<_> = found
        .steps
        .iter()
        .map(|step| {
            json!({
                "rate_per_second": step.rate,
                "has_passed": step.has_passed,
                "achieved_per_second": step.achieved,
                "lost": step.lost,
                "p99_us": step.p99.map(microseconds),
                "client_limit": step.limit.map(limit_name),
                "failures": failures(&step.failures),
            })
        })
        .collect();
    let document = json!({
        "schema": SCHEMA,
        "tool_version": TOOL_VERSION,
        "target": subject.target,
        "address": subject.address.to_string(),
        "stack": subject.stack,
        "error": found.failed.as_ref().map(error),
        "expected_status": expected_status(plan),
        "seed": plan.seed,
        "p99_bound_us": microseconds(found.bound),
        "highest_passing_per_second": found.capacity.passed,
        "lowest_failing_per_second": found.capacity.failed,
        "client_limit": found.client_limit().map(limit_name),
        "is_interrupted": found.is_interrupted,
        "steps": steps,
    });
    Ok(serde_json::to_string_pretty(&document)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(rate: f64, has_passed: bool, is_settled: bool, lost: u64) -> Step {
        Step {
            rate,
            has_passed,
            achieved: rate,
            lost,
            p99: None,
            is_settled,
            limit: None,
            failures: Vec::new(),
        }
    }

    /// A step may pass with a lost connection in a thousand, and is settled by its p99 all the
    /// same.
    #[test]
    fn lost_connections_settle_what_failed_and_not_what_passed() {
        for (passed_settled, failed_settled, lost, is_settled) in [
            (true, true, 0, true),
            (false, true, 1, false),
            (true, false, 1, true),
            (true, false, 0, false),
        ] {
            let found = Found {
                bound: Duration::from_millis(1),
                steps: vec![
                    step(100.0, true, passed_settled, lost),
                    step(200.0, false, failed_settled, lost),
                ],
                capacity: Capacity {
                    passed: Some(100.0),
                    failed: Some(200.0),
                },
                failed: None,
                is_interrupted: false,
            };
            assert_eq!(
                found.is_settled(),
                is_settled,
                "{passed_settled} {failed_settled}"
            );
        }
    }
}
