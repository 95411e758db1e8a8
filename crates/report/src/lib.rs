//! Figures, charts and a single-file report of a run.
//!
//! Everything here is a pure function of a [`Run`](experiment::Run): a [`Chart`] asks a question and draws a
//! [`Figure`], which is data; [`render_svg`] and [`render_png`] make a picture of it, and
//! [`render_html`] and [`write_report`] put answers, charts, tables and the method on one
//! page that needs no network, no script and no font of the machine.
//!
//! [`render_assessment`] does the same for an [`Assessment`](audit::Assessment) of an estate,
//! and [`render_html_with`] puts it behind the measurements.
//!
//! To add a chart: a file in `charts/`, and a line in [`CHARTS`].

mod answer;
mod assessment;
mod charts;
mod dataset;
mod deadline;
mod draw;
mod figure;
mod html;
mod in_place;
mod number;
mod page;
mod palette;
mod tables;
mod terminal;
mod titles;
mod view;

pub use charts::CHARTS;
pub use dataset::Dataset;
pub use deadline::{Day, Deadline, DeadlineKind, DeadlineRow, Deadlines};
pub use draw::{Layout, render_png, render_svg, text_boxes};
pub use figure::{
    Bar, Bars, Body, Curve, Curves, Dot, DotGroup, DotRow, Dots, Figure, Fill, Forest, ForestRow,
    Group, Key, Reference, Row, Scale, Segment, Table,
};
pub use html::{
    HANDSHAKES, ReportError, render_assessment, render_html, render_html_with, write_report,
};
pub use palette::{Pattern, Tone};
pub use terminal::terminal_summary;

/// A question and the figure that answers it.
#[derive(Debug, Clone, Copy)]
pub struct Chart {
    /// The name of its files and anchors: lower-case letters and dashes.
    pub id: &'static str,
    /// What an architect asks.
    pub question: &'static str,
    /// Draws the answer; `None` when the run has not measured it.
    pub plot: fn(&Dataset<'_>) -> Option<Figure>,
}
