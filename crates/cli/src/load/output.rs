//! What came of a load, as tables and as JSON.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use client::load::{Arrivals, ClientLimit, Latency, Plan, Report};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use stack::Negotiated;

/// Who was loaded by whom.
pub(super) struct Subject {
    pub(super) address: SocketAddr,
    pub(super) client: String,
}

/// The times of a report by name, in the order of their happening.
fn times(report: &Report) -> [(&'static str, &Latency); 6] {
    let tally = &report.tally;
    [
        ("lateness", &tally.lateness),
        ("connect", &tally.connect),
        ("handshake", &tally.handshake),
        ("first byte", &tally.first_byte),
        ("service time", &tally.service_time),
        ("response time", &tally.response_time),
    ]
}

pub(super) fn print(report: &Report, plan: &Plan, subject: &Subject) {
    let tally = &report.tally;
    let rates = report.rates();
    say!(
        "{} with {}, {}, {} {:.1} s\n",
        subject.address,
        subject.client,
        arrivals(plan.arrivals),
        match report.is_interrupted {
            true => "interrupted after",
            false => "for",
        },
        report.window.as_secs_f64()
    );
    let mut table = table(["", "connections", "per second"]);
    for (name, total, rate) in [
        ("offered", tally.offered, Some(rates.offered)),
        ("started", tally.started(), Some(rates.started)),
        ("succeeded", tally.succeeded, Some(rates.achieved)),
        ("failed", tally.failed, Some(rates.failed)),
    ] {
        let rate = rate.map(per_second).unwrap_or_default();
        table.add_row([name.to_owned(), count(total), rate]);
    }
    for (name, total) in [
        ("not started", tally.not_started),
        ("unfinished", tally.unfinished),
        ("full, for want of a ticket", tally.for_tickets),
        ("without a new ticket", tally.without_ticket),
        ("before the load, for tickets", report.prepared),
    ] {
        if total > 0 {
            table.add_row([name.to_owned(), count(total), String::new()]);
        }
    }
    say!("{table}\n");
    print_times(report, plan);
    print_outcomes(report);
    print_client(report);
}

fn print_times(report: &Report, plan: &Plan) {
    if report.tally.succeeded == 0 {
        return;
    }
    let mut table = table(["", "p50", "p90", "p99", "p99.9", "max"]);
    let is_closed = matches!(plan.arrivals, Arrivals::Closed { .. });
    for (name, latency) in times(report) {
        // A closed loop has no schedule to be late for.
        let is_implied = is_closed && matches!(name, "lateness" | "response time");
        if latency.count() == 0 || is_implied {
            continue;
        }
        let quantile = |share| latency.quantile(share).map_or_else(String::new, time);
        table.add_row([
            name.to_owned(),
            quantile(0.5),
            quantile(0.9),
            quantile(0.99),
            quantile(0.999),
            quantile(1.0),
        ]);
    }
    say!("{table}\n");
}

fn print_outcomes(report: &Report) {
    let tally = &report.tally;
    if !tally.negotiated.is_empty() {
        let mut table = table(["negotiated", "connections"]);
        for (negotiated, total) in &tally.negotiated {
            table.add_row([describe(negotiated), count(*total)]);
        }
        say!("{table}\n");
    }
    let statuses: Vec<String> = (1..=5)
        .chain([0])
        .filter(|class| tally.statuses[*class] > 0)
        .map(|class| format!("{} {}", status(class), count(tally.statuses[class])))
        .collect();
    if !statuses.is_empty() {
        say!("Responses: {}\n", statuses.join(", "));
    }
    if !tally.failures.is_empty() {
        let mut table = table(["failures", "connections", "the first of them"]);
        for failure in &tally.failures {
            table.add_row([
                failure.kind.to_string(),
                count(failure.count),
                failure.example.clone(),
            ]);
        }
        if let Some(text) = table.column_mut(2) {
            text.set_cell_alignment(CellAlignment::Left);
        }
        say!("{table}\n");
    }
}

fn print_client(report: &Report) {
    if let (Some(cpu), Some(rate)) = (report.cpu(), report.per_core_second()) {
        say!(
            "Client: {} threads, {:.2} s of CPU, {} connections per core and second.",
            report.workers.len(),
            cpu.as_secs_f64(),
            number(rate)
        );
    }
    if let Some(limit) = report.client_limit() {
        say!("{}", limited(limit));
    }
}

/// What a limit of the client means for the figures.
pub(super) fn limited(limit: ClientLimit) -> String {
    match limit {
        ClientLimit::Cpu(share) => format!(
            "The client had no time left: its busiest thread ran {:.0} % of the time. Times and \
             rates are those of the client, not of the server.",
            share * 100.0
        ),
        ClientLimit::Late(late) => format!(
            "The client began connections late, p99 {}: it shares its cores, or has no time \
             left. Response times hold this delay.",
            time(late)
        ),
    }
}

pub(super) fn json(report: &Report, plan: &Plan, subject: &Subject) -> Result<String> {
    let tally = &report.tally;
    let rates = report.rates();
    let latencies: serde_json::Map<_, _> = times(report)
        .into_iter()
        .map(|(name, latency)| (name.replace(' ', "_"), percentiles(latency)))
        .collect();
    let failures: Vec<_> = tally
        .failures
        .iter()
        .map(|failure| {
            json!({
                "kind": failure.kind.name(),
                "alert": failure.alert,
                "count": failure.count,
                "example": failure.example,
            })
        })
        .collect();
    let statuses: serde_json::Map<_, _> = (0..tally.statuses.len())
        .filter(|class| tally.statuses[*class] > 0)
        .map(|class| (status(class), tally.statuses[class].into()))
        .collect();
    let document = json!({
        "server": subject.address.to_string(),
        "client": subject.client,
        "arrivals": arrivals_json(plan.arrivals),
        "resumed_share": plan.resumed_share,
        "seed": plan.seed,
        "max_in_flight": report.max_in_flight,
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
        "per_second": {
            "offered": rates.offered,
            "started": rates.started,
            "achieved": rates.achieved,
            "failed": rates.failed,
        },
        "latency_us": latencies,
        "negotiated": tally.negotiated.iter().map(negotiated_json).collect::<Vec<_>>(),
        "statuses": statuses,
        "failures": failures,
        "client_use": client_json(report),
    });
    Ok(serde_json::to_string_pretty(&document)?)
}

fn client_json(report: &Report) -> Value {
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
        ClientLimit::Late(_) => "lateness",
    }
}

fn percentiles(latency: &Latency) -> Value {
    let quantile = |share| latency.quantile(share).map(microseconds);
    json!({
        "count": latency.count(),
        "mean": latency.mean().map(microseconds),
        "p50": quantile(0.5),
        "p75": quantile(0.75),
        "p90": quantile(0.9),
        "p95": quantile(0.95),
        "p99": quantile(0.99),
        "p99.9": quantile(0.999),
        "p99.99": quantile(0.9999),
        "max": latency.max().map(microseconds),
    })
}

pub(super) fn microseconds(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

fn negotiated_json((negotiated, total): &(Negotiated, u64)) -> Value {
    json!({
        "version": negotiated.version.map(|version| format!("TLS {version}")),
        "cipher_suite": negotiated.cipher_suite.map(|suite| suite.to_string()),
        "group": negotiated.group.map(|group| group.to_string()),
        "scheme": negotiated.peer_scheme.map(|scheme| scheme.to_string()),
        "is_resumed": negotiated.is_resumed,
        "count": total,
    })
}

fn arrivals_json(arrivals: Arrivals) -> Value {
    match arrivals {
        Arrivals::Constant { per_second } => {
            json!({ "loop": "open", "process": "constant", "per_second": per_second })
        }
        Arrivals::Poisson { per_second } => {
            json!({ "loop": "open", "process": "poisson", "per_second": per_second })
        }
        Arrivals::Closed { concurrency } => {
            json!({ "loop": "closed", "concurrency": concurrency })
        }
    }
}

fn arrivals(arrivals: Arrivals) -> String {
    match arrivals {
        Arrivals::Constant { per_second: rate } => format!("{} (constant)", per_second(rate)),
        Arrivals::Poisson { per_second: rate } => format!("{} (Poisson)", per_second(rate)),
        Arrivals::Closed { concurrency } => format!("{concurrency} at a time (closed loop)"),
    }
}

fn describe(negotiated: &Negotiated) -> String {
    let parts = [
        negotiated.version.map(|version| format!("TLS {version}")),
        negotiated.cipher_suite.map(|suite| suite.to_string()),
        negotiated.group.map(|group| group.to_string()),
        negotiated.peer_scheme.map(|scheme| scheme.to_string()),
        negotiated.is_resumed.then(|| "resumed".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn status(class: usize) -> String {
    match class {
        0 => "no HTTP".to_owned(),
        class => format!("{class}xx"),
    }
}

pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for column in 1..N {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// With three digits, and its unit.
pub(super) fn time(time: Duration) -> String {
    let nanoseconds = time.as_nanos() as f64;
    let (value, unit) = match nanoseconds {
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let digits = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

pub(super) fn per_second(rate: f64) -> String {
    format!("{}/s", number(rate))
}

/// Whole from a hundred on; below, with a digit after the point.
pub(super) fn number(value: f64) -> String {
    match value {
        value if value < 99.95 => format!("{value:.1}"),
        value => count(value.round() as u64),
    }
}

/// With commas between thousands.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_three_digits() {
        for (nanoseconds, text) in [
            (63, "0.06 µs"),
            (9_996, "10.0 µs"),
            (312_400, "312 µs"),
            (1_234_567, "1.23 ms"),
            (2_500_000_000, "2.50 s"),
        ] {
            assert_eq!(time(Duration::from_nanos(nanoseconds)), text);
        }
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1234567, "1,234,567"),
        ] {
            assert_eq!(count(value), text);
        }
        assert_eq!(number(99.96), "100");
        assert_eq!(number(12.34), "12.3");
    }
}
