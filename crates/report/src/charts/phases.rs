//! Where the time of a handshake goes.

use experiment::{Interval, Metric, Phase, Scenario, Side};

use super::{chart_unit, grouped, segment, tone_name};
use crate::figure::{Bar, Bars, Body, Figure, Fill, Key, Row};
use crate::number::{self, Scaled};
use crate::palette::{Pattern, Tone};
use crate::{Chart, Dataset, view};

pub(super) const CHART: Chart = Chart {
    id: "phases",
    question: "Where does the time of a handshake go?",
    plot,
};

const fn fill(phase: Phase) -> Fill {
    match phase {
        Phase::GenerateShare => Fill::patterned(Tone::GenerateShare, Pattern::Upright),
        Phase::Agree => Fill::solid(Tone::Agree),
        Phase::Sign => Fill::patterned(Tone::Sign, Pattern::Rising),
        Phase::Verify => Fill::patterned(Tone::Verify, Pattern::Falling),
    }
}

const REST: Fill = Fill::solid(Tone::Rest);

/// One side's handshake cut into its parts, in nanoseconds.
struct Parts<'a> {
    scenario: &'a Scenario,
    side: Side,
    phases: Vec<(Phase, Interval)>,
    whole: f64,
}

fn parts<'a>(run: &Dataset<'_>, scenario: &'a Scenario, side: Side) -> Option<Parts<'a>> {
    let phases: Vec<(Phase, Interval)> = Phase::ALL
        .into_iter()
        .filter_map(|phase| {
            let summary = view::summary(run, scenario, Metric::Phase(side, phase))?;
            Some((phase, summary.median))
        })
        .collect();
    let whole = view::timed_whole(run, scenario, side)?;
    (!phases.is_empty()).then_some(Parts {
        scenario,
        side,
        phases,
        whole,
    })
}

impl Parts<'_> {
    fn cryptography(&self) -> f64 {
        self.phases.iter().map(|(_, time)| time.value).sum()
    }

    /// What is left, if the parts are not more than the whole.
    fn rest(&self) -> f64 {
        (self.whole - self.cryptography()).max(0.0)
    }

    fn row(&self, unit: Scaled) -> Row {
        let mut segments: Vec<_> = self
            .phases
            .iter()
            .map(|(phase, time)| {
                let fill = fill(*phase);
                segment(tone_name(fill.tone), fill, unit.of(*time))
            })
            .collect();
        let rest = Interval {
            value: self.rest(),
            low: self.rest(),
            high: self.rest(),
        };
        segments.push(segment(tone_name(Tone::Rest), REST, unit.of(rest)));
        let total = (self.cryptography() + self.rest()) / unit.size;
        let share =
            number::percent(self.cryptography() / (self.cryptography() + self.rest()).max(1e-9));
        let handshake = self.scenario.handshake();
        Row {
            label: format!(
                "{}, {}{}",
                view::key_exchange_title(handshake.key_exchange()),
                view::chain_title(handshake.authentication()),
                view::version_suffix(handshake),
            ),
            bars: vec![Bar {
                segments,
                text: format!(
                    "{} {}, {share} cryptography",
                    number::plain(total.round()),
                    unit.unit
                ),
            }],
        }
    }
}

fn plot(run: &Dataset<'_>) -> Option<Figure> {
    let mut scenarios: Vec<&Scenario> = Vec::new();
    for side in Side::BOTH {
        for phase in Phase::ALL {
            for scenario in view::handshakes(run, Metric::Phase(side, phase)) {
                if !scenarios.contains(&scenario) && view::is_full(scenario.handshake()) {
                    scenarios.push(scenario);
                }
            }
        }
    }
    view::sort(&mut scenarios);
    let parts: Vec<Parts<'_>> = Side::BOTH
        .into_iter()
        .flat_map(|side| scenarios.iter().filter_map(move |s| parts(run, s, side)))
        .collect();
    let longest = parts.iter().map(|p| p.whole).fold(0.0, f64::max);
    let unit = chart_unit(longest);
    let several = scenarios
        .iter()
        .any(|s| view::stacks_title(s) != view::stacks_title(scenarios[0]));
    let groups = grouped(parts.iter().map(|p| {
        let side = match p.side {
            Side::Client => "Client",
            Side::Server => "Server",
        };
        let title = if several {
            format!("{side}, {}", view::stacks_title(p.scenario))
        } else {
            side.to_owned()
        };
        (title, p.row(unit))
    }));
    if groups.is_empty() {
        return None;
    }
    let legend = Phase::ALL
        .map(fill)
        .into_iter()
        .chain([REST])
        .map(|fill| Key {
            name: tone_name(fill.tone).to_owned(),
            fill,
        })
        .collect();
    Some(Figure {
        title: title(&parts)?,
        subtitle: "Median wall time of each side per full handshake; the cryptography is timed in \
                   place, the rest is what remains of the whole"
            .to_owned(),
        body: Body::Bars(Bars {
            axis: format!("wall time per handshake, {}", unit.unit),
            unit: unit.unit,
            legend,
            groups,
            references: Vec::new(),
        }),
        notes: vec![
            "Verification counts the whole chain and the handshake’s signature. The server \
             makes its key share and the secret in one step."
                .to_owned(),
            "These handshakes ran with clocks inside, in minutes of their own: read the shares \
             here, and the totals in the charts of CPU time."
                .to_owned(),
        ],
    })
}

/// The largest part of the server's and the client's time, in the scenario that stands for
/// today: the hybrid if it is there.
fn title(parts: &[Parts<'_>]) -> Option<String> {
    let is_hybrid = |p: &&Parts<'_>| {
        view::key_exchange_tone(p.scenario.handshake().key_exchange()) == Tone::Hybrid
    };
    let of = |side: Side| {
        let mut of_side = parts.iter().filter(|p| p.side == side);
        of_side.clone().find(is_hybrid).or_else(|| of_side.next())
    };
    let say = |p: &Parts<'_>| {
        let whole = p.cryptography() + p.rest();
        let (phase, time) = p
            .phases
            .iter()
            .max_by(|a, b| a.1.value.total_cmp(&b.1.value))
            .copied()?;
        let name = match phase {
            Phase::GenerateShare => "the key share",
            Phase::Agree => "the shared secret",
            Phase::Sign => "the signature",
            Phase::Verify => "verification",
        };
        let share = number::percent(time.value / whole.max(1e-9));
        Some(format!("{name} takes {share} of the {}’s time", p.side))
    };
    let said: Vec<String> = [Side::Server, Side::Client]
        .into_iter()
        .filter_map(|side| say(of(side)?))
        .collect();
    let handshake = of(Side::Server)
        .or_else(|| of(Side::Client))?
        .scenario
        .handshake();
    Some(format!(
        "With {} and {} certificates, {}",
        view::key_exchange_title(handshake.key_exchange()),
        view::chain_title(handshake.authentication()),
        said.join(", and ")
    ))
}
