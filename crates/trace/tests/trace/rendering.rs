//! Text and pictures.

use std::time::Duration;

use experiment::{Phase, Side};
use roxmltree::{Document, Node};
use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::version;
use trace::{Capture, KeyLog, Trace, compare_text, explain, svg, text};

use crate::live::{Setup, full};
use crate::vectors::section;

/// With a time on everything that can have one.
fn timed(mut capture: Capture) -> Capture {
    for (index, flight) in capture.flights.iter_mut().enumerate() {
        let time = |nanoseconds| Duration::from_nanos(nanoseconds);
        flight.offset = Some(time(123_456 * index as u64));
        flight.cpu = Some(time(1_999_999));
        flight.phases = Phase::ALL.map(|phase| (phase, time(188_888))).to_vec();
    }
    capture
}

fn hybrid() -> Setup {
    Setup {
        client_groups: vec![kx_group::X25519MLKEM768],
        server_groups: vec![kx_group::X25519MLKEM768],
        ..Setup::default()
    }
}

/// Classical, hybrid and ML-DSA; TLS 1.2; HelloRetryRequest; one without secrets; one that
/// ends early.
fn many() -> Vec<Trace> {
    let legacy = Setup {
        version: &version::TLS12,
        suite: cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        is_mutual: true,
        ..Setup::default()
    };
    let signed = Setup {
        certificate: &rcgen::PKCS_ML_DSA_65,
        ..hybrid()
    };
    let mut captures = vec![
        timed(full(&Setup::default())),
        timed(full(&hybrid())),
        timed(full(&signed)),
        full(&legacy),
        section(5).capture,
    ];
    captures[2].title = "A title that is much longer than what fits above two lifelines".repeat(3);
    let mut unreadable = section(6).capture;
    unreadable.key_log = KeyLog::default();
    captures.push(unreadable);
    let mut cut = timed(section(4).capture);
    cut.flights[1].bytes.truncate(120);
    cut.flights.truncate(2);
    captures.push(cut);
    captures.iter().map(explain).collect()
}

#[test]
fn text_stays_within_100_columns_and_tells_every_message() {
    for trace in many() {
        let text = text(&trace);
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
            assert_eq!(line.trim_end(), line);
        }
        for step in &trace.steps {
            assert!(text.contains(&step.message.to_string()));
        }
        match &trace.error {
            Some(error) => {
                let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(words.contains(&error.to_string()), "{words}");
            }
            None => assert!(!text.contains("ends here")),
        }
    }
}

#[test]
fn times_that_were_not_taken_are_called_so() {
    let trace = explain(&full(&hybrid()));
    assert!(text(&trace).contains("not measured"));
    let trace = explain(&timed(full(&hybrid())));
    assert!(text(&trace).contains("189 µs"));
}

#[test]
fn the_comparison_has_each_message_once_and_adds_up() {
    let traces = many();
    let table = compare_text(&traces[..3]);
    for name in ["ServerHello", "CertificateVerify", "record layer"] {
        let lines = table.lines().filter(|line| line.contains(name));
        assert_eq!(lines.count(), 1, "{table}");
    }
    let column = |line: &str| -> Option<usize> {
        line.split_whitespace()
            .nth_back(2)?
            .replace(',', "")
            .parse()
            .ok()
    };
    let rule = table
        .lines()
        .position(|line| line.starts_with('─'))
        .unwrap();
    let messages = table.lines().take(rule).filter(|line| {
        line.starts_with("client") || line.starts_with("server") || line.starts_with("record")
    });
    let of_messages: usize = messages.filter_map(column).sum();
    let sides = table.lines().filter(|line| line.starts_with("bytes from"));
    let of_sides: usize = sides.filter_map(column).sum();
    assert_eq!(of_messages, of_sides, "{table}");
    // More traces than a table is wide get further tables.
    assert!(
        compare_text(&traces)
            .lines()
            .all(|line| line.chars().count() <= 100)
    );
}

/// Left, top, right, bottom.
type Bounds = [f64; 4];

fn content<'a>(text: &Node<'a, '_>) -> &'a str {
    text.text().unwrap_or_default().trim()
}

/// An estimate on the safe side for the system's sans-serif font.
fn bounds(text: &Node<'_, '_>) -> Bounds {
    let number = |name| text.attribute(name).unwrap().parse::<f64>().unwrap();
    let class = text.attribute("class").unwrap_or_default();
    let size = match class {
        _ if class.contains("title") => 19.0,
        _ if class.contains("heading") => 14.0,
        _ if class.contains("small") => 12.0,
        _ => 13.0,
    };
    let width = 0.58 * size * content(text).chars().count() as f64;
    let (x, y) = (number("x"), number("y"));
    let left = match text.attribute("text-anchor").unwrap() {
        "start" => x,
        "middle" => x - width / 2.0,
        _ => x - width,
    };
    [left, y - 0.8 * size, left + width, y + 0.2 * size]
}

fn overlap(a: Bounds, b: Bounds) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

#[test]
fn texts_of_a_picture_neither_overlap_nor_leave_it() {
    let traces = many();
    let selections = [
        &traces[..1],
        &traces[..2],
        &traces[..3],
        &traces[3..6],
        &traces[6..],
    ];
    for traces in selections {
        let picture = svg(traces);
        let document = Document::parse(&picture).unwrap();
        let root = document.root_element();
        let size = |name| root.attribute(name).unwrap().parse::<f64>().unwrap();
        let texts: Vec<(Bounds, &str)> = document
            .descendants()
            .filter(|node| node.has_tag_name("text"))
            .map(|node| (bounds(&node), content(&node)))
            .collect();
        for (index, (a, name)) in texts.iter().enumerate() {
            assert!(
                a[0] >= 0.0 && a[2] <= size("width"),
                "{name} leaves the picture"
            );
            assert!(
                a[1] >= 0.0 && a[3] <= size("height"),
                "{name} leaves the picture"
            );
            for (b, other) in &texts[index + 1..] {
                assert!(!overlap(*a, *b), "{name:?} and {other:?} overlap");
            }
        }
    }
}

/// Bars are to one scale over all panels, and clear is told from encrypted without colour.
#[test]
fn bars_are_as_long_as_bytes() {
    let traces = many();
    let picture = svg(&traces[..3]);
    let document = Document::parse(&picture).unwrap();
    let with_class = |class: &str| -> Vec<f64> {
        document
            .descendants()
            .filter(|node| node.attribute("class") == Some(class) && node.has_tag_name("rect"))
            .map(|node| node.attribute("width").unwrap().parse().unwrap())
            .collect()
    };
    let steps = || traces[..3].iter().flat_map(|trace| &trace.steps);
    let largest = steps()
        .map(|step| step.bytes + step.overhead)
        .max()
        .unwrap();
    let hello = &traces[1].steps[0];
    let bars = with_class("bar encrypted");
    let longest = bars.iter().copied().fold(0.0, f64::max);
    let clear = with_class("bar clear");
    let expected = longest * (hello.bytes + hello.overhead) as f64 / largest as f64;
    assert!(
        clear.iter().any(|width| (width - expected).abs() < 0.2),
        "{expected} in {clear:?}"
    );
    let dashed = "stroke-dasharray";
    assert!(picture.contains(dashed));
    // A verdict is told by its sign and its word, not by its colour alone.
    let texts: Vec<&str> = document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .map(|node| content(&node))
        .collect();
    let count = |text: &str| texts.iter().filter(|other| **other == text).count();
    assert_eq!((count("✗ falls"), count("✓ holds")), (3, 3));
    let differences = "From left to right, key exchange: x25519 | X25519MLKEM768 | X25519MLKEM768; \
                       the server's signature: ecdsa_secp256r1_sha256 | ecdsa_secp256r1_sha256 | \
                       mldsa65.";
    assert_eq!(count(differences), 1, "{texts:?}");
    let width = document.root_element().attribute("width").unwrap();
    assert_eq!(width, "1200", "readable without zooming");
    assert!(picture.contains("prefers-color-scheme:dark"));
}

/// What a peer chose goes through JSON, text and pictures as data.
#[test]
fn a_trace_is_serialisable_and_its_strings_are_data() {
    let mut capture = full(&hybrid());
    capture.title = "<script>&\"\u{1b}".to_owned();
    let trace = explain(&capture);
    let picture = svg(std::slice::from_ref(&trace));
    let document = Document::parse(&picture).unwrap();
    assert!(
        document
            .descendants()
            .all(|node| !node.has_tag_name("script"))
    );

    let json: serde_json::Value =
        serde_json::from_str(&serde_json::to_string(&trace).unwrap()).unwrap();
    assert_eq!(json["negotiated"]["group"], "X25519MLKEM768");
    assert_eq!(json["steps"][0]["message"], "ClientHello");
    assert_eq!(json["steps"][0]["sender"], "client");
    assert_eq!(json["steps"][0]["protection"], "clear");
    assert_eq!(json["error"], serde_json::Value::Null);
    assert_eq!(json["findings"][0]["verdict"], "holds");
    assert_eq!(
        json["totals"]["server"]["bytes"],
        trace.totals.of(Side::Server).bytes
    );
}
