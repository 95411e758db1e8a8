//! `pqlab load --find-capacity`

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use client::load::{
    Arrivals, Capacity, ClientLimit, MAX_RATE, Plan, Report, Search, WorkerEndpoints,
};
use serde_json::json;

use super::live::Lines;
use super::output::{Subject, limit_name, limited, microseconds, number, per_second, table, time};
use super::perform;
use crate::Ending;

/// What a search found, and on which way.
pub(super) struct Found {
    bound: Duration,
    steps: Vec<Step>,
    capacity: Capacity,
    is_interrupted: bool,
}

/// One rate that was tried.
struct Step {
    rate: f64,
    has_passed: bool,
    achieved: f64,
    lost: u64,
    p99: Option<Duration>,
    limit: Option<ClientLimit>,
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
        let step = Step::of(rate, &report, bound);
        eprintln!("{}", step.line());
        search.record(step.has_passed);
        found.steps.push(step);
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
            limit: report.client_limit(),
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.has_passed, self.limit) {
            (true, _) => "keeps up",
            (false, None) => "does not",
            (false, Some(ClientLimit::Cpu(_))) => "does not; the client has no time left",
            (false, Some(ClientLimit::Late(_))) => "does not; the client began late",
        }
    }

    fn line(&self) -> String {
        format!(
            "{}: p99 {}, {} lost: {}",
            per_second(self.rate),
            self.p99.map_or("-".to_owned(), time),
            self.lost,
            self.verdict()
        )
    }
}

impl Found {
    pub(super) const fn ending(&self) -> Ending {
        match (self.is_interrupted, self.capacity.passed) {
            (true, _) => Ending::Interrupted,
            (false, Some(_)) => Ending::Good,
            (false, None) => Ending::Bad,
        }
    }

    /// The limit of the client where the server was found to have its own.
    fn client_limit(&self) -> Option<ClientLimit> {
        let failed = self.capacity.failed?;
        let mut steps = self.steps.iter().rev();
        let last = steps.find(|step| !step.has_passed && step.rate.total_cmp(&failed).is_eq());
        last.and_then(|step| step.limit)
    }
}

pub(super) fn print(found: &Found) {
    let mut table = table(["rate", "achieved", "lost", "p99", "verdict"]);
    for step in &found.steps {
        table.add_row([
            per_second(step.rate),
            per_second(step.achieved),
            step.lost.to_string(),
            step.p99.map_or("-".to_owned(), time),
            step.verdict().to_owned(),
        ]);
    }
    say!("{table}\n");
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
            "That is no limit of the server's. {} Give the client more cores, or a machine of \
             its own.",
            limited(limit)
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
                "per_second": step.rate,
                "has_passed": step.has_passed,
                "achieved_per_second": step.achieved,
                "lost": step.lost,
                "p99_us": step.p99.map(microseconds),
                "client_limit": step.limit.map(limit_name),
            })
        })
        .collect();
    let document = json!({
        "server": subject.address.to_string(),
        "client": subject.client,
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
