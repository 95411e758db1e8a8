//! Where flights stand: at the same height in every panel, so that round trips compare.

use crate::render::svg::Scale;
use crate::trace::{FlightSummary, Trace};
use crate::words::time;

use super::style::{CPU_CLASSES, REST, phase_index};

/// Width of one panel: three are 1,200 pixels wide, so that they are read without zooming.
pub(super) const PANEL: f64 = 376.0;
/// From a panel's edge to its lifeline.
pub(super) const SIDE: f64 = 38.0;
/// From a panel's top to its flights: title and heads of the lifelines.
pub(super) const HEAD: f64 = 130.0;
/// Height of one message.
pub(super) const ROW: f64 = 34.0;
/// Height of a line of small text.
pub(super) const LINE: f64 = 15.0;
/// Height of the highest CPU box.
const BOX: f64 = 84.0;
const PADDING: f64 = 9.0;

/// Vertical positions of one flight.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlightLayout {
    pub(super) top: f64,
    /// Where its messages begin, below the CPU box.
    pub(super) messages: f64,
    pub(super) bottom: f64,
}

/// Those of panels that begin at `top`.
pub(super) fn flights(traces: &[Trace], scale: &Scale, top: f64) -> Vec<FlightLayout> {
    let count = traces.iter().map(|trace| trace.flights.len()).max();
    let mut top = top + HEAD;
    (0..count.unwrap_or(0))
        .map(|index| {
            let highest =
                |height: &dyn Fn(&Trace) -> f64| traces.iter().map(height).fold(0.0_f64, f64::max);
            let work = highest(&|trace| {
                let flight = trace.flights.get(index);
                flight.map_or(0.0, |flight| work_height(flight, scale))
            });
            let rows = highest(&|trace| {
                let steps = trace.steps.iter();
                steps.filter(|step| step.flight == index).count() as f64 * ROW
            });
            // Room for the label of a round trip, where one begins.
            let label = if index % 2 == 0 { ROW } else { 0.0 };
            let messages = top + work.max(label);
            let bottom = messages + rows + PADDING;
            let layout = FlightLayout {
                top,
                messages,
                bottom,
            };
            top = bottom;
            layout
        })
        .collect()
}

fn work_height(flight: &FlightSummary, scale: &Scale) -> f64 {
    let lines = labels(flight).len() as f64 * LINE;
    let box_height: f64 = parts(flight, scale).iter().map(|part| part.height).sum();
    let content = lines.max(box_height);
    if content > 0.0 {
        content + 2.0 * PADDING
    } else {
        0.0
    }
}

/// One part of a CPU box.
pub(super) struct Part {
    pub(super) class: &'static str,
    pub(super) height: f64,
}

/// The parts of a flight's CPU box, from the top; none where nothing was measured.
pub(super) fn parts(flight: &FlightSummary, scale: &Scale) -> Vec<Part> {
    let (Some(cpu), Some(longest)) = (flight.cpu, scale.nanoseconds) else {
        return Vec::new();
    };
    let height = |nanoseconds: u128| nanoseconds as f64 / longest as f64 * BOX;
    let mut sums = [0_u128; CPU_CLASSES.len()];
    for phase in &flight.phases {
        sums[phase_index(phase.phase)] += phase.time.as_nanos();
    }
    let measured: u128 = sums.iter().sum();
    // Phases are wall time and may exceed the CPU time that holds them.
    sums[REST] = cpu.as_nanos().saturating_sub(measured);
    let total = cpu.as_nanos().max(measured).max(1);
    let shown = height(cpu.as_nanos()).max(MINIMAL_BOX);
    CPU_CLASSES
        .iter()
        .zip(sums)
        .filter(|(_, nanoseconds)| *nanoseconds > 0)
        .map(|((class, _), nanoseconds)| Part {
            class,
            height: nanoseconds as f64 / total as f64 * shown,
        })
        .collect()
}

/// So that a short time can be seen.
const MINIMAL_BOX: f64 = 4.0;

/// What stands beside a flight's CPU box: the total, then its parts.
pub(super) fn labels(flight: &FlightSummary) -> Vec<String> {
    let mut labels = Vec::new();
    labels.extend(flight.offset.map(|offset| format!("at {}", time(offset))));
    labels.extend(flight.cpu.map(|cpu| format!("CPU {}", time(cpu))));
    let mut measured = std::time::Duration::ZERO;
    for (index, (_, name)) in CPU_CLASSES.iter().enumerate() {
        let times = flight
            .phases
            .iter()
            .filter(|phase| phase_index(phase.phase) == index);
        let sum: std::time::Duration = times.map(|phase| phase.time).sum();
        if !sum.is_zero() {
            labels.push(format!("{name} {}", time(sum)));
            measured += sum;
        }
    }
    if let Some(cpu) = flight.cpu
        && !measured.is_zero()
        && cpu > measured
    {
        labels.push(format!("rest {}", time(cpu - measured)));
    }
    labels
}
