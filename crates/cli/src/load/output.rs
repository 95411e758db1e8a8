//! What came of a load, as tables.

use std::net::SocketAddr;

use client::load::{Arrivals, ClientLimit, Latency, Plan, Report};
use comfy_table::{CellAlignment, Table, presets};
use stack::Negotiated;

use super::figures::{count, number, per_second, time};
use crate::output::escape;

/// Who was loaded by whom.
pub(super) struct Subject {
    /// As it was named.
    pub(super) target: String,
    pub(super) address: SocketAddr,
    /// The client's library and its version.
    pub(super) stack: String,
}

/// The times of a report by name, in the order of their happening.
pub(super) fn times(report: &Report) -> [(&'static str, &Latency); 7] {
    let tally = &report.tally;
    [
        ("lateness", &tally.lateness),
        ("connect", &tally.connect),
        ("handshake", &tally.handshake),
        ("first byte", &tally.first_byte),
        ("client delay", &tally.client_delay),
        ("service time", &tally.service_time),
        ("response time", &tally.response_time),
    ]
}

pub(super) fn print(report: &Report, plan: &Plan, subject: &Subject) {
    let tally = &report.tally;
    let rates = report.rates();
    let at = match subject.address.to_string() {
        address if address == subject.target => String::new(),
        address => format!(" at {address}"),
    };
    say!(
        "{}{at} with {}, {}, {} {:.1} s\n",
        subject.target,
        subject.stack,
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

/// In the place of a quantile that is not known.
const NONE: &str = "-";

fn print_times(report: &Report, plan: &Plan) {
    if report.tally.succeeded == 0 {
        return;
    }
    let mut table = table(["", "p50", "p90", "p99", "p99.9", "max"]);
    let is_closed = matches!(plan.arrivals, Arrivals::Closed { .. });
    let mut has_gaps = false;
    for (name, latency) in times(report) {
        // A closed loop has no schedule to be late for.
        let is_implied = is_closed && matches!(name, "lateness" | "response time");
        if latency.count() == 0 || is_implied {
            continue;
        }
        let settled = |share| {
            latency
                .settled_quantile(share)
                .map_or(NONE.to_owned(), time)
        };
        let tail = [0.9, 0.99, 0.999].map(settled);
        has_gaps |= tail.iter().any(|cell| cell == NONE);
        let [p90, p99, p999] = tail;
        let quantile = |share| latency.quantile(share).map_or(NONE.to_owned(), time);
        let (p50, max) = (quantile(0.5), quantile(1.0));
        table.add_row([name.to_owned(), p50, p90, p99, p999, max]);
    }
    say!("{table}");
    if has_gaps {
        say!("{NONE}: fewer than ten connections took longer, and chance decides it.");
    }
    say!("");
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
                escape(&failure.example),
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
        ClientLimit::Delay(delay) => format!(
            "The client's own delay is much of what it measured: p{0:.0} {1}, where p{0:.0} of \
             the response times is {2}. It shares its cores, or has no time left.",
            delay.quantile * 100.0,
            time(delay.delay),
            time(delay.response)
        ),
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

pub(super) fn status(class: usize) -> String {
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
