//! Experiments that show how TLS and its certificates fail, each with real servers and
//! clients that it makes for itself.
//!
//! Everything stays on loopback or in network namespaces that an experiment made; nothing
//! here connects to a host that it was not given.

mod cause;
pub mod certificates;
pub mod cross_cloud;
mod issuing;
mod library;
mod loopback;
pub mod mitm;
