//! The page and the files.

#![allow(clippy::unwrap_used)]

mod synthetic;

use experiment::{Run, Sample};
use report::{ReportError, render_html, terminal_summary, write_report};

fn html(run: Run) -> String {
    render_html(&[run]).unwrap()
}

fn document(html: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    roxmltree::Document::parse_with_options(html, options).unwrap()
}

#[test]
fn the_page_is_well_formed_and_loads_nothing() {
    let html = html(synthetic::run(24));
    let document = document(&html);
    let mut ids = Vec::new();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(!["script", "link", "img", "iframe"].contains(&node.tag_name().name()));
        for attribute in node.attributes() {
            let is_load = ["src", "href", "data", "poster"].contains(&attribute.name());
            assert!(
                !is_load || attribute.value().starts_with('#'),
                "{attribute:?}"
            );
        }
        ids.extend(node.attribute("id"));
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id stands twice");
    let style = document
        .descendants()
        .find(|node| node.has_tag_name("style"))
        .unwrap();
    let style = style.text().unwrap();
    assert!(!style.contains("@import") && !style.contains("url(http"));
    assert!(html.matches("url(data:font/woff2").count() == 2);
}

#[test]
fn the_answer_comes_first_with_numbers_and_intervals() {
    let html = html(synthetic::run(60));
    let answer = html.find("The answer").unwrap();
    assert!(answer < html.find(">Charts<").unwrap());
    assert!(html.find(">In short<").unwrap() < html.find(">Hybrid key exchange<").unwrap());
    let text = html.replace('\u{a0}', " ");
    for part in [
        "Moving from X25519 to X25519MLKEM768 (ECDSA <span",
        "The client sends 1,184 bytes more, the server 1,088 bytes more.",
        "and still fits the usual initial congestion window",
        "to 1,607 bytes, beyond the 1,448 of one TCP segment",
        "Compared with RSA key transport in TLS 1.2",
        "the certificates are the larger change",
        "beyond the usual initial",
        "SYNTHETIC data",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

/// The same numbers twice are no difference, whatever their names.
#[test]
fn equal_handshakes_are_no_measurable_difference() {
    let run = synthetic::run(60);
    let hybrid = "rustls>rustls/1.3/X25519MLKEM768/ecdsa-p256/full@memory"
        .parse()
        .unwrap();
    let baseline = synthetic::BASELINE.parse().unwrap();
    let records = run.records().iter().cloned().map(|mut record| {
        if record.subject == hybrid {
            let same = run.samples(&baseline, 1, record.metric);
            if !same.is_empty() {
                record.samples = same.to_vec();
            }
        }
        record
    });
    let text = terminal_summary(&Run::new(run.manifest.clone(), records.collect()));
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("(ECDSA P-256 certificates, full handshake, rustls) makes no measurable"),
        "{flat}"
    );
}

#[test]
fn text_from_outside_is_escaped() {
    let mut manifest = synthetic::manifest();
    manifest.title = "<script>alert(1)</script>".to_owned();
    manifest.remarks = vec!["a < b & c".to_owned()];
    manifest.machine.cpu = "\"><b>CPU".to_owned();
    let html = render_html(&[Run::new(manifest, Vec::new())]).unwrap();
    for raw in ["<script", "<b>CPU", "a < b"] {
        assert!(!html.contains(raw), "{raw}");
    }
    document(&html);
    assert!(html.contains("rustls has no RSA key transport &lt;by design&gt;"));
}

#[test]
fn what_is_missing_is_said() {
    let html = html(Run::new(synthetic::manifest(), Vec::new()));
    assert!(html.contains("This run holds no samples"));
    assert!(html.contains("Not measured in this run"));
    assert!(html.contains("What could not be measured, and why"));
    document(&html);
    let text = terminal_summary(&Run::new(synthetic::manifest(), Vec::new()));
    assert!(text.contains("no samples"));
}

#[test]
fn debug_builds_and_unfinished_runs_are_labelled() {
    let mut manifest = synthetic::manifest();
    let plain = html(Run::new(manifest.clone(), Vec::new()));
    assert!(!plain.contains("Debug build:") && !plain.contains("Unfinished run:"));
    manifest.compiler = "rustc 1.95.0, debug".to_owned();
    manifest.finished = None;
    let run = Run::new(manifest, Vec::new());
    let text = terminal_summary(&run);
    for page in [html(run), text] {
        assert!(page.contains("Debug build:") && page.contains("Unfinished run:"));
    }
}

#[test]
fn several_runs_stand_on_one_page() {
    let runs = [
        synthetic::run(12),
        Run::new(synthetic::manifest(), Vec::new()),
    ];
    let html = render_html(&runs).unwrap();
    document(&html);
    assert!(html.contains("href=\"#run2\"") && html.contains("id=\"run2\""));
}

#[test]
fn files_are_written_and_stale_ones_removed() {
    let folder = tempfile::tempdir().unwrap();
    let written = write_report(&synthetic::run(12), folder.path()).unwrap();
    assert!(
        written
            .iter()
            .all(|path| path.metadata().unwrap().len() > 500)
    );
    let chart = folder.path().join("charts/key-exchange.svg");
    assert!(written.contains(&chart));
    let empty = Run::new(synthetic::manifest(), Vec::new());
    let written = write_report(&empty, folder.path()).unwrap();
    assert_eq!(written, [folder.path().join("report.html")]);
    assert!(!chart.exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = write_report(&synthetic::run(8), file.path()).unwrap_err();
    assert!(matches!(error, ReportError::Write { .. }));
    assert!(error.to_string().contains("charts"));
}

#[test]
fn a_terminal_of_80_columns_holds_the_words() {
    let text = terminal_summary(&synthetic::run(24));
    let prose = text.split("Median CPU time").next().unwrap();
    assert!(
        prose.lines().all(|line| line.chars().count() <= 80),
        "{prose}"
    );
    assert!(text.contains("rustls>rustls/1.3/X25519MLKEM768/ecdsa-p256/full@memory"));
}

/// A tail from a handful of samples is the luck of a few, and an empty column says nothing.
#[test]
fn percentiles_need_enough_samples() {
    for (blocks, has_p90, has_p99) in [(12, false, false), (80, true, false), (600, true, true)] {
        let run = synthetic::run(blocks);
        let records = run.records().iter().filter(|record| {
            record.subject.to_string() == synthetic::BASELINE && record.replica < 2
        });
        let html = html(Run::new(run.manifest.clone(), records.cloned().collect()));
        assert_eq!(html.contains("client p90"), has_p90, "{blocks} blocks");
        assert_eq!(html.contains("client p99"), has_p99, "{blocks} blocks");
    }
    let run = synthetic::run(12);
    let records = run.records().iter().cloned().map(|mut record| {
        record.samples = record.samples.into_iter().take(1).collect::<Vec<Sample>>();
        record
    });
    html(Run::new(run.manifest.clone(), records.collect()));
}

/// What a library refuses stands there with its reason.
#[test]
fn refusals_have_their_reason() {
    let html = html(synthetic::run(12));
    for refusal in synthetic::manifest().refusals {
        let text = html.replace("<wbr/>", "").replace("&gt;", ">");
        assert!(text.contains(&refusal.subject.to_string()));
        assert!(
            text.contains(&refusal.reason.replace('<', "&lt;")),
            "{}",
            refusal.reason
        );
    }
}
