//! Progress on stderr: a bar with an estimate on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use experiment::{Meter, Refusal, RefusalKind};
use indicatif::{ProgressBar, ProgressStyle};
use measure::Progress;

pub(crate) struct Bar {
    bar: ProgressBar,
    is_terminal: bool,
    unsupported: usize,
}

impl Bar {
    /// A bar over so many seconds of measuring.
    pub(crate) fn new(seconds: f64) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if is_terminal {
            ProgressBar::new(milliseconds(seconds))
        } else {
            ProgressBar::hidden()
        };
        let template = "{bar:30} {percent:>3} %  about {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Self {
            bar,
            is_terminal,
            unsupported: 0,
        }
    }

    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
        if self.unsupported > 0 {
            eprintln!(
                "{} cells are not supported by a stack or by this build: the report lists why",
                self.unsupported
            );
        }
    }

    fn line(&self, text: &str) {
        if self.is_terminal {
            self.bar.println(text);
        } else {
            eprintln!("{text}");
        }
    }
}

/// A number that grows, on a terminal alone: elsewhere the result tells as much.
pub(crate) struct Spinner {
    bar: ProgressBar,
    what: &'static str,
}

impl Spinner {
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        Self { bar, what }
    }

    pub(crate) fn count(&self, number: u64) {
        self.bar.set_message(format!("{number} {}", self.what));
        self.bar.tick();
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn milliseconds(seconds: f64) -> u64 {
    Duration::try_from_secs_f64(seconds.max(0.0)).map_or(u64::MAX, |time| time.as_millis() as u64)
}

impl Progress for Bar {
    fn preparing(&mut self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    fn begin(&mut self, meter: Meter, subjects: usize, seconds: f64) {
        self.bar
            .set_message(format!("{meter}: {subjects} subjects"));
        if !self.is_terminal {
            eprintln!("{meter}: {subjects} subjects, {seconds:.0} s");
        }
    }

    fn spent(&mut self, seconds: f64) {
        self.bar.set_position(milliseconds(seconds));
    }

    fn refused(&mut self, refusal: &Refusal) {
        match refusal.kind {
            RefusalKind::Unsupported => self.unsupported += 1,
            RefusalKind::Failed => {
                self.line(&format!("failed: {}: {}", refusal.subject, refusal.reason));
            }
        }
    }
}
