//! Which differences are real: the headline ratios beside the noise floor.

use experiment::{Interval, Side};

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
    let reference = view::reference(run)?;
    let floors: Vec<(Side, Interval)> = [Side::Server, Side::Client]
        .into_iter()
        .filter_map(|side| {
            let metric = view::cost_metric(run, &reference, side)?;
            Some((side, view::noise(run, &[metric])?))
        })
        .collect();
    let noise = floors
        .iter()
        .map(|(_, floor)| [floor.low, floor.high])
        .reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])]);
    let row = |comparison: &Comparison| {
        let contrast = comparison.contrast;
        let unit = number::interval_unit(contrast.difference);
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
    let itself = floors.iter().map(|(side, floor)| ForestRow {
        label: format!("the baseline against itself, {side}"),
        value: floor.value,
        interval: [floor.low, floor.high],
        text: format!("× {}", number::ratio(*floor)),
        is_real: false,
    });
    let rows: Vec<ForestRow> = itself.chain(comparisons.iter().map(row)).collect();
    let real = comparisons
        .iter()
        .filter(|c| c.contrast.verdict != Verdict::Same)
        .count();
    let all = comparisons.len();
    let title = match noise {
        Some([low, high]) => {
            let floor = (high - 1.0).max(1.0 - low).max(0.0);
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
            noise: noise.map(|[low, high]| [low.min(1.0), high.max(1.0)]),
            rows,
        }),
        notes: vec![
            "A difference counts as measurable if its interval excludes 1 and it exceeds the \
             noise floor: the ratio of one scenario to itself, measured twice in every block."
                .to_owned(),
        ],
    })
}
