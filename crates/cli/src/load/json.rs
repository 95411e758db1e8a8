//! What came of a load, for programs. The names of fields stay, and tell the unit: `schema`
//! changes with them.

use std::time::Duration;

use anyhow::Result;
use client::load::{Arrivals, ClientLimit, FailureCount, Latency, Plan, Report, Status};
use serde_json::{Map, Value, json};
use stack::Negotiated;

use super::Failed;
use super::output::{Subject, status, times};
use crate::connect::Failure;
use crate::output::{SCHEMA, TOOL_VERSION};
use crate::target::Target;

pub(super) fn report(
    report: &Report,
    failed: Option<&Failed>,
    plan: &Plan,
    subject: &Subject,
) -> Result<String> {
    let tally = &report.tally;
    let rates = report.rates();
    let latencies: Map<_, _> = times(report)
        .into_iter()
        .map(|(name, latency)| (name.replace(' ', "_"), percentiles(latency)))
        .collect();
    let statuses: Map<_, _> = (0..tally.statuses.len())
        .filter(|class| tally.statuses[*class] > 0)
        .map(|class| (status_key(class), tally.statuses[class].into()))
        .collect();
    let document = json!({
        "schema": SCHEMA,
        "tool_version": TOOL_VERSION,
        "target": subject.target,
        "address": subject.address.to_string(),
        "stack": subject.stack,
        "error": failed.map(error),
        "arrivals": arrivals(plan.arrivals),
        "resumed_share": plan.resumed_share,
        "expected_group": plan.expected_group.map(|group| group.to_string()),
        "expected_status": expected_status(plan),
        "seed": plan.seed,
        "max_in_flight": report.max_in_flight,
        "timeout_seconds": plan.timeout.as_secs_f64(),
        "is_interrupted": report.is_interrupted,
        "window_seconds": report.window.as_secs_f64(),
        "elapsed_seconds": report.elapsed.as_secs_f64(),
        "connections": {
            "offered": tally.offered,
            "not_started": tally.not_started,
            "started": tally.started(),
            "succeeded": tally.succeeded,
            "failed": tally.failed,
            "unfinished": tally.unfinished,
            "for_tickets": tally.for_tickets,
            "without_ticket": tally.without_ticket,
            "prepared": report.prepared,
        },
        "rates": {
            "offered_per_second": rates.offered,
            "started_per_second": rates.started,
            "achieved_per_second": rates.achieved,
            "failed_per_second": rates.failed,
        },
        "times": latencies,
        "negotiated": tally.negotiated.iter().map(negotiated).collect::<Vec<_>>(),
        "statuses": statuses,
        "failures": failures(&tally.failures),
        "client_use": client_use(report),
    });
    Ok(serde_json::to_string_pretty(&document)?)
}

/// Where there was no load.
pub(super) fn no_load(target: &Target, error: &Failure) -> Result<String> {
    let document = json!({
        "schema": SCHEMA,
        "tool_version": TOOL_VERSION,
        "target": target.to_string(),
        "address": null,
        "stack": null,
        "error": error,
    });
    Ok(serde_json::to_string_pretty(&document)?)
}

fn status_key(class: usize) -> String {
    match class {
        0 => "no_http".to_owned(),
        class => status(class),
    }
}

/// Why the load is as good as none.
pub(super) fn error(failed: &Failed) -> Value {
    json!({
        "kind": failed.kind.map(client::load::FailureKind::name),
        "text": failed.to_string(),
        "hint": null,
    })
}

pub(super) fn failures(counts: &[FailureCount]) -> Value {
    let failure = |failure: &FailureCount| {
        json!({
            "kind": failure.kind.name(),
            "alert": failure.alert,
            "status": match failure.status {
                Some(Status::Code(code)) => Some(code),
                Some(Status::NoHttp) | None => None,
            },
            "count": failure.count,
            "example": failure.example,
        })
    };
    counts.iter().map(failure).collect()
}

/// `null` where nothing is asked, and nothing answered.
pub(super) fn expected_status(plan: &Plan) -> Option<String> {
    let request = plan.request.as_ref();
    request.map(|_| plan.expected_status.to_string())
}

fn client_use(report: &Report) -> Value {
    let workers: Vec<_> = report
        .workers
        .iter()
        .map(|worker| {
            json!({
                "wall_seconds": worker.wall.as_secs_f64(),
                "cpu_seconds": worker.cpu.map(|cpu| cpu.as_secs_f64()),
            })
        })
        .collect();
    json!({
        "cpu_seconds": report.cpu().map(|cpu| cpu.as_secs_f64()),
        "handshakes_per_core_second": report.per_core_second(),
        "limit": report.client_limit().map(limit_name),
        "workers": workers,
    })
}

pub(super) const fn limit_name(limit: ClientLimit) -> &'static str {
    match limit {
        ClientLimit::Cpu(_) => "cpu",
        ClientLimit::Delay(_) => "delay",
    }
}

/// All of them, however few settle them: the count stands beside.
fn percentiles(latency: &Latency) -> Value {
    let quantile = |share| latency.quantile(share).map(microseconds);
    json!({
        "count": latency.count(),
        "mean_us": latency.mean().map(microseconds),
        "p50_us": quantile(0.5),
        "p75_us": quantile(0.75),
        "p90_us": quantile(0.9),
        "p95_us": quantile(0.95),
        "p99_us": quantile(0.99),
        "p99_9_us": quantile(0.999),
        "p99_99_us": quantile(0.9999),
        "max_us": latency.max().map(microseconds),
    })
}

pub(super) fn microseconds(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

fn negotiated((negotiated, total): &(Negotiated, u64)) -> Value {
    json!({
        "version": negotiated.version.map(|version| format!("TLS {version}")),
        "cipher_suite": negotiated.cipher_suite.map(|suite| suite.to_string()),
        "group": negotiated.group.map(|group| group.to_string()),
        "server_scheme": negotiated.peer_scheme.map(|scheme| scheme.to_string()),
        "is_resumed": negotiated.is_resumed,
        "count": total,
    })
}

fn arrivals(arrivals: Arrivals) -> Value {
    match arrivals {
        Arrivals::Constant { per_second } => {
            json!({ "loop": "open", "process": "constant", "rate_per_second": per_second })
        }
        Arrivals::Poisson { per_second } => {
            json!({ "loop": "open", "process": "poisson", "rate_per_second": per_second })
        }
        Arrivals::Closed { concurrency } => {
            json!({ "loop": "closed", "concurrency": concurrency })
        }
    }
}
