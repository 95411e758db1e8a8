//! From the subjects of a matrix to visits.

use experiment::{
    Library, Matrix, MatrixError, Meter, NetworkName, Refusal, RefusalKind, Scenario, StackName,
    Subject,
};
use pki::{Cache, PkiError};
use stack::{PairError, PhaseTiming, STACKS};

use crate::cpu::CpuVisit;
use crate::heap;
use crate::latency::LatencyVisit;
use crate::memory::MemoryVisit;
use crate::primitives::PrimitiveVisit;
use crate::quic::QuicVisit;
use crate::runner::Progress;
use crate::throughput::ThroughputVisit;
use crate::transfer::TransferVisit;
use crate::verify::CredentialsCache;
use crate::visit::{Visit, VisitError};
use crate::wire_bytes::BytesVisit;

/// The networks that a matrix may name.
pub fn networks() -> Vec<NetworkName> {
    vec![NetworkName::memory(), NetworkName::loopback()]
}

/// The stacks that a matrix may name: those of this build, and those left out of it,
/// which are refused when they are set up, with the feature that would bring them.
pub fn stack_names() -> Vec<StackName> {
    let left_out = stack::LEFT_OUT
        .iter()
        .filter_map(|(name, _)| name.parse().ok());
    STACKS
        .iter()
        .map(|stack| stack.name())
        .chain(left_out)
        .collect()
}

/// The libraries of this build.
pub fn libraries() -> Vec<Library> {
    let stacks = STACKS.iter().map(|stack| stack.library());
    stacks.chain([quic::library()]).collect()
}

/// Reads a matrix of this build's stacks and networks.
///
/// # Errors
/// As [`Matrix::parse`].
pub fn parse_matrix(text: &str) -> Result<Matrix, MatrixError> {
    Matrix::parse(text, &stack_names(), &networks())
}

/// What a meter will visit, and what it can't.
pub(crate) struct Prepared {
    pub(crate) visits: Vec<Box<dyn Visit>>,
    pub(crate) refusals: Vec<Refusal>,
}

/// The harness alone, measured in the same blocks.
const NULL_SCENARIO: &str = "null>null/1.3/x25519/ecdsa-p256/full@memory";

/// Sets up the visits of one meter.
pub(crate) fn prepare(
    meter: Meter,
    matrix: &Matrix,
    cache: &Cache,
    progress: &mut dyn Progress,
) -> Result<Prepared, PkiError> {
    let mut subjects: Vec<(Subject, u8)> = matrix
        .subjects(meter)
        .map(|subject| (subject.clone(), 0))
        .collect();
    if meter == Meter::Cpu {
        add_controls(&mut subjects, matrix);
    }
    let mut credentials = CredentialsCache::new(cache);
    let mut prepared = Prepared {
        visits: Vec::new(),
        refusals: Vec::new(),
    };
    progress.preparing(&format!(
        "setting up {} subjects for {meter}",
        subjects.len()
    ));
    for (subject, replica) in subjects {
        match visit(meter, &subject, replica, &mut credentials, cache)? {
            Ok(visit) => prepared.visits.push(visit),
            Err((kind, reason)) => {
                prepared.refusals.push(Refusal {
                    subject,
                    meter,
                    kind,
                    reason,
                });
            }
        }
    }
    Ok(prepared)
}

/// The baseline under its second name, and the harness' own cost.
fn add_controls(subjects: &mut Vec<(Subject, u8)>, matrix: &Matrix) {
    if let Some(baseline) = &matrix.baseline {
        let baseline = Subject::Handshake(baseline.clone());
        if !subjects.contains(&(baseline.clone(), 0)) {
            subjects.push((baseline.clone(), 0));
        }
        subjects.push((baseline, 1));
    }
    if let Ok(null) = NULL_SCENARIO.parse::<Scenario>() {
        subjects.push((Subject::Handshake(null), 0));
    }
}

type Refused = (RefusalKind, String);

fn visit(
    meter: Meter,
    subject: &Subject,
    replica: u8,
    credentials: &mut CredentialsCache<'_>,
    cache: &Cache,
) -> Result<Result<Box<dyn Visit>, Refused>, PkiError> {
    let built: Result<Box<dyn Visit>, VisitError> = match (meter, subject) {
        (Meter::Primitives, Subject::Primitive(primitive)) => {
            return Ok(PrimitiveVisit::new(primitive, cache)
                .map(|visit| Box::new(visit) as Box<dyn Visit>)
                .map_err(|error| (RefusalKind::Unsupported, error.to_string())));
        }
        (Meter::Transfer, Subject::Transfer(transfer)) => {
            let credentials = credentials.of(transfer.scenario.handshake())?;
            TransferVisit::new(transfer, credentials).map(|visit| Box::new(visit) as _)
        }
        (_, Subject::Handshake(scenario)) => {
            let credentials = credentials.of(scenario.handshake())?;
            match meter {
                Meter::Latency => {
                    let visit = LatencyVisit::new(scenario, credentials);
                    return Ok(visit
                        .map(|visit| Box::new(visit) as Box<dyn Visit>)
                        .map_err(|error| refused(&error)));
                }
                Meter::Cpu => CpuVisit::new(scenario, replica, credentials, PhaseTiming::Off)
                    .map(|visit| Box::new(visit) as _),
                Meter::Phases => CpuVisit::new(scenario, replica, credentials, PhaseTiming::On)
                    .map(|visit| Box::new(visit) as _),
                Meter::Bytes => {
                    BytesVisit::new(scenario, credentials).map(|visit| Box::new(visit) as _)
                }
                Meter::Memory if !heap::COUNTS => {
                    let reason = "heap is counted with glibc only".to_owned();
                    return Ok(Err((RefusalKind::Unsupported, reason)));
                }
                Meter::Memory => {
                    MemoryVisit::new(scenario, credentials).map(|visit| Box::new(visit) as _)
                }
                Meter::Quic => {
                    QuicVisit::new(scenario, credentials).map(|visit| Box::new(visit) as _)
                }
                Meter::Throughput => {
                    ThroughputVisit::new(scenario, credentials).map(|visit| Box::new(visit) as _)
                }
                Meter::Transfer | Meter::Primitives => return Ok(Err(mismatched(meter))),
            }
            .map_err(VisitError::from)
        }
        _ => return Ok(Err(mismatched(meter))),
    };
    Ok(built.map_err(|error| refused(&error)))
}

fn refused(error: &VisitError) -> Refused {
    let kind = match error {
        VisitError::Pair(PairError::Unsupported(_)) | VisitError::Network(_) => {
            RefusalKind::Unsupported
        }
        _ => RefusalKind::Failed,
    };
    (kind, error.to_string())
}

fn mismatched(meter: Meter) -> Refused {
    (
        RefusalKind::Unsupported,
        format!("the meter {meter} does not measure such a thing"),
    )
}
