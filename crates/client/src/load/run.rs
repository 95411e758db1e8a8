//! The workers of a load, from the first to the last connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::live::{Gauge, Snapshot};
use super::report::{Report, WorkerUse};
use super::resources::descriptors;
use super::schedule::Share;
use super::tally::Tally;
use super::worker::{Limits, Prepared, Shortage, Worker};
use super::{LoadError, Plan, WorkerEndpoints};

/// Descriptors of a process that are not for connections.
const OTHER_DESCRIPTORS: usize = 64;
/// Time for all workers to hear of the beginning.
const HEAD_START: Duration = Duration::from_millis(2);

/// Carries out a plan, with one thread for each of the endpoints. `watch` is called every
/// `interval`. When `stop` is raised, the load ends at once, and the report is of what
/// was done.
///
/// # Errors
/// When the plan can't be carried out, or the server issues no tickets to resume with.
/// Failing connections are no error: see [`Tally::failures`].
pub fn run(
    plan: &Plan,
    endpoints: &[WorkerEndpoints],
    stop: &AtomicBool,
    interval: Duration,
    mut watch: impl FnMut(&Snapshot),
) -> Result<Report, LoadError> {
    plan.check(endpoints)?;
    let granted = descriptors().map_or(usize::MAX, |limit| limit.saturating_sub(OTHER_DESCRIPTORS));
    let limits = Limits {
        in_flight: plan.max_in_flight.min(granted).max(endpoints.len()),
        open: granted.max(endpoints.len()),
    };
    let gauges: Vec<Gauge> = endpoints.iter().map(|_| Gauge::default()).collect();
    let (tell, told) = channel();
    thread::scope(|scope| {
        let (mut begins, mut threads) = (Vec::new(), Vec::new());
        for (worker, (endpoints, gauge)) in endpoints.iter().zip(&gauges).enumerate() {
            let (begin, begins_at) = channel();
            begins.push(begin);
            let tell = tell.clone();
            let share = Share {
                worker,
                workers: gauges.len(),
            };
            let make = move || Worker::new(plan, endpoints.clone(), share, limits, stop);
            let live = move || tell_all(make, &tell, &begins_at, gauge);
            let thread = thread::Builder::new().name(format!("load-{worker}"));
            threads.push(thread.spawn_scoped(scope, live)?);
        }
        drop(tell);
        let report = conduct(plan, begins, &told, &gauges, interval, &mut watch);
        let panics = threads.into_iter().map(|thread| thread.join().is_err());
        // All of them are joined, so that none panics again out of here.
        match panics.fold(false, |any, panicked| any | panicked) {
            true => Err(LoadError::Panicked),
            false => report.map(|report| Report {
                max_in_flight: limits.in_flight,
                is_interrupted: stop.load(Ordering::Relaxed),
                ..report
            }),
        }
    })
}

/// Lets the workers begin together, and collects what they did.
fn conduct(
    plan: &Plan,
    begins: Vec<Sender<Instant>>,
    told: &Receiver<News>,
    gauges: &[Gauge],
    interval: Duration,
    watch: &mut impl FnMut(&Snapshot),
) -> Result<Report, LoadError> {
    let prepared = preparations(told, gauges.len())?;
    let begin = Instant::now() + HEAD_START;
    for sender in begins {
        // A worker that is gone will be missed below.
        let _ = sender.send(begin);
    }
    let mut tally = Tally::default();
    let mut workers = Vec::new();
    while workers.len() < gauges.len() {
        match told.recv_timeout(interval) {
            Ok(News::Done(result)) => {
                let (part, used) = (*result)?;
                tally.merge(part);
                workers.push(used);
            }
            Ok(News::Prepared(_)) => {}
            Err(RecvTimeoutError::Timeout) => watch(&snapshot(gauges, begin)),
            Err(RecvTimeoutError::Disconnected) => return Err(LoadError::Panicked),
        }
    }
    let elapsed = begin.elapsed();
    watch(&snapshot(gauges, begin));
    // What was cut off had no end until now.
    let last = tally.last_end.filter(|_| tally.unfinished == 0);
    let measured = last.map_or(elapsed, |last| last.saturating_duration_since(begin));
    Ok(Report {
        tally,
        window: plan.duration.unwrap_or(measured).min(elapsed),
        elapsed,
        workers,
        prepared,
        max_in_flight: 0,
        is_interrupted: false,
    })
}

/// What a worker tells.
enum News {
    Prepared(std::io::Result<Prepared>),
    Done(Box<std::io::Result<(Tally, WorkerUse)>>),
}

/// The life of a worker. It ends without more words when nobody tells it to begin.
fn tell_all<'a>(
    make: impl FnOnce() -> std::io::Result<Worker<'a>>,
    tell: &Sender<News>,
    begins_at: &Receiver<Instant>,
    gauge: &Gauge,
) {
    let prepared = make().and_then(|mut worker| {
        let prepared = worker.prepare()?;
        Ok((worker, prepared))
    });
    let worker = match prepared {
        Ok((worker, prepared)) => {
            let _ = tell.send(News::Prepared(Ok(prepared)));
            worker
        }
        Err(error) => {
            let _ = tell.send(News::Prepared(Err(error)));
            return;
        }
    };
    if let Ok(begin) = begins_at.recv() {
        let _ = tell.send(News::Done(Box::new(worker.perform(begin, gauge))));
    }
}

/// Waits until all workers are ready. Gives the number of handshakes that it took.
fn preparations(told: &Receiver<News>, workers: usize) -> Result<u64, LoadError> {
    let mut handshakes = 0;
    for _ in 0..workers {
        let Ok(News::Prepared(prepared)) = told.recv() else {
            return Err(LoadError::Panicked);
        };
        let prepared = prepared?;
        if let Some(shortage) = prepared.shortage {
            let Shortage { reason, kind } = shortage;
            return Err(LoadError::NoTickets { reason, kind });
        }
        handshakes += prepared.handshakes;
    }
    Ok(handshakes)
}

fn snapshot(gauges: &[Gauge], begin: Instant) -> Snapshot {
    let mut sum = Snapshot {
        elapsed: begin.elapsed(),
        ..Snapshot::default()
    };
    for gauge in gauges {
        gauge.add_to(&mut sum);
    }
    sum
}
