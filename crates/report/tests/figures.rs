//! The figures of a synthetic run: their data, and that every drawing is whole.

mod synthetic;

use experiment::{Record, Run, Sample, Subject};
use report::{Body, CHARTS, Dataset, Figure, Layout, render_png, render_svg, text_boxes};

fn figures(run: &Run) -> Vec<(&'static str, Figure)> {
    let run = Dataset::new(run);
    CHARTS
        .iter()
        .filter_map(|chart| Some((chart.id, (chart.plot)(&run)?)))
        .collect()
}

#[test]
fn a_full_run_fills_every_chart() {
    let run = synthetic::run(40);
    let drawn: Vec<_> = figures(&run).into_iter().map(|(id, _)| id).collect();
    let all: Vec<_> = CHARTS.iter().map(|chart| chart.id).collect();
    assert_eq!(drawn, all);
    let mut unique = all.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), all.len());
}

/// What a figure says must not change unnoticed.
#[test]
fn the_data_of_every_figure() {
    let run = synthetic::run(40);
    for (id, figure) in figures(&run) {
        insta::assert_json_snapshot!(id, shortened(&figure));
    }
}

/// A figure with its curves thinned out: sixty points a line tell no more than six.
fn shortened(figure: &Figure) -> Figure {
    let mut figure = figure.clone();
    if let Body::Curves(curves) = &mut figure.body {
        for line in &mut curves.lines {
            line.points = line.points.iter().copied().step_by(12).collect();
        }
    }
    figure
}

#[test]
fn no_label_is_cut_or_covers_another() {
    let run = synthetic::run(40);
    for (id, figure) in figures(&run) {
        for layout in [Layout::Wide, Layout::Narrow] {
            let (boxes, [width, height]) = text_boxes(&figure, layout);
            assert!(boxes.len() > 5, "{id}");
            for (at, (a, text)) in boxes.iter().enumerate() {
                let [left, top, right, bottom] = *a;
                assert!(
                    left >= 0.0 && top >= 0.0 && right <= width && bottom <= height,
                    "{id} {layout:?}: {text:?} at {a:?} leaves {width} × {height}"
                );
                for (b, other) in &boxes[at + 1..] {
                    let apart = right <= b[0] || b[2] <= left || bottom <= b[1] || b[3] <= top;
                    assert!(
                        apart,
                        "{id} {layout:?}: {text:?} {a:?} covers {other:?} {b:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_drawing_is_whole_svg_and_png() {
    let run = synthetic::run(40);
    for (id, figure) in figures(&run) {
        for (layout, width) in [(Layout::Wide, "880"), (Layout::Narrow, "358")] {
            let svg = render_svg(&figure, layout);
            let document = roxmltree::Document::parse(&svg).unwrap();
            let root = document.root_element();
            assert_eq!(root.attribute("width"), Some(width), "{id}");
            assert_eq!(root.attribute("role"), Some("img"));
            let title = root
                .children()
                .find(|node| node.has_tag_name("title"))
                .unwrap();
            assert_eq!(title.text(), Some(figure.title.as_str()));
            // Every stand-in for a pattern has been replaced, and every pattern is defined.
            assert!(!svg.contains("#01020"), "{id}");
            for reference in svg.split("url(#").skip(1) {
                let name = reference.split(')').next().unwrap();
                assert!(svg.contains(&format!("id=\"{name}\"")), "{id}: {name}");
            }
        }
        let png = render_png(&figure);
        assert_eq!(&png[1..4], b"PNG");
        assert_eq!(png[16..20], 1760u32.to_be_bytes(), "{id}");
    }
}

/// A run in which only some records are left.
fn part(run: &Run, keep: impl Fn(&Record) -> bool) -> Run {
    let records = run
        .records()
        .iter()
        .filter(|record| keep(record))
        .cloned()
        .collect();
    Run::new(run.manifest.clone(), records)
}

#[test]
fn a_run_with_one_kind_of_record_only_is_drawn_as_far_as_it_goes() {
    let run = synthetic::run(24);
    let mut metrics: Vec<_> = run.records().iter().map(|record| record.metric).collect();
    metrics.sort();
    metrics.dedup();
    for metric in metrics {
        let run = part(&run, |record| record.metric == metric);
        for (_, figure) in figures(&run) {
            render_svg(&figure, Layout::Narrow);
            assert!(
                !figure.title.contains("not a number"),
                "{metric}: {}",
                figure.title
            );
        }
    }
    let null = part(&run, |record| {
        record.subject.to_string().starts_with("null")
    });
    assert!(figures(&null).is_empty());
    let alone = part(&run, |record| {
        record.subject.to_string() == synthetic::BASELINE
    });
    figures(&alone);
}

/// Clocks that stand still, values that make no sense: nothing panics, nothing is NaN.
#[test]
fn zero_negative_and_huge_values_are_safe() {
    for value in [0, -5, i64::MAX / 1000] {
        let run = synthetic::run(8);
        let records = run.records().iter().cloned().map(|mut record| {
            let set = |sample: &mut Sample| sample.value = value;
            record.samples.iter_mut().for_each(set);
            record
        });
        let run = Run::new(run.manifest.clone(), records.collect());
        for (id, figure) in figures(&run) {
            for layout in [Layout::Wide, Layout::Narrow] {
                let svg = render_svg(&figure, layout);
                assert!(!svg.contains("NaN"), "{id} {value}");
            }
            render_png(&figure);
        }
        report::render_html(&[run]).unwrap();
    }
}

#[test]
fn an_empty_run_draws_nothing() {
    let run = Run::new(synthetic::manifest(), Vec::new());
    assert!(figures(&run).is_empty());
}

/// The same thing has the same colour in every chart.
#[test]
fn a_key_exchange_keeps_its_colour() {
    let run = synthetic::run(24);
    let mut tones: Vec<(String, String)> = Vec::new();
    for (_, figure) in figures(&run) {
        let Body::Bars(bars) = &figure.body else {
            continue;
        };
        for key in &bars.legend {
            let tone = format!("{:?}", key.fill.tone);
            if tone != "Neutral" {
                tones.push((key.name.clone(), tone));
            }
        }
    }
    tones.sort();
    tones.dedup();
    let mut names: Vec<_> = tones.iter().map(|(name, _)| name).collect();
    names.dedup();
    assert_eq!(names.len(), tones.len(), "{tones:?}");
}

/// Which difference is real must not depend on the order of records.
#[test]
fn figures_do_not_depend_on_the_order_of_records() {
    let run = synthetic::run(24);
    let mut records: Vec<Record> = run.records().to_vec();
    records.reverse();
    let reversed = Run::new(run.manifest.clone(), records);
    for ((id, a), (_, b)) in figures(&run).into_iter().zip(figures(&reversed)) {
        assert_eq!(a, b, "{id}");
    }
    assert!(
        run.records()
            .iter()
            .any(|r| matches!(r.subject, Subject::Primitive(_)))
    );
}
