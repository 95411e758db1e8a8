//! Which differences are real: the headline ratios beside the noise floor.

use crate::answer::{self, Comparison};
use crate::figure::{Body, Figure, Forest, ForestRow};
use crate::view::Verdict;
use crate::{Chart, Dataset, number, view};

pub(super) const CHART: Chart = Chart {
    id: "noise",
    question: "Which differences are real?",
    plot,
};

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let comparisons = answer::comparisons(run);
    if comparisons.is_empty() {
        return None;
    }
    let metrics = comparisons.first().map(|c| c.metric)?;
    let noise = view::noise(run, &[metrics]);
    let row = |comparison: &Comparison| {
        let contrast = comparison.contrast;
        let unit = number::time_unit(contrast.difference.value);
        let plus = if contrast.difference.value > 0.0 {
            "+"
        } else {
            ""
        };
        ForestRow {
            label: comparison.label.clone(),
            value: contrast.ratio.value,
            interval: [contrast.ratio.low, contrast.ratio.high],
            text: format!(
                "× {}; {plus}{}",
                number::ratio(contrast.ratio),
                number::estimate(contrast.difference, unit)
            ),
            is_real: contrast.verdict != Verdict::Same,
        }
    };
    let mut rows: Vec<ForestRow> = comparisons.iter().map(row).collect();
    if let Some(noise) = noise {
        rows.insert(
            0,
            ForestRow {
                label: "the baseline against itself".to_owned(),
                value: noise.value,
                interval: [noise.low, noise.high],
                text: format!("× {}", number::ratio(noise)),
                is_real: false,
            },
        );
    }
    let real = comparisons
        .iter()
        .filter(|c| c.contrast.verdict != Verdict::Same)
        .count();
    let all = comparisons.len();
    let title = match noise {
        Some(noise) => {
            let floor = (noise.high - 1.0).max(1.0 - noise.low).max(0.0);
            format!(
                "{real} of {all} differences stand out from the noise of this machine (± {})",
                number::percent(floor)
            )
        }
        None => format!(
            "{real} of {all} differences can be told from none; the noise floor was not measured"
        ),
    };
    Some(Figure {
        title,
        subtitle: "Ratio of the new handshake to the old one, paired within blocks, with 95 % \
                   interval; 1 is no difference"
            .to_owned(),
        body: Body::Forest(Forest {
            axis: "ratio, new over old (equal distances are equal factors)".to_owned(),
            noise: noise.map(|noise| [noise.low.min(1.0), noise.high.max(1.0)]),
            rows,
        }),
        notes: vec![
            "A difference counts as measurable if its interval excludes 1 and it exceeds the \
             noise floor: the ratio of one scenario to itself, measured twice in every block."
                .to_owned(),
        ],
    })
}
