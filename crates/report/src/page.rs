//! What the page shows of each run, as data for the template.

use std::sync::LazyLock;

use experiment::Meter;
use serde::Serialize;

use crate::Dataset;
use crate::answer::{self, Finding};
use crate::draw::{self, Layout};
use crate::figure::{Figure, Table};
use crate::{Chart, in_place, number, palette, tables, view};

/// One run as the template sees it.
#[derive(Debug, Serialize)]
pub(crate) struct RunPage {
    anchor: String,
    title: String,
    warnings: Vec<String>,
    findings: Vec<Finding>,
    figures: Vec<FigurePage>,
    /// A picture of handshakes message by message, as a `data:` URL.
    handshakes: Option<String>,
    /// Questions that the run holds no data for.
    missing: Vec<&'static str>,
    tables: Vec<TablePage>,
    remarks: Vec<String>,
    machine: Table,
    line: String,
    cost_name: &'static str,
}

/// A figure under its question, with the numbers behind it.
#[derive(Debug, Serialize)]
pub(crate) struct FigurePage {
    anchor: String,
    question: &'static str,
    title: String,
    subtitle: String,
    notes: Vec<String>,
    wide: String,
    narrow: String,
    table: Table,
}

#[derive(Debug, Serialize)]
struct TablePage {
    anchor: String,
    title: &'static str,
    note: &'static str,
    table: Table,
}

/// The share of disturbed samples above which a machine was too busy to measure on.
const BUSY: f64 = 0.2;

fn disturbed_share(run: &Dataset<'_>) -> Option<f64> {
    let samples = || run.records().iter().flat_map(|record| &record.samples);
    let disturbed = samples().filter(|sample| sample.flags.is_disturbed());
    let taken = samples().count();
    (taken > 0).then(|| disturbed.count() as f64 / taken as f64)
}

/// What a reader must not overlook.
pub(crate) fn warnings(run: &Dataset<'_>) -> Vec<String> {
    let manifest = &run.manifest;
    let mut warnings = Vec::new();
    if manifest.compiler.contains("debug") {
        warnings.push(
            "Debug build: these numbers say nothing about real cost. Measure again with a release \
             build."
                .to_owned(),
        );
    }
    if manifest.finished.is_none() {
        warnings.push(
            "Unfinished run: it was stopped, or goes on still. What it has measured is shown; \
             intervals are wider than planned."
                .to_owned(),
        );
    }
    if let Some(share) = disturbed_share(run).filter(|share| *share > BUSY) {
        warnings.push(format!(
            "Busy machine: something else took the core away during {} of the samples. Measure \
             again when it is idle.",
            number::percent(share)
        ));
    }
    if run.records().iter().all(|record| record.samples.is_empty()) {
        warnings.push("This run holds no samples: there is nothing to answer from.".to_owned());
    }
    warnings
}

impl RunPage {
    /// The run's title.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// The page with a picture of handshakes, if there is one.
    pub(crate) fn with_handshakes(mut self, picture: Option<String>) -> Self {
        self.handshakes = picture;
        self
    }

    /// `number` tells the runs of a page apart.
    pub(crate) fn new(
        run: &Dataset<'_>,
        number: usize,
        figures: &[(&'static Chart, Option<Figure>)],
    ) -> Self {
        let anchor = format!("run{number}");
        let drawn = figures.iter().filter_map(|(chart, figure)| {
            Some(FigurePage::new(
                chart.question,
                figure.as_ref()?,
                format!("{anchor}-{}", chart.id),
            ))
        });
        let drawn = drawn.collect();
        let missing = figures.iter().filter(|(_, figure)| figure.is_none());
        let missing = missing.map(|(chart, _)| chart.question).collect();
        let manifest = &run.manifest;
        let machine = &manifest.machine;
        Self {
            title: manifest.title.clone(),
            warnings: warnings(run),
            findings: answer::findings(run),
            cost_name: view::reference(run).map_or("time", |s| view::cost_name(run, &s)),
            figures: drawn,
            handshakes: None,
            missing,
            tables: table_pages(run, &anchor),
            remarks: manifest.remarks.clone(),
            machine: tables::machine(run),
            line: format!(
                "{}, {} logical CPUs, {}; measured {}",
                machine.cpu,
                machine.cores,
                machine.system,
                manifest.started.split('T').next().unwrap_or_default()
            ),
            anchor,
        }
    }
}

impl FigurePage {
    pub(crate) fn new(question: &'static str, figure: &Figure, anchor: String) -> Self {
        Self {
            question,
            title: figure.title.clone(),
            subtitle: figure.subtitle.clone(),
            notes: figure.notes.clone(),
            wide: draw::render_inline(figure, Layout::Wide, &anchor),
            narrow: draw::render_inline(figure, Layout::Narrow, &anchor),
            table: figure.table(),
            anchor,
        }
    }
}

fn table_pages(run: &Dataset<'_>, anchor: &str) -> Vec<TablePage> {
    let cpu = run.manifest.spent.contains_key(&Meter::Cpu);
    let all = [
        (
            "handshakes",
            "All handshakes",
            if cpu {
                "Thread CPU time, the harness’ own cost subtracted; median with 95 % interval. The \
                 mean is given where ML-DSA signs: its time varies by nature, so capacity follows \
                 the mean. Disturbed samples are left out, and so is a percentile with fewer \
                 than five samples beyond it."
            } else {
                "Median with 95 % interval, the harness’ own cost subtracted."
            },
            tables::handshakes(run),
        ),
        (
            "operations",
            "Cryptographic operations",
            "Wall time of one operation.",
            tables::primitives(run),
        ),
        (
            "in-place",
            "Operations in place and alone",
            "The same operations, timed within handshakes and by themselves. Within a handshake \
             the caches are colder than in a loop, so a ratio somewhat above 1 is expected; far \
             above, something else is in the time.",
            in_place::table(run),
        ),
        (
            "refusals",
            "What could not be measured, and why",
            "What has no value stands here with the reason; it is never a zero elsewhere.",
            tables::refusals(run),
        ),
        ("libraries", "Libraries", "", tables::libraries(run)),
        (
            "harness",
            "The harness itself",
            "A handshake of a stack that does nothing, measured in the same blocks.",
            tables::harness(run),
        ),
    ];
    all.into_iter()
        .filter_map(|(id, title, note, table)| {
            Some(TablePage {
                anchor: format!("{anchor}-{id}"),
                title,
                note,
                table: table?,
            })
        })
        .collect()
}

/// The style sheet with its typeface and the dark colours of charts.
pub(crate) fn style() -> &'static str {
    static STYLE: LazyLock<String> = LazyLock::new(|| {
        let rules = include_str!("../templates/report.css");
        let dark = palette::dark_rules() + &palette::cell_rules(palette::DARK);
        let dark: String = dark.lines().map(|rule| format!("{rule}\n")).collect();
        draw::woff2_rules()
            + &palette::cell_rules(palette::LIGHT)
            + &rules.replace("/* dark chart colours */", &dark)
    });
    &STYLE
}
