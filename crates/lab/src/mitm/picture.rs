//! Scenes as a picture: three lifelines each, and beside them what is said.

use trace::drawing::{Anchor, Canvas, HEADING, NORMAL, SMALL, STYLE, text_width, wrap};

use super::{Act, Outcome, Party, Play};

/// Pixels around the picture and between scenes.
const MARGIN: f64 = 18.0;
/// Width of a scene: two beside each other make 1200 pixels.
const PANEL: f64 = 573.0;
/// Pixels between a scene's edge and what is in it.
const PADDING: f64 = 14.0;
/// Height of a line of text.
const LINE: f64 = 15.0;
/// Between two acts.
const GAP: f64 = 9.0;
/// Where the text begins, from the left of a scene.
const TEXT: f64 = 258.0;
/// Width and height of a party's box.
const HEAD: [f64; 2] = [76.0, 24.0];

/// A picture of scenes, two beside each other. It stands alone, follows the reader's light or
/// dark scheme, and tells everything without colour as well.
pub fn picture(plays: &[Play]) -> String {
    let columns = plays.len().clamp(1, 2);
    let width = MARGIN + columns as f64 * (PANEL + MARGIN);
    let mut canvas = Canvas::default();
    let title = "An attacker between client and server";
    canvas.text([MARGIN, 38.0], Anchor::Start, "title", title);
    let top = legend(&mut canvas, 62.0) + MARGIN;
    let mut bottoms = vec![top; columns];
    for play in plays {
        let panel = Panel::new(play);
        // The column that has the most room; the left one, where both have.
        let column = usize::from(columns > 1 && bottoms[1] < bottoms[0]);
        let left = MARGIN + column as f64 * (PANEL + MARGIN);
        panel.draw(&mut canvas, [left, bottoms[column]]);
        bottoms[column] += panel.height + MARGIN;
    }
    let bottom = bottoms.into_iter().fold(top, f64::max);
    canvas.document([width, bottom], title, &description(plays), STYLE)
}

/// What arrows and squares mean. Gives the bottom.
fn legend(canvas: &mut Canvas, top: f64) -> f64 {
    let entries = [
        ("clear", "in the clear"),
        ("encrypted", "encrypted between the two ends of the arrow"),
    ];
    for (index, (class, label)) in entries.iter().enumerate() {
        let y = top + index as f64 * (LINE + 2.0);
        arrow(canvas, [MARGIN, MARGIN + 48.0], y - 4.0, class);
        canvas.text([MARGIN + 58.0, y], Anchor::Start, "small", label);
    }
    let y = top + entries.len() as f64 * (LINE + 2.0);
    square(canvas, MARGIN + 24.0, y - 4.0);
    let label = "done by one party for itself";
    canvas.text([MARGIN + 58.0, y], Anchor::Start, "small", label);
    let y = y + LINE + 2.0;
    canvas.text(
        [MARGIN + 20.0, y],
        Anchor::Start,
        "small strong warning",
        "!",
    );
    let label = "what the attacker reads or changes";
    canvas.text([MARGIN + 58.0, y], Anchor::Start, "small", label);
    y
}

/// The picture in words, for those who do not see it.
fn description(plays: &[Play]) -> String {
    let sentences: Vec<String> = plays
        .iter()
        .map(|play| {
            format!(
                "{}, with {}: {}",
                play.scene.title(),
                play.stack,
                play.verdict()
            )
        })
        .collect();
    sentences.join(" ")
}

/// A scene, cut into lines.
struct Panel<'p> {
    play: &'p Play,
    title: Vec<String>,
    rows: Vec<Row<'p>>,
    ending: Vec<Line>,
    height: f64,
}

struct Row<'p> {
    act: &'p Act,
    lines: Vec<Line>,
}

struct Line {
    class: &'static str,
    text: String,
}

impl<'p> Panel<'p> {
    fn new(play: &'p Play) -> Self {
        let inner = PANEL - 2.0 * PADDING;
        let title = wrap(play.scene.title(), fit(inner, HEADING));
        let rows: Vec<Row<'_>> = play.acts.iter().map(Row::new).collect();
        let ending = ending(play, inner);
        let heights: f64 = rows.iter().map(Row::height).sum();
        let height = PADDING
            + (title.len() + 1) as f64 * (LINE + 3.0)
            + HEAD[1]
            + 3.0 * GAP
            + heights
            + GAP
            + ending.len() as f64 * (LINE + 1.0)
            + PADDING;
        Self {
            play,
            title,
            rows,
            ending,
            height,
        }
    }

    fn draw(&self, canvas: &mut Canvas, [left, top]: [f64; 2]) {
        canvas.rectangle([left, top], [PANEL, self.height], "card");
        let mut y = top + PADDING;
        for line in &self.title {
            y += LINE + 3.0;
            canvas.text([left + PADDING, y - 4.0], Anchor::Start, "heading", line);
        }
        y += LINE + 3.0;
        let about = format!("scene {}: {}", self.play.scene, self.play.libraries());
        canvas.text(
            [left + PADDING, y - 4.0],
            Anchor::Start,
            "small muted",
            &about,
        );
        let lifelines = y + GAP + HEAD[1];
        y = lifelines + 2.0 * GAP;
        let rows: f64 = self.rows.iter().map(Row::height).sum();
        for party in [Party::Client, Party::Attacker, Party::Server] {
            let x = lifeline(left, party);
            let corner = [x - HEAD[0] / 2.0, lifelines - HEAD[1]];
            canvas.line([x, lifelines], [x, y + rows], "lifeline");
            canvas.rectangle(corner, HEAD, "head");
            let base = lifelines - (HEAD[1] - NORMAL) / 2.0 - 2.0;
            canvas.text([x, base], Anchor::Middle, "", &party.to_string());
        }
        for row in &self.rows {
            row.draw(canvas, [left, y]);
            y += row.height();
        }
        y += GAP;
        for line in &self.ending {
            y += LINE + 1.0;
            canvas.text([left + PADDING, y], Anchor::Start, line.class, &line.text);
        }
    }
}

impl<'p> Row<'p> {
    fn new(act: &'p Act) -> Self {
        let fit = fit(PANEL - TEXT - PADDING, SMALL);
        let mut lines = lines("small", &act.what, fit);
        if let Some(gain) = &act.gain {
            lines.extend(self::lines(
                "small strong warning",
                &format!("! {gain}"),
                fit,
            ));
        }
        if let Some(recording) = &act.recording {
            let class = match recording.opens_later {
                true => "small strong falls",
                false => "small strong holds",
            };
            lines.extend(self::lines(class, recording.label(), fit));
        }
        Self { act, lines }
    }

    fn height(&self) -> f64 {
        self.lines.len() as f64 * LINE + GAP
    }

    fn draw(&self, canvas: &mut Canvas, [left, top]: [f64; 2]) {
        let [from, to] = [self.act.from, self.act.to].map(|party| lifeline(left, party));
        let class = match self.act.is_encrypted {
            true => "encrypted",
            false => "clear",
        };
        let middle = top + LINE / 2.0;
        if self.act.from == self.act.to {
            square(canvas, from, middle);
        } else {
            arrow(canvas, [from, to], middle, class);
        }
        for (index, line) in self.lines.iter().enumerate() {
            let y = top + index as f64 * LINE + SMALL - 1.0;
            canvas.text([left + TEXT, y], Anchor::Start, line.class, &line.text);
        }
    }
}

/// How the scene ended, and why.
fn ending(play: &Play, width: f64) -> Vec<Line> {
    let outcome = play.outcome();
    let class = match outcome {
        Outcome::Succeeds => "strong falls",
        Outcome::InPart => "strong open",
        Outcome::Fails => "strong holds",
    };
    let verdict = format!("{}. {}", outcome.label(), play.verdict());
    let mut ending = lines(class, &verdict, fit(width, NORMAL));
    if let Some(refusal) = &play.refusal {
        let words = format!("{} says: {}", play.stack, refusal.words);
        ending.extend(lines("small", &words, fit(width, SMALL)));
    }
    let reason = format!("{} ({})", play.scene.reason(), play.scene.reference());
    ending.extend(lines("small", &reason, fit(width, SMALL)));
    if !play.is_as_expected() {
        let surprise = "This is not what was expected.";
        ending.extend(lines("small strong falls", surprise, fit(width, SMALL)));
    }
    ending
}

fn lines(class: &'static str, text: &str, fit: usize) -> Vec<Line> {
    let lines = wrap(text, fit).into_iter();
    lines.map(|text| Line { class, text }).collect()
}

/// Characters of a line.
fn fit(width: f64, size: f64) -> usize {
    (width / text_width("x", size)) as usize
}

fn lifeline(left: f64, party: Party) -> f64 {
    left + match party {
        Party::Client => 52.0,
        Party::Attacker => 132.0,
        Party::Server => 212.0,
    }
}

fn arrow(canvas: &mut Canvas, [from, to]: [f64; 2], y: f64, class: &str) {
    const TIP: f64 = 8.0;
    let tip = if to > from { TIP } else { -TIP };
    canvas.line([from, y], [to - tip, y], &format!("arrow {class}"));
    canvas.tip([to, y], tip, &format!("tip {class}"));
}

fn square(canvas: &mut Canvas, x: f64, y: f64) {
    const SIDE: f64 = 9.0;
    canvas.rectangle([x - SIDE / 2.0, y - SIDE / 2.0], [SIDE, SIDE], "fill");
}
