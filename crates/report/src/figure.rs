//! A figure as data: what it says, apart from how it is drawn.

use serde::Serialize;

use crate::deadline::Deadlines;
use crate::palette::{Pattern, Tone};

/// One figure. Its numbers are in the unit that its axes name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// The answer in plain words, with numbers.
    pub title: String,
    /// What is drawn, and under which conditions.
    pub subtitle: String,
    /// What is drawn.
    pub body: Body,
    /// What a reader must know to read it rightly.
    pub notes: Vec<String>,
}

/// The kinds of figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// Horizontal bars, stacked or side by side.
    Bars(Bars),
    /// Lines over a plane.
    Curves(Curves),
    /// Values over powers of ten.
    Dots(Dots),
    /// Ratios with intervals around 1.
    Forest(Forest),
    /// Days on a time axis.
    Deadlines(Deadlines),
}

/// Horizontal bars.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bars {
    /// What the axis counts, with its unit.
    pub axis: String,
    /// The unit alone, as it stands behind a number.
    pub unit: &'static str,
    /// What the fills mean.
    pub legend: Vec<Key>,
    /// Rows under a heading.
    pub groups: Vec<Group>,
    /// Lines that a value is held against.
    pub references: Vec<Reference>,
}

/// One entry of a legend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// What it means.
    pub name: String,
    /// How it looks.
    pub fill: Fill,
}

/// How a bar looks: the colour and the pattern each stand for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fill {
    /// The colour.
    pub tone: Tone,
    /// The pattern, which survives black-and-white print.
    pub pattern: Pattern,
}

/// Rows that belong together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// The heading; empty for none.
    pub title: String,
    /// The rows, from the top.
    pub rows: Vec<Row>,
}

/// One label with its bars.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What the row is.
    pub label: String,
    /// One bar, or several beside each other.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// Its parts, from the left.
    pub segments: Vec<Segment>,
    /// What stands behind its end.
    pub text: String,
}

/// One part of a bar.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segment {
    /// What it is: the same name is the same thing in every row.
    pub name: String,
    /// How it looks.
    pub fill: Fill,
    /// Its length.
    pub value: f64,
    /// The lower and upper end of the value's 95 % interval, where it has one.
    pub interval: Option<[f64; 2]>,
}

/// A line across the bars.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reference {
    /// Where it stands.
    pub value: f64,
    /// What it means.
    pub label: String,
}

/// Lines over a plane.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curves {
    /// The horizontal axis.
    pub x: Scale,
    /// The vertical axis.
    pub y: Scale,
    /// The lines, in the order of the legend.
    pub lines: Vec<Curve>,
}

/// An axis of a plane.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scale {
    /// What it counts, with its unit.
    pub label: String,
    /// Places with names; round numbers where it is empty.
    pub ticks: Vec<(f64, String)>,
    /// Equal distances are equal ratios.
    pub logarithmic: bool,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// What it is.
    pub name: String,
    /// Its colour.
    pub tone: Tone,
    /// Lengths of dash and gap in pixels; empty for a whole line.
    pub dash: Vec<f64>,
    /// Its points, from the left.
    pub points: Vec<[f64; 2]>,
    /// Places on it that the text speaks of: horizontal, vertical, name.
    pub marks: Vec<(f64, f64, String)>,
}

/// Values that are powers of ten apart: equal distances are equal factors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dots {
    /// What the axis counts, with its unit.
    pub axis: String,
    /// The unit alone, as it stands behind a number.
    pub unit: &'static str,
    /// What the colours mean.
    pub legend: Vec<Key>,
    /// What the shapes mean, in the order of [`Dot::series`].
    pub series: Vec<String>,
    /// Rows under a heading.
    pub groups: Vec<DotGroup>,
}

/// Rows of dots that belong together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DotGroup {
    /// The heading.
    pub title: String,
    /// The rows, from the top.
    pub rows: Vec<DotRow>,
}

/// One label with its dots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DotRow {
    /// What the row is.
    pub label: String,
    /// Its colour.
    pub tone: Tone,
    /// The dots on its line.
    pub dots: Vec<Dot>,
    /// Their values in words.
    pub text: String,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dot {
    /// Which of the series it belongs to.
    pub series: usize,
    /// The value.
    pub value: f64,
    /// The lower and upper end of its 95 % interval, where it has one.
    pub interval: Option<[f64; 2]>,
}

/// Ratios with intervals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forest {
    /// What the axis counts.
    pub axis: String,
    /// Ratios within this range are noise, where that is known.
    pub noise: Option<[f64; 2]>,
    /// The rows, from the top.
    pub rows: Vec<ForestRow>,
}

/// One ratio.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForestRow {
    /// What is compared.
    pub label: String,
    /// The ratio.
    pub value: f64,
    /// Its 95 % interval.
    pub interval: [f64; 2],
    /// The ratio and the difference in words.
    pub text: String,
    /// Whether the difference is one that can be measured.
    pub is_real: bool,
}

impl Fill {
    /// A plain colour.
    pub const fn solid(tone: Tone) -> Self {
        Self {
            tone,
            pattern: Pattern::Solid,
        }
    }

    /// A colour under a pattern.
    pub const fn patterned(tone: Tone, pattern: Pattern) -> Self {
        Self { tone, pattern }
    }
}

impl Bar {
    /// The sum of its parts; parts that are no number count nothing.
    pub fn total(&self) -> f64 {
        self.segments.iter().map(Segment::length).sum()
    }
}

impl Segment {
    /// The value as a length that can be drawn: never negative, always a number.
    pub fn length(&self) -> f64 {
        if self.value.is_finite() {
            self.value.max(0.0)
        } else {
            0.0
        }
    }
}

/// The numbers behind a figure, as rows of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// The headings.
    pub columns: Vec<String>,
    /// The rows; each has as many cells as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl Figure {
    /// The numbers that the figure shows.
    pub fn table(&self) -> Table {
        match &self.body {
            Body::Bars(bars) => bars.table(),
            Body::Curves(curves) => curves.table(),
            Body::Dots(dots) => dots.table(),
            Body::Forest(forest) => forest.table(),
            Body::Deadlines(deadlines) => deadlines.table(),
        }
    }
}

pub(crate) fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Bars {
    fn table(&self) -> Table {
        let mut rows = Vec::new();
        for group in &self.groups {
            for row in &group.rows {
                for segment in row.bars.iter().flat_map(|bar| &bar.segments) {
                    let (value, low, high) =
                        crate::number::plain_interval(segment.value, segment.interval);
                    rows.push(vec![
                        group.title.clone(),
                        row.label.clone(),
                        segment.name.clone(),
                        value,
                        low,
                        high,
                    ]);
                }
            }
        }
        let value = if self.unit.is_empty() {
            "value".to_owned()
        } else {
            format!("value, {}", self.unit)
        };
        Table {
            columns: columns(&["group", "row", "part", &value, "95 % low", "95 % high"]),
            rows,
        }
    }
}

impl Curves {
    fn table(&self) -> Table {
        let rows = self
            .lines
            .iter()
            .flat_map(|line| {
                line.marks.iter().map(|(_, y, name)| {
                    vec![
                        line.name.clone(),
                        name.clone(),
                        crate::number::three_digits(*y),
                    ]
                })
            })
            .collect();
        Table {
            columns: columns(&["line", "at", &self.y.label]),
            rows,
        }
    }
}

impl Dots {
    fn table(&self) -> Table {
        let mut rows = Vec::new();
        for group in &self.groups {
            for row in &group.rows {
                for dot in &row.dots {
                    let (value, low, high) = crate::number::plain_interval(dot.value, dot.interval);
                    let series = self.series.get(dot.series).cloned().unwrap_or_default();
                    rows.push(vec![
                        group.title.clone(),
                        row.label.clone(),
                        series,
                        value,
                        low,
                        high,
                    ]);
                }
            }
        }
        let value = format!("value, {}", self.unit);
        Table {
            columns: columns(&["group", "row", "of", &value, "95 % low", "95 % high"]),
            rows,
        }
    }
}

impl Forest {
    fn table(&self) -> Table {
        let rows = self
            .rows
            .iter()
            .map(|row| {
                let verdict = if row.is_real {
                    "measurable"
                } else {
                    "no measurable difference"
                };
                let (value, low, high) =
                    crate::number::plain_interval(row.value, Some(row.interval));
                vec![
                    row.label.clone(),
                    value,
                    low,
                    high,
                    row.text.clone(),
                    verdict.to_owned(),
                ]
            })
            .collect();
        Table {
            columns: columns(&[
                "comparison",
                "ratio",
                "95 % low",
                "95 % high",
                "in words",
                "verdict",
            ]),
            rows,
        }
    }
}
