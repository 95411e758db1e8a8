//! The report as one HTML file, and the files beside it.

use std::fs;
use std::path::{Path, PathBuf};

use audit::output::{typed, visible};
use audit::{Assessment, Endpoint};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use experiment::Run;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Output, State, Value, context, escape_formatter};

use crate::assessment::AssessmentPage;
use crate::draw::{self, Layout, render_png, render_svg};
use crate::figure::Figure;
use crate::page::{self, RunPage};
use crate::{CHARTS, Chart, Dataset};

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file system said no.
    #[error("writing {}; the run itself is untouched", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The page's template and its data do not agree: a fault of pqlab.
    #[error("a fault in pqlab's report template: {0}; please report it")]
    Template(#[from] minijinja::Error),
}

const TEMPLATE: &str = "report.html";

/// The report of one or several runs, as one page.
///
/// # Errors
/// On a fault in the template only.
pub fn render_html(runs: &[Run]) -> Result<String, ReportError> {
    render_html_with(runs, None)
}

/// The report of an assessment alone, as one page. `endpoints` are those of the estate that
/// was assessed: what ordinary clients get there, and which certificates are shown.
///
/// # Errors
/// On a fault in the template only.
pub fn render_assessment(
    assessment: &Assessment,
    endpoints: &[Endpoint],
) -> Result<String, ReportError> {
    render_html_with(&[], Some((assessment, endpoints)))
}

/// The report of some runs and, behind their measurements, of an assessment with the
/// endpoints of its estate.
///
/// # Errors
/// On a fault in the template only.
pub fn render_html_with(
    runs: &[Run],
    assessment: Option<(&Assessment, &[Endpoint])>,
) -> Result<String, ReportError> {
    let pages = runs.iter().enumerate().map(|(at, run)| {
        let run = Dataset::new(run);
        let figures = figures(&run);
        RunPage::new(&run, at + 1, &figures)
    });
    let assessment = assessment.map(|(one, endpoints)| AssessmentPage::new(one, endpoints));
    page(&pages.collect::<Vec<_>>(), assessment.as_ref())
}

/// Every chart, with its figure where the run has the data for one.
fn figures(run: &Dataset<'_>) -> Vec<(&'static Chart, Option<Figure>)> {
    CHARTS
        .iter()
        .map(|chart| (chart, (chart.plot)(run)))
        .collect()
}

fn page(runs: &[RunPage], assessment: Option<&AssessmentPage>) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("whole_words", whole_words);
    environment.set_formatter(shown);
    environment.add_filter("breakable", breakable);
    environment.add_filter("typed", as_typed);
    for (name, source) in [
        (TEMPLATE, include_str!("../templates/report.html")),
        ("parts.html", include_str!("../templates/parts.html")),
        (
            "assessment.html",
            include_str!("../templates/assessment.html"),
        ),
    ] {
        environment.add_template(name, source)?;
    }
    let title = match runs {
        [] => "Assessment by pqlab".to_owned(),
        [one] => one.title().to_owned(),
        _ => format!("{} runs of pqlab", runs.len()),
    };
    let page = context! {
        title,
        runs => Serde(runs),
        assessment => assessment.map(Serde),
        style => page::style(),
        version => env!("CARGO_PKG_VERSION"),
    };
    Ok(environment.get_template(TEMPLATE)?.render(page)?)
}

/// Writes a value. Text that is no markup of ours is shown character by character: what can't
/// be seen, or would turn the direction of what follows, is written as its code point.
fn shown(out: &mut Output, state: &mut State, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => {
            escape_formatter(out, state, &Value::from(visible(text).as_ref()))
        }
        _ => escape_formatter(out, state, value),
    }
}

/// A line as it is typed, tabs included.
fn as_typed(line: &str) -> Value {
    Value::from_safe_string(draw::escape(&typed(line)))
}

/// Text in which no line is broken at a hyphen within a word, such as an algorithm's name.
fn whole_words(text: &str) -> Value {
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            let escaped = draw::escape(&visible(word));
            if word.contains('-') {
                format!("<span class=\"whole\">{escaped}</span>")
            } else {
                escaped
            }
        })
        .collect();
    Value::from_safe_string(words.join(" "))
}

/// Text in which a line may be broken between the parts of a scenario's id.
fn breakable(text: &str) -> Value {
    let mut out = String::new();
    for part in visible(text).split_inclusive(['/', '>']) {
        out.push_str(&draw::escape(part));
        if part.ends_with(['/', '>']) {
            out.push_str("<wbr/>");
        }
    }
    Value::from_safe_string(out)
}

/// A picture beside the run, of handshakes message by message, which the page shows if it
/// is there. Whoever runs the measurements draws it.
pub const HANDSHAKES: &str = "handshakes.svg";

/// The picture as the page embeds it: apart from the page, with styles of its own.
fn handshakes(folder: &Path) -> Option<String> {
    let picture = fs::read(folder.join(HANDSHAKES)).ok()?;
    let encoded = BASE64_STANDARD.encode(picture);
    Some(format!("data:image/svg+xml;base64,{encoded}"))
}

/// Writes `report.html`, and each chart as `charts/ID.svg`, `charts/ID-narrow.svg` and
/// `charts/ID.png`, into a folder; gives the files in that order. Charts that an earlier
/// report left and this run has no data for are removed.
///
/// # Errors
/// When the file system refuses.
pub fn write_report(run: &Run, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let write = |path: PathBuf, content: &[u8]| match fs::write(&path, content) {
        Ok(()) => Ok(path),
        Err(source) => Err(ReportError::Write { path, source }),
    };
    let charts = folder.join("charts");
    fs::create_dir_all(&charts).map_err(|source| ReportError::Write {
        path: charts.clone(),
        source,
    })?;
    let run = Dataset::new(run);
    let figures = figures(&run);
    let page_of_run = RunPage::new(&run, 1, &figures).with_handshakes(handshakes(folder));
    let html = page(&[page_of_run], None)?;
    let mut written = vec![write(folder.join("report.html"), html.as_bytes())?];
    for (chart, figure) in figures {
        let names = [
            format!("{}.svg", chart.id),
            format!("{}-narrow.svg", chart.id),
            format!("{}.png", chart.id),
        ];
        let paths = names.map(|name| charts.join(name));
        let Some(figure) = figure else {
            for path in paths {
                // It may well not be there.
                let _ = fs::remove_file(path);
            }
            continue;
        };
        let [wide, narrow, png] = paths;
        written.push(write(wide, render_svg(&figure, Layout::Wide).as_bytes())?);
        written.push(write(
            narrow,
            render_svg(&figure, Layout::Narrow).as_bytes(),
        )?);
        written.push(write(png, &render_png(&figure))?);
    }
    Ok(written)
}
