//! The figures of a synthetic run: their data, and that every drawing is whole.

#![allow(clippy::unwrap_used)]

mod synthetic;

use experiment::{Flags, Metric, Record, Run, Sample, Subject};
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
        let legend = match &figure.body {
            Body::Bars(bars) => &bars.legend,
            Body::Dots(dots) => &dots.legend,
            _ => continue,
        };
        for key in legend {
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

fn figure(run: &Run, id: &str) -> Figure {
    let mut all = figures(run).into_iter();
    all.find(|(name, _)| *name == id).unwrap().1
}

/// The phases are parts of the handshakes in which they were timed: set against those of
/// another minute, they would come to more than the whole.
#[test]
fn phases_are_parts_of_their_own_handshakes() {
    let Body::Bars(bars) = figure(&synthetic::run(40), "phases").body else {
        panic!("phases are bars");
    };
    let rows = bars.groups.iter().flat_map(|group| &group.rows);
    for bar in rows.flat_map(|row| &row.bars) {
        let rest = bar.segments.last().unwrap();
        assert!(rest.value > 40.0, "{}: {}", rest.name, bar.text);
        assert!(!bar.text.contains("100\u{a0}%"), "{}", bar.text);
    }
}

/// Longer RSA keys have a chart of their own: here they would dwarf what is compared.
#[test]
fn the_longest_rsa_keys_do_not_dwarf_the_key_exchanges() {
    let run = synthetic::run(24);
    let Body::Bars(bars) = figure(&run, "key-exchange").body else {
        panic!("key exchanges are bars");
    };
    let labels: Vec<_> = bars
        .groups
        .iter()
        .flat_map(|group| &group.rows)
        .map(|row| row.label.as_str())
        .collect();
    assert!(labels.iter().any(|label| label.contains("RSA-2048")));
    assert!(!labels.iter().any(|label| label.contains("RSA-4096")));
    let Body::Bars(bars) = figure(&run, "rsa").body else {
        panic!("RSA is bars");
    };
    let titles: Vec<_> = bars.groups.iter().map(|g| g.title.as_str()).collect();
    assert!(titles[0].starts_with("RSA key transport"), "{titles:?}");
    assert!(titles[1].starts_with("Certificates"), "{titles:?}");
    assert!(titles[2].starts_with("Key exchange"), "{titles:?}");
}

/// Cores that bring nothing are said to; so is a machine that was busy.
#[test]
fn rates_of_a_busy_machine_are_labelled() {
    let run = synthetic::run(24);
    let notes = figure(&run, "throughput").notes.join(" ");
    assert!(!notes.contains("at most") && !notes.contains("scheduler"));
    let records = run.records().iter().cloned().map(|mut record| {
        if record.metric == Metric::IntervalAllCores {
            let one = run.samples(&record.subject, 0, Metric::IntervalOneCore);
            record.samples = one.to_vec();
            for sample in &mut record.samples {
                sample.flags = Flags::SWITCHED;
            }
        }
        if record.metric == Metric::IntervalOneCore {
            for sample in &mut record.samples {
                sample.flags = Flags::SWITCHED;
            }
        }
        record
    });
    let busy = Run::new(run.manifest.clone(), records.collect());
    let notes = figure(&busy, "throughput").notes.join(" ");
    assert!(notes.contains("at most 1.0 times"), "{notes}");
    assert!(notes.contains("100\u{a0}% of these samples"), "{notes}");
}

/// A percentile with fewer than five samples beyond it is the luck of a few.
#[test]
fn the_tail_ends_where_the_samples_do() {
    for (blocks, last) in [(5, "p50"), (40, "p90"), (80, "p99"), (700, "p99.9")] {
        let run = synthetic::run(blocks);
        let run = part(&run, |record| record.metric == Metric::HandshakeLatency);
        let Body::Curves(curves) = figure(&run, "latency").body else {
            panic!("latencies are curves");
        };
        for line in curves.lines {
            assert_eq!(line.marks.last().unwrap().2, last, "{blocks} blocks");
        }
    }
}

/// Titles compare what can be compared: two operations of one library.
#[test]
fn one_library_is_in_the_title_of_the_operations() {
    let title = figure(&synthetic::run(24), "primitives").title;
    assert!(
        title.starts_with("In aws-lc-rs, ML-KEM-768 encapsulation takes"),
        "{title}"
    );
}

/// No verb stands twice in a title, and none is too long to be read at a glance.
#[test]
fn titles_are_plain() {
    for (id, figure) in figures(&synthetic::run(40)) {
        for verb in ["adds ", "saves "] {
            assert!(
                figure.title.matches(verb).count() < 2,
                "{id}: {}",
                figure.title
            );
        }
        assert!(figure.title.chars().count() < 170, "{id}: {}", figure.title);
    }
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
