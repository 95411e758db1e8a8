//! Bulk data after the handshake.

use experiment::{Interval, Metric, Subject, Transfer};

use super::{grouped, segment};
use crate::figure::{Bar, Bars, Body, Figure, Fill, Key, Row};
use crate::palette::{Pattern, Tone};
use crate::{Chart, Dataset, number, view};

pub(super) const CHART: Chart = Chart {
    id: "transfer",
    question: "How fast is the data after the handshake?",
    plot,
};

const DIRECTIONS: [(Metric, &str, Pattern); 2] = [
    (Metric::Send, "send", Pattern::Solid),
    (Metric::Receive, "receive", Pattern::Rising),
];

/// Bytes of a record per nanoseconds, in millions of bytes per second.
fn speed(time: Interval, record_size: u16) -> Option<Interval> {
    let speed = |ns: f64| f64::from(record_size) * 1e3 / ns;
    (time.low > 0.0).then(|| Interval {
        value: speed(time.value),
        low: speed(time.high),
        high: speed(time.low),
    })
}

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let mut transfers: Vec<(&Subject, &Transfer)> = run
        .records()
        .iter()
        .filter(|r| DIRECTIONS.iter().any(|(metric, ..)| r.metric == *metric))
        .filter_map(|record| match &record.subject {
            Subject::Transfer(transfer) if !view::is_null(&transfer.scenario) => {
                Some((&record.subject, transfer))
            }
            _ => None,
        })
        .collect();
    transfers.sort_by_key(|(_, transfer)| {
        let suite = transfer.scenario.handshake().cipher_suite();
        (
            view::stack_rank(&transfer.scenario),
            suite,
            transfer.record_size,
        )
    });
    transfers.dedup();
    let of = |subject: &Subject, transfer: &Transfer, metric| {
        speed(run.summary(subject, metric)?.median, transfer.record_size)
    };
    let mut best: Option<(f64, String)> = None;
    let rows: Vec<(String, Row)> = transfers
        .into_iter()
        .filter_map(|(subject, transfer)| {
            let suite = transfer.scenario.handshake().cipher_suite().to_string();
            let bars: Vec<Bar> = DIRECTIONS
                .into_iter()
                .filter_map(|(metric, name, pattern)| {
                    let speed = of(subject, transfer, metric)?;
                    if metric == Metric::Send && best.as_ref().is_none_or(|b| speed.value > b.0) {
                        let text = format!(
                            "{} encrypts up to {}\u{a0}MB/s on one core, with {suite} in records of {} bytes",
                            transfer.scenario.server(),
                            number::value(speed),
                            number::count(transfer.record_size.into())
                        );
                        best = Some((speed.value, text));
                    }
                    Some(Bar {
                        segments: vec![segment(
                            name,
                            Fill::patterned(Tone::Neutral, pattern),
                            speed,
                        )],
                        text: format!("{} MB/s, {name}", number::value(speed)),
                    })
                })
                .collect();
            let label = format!("{} bytes", number::count(transfer.record_size.into()));
            let title = format!("{suite}, {}", view::stacks_title(&transfer.scenario));
            (!bars.is_empty()).then_some((title, Row { label, bars }))
        })
        .collect();
    let groups = grouped(rows);
    let (_, title) = best?;
    let key = |name: &str, pattern| Key {
        name: name.to_owned(),
        fill: Fill::patterned(Tone::Neutral, pattern),
    };
    Some(Figure {
        title,
        subtitle: "Encryption and decryption of records in memory on one core, by cipher suite \
                   and plaintext per record"
            .to_owned(),
        body: Body::Bars(Bars {
            axis: "plaintext, MB/s (millions of bytes per second)".to_owned(),
            unit: "MB/s",
            legend: vec![
                key("send (encrypt): plain", Pattern::Solid),
                key("receive (decrypt): striped", Pattern::Rising),
            ],
            groups,
            references: Vec::new(),
        }),
        notes: vec![
            "Records are protected with symmetric keys only (RFC 8446, section 5.2): the key \
             exchange and the certificate change nothing here."
                .to_owned(),
        ],
    })
}
