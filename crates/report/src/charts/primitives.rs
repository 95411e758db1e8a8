//! The cryptographic operations by themselves, in every library that has them.

use std::rc::Rc;

use experiment::{Interval, KeyExchange, Metric, Primitive, PrimitiveOperation, Subject, Summary};
use wire::{NamedGroup, NistCategory, SignatureAlgorithm};

use super::{chart_unit, legend};
use crate::figure::{Body, Dot, DotGroup, DotRow, Dots, Figure};
use crate::number::Scaled;
use crate::palette::Tone;
use crate::{Chart, Dataset, number, view};

pub(super) const CHART: Chart = Chart {
    id: "primitives",
    question: "What do the cryptographic operations cost by themselves?",
    plot,
};

type Measured<'a> = (&'a Primitive, Rc<Summary>);

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let mut measured: Vec<Measured<'_>> = run
        .records()
        .iter()
        .filter(|r| r.replica == 0 && r.metric == Metric::Operation)
        .filter_map(|record| match &record.subject {
            Subject::Primitive(primitive) => {
                Some((primitive, run.summary(&record.subject, Metric::Operation)?))
            }
            _ => None,
        })
        .collect();
    measured.sort_by_key(|(primitive, _)| {
        (
            rank(primitive.operation),
            primitive.operation,
            primitive.provider.clone(),
        )
    });
    let longest = measured
        .iter()
        .map(|(_, s)| s.median.value)
        .fold(0.0, f64::max);
    let unit = chart_unit(longest);
    let mut series: Vec<String> = measured
        .iter()
        .map(|(primitive, _)| primitive.provider.to_string())
        .collect();
    series.sort_unstable();
    series.dedup();
    let mut groups: Vec<DotGroup> = Vec::new();
    for same in measured.chunk_by(|(a, _), (b, _)| a.operation == b.operation) {
        let (Some((first, _)), row) = (same.first(), row(same, &series, unit)) else {
            continue;
        };
        let title = family(first.operation);
        match groups.last_mut() {
            Some(group) if group.title == title => group.rows.push(row),
            _ => groups.push(DotGroup {
                title: title.to_owned(),
                rows: vec![row],
            }),
        }
    }
    if groups.is_empty() {
        return None;
    }
    let tones = measured
        .iter()
        .map(|(primitive, _)| operation_tone(primitive.operation));
    Some(Figure {
        title: title(&measured),
        subtitle: "Wall time of one operation by itself, without TLS; median with 95 % interval"
            .to_owned(),
        body: Body::Dots(Dots {
            axis: format!(
                "time per operation, {} (equal distances are equal factors)",
                unit.unit
            ),
            unit: unit.unit,
            legend: legend(tones, &[]),
            series,
            groups,
        }),
        notes: vec![
            "Signing with ML-DSA repeats until a signature fits: its times vary by nature, and \
             the table of cryptographic operations says how much."
                .to_owned(),
        ],
    })
}

/// One operation in all libraries that have it.
fn row(same: &[Measured<'_>], series: &[String], unit: Scaled) -> DotRow {
    let operation = same[0].0.operation;
    let dots = same.iter().map(|(primitive, summary)| {
        let median = unit.of(summary.median);
        let name = primitive.provider.to_string();
        Dot {
            series: series.iter().position(|s| *s == name).unwrap_or_default(),
            value: median.value,
            interval: (median.low < median.high).then_some([median.low, median.high]),
        }
    });
    let words: Vec<String> = same
        .iter()
        .map(|(primitive, summary)| {
            format!(
                "{} {}",
                primitive.provider,
                number::value(unit.of(summary.median))
            )
        })
        .collect();
    DotRow {
        label: format!(
            "{} {}",
            algorithm_title(operation),
            operation_name(operation)
        ),
        tone: operation_tone(operation),
        dots: dots.collect(),
        text: format!("{} {}", words.join(", "), unit.unit),
    }
}

/// ML-KEM beside RSA, of one library if there is one that has both.
fn title(measured: &[Measured<'_>]) -> String {
    let of = |operation: PrimitiveOperation| {
        measured
            .iter()
            .filter(move |(primitive, _)| primitive.operation == operation)
    };
    let show = |interval: Interval| number::sized(interval, number::time_unit(interval.value));
    let pairs = of(PrimitiveOperation::Encapsulate(NamedGroup::MLKEM768)).flat_map(|kem| {
        [
            (
                PrimitiveOperation::Sign(SignatureAlgorithm::Rsa2048),
                "signature",
            ),
            (
                PrimitiveOperation::Decrypt(SignatureAlgorithm::Rsa2048),
                "decryption",
            ),
        ]
        .into_iter()
        .flat_map(move |(operation, name)| of(operation).map(move |rsa| (kem, rsa, name)))
    });
    let same = |((kem, _), (rsa, _), _): &(&Measured<'_>, &Measured<'_>, &str)| {
        kem.provider == rsa.provider
    };
    match pairs.clone().find(same) {
        Some(((kem, kem_time), (_, rsa_time), name)) => format!(
            "In {}, ML-KEM-768 encapsulation takes {}, an RSA-2048 {name} {}",
            kem.provider,
            show(kem_time.median),
            show(rsa_time.median)
        ),
        None => format!(
            "What {} cryptographic operations cost by themselves",
            measured.len()
        ),
    }
}

const fn family(operation: PrimitiveOperation) -> &'static str {
    match operation {
        PrimitiveOperation::Encrypt(_) | PrimitiveOperation::Decrypt(_) => "RSA key transport",
        PrimitiveOperation::Sign(_) | PrimitiveOperation::Verify(_) => "Signatures",
        PrimitiveOperation::GenerateShare(_)
        | PrimitiveOperation::Encapsulate(_)
        | PrimitiveOperation::Decapsulate(_) => "Key exchange",
    }
}

/// Key exchange by algorithm, in the order of the other charts; signatures by algorithm too.
fn rank(operation: PrimitiveOperation) -> (u8, (u8, u16), Option<SignatureAlgorithm>) {
    match operation {
        PrimitiveOperation::GenerateShare(group)
        | PrimitiveOperation::Encapsulate(group)
        | PrimitiveOperation::Decapsulate(group) => {
            (0, view::key_exchange_rank(KeyExchange::Group(group)), None)
        }
        PrimitiveOperation::Encrypt(algorithm) | PrimitiveOperation::Decrypt(algorithm) => {
            (1, (0, 0), Some(algorithm))
        }
        PrimitiveOperation::Sign(algorithm) | PrimitiveOperation::Verify(algorithm) => {
            (2, (0, 0), Some(algorithm))
        }
    }
}

/// A Diffie-Hellman group has no encapsulation: its server makes a key pair and agrees.
fn operation_name(operation: PrimitiveOperation) -> &'static str {
    let is_classical = operation_tone(operation) == Tone::Classical;
    match operation {
        PrimitiveOperation::GenerateShare(_) => "key generation",
        PrimitiveOperation::Encapsulate(_) if is_classical => "key generation and agreement",
        PrimitiveOperation::Encapsulate(_) => "encapsulation",
        PrimitiveOperation::Decapsulate(_) if is_classical => "agreement",
        PrimitiveOperation::Decapsulate(_) => "decapsulation",
        PrimitiveOperation::Sign(_) => "signing",
        PrimitiveOperation::Verify(_) => "verification",
        PrimitiveOperation::Encrypt(_) => "encryption",
        PrimitiveOperation::Decrypt(_) => "decryption",
    }
}

fn algorithm_title(operation: PrimitiveOperation) -> String {
    match operation {
        PrimitiveOperation::GenerateShare(group)
        | PrimitiveOperation::Encapsulate(group)
        | PrimitiveOperation::Decapsulate(group) => {
            view::key_exchange_title(KeyExchange::Group(group))
        }
        PrimitiveOperation::Sign(algorithm)
        | PrimitiveOperation::Verify(algorithm)
        | PrimitiveOperation::Encrypt(algorithm)
        | PrimitiveOperation::Decrypt(algorithm) => algorithm.facts().title.to_owned(),
    }
}

fn operation_tone(operation: PrimitiveOperation) -> Tone {
    match operation {
        PrimitiveOperation::GenerateShare(group)
        | PrimitiveOperation::Encapsulate(group)
        | PrimitiveOperation::Decapsulate(group) => {
            match group
                .facts()
                .map_or(NistCategory::None, |facts| facts.nist_category)
            {
                NistCategory::None => Tone::Classical,
                _ => view::key_exchange_tone(KeyExchange::Group(group)),
            }
        }
        PrimitiveOperation::Sign(algorithm)
        | PrimitiveOperation::Verify(algorithm)
        | PrimitiveOperation::Encrypt(algorithm)
        | PrimitiveOperation::Decrypt(algorithm) => view::certificate_tone(algorithm),
    }
}
