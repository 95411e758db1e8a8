//! What is measured and what came out of it.
//!
//! A [`Scenario`] is the only description of a handshake: flags, matrix files and
//! ids parse into it, TLS stacks read it. A [`Matrix`] is a set of [`Subject`]s to
//! measure; a [`Run`] is a manifest and the raw samples of each subject. Statistics
//! are always derived from the samples, never stored in their place.
//!
//! No TLS library, no runtime and no drawing in here: what came out of a run can be
//! read, compared and reported without a C compiler.

mod compare;
mod filter;
mod handshake;
mod manifest;
mod matrix;
mod metric;
mod quic;
mod run;
mod samples;
mod scenario;
mod statistics;
mod subject;

pub use compare::{Comparison, ComparisonRow, Verdict, compare};
pub use filter::{Filter, FilterError};
pub use handshake::{
    Handshake, HandshakeBuilder, HandshakeError, HandshakeKind, KeyExchange, ParseHandshakeError,
};
pub use manifest::{Library, Machine, Manifest, Refusal, RefusalKind};
pub use matrix::{Budget, Matrix, MatrixError};
pub use metric::{Meter, Metric, Phase, Side, Unit};
pub use quic::QuicMetric;
pub use run::{Run, RunError};
pub use samples::{Flags, Record, Sample, SampleWriter, SamplesError};
pub use scenario::{NetworkName, ParseScenarioError, Scenario, StackName};
pub use statistics::{Interval, RatioEstimate, Summary};
pub use subject::{ParseSubjectError, Primitive, PrimitiveOperation, Subject, Transfer};
